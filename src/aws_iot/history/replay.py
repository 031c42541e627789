"""Replay: the history from a moment on, and then live messages, with no gap and no duplicate.

Subscribe first. Then open the history, print `entries` or `deliveries`, and print the live messages that `covers` does
not know. Whatever arrived before you subscribed is in the history, if any program saved it; whatever arrived since is
live.
"""

import sqlite3
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from aws_iot.history.file.ids import derive
from aws_iot.history.file.record import milliseconds
from aws_iot.history.file.schema import BUSY_SECONDS, translate_errors
from aws_iot.history.file.taker import MATCH_MILLISECONDS
from aws_iot.history.store import Entry, Filter, History
from aws_iot.messaging.client import EVENTS_BEFORE_FLUSH
from aws_iot.messaging.deliveries import Acknowledgements, Delivery, Flush
from aws_iot.messaging.message import Message

REMEMBERED = 100_000
"""Number of messages that are remembered. A live one that was printed is among the last of the history."""


class Replay:
    """Prints nothing, but knows what you have printed. One thread uses it."""

    def __init__(self, history: History, wanted: Filter) -> None:
        self._history = history
        self._wanted = wanted
        self._by_id: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._without_id: OrderedDict[bytes, list[int]] = OrderedDict()

    def entries(self) -> Iterator[Entry]:
        """The messages of the history as they stand, oldest first, at the moment of the first one."""
        with self._snapshot():
            for message in self._history.originals(self._wanted):
                self._remember(message)
            yield from self._history.all(self._wanted)

    def deliveries(self) -> Iterator[Delivery | Flush]:
        """The messages of the history as they arrived, oldest first, at the moment of the first one.

        What was deleted since is left out. Edits, deletions and reactions are messages of their own, as live ones are.
        """
        acknowledgements = Acknowledgements(lambda _: None)
        with self._snapshot():
            for message, is_deleted in self._history.as_received(self._wanted):
                self._remember(message)
                if is_deleted:
                    continue
                acknowledgements.delivered += 1
                yield Delivery(message, acknowledgements.delivered, acknowledgements)
                if acknowledgements.delivered % EVENTS_BEFORE_FLUSH == 0:
                    yield Flush()

    @contextmanager
    def _snapshot(self) -> Iterator[None]:
        """What is saved meanwhile is live."""
        database = self._history.database
        with translate_errors(self._history.path):
            self._take_in_what_waits(database)
            database.execute("BEGIN")
            try:
                yield
            finally:
                database.execute("COMMIT")

    def _take_in_what_waits(self, database: sqlite3.Connection) -> None:
        """Wait for programs that write, longer than a reader otherwise does: nothing may be missing."""
        database.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000:.0f}")
        try:
            self._history.sort_in()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_READONLY:
                raise

    def covers(self, message: Message) -> bool:
        """Whether a live message is one of the history, or an edit, deletion or reaction that it shows."""
        if message.id:
            return (message.sender, message.id) in self._by_id
        times = self._without_id.get(derive(message.room, message.sender, message.payload), [])
        received = milliseconds(message.received)
        near = [at for at in times if abs(at - received) <= MATCH_MILLISECONDS]
        if not near:
            return message.retained and bool(times)
        times.remove(near[-1])  # a second live one would be another message
        return True

    def _remember(self, message: Message) -> None:
        if message.id:
            self._by_id[message.sender, message.id] = None
            if len(self._by_id) > REMEMBERED:
                self._by_id.popitem(last=False)
            return
        key = derive(message.room, message.sender, message.payload)
        self._without_id.setdefault(key, []).append(milliseconds(message.received))
        self._without_id.move_to_end(key)
        if len(self._without_id) > REMEMBERED:
            self._without_id.popitem(last=False)
