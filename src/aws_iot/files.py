"""Files that are written whole or not at all, and that only their owner can read.

What the system refuses is raised as `LocalError`, naming the file.
"""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from aws_iot.errors import LocalError

LOCK_SECONDS = 10.0
"""How long a lock is waited for; those who hold one for longer hold it for good."""


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` by a file of mode 0600 that holds `data`.

    A reader, or a crash at any moment, sees the old file or the new one, never part of one.
    Missing folders are made, readable by their owner only.
    """
    with _told(path, "written"):
        make_private(path.parent)
        unfinished = path.parent / f".{path.name}.{os.urandom(8).hex()}.tmp"
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def read(path: Path) -> bytes | None:
    """What the file holds; None if there is none."""
    with _told(path, "read"):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None


def delete(path: Path) -> bool:
    """Remove the file; whether there was one."""
    with _told(path, "removed"):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        return True


def names(folder: Path) -> list[str]:
    """The names of what is in the folder, in alphabetical order; none if there is no folder."""
    with _told(folder, "read"):
        try:
            return sorted(os.listdir(folder))  # noqa: PTH208 names, not paths
        except FileNotFoundError:
            return []


def make_private(folder: Path) -> None:
    """Make it and what is missing above it, readable by their owner only; a folder that is there stays as it is."""
    # mkdir's `parents` would give the mode to the last folder only.
    for missing in reversed([f for f in (folder, *folder.parents) if not f.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def exclusive(
    folder: Path, seconds: float = LOCK_SECONDS, name: str = ".lock", *, passing: bool = False
) -> Iterator[bool]:
    """Hold a lock in `folder` against other processes, waiting `seconds` for it; whether it is held.

    The system releases it when the process ends, however it ends. The file of a `passing` lock is gone with it.
    """
    path, deadline = folder / name, time.monotonic() + seconds
    with ExitStack() as opened, _told(folder, "locked"):
        make_private(folder)
        while not (held := _hold(path, opened)) and time.monotonic() < deadline:
            time.sleep(0.02)
        locked = opened.pop_all()
    with locked:
        try:
            yield held
        finally:
            if held and passing:
                with suppress(OSError):  # Windows removes no file that is open
                    path.unlink()


def _hold(path: Path, opened: ExitStack) -> bool:
    with ExitStack() as closing:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        closing.callback(os.close, handle)
        held = _try_lock(handle) and _is(handle, path)
        if held:
            opened.push(closing.pop_all())
    return held


def _is(handle: int, path: Path) -> bool:
    """Whether the path still leads to this file: who held the lock may have removed it meanwhile."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _told(path: Path, done: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise LocalError(f"{path}: cannot be {done}: {error.strerror}") from error


if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
