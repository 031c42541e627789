"""Intake: takes messages into the database, and sorts in what programs have saved.

A program that receives only appends to a journal. Whoever has time sorts it in: the program that saved it when it is
idle, or one that reads.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_iot.history.file import index
from aws_iot.history.file.journal import Journal, journals, lines, unused
from aws_iot.history.file.numbers import Numbers
from aws_iot.history.file.record import Record, from_entry
from aws_iot.history.file.schema import clear_log, clear_noted_log, transaction
from aws_iot.history.file.taker import Taker

SORTED_AT_ONCE = 1_000
"""About how many messages one transaction sorts in, so that programs never wait long."""

PURGED_AT_ONCE = 50_000
"""Number of messages up to which an older SQLite writes the index again whenever something was deleted."""


class Intake:
    """Takes messages into a file, in transactions. One thread uses it."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._numbers = Numbers(database)
        self._has_index = index.is_available(database)

    def sort_in(self, journal: Path) -> bool:
        """Take in the oldest entries of a journal, in one transaction; whether more may be left.

        An entry that was cut off is skipped.
        """
        if next(lines(journal, self.position(journal)), None) is None:
            return False
        with self._taking() as taker:
            done, taken = self.position(journal), 0
            for end, line in lines(journal, done):
                entry = from_entry(line)
                if entry is None and not line.endswith(b"\n"):  # it is being written
                    break
                done = end
                if entry:
                    writer, records = entry
                    for record in records:
                        taker.take(record, writer)
                    taken += len(records)
                if taken >= SORTED_AT_ONCE:
                    break
            self._note(journal, done)
        return taken >= SORTED_AT_ONCE

    def position(self, journal: Path) -> int:
        """How many bytes of a journal have been sorted in."""
        found = self._database.execute(
            "SELECT sorted FROM journal WHERE name = ?", (journal.name,)
        ).fetchone()
        return found[0] if found else 0

    def secure(self, journal: Path) -> None:
        """What was sorted in survives a power failure from now on, so the journal is not needed for that."""
        # The end of a transaction then writes the log to the disk.
        self._database.execute("PRAGMA synchronous = FULL")
        try:
            with transaction(self._database):
                self._note(journal, self.position(journal))
        finally:
            self._database.execute("PRAGMA synchronous = NORMAL")

    def _note(self, journal: Path, done: int) -> None:
        self._database.execute("INSERT OR REPLACE INTO journal VALUES (?, ?)", (journal.name, done))

    def forget(self, journal: Path) -> None:
        """A journal that was sorted in is no more."""
        self._database.execute("DELETE FROM journal WHERE name = ?", (journal.name,))

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
        if taker.has_erased:
            clear_log(self._database)


def sort_in(
    database: sqlite3.Connection, path: Path, own: Journal | None = None, *, with_others: bool = True
) -> Iterator[None]:
    """Sort in what was saved for the database at `path`, and remove the journals that no program uses.

    It pauses after each transaction. `own` is the journal of this program, and `with_others` takes in those of other
    programs that are running.
    """
    intake = Intake(database)
    if own is not None:
        own.leave_removed()
    for journal in journals(path):
        with unused(journal) as is_unused:
            is_own = own is not None and own.is_at(journal)
            if not (is_unused or is_own or with_others):
                continue
            while intake.sort_in(journal):
                yield
            yield
            if is_unused or is_own:
                intake.secure(journal)
            if is_unused:
                journal.unlink(missing_ok=True)
            elif own is not None:
                own.retire(journal, intake.position(journal))
            if not journal.exists():
                intake.forget(journal)
    clear_noted_log(database)
