"""Pacing: how fast AWS IoT Core accepts messages, and the delays that keep a connection below that."""

import time
from collections.abc import Callable

# AWS IoT Core limits of one connection; it discards what exceeds them:
# docs.aws.amazon.com/general/latest/gr/iot-core.html
# It accepts 100 publishes a second. The margin allows for how it counts them and how they travel.
PUBLISHES_PER_SECOND = 95.0
BYTES_PER_SECOND = 512 * 1024
MAX_UNACKNOWLEDGED = 100

CATCH_UP_SECONDS = 0.02
"""How much lost time the next messages may make up: a sleep always takes a little longer than requested."""


class Pacer:
    """Spreads messages so that one connection stays below two limits: messages and bytes a second."""

    def __init__(
        self, messages: float, bytes_: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`messages` and `bytes_` are per second; 0 means no limit."""
        self._message_seconds = 1 / messages if messages else 0.0
        self._byte_seconds = 1 / bytes_ if bytes_ else 0.0
        self._monotonic = monotonic
        self._next = monotonic()

    def delay(self, size: int) -> float:
        """The seconds to wait before sending the next message, of `size` bytes."""
        now = self._monotonic()
        self._next = max(self._next, now - CATCH_UP_SECONDS)
        wait = self._next - now
        self._next += max(self._message_seconds, size * self._byte_seconds)
        return max(0.0, wait)

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit for messages a second."""
        return self._message_seconds > 0

    def hold(self, seconds: float) -> None:
        """Send nothing for this long."""
        self._next = max(self._next, self._monotonic() + seconds)
