"""References: the message that a reply, a reaction, an edit or a deletion is about."""

from typing import NamedTuple

from aws_iot.errors import InvalidMessage, NotAuthorized
from aws_iot.history.file import ids
from aws_iot.history.store import Entry, History
from aws_iot.messaging.kinds import DELETE, EDIT
from aws_iot.messaging.message import Message

LAST = "last"
"""What people type instead of the ID of their own latest message."""

_CHANGES = {EDIT: "edit", DELETE: "delete"}


class NotYours(NotAuthorized):
    """Only the sender of a message can edit or delete it."""


class Unchangeable(InvalidMessage):
    """The message can be answered, but not edited or deleted."""


class Reference(NamedTuple):
    """A message to which another one can refer."""

    room: str
    id: str


def reference_to(message: Message) -> Reference:
    """The reference to a message that you have received or sent. One without ID gets one that is derived from it."""
    derived = ids.unpack(ids.derive(message.room, message.sender, message.payload))
    return Reference(message.room, message.id or derived)


def find(history: History, named: str, identity: str, kind: str | None, room: str | None = None) -> Reference:
    """The message that a person names: by an ID, its beginning, or `LAST`; in this room or in any.

    `kind` is that of the message which will refer to it. Raises `UnknownMessage`, `Ambiguous`, and as `check`.
    """
    is_last, with_events = named == LAST, kind == DELETE
    entry = (
        history.own_last(identity, room) if is_last else history.find(named, room, with_events=with_events)
    )
    check_entry(entry, identity, kind)
    return Reference(entry.message.room, entry.id)


def check(message: Message, identity: str, kind: str | None) -> None:
    """Raise `NotYours` or `Unchangeable` if a message of this kind may not refer to the message.

    Receivers check this, too.
    """
    change = _CHANGES.get(kind or "")
    if not change:
        return
    if message.sender != identity:
        name = f" {message.name}" if message.name and message.name.isprintable() else ""
        raise NotYours(f"the message is from{name} {message.sender}: only its sender can {change} it")
    if not message.id:
        raise Unchangeable(f"the message has no ID, so nobody can {change} it")


def check_entry(entry: Entry, identity: str, kind: str | None) -> None:
    """As `check`, for a message of the history."""
    check(entry.message, identity, kind)
    if kind == EDIT and entry.is_deleted:
        raise Unchangeable("the message was deleted, so nobody can edit it")
