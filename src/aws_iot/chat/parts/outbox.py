"""Outbox: saves your messages before they are sent, and sends them as soon as there is a connection, on a thread.

They are in a spool, so that they survive the end of the program. If two chats of one user run at once, each sends its
own messages, and the first one also sends what ended chats have left.
"""

from __future__ import annotations  # so that what only types need is not imported

import math
import queue
import threading
import time
from collections import deque
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from aws_iot.chat.model import events as on
from aws_iot.chat.parts.guard import carry_out
from aws_iot.chat.parts.spooled import Spooled
from aws_iot.errors import AwsIotError, LocalError, ServiceRefused, TopicRefused
from aws_iot.messaging.kinds import PRESENCE
from aws_iot.messaging.message import decode
from aws_iot.publishing.pacing import BYTES_PER_SECOND, PUBLISHES_PER_SECOND, Pacer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aws_iot.chat.model.effects import Announce, Send
    from aws_iot.messaging.client import Client
    from aws_iot.messaging.composer import Composer
    from aws_iot.messaging.message import Message, Outgoing
    from aws_iot.publishing.spool.store import Spool

    Request = Callable[[], None]

LOOK_SECONDS = 30.0
"""How often to look for what ended chats have left: this chat may stay connected for a day."""

MAY_HAVE_ARRIVED = "It may have arrived already, so it cannot be taken back."


class Outbox:
    """Sends messages. Any thread may call its methods."""

    def __init__(
        self,
        open_spool: Callable[[], Spool],
        composer: Composer,
        name: str,
        tell: Callable[[on.Event], None],
        sent: Callable[[Message], None],
        now: Callable[[], datetime],
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        """`name` travels with the messages. `sent` gets each message that the broker has acknowledged.

        Every `look_seconds`, it looks for what ended chats have left.
        """
        self._spooled = Spooled(open_spool, tell)
        self._composer = composer
        self._name = name
        self._tell = tell
        self._sent = sent
        self._now = now
        self._look_seconds = look_seconds
        self._requests: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._line = _Line()

    def start(self) -> None:
        """Begin to save and send."""
        self._thread.start()

    def send(self, message: Send) -> None:
        """Save a message, and send it as soon as there is a connection."""
        self._requests.put(lambda: self._add(message))

    def withdraw(self, id_: str) -> None:
        """Send a message no longer, if nobody has given it to the broker. The answer is an event."""
        self._requests.put(lambda: self._withdraw(id_))

    def announce(self, announcement: Announce, chat: str) -> None:
        """Tell a room about the person of this chat, if there is a connection."""
        self._requests.put(lambda: self._announce(announcement, chat))

    def finish(self, seconds: float = 1.0) -> None:
        """Wait until all announcements have left and all messages are acknowledged, but not for long."""
        if not self._thread.is_alive():
            return
        done = threading.Event()
        self._requests.put(lambda: self._line.when_empty(done.set))
        done.wait(seconds)

    def rename(self, name: str) -> None:
        """Send under another name from now on."""
        self._requests.put(lambda: self._rename(name))

    def attach(self, client: Client) -> None:
        """Send with this client from now on."""
        self._requests.put(lambda: self._attach(client))

    def detach(self) -> None:
        """There is no connection any more. What is not acknowledged is sent again with the next one."""
        self._requests.put(lambda: self._line.detach())

    def hold(self) -> None:
        """The connection is lost for now. It sends again what it has; what is new waits here, and can be taken back."""
        self._requests.put(lambda: self._line.hold())

    def release(self) -> None:
        """The connection is restored."""
        self._requests.put(lambda: self._line.release())

    def close(self, seconds: float = 2.0) -> None:
        """Save everything, and end."""
        self._requests.put(None)
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        with self._spooled:
            looks_at = -math.inf
            while True:
                if time.monotonic() >= looks_at:
                    carry_out(self._take_over, self._tell)
                    looks_at = time.monotonic() + self._look_seconds
                until_look = max(0.0, looks_at - time.monotonic())
                try:
                    request = self._requests.get(timeout=min(self._line.delay(), until_look))
                except queue.Empty:
                    if self._line.delay() == 0.0:
                        carry_out(partial(self._publish, self._line.due.popleft()), self._tell)
                    continue
                if request is None:
                    return
                carry_out(request, self._tell)

    def _take_over(self) -> None:
        with suppress(LocalError):  # it is tried again
            for message in self._spooled.left():
                if message.id not in self._line.waiting:
                    self._line.add(message)
                    text = decode(message.payload)
                    self._tell(
                        on.Unsent(message.id, message.room, text, self._now(), message.kind, message.re)
                    )

    def _add(self, wanted: Send) -> None:
        try:
            made = self._composer.outgoing(wanted.room, wanted.text, kind=wanted.kind, re=wanted.re)
        except AwsIotError as error:
            self._tell(on.SendFailed(wanted.id, str(error), self._now()))
            return
        message = made._replace(id=wanted.id)
        self._spooled.add(message)
        self._line.add(message)

    def _withdraw(self, id_: str) -> None:
        message = self._line.waiting.get(id_)
        if message is None:
            self._tell(on.Noticed("It was sent or rejected meanwhile."))
            return
        try:
            is_withdrawn = self._spooled.withdraw(id_)
        except LocalError as error:
            self._tell(on.Noticed(str(error)))
            return
        if is_withdrawn:
            self._line.settle(id_)
            self._tell(on.Withdrawn(id_, message.room, decode(message.payload)))
        else:
            self._tell(on.Noticed(MAY_HAVE_ARRIVED))

    def _announce(self, announcement: Announce, chat: str) -> None:
        room, text, is_first = announcement.room, announcement.sign.value, announcement.is_first

        def done(error: AwsIotError | None) -> None:
            if error and is_first:
                self._tell(on.AnnounceFailed(room))

        if client := self._line.client:
            with suppress(AwsIotError):  # others notice it later
                # Only with QoS 1, the broker can reject it. Without, AWS may close the connection instead.
                message = client.outgoing(room, text, qos=int(is_first), kind=PRESENCE, re=chat)
                client.publish_nowait(message, done)

    def _rename(self, name: str) -> None:
        self._name = name
        self._composer.rename(name)
        if self._line.client:
            self._line.client.rename(name)

    def _attach(self, client: Client) -> None:
        client.rename(self._name)
        self._take_over()
        self._line.attach(client)

    def _publish(self, message: Outgoing) -> None:
        client = self._line.client
        if (
            client is None or message.id not in self._line.waiting
        ):  # acknowledged late, by the connection before
            return

        self._spooled.note_published(message)

        def done(error: AwsIotError | None) -> None:  # on a thread of the connection
            self._requests.put(lambda: self._settle(message, error))

        try:
            client.publish_nowait(message, done)
        except (ServiceRefused, TopicRefused) as error:
            self._settle(message, error)
        except AwsIotError:  # the connection has ended, and the next one sends it
            self._line.detach()

    def _settle(self, message: Outgoing, error: AwsIotError | None) -> None:
        if error and not isinstance(error, ServiceRefused | TopicRefused):
            return  # the connection has ended
        if not self._line.settle(message.id):
            return
        if error:
            self._tell(on.SendFailed(message.id, _why(error), self._now()))
        else:
            self._sent(self._composer.acknowledged(message, self._now()))
            self._tell(on.Acknowledged(message.id))
        self._spooled.settle(message.id)


def _why(error: AwsIotError) -> str:
    """Why a message was not sent. The name of the topic would not help."""
    if isinstance(error, TopicRefused):
        return "a policy does not let you write in this room; ask an admin"
    return str(error)


class _Line:
    """The messages that wait for an acknowledgement, and the client that sends them, if there is one.

    `due` are those of them that are still to be given to the client: one at a time, so that what the person sends in
    between is saved at once.
    """

    def __init__(self) -> None:
        self.waiting: dict[str, Outgoing] = {}
        self.due: deque[Outgoing] = deque()
        self.client: Client | None = None
        self._is_held = False
        self._pacer = Pacer(PUBLISHES_PER_SECOND, BYTES_PER_SECOND)
        self._next: tuple[str, float] | None = None
        self._emptied: Callable[[], None] | None = None

    def add(self, message: Outgoing) -> None:
        self.waiting[message.id] = message
        self.due.append(message)

    def hold(self) -> None:
        self._is_held = True
        self._tell_if_empty()

    def release(self) -> None:
        self._is_held = False

    def attach(self, client: Client) -> None:
        self.client, self._is_held = client, False
        self.due = deque(self.waiting.values())
        self._pacer = Pacer(PUBLISHES_PER_SECOND, BYTES_PER_SECOND)
        self._next = None

    def detach(self) -> None:
        self.client = None
        self._tell_if_empty()

    def delay(self) -> float:
        """The seconds until the first message that is due may be published; infinite if there is none."""
        if self.client is None or self._is_held or not self.due:
            return math.inf
        first = self.due[0]
        if self._next is None or self._next[0] != first.id:
            self._next = first.id, time.monotonic() + self._pacer.delay(len(first.payload))
        return max(0.0, self._next[1] - time.monotonic())

    def settle(self, id_: str) -> bool:
        """This message waits no longer; whether it did."""
        found = self.waiting.pop(id_, None)
        self._tell_if_empty()
        return found is not None

    def when_empty(self, told: Callable[[], None]) -> None:
        """Call this as soon as nothing waits for the client."""
        self._emptied = told
        self._tell_if_empty()

    def _tell_if_empty(self) -> None:
        if self._emptied and not (self.client and not self._is_held and self.waiting):
            self._emptied()
