"""The one door for output: data to stdout, words to stderr, nothing that could drive a terminal."""

import json
import re
import unicodedata

import click

from aws_iot.connection import Lost, Restored
from aws_iot.errors import ProfileError
from aws_iot.message import Message, timestamp

# Marks that reorder what is shown: unicode.org/reports/tr9. Other format characters (joined emoji need
# them) change nothing around them.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL = frozenset(("Cc", "Cs", "Zl", "Zp"))
_PLAIN_LABEL = re.compile(r'[^\s\[\]~:"\\]+')
_IDENTITY = re.compile(r"[\w-]+:([0-9a-f]{8})-[0-9a-f-]+")


QUIET = "aws_iot.quiet"
"""The key in Click's context under which `--quiet` is noted."""


def visible(text: str) -> str:
    r"""`text` on one line, with every control character shown as an escape such as \x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _CONTROL or c in _BIDI else c for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def data(line: str) -> None:
    """Print a line of data, at once: others may read it from a pipe."""
    try:
        click.echo(line)
    except BrokenPipeError:
        raise
    except OSError as error:  # such as a full disk behind a redirection
        raise ProfileError(f"the output cannot be written: {error.strerror}") from error


def words(line: str) -> None:
    """Tell the person something; `--quiet` hides it."""
    context = click.get_current_context(silent=True)
    if not (context and context.meta.get(QUIET)):
        click.echo(visible(line), err=True)


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
