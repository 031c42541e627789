"""Lines for people: messages, and what happens to the connection."""

import json
import re

import click

from aws_iot.cli.ui import output
from aws_iot.cli.ui.output import VERBOSE
from aws_iot.identities import short_identity
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Message

_PLAIN_LABEL = re.compile(r'[^\s\[\]~:"\\]+')


def message_line(message: Message) -> str:
    """A message for people: `2026-01-31 23:59:59 [lobby] alice~4f9fa251: hello`.

    The part after `~` is the start of the sender's identity, which the IoT policy enforces. The name before
    it is what the sender chose. No room, name or text can imitate the rest of the line.
    """
    sender = short_identity(message.sender) or _label(message.sender)
    name = _label(message.name) if message.name else ""
    time = message.received.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return f"{time} [{_label(message.room)}] {name}~{sender}: {output.visible(message.text)}"


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


def is_verbose() -> bool:
    """Whether the running command has `--verbose`."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(VERBOSE))


def show_connection_event(event: Lost | Restored) -> None:
    """Print that the connection was lost or restored. `--verbose` adds repetitions and details."""
    verbose = is_verbose()
    if verbose or not (isinstance(event, Lost) and event.again):
        output.info(connection_line(event, verbose=verbose))


def connection_line(event: Lost | Restored, *, verbose: bool = False) -> str:
    """The line for an event of the connection."""
    if isinstance(event, Lost):
        detail = f" ({event.detail})" if verbose and event.detail else ""
        return f"connection lost: {event.cause}; reconnecting{detail}"
    after = f" after {_duration(event.seconds)}" if event.seconds else ""
    missing = "; the broker has discarded the session: messages may be missing" if event.forgotten else ""
    return f"connection restored{after}{missing}"


def _duration(seconds: float) -> str:
    """Such as `3.2 s`, `4 min 5 s`, `3 h 25 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
