"""Pager: shows lines that do not fit on the screen in the person's pager, as git does."""

import os
import sys
from collections.abc import Iterable, Iterator
from itertools import chain

import click

from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import is_on

LESS = "-FRX +G"
"""The options of `less` if the person has set none: those of git, and it begins at the end."""

FLUSHED_AT_ONCE = 1_000
"""Number of lines that are written at once."""


def print_lines(lines: Iterable[str], *, may_page: bool = True) -> None:
    """Print lines of data, which may each have several rows: by $PAGER if stdout is a terminal and they do not fit."""
    lines = iter(lines)
    if may_page and sys.stdout.isatty() and _has_pager():
        begin, fits = _fill_screen(lines)
        if not fits:
            _page(chain(begin, lines))
            return
        lines = iter(begin)
    with output.Lines() as out:
        for number, line in enumerate(lines, 1):
            out.add(line)
            if number % FLUSHED_AT_ONCE == 0:
                out.flush()


def _has_pager() -> bool:
    return os.environ.get("PAGER", "less").strip() not in ("", "cat") and os.environ.get("TERM") != "dumb"


def _fill_screen(lines: Iterator[str]) -> tuple[list[str], bool]:
    """All lines, if they fit on the screen above the shell's prompt; else the first ones. And whether they fit."""
    import shutil  # here: it takes long, and a pipe needs no height

    left = shutil.get_terminal_size().lines - 1
    begin = []
    for line in lines:
        begin.append(line)
        left -= line.count("\n") + 1
        if left < 0:
            return begin, False
    return begin, True


def _page(lines: Iterable[str]) -> None:
    has_options = "LESS" in os.environ
    os.environ.setdefault("LESS", LESS)
    # If the person has set options, Click finds out whether `less` then shows colors.
    click.echo_via_pager(_ended(lines), color=None if has_options else is_on())


def _ended(lines: Iterable[str]) -> Iterator[str]:
    """The text of the lines. Click adds the end of the last one."""
    for number, line in enumerate(lines):
        yield f"\n{line}" if number else line
