"""`aws-iot config`: create, change, list, show and remove profiles."""

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.sign_in import chosen_password
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_secret, need_terminal
from aws_iot.config.exports import to_exports
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError, ProfileError

if TYPE_CHECKING:
    from aws_iot.auth.profile_editor import ProfileChange, ProfileEditor
    from aws_iot.config.exports_files import ImportedProfile

_ASK = "\0ask"


@click.group(invoke_without_command=True)
@options.option(
    "-s",
    "--set",
    "exports",
    env="CONFIG_SET",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read pools and endpoints from this aws-exports.json, aws-exports.js or amplify_outputs.json.",
)
@options.option(
    "--endpoint",
    env="CONFIG_ENDPOINT",
    metavar="URL",
    help="With -s: the IoT endpoint, if the file has none (Amplify Gen 2).",
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
    " value, you are asked for it.",
)
@options.option(
    "--forget",
    env="CONFIG_FORGET",
    is_flag=True,
    help="Remove the preset password and the app client's secret.",
)
@click.pass_context
def config(
    ctx: click.Context,
    exports: Path | None,
    endpoint: str | None,
    key: str,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    client_secret: str | None,
    forget: bool,
) -> None:
    """Save a profile: your pools, endpoint and user.

    It changes only what you give. -s creates a profile, or gives an existing one other pools. A preset password is
    saved in your system's keyring, or in a file that only you can read if there is none. To choose:
    AWS_IOT_SECRETS=keyring or =file. Without a preset password you are asked for it.

    \b
    Examples:
      aws-iot config -s aws-exports.json
      aws-iot config -s aws-exports.json -k team -u alice
      aws-iot config -k team -u bob
      aws-iot config -s amplify_outputs.json --endpoint wss://…-ats.iot.us-east-1.amazonaws.com/mqtt
      aws-iot config list
    """
    app = ctx.find_object(App) or App()
    if ctx.invoked_subcommand:
        options.refuse_before_subcommand(ctx)
        return
    password = chosen_password(password, password_stdin)
    if endpoint and not exports:
        raise click.UsageError("--endpoint requires -s FILE.")
    if not (exports or user or password or client_secret or forget):
        raise click.UsageError(
            "Nothing to save. Give -s FILE, -u USER, -p PASS, --client-secret or --forget."
        )
    if client_secret == _ASK:
        client_secret = os.environ.get("AWS_IOT_CONFIG_CLIENT_SECRET") or _ask_client_secret(app)
    from aws_iot.auth.profile_editor import ProfileChange  # here: `list` and `show` do not wait for it

    pools = _read_pools(exports, endpoint) if exports else None
    _change(app, key, ProfileChange(pools, user, password, client_secret, forget))


def _read_pools(exports: Path, endpoint: str | None) -> Profile:
    from aws_iot.config.exports_files import read_exports

    return read_exports(exports, endpoint, output.info)


def _change(app: App, key: str, change: "ProfileChange") -> None:
    editor = editor_of(app)
    if change.password and not change.username:
        old = editor.existing(key)
        if not (old and old.username):
            raise click.UsageError("Whose password? Give -u USER, too.")
    editor.change(key, change)
    secrets = [
        name
        for name, given in (("password", change.password), ("app client's secret", change.client_secret))
        if given
    ]
    apart = f" The {' and the '.join(secrets)} {'are' if len(secrets) > 1 else 'is'} saved separately."
    output.info(f"Saved the profile '{key}'.{apart if secrets else ''}")


def editor_of(app: App) -> "ProfileEditor":
    """Changes profiles, and reports if that removes a session, or leaves a secret behind."""
    from aws_iot.auth.profile_editor import ProfileEditor

    def report_removed() -> None:
        output.info("The saved session was removed. Sign in again.")

    def report_left(error: LocalError) -> None:
        output.info(f"A saved secret was not removed: {error}.")
        if error.hint:
            output.info(error.hint)

    config = app.config
    return ProfileEditor(config.profiles, config.secrets, app.auth.sessions, report_removed, report_left)


def _ask_client_secret(app: App) -> str:
    need_terminal(app, "The app client's secret is needed", "set AWS_IOT_CONFIG_CLIENT_SECRET")
    return ask_secret("Secret of the app client")


@config.command("list")
@options.json_output
@click.pass_obj
def list_(app: App, as_json: bool) -> None:
    """List the profiles: key, user, user pool, endpoint."""
    rows = [_row(app, key) for key in app.config.profiles.keys()]
    if as_json:
        for row in rows:
            output.data(json.dumps(row))
    else:
        for line in _columns(rows):
            output.data(line)
    if not rows:
        output.info("There are no profiles. Create one: aws-iot config -s aws-exports.json")


def _row(app: App, key: str) -> dict[str, str | None]:
    try:
        profile = app.config.profiles.load(key)
    except ProfileError as error:
        return {"profile": key, "user": None, "user_pool": None, "endpoint": None, "error": str(error)}
    return {
        "profile": key,
        "user": profile.username,
        "user_pool": profile.user_pool_id,
        "endpoint": str(profile.endpoint),
        "error": None,
    }


def _columns(rows: list[dict[str, str | None]]) -> list[str]:
    cells = [
        [
            *(output.visible(row[name] or "-") for name in ("profile", "user", "user_pool")),
            output.visible(f"unusable: {row['error']}" if row["error"] else row["endpoint"] or "-"),
        ]
        for row in rows
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


@config.command()
@options.profile
@click.pass_obj
def show(app: App, key: str) -> None:
    """Show a profile as JSON.

    It contains the profile's aws-exports.json and the user. It also tells whether a password is preset, and whether
    the app client's secret is saved."""
    profile = app.config.profiles.load(key)
    preset = bool(profile.username) and app.config.secrets.owner("password", key) == profile.username
    output.data(
        json.dumps(
            {
                "profile": key,
                "user": profile.username,
                "password_preset": preset,
                "client_secret": profile.client_has_secret,
                "aws_exports": to_exports(profile),
            },
            indent=2,
        )
    )


@config.command()
@options.profile_key("CONFIG_REMOVE", required=True, help="The profile to remove.")
@click.pass_obj
def remove(app: App, key: str) -> None:
    """Remove a profile with its password, client secret and session."""
    editor_of(app).remove(key)
    app.messaging.forget_durable_sessions(key)
    output.info(f"Removed the profile '{key}'.")


@config.command("import")
@click.argument("file", type=click.Path(path_type=Path), default=Path("~/.cognitorc"), metavar="[FILE]")
@options.option(
    "--replace", "overwrite", env="CONFIG_IMPORT_REPLACE", is_flag=True, help="Replace existing profiles."
)
@click.pass_obj
def import_(app: App, file: Path, overwrite: bool) -> None:
    """Import the profiles of the npm tool.

    It reads ~/.cognitorc, or the file that you name. That file stays unchanged and still holds the passwords: delete it
    when everything works.

    \b
    Example:
      aws-iot config import
    """
    from aws_iot.config.exports_files import read_cognitorc

    path, failed = file.expanduser(), 0
    for found in read_cognitorc(path):
        try:
            output.info(f"{found.key}: {_import(app, found, overwrite)}")
        except LocalError as error:
            failed += 1
            output.info(f"{found.key}: not imported: {error}")
    if failed:
        raise ProfileError(f"{failed} of the profiles in {path} could not be imported")


def _import(app: App, found: "ImportedProfile", overwrite: bool) -> str:
    if isinstance(found.profile, ProfileError):
        raise found.profile
    if found.key in app.config.profiles.keys() and not overwrite:
        return "exists already; --replace replaces it"
    editor_of(app).replace(found.key, found.profile)
    if found.password and found.profile.username:
        app.config.secrets.set("password", found.key, found.profile.username, found.password)
        return "imported, with the password"
    return "imported"
