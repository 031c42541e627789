"""`aws-iot config`: write, list, show and remove profiles."""

import json
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.sign_in import chosen_password, forget_all
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_secret, need_terminal
from aws_iot.config.exports import read_cognitorc, read_exports
from aws_iot.config.profile import Profile, checked_key, to_exports
from aws_iot.errors import LocalError, ProfileError, ProfileNotFound

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
    help="With -s: the IoT endpoint, where the file names none (Amplify Gen 2 does not).",
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
    help="The secret of the app client, if it has one; better without a value, so that it is asked for: other"
    " programs can see it.",
)
@options.option(
    "--forget",
    env="CONFIG_FORGET",
    is_flag=True,
    help="Forget the preset password and the app client's secret.",
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
    """Write a profile: which pools to use, and who you are.

    Changes only what is given; -s makes a profile, or gives one that exists other pools. A preset
    password goes to the keyring of your system, or to a file that only you can read where there is
    none (AWS_IOT_SECRETS=file or =keyring decides); without one you are asked for it.

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
        raise click.UsageError("--endpoint goes with -s FILE.")
    if not (exports or user or password or client_secret or forget):
        raise click.UsageError(
            "Nothing to write: give -s FILE, -u USER, -p PASS, --client-secret or --forget."
        )
    if client_secret == _ASK:
        client_secret = os.environ.get("AWS_IOT_CONFIG_CLIENT_SECRET") or _ask_client_secret(app)
    fresh = read_exports(exports, endpoint) if exports else None

    def change(old: Profile | None) -> Profile:
        profile = fresh or old
        if profile is None:
            raise ProfileNotFound(
                f"there is no profile '{key}' yet",
                hint=f"Make it first: aws-iot config -s aws-exports.json -k {key}",
            )
        before = old or profile
        knows_secret = before.client_has_secret and _client(before) == _client(profile) and not forget
        return replace(
            profile,
            username=user or before.username,
            client_has_secret=bool(client_secret) or knows_secret,
        )

    if password and not (user or _preset_user(app, key)):
        raise click.UsageError("Whose password? Give -u USER with it.")
    old = app.profiles.load(key) if checked_key(key) in app.profiles.keys() else None
    new = change(old)
    if old:
        _forget_what_is_of_others(app, key, old, new, forget)
    if password:  # each serves its owner only, so they may be there before the profile says so
        app.secrets.set("password", key, new.username or "", password)
    if client_secret:
        app.secrets.set("client-secret", key, new.client_id, client_secret)
    app.profiles.change(key, change)
    secret = " and ".join(
        name for name, given in (("password", password), ("client's secret", client_secret)) if given
    )
    output.info(f"Profile '{key}' is written" + (f", the {secret} apart from it." if secret else "."))


def _ask_client_secret(app: App) -> str:
    need_terminal(app, "The app client's secret is needed", "set AWS_IOT_CONFIG_CLIENT_SECRET")
    return ask_secret("Secret of the app client")


def _client(profile: Profile) -> tuple[str, str]:
    return profile.user_pool_id, profile.client_id


def _forget_what_is_of_others(app: App, key: str, old: Profile, new: Profile, everything: bool) -> None:
    """No password of another user, and no session of another user or of other pools, outlives the change."""
    same_pool, same_user = _client(old) == _client(new), old.username == new.username
    if everything or not (same_pool and app.secrets.owner("password", key) == new.username):
        app.secrets.remove("password", key)
    if everything or not same_pool:
        app.secrets.remove("client-secret", key)
    kept = app.sessions.load(replace(old, key=key))
    another = kept is not None and not same_user and kept.session.username != new.username
    if (another or not same_pool) and app.sessions.forget(key):
        output.info("The session that there was is forgotten here: sign in anew.")


def write_profile(app: App, key: str, profile: Profile) -> None:
    """Store a profile for who is preset there, as -s does: nothing of other pools outlives it."""
    if checked_key(key) in app.profiles.keys():
        with suppress(LocalError):  # what is damaged cannot be forgotten, only replaced
            old = app.profiles.load(key)
            profile = replace(profile, username=old.username)
            _forget_what_is_of_others(app, key, old, profile, False)
    app.profiles.change(key, lambda _: profile)


def _preset_user(app: App, key: str) -> str | None:
    return app.profiles.load(key).username if key in app.profiles.keys() else None


@config.command("list")
@options.json_output
@click.pass_obj
def list_(app: App, as_json: bool) -> None:
    """List the profiles: key, user, user pool, endpoint."""
    rows = [_row(app, key) for key in app.profiles.keys()]
    if as_json:
        for row in rows:
            output.data(json.dumps(row))
    else:
        columns = [
            [output.visible(row[name] or "-") for name in ("profile", "user", "user_pool")] for row in rows
        ]
        for line, row in zip(columns, rows, strict=True):
            line.append(
                output.visible(f"unusable: {row['error']}" if row["error"] else row["endpoint"] or "-")
            )
        widths = [max(map(len, column)) for column in zip(*columns, strict=True)]
        for line in columns:
            output.data(
                "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            )
    if not rows:
        output.info("No profiles yet. Make one with: aws-iot config -s aws-exports.json")


def _row(app: App, key: str) -> dict[str, str | None]:
    try:
        profile = app.profiles.load(key)
    except LocalError as error:
        return {"profile": key, "user": None, "user_pool": None, "endpoint": None, "error": str(error)}
    return {
        "profile": key,
        "user": profile.username,
        "user_pool": profile.user_pool_id,
        "endpoint": str(profile.endpoint),
        "error": None,
    }


@config.command()
@options.profile
@click.pass_obj
def show(app: App, key: str) -> None:
    """Show a profile as JSON.

    That is: what an aws-exports.json of it would hold, the user, and whether a password is preset and
    the app client's secret is known."""
    profile = app.profiles.load(key)
    preset = bool(profile.username) and app.secrets.owner("password", key) == profile.username
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
    """Remove a profile, with its password, client secret and session."""
    forget_all(app, key)  # first: a password must not be left to a later profile of that name
    app.profiles.remove(key)
    app.forget_durable_sessions(key)
    output.info(f"Profile '{key}' is removed.")


@config.command("import")
@click.argument("file", type=click.Path(path_type=Path), default=Path("~/.cognitorc"), metavar="[FILE]")
@options.option(
    "--replace", "overwrite", env="CONFIG_IMPORT_REPLACE", is_flag=True, help="Also what exists already."
)
@click.pass_obj
def import_(app: App, file: Path, overwrite: bool) -> None:
    """Take over the profiles of the npm tool.

    From ~/.cognitorc, unless you name another file. That file stays as it is, with the passwords in
    it: remove it once all works.

    \b
    Example:
      aws-iot config import
    """
    path, failed = file.expanduser(), 0
    for key, found, password in read_cognitorc(path):
        try:
            output.info(f"{key}: {_import(app, key, found, password, overwrite)}")
        except LocalError as error:
            failed += 1
            output.info(f"{key}: not imported: {error}")
    if failed:
        raise ProfileError(f"{failed} of the profiles in {path} could not be imported")


def _import(app: App, key: str, found: Profile | ProfileError, password: str | None, overwrite: bool) -> str:
    if isinstance(found, ProfileError):
        raise found
    if key in app.profiles.keys() and not overwrite:
        return "exists already; --replace replaces it"
    old = app.profiles.load(key) if key in app.profiles.keys() else None
    if old:
        _forget_what_is_of_others(app, key, old, found, False)
    app.profiles.change(key, lambda _: found)
    if password and found.username:
        app.secrets.set("password", key, found.username, password)
        return "imported, with the password"
    return "imported"
