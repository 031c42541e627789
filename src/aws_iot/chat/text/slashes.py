"""Slashes: a message that begins with one is typed with two, since one begins a command."""


def typed_form(message: str) -> str:
    """How to type a message."""
    return f"/{message}" if message.startswith("/") else message


def message_of(typed: str) -> str:
    """The message in a text that is no command."""
    return typed[1:] if typed.startswith("//") else typed
