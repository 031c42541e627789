"""`aws-iot config`: create and change profiles."""

import os
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.config.editor import editor_of
from aws_iot.cli.commands.config.importing import import_
from aws_iot.cli.commands.config.listing import list_, path, show
from aws_iot.cli.commands.config.managing import remove, use
from aws_iot.cli.groups import Group
from aws_iot.cli.secret_variables import secret
from aws_iot.cli.sign_in import chosen_password
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_secret, is_confirmed, need_terminal, standard_input
from aws_iot.config.profile import Profile
from aws_iot.errors import ProfileError
from aws_iot.streams import read_up_to

if TYPE_CHECKING:
    from aws_iot.auth.profile_editor import ProfileChange

_ASK = "\0ask"
STDIN = Path("-")
"""What stands for standard input."""

LARGEST_EXPORTS = 1_000_000
"""How many bytes are read from standard input. An exports file has a few thousand."""


class _Config(Group):
    """Tells a person who types a key where a command belongs what to type."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        app = ctx.find_object(App)
        if app and args[0] not in self.commands and args[0] in app.config.profiles.keys():
            key = args[0]
            ctx.fail(f"'{key}' is a profile, not a command. To show it: aws-iot config show {key}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Config, invoke_without_command=True)
@options.option(
    "-s",
    "--set",
    "exports",
    env="CONFIG_SET",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read pools and endpoints from this aws-exports.json, aws-exports.js or amplify_outputs.json; - is stdin.",
)
@options.option(
    "--endpoint",
    env="CONFIG_ENDPOINT",
    metavar="URL",
    help="With -s: the IoT endpoint, if the file has none (Amplify Gen 2).",
)
@options.option(
    "--replace",
    "overwrite",
    env="CONFIG_REPLACE",
    is_flag=True,
    help="With -s: do not ask before replacing a profile that has other pools or another endpoint.",
)
@options.profile
@options.option("-u", "--user", "--usr", "user", env="CONFIG_USER", metavar="USER", help="Preset the user.")
@options.option(
    "-p",
    "--password",
    "--pwd",
    "password",
    env="CONFIG_PASSWORD",
    metavar="PASS",
    help="Preset the password.",
)
@options.password_stdin
@options.option(
    "--client-secret",
    env="CONFIG_CLIENT_SECRET",
    is_flag=False,
    flag_value=_ASK,
    metavar="[SECRET]",
    help="The secret of the app client, if it has one. Other programs can see it in the process list; without a"
    " value, the command prompts for it.",
)
@options.option(
    "--forget",
    env="CONFIG_FORGET",
    is_flag=True,
    help="Remove the preset password and the app client's secret.",
)
@options.option(
    "--history",
    env="CONFIG_HISTORY",
    type=click.Choice(("on", "off")),
    help="Whether messages are saved on this machine.",
)
@options.option(
    "--history-days",
    env="CONFIG_HISTORY_DAYS",
    type=options.Whole(0, 36_500),
    metavar="N",
    help="Delete saved messages after N days; 0 is never.",
)
@options.option(
    "--history-megabytes",
    env="CONFIG_HISTORY_MEGABYTES",
    type=options.Whole(0, 1_000_000),
    metavar="N",
    help="Delete the oldest saved messages if all have more than N MB; 0 is no limit.",
)
@click.pass_context
def config(
    ctx: click.Context,
    exports: Path | None,
    endpoint: str | None,
    overwrite: bool,
    key: str | None,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    client_secret: str | None,
    forget: bool,
    history: str | None,
    history_days: int | None,
    history_megabytes: int | None,
) -> None:
    """Save a profile: your pools, endpoint and user.

    It changes only what you specify. -s creates a profile. It asks before it changes the pools or the endpoint of an
    existing one; without a terminal, that needs --replace. A preset password is saved in your system's keyring, or in a
    file that only you can read if there is none. To choose: AWS_IOT_SECRETS=keyring or =file. Without a preset
    password, the commands prompt for it. `aws-iot history` shows saved messages.

    \b
    Examples:
      aws-iot config -s aws-exports.json
      aws-iot config -s aws-exports.json -k team -u alice
      aws-iot config -k team -u bob
      aws-iot config --history-days 90
      aws-iot config -s amplify_outputs.json --endpoint wss://…-ats.iot.us-east-1.amazonaws.com/mqtt
      ssh server cat aws-exports.js | aws-iot config -s -
      aws-iot config list
    """
    app = ctx.find_object(App) or App()
    if ctx.invoked_subcommand:
        options.refuse_before_subcommand(ctx)
        return
    key = options.given_or_default(app, key)
    if exports == STDIN and password_stdin:
        raise click.UsageError("-s - and --password-stdin both read standard input. Choose one.")
    password = chosen_password(password, password_stdin)
    if (endpoint or overwrite) and not exports:
        raise click.UsageError(f"{'--endpoint' if endpoint else '--replace'} requires -s FILE.")
    of_history = (None if history is None else history == "on", history_days, history_megabytes)
    if not (exports or user or password or client_secret or forget) and of_history == (None, None, None):
        raise click.UsageError(
            "Nothing to save. Give -s FILE, -u USER, -p PASS, --client-secret, --forget or --history."
        )
    if client_secret == _ASK:
        client_secret = secret(ctx, "AWS_IOT_CONFIG_CLIENT_SECRET") or _ask_client_secret(app)
    from aws_iot.auth.profile_editor import ProfileChange  # here: `list` and `show` do not wait for it

    pools = _read_pools(exports, endpoint) if exports else None
    if exports and pools and not overwrite:
        _check_replaceable(app, key, pools, exports)
    _change(app, key, ProfileChange(pools, user, password, client_secret, forget, None, *of_history))


def _read_pools(exports: Path, endpoint: str | None) -> Profile:
    from aws_iot.config.exports_files.reader import parse_exports, read_exports

    if exports != STDIN:
        return read_exports(exports, endpoint, output.info)
    return parse_exports(_standard_input(), "standard input", Path(), endpoint, output.info)


def _standard_input() -> bytes:
    stream = standard_input("Name the file: -s FILE")
    if sys.stdin.isatty():
        output.info("Paste the exports file, then press Ctrl-D on a line of its own.")
    data = read_up_to(stream, LARGEST_EXPORTS + 1)
    if len(data) > LARGEST_EXPORTS:
        raise ProfileError("standard input: this is no exports file: it has more than a million bytes")
    return data


def _check_replaceable(app: App, key: str, pools: Profile, exports: Path) -> None:
    """Ask before a profile that points elsewhere is replaced. Raises `ProfileError` if there is no terminal."""
    old = editor_of(app).existing(key)
    differences = old.differences(pools) if old else []
    if not differences:
        return
    is_from_environment = key == os.environ.get("AWS_IOT_PROFILE") and not options.is_typed("key")
    what = f"the profile '{key}'{' (AWS_IOT_PROFILE)' if is_from_environment else ''} points elsewhere"
    if not app.settings.has_terminal():
        name, ours, theirs = differences[0]
        raise ProfileError(
            f"{what}: its {name} is {ours}, and would become {theirs}",
            hint="To keep it, choose another KEY.\n"
            f"To replace it: aws-iot config -s {shlex.quote(str(exports))} -k {key} --replace",
        )
    output.error(f"{what[0].upper()}{what[1:]}. You would change:")
    for name, ours, theirs in differences:
        output.error(f"  {name}: {ours} → {theirs}")
    if not is_confirmed("Replace it?"):
        output.info("Nothing was changed. To save another profile, give another KEY with -k.")
        click.get_current_context().exit(1)  # so that a script stops here


def _change(app: App, key: str, change: "ProfileChange") -> None:
    editor = editor_of(app)
    if change.password and not change.username:
        old = editor.existing(key)
        if not (old and old.username):
            raise click.UsageError("Whose password? Give -u USER, too.")
    forgotten = _secrets_of(app, editor.existing(key)) if change.forget else []
    editor.change(key, change)
    if forgotten:
        output.info(f"Removed {' and '.join(forgotten)} of the profile '{key}'.")
    elif change.forget:
        output.info(f"The profile '{key}' has no preset password and no app client's secret.")
    secrets = [
        name
        for name, given in (("password", change.password), ("app client's secret", change.client_secret))
        if given
    ]
    of_history = (change.history, change.history_days, change.history_megabytes)
    if change.forget and not (change.pools or change.username or secrets or of_history != (None, None, None)):
        return
    apart = f" The {' and the '.join(secrets)} {'are' if len(secrets) > 1 else 'is'} saved separately."
    output.info(f"Saved the profile '{key}'.{apart if secrets else ''}")
    if change.history_days:
        output.info(
            "Older messages are deleted step by step when you use the history."
            f" To delete them now: aws-iot history delete --before {change.history_days}d -k {key}"
        )
    if change.history is False:
        output.info(f"Saved messages are still there. To delete them: aws-iot history delete --all -k {key}")


def _secrets_of(app: App, profile: Profile | None) -> list[str]:
    """What `--forget` removes."""
    if not profile:
        return []
    has_password = app.config.secrets.owner("password", profile.key) is not None
    names = (("the preset password", has_password), ("the app client's secret", profile.client_has_secret))
    return [name for name, is_saved in names if is_saved]


def _ask_client_secret(app: App) -> str:
    need_terminal(app, "The app client's secret is needed", "set AWS_IOT_CONFIG_CLIENT_SECRET")
    return ask_secret("Secret of the app client")


for command in (list_, show, path, use, remove, import_):
    config.add_command(command)
