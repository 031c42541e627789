"""The one door for output: data to stdout, words to stderr, nothing that could drive a terminal."""

import sys
import unicodedata
from types import TracebackType
from typing import Self

import click

from aws_iot.cli.streams import need_stdout, stdout_failed

# Marks that reorder what is shown: unicode.org/reports/tr9. Other format characters (joined emoji need
# them) change nothing around them.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_CONTROL = frozenset(("Cc", "Cs", "Zl", "Zp"))


QUIET = "aws_iot.quiet"
"""The key in Click's context under which `--quiet` is noted."""

VERBOSE = "aws_iot.verbose"
"""The same for `--verbose`."""


def visible(text: str) -> str:
    r"""`text` on one line, with every control character shown as an escape such as \x1b."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if unicodedata.category(c) in _CONTROL or c in _BIDI else c for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def data(line: str) -> None:
    """Print a line of data, at once: others may read it from a pipe."""
    need_stdout()
    click.echo(line)


class Lines:
    """Data that is written many lines at a time: `data` would take longer than all else that is done for a line.

    They are in memory until `flush`, which leaving it does too.
    """

    def __init__(self) -> None:
        """Raises `ProfileError` where there is no stdout."""
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
            except BrokenPipeError:
                raise
            except OSError as error:
                raise stdout_failed(error) from error


def words(line: str) -> None:
    """Tell the person something; `--quiet` hides it."""
    context = click.get_current_context(silent=True)
    if not (context and context.meta.get(QUIET)):
        complain(line)


def complain(line: str) -> None:
    """Tell the person what went wrong, which `--quiet` does not hide."""
    click.echo(visible(line), err=True)
