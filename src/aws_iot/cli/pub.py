"""`aws-iot pub`: say."""

import sys

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.entering import entered
from aws_iot.cli.output import words
from aws_iot.errors import InvalidMessage
from aws_iot.room import check_room, checked_payload


@click.command()
@options.signing_in
@options.option("-r", "--room", env="ROOM", required=True, metavar="ROOM", help="The room to say it in.")
@options.option(
    "-m",
    "--message",
    "--msg",
    "message",
    env="MESSAGE",
    required=True,
    metavar="TEXT",
    help="What to say; - reads standard input.",
)
@click.pass_obj
def pub(
    app: App, key: str, user: str | None, password: str | None, password_stdin: bool, room: str, message: str
) -> None:
    """Say something in a room.

    Success means that the broker has acknowledged it.

    \b
    Examples:
      aws-iot pub -r lobby -m hello
      date | aws-iot pub -r lobby -m - -k team
    """
    profile = app.profiles.load(key)
    text = _read_stdin(password_stdin) if message == "-" else message
    check_room(profile.identity_pool_id, room)  # what can be refused is refused before anything is sent
    checked_payload(text)
    with entered(app, profile, user, password, password_stdin) as place:
        place.say(room, text)
    words(f"Said in {room}.")


def _read_stdin(password_too: bool) -> str:
    if password_too:
        raise click.UsageError(
            "Standard input cannot hold both the message (-m -) and the password (--password-stdin)."
        )
    if sys.stdin.isatty():
        words("Type the message; Ctrl-D at the start of a line ends it.")
    try:
        return sys.stdin.buffer.read().decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise InvalidMessage("the message on standard input is not valid UTF-8") from error
