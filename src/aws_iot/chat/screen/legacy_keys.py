"""Alt and a key, on terminals that send them as Escape and the key. Textual alone would take Alt+Enter for Enter."""

from collections.abc import Iterable
from enum import Enum
from typing import Any, cast

from textual import _ansi_sequences


def register(keys: Iterable[str]) -> None:
    """Let Textual know these keys, such as `alt+a`, and `alt+enter`. Without that, it waits, and may lose them."""
    sequences: dict[str, tuple[str, ...]] = {"alt+enter": ("\x1b\r", "\x1b\n")}
    for key in keys:
        modifier, _, character = key.rpartition("+")
        if modifier == "alt" and len(character) == 1:
            sequences[key] = (f"\x1b{character}",)
    names = Enum("names", {key: key for key in sequences})  # type: ignore[misc]  # made while the program runs
    known = cast("dict[str, Any]", _ansi_sequences.ANSI_SEQUENCES_KEYS)
    for key, written in sequences.items():
        for sequence in written:
            known[sequence] = (names[key],)
