"""The standard streams of a command: closed, full or left by their readers, and what becomes of it then."""

import errno
import os
import sys
from collections.abc import Callable
from typing import Any, TextIO, cast

from aws_iot.errors import ProfileError


def prepare() -> None:
    """Make the streams of this process such that nothing that is wrong with them can take us by surprise.

    What is told on stderr is told to whoever reads it: if nobody can, the work goes on. What is written to stdout is
    what was asked for: if it cannot be written, `ProfileError` says so.
    """
    _open_the_closed()
    for name, failed in (("stdout", _stdout_failed), ("stderr", _stderr_failed)):
        stream = getattr(sys, name)
        if stream is not None:  # as after `>&-`
            # What the terminal's encoding cannot show is shown as an escape rather than as a crash.
            stream.reconfigure(errors="backslashreplace")
            setattr(sys, name, cast(TextIO, _Watched(stream, failed)))


def _open_the_closed() -> None:
    """Else the next file or socket would be taken for a standard stream, by us or by the commands that we run."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


class _Watched:
    """A stream of which it is told when it cannot be written to."""

    def __init__(self, stream: TextIO, failed: Callable[[OSError], None]) -> None:
        self._stream = stream
        self._failed = failed

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        if text == "":  # so Click looks what stream it is, and passes over what comes of it
            return 0
        try:
            return self._stream.write(text)
        except OSError as error:
            self._failed(error)
            return len(text)

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError as error:
            self._failed(error)


def _stderr_failed(_: OSError) -> None:
    _abandon(sys.stderr)


def _stdout_failed(error: OSError) -> None:
    """Raises what is to be said of it; that somebody has read enough (`| head`) is for others to pass over."""
    if error.errno == errno.EPIPE:
        raise error
    raise stdout_failed(error) from error


def stdout_failed(error: OSError) -> ProfileError:
    """Such as a full disk behind a redirection."""
    abandon_stdout()
    return ProfileError(f"the output cannot be written: {error.strerror}")


def abandon_stdout() -> None:
    """Give up what is still buffered, over which Python would else end with an exit code of its own."""
    _abandon(sys.stdout)


def _abandon(stream: TextIO) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def need_stdout() -> None:
    """Raises `ProfileError` where there is no stdout to write to."""
    if sys.stdout is None:
        raise ProfileError("standard output is closed: what was asked for has nowhere to go")
