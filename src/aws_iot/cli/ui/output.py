"""All output: data to stdout, status to stderr, and nothing that could control a terminal."""

import io
import os
import re
import sys
import unicodedata
from types import TracebackType
from typing import Any, Self, TextIO

import click

from aws_iot.cli.ui.colors import Role, is_on, paint
from aws_iot.errors import AwsIotError, LocalError
from aws_iot.streams import WaitingStream, WaitingWriter, unbuffered

# Marks that reorder the text around them: unicode.org/reports/tr9. Other format characters do not, and joined
# emoji need them.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL = frozenset(("Cc", "Cs", "Zl", "Zp"))

MOST_MARKS = 4
"""More marks on one character (unicode.org/reports/tr39, section 5.4) would cover the lines above and below it."""

SHORT = 20
"""Shorter lines fit every terminal."""

QUIET = "aws_iot.quiet"
"""The key for `--quiet` in the metadata of Click's context."""

VERBOSE = "aws_iot.verbose"
"""The same for `--verbose`."""


_BROKEN = "aws_iot.broken"
"""Whether `break_line` has been called."""


class _Status(io.TextIOWrapper):
    """Stderr, for Click and Python too. A status message that cannot be written is no reason to stop."""

    # Not `suppress`: Python calls these at exit, when it may no longer exist.
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
    """Stdout, for Click too. Raises `LocalError` or `ReaderGone` if it cannot be written to."""

    def write(self, text: str, /) -> int:
        need_stdout()
        try:
            return super().write(text)
        except OSError as error:
            raise _discard_output(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise _discard_output(error) from error


def set_up_streams() -> None:
    """Prepare the standard streams before anything is read or written. Each waits if it is non-blocking.

    Characters outside the encoding of stdout or stderr become escapes.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _fill_descriptors()
    if sys.stdin is not None and not sys.stdin.isatty():
        stdin, raw = sys.stdin, WaitingStream(unbuffered(sys.stdin))
        sys.stdin = io.TextIOWrapper(io.BufferedReader(raw), stdin.encoding, stdin.errors)
    file, encoding = _under(sys.stdout, 1)
    sys.stdout = _Data(WaitingWriter(file), encoding, "backslashreplace", line_buffering=True)
    # Without a buffer: Python would try at exit to write what failed before, and exit with 120. The descriptor stays
    # open: the disk may have space again later, and child processes inherit it.
    file, encoding = _under(sys.stderr, 2)
    sys.stderr = _Status(WaitingStream(file), encoding, "backslashreplace", line_buffering=True)


def _under(stream: TextIO | None, descriptor: int) -> tuple[Any, str]:
    """The raw file of a stream, and its encoding. The stream is None if it was closed at the start."""
    if stream is None:
        return io.FileIO(descriptor, "w", closefd=False), "utf-8"
    return unbuffered(stream), stream.encoding


def _fill_descriptors() -> None:
    """Open the closed standard streams, so that no connection takes the place of one that Python writes to."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(descriptor, True)
    os.close(descriptor)


def visible(text: str) -> str:
    r"""`text` on one line, with every control character as an escape such as \x1b."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for character in text:
        category = unicodedata.category(character)
        # The others, which have the class 0, are not put above or below one another.
        marks = marks + 1 if category == "Me" or unicodedata.combining(character) else 0
        is_shown = category not in _CONTROL and character not in _BIDI and marks <= MOST_MARKS
        shown.append(character if is_shown else escape(character))
    return "".join(shown)


def escape(character: str) -> str:
    r"""The escape of a character, such as \x1b."""
    return character.encode("unicode_escape", "surrogatepass").decode()


def data(line: str) -> None:
    """Print a line of data at once, for programs that read it from a pipe."""
    click.echo(line, color=is_on() or None)


def need_stdout() -> None:
    """Raise `LocalError` if stdout is closed (`>&-`), before something is done whose result would be lost."""
    if sys.__stdout__ is None:
        raise LocalError("standard output is closed")


class ReaderGone(Exception):
    """The program that reads stdout has ended, such as `head`."""


def _discard_output(error: OSError) -> Exception:
    """Discard what is buffered for stdout, and return the error to raise, such as for a full disk."""
    # Otherwise Python would try to write it at exit, and set its own exit code.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if isinstance(error, BrokenPipeError):
        return ReaderGone()
    return LocalError(f"cannot write to standard output: {error.strerror}")


class Lines:
    """Data that is written many lines at a time. Writing each line with `data` would take most of the time.

    Lines are kept in memory until `flush`, or until the `with` block ends.
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
        """Add a line: text in the encoding of stdout, or bytes unchanged."""
        if isinstance(line, str):
            line = line.encode(self._encoding, self._errors)
        self._pending.append(line)

    def encodable(self, line: str) -> str:
        """The line as `add` will write it, with escapes for the characters that stdout's encoding lacks."""
        return line.encode(self._encoding, self._errors).decode(self._encoding)

    def flush(self) -> None:
        """Write the lines. If that fails, they are lost; raises what `data` raises."""
        pending, self._pending = self._pending, []
        if pending:
            try:
                sys.stdout.buffer.write(b"\n".join([*pending, b""]))
                sys.stdout.buffer.flush()
            except OSError as error:
                raise _discard_output(error) from error


def info(line: str, role: Role | None = None, hang: str = "") -> None:
    """Print a status message, which `--quiet` hides. `role` is what its beginning means, up to a colon or semicolon.

    `hang` begins its further lines on a terminal.
    """
    if not is_quiet():
        error(line, role, hang)


def break_line() -> None:
    """End the line in which the terminal shows `^C`, once, before what follows, if only the shell's prompt."""
    context = click.get_current_context(silent=True)
    is_done = context is not None and context.meta.setdefault(_BROKEN, False)
    if sys.stderr.isatty() and not is_done:
        click.echo(err=True)
    if context:
        context.meta[_BROKEN] = True


def is_quiet() -> bool:
    """Whether the running command has `--quiet`."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(QUIET))


def is_verbose() -> bool:
    """Whether the running command has `--verbose`."""
    context = click.get_current_context(silent=True)
    return bool(context and context.meta.get(VERBOSE))


def failure(failed: AwsIotError) -> None:
    """Print an error that gives the command its exit code, and what can be done about it."""
    error(f"Error: {failed}")
    hints(failed)


def hints(failed: AwsIotError) -> None:
    """Print what can be done about this error, each thing on a line of its own."""
    for line in (failed.hint or "").splitlines():
        hint(line)


def hint(line: str) -> None:
    """Print what can be done about an error."""
    error(line, Role.HINT)


def error(line: str, role: Role | None = None, hang: str = "") -> None:
    """Print an error, which `--quiet` does not hide. `role` and `hang` as of `info`; `Error:` has its own role."""
    line = visible(line)
    colored = is_on(sys.stderr)
    if columns := _columns_if_longer(line):
        from aws_iot.cli.ui.wrapping import LESS, fit  # here: most lines are short

        # Nothing that the line quotes may begin another line at the left edge.
        line = "\n".join(fit(line, columns, hang=hang or ("" if line.startswith(" ") else LESS)))
    if colored:
        line = _painted(line, role)
    click.echo(line, err=True, color=colored)


def _columns_if_longer(line: str) -> int | None:
    """The terminal's width, if the line does not fit."""
    if len(line) < SHORT or not sys.stderr.isatty():
        return None
    from aws_iot.cli.ui.width import display_width
    from aws_iot.cli.ui.wrapping import columns_of

    columns = columns_of(sys.stderr)
    return columns if columns and display_width(line) > columns else None


def _painted(line: str, role: Role | None) -> str:
    if line.startswith("Error:"):
        return paint("Error:", Role.ERROR) + line.removeprefix("Error:")
    if role is None:
        return line
    start = line if role is Role.HINT else re.split("[:;]", line, maxsplit=1)[0]
    return paint(start, role) + line[len(start) :]
