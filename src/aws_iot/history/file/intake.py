"""Intake: sorts what programs have saved into the tables.

A program that receives only adds batches to the queue. Whoever has time sorts them in: the program that saved them when
it is idle, or one that reads.
"""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from aws_iot.history.file import index
from aws_iot.history.file.numbers import Numbers
from aws_iot.history.file.record import Record, from_queue
from aws_iot.history.file.schema import has_queue, transaction
from aws_iot.history.file.taker import Taker

SORTED_AT_ONCE = 50
"""Number of batches that one transaction sorts in, so that programs that save never wait long."""

PURGED_AT_ONCE = 50_000
"""Number of messages up to which an older SQLite writes the index again whenever something was deleted."""


class Intake:
    """Takes messages into a file, in transactions. One thread uses it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._numbers = Numbers(database)
        self._has_index = index.is_available(database)

    def sort_in(self, batches: int = SORTED_AT_ONCE) -> bool:
        """Take in the oldest batches of the queue, in one transaction; whether more may be left."""
        with self._taking() as taker:
            found = self._database.execute(
                "SELECT number, writer, messages FROM queue ORDER BY number LIMIT ?", (batches,)
            ).fetchall()
            for _, writer, messages in found:
                for record in from_queue(messages):
                    taker.take(record, writer)
            if found:
                self._database.execute("DELETE FROM queue WHERE number <= ?", (found[-1][0],))
        return len(found) == batches

    def add(self, records: Iterable[Record], writer: int) -> int:
        """Take in messages in one transaction; returns how many are new."""
        with self._taking() as taker:
            return sum(taker.take(record, writer) for record in records)

    @contextmanager
    def _taking(self) -> Iterator[Taker]:
        try:
            with transaction(self._database):
                self._numbers.refresh()
                if not self._has_index:
                    index.mark(self._database, 0)
                elif not index.is_current(self._database):
                    index.rebuild(self._database)
                taker = Taker(self._database, self._numbers)
                yield taker
                taker.finish(has_index=self._has_index)
                if taker.has_erased and self._has_index:
                    index.purge(self._database, PURGED_AT_ONCE)
        except BaseException:
            self._numbers.forget()
            raise
        if taker.has_erased:  # leave no copy of a deleted text in the log that SQLite keeps beside the file
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def sort_in_all(database: sqlite3.Connection) -> None:
    """Take in everything that was saved and not yet sorted in."""
    if has_queue(database):
        intake = Intake(database)
        while intake.sort_in():
            pass


def new_writer() -> int:
    """A number for a program that saves, by which what it has seen is told from what others have seen."""
    return int.from_bytes(os.urandom(7))
