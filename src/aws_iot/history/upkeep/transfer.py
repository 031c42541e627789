"""Transfer: a history as JSON Lines, Markdown or CSV, and back from JSON Lines.

JSON Lines are those of `sub --json`, with edits, deletions and reactions as they arrived: importing them changes
nothing in the history that they come from. Markdown and CSV show what is visible.
"""

import csv
import gc
import io
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import groupby, islice
from pathlib import Path
from typing import NamedTuple

from aws_iot.errors import InvalidMessage, LocalError
from aws_iot.history.file.intake import Intake
from aws_iot.history.file.record import Record, new_writer, to_record
from aws_iot.history.file.schema import connect, transaction, translate_errors
from aws_iot.history.store import Entry, Filter, History
from aws_iot.identities import short_identity
from aws_iot.messaging.json_lines import to_line, to_message
from aws_iot.messaging.message import timestamp

IMPORTED_AT_ONCE = 50_000
"""Number of messages in a transaction. Fewer take more time, because each rewrites much of the index of IDs."""

CSV_COLUMNS = (
    "received",
    "room",
    "sender",
    "name",
    "text",
    "id",
    "sent",
    "reply_to",
    "edited",
    "deleted",
    "reactions",
)

_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~!&$-])")
"""What formats a text in Markdown, anywhere in a line."""

_MARKDOWN_AT_START = re.compile(r"^(\d*)(?=[+=.)])")
"""What makes a line a list or the one before it a heading."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What ends a line, or tells a terminal to do something, and the marks that change the direction of text."""


class Imported(NamedTuple):
    """How many messages an import has read, and how many of them were new."""

    read: int
    new: int


def to_json_lines(history: History, wanted: Filter) -> Iterator[str]:
    """A line for each message as it arrived, oldest first. A deleted one has an empty text."""
    return map(to_line, history.originals(wanted))


def to_csv(history: History, wanted: Filter) -> Iterator[str]:
    """A heading and a line for each visible message, oldest first, without line ends."""
    yield _csv_line(CSV_COLUMNS)
    for entry in history.all(wanted):
        message = entry.message
        yield _csv_line(
            (
                timestamp(message.received),
                message.room,
                message.sender,
                message.name or "",
                message.text,
                entry.id,
                timestamp(message.sent) if message.sent else "",
                message.re or "",
                "yes" if entry.is_edited else "",
                "yes" if entry.is_deleted else "",
                " ".join(f"{reaction.text}×{len(reaction.senders)}" for reaction in entry.reactions),
            )
        )


def _csv_line(values: Iterable[str]) -> str:
    line = io.StringIO()
    # A spreadsheet would run what begins so as a formula, and anybody may have sent it.
    safe = (
        f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else value for value in values
    )
    csv.writer(line).writerow(safe)
    return line.getvalue().removesuffix("\r\n")


def to_markdown(history: History, wanted: Filter) -> Iterator[str]:
    """A heading for each day and room, and an item for each visible message, oldest first. Times are local."""

    def heading(entry: Entry) -> tuple[str, str]:
        return f"{entry.message.received.astimezone():%A, %d %B %Y}", entry.message.room

    is_first = True
    for (day, room), entries in groupby(history.all(wanted), heading):
        if not is_first:
            yield ""
        is_first = False
        yield f"## {_escaped(room)}, {day}"
        yield ""
        yield from map(_item, entries)


def _item(entry: Entry) -> str:
    message = entry.message
    text = "*deleted*" if entry.is_deleted else "  \n  ".join(map(_line, message.text.split("\n")))
    quoted = entry.reply_to
    answers = ""
    if quoted:
        quotation = "*deleted*" if quoted.text is None else _escaped(_shortened(quoted.text))
        answers = f" (to {_sender(quoted.name, quoted.sender)}: {quotation})"
    marks = " *(edited)*" if entry.is_edited else ""
    reactions = "".join(f" {_escaped(reaction.text)}×{len(reaction.senders)}" for reaction in entry.reactions)
    who = f"{message.received.astimezone():%H:%M} {_sender(message.name, message.sender)}{answers}"
    return f"- {who}: {text}{marks}{reactions}"


def _sender(name: str | None, identity: str) -> str:
    """The name, which anybody can choose, and the start of the identity, as `sub` prints them."""
    short = _escaped(short_identity(identity) or identity)
    return f"**{_escaped(name)}**\\~{short}" if name and name.strip() else f"\\~{short}"


def _line(text: str) -> str:
    """A line of a text. Spaces at its start would make it code."""
    return _MARKDOWN_AT_START.sub(r"\1\\", _escaped(text.strip()))


def _shortened(text: str, most: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"


def _escaped(text: str) -> str:
    """The text with every control character as an escape, and without a format."""
    return _MARKDOWN.sub(r"\\\1", _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text))


def import_lines(
    path: Path,
    identity: str,
    lines: Iterable[str | bytes],
    report: Callable[[Imported], None] = lambda _: None,
) -> Imported:
    """Add the messages of JSON Lines that the history lacks. Raises `LocalError`, which names the line.

    Lines before a wrong one may have been added by then. Importing them again changes nothing. `report` gets what was
    imported so far.
    """
    writer = -new_writer()
    read = new = 0
    with translate_errors(path), _without_collecting():
        database = connect(path, identity)
        try:
            database.execute("PRAGMA cache_size = -128000")
            database.execute("PRAGMA wal_autocheckpoint = 60000")
            intake = Intake(database)
            records = _records(lines)
            while batch := [*islice(records, IMPORTED_AT_ONCE)]:
                new += intake.add(batch, writer)
                read += len(batch)
                report(Imported(read, new))
            with transaction(database):
                database.execute("DELETE FROM sighting WHERE writer = ?", (writer,))
        finally:
            database.close()
    return Imported(read, new)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for no cycles of objects. There are none, and among so many objects that takes a tenth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _records(lines: Iterable[str | bytes]) -> Iterator[Record]:
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield to_record(to_message(line))
            except InvalidMessage as error:
                raise LocalError(
                    f"line {number} cannot be imported: {error}",
                    hint="`history import` reads the lines that `history export` and `sub --json` print.",
                ) from None
