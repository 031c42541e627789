"""Recorder: saves messages as they are received or sent, for a program that must not wait.

`flush` appends what was added to a journal, and touches no database. Sorting in (see `file/intake.py`) takes ten times
as long. A thread does it while the program has time for it.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from aws_iot.errors import LocalError
from aws_iot.history.file.journal import Journal
from aws_iot.history.file.record import new_writer, to_entry
from aws_iot.history.saving.sorter import Sorter
from aws_iot.messaging.message import Message


class Recorder:
    """Saves messages in the history of an identity. One thread uses it, as a context manager, or calls `close`.

    When `flush` returns, what was added before survives the end of the process, even by SIGKILL. With `is_safe`, it
    survives a power failure too. Nothing here ever raises: if it cannot be saved, `warn` is called once with the
    reason, and messages are then not saved. If the database is damaged, it is set aside, `warn` is called with that,
    and a new one is begun.
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

        `tidy` is called on a thread while no messages arrive, but seldom.
        """
        self._path = path
        self._warn = warn
        self._writer = new_writer()
        self._added: list[Message] = []
        self.add = self._added.append
        """Save a message with the next `flush`. Any thread may call it."""
        self._journal: Journal | None = Journal(path, is_safe=is_safe)
        self._sorter = Sorter(path, identity, self._journal, now, tidy)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def is_saving(self) -> bool:
        """Whether what is added is saved: False after a failure."""
        return self._journal is not None

    def close(self) -> None:
        """Save what was added, and nothing from now on."""
        self.flush()
        self._sorter.close()
        self._report()
        if self._journal:
            self._journal.close()
            self._journal = None

    def flush(self) -> None:
        """Save what was added."""
        if added := self._added[:]:
            del self._added[: len(added)]  # first: Ctrl-C at any moment must not save anything twice
            if self._journal:
                self._save(self._journal, added)
        self._report()

    def _save(self, journal: Journal, added: list[Message]) -> None:
        try:
            journal.append(to_entry(added, self._writer))
        except (OSError, LocalError) as error:
            reason = error if isinstance(error, LocalError) else f"{self._path.parent}: {error.strerror}"
            journal.close()
            self._journal = None
            self._warn(LocalError(f"{reason}: messages are not saved from now on"))
        else:
            self._sorter.note_saved(len(added))

    def _report(self) -> None:
        while self._sorter.problems:
            self._warn(self._sorter.problems.pop())
