"""Record: a message in the form in which a history takes it in, and its form in the queue.

The queue's form is made for speed: writing it is all that saving costs `sub` (see docs/decisions/0013-history.md).
"""

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json.encoder import encode_basestring as _quoted  # json.dumps takes several times as long
from json.encoder import encode_basestring_ascii as _quoted_ascii
from typing import NamedTuple

from aws_iot.messaging.message import Message

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class Record(NamedTuple):
    """A message to take in. Times are in milliseconds since 1970."""

    room: str
    sender: str
    name: str | None
    payload: bytes
    received: int
    id: str | None
    sent: int | None
    qos: int
    retained: bool
    kind: str | None
    re: str | None


def to_record(message: Message) -> Record:
    """The record of a message."""
    room, sender, _, payload, received, id_, sent, name, qos, retained, kind, re = message
    at, sent_at = milliseconds(received), milliseconds(sent) if sent else None
    return Record(room, sender, name, payload, at, id_ or None, sent_at, qos, retained, kind, re)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down as in the times that people see."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(at: int) -> datetime:
    """The time of so many milliseconds since 1970, in UTC."""
    return _EPOCH + timedelta(milliseconds=at)


def to_queue(messages: Sequence[Message]) -> str:
    """The messages as one row of the queue."""
    return "[" + ",".join([_to_item(*message) for message in messages]) + "]"


def _to_item(
    room: str,
    sender: str,
    _: str,
    payload: bytes,
    received: datetime,
    id_: str | None,
    sent: datetime | None,
    name: str | None,
    qos: int,
    retained: bool,
    kind: str | None,
    re: str | None,
) -> str:
    try:
        content = _quoted(payload.decode())
    except UnicodeDecodeError:
        content = f'["{base64.b64encode(payload).decode()}"]'
    known_id = _quoted_ascii(id_) if id_ else "null"
    more = "" if kind is None and re is None else f",{json.dumps(kind)},{json.dumps(re)}"
    return f"[{_origin(room, sender, name)},{content},{_at(received)},{known_id},{_at(sent)},{qos},{retained:d}{more}]"


@lru_cache(maxsize=100)  # most are from the same few people
def _origin(room: str, sender: str, name: str | None) -> str:
    return json.dumps([room, sender, name])[1:-1]


@lru_cache(maxsize=100)  # at a thousand messages a second, many share a millisecond
def _at(moment: datetime | None) -> str:
    return str(milliseconds(moment)) if moment else "null"


def from_queue(row: str) -> Iterator[Record]:
    """The messages of a row of the queue. What another program may have put there is skipped."""
    try:
        items = json.loads(row)
    except (ValueError, RecursionError):
        return
    for room, sender, name, content, received, id_, sent, qos, retained, *more in items:
        payload = content.encode() if isinstance(content, str) else base64.b64decode(content[0])
        kind, re = more or (None, None)
        yield Record(room, sender, name, payload, received, id_, sent, qos, bool(retained), kind, re)
