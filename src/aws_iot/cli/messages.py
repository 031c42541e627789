"""Messages and what happens around them, as people and programs read them."""

import json
import re

from aws_iot.cli.output import visible
from aws_iot.connection import Lost, Restored
from aws_iot.message import Message, timestamp

_PLAIN_LABEL = re.compile(r'[^\s\[\]~:"\\]+')
_IDENTITY = re.compile(r"[\w-]+:([0-9a-f]{8})-[0-9a-f-]+")


def message_json(message: Message) -> str:
    """A message as one line of JSON, in ASCII: what it holds cannot act on a terminal either."""
    return json.dumps(
        {
            "received": timestamp(message.received),
            "room": message.room,
            "sender": message.sender,
            "name": message.name,
            "text": message.text,
            "id": message.id,
            "sent": timestamp(message.sent) if message.sent else None,
        }
    )


def message_line(message: Message) -> str:
    """A message for people: `2026-01-31 23:59:59 [lobby] alice~4f9fa251: hello`.

    What follows `~` is the beginning of the sender's identity, and true; the name before it is what
    the sender claims to be called. No room, name or text can forge the frame around it.
    """
    found = _IDENTITY.fullmatch(message.sender)
    sender = found.group(1) if found else _label(message.sender)
    name = _label(message.name) if message.name else ""
    moment = message.received.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return f"{moment} [{_label(message.room)}] {name}~{sender}: {visible(message.text)}"


def _label(text: str) -> str:
    return visible(text) if _PLAIN_LABEL.fullmatch(text) else visible(json.dumps(text, ensure_ascii=False))


def notice(username: str, identity: str, pool: str) -> str:
    """What the npm tool shows once signed in, in the same shape (Node's `util.inspect`)."""
    fields = {"username": username, "identityId": identity, "identityPoolId": pool}
    lines = ",\n".join(f"  {name}: {_quoted(value)}" for name, value in fields.items())
    return f"authResult - group admins need to accept users with this info {{\n{lines}\n}}"


def _quoted(text: str) -> str:
    quote = next((q for q in "'\"`" if q not in text), "'")
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return quote + visible(escaped) + quote


def link_line(event: Lost | Restored) -> str:
    """What happened to the connection."""
    return f"connection lost: {event.cause}; reconnecting" if isinstance(event, Lost) else "connected again"
