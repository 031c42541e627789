"""Spool: messages that wait to be sent, in a folder, so that a crash loses none."""

import os
import sqlite3
import time
import zlib
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from aws_iot.errors import LocalError
from aws_iot.files import exclusive
from aws_iot.messaging.message import Outgoing

BATCH = 500
"""So many messages are read at once, however many wait."""

BUSY_SECONDS = 10.0
"""How long another program may take to write."""

REFUSAL_SECONDS = 24 * 3600.0
"""How long it is remembered for a program that waits for it that one of its messages was refused."""

STEPS = (
    "CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY AUTOINCREMENT, pool TEXT NOT NULL,"
    " room TEXT NOT NULL, payload BLOB NOT NULL, id TEXT NOT NULL UNIQUE, qos INTEGER NOT NULL,"
    " retain INTEGER NOT NULL)",
    "ALTER TABLE waiting ADD COLUMN speaker TEXT",
    "CREATE TABLE refused (id TEXT PRIMARY KEY, why TEXT NOT NULL, at REAL NOT NULL)",
)
"""What makes the tables, each once: how many of them were taken is the file's `user_version`."""


class Spool:
    """The messages of one person in one folder, in the order in which they came.

    Several programs may add to it, each thread by a `Spool` of its own; one at a time sends: see `sending`.
    What `add` has returned from survives the end of the process, however it ends; not a power cut, which may take
    the last moments. Methods raise `LocalError` for a folder that cannot be used.
    """

    def __init__(self, folder: Path, pool: str, speaker: str | None) -> None:
        """`pool` is the identity pool that the messages are for, and `speaker` the user who says them.

        Those of others stay where they are. None is for what whoever sends first may say: see `sending`.
        """
        self._folder = folder
        self._whose = pool, speaker
        self._held = ExitStack()

    def __enter__(self) -> Self:
        path = self._folder / "spool.sqlite3"
        with _told(self._folder), exclusive(self._folder, BUSY_SECONDS) as held:
            if not held:
                raise LocalError(f"{self._folder}: another program has kept it for {BUSY_SECONDS:g} seconds")
            # One that is there is not opened: to close it would undo the locks that SQLite holds for another thread
            # of this process (sqlite.org/howtocorrupt.html, 2.2), and other programs would take it for unused.
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            self._held.callback(self._database.close)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            [taken] = self._database.execute("PRAGMA user_version").fetchone()
            for number, step in enumerate(STEPS[taken:], taken + 1):
                with self._transaction():
                    self._database.execute(step)
                    self._database.execute(f"PRAGMA user_version = {number}")
            self._database.execute("DELETE FROM refused WHERE at < ?", (time.time() - REFUSAL_SECONDS,))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All of it or nothing, however it is broken off."""
        with _told(self._folder):
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    @contextmanager
    def sending(self) -> Iterator[bool]:
        """Whether nobody else sends what waits here, nor will as long as it is entered.

        What was said by nobody that was known is said by this user then.
        """
        known = zlib.crc32(repr(self._whose).encode(errors="replace"))
        with exclusive(self._folder, 0.0, f".sending-{known:08x}") as alone:
            if alone:
                with _told(self._folder):
                    self._database.execute(
                        "UPDATE waiting SET speaker = ? WHERE speaker IS NULL AND pool = ?", self._whose[::-1]
                    )
            yield alone

    def count(self, stream: str = "", after: int = 0) -> int:
        """How many wait; of those whose ids begin so, and whose numbers are above `after`."""
        with _told(self._folder):
            [waiting] = self._database.execute(
                "SELECT count(*) FROM waiting WHERE pool = ? AND speaker IS ? AND id >= ? AND id < ? AND number > ?",
                (*self._whose, stream, f"{stream}~", after),
            ).fetchone()
        return int(waiting)

    def first(self) -> int:
        """The number of the oldest that waits, 0 if none does."""
        with _told(self._folder):
            [first] = self._database.execute(
                "SELECT ifnull(min(number), 0) FROM waiting WHERE pool = ? AND speaker IS ?", self._whose
            ).fetchone()
        return int(first)

    def others(self) -> list[tuple[str, str, int]]:
        """Whose messages wait here besides: pool, user, and how many."""
        with _told(self._folder):
            return self._database.execute(
                "SELECT pool, speaker, count(*) FROM waiting WHERE NOT (pool = ? AND (speaker IS NULL OR speaker IS ?))"
                " GROUP BY 1, 2 ORDER BY 1, 2",
                self._whose,
            ).fetchall()

    def add(self, message: Outgoing) -> None:
        """Keep it until it is removed; once, if it is there already."""
        with _told(self._folder):
            self._database.execute(
                "INSERT OR IGNORE INTO waiting (pool, speaker, room, payload, id, qos, retain)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (*self._whose, *message),
            )

    def remove(self, ids: Iterable[str]) -> None:
        """They have arrived."""
        with self._transaction():
            self._database.executemany("DELETE FROM waiting WHERE id = ?", ((one,) for one in ids))

    def refuse(self, message_id: str, why: str) -> None:
        """It will never arrive, which the program that it came from may want to know."""
        with self._transaction():
            self._database.execute("DELETE FROM waiting WHERE id = ?", (message_id,))
            self._database.execute(
                "INSERT OR REPLACE INTO refused VALUES (?, ?, ?)", (message_id, why, time.time())
            )

    def refused(self, stream: str) -> list[tuple[str, str]]:
        """The ids that begin so of messages that were refused, and why; each is given once."""
        with _told(self._folder):
            found = self._database.execute(
                "SELECT id, why FROM refused WHERE id >= ? AND id < ?", (stream, f"{stream}~")
            ).fetchall()
            self._database.executemany("DELETE FROM refused WHERE id = ?", [(one,) for one, _ in found])
        return found

    def last(self) -> int:
        """The number of the last that waits, 0 if none does: later ones have higher numbers."""
        with _told(self._folder):
            [last] = self._database.execute("SELECT ifnull(max(number), 0) FROM waiting").fetchone()
        return int(last)

    def waiting(self, after: int = 0, until: int | None = None) -> list[tuple[int, Outgoing]]:
        """Of those that wait, the oldest few whose numbers are above `after`, and not above `until`."""
        with _told(self._folder):
            rows = self._database.execute(
                "SELECT number, room, payload, id, qos, retain FROM waiting WHERE pool = ? AND speaker IS ?"
                " AND number > ? AND number <= ifnull(?, number) ORDER BY number LIMIT ?",
                (*self._whose, after, until, BATCH),
            ).fetchall()
        return [
            (number, Outgoing(room, payload, message_id, qos, bool(retain)))
            for number, room, payload, message_id, qos, retain in rows
        ]


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise LocalError(f"{folder}: cannot keep messages: {error}") from error
