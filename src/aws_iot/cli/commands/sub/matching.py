"""Patterns of `sub --grep`: which messages are printed, and where in them the pattern matches."""

import warnings
from collections.abc import Iterator
from typing import Any

from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role

MATCH_SECONDS = 0.1
"""How much processor time a text may take. Texts come from strangers, and some patterns never end with some texts.

Each text that takes longer halves it for the next ones, down to `LEAST_MATCH_SECONDS`.
"""

LEAST_MATCH_SECONDS = 0.005


class InvalidPattern(ValueError):
    """A pattern that is no regular expression; `str()` gives the reason and the place."""


class Pattern:
    """A regular expression that gives up in time. Its syntax is that of Python's `re`, and more."""

    def __init__(self, pattern: str) -> None:
        """Raises `InvalidPattern`."""
        # Here, because it takes long to import. Unlike `re`, it can stop a match.
        import regex

        self._given = pattern
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # what may have another meaning in a future version
                compiled: Any = regex.compile(pattern)
        except (regex.error, ValueError, OverflowError, RecursionError, MemoryError) as error:
            raise InvalidPattern(_reason(pattern, error)) from error
        self._compiled = compiled
        self._seconds = MATCH_SECONDS

    def __str__(self) -> str:
        return self._given

    def matches(self, text: str) -> bool:
        """Whether it matches somewhere in the text; true if that takes too long: nobody can hide a message so."""
        try:
            return self._compiled.search(text, timeout=self._seconds) is not None
        except TimeoutError:
            if self._seconds == MATCH_SECONDS:
                output.info(
                    f"Warning: '{self._given}' takes too long with some messages: these are printed.",
                    Role.WARNING,
                )
            self._seconds = max(self._seconds / 2, LEAST_MATCH_SECONDS)
            return True

    def places(self, text: str) -> Iterator[tuple[int, int]]:
        """Where it matches: starts and ends, in order; no more of them if that takes too long."""
        try:
            for found in self._compiled.finditer(text, timeout=self._seconds):
                if found.end() > found.start():
                    yield found.span()
        except TimeoutError:
            return


def _reason(pattern: str, error: Exception) -> str:
    import re

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as found:  # it finds the place more exactly
        error = found
    except (ValueError, OverflowError, RecursionError, MemoryError):
        pass
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    place = getattr(error, "pos", None)
    reason = str(getattr(error, "msg", error))
    return reason if place is None else f"{reason} at position {place + 1} of '{pattern}'"
