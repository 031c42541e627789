"""Kinds: what a message does to the one that it refers to, or tells about its sender, and what is sent for it.

The payload of each kind is a line that people can read in programs that know no kinds, such as the npm tool: an edit
has the new text, a reaction the emoji, a deletion `DELETED_TEXT`, a sign of presence what `Sign` lists.
"""

import unicodedata
from enum import Enum

from aws_iot.errors import InvalidMessage

EDIT, DELETE, REACT = "edit", "delete", "react"

DELETED_TEXT = "(message deleted)"
"""The text of a deletion."""

PRESENCE = "presence"
"""A sign of presence, whose `re` names the chat that has sent it. Only clients that ask for such messages get them."""


class Sign(Enum):
    """What a message of the kind `presence` tells: its text. After `JOINED`, others tell the same of themselves."""

    JOINED = "(joined)"
    ONLINE = "(online)"
    IDLE = "(idle)"
    TYPING = "(typing)"
    LEFT = "(left)"
    OFFLINE = "(offline)"


LONGEST_REACTION = 32
"""In characters. An emoji can have a dozen."""

_CONTROL = ("Cc", "Zl", "Zp")
"""The categories of control characters and line ends. Emoji have characters of the others, such as joiners."""


_STYLES = str.maketrans("", "", "\ufe0e\ufe0f")
"""Without the characters that have an emoji shown as text, or in color."""

_TONES = str.maketrans("", "", "".join(map(chr, range(0x1F3FB, 0x1F400))))


def are_same_reaction(text: str, other: str) -> bool:
    """Whether two reactions count as one."""
    return as_counted(text) == as_counted(other)


def as_counted(text: str) -> str:
    """A reaction as it is counted: programs send the same emoji in different styles, and people in their skin tone."""
    return without_tone(text).translate(_STYLES)


def without_tone(text: str) -> str:
    """A reaction in no skin tone. A tone alone stays what it is."""
    return text.translate(_TONES) or text


def check_reaction(text: str) -> None:
    """Raises `InvalidMessage` if the text is not an emoji or a short word."""
    has_control = any(unicodedata.category(one) in _CONTROL for one in text)
    if not text.strip() or len(text) > LONGEST_REACTION or has_control:
        raise InvalidMessage(f"a reaction is an emoji or a short word, not {text[:LONGEST_REACTION]!r}")
