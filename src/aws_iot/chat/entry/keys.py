"""Actions: what a person can do in the chat, by key or by slash command. Bindings, help and docs are made of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do. `usage` names the arguments of the slash command, and `help` completes "to …"."""

    name: str
    group: str
    help: str
    keys: tuple[str, ...] = ()
    slash: str = ""
    usage: str = ""


ROOMS, MESSAGES, LOOK, CHAT = "Rooms", "Messages", "Find and look", "The chat"

ACTIONS = (
    Action("join", ROOMS, "join a room, or open it if you have joined it", slash="join", usage="ROOM"),
    Action("leave", ROOMS, "leave this room, or another one", slash="leave", usage="[ROOM]"),
    Action("rooms", ROOMS, "list your rooms", slash="rooms"),
    Action(
        "mute",
        ROOMS,
        "mute this room, or undo that; or choose what notifies you",
        slash="mute",
        usage="[all|mentions|none]",
    ),
    Action("next-unread", ROOMS, "open the next room with unread messages", ("alt+a",), slash="next"),
    Action("next-room", ROOMS, "open the next room", ("ctrl+n", "alt+right")),
    Action("previous-room", ROOMS, "open the previous room", ("ctrl+p", "alt+left")),
    Action("select-older", MESSAGES, "select the message above", ("alt+up",)),
    Action("select-newer", MESSAGES, "select the message below", ("alt+down",)),
    Action(
        "select",
        MESSAGES,
        "select a message by its number, from 0 (the last one) upwards",
        slash="select",
        usage="N",
    ),
    Action(
        "reply",
        MESSAGES,
        "reply to the selected message, or to the last one of others",
        ("alt+r",),
        "reply",
        "[TEXT]",
    ),
    Action("react", MESSAGES, "react to it; again, to take that back", ("alt+l",), "react", "[EMOJI]"),
    Action(
        "edit", MESSAGES, "edit the selected message of yours, or your last one", ("alt+e",), "edit", "[TEXT]"
    ),
    Action("delete", MESSAGES, "delete it for everybody", ("alt+d",), slash="delete"),
    Action("thread", MESSAGES, "hide or show the replies in its thread", ("alt+t",), slash="thread"),
    Action("versions", MESSAGES, "show its earlier texts, if it was edited", ("alt+v",), slash="versions"),
    Action("answered", MESSAGES, "go to the message that it replies to", ("alt+g",), slash="answered"),
    Action(
        "open-link",
        MESSAGES,
        "open a link in it, or in the last message that has one",
        ("alt+o",),
        "open",
        "[N]",
    ),
    Action("copy", MESSAGES, "copy its text", ("alt+c",), slash="copy"),
    Action("me", MESSAGES, "send *TEXT*, as in “*waves*”", slash="me", usage="TEXT"),
    Action("resend", MESSAGES, "send the messages again that were not sent", ("ctrl+r",), slash="resend"),
    Action(
        "discard",
        MESSAGES,
        "take back the last message or change that was not sent",
        ("alt+z",),
        slash="discard",
    ),
    Action("cancel", MESSAGES, "stop replying or editing, and select nothing", ("escape",), slash="cancel"),
    Action("page-up", LOOK, "read older messages", ("pageup",), slash="older"),
    Action("page-down", LOOK, "read newer messages", ("pagedown",), slash="newer"),
    Action("newest", LOOK, "go to the newest message", ("ctrl+end", "alt+end"), slash="newest"),
    Action("first-unread", LOOK, "go to the first unread message", ("alt+u",), slash="unread"),
    Action("goto", LOOK, "go to a day or time: yesterday, 2h, 14:00, 2026-01-31", slash="goto", usage="TIME"),
    Action("find", LOOK, "search in this room", ("ctrl+f",), slash="find", usage="[WORDS]"),
    Action("search", LOOK, "search in all rooms", slash="search", usage="[WORDS]"),
    Action(
        "export", LOOK, "write this room to a new file: .jsonl, .md or .csv", slash="export", usage="FILE"
    ),
    Action("who", LOOK, "list who is here, and who has written in this room", slash="who"),
    Action(
        "alias",
        LOOK,
        "call somebody NAME here; without NAME, as they call themselves; alone, list your aliases",
        (),
        "alias",
        "[WHO [NAME]]",
    ),
    Action("toggle-rooms", LOOK, "hide or show the rooms", ("f2",)),
    Action("toggle-people", LOOK, "hide or show the people", ("f3",)),
    Action("nick", CHAT, "send under another name; without NAME, under your user name", (), "nick", "[NAME]"),
    Action(
        "presence",
        CHAT,
        "show others nothing, whether you are here, or also that you type",
        slash="presence",
        usage="[off|on|typing]",
    ),
    Action("reconnect", CHAT, "connect again now, without waiting", slash="reconnect"),
    Action("editor", CHAT, "write the message in your editor ($EDITOR)", ("ctrl+o",), slash="editor"),
    Action("clear", CHAT, "clear the input; Up or Ctrl+_ brings back what was there", ("alt+k",)),
    Action("palette", CHAT, "choose what to do from a list", ("ctrl+k",), slash="commands"),
    Action("help", CHAT, "show this help", ("f1",), slash="help"),
    Action("redraw", CHAT, "draw the screen again, if another program has drawn on it", ("ctrl+l",)),
    Action("suspend", CHAT, "stop the chat, and go back to the shell; fg continues it", ("ctrl+z",)),
    Action("quit", CHAT, "quit; what you have typed is kept", ("ctrl+q",), slash="quit"),
)

BY_NAME = {action.name: action for action in ACTIONS}
BY_SLASH = {action.slash: action for action in ACTIONS if action.slash}


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command that a person has typed."""

    action: Action
    argument: str


class UnknownCommand(Exception):
    """There is no such slash command. The text tells what was probably meant."""


_CHARACTERS = {
    "exclamation_mark": "!",
    "quotation_mark": '"',
    "number_sign": "#",
    "dollar_sign": "$",
    "percent_sign": "%",
    "ampersand": "&",
    "apostrophe": "'",
    "left_parenthesis": "(",
    "right_parenthesis": ")",
    "asterisk": "*",
    "plus": "+",
    "comma": ",",
    "minus": "-",
    "full_stop": ".",
    "slash": "/",
    "colon": ":",
    "semicolon": ";",
    "less_than_sign": "<",
    "equals_sign": "=",
    "greater_than_sign": ">",
    "question_mark": "?",
    "at": "@",
    "left_square_bracket": "[",
    "backslash": "\\",
    "right_square_bracket": "]",
    "circumflex_accent": "^",
    "underscore": "_",
    "grave_accent": "`",
    "left_curly_bracket": "{",
    "vertical_line": "|",
    "right_curly_bracket": "}",
    "tilde": "~",
}
"""The characters that Textual calls by names."""

_MODIFIERS = r"(?:(?:ctrl|alt|shift|super|hyper|meta)\+)*"

_KEY = re.compile(
    rf"(?P<modifiers>{_MODIFIERS})"
    r"(?:(?P<character>\S|space)|f[1-9]|f1[0-9]|f2[0-4]|up|down|left|right|home|end|pageup|pagedown|insert|delete"
    r"|escape|enter|tab|backspace)"
)

_ARROWS = ("up", "down", "left", "right")
_MOVES = ("", "shift+", "ctrl+", "ctrl+shift+")

_INPUT_KEYS = {
    "enter": "sends messages",
    "ctrl+m": "sends messages",
    "shift+enter": "begins a line",
    "alt+enter": "begins a line",
    "ctrl+j": "begins a line",
    "tab": "completes words",
    "ctrl+i": "completes words",
    "backspace": "deletes characters",
    "ctrl+h": "deletes characters",
    "ctrl+c": "copies in some terminals",
    "ctrl+[": "is Esc in most terminals",
    "ctrl+u": "deletes to the beginning of the line",
    "ctrl+w": "deletes words",
    "delete": "deletes characters",
    **{f"{modifier}{key}": "moves in the text" for modifier in _MOVES for key in _ARROWS},
    **{f"{modifier}{key}": "moves in the text" for modifier in ("", "shift+") for key in ("home", "end")},
}
"""What the input needs, and no other key does there."""

_NAMES = {"esc": "escape", "return": "enter", "del": "delete", "page up": "pageup", "page down": "pagedown"}
"""Keys as people write them, as the table of actions does."""


def written(key: str) -> str:
    """A key of Textual, or of the settings, with the character itself: `alt+,` for `alt+comma`."""
    modifiers = re.match(_MODIFIERS, key)
    name = key[modifiers.end() if modifiers else 0 :]
    return key.removesuffix(name) + _CHARACTERS.get(name, name)


def chosen_key(text: str) -> str:
    """A key of the settings, in any case, as `written` returns it. Only `alt+A` is Alt, Shift and A."""
    modifiers = re.match(_MODIFIERS, text, re.IGNORECASE)
    before = modifiers[0] if modifiers else ""
    name = text.removeprefix(before)
    if len(name) != 1 or before != "alt+":
        name = name.lower()
    return written(before.lower() + _NAMES.get(name, name))


def why_not(key: str) -> str:
    """Why a key, as `written` returns it, cannot be chosen for an action; empty if it can."""
    found = _KEY.fullmatch(key)
    if not found:
        return "is not a key; write keys as in ctrl+n, alt+up, f5 or pageup"
    if found["character"] and found["modifiers"] in ("", "shift+"):
        return f"types a text; use another key, such as alt+{found['character']} or f5"
    return _INPUT_KEYS.get(key, "")


def bindings(chosen: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """The action of each key. A key that the person has chosen is no longer the usual one of another action."""
    usual = {key: action.name for action in ACTIONS if action.name not in chosen for key in action.keys}
    return usual | {key: name for name, keys in chosen.items() for key in keys}


def keys_of(action: Action, bound: Mapping[str, str]) -> list[str]:
    """The keys of an action, from `bindings`."""
    return [key for key, name in bound.items() if name == action.name]


def key_name(key: str) -> str:
    """A key as people write it, such as Ctrl+R or Page Up."""
    names = {"pageup": "Page Up", "pagedown": "Page Down", "escape": "Esc"}
    return "+".join(names.get(part, part.capitalize()) for part in key.split("+"))


def parse(text: str) -> Command | None:
    """The slash command in a text that was entered; None if it is a message. Raises `UnknownCommand`.

    A message that begins with a slash begins with two; the first one is not sent. A path, such as /etc/hosts, is none,
    unless it begins with the name of a command.
    """
    if not text.startswith("/") or text.startswith("//"):
        return None
    word, _, argument = text[1:].partition(" ")
    if "\n" in word:
        word, _, argument = text[1:].partition("\n")
    if "/" in word or not word:
        if word.partition("/")[0].lower() in BY_SLASH:  # probably two commands
            raise UnknownCommand(_suggestion(word))
        return None
    action = BY_SLASH.get(word.lower())
    if action is None:
        raise UnknownCommand(_suggestion(word))
    return Command(action, argument.strip())


_ELSEWHERE = {
    "j": "join",
    "part": "leave",
    "close": "leave",
    "list": "rooms",
    "channels": "rooms",
    "names": "who",
    "users": "who",
    "status": "presence",
    "action": "me",
    "exit": "quit",
}
"""What other chat programs call a command."""


def _suggestion(word: str) -> str:
    from difflib import get_close_matches

    known = _ELSEWHERE.get(word.lower())
    near = [known] if known else get_close_matches(word.lower(), BY_SLASH, n=1, cutoff=0.6)
    meant = f"Did you mean /{near[0]}?" if near else "/help lists the commands."
    return f"There is no command /{word}. {meant} To send this text: //{word}"
