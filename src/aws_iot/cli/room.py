"""`aws-iot sub` and `aws-iot pub`: hear and say."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.messages import link_line, message_json, message_line, notice
from aws_iot.cli.output import data, words
from aws_iot.cli.sign_in import signed_in
from aws_iot.errors import InvalidMessage
from aws_iot.message import Message
from aws_iot.profile import Profile
from aws_iot.room import Rooms, check_room, checked_payload


@click.command()
@options.signing_in
@options.option(
    "-r",
    "--room",
    "rooms",
    env="ROOM",
    multiple=True,
    metavar="ROOM",
    help="A room to hear; can be repeated.  [default: all]",
)
@options.json_output
@click.pass_obj
def sub(
    app: App,
    key: str,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    rooms: tuple[str, ...],
    as_json: bool,
) -> None:
    """Hear what is said: each message as it comes, until Ctrl-C.

    A line shows when it came, the room, and who said it: a name, which is what the sender claims to
    be called, and behind ~ the beginning of the sender's identity, which is proven.

    The first time, nobody has accepted you: an admin needs the identity that is shown.

    \b
    Examples:
      aws-iot sub
      aws-iot sub -r lobby -r ops -u alice -k team
      aws-iot sub -r lobby --json | jq .text
    """
    profile = app.profiles.load(key)
    for room in rooms:
        check_room(profile.identity_pool_id, room)
    with _signed_in(app, profile, user, password, password_stdin, tell=True) as place:
        place.enter(rooms)
        words(f"Listening in {', '.join(rooms) or 'all rooms'}; Ctrl-C ends it.")
        for heard in place.hear():
            if isinstance(heard, Message):
                data(message_json(heard) if as_json else message_line(heard))
            else:
                words(link_line(heard))


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
    with _signed_in(app, profile, user, password, password_stdin) as place:
        place.say(room, text)
    words(f"Said in {room}.")


@contextmanager
def _signed_in(
    app: App,
    profile: Profile,
    user: str | None,
    password: str | None,
    from_stdin: bool,
    *,
    tell: bool = False,
) -> Iterator[Rooms]:
    sign_in, kept = signed_in(app, profile, user, password, from_stdin)
    username, identity = kept.session.username, kept.credentials.identity
    if tell:
        for line in notice(username, identity, profile.identity_pool_id).splitlines():
            words(line)
    connection = app.connect(profile, identity, sign_in.credentials(kept).current)
    try:
        yield app.rooms(profile, connection, identity, username)
    finally:
        connection.close()


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
