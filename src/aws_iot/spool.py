"""Spool: messages that wait to be sent, in a folder, so that a crash loses none."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from aws_iot.errors import ProfileError
from aws_iot.files import exclusive, make_private

BATCH = 500
"""So many messages are read at once, however many wait."""


class Spool:
    """The messages in one folder, in the order in which they came. One process at a time, and one thread.

    What `add` has returned from survives the end of the process, however it ends; not a power cut, which may
    take the last moments. Methods raise `ProfileError` for a folder that cannot be used.
    """

    def __init__(self, folder: Path, pool: str) -> None:
        """`pool` is the identity pool that the messages are for: those of another are refused."""
        self._folder = folder
        self._pool = pool
        self._held = ExitStack()

    def __enter__(self) -> Self:
        if not self._held.enter_context(exclusive(self._folder, 0.0)):
            raise ProfileError(f"{self._folder}: another program sends what waits there")
        path = self._folder / "spool.sqlite3"
        with _told(self._folder):
            make_private(self._folder)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(path, isolation_level=None)
            self._held.callback(self._database.close)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY AUTOINCREMENT,"
                " pool TEXT NOT NULL, room TEXT NOT NULL, payload BLOB NOT NULL, id TEXT NOT NULL UNIQUE,"
                " qos INTEGER NOT NULL, retain INTEGER NOT NULL)"
            )
            [others] = self._database.execute(
                "SELECT count(*) FROM waiting WHERE pool != ?", (self._pool,)
            ).fetchone()
        if others:
            raise ProfileError(
                f"{self._folder}: messages for another identity pool wait there",
                hint="Send them with the profile that they were for, or name another folder.",
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._held.close()

    def count(self) -> int:
        """How many wait."""
        with _told(self._folder):
            [waiting] = self._database.execute("SELECT count(*) FROM waiting").fetchone()
        return int(waiting)

    def add(self, room: str, payload: bytes, message_id: str, qos: int = 1, retain: bool = False) -> None:
        """Keep it until it is removed; once, if it is there already."""
        with _told(self._folder):
            self._database.execute(
                "INSERT OR IGNORE INTO waiting (pool, room, payload, id, qos, retain)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (self._pool, room, payload, message_id, qos, retain),
            )

    def remove(self, ids: list[str]) -> None:
        """They have arrived."""
        with _told(self._folder):
            self._database.execute("BEGIN")
            self._database.executemany("DELETE FROM waiting WHERE id = ?", [(one,) for one in ids])
            self._database.execute("COMMIT")

    def waiting(self) -> Iterator[tuple[str, bytes, str, int, bool]]:
        """Room, payload, id, QoS and whether to retain, of each that waits now, oldest first."""
        last = 0
        with _told(self._folder):
            [end] = self._database.execute("SELECT ifnull(max(number), 0) FROM waiting").fetchone()
        while True:
            with _told(self._folder):
                rows = self._database.execute(
                    "SELECT number, room, payload, id, qos, retain FROM waiting WHERE number > ? AND number <= ?"
                    " ORDER BY number LIMIT ?",
                    (last, end, BATCH),
                ).fetchall()
            if not rows:
                return
            for number, room, payload, message_id, qos, retain in rows:
                last = number
                yield room, payload, message_id, qos, bool(retain)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise ProfileError(f"{folder}: cannot keep messages: {error}") from error
