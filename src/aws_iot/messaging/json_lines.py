"""Messages as lines of JSON: what `sub --json` prints and `pub --json-lines` reads."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted  # json.dumps takes several times as long

from aws_iot.errors import InvalidMessage
from aws_iot.messaging.message import Message, decode, encode, parse_time, timestamp


@dataclass(frozen=True, slots=True)
class ParsedLine:
    """A line of JSON, parsed: the payload, and the room if the line names one."""

    room: str | None
    payload: bytes

    @property
    def text(self) -> str:
        """The text of the payload; see `decode`."""
        return decode(self.payload)


def to_line(message: Message) -> str:
    """A message as one line of ASCII, which is harmless on a terminal, too.

    If the payload differs from `encode(text)`, one more key holds it: `payload` as text, or
    `payload_base64` if it is not UTF-8. So `from_line` always returns the same bytes. The last keys are `kind` and
    `re`, if the message has them.
    """
    text = _quoted(message.text)
    return (
        f'{{"received": {_time(message.received)}{_origin(message.room, message.sender, message.name)}'
        f', "text": {text}, "id": {_or_null(message.id)}, "sent": {_time(message.sent)}, "qos": {message.qos}'
        f', "retained": {"true" if message.retained else "false"}{_exact(message, text)}'
        f"{_reference(message.kind, message.re) if message.kind or message.re else ''}}}"
    )


_REQUIRED = ("room", "sender", "received")
_TEXT_TYPES = {str, type(None)}
_TEXTS = (*_REQUIRED, "id", "sent", "name", "kind", "re")


def to_message(line: str | bytes) -> Message:
    """The message that a line of `to_line` shows. Raises `InvalidMessage`."""
    parsed = _parse(line)
    room, sender, when, id_, sent, name, kind, re = values = [*map(parsed.get, _TEXTS)]
    if None in values[: len(_REQUIRED)] or not set(map(type, values)) <= _TEXT_TYPES:
        _check_texts(parsed)
    received = parse_time(when)
    if received is None:
        raise InvalidMessage("its 'received' is not a time with a time zone")
    payload = _valid_payload(parsed)
    is_usual = "payload" not in parsed and "payload_base64" not in parsed
    text = parsed["text"] if is_usual else decode(payload)
    qos = 0 if parsed.get("qos") == 0 else 1
    sent_at = parse_time(sent)
    is_retained = parsed.get("retained") is True
    return Message._make(
        (room, sender, text, payload, received, id_, sent_at, name, qos, is_retained, kind, re)
    )


def _check_texts(parsed: dict[str, object]) -> None:
    for key in _TEXTS:
        if _text_of(parsed, key) is None and key in _REQUIRED:
            raise InvalidMessage(f"it has no '{key}'")


@lru_cache(maxsize=100)  # at a thousand messages a second, many share a millisecond
def _time(moment: datetime | None) -> str:
    return f'"{timestamp(moment)}"' if moment else "null"


@lru_cache(maxsize=100)  # most are from the same few people
def _origin(room: str, sender: str, name: str | None) -> str:
    return f', "room": {_quoted(room)}, "sender": {_quoted(sender)}, "name": {_or_null(name)}'


def _reference(kind: str | None, re: str | None) -> str:
    return "".join(f', "{key}": {_quoted(value)}' for key, value in (("kind", kind), ("re", re)) if value)


def _or_null(text: str | None) -> str:
    return "null" if text is None else _quoted(text)


def _exact(message: Message, quoted: str) -> str:
    if (
        message.text.isascii()
        and message.text.isprintable()
        and f'{{"msg":{quoted}}}'.encode() == message.payload
    ):
        return ""  # as below, but faster, and true of most
    try:
        if encode(message.text) == message.payload:
            return ""
        return f', "payload": {_quoted(message.payload.decode())}'
    except UnicodeError:  # half a character in the text, or bytes that are not UTF-8
        return f', "payload_base64": "{base64.b64encode(message.payload).decode()}"'


def from_line(line: str | bytes) -> ParsedLine:
    """Parse a line. Only its keys `room`, `text`, `payload` and `payload_base64` count.

    Raises `InvalidMessage`.
    """
    parsed = _parse(line)
    room = _text_of(parsed, "room")
    return ParsedLine(room, _valid_payload(parsed))


def _parse(line: str | bytes) -> dict[str, object]:
    try:
        parsed = json.loads(line, parse_int=float)  # Python rejects an `int` of 4,301 digits
    except json.JSONDecodeError as error:
        raise InvalidMessage(f"this is not JSON: {error.msg} (column {error.colno})") from None
    except ValueError as error:
        raise InvalidMessage(f"this is not JSON: {error}") from None
    except RecursionError:
        raise InvalidMessage("this JSON is nested too deeply") from None
    if not isinstance(parsed, dict):
        raise InvalidMessage("this is JSON, but not an object")
    return parsed


def _valid_payload(parsed: dict[str, object]) -> bytes:
    try:
        return _payload_of(parsed)
    except UnicodeEncodeError:
        raise InvalidMessage("it is not valid UTF-8") from None


def _payload_of(parsed: dict[str, object]) -> bytes:
    if (coded := _text_of(parsed, "payload_base64")) is not None:
        try:
            return base64.b64decode(coded, validate=True)
        except ValueError:
            raise InvalidMessage("its 'payload_base64' is not base64") from None
    if (payload := _text_of(parsed, "payload")) is not None:
        return payload.encode()
    if (text := _text_of(parsed, "text")) is not None:
        return encode(text)
    raise InvalidMessage("it has neither 'text' nor 'payload'")


def _text_of(parsed: dict[str, object], key: str) -> str | None:
    value = parsed.get(key)
    if value is None or isinstance(value, str):
        return value
    raise InvalidMessage(f"its '{key}' is not a string")
