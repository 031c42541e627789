"""Finds the message that a reply, reaction, edit or deletion is about."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

import click

from aws_iot.cli.commands.pub.options import ConversationOptions
from aws_iot.cli.rooms import typed_options

if TYPE_CHECKING:
    from pathlib import Path

    from aws_iot.history.references import Reference

# The history and its database are imported when a message is looked up: most runs need none.


def unverified(chosen: ConversationOptions, room: str | None) -> Reference:
    """The message as the person names it. Without a history, nothing else is known about it."""
    from aws_iot.history.references import LAST, Reference

    if chosen.named == LAST or room is None:
        raise click.UsageError(
            "Without a history, name the message by its whole ID, and its room by -r ROOM."
        )
    return Reference(room, chosen.named)


def look_up(path: Path, identity: str, chosen: ConversationOptions, room: str | None) -> Reference:
    """The message in the history. Raises `AwsIotError` if there is none, or if it cannot be changed by this person."""
    from aws_iot.history.references import find
    from aws_iot.history.store import Ambiguous, History, UnknownMessage

    try:
        with History(path) as history:
            return find(history, chosen.named, identity, chosen.kind, room)
    except UnknownMessage as error:
        if chosen.react and not chosen.named.isascii():
            error.hint = "The emoji comes before the ID: --react 👍 ID"
        else:
            error.hint = f"To see the IDs of messages: {_history(room)}"
        raise
    except Ambiguous as error:
        error.hint = f"To see the IDs of messages: {_history(room)}"
        raise


def _history(room: str | None) -> str:
    from shlex import quote

    named = f" {quote(room)}" if room else ""
    return f"aws-iot history{named} --ids{typed_options('key', 'user')}"
