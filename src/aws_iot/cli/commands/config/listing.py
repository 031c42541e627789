"""`aws-iot config list`, `show` and `path`: what is saved, and where."""

import json

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.tables import table
from aws_iot.config.exports import to_exports
from aws_iot.errors import ProfileError


@click.command("list", cls=Command)
@options.json_output
@click.pass_obj
def list_(app: App, as_json: bool) -> None:
    """List the profiles: key, user, user pool, endpoint.

    `*` marks the profile that commands use without -k: AWS_IOT_PROFILE, or else what `aws-iot config use` has chosen,
    or else `default`.

    \b
    Examples:
      aws-iot config list
      aws-iot config list --json
    """
    profiles = app.config.profiles
    used = profiles.current_key()
    rows = [_row(app, key) for key in profiles.keys()]
    if as_json:
        for row in rows:
            output.data(json.dumps({**row, "default": row["profile"] == used}))
    else:
        lines = table(
            ("KEY", "USER", "USER POOL", "ENDPOINT"),
            [_cells(row, used) for row in rows],
            shorten=("ENDPOINT",),
        )
        for line in lines:
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


def _cells(row: dict[str, str | None], used: str) -> list[str | None]:
    key, endpoint = row["profile"] or "", row["endpoint"] or ""
    host = endpoint.removeprefix("wss://").removesuffix("/mqtt")
    marked = f"{key} *" if key == used else key
    return [marked, row["user"], row["user_pool"], f"damaged: config show {key}" if row["error"] else host]


@click.command(cls=Command)
@options.profile_argument(options.profile)
@click.pass_obj
def show(app: App, key: str) -> None:
    """Show a profile as JSON.

    It contains the profile's aws-exports.json and the user. It also tells whether a password is preset, whether the
    app client's secret is saved, and whether messages are saved, for how long, and up to which size.

    \b
    Examples:
      aws-iot config show
      aws-iot config show team
    """
    profile = app.config.profiles.load(key)
    preset = bool(profile.username) and app.config.secrets.owner("password", key) == profile.username
    output.data(
        json.dumps(
            {
                "profile": key,
                "user": profile.username,
                "password_preset": preset,
                "client_secret": profile.client_has_secret,
                "history": profile.history,
                "history_days": profile.history_days,
                "history_megabytes": profile.history_megabytes,
                "aws_exports": to_exports(profile),
            },
            indent=2,
        )
    )


@click.command(cls=Command)
@options.profile_argument(
    options.profile_key("CONFIG_PATH", help="The profile whose file to print, if not given as an argument.")
)
@click.pass_obj
def path(app: App, key: str | None) -> None:
    """Print the folder that holds your settings, or the file of a profile.

    \b
    Examples:
      aws-iot config path
      aws-iot config path team
    """
    output.data(str(app.config.profiles.path(key) if key else app.settings.folders.config))
