"""The queue of messages that the broker has not acknowledged yet."""

from collections.abc import Callable, Iterator

from aws_iot.errors import AwsIotError

BLAME_SECONDS = 5.0
"""A request can be what a connection was cut over only if the cut comes this soon after it.

A network that fails now and then is not that quick. A load balancer that restarts is, but it also cuts connections that
ask for nothing: see `aws_iot.aws.iot.link.refusal_detector`.
"""

SLOWEST_BYTES_PER_SECOND = 4000
"""The slowest upload to wait for: 128 KB, the largest message of AWS IoT Core, takes 32 seconds to send."""


class PendingPublish:
    """A message to publish. Two are equal only if they are the same object."""

    __slots__ = ("done", "packet", "qos", "size", "topic")

    def __init__(
        self, topic: str, qos: int, size: int, packet: object, done: Callable[[AwsIotError | None], None]
    ) -> None:
        """`size` is of the payload, in bytes. `packet` is what the adapter sends; the rules do not look into it.

        The adapter calls `done` once, when the message is reported.
        """
        self.topic = topic
        self.qos = qos
        self.size = size
        self.packet = packet
        self.done = done


class Unacknowledged:
    """Messages in the order in which they were handed over, and how the current connection gets on with them.

    Each message passes through here, so no operation on one message depends on the length of the queue.
    """

    __slots__ = ("_acknowledged_at", "_messages", "_skipped_at")

    def __init__(self) -> None:
        self._messages: dict[PendingPublish, float] = {}
        self._acknowledged_at: float | None = None
        self._skipped_at: float | None = None

    def __iter__(self) -> Iterator[PendingPublish]:
        return iter(self._messages)

    def __len__(self) -> int:
        return len(self._messages)

    @property
    def has_progressed(self) -> bool:
        """Whether the broker has answered any message on this connection."""
        return self._acknowledged_at is not None

    def begin(self) -> None:
        """A connection has begun, or another part of one."""
        self._acknowledged_at = self._skipped_at = None

    def add(self, message: PendingPublish, now: float) -> None:
        """Queue a message that was handed over at `now`."""
        self._messages[message] = now

    def progress(self, message: PendingPublish, now: float) -> None:
        """The broker has acknowledged or rejected a message on this connection."""
        self._acknowledged_at = now
        for oldest in self._messages:
            self._skipped_at = None if oldest is message else self._skipped_at or now
            return

    def remove(self, message: PendingPublish) -> bool:
        """Remove a message to report it; False if it was removed before."""
        return self._messages.pop(message, None) is not None

    def take_all(self) -> list[PendingPublish]:
        """Remove all messages to report them."""
        messages, self._messages = self._messages, {}
        return list(messages)

    def take_qos0(self) -> list[PendingPublish]:
        """Remove the messages that no other connection sends."""
        messages = [message for message in self._messages if not message.qos]
        for message in messages:
            del self._messages[message]
        return messages

    def oldest(self) -> PendingPublish | None:
        """The first message that the broker has to acknowledge: QoS 0 is not."""
        return next((message for message in self._messages if message.qos), None)

    def silent_since(self, connected_at: float) -> float | None:
        """When the wait for the next acknowledgement began; None if none is due.

        While acknowledgements arrive in order, the last one counts: many messages are under way on a slow connection.
        The oldest message is given the time that its upload may take, or it would be sent again and again. A message
        that was skipped was discarded: AWS IoT Core does that above its rate limits.
        """
        oldest = self.oldest()
        if oldest is None:
            return None
        if self._skipped_at is not None:
            return self._skipped_at
        upload = oldest.size / SLOWEST_BYTES_PER_SECOND
        return max(connected_at, self._acknowledged_at or 0.0, self._messages[oldest]) + upload

    def is_to_blame(self, connected_at: float, now: float) -> bool:
        """Whether a connection that is cut now may be cut over the oldest message."""
        oldest = self.oldest()
        if oldest is None or self.has_progressed:
            return False
        return now - max(connected_at, self._messages[oldest]) < BLAME_SECONDS

    def only_topic(self) -> str | None:
        """The topic of the queue's only message; None if there is not exactly one."""
        return next(iter(self._messages)).topic if len(self._messages) == 1 else None
