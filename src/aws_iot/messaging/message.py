"""Message: what one person sent, and its form on the wire.

The payload is that of the npm tool, byte for byte: `{"msg": …}` as compact UTF-8 JSON. Everything else
travels as MQTT 5 user properties, which the npm tool ignores.
"""

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

Properties = tuple[tuple[str, str], ...]
"""MQTT 5 user properties, in the order in which they travel."""

_as_json = json.JSONEncoder(ensure_ascii=False).encode
"""Encodes a string as JSON. Created once, because `json.dumps` creates an encoder each time."""

_parse_value = json.JSONDecoder(parse_int=float).raw_decode
"""The JSON value that begins at an index of a text, and the index after it. Python rejects an `int` of 4,301 digits."""

# Compiled when they are first used: a program that sends needs none of them.
_TO_KEY = r"[{,\s]*"
_TO_VALUE = r"[:\s]*"


class Message(NamedTuple):
    """What one person sent to a room.

    The IoT policy enforces the `sender`: it is the last level of the topic, and an identity can publish only
    under its own ID. Senders choose their `name` freely. Messages of other programs may
    have no `id` and `sent`. A `retained` message was sent before the client subscribed.
    `re` is the ID of the message that this one refers to. With it, `kind` is `edit`, `delete` or `react`, or None for
    a reply. Messages of the kind `presence` are delivered only on request. Other kinds are shown as messages.
    """

    room: str
    sender: str
    text: str
    payload: bytes
    received: datetime
    id: str | None = None
    sent: datetime | None = None
    name: str | None = None
    qos: int = 1
    retained: bool = False
    kind: str | None = None
    re: str | None = None


class Outgoing(NamedTuple):
    """A message to send. It keeps its `id` when it is sent again. For `kind` and `re`, see `Message`."""

    room: str
    payload: bytes
    id: str
    qos: int = 1
    retain: bool = False
    kind: str | None = None
    re: str | None = None


_OPENING = b'{"msg":"'
_CLOSING = b'"}'
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_SHORTEST = len(_OPENING + _CLOSING)


def encode(text: str) -> bytes:
    """The payload that carries `text`. Raises `UnicodeEncodeError` for lone surrogates."""
    return f'{{"msg":{_as_json(text)}}}'.encode()


def decode(payload: bytes) -> str:
    """The text of a payload, which can be anything.

    `{"msg": "text"}` gives the text. Another JSON value of `msg` is given as it is written in the payload, so that
    numbers keep their digits. Every other payload is its own text, with bytes that are not UTF-8 replaced.
    """
    if payload.startswith(_OPENING) and payload.endswith(_CLOSING) and len(payload) >= _SHORTEST:
        text = payload[len(_OPENING) : -len(_CLOSING)].decode(errors="replace")
        if text.isprintable() and '"' not in text and "\\" not in text and _REPLACED not in text:
            return text  # true of most, and a JSON decoder takes several times as long
    if b"{" not in payload.lstrip()[:4]:  # not an object in any encoding
        return payload.decode(errors="replace")
    try:
        value = json.loads(payload, parse_int=float)["msg"]
        return value if isinstance(value, str) else _source_of_msg(payload)
    except (ValueError, LookupError, TypeError, RecursionError):
        return payload.decode(errors="replace")


def _source_of_msg(payload: bytes) -> str:
    """How the value of the last key `msg` is written. The payload must be a JSON object that has the key."""
    text = payload.decode(json.detect_encoding(payload), "surrogatepass")
    source, at = "", _skip(_TO_KEY, text, 0)
    while text[at] != "}":
        key, at = _parse_value(text, at)
        start = _skip(_TO_VALUE, text, at)
        _, at = _parse_value(text, start)
        if key == "msg":
            source = text[start:at]
        at = _skip(_TO_KEY, text, at)
    return source


def _skip(separators: str, text: str, at: int) -> int:
    found = re.compile(separators).match(text, at)
    return found.end() if found else at


def to_properties(
    message_id: str, sent: datetime, name: str, kind: str | None = None, re: str | None = None
) -> Properties:
    """The user properties of a message to send. `kind` and `re` travel only if they are given."""
    known = (("id", message_id), ("sent", timestamp(sent)), ("name", name))
    if kind is None and re is None:
        return known
    return known + tuple((key, value) for key, value in (("kind", kind), ("re", re)) if value is not None)


def from_wire(
    room: str,
    sender: str,
    payload: bytes,
    properties: Sequence[tuple[str, str]],
    received: datetime,
    qos: int = 1,
    retained: bool = False,
) -> Message:
    """The message that arrived. The first of several properties of a name counts; unreadable times are ignored."""
    id_ = sent = name = kind = re_ = None
    if properties:
        known = dict(reversed(properties))
        id_, sent, name = known.get("id"), parse_time(known.get("sent")), known.get("name")
        kind, re_ = known.get("kind"), known.get("re")
    # `_make` takes half as long as the constructor.
    return Message._make(
        (room, sender, decode(payload), payload, received, id_, sent, name, qos, retained, kind, re_)
    )


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, such as `2026-01-31T23:59:59.999Z`."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"


@lru_cache(maxsize=100)
def parse_time(text: str | None) -> datetime | None:
    """The time of an ISO 8601 text, in UTC; None if it is none, or names no time zone."""
    try:
        parsed = datetime.fromisoformat(text) if text else None
        if parsed is None or parsed.tzinfo is UTC:
            return parsed
        return parsed.astimezone(UTC) if parsed.tzinfo else None
    except (ValueError, OverflowError):  # the latter if it is outside the years 1 to 9999 in UTC
        return None
