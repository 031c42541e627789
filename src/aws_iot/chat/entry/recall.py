"""Recall: goes through what was entered before, as shells do, and comes back to what was typed."""

from collections import defaultdict, deque
from collections.abc import Sequence

MOST = 500
"""How many lines of a room are remembered."""


class Recall:
    """What was entered in each room in this run, and the place in it. The place begins anew when a text is typed."""

    def __init__(self) -> None:
        self._entered: dict[str, deque[str]] = defaultdict(lambda: deque(maxlen=MOST))
        self._back = 0
        self._draft = ""
        self._shown: str | None = None

    def note(self, room: str, text: str) -> None:
        """A message or a command was entered."""
        entered = self._entered[room]
        if not entered or entered[-1] != text:
            entered.append(text)
        self._shown = None

    def step(self, by: int, text: str, room: str, earlier: Sequence[str]) -> str | None:
        """The text to show instead of `text`: an older one if `by` is 1, a newer one if -1; None if there is none.

        `earlier` are messages of earlier runs. Only an empty input begins, so that no draft is replaced.
        """
        if text != self._shown:
            self._back, self._draft = 0, text
        if not self._back and (text or by < 0):
            return None
        entered = [*earlier, *self._entered[room]]
        back = min(self._back + by, len(entered))
        if back == self._back:
            return None
        self._back = back
        self._shown = entered[-back] if back else self._draft
        return self._shown
