"""Visible text: on one line, with every control character as an escape. Nothing in it controls a terminal."""

import unicodedata

# Marks that reorder the text around them: unicode.org/reports/tr9. Other format characters do not, and joined
# emoji need them.
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_LEFT_TO_RIGHT = "\u200e"
_CONTROL = frozenset(("Cc", "Cs", "Zl", "Zp"))

MOST_MARKS = 4
"""More marks on one character (unicode.org/reports/tr39, section 5.4) would cover the lines above and below it."""


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


def kept_in_place(text: str) -> str:
    """The text with a mark at its end, if it runs from right to left.

    Without it, some terminals would show a part of what follows before the text, such as of an identity.
    """
    if text.isascii() or not any(unicodedata.bidirectional(one) in ("R", "AL", "AN") for one in text):
        return text
    return text + _LEFT_TO_RIGHT


def escape(character: str) -> str:
    r"""The escape of a character, such as \x1b."""
    return character.encode("unicode_escape", "surrogatepass").decode()
