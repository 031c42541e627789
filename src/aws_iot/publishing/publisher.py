"""Publisher: sends many messages over one or more connections, as fast as AWS IoT Core allows."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field

from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import AwsIotError, ServiceRefused, TopicRefused, Unreachable
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.pacing import BYTES_PER_SECOND, MAX_UNACKNOWLEDGED, PUBLISHES_PER_SECOND, Pacer

Connect = Callable[[bool], AbstractContextManager[Sequence[Client]]]
"""Signs in and gives a client for each connection, until the block ends. The argument: whether it may ask a person."""


@dataclass
class PublishStats:
    """How far a publisher is. Every message up to the number `settled` is acknowledged or rejected."""

    sent: int = 0
    acknowledged: int = 0
    rejected: int = 0
    settled: int = 0
    _settled_early: set[int] = field(default_factory=set)

    def settle(self, number: int) -> None:
        """This message is done; earlier ones may still be open."""
        if number == self.settled + 1 and not self._settled_early:
            self.settled = number  # the usual case, without the set
            return
        self._settled_early.add(number)
        while self.settled + 1 in self._settled_early:
            self.settled += 1
            self._settled_early.remove(self.settled)


@dataclass(frozen=True, slots=True)
class Callbacks:
    """What a `Publisher` calls on the thread that publishes; only `acknowledged` runs on other threads."""

    rejected: Callable[[int, Outgoing | None, AwsIotError], None]
    """Gets the message's number; the message is None if it was never sent."""

    connection_changed: Callable[[Lost | Restored], None] = lambda _: None
    polled: Callable[[], None] = lambda: None
    """Runs a few times a second."""

    acknowledged: Callable[[str], None] | None = None
    """Gets the message's ID, before the message counts as settled."""

    may_give_up: Callable[[], bool] = lambda: True
    """Whether to end with `Unreachable` if a broker acknowledges nothing at all."""


class _Lane:
    """One connection of the publisher, and how many of its messages are unacknowledged."""

    def __init__(self, client: Client, pacer: Pacer) -> None:
        self.client = client
        self.pacer = pacer
        self.sent = 0
        self.settled = 0
        self.settled_at_loss: int | None = None
        """The value of `settled` at the last poll, if the connection was lost then."""
        self.settled_at_silence: int | None = None
        """The value of `settled` when the last connection was given up on which nothing was acknowledged."""
        self.has_room = threading.Event()

    @property
    def resent(self) -> int:
        """At most this many messages left at once on a connection that was just restored: all unacknowledged ones."""
        before = self.settled_at_loss
        return MAX_UNACKNOWLEDGED if before is None else min(self.sent - before, MAX_UNACKNOWLEDGED)


class Publisher:
    """Publishes without waiting for each acknowledgement, but never exceeds the service's limits.

    One thread calls its methods. A single connection keeps the order of messages; several take turns, so the order
    is lost. `reported` is the number up to which every message is acknowledged, or its rejection was reported.
    """

    def __init__(
        self, clients: Sequence[Client], callbacks: Callbacks, *, rate: float = PUBLISHES_PER_SECOND
    ) -> None:
        """`rate` is in messages a second for each connection; 0 removes the limit for bytes, too."""
        self.stats = PublishStats()
        self.reported = 0
        bytes_per_second = BYTES_PER_SECOND if rate else 0
        self._lanes = [_Lane(client, Pacer(rate, bytes_per_second)) for client in clients]
        self._turn = 0
        self._callbacks = callbacks
        self._lock = threading.Lock()
        self._rejections: deque[tuple[int, Outgoing, AwsIotError]] = deque()
        self._failure: AwsIotError | None = None

    def publish(self, number: int, message: Outgoing) -> None:
        """Send it as soon as the limits allow. Raises as `Client.publish_nowait`, and what ends the connection.

        Numbers count from 1 without gaps: `skip` the ones that have no message.
        """
        lane = self._lanes[self._turn]
        self._turn = (self._turn + 1) % len(self._lanes)
        while lane.sent - lane.settled >= MAX_UNACKNOWLEDGED:
            lane.has_room.clear()
            if lane.sent - lane.settled >= MAX_UNACKNOWLEDGED and not lane.has_room.wait(POLL_SECONDS):
                self.poll()
        if lane.pacer.is_limited:
            self._check_connection(
                lane
            )  # if it was just restored, all unacknowledged messages have left on it
        if (delay := lane.pacer.delay(len(message.payload))) > 0:
            self._sleep(delay)
        if self._failure or not (self.stats.sent + 1) % MAX_UNACKNOWLEDGED:
            self.poll()
        lane.sent += 1
        self.stats.sent += 1
        try:
            lane.client.publish_nowait(message, lambda error: self._settle(lane, number, message, error))
        except AwsIotError:  # it was not sent, so it is never settled
            lane.sent -= 1
            self.stats.sent -= 1
            raise

    def reject(self, number: int, error: AwsIotError) -> None:
        """The message of this number cannot be sent at all."""
        self._callbacks.rejected(number, None, error)
        with self._lock:
            self.stats.rejected += 1
            self.stats.settle(number)

    def skip(self, number: int) -> None:
        """This number has no message."""
        with self._lock:
            self.stats.settle(number)

    def finish(self) -> None:
        """Wait until every message is settled, however long a connection is lost.

        Raises what ends the connection, and `Unreachable` if the broker acknowledges nothing on two in a row.
        """
        for lane in self._lanes:
            while lane.settled < lane.sent:
                self.poll()
                lane.has_room.clear()
                if lane.settled < lane.sent:
                    lane.has_room.wait(POLL_SECONDS)
        self.poll()

    def poll(self) -> None:
        """Report rejections and changes of the connections. Raises what ends a connection."""
        self.report()
        for lane in self._lanes:
            self._check_connection(lane)
        if self._failure:
            raise self._failure
        self._callbacks.polled()

    def report(self) -> None:
        """Report the rejected messages, save the acknowledged ones, and update `reported`."""
        with self._lock:
            settled = self.stats.settled
        self.save_sent()
        while self._rejections:
            self._callbacks.rejected(*self._rejections[0])
            self._rejections.popleft()  # after the call: Ctrl-C may interrupt that, and the report is not lost
        self.reported = settled

    def save_sent(self) -> None:
        """Save the messages that were acknowledged so far, if the clients save them."""
        for lane in self._lanes:
            lane.client.save_sent()

    def _check_connection(self, lane: _Lane) -> None:
        """Report changes of one connection. Raises what ended it."""
        is_lost = lane.settled_at_loss is not None
        for event in lane.client.connection_events():
            if isinstance(event, Restored):
                lane.pacer.hold(lane.resent / PUBLISHES_PER_SECOND)
            self._callbacks.connection_changed(event)
            is_lost = isinstance(event, Lost)
            if isinstance(event, Lost) and event.unanswered:
                self._check_silence(lane, event)
        lane.settled_at_loss = lane.settled if is_lost else None

    def _check_silence(self, lane: _Lane, event: Lost) -> None:
        """Give up if two connections in a row brought no acknowledgement: a network may fail without a sign once."""
        before, lane.settled_at_silence = lane.settled_at_silence, lane.settled
        if before == lane.settled and self._callbacks.may_give_up():
            raise Unreachable(f"{event.cause}, on two connections in a row")

    def _sleep(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
            if left > POLL_SECONDS:
                self.poll()

    def _settle(self, lane: _Lane, number: int, message: Outgoing, error: AwsIotError | None) -> None:
        """Note the result of one message. Runs on the connection's thread."""
        if error is None and self._callbacks.acknowledged:
            self._callbacks.acknowledged(message.id)
        with self._lock:
            if error is None:
                self.stats.acknowledged += 1
                self.stats.settle(number)
            elif isinstance(error, ServiceRefused | TopicRefused):
                self.stats.rejected += 1
                self.stats.settle(number)
                self._rejections.append((number, message, error))
            else:
                self._failure = self._failure or error
            lane.settled += 1
            unacknowledged = lane.sent - lane.settled
        # Not after each message: the two threads would do little else than take turns.
        if unacknowledged in (0, MAX_UNACKNOWLEDGED // 2) or self._failure:
            lane.has_room.set()
