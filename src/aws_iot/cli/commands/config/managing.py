"""`aws-iot config use` and `remove`: choose the default profile, and delete profiles."""

import os

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.config.editor import editor_of
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import is_confirmed


@click.command(cls=Command)
@options.profile_argument(
    options.profile_key("CONFIG_USE", help="The profile to use, if not given as an argument.")
)
@click.pass_obj
def use(app: App, key: str | None) -> None:
    """Choose the profile that commands use without -k.

    \b
    Commands use the first of these:
      1. the profile that -k names
      2. the profile that AWS_IOT_PROFILE names
      3. the profile that you chose with this command
      4. the profile named default

    \b
    Example:
      aws-iot config use team
    """
    if not key:
        raise click.UsageError("Which profile? Give its KEY. To list them: aws-iot config list")
    app.config.profiles.choose_default(key)
    output.info(f"Commands now use the profile '{key}', if -k does not name another.")
    other = os.environ.get("AWS_IOT_PROFILE")
    if other and other != key:
        output.info(f"But AWS_IOT_PROFILE is set to '{other}' here, and takes precedence. Unset it.")


@click.command(cls=Command)
@options.profile_argument(
    options.profile_key("CONFIG_REMOVE", help="The profile to remove, if not given as an argument.")
)
@options.option("--yes", env="CONFIG_REMOVE_YES", is_flag=True, help="Do not ask.")
@click.pass_obj
def remove(app: App, key: str | None, yes: bool) -> None:
    """Remove a profile with its password, client secret and session.

    On a terminal, it asks first.

    \b
    Examples:
      aws-iot config remove team
      aws-iot config remove team --yes
    """
    if not key:
        raise click.UsageError("Which profile? Give its KEY. To list them: aws-iot config list")
    profiles = app.config.profiles
    is_asked = not yes and app.settings.has_terminal() and key in profiles.keys()
    if is_asked and not is_confirmed(f"Remove the profile '{key}', with its saved password and session?"):
        output.info("Nothing was removed.")
        click.get_current_context().exit(1)  # so that a script stops here
    was_default = profiles.default_key() == key
    editor_of(app).remove(key)
    app.messaging.forget_durable_sessions(key)
    app.config.known_names(key).forget()
    output.info(f"Removed the profile '{key}'.")
    if was_default and profiles.default_key() != key:
        output.info(f"Commands use the profile '{profiles.default_key()}' again, if -k names no other.")
