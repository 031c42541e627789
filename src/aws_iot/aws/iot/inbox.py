"""What happens to a connection, until its owner takes it; and deliveries that are to be acknowledged."""

import queue
import threading
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from awscrt import mqtt5

from aws_iot.messaging.connection import Event, Publication

UNACKNOWLEDGED = 100
"""So many deliveries may wait for us to deal with them: AWS IoT Core's own limit for a connection."""

EVENTS = 1000
"""So many events may wait for their reader; then awscrt is made to wait, and with it the broker."""

GATHER_SECONDS = 0.001
"""Whoever waits for an event gives several so long to gather: to wake it for each would take longer than all
else that is done for a message."""


@dataclass(frozen=True, slots=True)
class Unacknowledged:
    """A delivery, and what tells the broker that it has been dealt with."""

    delivery: Publication
    stopped: threading.Event
    """Of the client that it came by; the client itself would be held by its own callback, and never be gone."""
    handle: mqtt5.PublishAcknowledgementControlHandle


class Inbox:
    """Events in the order in which they happened. awscrt's threads put them in, and the owner's takes them out."""

    def __init__(self, *, is_durable: bool) -> None:
        """What comes in a durable session is acknowledged when its owner says so; else, as a rule, as it comes."""
        self._is_durable = is_durable
        self._events: queue.SimpleQueue[Event | Unacknowledged] = queue.SimpleQueue()
        self._received = 0
        self._acknowledged = 0
        self._handles: deque[tuple[int, Unacknowledged]] = deque()

    def put(self, event: Event) -> None:
        """This has happened."""
        self._events.put(event)

    def deliver(self, data: mqtt5.PublishReceivedData, stopped: threading.Event) -> None:
        """This has come, by the client that `stopped` belongs to; called in awscrt's callback for it."""
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
        if self._is_durable or events.qsize() >= UNACKNOWLEDGED:  # else awscrt may: that is cheaper
            take_charge = data.acquire_publish_acknowledgement_control
            handle = take_charge() if take_charge else None
        events.put(Unacknowledged(delivery, stopped, handle) if handle else delivery)

    @property
    def is_full(self) -> bool:
        """Whether no more should come for now."""
        return self._events.qsize() > EVENTS

    def let_gather(self) -> None:
        """Where there is nothing yet, wait for more than the next one."""
        if self._events.empty():
            time.sleep(GATHER_SECONDS)

    def take(self, seconds: float) -> Event | None:
        """The next event; None if none comes for so long."""
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
        """Of the oldest so many that were taken, or of all: those that the broker has still to be told of."""
        self._acknowledged = self._received if deliveries is None else self._acknowledged + deliveries
        while self._handles and self._handles[0][0] <= self._acknowledged:
            yield self._handles.popleft()[1]
