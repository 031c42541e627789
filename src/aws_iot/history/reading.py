"""Reading: notes which messages a person has read, for a program that must not wait."""

import sqlite3
import threading
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aws_iot.errors import LocalError
from aws_iot.history.file.journal import is_saved
from aws_iot.history.file.rows import last_place
from aws_iot.history.store import History

IDLE_SECONDS = 0.5
"""How long nothing must have been read before it is saved."""


class ReadMarker:
    """Moves the read markers of rooms, on a thread, when nothing more is read for a moment, and at the end.

    If the file cannot be changed, the markers stay: whoever saves messages reports that.
    """

    def __init__(self, path: Path) -> None:
        """`path` is the file of the history."""
        self._path = path
        self._lock = threading.Lock()
        self._read: dict[str, datetime] = {}
        self._has_work = threading.Event()
        self._is_closing = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Save what was read, and end the thread."""
        self._is_closing.set()
        self._has_work.set()
        if self._thread:
            self._thread.join()

    def note(self, read: Mapping[str, datetime]) -> None:
        """Rooms were read, each up to the message that arrived then."""
        with self._lock:
            self._read |= read
        if not self._thread:
            self._thread = threading.Thread(target=self._run, name="read markers", daemon=True)
            self._thread.start()
        self._has_work.set()

    def _run(self) -> None:
        while True:
            self._has_work.wait()
            while self._has_work.is_set() and not self._is_closing.is_set():
                self._has_work.clear()
                self._is_closing.wait(IDLE_SECONDS)
            is_last = self._is_closing.is_set()
            self._save()
            if is_last:
                return

    def _save(self) -> None:
        with self._lock:
            read, self._read = self._read, {}
        with suppress(LocalError, OSError, sqlite3.Error):
            if not read or not is_saved(self._path):
                return
            with History(self._path) as history:
                for room, received in read.items():
                    history.mark_read(room, last_place(received))
