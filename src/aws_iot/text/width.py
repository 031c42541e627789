"""How many columns of a terminal a text takes, at the most.

Terminals disagree: about emoji that are joined or have a variation selector, about characters that are newer than
they are, about marks. If a line were measured too narrow, the terminal itself would continue it at the left edge, where
messages begin. So this is the most that a character takes on any of them; only marks on letters take none. If a
terminal needs less, a line ends early. See docs/decisions/0014-the-width-of-a-text-is-an-upper-bound.md.
"""

import os
import unicodedata
from functools import cache

_LATER_MARKS = 0x10000
"""From here on are marks that older terminals do not know, and show in a column of their own."""

_SYMBOLS = 0x2600
"""From here on are symbols that some terminals, or newer versions of Unicode, show as emoji. Before it are borders."""

_VARIATION_SELECTOR_16 = "\ufe0f"
"""Makes the symbol before it wide, on some terminals."""


def display_width(text: str) -> int:
    """The most columns that a terminal needs for `text`, which is one line without control characters."""
    return len(text) if text.isascii() else sum(map(character_width, text))


def character_width(character: str) -> int:
    """The same for a character; as a part of a sequence, it may take fewer."""
    code = ord(character)
    if code < 0x7F:
        return 1
    category = unicodedata.category(character)
    if category in ("Mn", "Me"):
        return int(code >= _LATER_MARKS or character == _VARIATION_SELECTOR_16)
    if category in ("Cn", "Co") or (category in ("So", "No") and code >= _SYMBOLS):
        return 2
    width = unicodedata.east_asian_width(character)
    return 2 if width in "WF" or (width == "A" and _is_east_asian()) else 1


@cache
def _is_east_asian() -> bool:
    """Whether the person's terminal may show Greek, Cyrillic, “ and others in two columns, as fonts of East Asia do."""
    locale = next(filter(None, (os.environ.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))), "")
    return locale.startswith(("ja", "ko", "zh"))


def shortened(text: str, columns: int) -> str:
    """`text`, or its beginning and an ellipsis, in so many columns."""
    if display_width(text) <= columns:
        return text
    left = columns - display_width("…")
    for index, character in enumerate(text):
        left -= character_width(character)
        if left < 0:
            return text[:index] + "…"
    return text
