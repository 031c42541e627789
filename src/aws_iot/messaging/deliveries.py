"""Deliveries: messages as they arrive, each to be acknowledged once it has been handled."""

import math
import time
from collections.abc import Callable
from datetime import datetime

from aws_iot.messaging.connection import Publication
from aws_iot.messaging.deduplication import Copies, Deduplicator
from aws_iot.messaging.kinds import PRESENCE
from aws_iot.messaging.message import Message, from_wire
from aws_iot.messaging.topics import Located

SAME_SECONDS = 0.0005
"""Messages that arrive within this time share one time of arrival.

Times are shown in milliseconds, and reading the clock is expensive at tens of thousands of messages a second.
"""


class Delivery:
    """A message that arrived. Call `ack` once it has been handled.

    If it was not acknowledged, the broker delivers it again to the next client of the durable session.
    """

    __slots__ = ("_acknowledgements", "_number", "message")

    def __init__(self, message: Message, number: int, acknowledgements: "Acknowledgements") -> None:
        self.message = message
        self._number = number
        self._acknowledgements = acknowledgements

    def ack(self, *, multiple: bool = False) -> None:
        """The message has been handled and, with `multiple`, so has every message that arrived before it.

        Messages may be acknowledged in any order, on the thread that receives them. The broker expects
        acknowledgements in the order of delivery, so it gets each one when all earlier ones are due too.
        """
        self._acknowledgements.ack(self._number, multiple=multiple)


class Flush:
    """A request to write what is buffered, and to acknowledge what has been handled.

    It comes when all messages that have arrived were delivered, or after many of them. It is repeated as
    long as a delivery remains unacknowledged.
    """


class Acknowledgements:
    """Passes acknowledgements to the broker in the order in which the messages were delivered.

    MQTT 5 requires that order (section 4.6).
    """

    def __init__(self, acknowledge: Callable[[int], None]) -> None:
        """`acknowledge` is called with the number of deliveries, oldest first, that the broker may forget."""
        self._acknowledge = acknowledge
        self.delivered = 0
        """How many deliveries the connection has handed out, and so the number of the latest."""
        self._passed = 0
        self._early: set[int] = set()

    @property
    def are_due(self) -> bool:
        """Whether any delivery remains unacknowledged."""
        return self._passed < self.delivered

    def ack(self, number: int, *, multiple: bool = False) -> None:
        """Acknowledge the delivery of this number and, with `multiple`, all before it."""
        if number > self._passed + 1 and not multiple:
            self._early.add(number)
            return
        if number <= self._passed:
            return
        if self._early:
            while number + 1 in self._early:
                number += 1
            self._early = {early for early in self._early if early > number}
        newly, self._passed = number - self._passed, number
        self._acknowledge(newly)


class Receiver:
    """Turns what the connection receives into deliveries; drops duplicates and topics of other rooms."""

    def __init__(
        self,
        acknowledge: Callable[[int], None],
        locate: Callable[[str], Located | None],
        now: Callable[[], datetime],
        *,
        presence: bool = False,
    ) -> None:
        """`locate` gives what a topic stands for, or None if it was not subscribed to.

        Signs of presence are delivered only with `presence`.
        """
        self._acknowledgements = Acknowledgements(acknowledge)
        self._locate = locate
        self._now = now
        self._dropped_kind = None if presence else PRESENCE
        self._is_repeated = Deduplicator().is_repeated
        self._copies = Copies()
        self._arrived, self._arrived_at = now(), -math.inf

    @property
    def has_unacknowledged(self) -> bool:
        """Whether any delivery remains unacknowledged."""
        return self._acknowledgements.are_due

    def waited(self, seconds: float) -> None:
        """Nothing had arrived for so long when the next event was asked for."""
        self._copies.waited(seconds)

    def lost(self) -> None:
        """The connection was lost, and with it what was on the way."""
        self._copies.forget()

    def delivery(self, publication: Publication) -> Delivery | None:
        """The delivery of a publication; None, at once acknowledged, if there is nothing to handle."""
        topic, payload, properties, qos, retain = publication
        acknowledgements = self._acknowledgements
        acknowledgements.delivered = number = acknowledgements.delivered + 1
        if located := self._locate(topic):
            if (at := time.monotonic()) - self._arrived_at >= SAME_SECONDS:
                self._arrived, self._arrived_at = self._now(), at
            room, sender, filters = located
            message = from_wire(room, sender, payload, properties, self._arrived, qos, retain)
            is_copy = filters > 1 and self._copies.is_copy(publication, filters)
            is_dropped = message.kind is not None and message.kind == self._dropped_kind
            if not is_dropped and not (self._is_repeated(message) if message.id else is_copy):
                return Delivery(message, number, acknowledgements)
        acknowledgements.ack(number)
        return None
