"""Wrapping: lines that fit a terminal, without breaking words, so that names and commands can be copied."""

import os
import re
import textwrap
import unicodedata
from itertools import pairwise
from typing import TextIO

from aws_iot.cli.ui.shell import IS_POSIX
from aws_iot.text.width import character_width, display_width

LESS = "  "
"""The indentation of what does not fit where it belongs, such as an identity on a narrow terminal."""

LEAST_COLUMNS = 20
"""Narrower terminals are treated as if they were this wide."""

CONTINUED = "    | "
"""What begins the further lines of what a stranger sent, so that none looks like the first line of a message."""

_PART = re.compile(r"""(?:-\S+ (?!-))?(?:'[^']*'|"[^"]*"|\S)+""")
"""A word of a command, or an option with its value."""


_OPTION_WITH_VALUE = re.compile(r"(?<!\S)(--?[a-z][a-z-]*) (?=[A-Z]{2,}\b)")
_UNBREAKABLE = "\0"
"""Stands for a space that must not become the end of a line. The text itself has no control characters."""

_SECOND_COLUMN = "\1"
"""Follows each wide character while `textwrap` counts characters."""

_COMMAND = re.compile(r"(?<=: )(?:[A-Z_]+=\S+ )*aws-iot .*")
"""A command at the end of a line."""


_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?")
"""A control sequence, such as one that sets a color."""

_TAB_STOP = 8


def columns_of(stream: TextIO) -> int | None:
    """The width of the terminal that `stream` is, or None if it is none."""
    if not stream.isatty():
        return None
    try:
        found = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        found = 0
    given = os.environ.get("COLUMNS", "")
    # A variable that is too large, perhaps from before a resize, must not let the terminal break lines by itself.
    known = [found, int(given) if given.isdecimal() else 0]
    return max(min(filter(None, known), default=80), LEAST_COLUMNS)


def fill(text: str, width: int, first: str = "", rest: str | None = None) -> list[str]:
    """Lines of whole words: `first` is put before the first line, `rest` before the others.

    A word that is too long for its place gets a line of its own, with less before it. An option stays with its value.
    """
    rest = first if rest is None else rest
    lines = textwrap.wrap(
        _one_for_each_column(_OPTION_WITH_VALUE.sub(rf"\1{_UNBREAKABLE}", text)),
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
    if lines and len(lines[0]) > width and first.strip():
        return [first.rstrip(), *fill(text, width, rest)]
    return [part for line in lines for part in _finished(line, width)]


def _one_for_each_column(text: str) -> str:
    if text.isascii():
        return text
    return "".join(one + _SECOND_COLUMN if character_width(one) == 2 else one for one in text)


def _finished(line: str, width: int) -> list[str]:
    line = line.replace(_UNBREAKABLE, " ").replace(_SECOND_COLUMN, "")
    # A long word of ASCII, such as a path, is left whole, to be copied. Others may contain what looks like blanks.
    if line.isascii():
        return [_moved_left(line, width)]
    return fold(line, width, line[: len(line) - len(line.lstrip(" "))] or LESS).split("\n")


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


def fit(line: str, columns: int, indent: str = "", hang: str = "", *, posix: bool = IS_POSIX) -> list[str]:
    """A line of text that may end with a command. The command continues on the next line as a shell reads it.

    If the shell is not a `posix` one, the command is wrapped like text.

    Text continues after `hang`, or else twice as deep as it begins.
    """
    if display_width(indent + line) <= columns:
        return [indent + line]
    command = _COMMAND.search(line) if posix else None
    if not command:
        lead = line[: len(line) - len(line.lstrip())]
        return fill(line.lstrip(), columns, indent + lead, indent + (hang or lead * 2))
    return [
        *fill(line[: command.start()], columns, indent, indent + hang),
        *fill_command(command[0], columns, f"{indent}  "),
    ]


def fold(text: str, columns: int, hang: str = CONTINUED) -> str:
    """The text in lines that the terminal does not have to continue by itself: each further one begins with `hang`.

    Nothing is left out, and blanks stay, so that no text can choose where it continues. Control sequences take no
    columns. Lines of the text itself, and its tabs, are those of a template: a message has none.

    A terminal that becomes narrower later may fold its old lines again. No program can prevent that.
    """
    if "\n" not in text:
        return f"\n{hang}".join(_parts(text, columns, hang))
    return "\n".join(fold(line, columns, hang) for line in text.split("\n"))


def _parts(line: str, columns: int, hang: str) -> list[str]:
    shown = _SEQUENCE.sub("", line)
    is_ascii = shown.isascii() and "\t" not in shown
    if is_ascii and len(shown) <= columns:
        return [line]
    ends = (_ends_in_ascii if is_ascii else _ends)(shown, columns, len(hang))
    if len(shown) < len(line):
        ends = _with_sequences(line, ends)
    return [line[begin:end] for begin, end in pairwise([0, *ends, len(line)])]


def _ends_in_ascii(text: str, columns: int, hang: int) -> list[int]:
    """What `_ends` does, for a text in which each character takes one column. Most messages are such."""
    ends: list[int] = []
    begin = column = 0
    while len(text) - begin > (left := max(1, columns - column)):
        end = begin + left
        begin = text.rfind(" ", max(begin, begin + columns // 2 - column), end) + 1 or end
        ends.append(begin)
        column = hang
    return ends


def _ends(text: str, columns: int, hang: int) -> list[int]:
    """Where to break a text: after a word, unless that is far back; else within it, but not within a character."""
    ends: list[int] = []
    begin = column = word_end = 0
    for index, character in enumerate(text):
        width = _width_at(character, column)
        while column + width > columns and index > begin:
            begin, word_end, column = _whole(text, begin, word_end or index), 0, hang
            ends.append(begin)
            for moved in text[begin:index]:
                column += _width_at(moved, column)
            width = _width_at(character, column)
        column += width
        if (character == " " or width == 2) and column > columns // 2:  # words of East Asia need no blanks
            word_end = index + 1
    return ends


def _with_sequences(line: str, ends: list[int]) -> list[int]:
    """The same places in the line with its control sequences."""
    for sequence in _SEQUENCE.finditer(line):
        ends = [end + len(sequence[0]) if end > sequence.start() else end for end in ends]
    return ends


def _width_at(character: str, column: int) -> int:
    if character >= " ":
        return character_width(character)
    return _TAB_STOP - column % _TAB_STOP if character == "\t" else 0


def _whole(text: str, begin: int, end: int) -> int:
    """Where to break before `end`, so that marks, skin tones and joined emoji stay together, if they fit on a line."""
    for index in range(end, begin, -1):
        category = unicodedata.category(text[index])
        if not (category[0] == "M" or category == "Sk" or "\u200d" in text[index - 1 : index + 1]):
            return index
    return end
