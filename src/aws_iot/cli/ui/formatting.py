"""Lines for people: messages, and what happens to the connection."""

from __future__ import annotations  # so that what only types need is not imported

import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING

from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role, paint
from aws_iot.identities import SHORT, number_of, short_identity
from aws_iot.messaging.kinds import DELETE, EDIT, REACT
from aws_iot.messaging.message import Message
from aws_iot.text.labels import LEAST_LABEL_COLUMNS, label
from aws_iot.text.visible import kept_in_place
from aws_iot.text.width import display_width

if TYPE_CHECKING:
    from aws_iot.history.store import Entry, Quote
    from aws_iot.messaging.connection import Lost, Restored

_SENDER_STYLES = ("32", "33", "34", "35", "36", "1;32", "1;33", "1;34", "1;35", "1;36")
"""Not red, which means an error."""

_FRAME_COLUMNS = len("2026-01-31 23:59:59 [] ~: ") + SHORT
"""What a line has besides the room, the name and the text."""

_REFERENCES = {EDIT: "edit", DELETE: "deletion", REACT: "reaction"}
"""What a message is that refers to another one, by its kind. Every other is a reply."""

_DELETED = "(deleted)"
"""Stands in place of the text of a deleted message."""

_DERIVED_ID = re.compile("~[0-9a-f]+")
"""The beginning of an ID that was derived for a message without one. Nobody chooses it, so it is shown as it is."""

MOST_REACTIONS = 8
"""The number of different reactions that a line shows, because one person can send any number of them."""

MOST_HIGHLIGHTS = 100
"""The number of places in a text that are highlighted."""


def message_line(
    message: Message, columns: int | None = None, *, marks: str | None = None, shown: str | None = None
) -> str:
    """A message for people: `2026-01-31 23:59:59 [lobby] alice~4f9fa251: hello`.

    The part after `~` is the start of the sender's identity, which the IoT policy enforces. The name before
    it is what the sender chose. No room, name or text can imitate the rest of the line. `columns` is the width of the
    terminal, if it is shown on one: longer names and rooms are shortened so that the identity has its place there.
    `marks` are those of `marks_of`, with more than the message tells. `shown` replaces the text. Both must be harmless.
    """
    room, who = _labels(message, columns)
    if marks is None:
        marks = "" if message.re is None else marks_of(message)  # most refer to nothing
    text = output.visible(message.text) if shown is None else shown
    return f"{_time(message)} [{room}] {who}{marks}: {text}"


def colored_message_line(
    message: Message, columns: int | None = None, *, marks: str | None = None, shown: str | None = None
) -> str:
    """The same in colors. Each identity has its own color; its chosen name does not matter."""
    room, who = _labels(message, columns)
    if marks is None:
        marks = "" if message.re is None else marks_of(message)  # most refer to nothing
    time = paint(_time(message), Role.FAINT)
    text = output.visible(message.text) if shown is None else shown
    return f"{time} [{room}] {paint(who, sender_style(message.sender))}{paint(marks, Role.FAINT)}: {text}"


def marks_of(message: Message, quote: Quote | None = None, became: Sequence[str] = ()) -> str:
    """What a message is and has become, after its sender, because a text could imitate it: ` (to bob~b0b00000 hi)`.

    `quote` is the message that it refers to, if that is known. It is empty for an ordinary message.
    """
    if message.re is None and not became:
        return ""
    parts = [*became] if message.re is None else [*became, _reference(message, quote)]
    return f" ({'; '.join(parts)})"


def _reference(message: Message, quote: Quote | None) -> str:
    what = _REFERENCES.get(message.kind or "", "reply")
    if quote is None:
        return what
    text = _DELETED if quote.text is None else label(quote.text)
    if quote.text == _DELETED:  # somebody has typed it
        text = f'"{text}"'
    if what in ("reply", "reaction"):
        who = sender(message._replace(sender=quote.sender, name=quote.name))
        return f"{'' if what == 'reply' else 'reaction '}to {who} {text}"
    if quote.sender != message.sender:
        return f"invalid {what}"  # nobody can change what somebody else has sent
    if what == "edit":
        return what if quote.text == message.text else f"edit of {text}"
    is_today = quote.received.astimezone().date() == message.received.astimezone().date()
    return f"{what} of {quote.received.astimezone():{'%H:%M:%S' if is_today else '%Y-%m-%d %H:%M:%S'}}"


def entry_marks(entry: Entry, id_: str | None = None) -> str:
    """What a message of the history is and has become: ` (edited; to bob~b0b00000 "it works")`.

    `id_` is as much of its ID as has to be typed, if that is shown, too.
    """
    became = [] if id_ is None else [f"id {id_ if _DERIVED_ID.fullmatch(id_) else label(id_, sys.maxsize)}"]
    became += ["deleted"] if entry.is_deleted else ["edited"] if entry.is_edited else []
    reactions = sorted(entry.reactions, key=lambda one: -len(one.senders))[:MOST_REACTIONS]
    became += [f"{label(one.text)} {len(one.senders)}" for one in reactions]
    if (more := len(entry.reactions) - MOST_REACTIONS) > 0:
        became.append(f"and {counted(more, 'other reaction')}")
    return marks_of(entry.message, entry.reply_to, became)


def highlighted(text: str, places: Iterable[tuple[int, int]]) -> str:
    """The text, harmless, with these parts of it in color. The places are starts and ends, in order."""
    parts, end = [], 0
    for start, stop in islice(places, MOST_HIGHLIGHTS):
        parts += [output.visible(text[end:start]), paint(output.visible(text[start:stop]), Role.ERROR)]
        end = stop
    return "".join([*parts, output.visible(text[end:])])


@lru_cache
def sender_style(identity: str) -> str:
    """The same style for the same identity, on every machine."""
    return _SENDER_STYLES[number_of(identity) % len(_SENDER_STYLES)]


def _time(message: Message) -> str:
    return message.received.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _labels(message: Message, columns: int | None) -> tuple[str, str]:
    """The room, and the sender: the name that it claims, `~`, and the start of its identity."""
    room, name = label(message.room), label(message.name) if message.name else ""
    if columns is not None:
        left = columns - _FRAME_COLUMNS
        if display_width(room) + display_width(name) > left:
            room = _shorter(room, message.room, left - min(display_width(name), left // 2))
            name = _shorter(name, message.name or "", left - display_width(room))
        room, name = kept_in_place(room), kept_in_place(name)
    return room, f"{name}~{_identity(message)}"


def _shorter(shown: str, text: str, columns: int) -> str:
    """The label of a text in so many columns, if that is possible."""
    return shown if display_width(shown) <= columns else label(text, max(columns, LEAST_LABEL_COLUMNS))


def sender(message: Message) -> str:
    """The sender, as in a line: the name that it claims, if any, `~`, and the start of its identity."""
    return f"{label(message.name) if message.name else ''}~{_identity(message)}"


def _identity(message: Message) -> str:
    return short_identity(message.sender) or label(message.sender, sys.maxsize)


def raw_line(message: Message) -> str:
    """The payload as text, harmless on a terminal."""
    return output.visible(message.payload.decode(errors="replace"))


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
    from aws_iot.messaging.connection import Lost  # here: `history` has no connection

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


def counted(number: int, what: str = "message") -> str:
    """Such as `1 message` and `1,234 messages`."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
