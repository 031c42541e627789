"""Publications that wait for their acknowledgement."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from awscrt import mqtt5

from aws_iot.errors import AwsIotError, Unreachable
from aws_iot.messaging.connection import Done

CUTS_THAT_REFUSE = 3
"""So many cuts in a row, each over the same request, mean no, if the last was of a link that stood until then.

AWS may refuse by closing, and awscrt tries for ever.
"""

SOON_SECONDS = 5.0
"""A cut is over a request if it comes within this time after the request left, and nothing was answered in between.

A network that breaks now and then does not. One that breaks all the time, such as before a balancer that restarts, also
breaks a link on which nothing is asked for.
"""

SLOWEST_BYTES_PER_SECOND = 4000
"""So fast a link carries at least: the largest message that AWS IoT Core takes, 128 KB, leaves within 32 seconds."""


def is_over(request_left: float) -> bool:
    """Whether a cut at this moment may be over a request that left, or was sent again, then."""
    return time.monotonic() - request_left < SOON_SECONDS


@dataclass(frozen=True, slots=True)
class Waiting:
    """A publication that is not settled yet."""

    packet: mqtt5.PublishPacket
    done: Done
    since: float = field(default_factory=time.monotonic)


class Outbox:
    """What was handed over and is not settled yet, oldest first. Any thread may call.

    AWS IoT Core can refuse a publication by closing the link, and awscrt sends it again on the next one,
    for ever: see `cut`.
    """

    def __init__(self) -> None:
        self._waiting: dict[int, Waiting] = {}
        self._numbers = count()
        self._lock = threading.Lock()
        self.cuts = 0
        """How many in a row were over the oldest."""
        self.link_began = 0.0
        self._answered_at = 0.0
        self._overtaken_since: float | None = None
        self.has_progressed = False
        """Whether the broker has answered one since the link began."""

    def begin(self) -> None:
        """A link has begun, and what waits goes out on it."""
        with self._lock:
            self.link_began = time.monotonic()
            self._overtaken_since = None
            self.has_progressed = False

    def add(self, packet: mqtt5.PublishPacket, done: Done) -> int:
        """The number under which it is settled."""
        with self._lock:
            number = next(self._numbers)
            self._waiting[number] = Waiting(packet, done)
        return number

    def settle(self, number: int, error: AwsIotError | None, *, by_broker: bool = False) -> None:
        """Tell what became of one; only the first word on it counts."""
        with self._lock:
            if by_broker:
                self.has_progressed = True
                self._answered_at = time.monotonic()
                is_oldest = next(iter(self._waiting), number) == number
                self._overtaken_since = None if is_oldest else self._overtaken_since or self._answered_at
            waiting = self._waiting.pop(number, None)
        if waiting:
            waiting.done(error)

    def each(self, hand_over: Callable[[int, mqtt5.PublishPacket], None]) -> None:
        """Hand all over once more, in their order."""
        with self._lock:
            waiting = list(self._waiting.items())
        for number, publication in waiting:
            hand_over(number, publication.packet)

    def first(self, hand_over: Callable[[int, mqtt5.PublishPacket], None]) -> bool:
        """Hand the oldest over once more, of those that the broker acknowledges; whether there is one."""
        with self._lock:
            oldest = next((each for each in self._waiting.items() if each[1].packet.qos), None)
        if oldest is None:
            return False
        hand_over(oldest[0], oldest[1].packet)
        return True

    def silent_since(self) -> float | None:
        """Since when the link owes us an answer that it may never give; None if there is none to wait for.

        It is the last answer that counts, as long as they come in order: over a slow link many are on their way. The
        next may take as long as the oldest takes to leave, which is not seen from here; else one that takes longer
        would be sent again for ever. One that is passed over was discarded, as AWS IoT Core does with what exceeds
        a limit.
        """
        with self._lock:
            oldest = self._oldest()
            if oldest is None:
                return None
            leaves = len(oldest.packet.payload or b"") / SLOWEST_BYTES_PER_SECOND
            return self._overtaken_since or max(self.link_began, self._answered_at, oldest.since) + leaves

    def _oldest(self) -> Waiting | None:
        """Of those that the broker acknowledges."""
        return next((waiting for waiting in self._waiting.values() if waiting.packet.qos), None)

    def cut(self) -> str:
        """The broker has ended the link: count it if it may be over the oldest publication, which is named."""
        with self._lock:
            oldest = self._oldest()
            over_it = oldest and not self.has_progressed and is_over(max(self.link_began, oldest.since))
            self.cuts = self.cuts + 1 if over_it else 0
        return f"publish to {oldest.packet.topic}" if oldest else "publish"

    def acquit(self) -> None:
        """The links were not cut over the oldest."""
        self.cuts = 0

    def only_topic(self) -> str | None:
        """Of the publication that waits, if there is exactly one: a goodbye without more words can only be over it."""
        with self._lock:
            topics = [waiting.packet.topic for waiting in self._waiting.values()]
        return topics[0] if len(topics) == 1 else None

    def fail(self) -> None:
        """The connection has ended for good: tell all that wait, oldest first."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
        for publication in waiting.values():
            publication.done(Unreachable("the connection has ended"))
