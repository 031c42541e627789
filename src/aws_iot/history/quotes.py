"""Quotes: what a message refers to that has just arrived, for a program that must not wait."""

import sqlite3
from collections import OrderedDict
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from aws_iot.errors import LocalError
from aws_iot.history.conversation import DELETE, EDIT, is_event
from aws_iot.history.file import ids, rows
from aws_iot.history.file.rows import IS_SHOWN
from aws_iot.history.store import History, Quote
from aws_iot.messaging.message import Message

REMEMBERED = 1_000
"""Number of messages that are remembered. The latest are often not sorted in yet."""


class Quotes:
    """Finds messages by their IDs: among those of `note`, and then in the history. One thread uses it."""

    def __init__(self, path: Path) -> None:
        """`path` is the file of the history, which is opened when it is needed."""
        self._path = path
        self._recent: OrderedDict[tuple[str, str], Quote] = OrderedDict()
        self._history: History | None = None
        self._is_usable = True
        self._to_close = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._to_close.close()

    def note(self, message: Message) -> None:
        """A message has arrived."""
        if is_event(message.kind, message.re):
            self._change(message)
            return
        id_ = message.id or ids.unpack(ids.derive(message.room, message.sender, message.payload))
        self._recent[message.room, id_] = Quote(
            id_, message.sender, message.name, message.text, message.received
        )
        if len(self._recent) > REMEMBERED:
            self._recent.popitem(last=False)

    def _change(self, message: Message) -> None:
        key = message.room, message.re or ""
        quote = self._recent.get(key)
        if quote and quote.sender == message.sender and message.kind in (EDIT, DELETE):
            text = None if message.kind == DELETE or quote.text is None else message.text
            self._recent[key] = Quote(quote.id, quote.sender, quote.name, text, quote.received)

    def of(self, message: Message) -> Quote | None:
        """The message that this one refers to, as it stands; None if it refers to none, or that one is not known."""
        if message.re is None:
            return None
        return self._recent.get((message.room, message.re)) or self._saved(message)

    def _saved(self, message: Message) -> Quote | None:
        try:
            history = self._opened()
            if not history:
                return None
            found = rows.select(
                history.database,
                "id = ? AND room = (SELECT number FROM room WHERE name = ?)"
                f" AND {IS_SHOWN} ORDER BY at DESC LIMIT 1",
                ids.pack_reference(message.re or ""),
                ids.clean(message.room),
            )
            entries = history.at([row.at for row in found])
        except (LocalError, OSError, sqlite3.Error):  # whoever saves or reads reports it
            self._is_usable = False
            return None
        for entry in entries:
            text = None if entry.is_deleted else entry.message.text
            return Quote(entry.id, entry.message.sender, entry.message.name, text, entry.message.received)
        return None

    def _opened(self) -> History | None:
        """The history, without what programs have not sorted in yet: that would take time."""
        if self._is_usable and not self._history and self._path.exists():
            self._history = self._to_close.enter_context(History(self._path, only_reads=True))
        return self._history if self._is_usable else None
