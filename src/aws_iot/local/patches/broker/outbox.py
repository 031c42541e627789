"""What waits for one client of the broker, in the order in which it was published. `deliveries` uses it.

It makes packets with private functions of ministack 1.5.33 and sends them through its sessions.
"""

import asyncio
import time
from collections import deque
from typing import Any, NamedTuple

from ministack.services import iot

WINDOW = 100
"""The maximum of QoS 1 messages that a client has not acknowledged, as on AWS: both that it gets, and that it sends.

docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits
"""

CROWDED_MESSAGES = 1_000
"""If more wait for a client, those who send to it are slowed down."""

HOLD_SECONDS = 1.0
"""How long the PUBACK of a message for a crowded client is held back at most.

So a client that does not read slows a sender down to `WINDOW` messages a second, and no sender takes the connection
for lost.
"""

MOST_MESSAGES = 100_000
MOST_BYTES = 64 * 1024 * 1024
"""If more waits for a connected client, the broker ends the connection. AWS would discard messages earlier."""

SEND_SECONDS = 20.0
"""How long a client may read nothing at all while the broker has something for it. Then the connection is over."""

FRAME_BYTES = 64 * 1024
"""How many bytes of packets travel in one WebSocket message, unless one packet alone is longer."""


ENDED = "the broker has ended the connection"
"""Why the broker cancels the task that serves a connection. It is no error."""


class Waiting(NamedTuple):
    """A message for a client."""

    topic: str
    payload: bytes
    qos: int
    properties: bytes
    retain: bool
    received_at: float
    """When the broker received it: `time.time()`."""


class _Held(NamedTuple):
    until: float
    publisher: "Outbox"
    puback: bytes


class Outbox:
    """What waits for one client. Nothing here blocks whoever publishes; a task of its own sends it.

    Everything happens on the event loop of the broker.
    """

    def __init__(self, session: Any) -> None:
        """`session` is the engine's, of one connection."""
        self._session = session
        self._messages: deque[Waiting] = deque()
        self._bytes = 0
        self._packets: deque[bytes] = deque()
        self._held: deque[_Held] = deque()
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.window = WINDOW
        self.unacknowledged = 0
        """How many PUBACKs for the client are held back now."""
        self.acknowledged_at = 0.0
        """When the client last acknowledged something, in the time of the event loop."""

    @property
    def is_open(self) -> bool:
        """Whether it sends, which it does from the CONNACK on."""
        return self._task is not None

    @property
    def is_crowded(self) -> bool:
        """Whether those who send to the client should slow down."""
        return len(self._messages) > CROWDED_MESSAGES

    @property
    def is_over_quota(self) -> bool:
        """Whether more waits than the broker holds for a connected client."""
        return len(self._messages) > MOST_MESSAGES or self._bytes > MOST_BYTES

    def open(self) -> None:
        """Begin to send."""
        self._task = self._task or asyncio.ensure_future(self._run())

    def close(self) -> list[Waiting]:
        """Stop sending; what has not been sent."""
        if self._task:
            self._task.cancel()
        rest = list(self._messages)
        self._messages.clear()
        self._release()
        return rest

    def add(self, message: Waiting) -> None:
        """Send this message after those that wait already."""
        self._messages.append(message)
        self._bytes += len(message.payload)
        self._changed.set()

    def add_packet(self, packet: bytes) -> None:
        """Send this packet before all messages."""
        self._packets.append(packet)
        self._changed.set()

    def hold(self, publisher: "Outbox", puback: bytes) -> None:
        """Send the PUBACK to the publisher when the client is no longer crowded, or after `HOLD_SECONDS`."""
        loop = asyncio.get_running_loop()
        self._held.append(_Held(loop.time() + HOLD_SECONDS, publisher, puback))
        publisher.unacknowledged += 1
        loop.call_later(HOLD_SECONDS, self._release)

    def acknowledged(self) -> None:
        """The client has acknowledged a message."""
        self.acknowledged_at = asyncio.get_running_loop().time()
        self._changed.set()

    async def _run(self) -> None:
        try:
            while True:
                self._changed.clear()
                while batch := self._next_packets():
                    async with asyncio.timeout(SEND_SECONDS):
                        await self._session.send_bytes(b"".join(batch))
                await self._changed.wait()
        except OSError:  # such as TimeoutError
            self._session.task.cancel(ENDED)

    def _next_packets(self) -> list[bytes]:
        """As many packets as may be sent now, and fit into a WebSocket message."""
        batch: list[bytes] = []
        size = 0
        while size < FRAME_BYTES:
            if self._packets:
                batch.append(self._packets.popleft())
            elif self._messages and (
                not self._messages[0].qos or len(self._session._in_flight) < self.window
            ):
                message = self._messages.popleft()
                self._bytes -= len(message.payload)
                batch.extend(self._encoded(message))
            else:
                break
            size += len(batch[-1]) if batch else 0
        if self._held:
            self._release()
        return batch

    def _encoded(self, message: Waiting) -> list[bytes]:
        """The packet of a message; none if it has expired."""
        properties: bytes | None = message.properties
        if properties and time.time() - message.received_at >= 1:
            properties = iot._aged_properties(properties, message.received_at)
        if properties is None:
            return []
        session, number = self._session, None
        if message.qos:
            number = session._alloc_packet_id()
            session._in_flight[number] = iot._InFlightMessage(
                number, message.topic, message.payload, properties, message.retain
            )
            session._ensure_retransmit_timer()
        return [
            iot._make_publish(
                message.topic,
                message.payload,
                qos=message.qos,
                packet_id=number,
                retain=message.retain,
                properties=session._publish_properties(properties),
            )
        ]

    def _release(self) -> None:
        now = asyncio.get_running_loop().time()
        while self._held and (not self.is_crowded or self._held[0].until <= now):
            held = self._held.popleft()
            held.publisher.unacknowledged -= 1
            held.publisher.add_packet(held.puback)
