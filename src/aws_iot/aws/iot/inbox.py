"""Events of a connection that its owner has not read, and received messages that it has not acknowledged."""

import queue
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from awscrt import mqtt5

from aws_iot.messaging.connection import Event, Publication

UNACKNOWLEDGED = 100
"""How many received messages may be unacknowledged: the limit of AWS IoT Core for a connection."""

EVENTS = 1000
"""How many events may be unread. Above it awscrt has to wait, and with it the broker."""

GATHER_SECONDS = 0.001
"""How long several events gather for a reader that waits.

Waking it for each one would take longer than all the other work for a message.
"""


MESSAGES_PER_CHECK = 5000
"""After how many received messages it is checked whether their acknowledgements leave."""

STUCK_SECONDS = 30.0
"""How long acknowledgements may be stuck while messages keep arriving."""


class AcknowledgementCheck:
    """Notices if acknowledgements no longer leave.

    awscrt 0.36 and 0.38 put off sending acknowledgements with each further one. So none leaves while messages arrive
    without a pause, and for each it walks through all that wait. A broker that keeps to `UNACKNOWLEDGED` has to pause.
    Another one, such as mosquitto 2.0.11 under load, can keep awscrt busy with that for good. Only another connection
    ends it.
    """

    def __init__(self, ask: Callable[[], None], clock: Callable[[], float] = time.monotonic) -> None:
        """`ask` sends a request that leaves after the acknowledgements. Call `answered` for its answer."""
        self._ask = ask
        self._clock = clock
        self._received = 0
        self._asked_at: float | None = None
        self.latest = 0.0
        """When the latest message arrived, by the clock."""

    def are_stuck(self) -> bool:
        """Count a received message; whether acknowledgements have been stuck for too long."""
        self._received += 1
        self.latest = now = self._clock()
        if self._received % MESSAGES_PER_CHECK:
            return False
        if self._asked_at is None:
            self._asked_at = now
            self._ask()
            return False
        return now - self._asked_at > STUCK_SECONDS

    def answered(self) -> None:
        """The request was answered, so all acknowledgements before it have left."""
        self._asked_at = None


class Acknowledger(Protocol):
    """The client that a message came by. Only this one can acknowledge it."""

    def acknowledge(self, handle: mqtt5.PublishAcknowledgementControlHandle) -> None:
        """Acknowledge a received message."""


class Unacknowledged(NamedTuple):
    """A received message that the broker waits to be acknowledged."""

    delivery: Publication
    client: Acknowledger
    handle: mqtt5.PublishAcknowledgementControlHandle


class Inbox:
    """Events in their order. awscrt's threads put them in, and the owner's thread takes them out."""

    def __init__(self, *, is_durable: bool) -> None:
        """In a durable session the owner acknowledges messages. Otherwise awscrt does, while few are unread."""
        self._is_durable = is_durable
        self._events: queue.SimpleQueue[Event | Unacknowledged] = queue.SimpleQueue()
        self._received = 0
        self._acknowledged = 0
        self._handles: deque[tuple[int, Unacknowledged]] = deque()
        self._is_closed = False

    def close(self) -> None:
        """Drop all unread events, and give none: the owner has left."""
        self._is_closed = True

    def put(self, event: Event) -> None:
        """Add what happened to the connection."""
        self._events.put(event)

    def deliver(self, data: mqtt5.PublishReceivedData, client: Acknowledger) -> None:
        """Add a message that `client` has received. Has to be called in awscrt's callback for it."""
        packet, events = data.publish_packet, self._events
        given = packet.user_properties
        delivery = Publication(
            packet.topic,
            packet.payload or b"",
            tuple([(one.name, one.value) for one in given]) if given else (),
            packet.qos.value,
            packet.retain,
        )
        handle = None
        if self._is_durable or events.qsize() >= UNACKNOWLEDGED:  # otherwise awscrt does it, which is cheaper
            take_charge = data.acquire_publish_acknowledgement_control
            handle = take_charge() if take_charge else None
        events.put(Unacknowledged(delivery, client, handle) if handle else delivery)

    @property
    def is_full(self) -> bool:
        """Whether the broker should wait before it sends more."""
        return self._events.qsize() > EVENTS

    def let_gather(self) -> None:
        """If nothing is there yet, wait for more than the next event."""
        if self._events.empty():
            time.sleep(GATHER_SECONDS)

    def take(self, seconds: float) -> Event | None:
        """The next event; None if none comes within `seconds`, or after `close`."""
        if self._is_closed:
            return None
        try:
            event = self._events.get(timeout=seconds) if seconds else self._events.get_nowait()
        except queue.Empty:
            return None
        if isinstance(event, Unacknowledged):
            self._received += 1
            self._handles.append((self._received, event))
            return event.delivery
        self._received += isinstance(event, Publication)
        return event

    def acknowledged(self, deliveries: int | None) -> Iterator[Unacknowledged]:
        """Of the oldest `deliveries` that were taken, or of all: those that the broker waits for."""
        self._acknowledged = self._received if deliveries is None else self._acknowledged + deliveries
        while self._handles and self._handles[0][0] <= self._acknowledged:
            yield self._handles.popleft()[1]
