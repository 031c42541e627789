"""Sorter: sorts in what a program has saved, on a thread, while the program has time for it."""

import math
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from aws_iot.errors import LocalError
from aws_iot.history.file.journal import Journal, unsorted_bytes

IDLE_SECONDS = 0.3
"""How long nothing must have been saved before anything is sorted in."""

LONG_BYTES = 4 * 1024 * 1024
"""Size of the journals from which on they are sorted in while messages arrive, if those leave time for it."""

LONGEST_BYTES = 256 * 1024 * 1024
"""Size from which on they are sorted in at any time: about a million messages, and half a minute of work."""

BUSY_SECONDS = 0.5
"""How long one try to sort in waits for programs that write. The end of this program waits for it."""

TIDY_SECONDS = 3_600.0
"""How often a program that saves for long deletes what the limits of the profile no longer allow."""

HURRIED_MESSAGES = 300
"""Number of messages saved within `IDLE_SECONDS` that show that the program needs all its time for them."""


class Sorter:
    """Sorts in the journal of this program, and those of programs that have ended. The thread starts when it is needed.

    Programs that end soon do not load SQLite.
    """

    def __init__(
        self,
        path: Path,
        identity: str,
        journal: Journal,
        now: Callable[[], datetime],
        tidy: Callable[[], None] | None = None,
    ) -> None:
        """`path` is the database of this identity. `tidy` is called when all is sorted in, once in `TIDY_SECONDS`."""
        self._path = path
        self._identity = identity
        self._journal = journal
        self._now = now
        self._tidy = tidy
        self._tidied = -math.inf
        self.problems: list[LocalError] = []
        """What is still to be reported to the user."""
        self._thread: threading.Thread | None = None
        self._lull = _Lull(path)

    def note_saved(self, messages: int) -> None:
        """So many `messages` were saved at once."""
        if not self._thread:
            self._thread = threading.Thread(target=self._run, name="history", daemon=True)
            self._thread.start()
        self._lull.note_saved(messages)

    def close(self) -> None:
        """End the thread, after the transaction that it is in."""
        self._lull.end()
        if self._thread:
            self._thread.join()

    def _run(self) -> None:
        has_failed = False
        while self._lull.wait():
            try:
                self._sort()
            except LocalError as error:
                # Nothing is lost: the journals have it, and the next message tries again.
                if not has_failed:
                    self.problems.append(error)
                has_failed = True

    def _sort(self) -> None:
        """Sort in until it is done, or until there is no time left. Raises `LocalError` if it cannot be done."""
        from aws_iot.history.file.intake import sort_in
        from aws_iot.history.file.schema import (
            HistoryBusy,
            HistoryDamaged,
            begin_anew,
            connect,
            translate_errors,
        )

        try:
            database = connect(self._path, self._identity, BUSY_SECONDS)
            try:
                with translate_errors(self._path, database):
                    for _ in sort_in(database, self._path, self._journal, with_others=False):
                        if not self._lull.lasts:
                            self._lull.ask()
                            return
            finally:
                database.close()
            self._tidy_if_due()
        except HistoryBusy:
            self._lull.ask()
        except HistoryDamaged as error:
            self.problems.append(begin_anew(error, self._path, self._now()))
            self._lull.ask()

    def _tidy_if_due(self) -> None:
        if self._tidy and time.monotonic() - self._tidied >= TIDY_SECONDS:
            self._tidied = time.monotonic()
            self._tidy()


class _Lull:
    """When the program has time for what is to be sorted in. The thread that sorts waits for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_wanted = threading.Event()
        self._is_over = threading.Event()
        self._saved = 0
        self._saved_before = 0

    def note_saved(self, messages: int) -> None:
        """So many `messages` were saved at once."""
        self._saved += messages
        if not self._is_wanted.is_set():
            self._is_wanted.set()

    def ask(self) -> None:
        """Something is still to be sorted in."""
        self._is_wanted.set()

    def end(self) -> None:
        """There is no time any more, and the wait ends."""
        self._is_over.set()
        self._is_wanted.set()

    def wait(self) -> bool:
        """Wait until there is something to sort in, and time for it; False at the end."""
        while not self._is_over.is_set():
            self._is_wanted.wait()
            self._is_wanted.clear()
            self._saved_before = self._saved
            self._is_over.wait(IDLE_SECONDS)
            if self._has_time():
                self._saved_before = self._saved
                return not self._is_over.is_set()
            self._is_wanted.set()
        return False

    @property
    def lasts(self) -> bool:
        """Whether there is still time."""
        return not self._is_over.is_set() and self._has_time()

    def _has_time(self) -> bool:
        """Whether nothing was saved meanwhile, or so much that it must be sorted in nevertheless."""
        meanwhile = self._saved - self._saved_before
        if not meanwhile:
            return True
        return unsorted_bytes(self._path) >= (LONGEST_BYTES if meanwhile >= HURRIED_MESSAGES else LONG_BYTES)
