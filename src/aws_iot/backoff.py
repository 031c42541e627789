"""Backoff: how long to wait between attempts, longer each time up to a maximum."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays in seconds: `first`, then `factor` times the one before, never more than `maximum`.

    It only calculates. The caller waits, decides when to stop, and adds jitter if several programs may retry at once.
    """

    first: float
    factor: float
    maximum: float

    def delay(self, retry: int) -> float:
        """The delay before this retry, counted from 0."""
        try:
            return min(self.first * float(self.factor) ** retry, self.maximum)
        except OverflowError:  # a float ends at about 10^308; the maximum was reached long before
            return self.maximum

    def __iter__(self) -> Iterator[float]:
        """The delays in order, without end."""
        return map(self.delay, count())
