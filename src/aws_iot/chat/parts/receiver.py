"""Receiver: signs in, connects, receives and saves, on a thread. It tries again until it is closed."""

from __future__ import annotations  # so that what only types need is not imported

import queue
import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from aws_iot.backoff import Backoff
from aws_iot.chat.model import events as on
from aws_iot.chat.model.state import Link, Status
from aws_iot.chat.parts.intake import Intake
from aws_iot.chat.parts.rooms import Line, Rooms
from aws_iot.chat.parts.saver import Saver
from aws_iot.chat.parts.status import status_of, status_of_loss
from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import AwsIotError, LocalError
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.deliveries import Delivery

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aws_iot.history.saving.recorder import Recorder
    from aws_iot.messaging.client import Client
    from aws_iot.messaging.message import Message

    Tell = Callable[[on.Event], None]

CONNECT_BACKOFF = Backoff(2.0, 1.5, 30.0)
"""The seconds between attempts to sign in and connect."""

LASTING_SECONDS = 60.0
"""A connection that lasted this long was useful: if it ends, the pauses begin anew."""


class Sender(Protocol):
    """What sends messages while there is a connection."""

    def attach(self, client: Client) -> None:
        """Send with this client from now on."""
        ...

    def hold(self) -> None:
        """The connection is lost, and may be restored."""
        ...

    def release(self) -> None:
        """It is restored."""
        ...

    def detach(self) -> None:
        """There is no connection any more."""
        ...


class Receiver:
    """Keeps the chat connected. Its public methods are for other threads."""

    def __init__(
        self,
        connect: Callable[[AwsIotError | None], Line],
        recorder: Callable[[Callable[[LocalError], None]], Recorder] | None,
        sender: Sender,
        tell: Tell,
        now: Callable[[], datetime],
        *,
        key: str,
        backoff: Backoff = CONNECT_BACKOFF,
    ) -> None:
        """`connect` signs in and connects, given what has ended the connection before. `recorder` makes what saves
        messages, given what takes its warning; None saves none.
        """
        self._connect = connect
        self._sender = sender
        self._tell = tell
        self._key = key
        self._retries = _Retries(backoff, tell, now)
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)
        self._rooms = Rooms(tell, now)
        self._intake = Intake(Saver(recorder, tell), tell)

    def start(self) -> None:
        """Begin to connect."""
        self._thread.start()

    def join(self, room: str) -> None:
        """Receive this room from now on."""
        self._requests.put(lambda: self._rooms.add(room))

    def leave(self, room: str) -> None:
        """Receive this room no longer."""
        self._requests.put(lambda: self._rooms.remove(room))

    def sent(self, message: Message) -> None:
        """The broker has acknowledged this message of yours, which should come back."""
        self._requests.put(lambda: self._intake.expect(message))

    def reconnect(self) -> None:
        """Wait no longer for the next attempt to connect."""
        self._requests.put(self._hurry)

    def close(self, seconds: float = 2.0) -> None:
        """Disconnect, and save what was received."""
        self._closing.set()
        if self._thread.ident is None:
            return
        self._thread.join(seconds / 2)
        line = self._rooms.line
        if line and self._thread.is_alive():
            line.client.close()  # it waits for the broker, which may take longer than the person wants to wait
        self._thread.join(seconds / 2)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  otherwise the screen would tell for ever that it is online
            text = f"internal error, please report it: {error!r}"
            self._tell(
                on.StatusChanged(Status(Link.REJECTED, text, "What you send is kept. Start the chat again."))
            )

    def _work(self) -> None:
        with self._intake:
            ended: AwsIotError | None = None
            while not self._closing.is_set():
                self._tell(on.StatusChanged(Status(Link.CONNECTING)))
                began = time.monotonic()
                try:
                    line = self._connect(ended)
                except AwsIotError as error:
                    self._report(error)
                else:
                    ended = self._use(line)
                    if time.monotonic() - began >= LASTING_SECONDS:
                        self._retries.begin_anew()
                self._wait()

    def _report(self, error: AwsIotError) -> None:
        if not self._closing.is_set():
            self._tell(on.StatusChanged(status_of(error, self._key)))

    def _wait(self) -> None:
        self._retries.plan()
        while not self._closing.is_set() and self._retries.is_waiting:
            self._closing.wait(POLL_SECONDS)
            self._rooms.beat()
            self._handle_requests()
            self._intake.take_overdue()
        self._retries.planned(None)

    def _hurry(self) -> None:
        if self._rooms.line:
            self._rooms.line.connection.reconnect_now()
        else:
            self._retries.planned(None)

    def _use(self, line: Line) -> AwsIotError | None:
        """Receive until the connection has ended. Returns why, unless the person has quit.

        The session ends with the chat, not with the connection. A call can fail while it is up, because the broker does
        not answer. The next connection then gets what the broker has kept.
        """
        ended = None
        try:
            self._serve(line)
        except AwsIotError as error:
            ended = error
            self._receive_rest(line.client)
            self._report(error)
        finally:
            self._rooms.detach()
            self._sender.detach()
            line.connection.leave(keeps_session=ended is not None and not self._closing.is_set())
            line.client.close()
        return ended

    def _serve(self, line: Line) -> None:
        self._rooms.attach(line)
        self._handle_requests()
        if self._closing.is_set():  # while it was connecting
            return
        self._rooms.update()
        self._sender.attach(line.client)  # first: what follows from the events is sent with it
        self._tell(on.StatusChanged(Status(Link.ONLINE)))
        self._rooms.tell_joined()
        while not self._closing.is_set():
            self._receive(line.client)
            self._rooms.beat()
            self._handle_requests()
            self._rooms.update()
            self._intake.take_overdue()
            self._retries.planned(line.connection.next_attempt)

    def _receive(self, client: Client) -> None:
        batch: list[Delivery] = []
        try:
            for event in client.events(POLL_SECONDS):
                if isinstance(event, Delivery):
                    batch.append(event)
                    continue
                self._intake.take(batch)
                batch = []
                if isinstance(event, Lost):
                    self._rooms.lost(event.silent)
                    self._sender.hold()
                    self._tell(on.StatusChanged(status_of_loss(event)))
                elif isinstance(event, Restored):
                    self._sender.release()
                    self._tell(on.StatusChanged(Status(Link.ONLINE)))
                    self._rooms.restored(may_miss=event.may_miss)
                elif not self._requests.empty() or self._closing.is_set():
                    return
        finally:  # also if the connection has ended: with QoS 0, or without a session, nobody sends them again
            self._intake.take(batch)

    def _receive_rest(self, client: Client) -> None:
        """What has happened while a call waited that has failed: messages, and since when nothing arrives."""
        self._handle_requests()
        with suppress(AwsIotError):
            self._receive(client)

    def _handle_requests(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._requests.get_nowait()()


class _Retries:
    """When the next attempt to connect is made. Times are of the monotonic clock, except that of `RetryPlanned`."""

    def __init__(self, backoff: Backoff, tell: Tell, now: Callable[[], datetime]) -> None:
        self._backoff = backoff
        self._delays = iter(backoff)
        self._tell = tell
        self._now = now
        self._at: float | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether it is not due yet."""
        return self._at is not None and time.monotonic() < self._at

    def begin_anew(self) -> None:
        """Begin with the shortest pause."""
        self._delays = iter(self._backoff)

    def plan(self) -> None:
        """Plan an attempt after the next pause."""
        self.planned(time.monotonic() + next(self._delays))

    def planned(self, at: float | None) -> None:
        """An attempt is planned for then; with None, none waits for its time."""
        if at != self._at:
            self._at = at
            left = None if at is None else timedelta(seconds=at - time.monotonic())
            self._tell(on.RetryPlanned(None if left is None else self._now() + left))
