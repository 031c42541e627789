"""Labels: names and rooms, which strangers choose, in a form that cannot imitate what is around them.

What could be mistaken for the frame `[room] name~identity: ` is quoted or an escape. As in the general profile of
unicode.org/reports/tr39, letters, digits and marks of the scripts in everyday use are shown as they are. Characters
that only look like others, or like nothing, are not.
"""

import re
import unicodedata
from functools import lru_cache

from aws_iot.text.visible import MOST_MARKS, escape
from aws_iot.text.width import display_width

LABEL_COLUMNS = 40
"""Longer names and rooms are shortened. A user name that Cognito has generated has 36 characters."""

LEAST_LABEL_COLUMNS = 8
"""Names and rooms keep so many columns on a narrow terminal."""

_CACHED = 256
"""Longer texts, in characters, are not kept in memory."""

_PLAIN = re.compile(r"[!#-9;-Z^-}]+")
"""ASCII, except for blanks, controls and `[]~:"\\`. Said like this, it compiles in a hundredth of the time."""

_IN_QUOTES = {'"': r"\"", "\\": r"\\", "~": r"\x7e"}
"""How these are written within quotes. A ~ that is no escape is followed by the verified identity, always."""

# fmt: off
_SCRIPTS = frozenset((
    "LATIN", "GREEK", "CYRILLIC", "ARMENIAN", "HEBREW", "ARABIC", "EXTENDED", "THAANA",
    "DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA",
    "MALAYALAM", "SINHALA", "THAI", "LAO", "TIBETAN", "MYANMAR", "GEORGIAN", "ETHIOPIC", "KHMER",
    "HANGUL", "HIRAGANA", "KATAKANA", "BOPOMOFO", "CJK", "IDEOGRAPHIC",
))
# fmt: on
"""How the names of characters begin in the scripts in everyday use (unicode.org/reports/tr31, table 5).

EXTENDED is of Persian digits, IDEOGRAPHIC of the Japanese iteration mark and the Chinese zero.
"""

_INVISIBLE = re.compile("FILLER|JOINER|INHERENT")
"""In the names of letters and marks that show nothing."""

_OVER_TWO = (233, 234)
"""Combining classes of marks that also cover the next character."""

_VIRAMA = 9
"""The combining class of marks after which a joiner shapes the letters."""

_JOINERS = "\u200c\u200d"
_EMOJI_STYLE = "\ufe0f"
_EAST_ASIA = range(0x2E80, 0x10000)
_DINGBATS = range(0x2600, 0x2800)
_PICTOGRAPHS = range(0x1F000, 0x20000)


def label(text: str, columns: int = LABEL_COLUMNS) -> str:
    """A name or a room, in so many columns at the most. It is quoted unless it is letters, digits and the like."""
    return _cached_label(text, columns) if len(text) <= _CACHED else _label(text, columns)


def _label(text: str, columns: int) -> str:
    if len(text) <= columns and _PLAIN.fullmatch(text):
        return text
    parts: list[str] = []
    width, quote = 0, "" if text else '"'
    for index, character in enumerate(text):
        part = _shown(text, index)
        if part != character or character in " []:":
            quote = '"'
        parts.append(part)
        width += display_width(part)
        if width > columns:
            break
    if width + 2 * len(quote) <= columns:
        return quote + "".join(parts) + quote
    while parts and width + 2 * len(quote) + display_width("…") > columns:
        width -= display_width(parts.pop())
    return f"{quote}{''.join(parts)}…{quote}"


_cached_label = lru_cache(maxsize=512)(_label)


def _shown(text: str, index: int) -> str:
    """How a character of the text is written within quotes."""
    character = text[index]
    if " " <= character <= "~":
        return _IN_QUOTES.get(character, character)
    before, after = text[:index][-MOST_MARKS - 1 :], text[index + 1 : index + 2]
    return character if _is_harmless(before, character, after) else escape(character)


def _is_harmless(before: str, character: str, after: str) -> bool:
    if character == _EMOJI_STYLE:
        return _is_emoji(before[-1:], character)
    if character in _JOINERS:
        return _joins(before.rstrip(_EMOJI_STYLE)[-1:], after)
    category = unicodedata.category(character)
    if category == "Po":  # 、 and ・, but not 〃
        return unicodedata.east_asian_width(character) == "W" and _script(character) in _SCRIPTS
    if category[0] == "M":
        return _belongs_to(before, character)
    return _is_letter(character) or _is_emoji(character, after)


def _is_letter(character: str) -> bool:
    """Whether it is a letter or digit of an everyday script, and no variant of another one."""
    return (
        unicodedata.category(character)[0] in "LN"
        and _script(character) in _SCRIPTS
        and not _INVISIBLE.search(unicodedata.name(character, ""))
        and not _is_variant(character)
    ) or (character.isascii() and character.isalnum())


def _is_variant(character: str) -> bool:
    """Whether it only looks different from another character, such as the wide ］ from ]."""
    return unicodedata.decomposition(character).startswith("<")


def _script(character: str) -> str:
    return re.split("[ -]", unicodedata.name(character, ""), maxsplit=1)[0]


def _belongs_to(before: str, mark: str) -> bool:
    """Whether a mark can stand on the letter before it. Other marks would change what surrounds them."""
    others = 0
    while before and unicodedata.category(before[-1])[0] == "M":
        before, others = before[:-1], others + 1
    if not before or others >= MOST_MARKS or not _is_letter(before[-1]):
        return False
    if unicodedata.category(mark) == "Me" or unicodedata.combining(mark) in _OVER_TWO:
        return False
    is_invisible = _INVISIBLE.search(unicodedata.name(mark, ""))
    return _script(mark) in ("COMBINING", _script(before[-1])) and not is_invisible


def _joins(before: str, after: str) -> bool:
    """Whether a joiner between these has a purpose: in emoji, and as in RFC 5892, appendix A."""
    if not before or not after:
        return False
    is_cursive = unicodedata.bidirectional(before) == unicodedata.bidirectional(after) == "AL"
    are_emoji = _is_emoji(before, _EMOJI_STYLE) and _is_emoji(after, _EMOJI_STYLE)
    return is_cursive or are_emoji or unicodedata.combining(before) == _VIRAMA


def _is_emoji(character: str, after: str) -> bool:
    """Whether it is shown as an emoji, before this character."""
    if not character or unicodedata.category(character) not in ("So", "Sk") or _is_variant(character):
        return False
    code = ord(character)
    if after == _EMOJI_STYLE:
        return code in _DINGBATS or code in _PICTOGRAPHS
    return unicodedata.east_asian_width(character) == "W" and code not in _EAST_ASIA
