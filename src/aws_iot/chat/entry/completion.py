"""Completion: what Tab makes of the word before the cursor: a command, a room, a name or an emoji."""

import unicodedata
from functools import cache
from typing import NamedTuple

from aws_iot.chat.entry.keys import ACTIONS, BY_SLASH
from aws_iot.chat.model.people import people_of
from aws_iot.chat.model.state import State

MOST = 50
"""More candidates are of no use."""

_EMOJI = (range(0x1F300, 0x1F650), range(0x1F680, 0x1F700), range(0x1F900, 0x1FB00), range(0x2600, 0x27C0))
_MODIFIERS = range(0x1F3FB, 0x1F400)

_SHORT_NAMES = {
    "+1": "👍",
    "-1": "👎",
    "heart": "❤",
    "smile": "😄",
    "joy": "😂",
    "tada": "🎉",
    "thumbsup": "👍",
    "thumbsdown": "👎",
    "wave": "👋",
    "pray": "🙏",
    "fire": "🔥",
    "eyes": "👀",
    "rocket": "🚀",
    "ok": "👌",
    "check": "✅",
    "think": "🤔",
    "cry": "😢",
    "sob": "😭",
    "clap": "👏",
    "100": "💯",
}
"""Names that people know from elsewhere."""


class Completion(NamedTuple):
    """What can stand in place of the text from `start` to the cursor."""

    start: int
    candidates: tuple[str, ...]


def complete(line: str, state: State) -> Completion:
    """The candidates for the end of a line, up to the cursor; the best first."""
    if line.startswith("/") and " " not in line:
        found = [f"/{name} " for name in BY_SLASH if name.startswith(line[1:].lower())]
        return Completion(0, tuple(found))
    command = line.split(" ", 1)[0]
    if command in ("/join", "/leave"):
        start = len(command) + 1
        rooms = [name for name in state.room_names() if name.casefold().startswith(line[start:].casefold())]
        return Completion(start, tuple(rooms))
    start = line.rfind(" ") + 1
    word = line[start:]
    if word.startswith(":") and len(word) > 1:
        return Completion(start, tuple(_emoji(word[1:])))
    if not word or not state.current:
        return Completion(start, ())
    return Completion(start, tuple(_names(word, state, is_first=start == 0)))


def _names(word: str, state: State, *, is_first: bool) -> list[str]:
    """The names of people in the room, as they are listed. An @ before the name is kept.

    Your alias for somebody finds their own name: others do not know the alias.
    """
    mark = "@" if word.startswith("@") else ""
    beginning = word.removeprefix("@").casefold()
    others = (one for one in people_of(state) if one.identity != state.me.identity)
    fitting = [
        one.claimed
        for one in others
        if one.claimed
        and one.claimed.isprintable()
        and any(name and name.casefold().startswith(beginning) for name in (one.claimed, one.name))
    ]
    return [f"{mark}{name}{': ' if is_first and not mark else ' '}" for name in dict.fromkeys(fitting)][:MOST]


def _emoji(beginning: str) -> list[str]:
    wanted = beginning.casefold().rstrip(":").replace("_", " ")
    known = [emoji for name, emoji in _SHORT_NAMES.items() if name.startswith(wanted)]
    whole = [emoji for name, emoji in _emoji_names() if name.startswith(wanted)]
    inside = [emoji for name, emoji in _emoji_names() if f" {wanted}" in name]
    return [*dict.fromkeys([*known, *whole, *inside])][:MOST]


def emoji_named(name: str) -> str | None:
    """The emoji of a whole name, as in `:heart:`. The colon at the end may be missing."""
    wanted = name.casefold().removeprefix(":").removesuffix(":")
    return _SHORT_NAMES.get(wanted) or dict(_emoji_names()).get(wanted.replace("_", " "))


def as_emoji(text: str) -> str:
    """The text, or if it is one narrow symbol, that in the style of emoji, as others send it."""
    is_symbol = len(text) == 1 and any(ord(text) in codes for codes in _EMOJI)
    return f"{text}\ufe0f" if is_symbol and unicodedata.east_asian_width(text) != "W" else text


@cache
def _emoji_names() -> list[tuple[str, str]]:
    codes = (code for codes in _EMOJI for code in codes if code not in _MODIFIERS)
    named = ((unicodedata.name(chr(code), "").casefold(), chr(code)) for code in codes)
    return [(name, emoji) for name, emoji in named if name and unicodedata.category(emoji) == "So"]


def command_line(name: str) -> str:
    """What to type for an action that has a slash command with arguments; empty for others."""
    action = next(one for one in ACTIONS if one.name == name)
    return f"/{action.slash} " if action.slash and action.usage and not action.usage.startswith("[") else ""
