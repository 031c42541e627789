"""Composer: makes messages to send as one identity, and knows what was sent once it is acknowledged."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from aws_iot.errors import InvalidMessage
from aws_iot.messaging.connection import Publication
from aws_iot.messaging.message import Message, Outgoing, decode, encode, to_properties
from aws_iot.messaging.topics import topic

# AWS IoT Core message broker limits: docs.aws.amazon.com/general/latest/gr/iot-core.html
MAX_PAYLOAD_BYTES = 128 * 1024


class SentSaver(Protocol):
    """Saves messages that the broker has acknowledged."""

    def add(self, message: Message) -> None:
        """Save it with the next `flush`. Any thread may call it."""
        ...

    def flush(self) -> None:
        """Save what was added. Never raises. Only the client's own thread calls it."""
        ...


class Composer:
    """Makes the messages of one identity for the rooms of one identity pool."""

    def __init__(
        self, pool: str, identity: str, username: str, now: Callable[[], datetime], new_id: Callable[[], str]
    ) -> None:
        """`username` travels as the sender's name; `new_id` never returns the same ID twice."""
        self._pool = pool
        self._identity = identity
        self._username = username
        self._now = now
        self._new_id = new_id

    def outgoing(
        self,
        room: str,
        message: str | bytes,
        qos: int = 1,
        retain: bool = False,
        kind: str | None = None,
        re: str | None = None,
    ) -> Outgoing:
        """See `Client.outgoing`."""
        if not isinstance(message, str | bytes):
            raise TypeError(f"a message is str or bytes, not {type(message).__name__}")
        if qos not in (0, 1):
            raise ValueError(f"qos is 0 or 1, not {qos!r}")
        topic(self._pool, room, self._identity)
        payload = checked_payload(message) if isinstance(message, str) else checked_size(message)
        return Outgoing(room, payload, self._new_id(), qos, retain, kind, re)

    def publication(self, message: Outgoing) -> tuple[Publication, datetime]:
        """What to publish, and when it is sent. Raises `InvalidRoom` or `InvalidMessage`."""
        sent = self._now()
        where = topic(self._pool, message.room, self._identity)
        properties = to_properties(message.id, sent, self._username, message.kind, message.re)
        payload = checked_size(message.payload)
        return Publication(where, payload, properties, message.qos, message.retain), sent

    def acknowledged(self, message: Outgoing, sent: datetime) -> Message:
        """The message that members receive. It counts as received now."""
        room, payload, id_, qos, _, kind, re = message
        text, name = decode(payload), self._username
        return Message._make(
            (room, self._identity, text, payload, self._now(), id_, sent, name, qos, False, kind, re)
        )


def as_it_travels(moment: datetime) -> datetime:
    """The time as receivers get it: in whole milliseconds."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def checked_payload(text: str) -> bytes:
    """The payload that carries `text`. Raises `InvalidMessage`."""
    try:
        payload = encode(text)
    except UnicodeEncodeError:
        raise InvalidMessage("the message is not valid UTF-8") from None
    return checked_size(payload)


def checked_size(payload: bytes) -> bytes:
    """The payload, if it is small enough. Raises `InvalidMessage`."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise InvalidMessage(
            f"the message is {len(payload):,} bytes on the wire: the limit is {MAX_PAYLOAD_BYTES:,} bytes"
        )
    return payload
