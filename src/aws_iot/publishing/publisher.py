"""Stream: many messages, one after another, as fast as the service takes them."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import AwsIotError, ServiceRefused, TopicRefused
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Outgoing

# AWS IoT Core limits of a connection, beyond which it discards: docs.aws.amazon.com/general/latest/gr/iot-core.html
# It takes 100 publishes in a second; by how it counts them, and by how they travel, some more may fall into one.
PUBLISHES_PER_SECOND = 95.0
BYTES_PER_SECOND = 512 * 1024
UNACKNOWLEDGED = 100

CREDIT_SECONDS = 0.02
"""Who has paused may catch up by so much: a pause is always a little longer than it was meant to be."""


@dataclass
class Tally:
    """How a stream stands. `settled` is the number up to which every message has been acknowledged or refused."""

    sent: int = 0
    acknowledged: int = 0
    refused: int = 0
    settled: int = 0
    _beyond: set[int] = field(default_factory=set)

    def settle(self, number: int) -> None:
        """This one needs nothing more; those before it may still."""
        if number == self.settled + 1 and not self._beyond:
            self.settled = number  # as a rule
            return
        self._beyond.add(number)
        while self.settled + 1 in self._beyond:
            self.settled += 1
            self._beyond.remove(self.settled)


class Pace:
    """Spreads messages so that neither limit is exceeded; a limit of 0 is none."""

    def __init__(
        self, messages: float, bytes_: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        """`messages` and `bytes_` a second."""
        self._message_seconds = 1 / messages if messages else 0.0
        self._byte_seconds = 1 / bytes_ if bytes_ else 0.0
        self._monotonic = monotonic
        self._next = monotonic()

    def pause(self, size: int) -> float:
        """The seconds to wait before the next message, which has `size` bytes, may leave."""
        now = self._monotonic()
        self._next = max(self._next, now - CREDIT_SECONDS)
        wait = self._next - now
        self._next += max(self._message_seconds, size * self._byte_seconds)
        return max(0.0, wait)

    @property
    def is_limited(self) -> bool:
        """Whether messages are to be spread at all."""
        return self._message_seconds > 0

    def rest(self, seconds: float) -> None:
        """Let none leave for so long."""
        self._next = max(self._next, self._monotonic() + seconds)


class _Lane:
    """A connection of the stream, and how much is on its way there."""

    def __init__(self, rooms: Client, pace: Pace) -> None:
        self.rooms = rooms
        self.pace = pace
        self.sent = 0
        self.settled = 0
        self.settled_before: int | None = None
        """How many were settled when it was looked last, if the link was lost then."""
        self.has_room = threading.Event()

    @property
    def sent_again(self) -> int:
        """How many at most have left at once on the link that has just come back: all that was not acknowledged."""
        before = self.settled_before
        return UNACKNOWLEDGED if before is None else min(self.sent - before, UNACKNOWLEDGED)


class Stream:
    """Hands messages over without waiting for each acknowledgement, but never more than the service allows.

    One thread puts messages in. Over one connection they arrive in order; over several, each takes the next.
    """

    def __init__(
        self,
        connections: Sequence[Client],
        *,
        rate: float = PUBLISHES_PER_SECOND,
        on_link: Callable[[Lost | Restored], None],
        on_refused: Callable[[int, Outgoing | None, AwsIotError], None],
        on_look: Callable[[], None] = lambda: None,
        on_acknowledged: Callable[[str], None] | None = None,
    ) -> None:
        """`rate` is in messages a second and connection, 0 for no limit of any kind.

        `on_link`, `on_refused` and `on_look` are called on the thread that puts messages in, the last one
        a few times a second. `on_acknowledged` gets the id, on other threads.
        """
        self.tally = Tally()
        limit = BYTES_PER_SECOND if rate else 0
        self._lanes = [_Lane(rooms, Pace(rate, limit)) for rooms in connections]
        self._turn = 0
        self._on_link = on_link
        self._on_refused = on_refused
        self._on_look = on_look
        self._on_acknowledged = on_acknowledged
        self.told = 0
        """Up to this number each is acknowledged, or its refusal was told."""
        self._lock = threading.Lock()
        self._refusals: deque[tuple[int, Outgoing, AwsIotError]] = deque()
        self._fatal: AwsIotError | None = None

    def put(self, number: int, message: Outgoing) -> None:
        """Hand it over, as soon as the service takes one more. Raises what ends the connection.

        Numbers count from 1, and none is left out: see `pass_over`.
        """
        lane = self._lanes[self._turn]
        self._turn = (self._turn + 1) % len(self._lanes)
        while lane.sent - lane.settled >= UNACKNOWLEDGED:
            lane.has_room.clear()
            if lane.sent - lane.settled >= UNACKNOWLEDGED and not lane.has_room.wait(POLL_SECONDS):
                self.look()
        if lane.pace.is_limited:
            self._hear(lane)  # a link that has just come back: all that waits has left on it
        if (pause := lane.pace.pause(len(message.payload))) > 0:
            self._rest(pause)
        if self._fatal or not (self.tally.sent + 1) % UNACKNOWLEDGED:
            self.look()
        lane.sent += 1
        self.tally.sent += 1
        lane.rooms.publish_nowait(message, lambda error: self._settled(lane, number, message, error))

    def refuse(self, number: int, error: AwsIotError) -> None:
        """What has this number cannot be sent at all."""
        self._on_refused(number, None, error)
        with self._lock:
            self.tally.refused += 1
            self.tally.settle(number)

    def pass_over(self, number: int) -> None:
        """There is nothing to send under this number."""
        with self._lock:
            self.tally.settle(number)

    def finish(self) -> None:
        """Wait until all is settled, however long the link is away. Raises what ends the connection."""
        for lane in self._lanes:
            while lane.settled < lane.sent:
                self.look()
                lane.has_room.clear()
                if lane.settled < lane.sent:
                    lane.has_room.wait(POLL_SECONDS)
        self.look()

    def look(self) -> None:
        """Tell what has happened to the links and which messages were refused. Raises what ends a connection."""
        self.tell()
        for lane in self._lanes:
            self._hear(lane)
        if self._fatal:
            raise self._fatal
        self._on_look()

    def tell(self) -> None:
        """Tell which messages were refused, up to the number in `told`."""
        with self._lock:
            settled = self.tally.settled
        while self._refusals:
            self._on_refused(*self._refusals[0])
            self._refusals.popleft()  # only now: it may be broken off at any moment
        self.told = settled

    def _hear(self, lane: _Lane) -> None:
        """Tell what has happened to a link, if anything has. Raises why it has ended, if it has."""
        is_lost = lane.settled_before is not None
        for event in lane.rooms.connection_events():
            if isinstance(event, Restored):
                lane.pace.rest(lane.sent_again / PUBLISHES_PER_SECOND)
            self._on_link(event)
            is_lost = isinstance(event, Lost)
        lane.settled_before = lane.settled if is_lost else None

    def _rest(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
            if left > POLL_SECONDS:
                self.look()

    def _settled(self, lane: _Lane, number: int, message: Outgoing, error: AwsIotError | None) -> None:
        """What became of one; on the connection's thread."""
        if error is None and self._on_acknowledged:
            self._on_acknowledged(message.id)  # before anybody may take all for settled
        with self._lock:
            if error is None:
                self.tally.acknowledged += 1
                self.tally.settle(number)
            elif isinstance(error, ServiceRefused | TopicRefused):
                self.tally.refused += 1
                self.tally.settle(number)
                self._refusals.append((number, message, error))
            else:
                self._fatal = self._fatal or error
            lane.settled += 1
            on_the_way = lane.sent - lane.settled
        # Not at each one: the two threads would do little but take turns.
        if on_the_way in (0, UNACKNOWLEDGED // 2) or self._fatal:
            lane.has_room.set()
