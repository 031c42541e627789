"""Receiver: signs in, connects, receives and saves, on a thread. It tries again until it is closed."""

from __future__ import annotations  # so that what only types need is not imported

import queue
import threading
import time
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from aws_iot.backoff import Backoff
from aws_iot.chat.model import events as on
from aws_iot.chat.model.state import Link, Status
from aws_iot.chat.parts.saver import Saver
from aws_iot.chat.parts.status import status_of, status_of_loss
from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import AwsIotError, LocalError, Unreachable
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.kinds import PRESENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aws_iot.history.saving.recorder import Recorder
    from aws_iot.messaging.client import Client
    from aws_iot.messaging.message import Message

    Tell = Callable[[on.Event], None]

CONNECT_BACKOFF = Backoff(2.0, 1.5, 30.0)
"""The seconds between attempts to sign in and connect."""

ECHO_SECONDS = 5.0
"""How long your own message has to come back. After that, the chat saves and shows it all the same."""


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
    """Keeps the chat connected. Only `join`, `leave`, `sent`, `start` and `close` are for other threads."""

    def __init__(
        self,
        connect: Callable[[], Client],
        recorder: Callable[[Callable[[LocalError], None]], Recorder] | None,
        sender: Sender,
        tell: Tell,
        *,
        key: str,
        backoff: Backoff = CONNECT_BACKOFF,
    ) -> None:
        """`connect` signs in and connects. `recorder` makes what saves messages, given what takes its
        warning; None saves none.
        """
        self._connect = connect
        self._new_recorder = recorder
        self._sender = sender
        self._tell = tell
        self._key = key
        self._backoff = backoff
        self._requests: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="receiver", daemon=True)
        self._rooms = _Rooms(tell)
        self._echoes = _Echoes()

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
        self._requests.put(lambda: self._echoes.expect(message))

    def close(self, seconds: float = 2.0) -> None:
        """Disconnect, and save what was received."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            self._work()
        except Exception as error:  # noqa: BLE001  otherwise the screen would tell for ever that it is online
            text = f"internal error, please report it: {error!r}"
            self._tell(
                on.StatusChanged(Status(Link.REJECTED, text, "What you send is kept. Start the chat again."))
            )

    def _work(self) -> None:
        with Saver(self._new_recorder, self._tell) as self._saver:
            delays = iter(self._backoff)
            while not self._closing.is_set():
                self._tell(on.StatusChanged(Status(Link.CONNECTING)))
                try:
                    client = self._connect()
                except AwsIotError as error:
                    self._tell(on.StatusChanged(status_of(error, self._key)))
                    self._wait(next(delays))
                    continue
                try:
                    self._serve(client)
                except AwsIotError as error:
                    self._tell(on.StatusChanged(status_of(error, self._key)))
                finally:
                    self._sender.detach()
                    client.close()
                delays = iter(self._backoff)
                self._wait(next(delays))

    def _wait(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while not self._closing.is_set() and time.monotonic() < ends:
            self._closing.wait(POLL_SECONDS)
            self._handle_requests()

    def _serve(self, client: Client) -> None:
        self._rooms.attach(client)
        self._handle_requests()
        self._rooms.subscribe()
        self._sender.attach(client)  # first: what follows from the events is sent with it
        self._tell(on.StatusChanged(Status(Link.ONLINE)))
        self._rooms.tell_joined()
        try:
            while not self._closing.is_set():
                self._receive(client)
                self._handle_requests()
                self._rooms.subscribe()
                self._save(self._echoes.overdue())
        finally:
            self._rooms.detach()

    def _receive(self, client: Client) -> None:
        batch: list[Delivery] = []
        for event in client.events(POLL_SECONDS):
            if isinstance(event, Delivery):
                batch.append(event)
            elif isinstance(event, Lost):
                self._rooms.is_online = False
                self._sender.hold()
                self._tell(on.StatusChanged(status_of_loss(event)))
            elif isinstance(event, Restored):
                self._rooms.is_online = True
                self._sender.release()
                self._tell(on.StatusChanged(Status(Link.ONLINE)))
                self._rooms.tell_joined()
                if event.may_miss:
                    self._tell(on.Noticed(on.RECONNECTED))
            else:
                self._take(batch)
                batch = []
                if not self._requests.empty() or self._closing.is_set():
                    return
        self._take(batch)

    def _take(self, batch: list[Delivery]) -> None:
        if not batch:
            return
        arrived = [delivery.message for delivery in batch]
        if signs := [message for message in arrived if message.kind == PRESENCE]:
            self._tell(on.Sensed(signs))
        messages = [message for message in arrived if message.kind != PRESENCE] if signs else arrived
        for message in messages:
            self._echoes.arrived(message)
        self._save(messages)
        batch[-1].ack(multiple=True)

    def _save(self, messages: Iterable[Message]) -> None:
        saved = [*messages]
        self._saver.save(saved)
        if saved:
            self._tell(on.Received(saved))

    def _handle_requests(self) -> None:
        with suppress(queue.Empty):
            while True:
                self._requests.get_nowait()()


class _Rooms:
    """The rooms to receive, and which of them the broker was asked for on this connection."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._wanted: dict[str, None] = {}
        self._joined: set[str] = set()
        self._refused: set[str] = set()
        self._client: Client | None = None
        self.is_online = False

    def attach(self, client: Client) -> None:
        self._client, self.is_online = client, True
        self._joined, self._refused = set(), set()

    def detach(self) -> None:
        self._client, self.is_online = None, False

    def add(self, room: str) -> None:
        self._wanted[room] = None
        self._refused.discard(room)

    def remove(self, room: str) -> None:
        self._wanted.pop(room, None)
        if room in self._joined and self._client:
            self._joined.discard(room)
            with suppress(AwsIotError):  # what still arrives from there is shown, which is no harm
                self._client.unsubscribe(room)

    def subscribe(self) -> None:
        """Ask the broker for the rooms that are still missing; for each alone if it refuses one of them."""
        missing = [room for room in self._wanted if room not in self._joined and room not in self._refused]
        if not missing or not self._client or not self.is_online:
            return
        try:
            self._client.subscribe(*missing)
        except Unreachable:
            raise
        except AwsIotError as error:
            if len(missing) == 1:
                self._refused.update(missing)
                self._tell(on.JoinFailed(missing[0], str(error)))
            else:
                for room in missing:
                    self._subscribe_alone(room)
            return
        self._joined.update(missing)
        self._tell(on.RoomsJoined(missing))

    def _subscribe_alone(self, room: str) -> None:
        assert self._client
        try:
            self._client.subscribe(room)
        except Unreachable:
            raise
        except AwsIotError as error:
            self._refused.add(room)
            self._tell(on.JoinFailed(room, str(error)))
        else:
            self._joined.add(room)
            self._tell(on.RoomsJoined([room]))

    def tell_joined(self) -> None:
        """A connection that was restored has all its rooms."""
        if self._joined:
            self._tell(on.RoomsJoined(sorted(self._joined)))


class _Echoes:
    """Your own messages, which the broker sends back to you. A lost connection can swallow them."""

    def __init__(self) -> None:
        self._expected: dict[str, tuple[float, Message]] = {}
        self._recent: deque[str] = deque(maxlen=1_000)

    def expect(self, message: Message) -> None:
        if message.id and message.id not in self._recent:
            self._expected[message.id] = time.monotonic() + ECHO_SECONDS, message

    def arrived(self, message: Message) -> None:
        if message.id and self._expected.pop(message.id, None) is None:
            self._recent.append(message.id)

    def overdue(self) -> list[Message]:
        now = time.monotonic()
        late = [message for due, message in self._expected.values() if due <= now]
        for message in late:
            self._expected.pop(message.id or "", None)
        return late
