"""Garbage: when Python collects it. A key that is pressed meanwhile waits."""

import gc

THRESHOLDS = 1_000, 10, 1_000
"""After how many new objects Python collects garbage, and after how many collections a larger one follows.

A small one takes 0.3 ms, the next 2 ms, and a large one, of all objects, 30 ms. With Python's usual 10 instead of the
last 1,000, large ones would be a hundred times as frequent.
"""

PAUSE_SECONDS = 60.0
"""How long after a large collection the next one may follow. So they cost a two-thousandth of a core."""


def begin() -> None:
    """Collect rarely from now on, and never look through what was imported: that takes 40 ms."""
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)


class IdleCollection:
    """Collects everything while the person does nothing."""

    def __init__(self) -> None:
        self._next_at: float | None = None

    def tick(self, now: float, *, is_active: bool) -> None:
        """Collect if that is due, unless the person is active. `now` is in seconds of a clock that only goes on."""
        if self._next_at is None:
            self._next_at = now + PAUSE_SECONDS
        elif now >= self._next_at and not is_active:
            gc.collect()
            self._next_at = now + PAUSE_SECONDS
