"""Lines for people: messages, and what happens to the connection."""

import json
import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role, paint
from aws_iot.identities import short_identity
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Message

_SENDER_STYLES = ("32", "33", "34", "35", "36", "1;32", "1;33", "1;34", "1;35", "1;36")
"""Not red, which means an error."""

_PLAIN_LABEL = re.compile(r'[^\s\[\]~:"\\]+')


def message_line(message: Message) -> str:
    """A message for people: `2026-01-31 23:59:59 [lobby] alice~4f9fa251: hello`.

    The part after `~` is the start of the sender's identity, which the IoT policy enforces. The name before
    it is what the sender chose. No room, name or text can imitate the rest of the line.
    """
    return f"{_time(message)} [{_label(message.room)}] {_sender(message)}: {output.visible(message.text)}"


def colored_message_line(message: Message) -> str:
    """The same in colors. Each identity has its own color; its chosen name does not matter."""
    time = paint(_time(message), Role.FAINT)
    sender = paint(_sender(message), sender_style(message.sender))
    return f"{time} [{_label(message.room)}] {sender}: {output.visible(message.text)}"


@lru_cache
def sender_style(identity: str) -> str:
    """The same style for the same identity, on every machine."""
    short = short_identity(identity)
    number = int(short, 16) if short else sum(identity.encode(errors="replace"))
    return _SENDER_STYLES[number % len(_SENDER_STYLES)]


def _time(message: Message) -> str:
    return message.received.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _sender(message: Message) -> str:
    name = _label(message.name) if message.name else ""
    return f"{name}~{short_identity(message.sender) or _label(message.sender)}"


def raw_line(message: Message) -> str:
    """The payload as text, harmless on a terminal."""
    return output.visible(message.payload.decode(errors="replace"))


def _label(text: str) -> str:
    return (
        output.visible(text)
        if _PLAIN_LABEL.fullmatch(text)
        else output.visible(json.dumps(text, ensure_ascii=False))
    )


def notice(username: str, identity: str, pool: str) -> str:
    """What the npm tool prints after sign-in, in the same format (that of Node's `util.inspect`)."""
    fields = {"username": username, "identityId": identity, "identityPoolId": pool}
    lines = ",\n".join(f"  {name}: {_quoted(value)}" for name, value in fields.items())
    return f"authResult - group admins need to accept users with this info {{\n{lines}\n}}"


def _quoted(text: str) -> str:
    quote = next((q for q in "'\"`" if q not in text), "'")
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return quote + output.visible(escaped) + quote


def connection_line(event: Lost | Restored, *, verbose: bool = False, now: datetime | None = None) -> str:
    """The line for an event of the connection, which has happened just `now`."""
    if isinstance(event, Lost):
        detail = f" ({event.detail})" if verbose and event.detail else ""
        return (
            f"connection lost: {event.cause}{_silence(event, now or datetime.now(UTC))}; reconnecting{detail}"
        )
    after = f" after {_duration(event.seconds)}" if event.seconds else ""
    discarded = "; the broker has discarded the session" if event.forgotten else ""
    missing = ": messages may be missing" if event.may_miss or event.forgotten else ""
    return f"connection restored{after}{discarded}{missing}"


def _silence(event: Lost, now: datetime) -> str:
    if not event.silent:
        return ""
    return f", nothing received since {(now - timedelta(seconds=event.silent)).astimezone():%H:%M:%S}"


def _duration(seconds: float) -> str:
    """Such as `3.2 s`, `4 min 5 s`, `3 h 25 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
