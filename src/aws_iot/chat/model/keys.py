"""Actions: what a person can do in the chat, by key or by slash command. Bindings, help and docs are made of them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Action:
    """Something to do. `usage` names the arguments of the slash command, and `help` completes "to …"."""

    name: str
    help: str
    keys: tuple[str, ...] = ()
    slash: str = ""
    usage: str = ""


ACTIONS = (
    Action("join", "join a room, or open it if you have joined it", slash="join", usage="ROOM"),
    Action("leave", "leave this room, or another one", slash="leave", usage="[ROOM]"),
    Action("rooms", "list your rooms", slash="rooms"),
    Action("who", "list who has written in this room", slash="who"),
    Action("me", "send *TEXT*, as in “*waves*”", slash="me", usage="TEXT"),
    Action("resend", "send the messages again that were not sent", ("ctrl+r",), slash="resend"),
    Action("discard", "put the last message that was not sent back into the input", slash="discard"),
    Action("next-room", "open the next room", ("alt+down", "ctrl+n")),
    Action("previous-room", "open the previous room", ("alt+up", "ctrl+p")),
    Action("page-up", "read older messages", ("pageup",)),
    Action("page-down", "read newer messages", ("pagedown",)),
    Action("newest", "go to the newest message", ("ctrl+end", "alt+end")),
    Action("toggle-rooms", "hide or show the rooms", ("f2",)),
    Action("toggle-people", "hide or show the people", ("f3",)),
    Action("help", "show this help", ("f1",), slash="help"),
    Action("quit", "quit; what you have typed is kept", ("ctrl+q",), slash="quit"),
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


def parse(text: str) -> Command | None:
    """The slash command in a text that was entered; None if it is a message. Raises `UnknownCommand`.

    A message that begins with a slash begins with two; the first one is not sent. A path, such as /etc/hosts, is none.
    """
    if not text.startswith("/") or text.startswith("//"):
        return None
    word, _, argument = text[1:].partition(" ")
    if "\n" in word:
        word, _, argument = text[1:].partition("\n")
    if "/" in word or not word:
        return None
    action = BY_SLASH.get(word.lower())
    if action is None:
        raise UnknownCommand(_suggestion(word))
    return Command(action, argument.strip())


def message_of(text: str) -> str:
    """The message in a text that is no command."""
    return text[1:] if text.startswith("//") else text


def _suggestion(word: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(word.lower(), BY_SLASH, n=1, cutoff=0.6)
    meant = f"Did you mean /{near[0]}?" if near else "/help lists the commands."
    return f"There is no command /{word}. {meant} To send it as a message, begin with //."
