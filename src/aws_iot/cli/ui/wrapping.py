"""Wrapping: lines that fit a terminal, without breaking words, so that names and commands can be copied."""

import os
import re
import sys
import textwrap
from typing import TextIO

LESS = "  "
"""The indentation of what does not fit where it belongs, such as an identity on a narrow terminal."""

LEAST_COLUMNS = 20
"""Narrower terminals are treated as if they were this wide."""

_PART = re.compile(r"""(?:-\S+ (?!-))?(?:'[^']*'|"[^"]*"|\S)+""")
"""A word of a command, or an option with its value."""


_OPTION_WITH_VALUE = re.compile(r"(?<!\S)(--?[a-z][a-z-]*) (?=[A-Z]{2,}\b)")
_UNBREAKABLE = "\0"
"""Stands for a space that must not become the end of a line. The text itself has no control characters."""

_COMMAND = re.compile(r"(?<=: )(?:[A-Z_]+=\S+ )*aws-iot .*")
"""A command at the end of a line."""


def columns_of(stream: TextIO) -> int | None:
    """The width of the terminal that `stream` is, or None if it is none."""
    if not stream.isatty():
        return None
    if (given := os.environ.get("COLUMNS", "")).isdecimal() and int(given):
        return max(int(given), LEAST_COLUMNS)
    try:
        return max(os.get_terminal_size(stream.fileno()).columns or 80, LEAST_COLUMNS)
    except (OSError, ValueError):
        return 80


def fill(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of whole words: `first` is put before the first line, `rest` before the others.

    A word that is too long for its place gets a line of its own, with less before it. An option stays with its value.
    """
    rest = first if rest is None else rest
    lines = textwrap.wrap(
        _OPTION_WITH_VALUE.sub(rf"\1{_UNBREAKABLE}", text),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    if lines and len(lines[0]) > width and first.strip():
        return [first.rstrip(), *fill(text, width, rest)]
    return [_moved_left(line.replace(_UNBREAKABLE, " "), width) for line in lines]


def _moved_left(line: str, width: int) -> str:
    """A line that is too long, with less indentation: the same for all, or none."""
    bare = line.lstrip()
    if len(line) <= width or bare == line:
        return line
    return LESS + bare if len(LESS + bare) <= width else bare


def fill_command(line: str, width: int, indent: str) -> list[str]:
    """A command on one line or, if it is too long, on several that a shell reads as one."""
    if len(indent + line) <= width:
        return [indent + line]
    lines, current = [], indent
    deeper = f"{indent}  "
    for part in _PART.findall(line):
        fits_alone = len(f"{deeper}{part} \\") <= width
        for word in [part] if fits_alone else part.split(" ", 1):
            if current.strip() and len(f"{current} {word} \\") > width:
                lines.append(f"{current} \\")
                current = deeper + word
            else:
                current += f" {word}" if current.strip() else word
    return [_moved_left(line, width) for line in (*lines, current)]


def fit(line: str, columns: int, indent: str = "", hang: str = "") -> list[str]:
    """A line of text that may end with a command. The command continues on the next line as a shell reads it.

    Text continues after `hang`, or else twice as deep as it begins.
    """
    if len(indent + line) <= columns:
        return [indent + line]
    command = None if sys.platform == "win32" else _COMMAND.search(line)
    if not command:
        lead = line[: len(line) - len(line.lstrip())]
        return fill(line.lstrip(), columns, indent + lead, indent + (hang or lead * 2))
    return [
        *fill(line[: command.start()], columns, indent),
        *fill_command(command[0], columns, f"{indent}  "),
    ]
