"""Recall: goes through what was sent before, as shells do, and comes back to what was typed."""

from collections.abc import Sequence


class Recall:
    """The place in the texts that were sent. It begins anew when another text is typed."""

    def __init__(self) -> None:
        self._back = 0
        self._draft = ""
        self._shown: str | None = None

    def step(self, by: int, text: str, sent: Sequence[str]) -> str | None:
        """The text to show instead of `text`: an older one if `by` is 1, a newer one if -1; None if there is none.

        Only an empty input begins, so that no draft is replaced.
        """
        if text != self._shown:
            self._back, self._draft = 0, text
        if not self._back and (text or by < 0):
            return None
        back = min(self._back + by, len(sent))
        if back == self._back:
            return None
        self._back = back
        self._shown = sent[-back] if back else self._draft
        return self._shown
