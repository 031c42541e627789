"""Steady text: it takes the same columns on every terminal, so that nothing beside it moves.

Terminals disagree about emoji that are joined, colored or selected by another character, about flags, and about
characters that they do not know. So an emoji loses what only varies it, and unknown characters become escapes. Text
that runs from right to left ends with a mark, so that what follows stays in its place.
"""

import re
import unicodedata
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size

from aws_iot.text.visible import escape, visible

TAB = "    "

_VARIES = re.compile(
    "[\u200b-\u200d\u2060-\u2064\ufe00-\ufe0f\ufeff\U0001f3fb-\U0001f3ff\U000e0000-\U000e01ef\u20e3\u00ad\u034f]"
)
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]+")
_FIRST_LETTER = 0x1F1E6


_CACHED = 500
"""Longer texts, in characters, are not kept in memory: two thousand of 128 KB would be 256 MB."""


def steady(text: str) -> str:
    """The text on one line, harmless, and as wide as `width_of` tells."""
    if text.isascii() and text.isprintable():
        return text
    return _cached_steady(text) if len(text) <= _CACHED else _steady(text)


def one_line(text: str) -> str:
    """The words of a text, on one line."""
    return " ".join(text.split())


def _steady(text: str) -> str:
    shown = visible(text.replace("\t", TAB))
    if shown.isascii():
        return shown
    shown = _FLAG.sub(_letters, _VARIES.sub("", shown))
    return "".join(one if ord(one) < 0x300 or _is_known(one) else escape(one) for one in shown)


_cached_steady = lru_cache(maxsize=2_000)(_steady)


def _letters(flag: re.Match[str]) -> str:
    return "".join(chr(ord(one) - _FIRST_LETTER + ord("A")) for one in flag[0])


def _is_known(character: str) -> bool:
    category = unicodedata.category(character)
    if category in ("Cn", "Co", "Cf"):
        return False
    return not (category in ("Mn", "Me") and ord(character) >= 0x10000)


def width_of(text: str) -> int:
    """How many columns a steady text takes."""
    return len(text) if text.isascii() else cell_len(text)


def cut(text: str, columns: int) -> str:
    """The text, or its beginning and an ellipsis, in so many columns."""
    if width_of(text) <= columns:
        return text
    left = columns - 1
    for index, character in enumerate(text):
        left -= get_character_cell_size(character)
        if left < 0:
            return text[:index] + "…" if columns > 0 else ""
    return text


def wrap(text: str, columns: int) -> list[tuple[int, int]]:
    """Where the lines of a steady text begin and end, each in so many columns. Blanks at the end of a line are cut.

    A line is broken at a blank if possible. Blanks at the beginning are kept: they are the layout of code.
    """
    lines: list[tuple[int, int]] = []
    start = 0
    while (end := _end_of_line(text, start, columns)) < len(text):
        blank = end if text[end] == " " else text.rfind(" ", start, end)
        if blank == end or text[start : max(start, blank)].strip():
            lines.append((start, blank))
            start = blank + 1
        else:
            while end > start + 1 and get_character_cell_size(text[end]) == 0:  # a mark stays with its letter
                end -= 1
            lines.append((start, end))
            start = end
    if start < len(text) or not lines:
        lines.append((start, len(text)))
    return lines


def _end_of_line(text: str, start: int, columns: int) -> int:
    """How far a line can reach that begins there: at least one character."""
    if text.isascii():
        return min(len(text), start + max(1, columns))
    for end in range(start, len(text)):
        columns -= get_character_cell_size(text[end])
        if columns < 0 and end > start:
            return end
    return len(text)
