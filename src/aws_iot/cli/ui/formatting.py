"""Messages and what happens around them, as people and programs read them."""

import json
import re

import click

from aws_iot.cli.ui import output
from aws_iot.cli.ui.output import VERBOSE
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Message, short

_PLAIN_LABEL = re.compile(r'[^\s\[\]~:"\\]+')


def message_line(message: Message) -> str:
    """A message for people: `2026-01-31 23:59:59 [lobby] alice~4f9fa251: hello`.

    What follows `~` is the beginning of the sender's identity, and true; the name before it is what
    the sender claims to be called. No room, name or text can forge the frame around it.
    """
    sender = short(message.sender) or _label(message.sender)
    name = _label(message.name) if message.name else ""
    moment = message.received.astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return f"{moment} [{_label(message.room)}] {name}~{sender}: {output.visible(message.text)}"


def raw_line(message: Message) -> str:
    """The payload, as far as it is text."""
    return output.visible(message.payload.decode(errors="replace"))


def _label(text: str) -> str:
    return (
        output.visible(text)
        if _PLAIN_LABEL.fullmatch(text)
        else output.visible(json.dumps(text, ensure_ascii=False))
    )


def notice(username: str, identity: str, pool: str) -> str:
    """What the npm tool shows once signed in, in the same shape (Node's `util.inspect`)."""
    fields = {"username": username, "identityId": identity, "identityPoolId": pool}
    lines = ",\n".join(f"  {name}: {_quoted(value)}" for name, value in fields.items())
    return f"authResult - group admins need to accept users with this info {{\n{lines}\n}}"


def _quoted(text: str) -> str:
    quote = next((q for q in "'\"`" if q not in text), "'")
    escaped = text.replace("\\", "\\\\").replace(quote, "\\" + quote)
    return quote + output.visible(escaped) + quote


def tell_link(event: Lost | Restored) -> None:
    """Tell the person; with `--verbose` what repeats itself, too, and what is behind it."""
    context = click.get_current_context(silent=True)
    verbose = bool(context and context.meta.get(VERBOSE))
    if verbose or not (isinstance(event, Lost) and event.again):
        output.info(link_line(event, verbose=verbose))


def link_line(event: Lost | Restored, *, verbose: bool = False) -> str:
    """What happened to the connection."""
    if isinstance(event, Lost):
        detail = f" ({event.detail})" if verbose and event.detail else ""
        return f"connection lost: {event.cause}; reconnecting{detail}"
    after = f" after {_duration(event.seconds)}" if event.seconds else ""
    missing = (
        "; the broker has forgotten the session: what was said meanwhile is missing"
        if event.forgotten
        else ""
    )
    return f"connected again{after}{missing}"


def _duration(seconds: float) -> str:
    """Such as `3.2 s`, `4 min 5 s`, `3 h 25 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
