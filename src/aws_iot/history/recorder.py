"""Recorder: saves messages as they are received or sent, for a program that must not wait.

`flush` writes what was added as one row of the queue. That is a single statement of SQLite for up to fifty messages,
which costs less than handing it to another thread would. Sorting in (see `file/intake.py`) takes ten times as long. A
thread does it while no messages arrive, or when the queue has become long.
"""

import math
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aws_iot.errors import LocalError
from aws_iot.history.file.intake import Intake, new_writer
from aws_iot.history.file.record import to_queue
from aws_iot.history.file.schema import (
    HistoryDamaged,
    HistoryTooNew,
    connect,
    set_aside,
    translate_errors,
)
from aws_iot.messaging.message import Message

IDLE_SECONDS = 0.3
"""How long nothing must have been saved before the queue is sorted in."""

TIDY_SECONDS = 3_600.0
"""How often a program that saves for long deletes what the person wants to keep no longer."""

LONGEST_QUEUE = 1_000
"""Number of batches from which on the queue is sorted in even while messages arrive."""

BUSY_SECONDS = 5.0
"""How long to wait while another program writes, before saving is given up."""


class Recorder:
    """Saves messages in the history of an identity. One thread uses it, as a context manager.

    When `flush` returns, what was added before survives the end of the process, even by SIGKILL. With `is_safe`, it
    survives a power failure too. Nothing here ever raises: if the file cannot be used, `warn` is called once with the
    reason, and messages are then not saved. If the file is damaged, it is set aside, `warn` is called with that, and
    a new one is begun.
    """

    def __init__(
        self,
        path: Path,
        identity: str,
        warn: Callable[[LocalError], None],
        now: Callable[[], datetime],
        *,
        is_safe: bool = False,
        tidy: Callable[[], None] | None = None,
    ) -> None:
        """`path` is the file of the identity: see `history_file`.

        `tidy` is called on a thread while no messages arrive, but at most once in `TIDY_SECONDS`.
        """
        self._path = path
        self._identity = identity
        self._warn = warn
        self._now = now
        self._is_safe = is_safe
        self._tidy = tidy
        self._writer = new_writer()
        self._added: list[Message] = []
        self.add = self._added.append
        """Save a message with the next `flush`."""
        self._database: sqlite3.Connection | None = None
        self._sorter: _Sorter | None = None

    def __enter__(self) -> Self:
        self._trying(self._open)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.flush()
        finally:
            self._close()

    def flush(self) -> None:
        """Save what was added."""
        if self._added and self._database:
            self._trying(self._save)
        self._added.clear()

    def _save(self) -> None:
        assert self._sorter
        if not self._sorter.is_current():  # the file was repaired, or somebody deleted it
            self._close()
            self._open()
        assert self._database
        assert self._sorter
        self._database.execute(
            "INSERT INTO queue (writer, messages) VALUES (?, ?)", (self._writer, to_queue(self._added))
        )
        self._sorter.note_saved()

    def _open(self) -> None:
        self._database = connect(self._path, self._identity, BUSY_SECONDS)
        # Moving the log into the file takes long on a slow disk. The thread does it when it sorts in.
        self._database.execute("PRAGMA wal_autocheckpoint = 4000")
        if self._is_safe:
            self._database.execute("PRAGMA synchronous = FULL")
        self._sorter = _Sorter(self._path, self._tidy)

    def _trying(self, action: Callable[[], None]) -> None:
        try:
            with translate_errors(self._path):
                action()
        except HistoryDamaged as error:
            self._begin_anew(error)
        except LocalError as error:
            self._give_up(error)

    def _begin_anew(self, damage: HistoryDamaged) -> None:
        self._close()
        try:
            aside = set_aside(self._path, self._now())
            self._warn(HistoryDamaged(f"{damage}: a new history begins, and the old file is now {aside}"))
            with translate_errors(self._path):
                self._open()
                if self._added:
                    self._save()
        except LocalError as error:
            self._give_up(error)

    def _give_up(self, error: LocalError) -> None:
        self._close()
        if isinstance(error, HistoryTooNew):
            self._warn(error)
        else:
            self._warn(LocalError(f"{error}; messages are not saved from now on"))

    def _close(self) -> None:
        if self._sorter:
            self._sorter.close()
        if self._database:
            with suppress(sqlite3.Error):
                self._database.close()
        self._sorter = self._database = None


def _identity_of(path: Path) -> tuple[int, int] | None:
    """What tells this file from another one of the same name."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


class _Sorter:
    """Sorts the queue in, on a thread that starts with the first message."""

    def __init__(self, path: Path, tidy: Callable[[], None] | None) -> None:
        self._path = path
        self._tidy = tidy
        self._tidied = -math.inf
        self._thread: threading.Thread | None = None
        self._has_work = threading.Event()
        self._is_closing = threading.Event()
        self._saved = 0
        self._file = _identity_of(path)

    def is_current(self) -> bool:
        """Whether the path still names the file that it named."""
        return self._file == _identity_of(self._path)

    def note_saved(self) -> None:
        """A batch was saved."""
        self._saved += 1
        if not self._thread:
            self._thread = threading.Thread(target=self._run, name="history", daemon=True)
            self._thread.start()
        if not self._has_work.is_set():
            self._has_work.set()

    def close(self) -> None:
        """End the thread, after the transaction that it is in."""
        self._is_closing.set()
        if self._thread:
            self._has_work.set()
            self._thread.join()

    def _run(self) -> None:
        with suppress(LocalError, sqlite3.Error):  # whoever saves or reads next gets it too, and reports it
            database = connect(self._path)
            try:
                self._sort(database, Intake(database))
            finally:
                database.close()

    def _sort(self, database: sqlite3.Connection, intake: Intake) -> None:
        while not self._is_closing.is_set():
            self._has_work.wait()
            self._has_work.clear()
            before = self._saved
            self._is_closing.wait(IDLE_SECONDS)
            if self._saved != before:
                self._has_work.set()
            is_more = True
            while is_more and not self._is_closing.is_set() and (self._saved == before or _is_long(database)):
                is_more = intake.sort_in()
            if not is_more and self._saved == before:
                self._tidy_if_due()

    def _tidy_if_due(self) -> None:
        if self._tidy and time.monotonic() - self._tidied >= TIDY_SECONDS:
            self._tidied = time.monotonic()
            with suppress(LocalError):  # the next time, perhaps
                self._tidy()


def _is_long(database: sqlite3.Connection) -> bool:
    [length] = database.execute("SELECT ifnull(max(number) - min(number), 0) FROM queue").fetchone()
    return bool(length >= LONGEST_QUEUE)
