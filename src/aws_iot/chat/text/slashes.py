"""Slashes: a message that begins with one is typed with two, since one begins a command."""

from collections.abc import Iterable


def typed_form(message: str) -> str:
    """How to type a message."""
    return f"/{message}" if message.startswith("/") else message


def message_of(typed: str) -> str:
    """The message in a text that is no command."""
    return typed[1:] if typed.startswith("//") else typed


def below(texts: Iterable[str]) -> str:
    """The typed texts below one another. Only the first one can begin a command."""
    first, *others = [text for text in texts if text] or [""]
    return "\n".join([first, *map(message_of, others)])
