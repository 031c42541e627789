"""Record: a message in the form in which a history takes it in, and its form in a journal.

The journal's form is made for speed: writing it is all that saving costs `sub` (see docs/decisions/0015-history.md).
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from aws_iot.messaging.message import Message

_as_json = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
"""Created once, because `json.dumps` creates an encoder each time."""

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
    text: str | None = None
    """The text of the payload, if it is known already: decoding takes time."""


def new_writer() -> int:
    """A number for a program that saves, by which what it has seen is told from what others have seen."""
    return int.from_bytes(os.urandom(7))


def to_record(message: Message) -> Record:
    """The record of a message."""
    room, sender, text, payload, received, id_, sent, name, qos, retained, kind, re = message
    at, sent_at = milliseconds(received), milliseconds(sent) if sent else None
    return Record(room, sender, name, payload, at, id_ or None, sent_at, qos, retained, kind, re, text)


def milliseconds(moment: datetime) -> int:
    """Milliseconds since 1970, rounded down as in the times that people see."""
    return (moment - _EPOCH) // _MILLISECOND


def moment(at: int) -> datetime:
    """The time of so many milliseconds since 1970, in UTC."""
    return _EPOCH + timedelta(milliseconds=at)


def to_entry(messages: Sequence[Message], writer: int) -> bytes:
    """The messages as one line of a journal, without line end: fields as JSON, and then the payloads.

    A field is a list, or one value if it is the same for all messages.
    """
    rooms, senders, _, payloads, received, ids, sent, names, qos, retained, kinds, references = zip(
        *messages, strict=True
    )
    fields = [
        writer,
        len(payloads),
        *map(_shared, (rooms, senders, names)),
        _shared([*map(_at, received)]),
        _shared(ids),
        _shared([*map(_at, sent)]),
        *map(_shared, (qos, retained, kinds, references)),
    ]
    entry = _SEPARATOR.join([_encoded(fields), *payloads, b""])
    if entry.count(_SEPARATOR) != len(payloads) + 1 or b"\n" in entry:
        import base64  # here: most payloads need none

        fields.append("base64")
        entry = _SEPARATOR.join([_encoded(fields), *map(base64.b64encode, payloads), b""])
    return entry


def from_entry(line: bytes) -> tuple[int, list[Record]] | None:
    """The number of the writer and the messages; None if the line is incomplete, or if no program wrote it so."""
    try:
        head, *payloads, end = line.split(_SEPARATOR)
        writer, count, *fields = json.loads(head)
        if end.strip() or count != len(payloads) or type(writer) is not int:
            return None
        if fields[len(_FIELDS) :] == ["base64"]:
            import base64

            payloads = [*map(base64.b64decode, payloads)]
        columns = dict(
            zip(_FIELDS, (one if isinstance(one, list) else [one] * count for one in fields), strict=False)
        )
        if not all({*map(type, columns[name])} <= kinds for name, kinds in _FIELDS.items()):
            return None
        if not all(at is None or _EARLIEST <= at <= _LATEST for at in columns["received"] + columns["sent"]):
            return None
        columns["payload"] = payloads
        columns["id"] = [id_ or None for id_ in columns["id"]]
        records = [*map(Record, *(columns[name] for name in Record._fields[:-1]))]
        return (writer, records) if len(records) == count else None
    except (ValueError, TypeError, LookupError, RecursionError):
        return None


_SEPARATOR = b"\x1f"
"""Between the parts of an entry. JSON escapes it."""

_FIELDS: dict[str, set[type]] = {
    "room": {str},
    "sender": {str},
    "name": {str, type(None)},
    "received": {int},
    "id": {str, type(None)},
    "sent": {int, type(None)},
    "qos": {int},
    "retained": {bool},
    "kind": {str, type(None)},
    "re": {str, type(None)},
}
"""The fields of an entry, in order, with the types of their values."""

_EARLIEST = milliseconds(datetime.min.replace(tzinfo=UTC))
_LATEST = milliseconds(datetime.max.replace(tzinfo=UTC))
"""The times that can be shown."""


def _encoded(fields: Sequence[object]) -> bytes:
    try:
        return _as_json(fields).encode()
    except UnicodeEncodeError:  # half a character
        return json.dumps(fields).encode()


def _shared(column: Sequence[object]) -> object:
    first = column[0]
    return first if column.count(first) == len(column) else column


@lru_cache(maxsize=100)  # at a thousand messages a second, many share a millisecond
def _at(moment: datetime | None) -> int | None:
    return milliseconds(moment) if moment else None
