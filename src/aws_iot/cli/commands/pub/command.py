"""`aws-iot pub`: send messages to a room."""

from __future__ import annotations  # so that what only types need is not imported

import shlex
from typing import TYPE_CHECKING

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.pub.options import (
    ConversationOptions,
    DeliveryOptions,
    check_options,
    delivery_options,
    input_options,
)
from aws_iot.cli.groups import Command
from aws_iot.cli.rooms import check_one_room, quoted_options

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_iot.config.profile import Profile
    from aws_iot.publishing.request import InputOptions

LONGEST_SHOWN = 40
"""The characters that a message may have to be repeated in a corrected command."""


@click.command(cls=Command)
@options.signing_in
@options.verbose
@input_options
@delivery_options
@click.pass_obj
def pub(
    app: App,
    key: str,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    messages: InputOptions,
    conversation: ConversationOptions,
    delivery: DeliveryOptions,
) -> None:
    """Send one message, or a stream of them, to a room.

    The command succeeds when the broker has acknowledged every message. If the connection is lost, `pub` waits without
    a limit until it is back. With --spool, it saves the rest of its input and waits for --timeout.

    ID is the ID of a message in your history, or its beginning; `last` is your latest message. It names the room, too.
    More: `aws-iot help` has the topics rooms, streams and conversation.

    \b
    Examples:
      aws-iot pub -r lobby -m hello
      date | aws-iot pub -r lobby -m - -k team
      tail -f app.log | aws-iot pub -r logs --lines
      aws-iot sub -r lobby --json | aws-iot pub -r ops --json-lines
      aws-iot pub -r bulk --lines --file big.txt --resume progress
      aws-iot pub --edit last -m 'hello, all'
    """
    check_options(messages, delivery, conversation, password_stdin=password_stdin)
    profile = app.config.profiles.load(key)
    if messages.room is not None and messages.has_messages:
        _check_room(profile, messages, messages.room)
    # Here: `--help` and the Tab key need not wait for what signs in and connects.
    from aws_iot.cli.commands.pub.connector import SigningIn
    from aws_iot.cli.commands.pub.running import run

    run(app, profile, SigningIn(user, password, password_stdin), messages, conversation, delivery)


def _check_room(profile: Profile, messages: InputOptions, room: str) -> None:
    """As `check_one_room`: before anything is sent, and before signing in."""
    typed_key = profile.key if options.is_typed("key") else None
    is_shown = messages.message and messages.message != "-" and len(messages.message) <= LONGEST_SHOWN
    text = f" -m {shlex.quote(messages.message or '')}" if is_shown else " …"

    def corrected(rooms: Sequence[str]) -> str:
        return " && ".join(f"aws-iot pub {quoted_options([one], typed_key)}{text}" for one in rooms)

    check_one_room(profile.identity_pool_id, room, corrected)
