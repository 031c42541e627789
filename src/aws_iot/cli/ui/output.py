"""The one door for output: data to stdout, words to stderr, nothing that could drive a terminal."""

import io
import os
import sys
import unicodedata
from types import TracebackType
from typing import Any, Self, TextIO

import click

from aws_iot.errors import LocalError

# Marks that reorder what is shown: unicode.org/reports/tr9. Other format characters (joined emoji need
# them) change nothing around them.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL = frozenset(("Cc", "Cs", "Zl", "Zp"))


QUIET = "aws_iot.quiet"
"""The key in Click's context under which `--quiet` is noted."""

VERBOSE = "aws_iot.verbose"
"""The same for `--verbose`."""


class _Words(io.TextIOWrapper):
    """Stderr for all who write there, Click and Python too: words that nobody can read are no reason to end."""

    # Without `suppress`: Python calls these while it ends, when there is none any more.
    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError:
            return len(text)

    def flush(self) -> None:
        try:  # noqa: SIM105
            super().flush()
        except OSError:
            pass


class _Data(io.TextIOWrapper):
    """Stdout for all who write there, Click too: raises `LocalError` or `ReaderGone` for what it does not take."""

    def write(self, text: str, /) -> int:
        need_stdout()
        try:
            return super().write(text)
        except OSError as error:
            raise _given_up(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise _given_up(error) from error


def set_up_streams() -> None:
    """Before anything is written: what a stream's encoding cannot show is shown as an escape."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _fill_descriptors()
    buffer, encoding = _under(sys.stdout, 1)
    sys.stdout = _Data(buffer, encoding, "backslashreplace", line_buffering=True)
    # Without a buffer: what was not taken would be tried again while Python ends, to exit code 120. What is under it
    # stays as it is: the disk may have room again, and commands that are run have it as theirs.
    buffer, encoding = _under(sys.stderr, 2)
    raw = getattr(buffer, "raw", buffer)  # with PYTHONUNBUFFERED there is no buffer
    sys.stderr = _Words(raw, encoding, "backslashreplace", line_buffering=True)


def _under(stream: TextIO | None, descriptor: int) -> tuple[Any, str]:
    """What a stream writes to, and its encoding; a stream that was closed at the start is None."""
    return (
        (stream.buffer, stream.encoding) if stream else (io.FileIO(descriptor, "w", closefd=False), "utf-8")
    )


def _fill_descriptors() -> None:
    """Else what is opened next, such as a connection, takes the place of a closed stream, which others write to."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def visible(text: str) -> str:
    r"""`text` on one line, with every control character shown as an escape such as \x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _CONTROL or c in _BIDI else c for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def data(line: str) -> None:
    """Print a line of data, at once: others may read it from a pipe."""
    click.echo(line)


def need_stdout() -> None:
    """Raises `LocalError` where there is none (`>&-`), before something is done of which nobody would learn."""
    if sys.__stdout__ is None:
        raise LocalError("standard output is closed: there is nowhere to print to")


class ReaderGone(Exception):
    """Whoever read stdout has seen enough (`| head`)."""


def _given_up(error: OSError) -> Exception:
    """Why stdout takes no more, such as a full disk behind a redirection; what is still buffered is given up."""
    # Else Python would end over it, with an exit code of its own.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return ReaderGone()
    return LocalError(f"the output cannot be written: {error.strerror}")


class Lines:
    """Data that is written many lines at a time: `data` would take longer than all else that is done for a line.

    They are in memory until `flush`, which leaving it does too.
    """

    def __init__(self) -> None:
        need_stdout()
        self._pending: list[bytes] = []
        self._encoding = sys.stdout.encoding
        self._errors = sys.stdout.errors or "strict"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.flush()

    def add(self, line: str | bytes) -> None:
        """One more line: text as stdout's encoding has it, bytes as they are."""
        if isinstance(line, str):
            line = line.encode(self._encoding, self._errors)
        self._pending.append(line)

    def flush(self) -> None:
        """Write what is pending; what could not be written is gone, and why is raised as by `data`."""
        pending, self._pending = self._pending, []
        if pending:
            rest = memoryview(b"\n".join([*pending, b""]))
            try:
                while rest:  # an unbuffered stdout (PYTHONUNBUFFERED) may take less than all
                    rest = rest[sys.stdout.buffer.write(rest) :]
                sys.stdout.buffer.flush()
            except OSError as error:
                raise _given_up(error) from error


def info(line: str) -> None:
    """Tell the person something; `--quiet` hides it."""
    context = click.get_current_context(silent=True)
    if not (context and context.meta.get(QUIET)):
        error(line)


def error(line: str) -> None:
    """Tell the person what went wrong, which `--quiet` does not hide."""
    click.echo(visible(line), err=True)
