"""Record: a message in the form in which a history takes it in, and its form in the queue.

The queue's form is made for speed: writing it is all that saving costs `sub` (see docs/decisions/0015-history.md).
"""

import base64
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from aws_iot.messaging.message import Message

_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
"""Created once, because `json.dumps` creates an encoder each time."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


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
    text: str | None = None
    """The text of the payload, if it is known already: decoding takes time."""


def to_record(message: Message) -> Record:
    """The record of a message."""
    room, sender, text, payload, received, id_, sent, name, qos, retained, kind, re = message
    at, sent_at = milliseconds(received), milliseconds(sent) if sent else None
    return Record(room, sender, name, payload, at, id_ or None, sent_at, qos, retained, kind, re, text)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down as in the times that people see."""
    return _milliseconds(moment.timestamp())


def moment(at: int) -> datetime:
    """The time of so many milliseconds since 1970, in UTC."""
    return _EPOCH + timedelta(milliseconds=at)


def to_queue(messages: Sequence[Message]) -> str:
    """The messages as one row of the queue: a column for each field, or its value if it is the same for all."""
    rooms, senders, _, payloads, received, ids, sent, names, qos, retained, kinds, references = zip(
        *messages, strict=True
    )
    columns = (
        _shared(rooms),
        _shared(senders),
        _shared(names),
        _contents(payloads),
        _times(received),
        ids,
        _times(sent),
        _shared(qos),
        _shared(retained),
        _shared(kinds),
        _shared(references),
    )
    row = _as_json(columns)
    try:
        row.encode()
    except UnicodeEncodeError:  # half a character, which SQLite cannot hold
        return json.dumps(columns)
    return row


def _shared(column: Sequence[object]) -> object:
    first = column[0]
    return first if column.count(first) == len(column) else column


def _contents(payloads: Sequence[bytes]) -> Sequence[object]:
    try:
        return [payload.decode() for payload in payloads]
    except UnicodeDecodeError:
        return [_content(payload) for payload in payloads]


def _content(payload: bytes) -> object:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        return [base64.b64encode(payload).decode()]


def _times(column: Sequence[datetime | None]) -> object:
    """In seconds since 1970, to the microsecond."""
    first = column[0]
    if column.count(first) == len(column):
        return first and first.timestamp()
    return [moment and moment.timestamp() for moment in column]


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1_000_000) // 1_000


def from_queue(row: str) -> Iterator[Record]:
    """The messages of a row of the queue. A row that another program has written wrongly is skipped."""
    try:
        columns = json.loads(row)
        count = len(columns[3])
        for item in zip(*(one if isinstance(one, list) else [one] * count for one in columns), strict=True):
            room, sender, name, content, received, id_, sent, qos, retained, kind, re = item
            payload = content.encode() if isinstance(content, str) else base64.b64decode(content[0])
            at, sent_at = _milliseconds(received), None if sent is None else _milliseconds(sent)
            yield Record(room, sender, name, payload, at, id_ or None, sent_at, qos, retained, kind, re)
    except (ValueError, TypeError, LookupError, RecursionError):
        return
