"""Backoff: how long to wait between attempts, longer each time up to a maximum."""

from collections.abc import Iterator
from itertools import count


class Backoff:
    """Delays in seconds: `first`, then `factor` times the one before, never more than `maximum`.

    It only calculates. The caller waits, decides when to stop, and adds jitter if several programs may retry at once.
    """

    def __init__(self, first: float, factor: float, maximum: float) -> None:
        self._first = first
        self._factor = factor
        self._maximum = maximum

    def delay(self, retry: int) -> float:
        """The delay before this retry, counted from 0."""
        try:
            return min(self._first * float(self._factor) ** retry, self._maximum)
        except OverflowError:  # a float ends at about 10^308; the maximum was reached long before
            return self._maximum

    def __iter__(self) -> Iterator[float]:
        """The delays in order, without end."""
        return map(self.delay, count())
