"""Message: what one person said, and its form on the wire.

The payload is what the npm tool sends, byte for byte: `{"msg": …}` as compact UTF-8 JSON. Whatever
else a message carries travels as MQTT 5 user properties, which that tool does not see.
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
"""A string as JSON. Made once: `json.dumps` makes an encoder each time."""


class Message(NamedTuple):
    """What one person said in a room.

    `sender` is proven: it is the last level of the topic, where the IoT policy lets an identity
    publish only under its own id. `name` is what the sender claims to be called, and proves nothing.
    `id` and `sent` are missing from messages of other programs. `retained` ones were said before we came.
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


class Outgoing(NamedTuple):
    """What is to be said in a room. Its `id` is the same whenever it is sent again."""

    room: str
    payload: bytes
    id: str
    qos: int = 1
    retain: bool = False


_OPENING = b'{"msg":"'
_CLOSING = b'"}'
_REPLACED = "\N{REPLACEMENT CHARACTER}"
_SHORTEST = len(_OPENING + _CLOSING)
_IDENTITY = re.compile(r"[\w-]+:([0-9a-f]{8})-[0-9a-f-]+")


def short(identity: str) -> str | None:
    """The beginning by which people tell identities apart, such as `4f9fa251`; None if it is no identity."""
    found = _IDENTITY.fullmatch(identity)
    return found.group(1) if found else None


def encode(text: str) -> bytes:
    """The payload that says `text`. Raises `UnicodeEncodeError` for lone surrogates."""
    return f'{{"msg":{_as_json(text)}}}'.encode()


def decode(payload: bytes) -> str:
    """The text of any payload at all, as far as there is one.

    `{"msg": "text"}` gives the text; another JSON value of `msg` is given as JSON; anything else
    is given as it is, with what is not UTF-8 replaced.
    """
    if payload.startswith(_OPENING) and payload.endswith(_CLOSING) and len(payload) >= _SHORTEST:
        text = payload[len(_OPENING) : -len(_CLOSING)].decode(errors="replace")
        if text.isprintable() and '"' not in text and "\\" not in text and _REPLACED not in text:
            return text  # so are most, and a JSON decoder takes several times as long
    if b"{" not in payload.lstrip()[:4]:  # no object, whatever its encoding: no need to try
        return payload.decode(errors="replace")
    try:
        said = json.loads(payload)["msg"]
        return said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    except (ValueError, LookupError, TypeError, RecursionError):
        return payload.decode(errors="replace")


def to_properties(message_id: str, sent: datetime, name: str) -> Properties:
    """The user properties of a message that we send."""
    return (("id", message_id), ("sent", timestamp(sent)), ("name", name))


def from_wire(
    room: str,
    sender: str,
    payload: bytes,
    properties: Sequence[tuple[str, str]],
    received: datetime,
    qos: int = 1,
    retained: bool = False,
) -> Message:
    """The message that arrived; a property given twice counts once, an unreadable one not at all."""
    id_ = sent = name = None
    if properties:
        known = dict(reversed(properties))
        id_, sent, name = known.get("id"), _parse_time(known.get("sent")), known.get("name")
    # `_make` takes half as long as the constructor.
    return Message._make((room, sender, decode(payload), payload, received, id_, sent, name, qos, retained))


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with milliseconds, such as `2026-01-31T23:59:59.999Z`."""
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return utc.isoformat(timespec="milliseconds")[:-6] + "Z"


@lru_cache(maxsize=100)
def _parse_time(text: str | None) -> datetime | None:
    try:
        parsed = datetime.fromisoformat(text) if text else None
        return parsed.astimezone(UTC) if parsed and parsed.tzinfo else None
    except (ValueError, OverflowError):  # the latter where UTC would be before the year 1 or after 9999
        return None
