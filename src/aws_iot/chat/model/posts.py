"""Post: a message as the chat shows it, whether it was received, read from the history, or is still to be sent."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from aws_iot.history.conversation import Reaction
from aws_iot.history.file import ids
from aws_iot.history.file.record import milliseconds
from aws_iot.messaging.message import Message

Key = tuple[str, str, int]
"""What tells posts of a room apart: sender and ID; for messages without one, the text, and when it arrived in ms."""


class Delivery(Enum):
    """How far a message of your own is. What others sent has always arrived."""

    ARRIVED = "arrived"
    PENDING = "pending"
    ACKNOWLEDGED = "acknowledged"
    FAILED = "failed"


class Answered(NamedTuple):
    """The message that a reply answers. `text` is None if it was deleted, or is not in the history."""

    id: str
    sender: str
    name: str | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Post:
    """A message. `id` is None for messages of programs that give them none; `ref` is what others call it.

    `at` is its place in the history, if it was read from there.
    """

    room: str
    sender: str
    name: str | None
    text: str
    received: datetime
    id: str | None = None
    ref: str = ""
    at: int | None = None
    delivery: Delivery = Delivery.ARRIVED
    why: str = ""
    is_edited: bool = False
    is_deleted: bool = False
    reactions: tuple[Reaction, ...] = ()
    answered: Answered | None = None
    replaces: Answered | None = None
    """The message whose new text this is. Only an edit that was not sent is a post of its own."""
    is_retained: bool = False
    """Whether it was sent before the chat subscribed, so that it is no news."""

    @property
    def key(self) -> Key:
        """What tells it from the other posts of the room."""
        return (self.sender, self.id, 0) if self.id else (self.sender, self.text, milliseconds(self.received))


def answered_by(post: Post) -> Answered:
    """What an answer to this post shows of it."""
    return Answered(post.ref, post.sender, post.name, None if post.is_deleted else post.text)


def post_of(message: Message, ref: str | None = None) -> Post:
    """The post of a message. What it answers is looked up later. `ref` is its ID in the history, if that is known.

    It was received at the same time as in the history, which counts milliseconds.
    """
    answered = Answered(message.re, "", None, None) if message.re else None
    return Post(
        message.room,
        message.sender,
        message.name,
        message.text,
        message.received.replace(microsecond=message.received.microsecond // 1_000 * 1_000),
        message.id,
        ref or message.id or ids.unpack(ids.derive(message.room, message.sender, message.payload)),
        answered=answered,
        is_retained=message.retained,
    )
