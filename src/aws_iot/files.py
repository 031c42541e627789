"""Files that are written whole or not at all, and that only their owner can read."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_iot.errors import ProfileError


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` by a file of mode 0600 that holds `data`.

    A reader, or a crash at any moment, sees the old file or the new one, never part of one.
    Missing folders are made, readable by their owner only. Raises `ProfileError`.
    """
    with _told(path):
        _make_private(path.parent)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".", suffix=".tmp")  # mkstemp makes it 0600
        unfinished = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of `folder` against other processes, waiting for it as long as it takes.

    The system releases it when the process ends, however it ends. Raises `ProfileError`.
    """
    with _told(folder):
        _make_private(folder)
        file = (folder / ".lock").open("a+b")
    with file:
        _lock(file.fileno())
        yield


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ProfileError(f"{path}: cannot be written: {error.strerror}") from error


def _make_private(folder: Path) -> None:
    # mkdir's `parents` would give the mode to the last folder only.
    for missing in reversed([f for f in (folder, *folder.parents) if not f.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        while True:
            try:
                msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
            except OSError:  # LK_LOCK gives up after ten tries, a second apart
                continue
            return
else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
