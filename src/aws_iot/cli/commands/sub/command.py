"""`aws-iot sub`: print messages, or run a command for each."""

from typing import Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.sub.options import SubOptions, sub_options
from aws_iot.cli.groups import Command


@click.command(cls=Command)
@options.signing_in
@options.verbose
@sub_options
@click.pass_obj
def sub(
    app: App, /, key: str, user: str | None, password: str | None, password_stdin: bool, **given: Any
) -> None:
    """Print messages as they arrive. Ctrl-C stops.

    A line shows when the message arrived, its room, and its sender: the name that the sender chose, then ~ and the
    start of the sender's identity, which the IoT policy enforces.

    The first time, an admin has to accept you. `sub` prints the identity that the admin needs.

    More: `aws-iot help` has the topics rooms, select, format, exec and durable.

    \b
    Examples:
      aws-iot sub -r lobby -r 'ops/#' -u alice -k team
      aws-iot sub -r lobby --json | jq .text
      aws-iot sub -r lobby -C 1 -W 30 --raw
      aws-iot sub --format '{time:%H:%M} {short} {text}'
      aws-iot sub -r jobs --durable worker --exec ./work.sh
    """
    from aws_iot.cli.commands.sub.running import receive_messages  # here: the Tab key would wait for it

    receive_messages(app, key, user, password, password_stdin, SubOptions(**given))
