"""Client: publishes to rooms and receives messages from them, over one connection."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from datetime import datetime
from types import TracebackType
from typing import Self

from aws_iot.errors import AwsIotError
from aws_iot.messaging.composer import Composer, SentSaver, as_it_travels
from aws_iot.messaging.connection import Connection, Done, Event, Lost, Publication, Restored
from aws_iot.messaging.deliveries import Delivery, Flush, Receiver
from aws_iot.messaging.durable import DurableSession
from aws_iot.messaging.message import Message, Outgoing
from aws_iot.messaging.subscriptions import Subscribed, Subscriptions

EVENTS_BEFORE_FLUSH = 50
"""Number of events after which `Flush` comes at the latest. A broker sends 100 messages ahead."""

FLUSH_SECONDS = 0.05
"""Interval at which `Flush` is repeated while a delivery remains unacknowledged."""


class Client:
    """Publishes to the rooms of one identity pool, and receives from them, as one identity.

    One thread uses it. Use it as a context manager, or call `close`.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        pool: str,
        identity: str,
        username: str,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        durable: DurableSession | None = None,
        sent_saver: SentSaver | None = None,
        presence: bool = False,
    ) -> None:
        """`username` travels with each message as the sender's name; `new_id` never returns the same ID twice.

        `sent_saver` gets each message that the broker has acknowledged; with QoS 0, each that has left.
        With `presence`, it also receives signs of presence: see `kinds.Sign`.
        """
        self.identity = identity
        self.username = username
        self._connection = connection
        self._composer = Composer(pool, identity, username, now, new_id)
        self._sent_saver = sent_saver
        self._subscriptions = Subscriptions(connection, pool, identity, durable)
        self._receiver = Receiver(connection.acknowledge, self._subscriptions.locate, now, presence=presence)
        self._handed_out: Delivery | None = None
        self._backlog: deque[Event] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._ack_handed_out()
        finally:
            self.close()

    def close(self) -> None:
        """Disconnect. The last message of `messages` counts as handled only if you asked for the next one.

        Any thread may call it. A thread that waits for an event then gets `Unreachable`, as does every later call.
        """
        self._backlog = deque()  # messages for later calls of `events`, which raise from now on
        self._connection.close()

    def publish(
        self,
        room: str,
        message: str | bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        kind: str | None = None,
        re: str | None = None,
    ) -> Message:
        """Send a message, and return it when the broker has acknowledged it.

        A `str` travels as `{"msg": …}`; `bytes` are the payload itself. For `kind` and `re`, see `Message`. Raises
        `InvalidRoom` or `InvalidMessage` before anything is sent, otherwise what `Connection.publish` raises. After
        `Unreachable`, the message may still be sent when the connection is restored, so a retry can send it twice.
        """
        outgoing = self.outgoing(room, message, qos=qos, retain=retain, kind=kind, re=re)
        publication, at = self._composer.publication(outgoing)
        self._connection.publish(publication)
        sent = self._composer.acknowledged(outgoing, as_it_travels(at))
        if self._sent_saver:
            self._sent_saver.add(sent)
            self._sent_saver.flush()
        return sent

    def outgoing(
        self,
        room: str,
        message: str | bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        kind: str | None = None,
        re: str | None = None,
    ) -> Outgoing:
        """A message for `publish_nowait`, with an ID of its own. Raises `InvalidRoom` or `InvalidMessage`."""
        return self._composer.outgoing(room, message, qos, retain, kind, re)

    def publish_nowait(self, message: Outgoing, done: Done) -> None:
        """Send a message without waiting for the broker: see `Connection.send`.

        Raises `InvalidRoom` or `InvalidMessage` before anything is sent.
        """
        publication, at = self._composer.publication(message)
        saver, composer = self._sent_saver, self._composer

        def saved(error: AwsIotError | None) -> None:
            if error is None and saver:
                saver.add(composer.acknowledged(message, at))
            done(error)

        self._connection.send(publication, saved if saver else done)

    def rename(self, username: str) -> None:
        """Send messages under another name from now on. The identity stays."""
        self.username = username
        self._composer.rename(username)

    def save_sent(self) -> None:
        """Save the messages of `publish_nowait` that were acknowledged so far, if the client saves them."""
        if self._sent_saver:
            self._sent_saver.flush()

    def subscribe(self, *rooms: str) -> Subscribed:
        """Receive these rooms, or patterns of rooms, as well; every room if none is named.

        A durable session leaves the rooms of earlier runs that are not among these. Raises `InvalidRoom`
        before anything is sent, otherwise what `Connection.subscribe` raises.
        """
        for room in rooms:
            if not isinstance(room, str):
                raise TypeError(f"a room is a str, not {type(room).__name__}")
        return self._subscriptions.add(rooms or ("#",))

    def unsubscribe(self, *rooms: str) -> None:
        """Stop receiving these rooms or patterns, in the form in which you subscribed to each.

        A durable session also leaves those of earlier connections. Raises `InvalidRoom` for an impossible room,
        otherwise what `Connection.unsubscribe` raises.
        """
        self._subscriptions.remove(rooms)

    def messages(self, *rooms: str, timeout: float | None = None) -> Iterator[Message]:
        """Receive messages for `timeout` seconds.

        It subscribes to these rooms first; if none is named, to every room, unless you have subscribed to some.
        A message is acknowledged when you ask for the next one, or leave the `with` block of the client
        without an exception.
        """
        if timeout is not None and timeout < 0:
            raise ValueError(f"timeout is in seconds, at least 0, not {timeout!r}")
        if rooms or not self._subscriptions.rooms:
            self.subscribe(*rooms)
        return self._messages(timeout)

    def _messages(self, timeout: float | None) -> Iterator[Message]:
        self._ack_handed_out()
        for event in self.events(timeout):
            if isinstance(event, Delivery):
                self._handed_out = event
                yield event.message
                self._ack_handed_out()

    def _ack_handed_out(self) -> None:
        if self._handed_out:
            self._handed_out.ack()
            self._handed_out = None

    def events(self, timeout: float | None = None) -> Iterator[Delivery | Lost | Restored | Flush]:
        """Everything that happens, in order, for `timeout` seconds: messages and changes of the connection.

        A message that the broker delivers twice comes once, if it has an ID. Raises what ends the connection.
        """
        receive, backlog, deliver = self._connection.receive, self._backlog, self._receiver.delivery
        ends = math.inf if timeout is None else time.monotonic() + timeout
        since_flush = 0
        while timeout is None or time.monotonic() < ends:
            event: Event | None = None
            if 0 < since_flush < EVENTS_BEFORE_FLUSH:
                event = backlog.popleft() if backlog else receive(0)
            if event is None:
                since_flush = 0
                if self._receiver.has_unacknowledged:
                    yield Flush()
                interval = FLUSH_SECONDS if self._receiver.has_unacknowledged else math.inf
                left = min(max(0.0, ends - time.monotonic()), interval)
                began = time.monotonic()
                event = backlog.popleft() if backlog else receive(None if left == math.inf else left)
                self._receiver.waited(time.monotonic() - began)
            if event is not None:
                since_flush += 1
                if isinstance(event, Lost):
                    self._receiver.lost()
                happened = deliver(event) if isinstance(event, Publication) else event
                if happened is not None:
                    yield happened
            elif not self._receiver.has_unacknowledged:
                return

    def connection_events(self) -> Iterator[Lost | Restored]:
        """What has happened to the connection since the last call, without waiting, for use while publishing.

        Messages that arrive in that time are kept for `events`. With QoS 1, the broker sends only about a hundred
        before they are acknowledged. Raises what ended the connection.
        """
        while (event := self._connection.receive(0)) is not None:
            if isinstance(event, Publication):
                self._backlog.append(event)
            else:
                yield event

    def keep_for_events(self, event: Lost | Restored) -> None:
        """Have `events` yield this event of `connection_events` as well, in order with the messages."""
        self._backlog.append(event)
