"""A saved message as a line: for people, or of JSON."""

from __future__ import annotations  # so that what only types need is not imported

import json
import sys
from typing import TYPE_CHECKING, Any

from aws_iot.cli.ui.colors import is_on
from aws_iot.cli.ui.formatting import colored_message_line, entry_marks, highlighted, message_line
from aws_iot.cli.ui.tables import terminal_width
from aws_iot.messaging.json_lines import to_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from aws_iot.history.search import Search
    from aws_iot.history.store import Entry

    class _Form(Protocol):
        def __call__(self, entry: Entry, *, is_context: bool) -> str: ...


SEPARATOR = "--"
"""Stands between messages that do not follow one another, as in grep."""


def json_line(entry: Entry, *, is_context: bool = False) -> str:
    """The line of `sub --json`, and what has become of the message."""
    became: dict[str, Any] = {}
    if entry.is_edited:
        became["edited"] = True
    if entry.is_deleted:
        became["deleted"] = True
    if entry.reactions:
        became["reactions"] = {one.text: [*one.senders] for one in entry.reactions}
    if not entry.message.id:
        became["derived_id"] = entry.id
    if is_context:
        became["context"] = True
    line = to_line(entry.message)
    return f"{line[:-1]}, {json.dumps(became)[1:]}" if became else line


def printed_line(search: Search | None, id_of: Callable[[str], str] | None) -> _Form:
    """Makes the lines that `sub` prints, for what stdout is. What a search has found is marked in color.

    `id_of` gives as much of an ID as is printed.
    """
    is_colored, columns = is_on(), terminal_width()
    line_of = colored_message_line if is_colored else message_line
    encoding, errors = sys.stdout.encoding, sys.stdout.errors or "strict"

    def form(entry: Entry, *, is_context: bool) -> str:
        text = entry.message.text
        shown = None
        if search and is_colored and not is_context:
            shown = highlighted(text, search.highlights(text))
        line = line_of(
            entry.message, columns, marks=entry_marks(entry, id_of(entry.id) if id_of else None), shown=shown
        )
        if columns is None:
            return line
        from aws_iot.cli.ui.wrapping import fold  # here: a pipe needs no width

        return fold(line.encode(encoding, errors).decode(encoding), columns)

    return form
