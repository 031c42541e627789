"""Deduplicator: recognizes a message that arrived before."""

from collections import OrderedDict

from aws_iot.messaging.message import Message

REMEMBERED_IDS = 10_000
"""Number of message IDs remembered for deduplication."""


class Deduplicator:
    """Remembers the IDs of the latest messages.

    With QoS 1 a broker may deliver a message again after a connection was lost, and does if its
    acknowledgement did not arrive.
    """

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def is_repeated(self, message: Message) -> bool:
        """Whether this message arrived before. A message without an ID never counts as repeated."""
        if not message.id:
            return False
        # Keyed by sender too: a member cannot suppress another one's message by using its ID first.
        key = (message.sender, message.id)
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > REMEMBERED_IDS:
            self._seen.popitem(last=False)
        return False
