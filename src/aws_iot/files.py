"""Files: written completely or not at all so that only their owner can read them, and read with a limit.

Every function raises `LocalError`, which names the file, if the system refuses.
"""

import io
import os
import re
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from aws_iot.errors import LocalError
from aws_iot.streams import CHUNK_BYTES, WaitingStream, read_up_to

MAX_FILE_BYTES = 4 * 1024 * 1024
"""No file that is read as a whole is nearly as large. A larger one is another file, named by mistake."""

FILE_POLL_SECONDS = 0.02
"""How often to look again at a lock, or at a pipe that no program writes to."""

LOCK_SECONDS = 10.0
"""How long to wait for a lock. A program that holds it longer will probably not release it."""


def write_private(path: Path, data: bytes) -> None:
    """Replace `path` by a file of mode 0600 with this content, as `writing_private` does."""
    with writing_private(path) as file:
        file.write(data)


@contextmanager
def writing_private(path: Path) -> Iterator[BinaryIO]:
    """Replace `path` by a file of mode 0600 with what is written, unless that fails.

    A reader sees the old file or the new one, never a part; so does the next program after a crash. Missing folders
    are created, and only their owner can read them.
    """
    with _translate_errors(path, "written"):
        make_private(path.parent)
        unfinished = path.parent / f".{path.name}.{os.urandom(8).hex()}.tmp"
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(path)
        except BaseException:
            unfinished.unlink(missing_ok=True)
            raise


def read(path: Path) -> bytes | None:
    """The content of the file; None if it does not exist. Raises `LocalError` if it exceeds `MAX_FILE_BYTES`."""
    with _translate_errors(path, "read"):
        try:
            with opened(path) as stream:
                data = read_up_to(stream, MAX_FILE_BYTES + 1)
        except FileNotFoundError:
            return None
    if len(data) > MAX_FILE_BYTES:
        raise LocalError(f"{path}: cannot be read: it is longer than {MAX_FILE_BYTES:,} bytes")
    return data


@contextmanager
def opened(path: Path, pipe_seconds: float | None = None) -> Iterator[WaitingStream]:
    """A file to read from. Raises `OSError`, and `LocalError` for what is no file: it might never end.

    With `pipe_seconds`, it may be a named pipe that another program has open, or opens within that time. What the
    program was started with is always a file: `/dev/stdin`, and `<(command)` of a shell.
    """
    if inherited := re.fullmatch(r"/dev/(stdin|fd/[0-9]+)|/proc/self/fd/[0-9]+", str(path)):
        # Opened by its name, a pipe would look the same before its program writes and after it has ended.
        handle = os.dup(0 if inherited[1] == "stdin" else int(path.name))
    else:
        handle = os.open(path, _READING)
    try:
        mode = os.fstat(handle).st_mode
        is_file = bool(inherited) or stat.S_ISREG(mode)
        if not (is_file or (pipe_seconds is not None and stat.S_ISFIFO(mode))):
            raise _no_file(path, mode)
        raw = io.FileIO(handle)
    except BaseException:
        os.close(handle)
        raise
    with raw:
        yield WaitingStream(raw, b"" if is_file else _first_of_pipe(path, raw, pipe_seconds or 0))


_READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Without waiting for a program that writes to a pipe."""


def _first_of_pipe(path: Path, raw: io.FileIO, seconds: float) -> bytes:
    """What is in the pipe, as soon as a program has it open for writing."""
    ends = time.monotonic() + seconds
    while (data := raw.read(CHUNK_BYTES)) == b"":
        if time.monotonic() > ends:
            raise LocalError(
                f"{path}: cannot be read: it is a pipe that no program writes to",
                hint=f"To wait for a program, let the shell open the pipe: aws-iot … < {path}",
            )
        time.sleep(FILE_POLL_SECONDS)
    return data or b""


def _no_file(path: Path, mode: int) -> LocalError:
    kind = "folder" if stat.S_ISDIR(mode) else "pipe" if stat.S_ISFIFO(mode) else "device"
    return LocalError(f"{path}: cannot be read: it is a {kind}, not a file")


def protect(path: Path) -> bool:
    """Take the permission to read the file from other users; whether any had it."""
    with suppress(OSError):
        if is_open_to_others(path.stat()):
            path.chmod(0o600)
            return True
    return False


def is_open_to_others(status: os.stat_result, *, has_modes: bool = os.name == "posix") -> bool:
    """Whether users other than the owner may read or write the file. On Windows, its folders decide that."""
    return has_modes and bool(status.st_mode & (stat.S_IRGRP | stat.S_IWGRP | stat.S_IROTH | stat.S_IWOTH))


def parsed(data: bytes | str | None) -> Any:
    """The JSON value; None if there is none, or if it is damaged: no JSON, or nested too deeply."""
    import json  # here: not every command that uses files needs it

    try:
        return json.loads(data or b"null")
    except (ValueError, RecursionError):
        return None


def delete(path: Path) -> bool:
    """Remove the file; whether it existed."""
    with _translate_errors(path, "removed"):
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        return True


def names(folder: Path) -> list[str]:
    """The names of the files and folders in it, in alphabetical order; empty if it does not exist."""
    with _translate_errors(folder, "read"):
        try:
            return sorted(os.listdir(folder))  # noqa: PTH208 names, not paths
        except FileNotFoundError:
            return []


def make_private(folder: Path) -> None:
    """Create the folder and its missing parents, so that only their owner can read them.

    The mode of an existing folder does not change.
    """
    # `parents=True` would set the mode of the last folder only.
    for missing in reversed([f for f in (folder, *folder.parents) if not f.exists()]):
        missing.mkdir(mode=0o700, exist_ok=True)


def tighten(folder: Path) -> None:
    """Let only the owner read the folder and what is in it, which another program may have written."""
    with _translate_errors(folder, "changed"):
        folder.chmod(0o700)
        for path in folder.rglob("*"):
            path.chmod(0o700 if path.is_dir() else 0o600)


@contextmanager
def exclusive(
    folder: Path, seconds: float = LOCK_SECONDS, name: str = ".lock", *, temporary: bool = False
) -> Iterator[bool]:
    """Hold a lock in `folder` against other processes, after waiting up to `seconds` for it; whether that worked.

    The system releases the lock when the process ends, even if it is killed. The file of a `temporary` lock is
    removed at the end of the block.
    """
    path, deadline = folder / name, time.monotonic() + seconds
    with ExitStack() as opened, _translate_errors(folder, "locked"):
        make_private(folder)
        while not (held := _hold(path, opened)) and time.monotonic() < deadline:
            time.sleep(FILE_POLL_SECONDS)
        locked = opened.pop_all()
    is_removed = held and temporary
    try:
        with locked:
            try:
                yield held
            finally:
                if is_removed and sys.platform != "win32":
                    with suppress(OSError):
                        path.unlink()
    finally:
        if is_removed and sys.platform == "win32":  # which removes no file that a program has open
            with suppress(OSError):
                path.unlink()


def is_locked(folder: Path, name: str = ".lock") -> bool:
    """Whether a process holds this lock of `exclusive` now. Processes that ask at the same time get the same answer."""
    path = folder / name
    with _translate_errors(folder, "read"), ExitStack() as opened:
        try:
            handle = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return False
        opened.callback(os.close, handle)
        return not _try_shared_lock(handle)


def _hold(path: Path, opened: ExitStack) -> bool:
    with ExitStack() as closing:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        closing.callback(os.close, handle)
        held = _try_lock(handle) and _is(handle, path)
        if held:
            opened.push(closing.pop_all())
    return held


def _is(handle: int, path: Path) -> bool:
    """Whether the path still names this file: the last holder of the lock may have removed it."""
    try:
        return os.path.samestat(os.fstat(handle), path.stat())
    except FileNotFoundError:
        return False


@contextmanager
def _translate_errors(path: Path, done: str) -> Iterator[None]:
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

    def _try_shared_lock(descriptor: int) -> bool:
        # The locks of msvcrt are never shared. Other programs that ask hold theirs for an instant only.
        ends = time.monotonic() + 0.1
        while not (held := _try_lock(descriptor)) and time.monotonic() < ends:
            time.sleep(0.01)
        return held
else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _try_shared_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
