"""Journal: what a program has saved and no program has sorted in yet, in files beside the database.

Each program appends to a file of its own, which costs a tenth of a statement of SQLite. It locks the file for as long
as it appends. So a program that can lock a journal knows that no other one uses it, and may append to it or remove it.

An entry is one line (see `record.py`). The end of a line is written before it: so an entry that a killed program
or a full disk has cut off ends at the next one.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from threading import Lock

from aws_iot.errors import LocalError
from aws_iot.files import exclusive

_ENDING = ".1.journal"
"""The number is that of the form of the entries. A version with another form leaves such files alone, or reads both."""

LARGEST_BYTES = 4 * 1024 * 1024
"""Size from which on a program begins another journal, so that this one can be removed once it is sorted in."""


class Journal:
    """Appends entries for a database. One thread appends and closes; another one may call `is_at` and `retire`."""

    def __init__(self, database: Path, *, is_safe: bool = False) -> None:
        """With `is_safe`, what was appended survives a power failure."""
        self._database = database
        self._is_safe = is_safe
        self._lock = Lock()
        self._path: Path | None = None
        self._file = -1
        self._size = 0
        self._locked = ExitStack()

    def append(self, entry: bytes) -> None:
        """Append an entry. When this returns, it survives the end of the process, even by SIGKILL.

        Raises `OSError` and `LocalError`.
        """
        data = memoryview(b"\n" + entry)
        with self._lock:
            if self._path is None:
                self._open()
            self._size += len(data)
            while data:
                data = data[os.write(self._file, data) :]
            if self._is_safe:
                os.fsync(self._file)
            if self._size >= LARGEST_BYTES:
                self._close()

    def close(self) -> None:
        """Let others have the file, if there is one."""
        with self._lock:
            self._close()

    def is_at(self, path: Path) -> bool:
        """Whether this is the file to which entries are appended now."""
        return path == self._path

    def retire(self, path: Path, size: int) -> None:
        """Remove this file, whose first `size` bytes are sorted in, unless more was appended."""
        with self._lock:
            if path == self._path and size == self._size:
                self._close(removing=True)

    def leave_removed(self) -> None:
        """Append to another file from now on if somebody has removed this one, perhaps with its folder."""
        with self._lock:
            if self._path and not self._path.exists():
                self._close()

    def _open(self) -> None:
        for path in journals(self._database):
            if self._open_unused(path):
                return
        name = f"{self._database.name}.{os.urandom(8).hex()}{_ENDING}"
        self._open_unused(self._database.with_name(name), os.O_CREAT | os.O_EXCL)

    def _open_unused(self, path: Path, flags: int = 0) -> bool:
        """Open a journal if no other program appends to it; whether that worked."""
        with ExitStack() as locked:
            if not locked.enter_context(unused(path)):
                return False
            binary = getattr(os, "O_BINARY", 0)
            try:
                file = os.open(path, os.O_WRONLY | os.O_APPEND | binary | flags, 0o600)
            except FileNotFoundError:  # sorted in and removed by another program
                return False
            size = os.fstat(file).st_size
            if size >= LARGEST_BYTES:
                os.close(file)
                return False
            self._path, self._file, self._size = path, file, size
            self._locked = locked.pop_all()
            return True

    def _close(self, *, removing: bool = False) -> None:
        path, self._path = self._path, None
        with self._locked:
            if path:
                os.close(self._file)  # first: Windows cannot remove an open file
                if removing:  # while it is locked, or the next program may have appended to it
                    path.unlink(missing_ok=True)


def journals(database: Path) -> list[Path]:
    """The journals of a database, oldest first."""
    return [path for _, _, path in sorted(_found(database))]


def is_saved(database: Path) -> bool:
    """Whether anything was saved, sorted in or not."""
    return database.exists() or bool(journals(database))


def unsorted_bytes(database: Path) -> int:
    """About how much there is to sort in."""
    return sum(size for _, size, _ in _found(database))


def _found(database: Path) -> Iterator[tuple[int, int, Path]]:
    """The journals of a database, each with the time of its last entry and its size."""
    for path in database.parent.glob(f"{database.name}.*{_ENDING}"):
        with suppress(FileNotFoundError):  # removed by another program
            status = path.stat()
            yield status.st_mtime_ns, status.st_size, path


@contextmanager
def unused(journal: Path) -> Iterator[bool]:
    """Keep other programs from appending to a journal; whether none does."""
    with exclusive(journal.parent, 0, f"{journal.name}.lock", temporary=True) as held:
        yield held


def lines(journal: Path, start: int) -> Iterator[tuple[int, bytes]]:
    """The lines from this position on, each with the position at which it ends. Raises `LocalError`.

    The last one may be incomplete; it has no line end.
    """
    try:
        with journal.open("rb") as file:
            file.seek(start)
            for line in file:
                start += len(line)
                yield start, line
    except FileNotFoundError:
        return
    except OSError as error:
        raise LocalError(f"{journal}: cannot be read: {error.strerror}") from error
