"""`aws-iot sub`: hear."""

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.entering import entered
from aws_iot.cli.messages import link_line, message_json, message_line
from aws_iot.cli.output import data, words
from aws_iot.message import Message
from aws_iot.room import check_room


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
    with entered(app, profile, user, password, password_stdin, tell=True) as place:
        place.enter(rooms)
        words(f"Listening in {', '.join(rooms) or 'all rooms'}; Ctrl-C ends it.")
        for heard in place.hear():
            if isinstance(heard, Message):
                data(message_json(heard) if as_json else message_line(heard))
            else:
                words(link_line(heard))
