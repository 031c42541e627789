"""What a durable session of the broker holds for a client that is away."""

from aws_iot.local import notices

Stored = tuple[str, bytes, int, bytes, float]
"""Topic, payload, QoS, properties, and when it came."""

MOST_STORED_BYTES = 256 * 1024 * 1024
"""The most that one durable session holds in memory. Then the oldest tenth is deleted, with a notice."""

BYTES_PER_MESSAGE = 400
"""What a message takes in memory besides its topic, payload and properties."""


class StoredMessages(list[Stored]):
    """What is published while a client is away."""

    def __init__(self, limit: int = MOST_STORED_BYTES) -> None:
        """`limit` is in bytes."""
        super().__init__()
        self._limit = limit
        self._bytes = 0

    def append(self, message: Stored) -> None:
        super().append(message)
        self._bytes += _size(message)
        if self._bytes > self._limit:
            oldest = self[: len(self) // 10 + 1]
            del self[: len(oldest)]
            self._bytes -= sum(map(_size, oldest))
            notices.add(
                f"A durable session holds {self._limit // 2**20} MB for a client that is away."
                f" Its {len(oldest)} oldest messages are lost."
            )

    def clear(self) -> None:
        super().clear()
        self._bytes = 0


def _size(message: Stored) -> int:
    topic, payload, _, properties, _ = message
    return len(topic) + len(payload) + len(properties) + BYTES_PER_MESSAGE
