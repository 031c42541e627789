"""Duplicates: messages that arrived before, and copies that a broker sends for each pattern."""

from collections import OrderedDict

from aws_iot.messaging.connection import Publication
from aws_iot.messaging.message import Message

NUMBERS_PER_BLOCK = 1024
"""How many messages of a stream are remembered together, one bit each."""

REMEMBERED_BLOCKS = 20_000
"""At least so many blocks are remembered, and at most twice as many, which takes about 12 MB.

A block has 1,024 messages of a stream, or a single message whose ID has no number.
"""

LONGEST_NUMBER = 15
"""The most digits of a number. More are a part of the stream's name."""

NO_NUMBER = -NUMBERS_PER_BLOCK
"""Stands for the number of an ID that has none: the first of a block that no stream has."""

COPY_SECONDS = 1.0
"""How long to wait for further copies of a message. A broker sends them one after another."""

MOST_COPIES = 1000
"""The most messages of which copies may follow."""

Block = tuple[str, str, int]
"""The sender, the stream, and the number of the block; or a sender, an ID and -1."""


class Deduplicator:
    """Remembers which messages have arrived.

    With QoS 1 a broker may deliver a message again, and does if its acknowledgement did not arrive in time. Tens of
    thousands of other messages may come in between. So may a restart of the sender, which sends again what was not
    acknowledged. IDs such as `4f9fa251-17` number the messages of a stream, so that one bit is enough for each.

    Nothing marks a message without an ID: AWS IoT Core sets no DUP flag and may change the packet identifier, and
    awscrt shows neither.
    """

    def __init__(self) -> None:
        self._recent: dict[Block, int] = {}
        self._older: dict[Block, int] = {}

    def is_repeated(self, message: Message) -> bool:
        """Whether this message arrived before. A message without an ID never counts as repeated."""
        if not message.id:
            return False
        stream, number = _numbered(message.id)
        # With the sender: a member cannot suppress another one's message by using its ID first.
        block = (message.sender, stream, number // NUMBERS_PER_BLOCK)
        bit = 1 << number % NUMBERS_PER_BLOCK
        seen = self._recent.get(block)
        if seen is None:
            seen = self._older.pop(block, 0)
            if len(self._recent) >= REMEMBERED_BLOCKS:
                self._recent, self._older = {}, self._recent
        self._recent[block] = seen | bit
        return bool(seen & bit)


def _numbered(message_id: str) -> tuple[str, int]:
    """The stream and the number of a message; without a number, its ID and `NO_NUMBER`."""
    stream, dash, digits = message_id.rpartition("-")
    is_number = dash and digits.isdecimal() and digits.isascii() and len(digits) <= LONGEST_NUMBER
    if is_number and (digits[0] != "0" or digits == "0"):  # "07" is another message than "7"
        return stream, int(digits)
    return message_id, NO_NUMBER


class Copies:
    """Counts how often each message arrives of which the topic matches several filters.

    MQTT leaves open whether a broker delivers such a message once or for each filter (section 3.3.4), and AWS does not
    support subscription identifiers, which would tell. So the broker shows it: as soon as one message has come only
    once, every message counts. Two equal messages within a second were then sent twice.

    Only the time that was spent waiting counts: copies may have arrived while a message was handled.
    """

    def __init__(self) -> None:
        self._waited = 0.0
        self._seen: OrderedDict[Publication, tuple[float, int]] = OrderedDict()
        """When each recent message came first, by `_waited`, and how many copies are still to come."""
        self._are_sent = True

    def waited(self, seconds: float) -> None:
        """Nothing arrived for so long."""
        self._waited += seconds

    def forget(self) -> None:
        """No further copies of earlier messages come."""
        self._seen.clear()

    def is_copy(self, publication: Publication, filters: int) -> bool:
        """Whether this is a copy of a message that has arrived; `filters` match its topic."""
        if filters < 2 or not self._are_sent:
            return False
        now = self._waited
        if self._has_single(now - COPY_SECONDS):
            self._are_sent = False
            self._seen.clear()
            return False
        first, missing = self._seen.get(publication, (now, 0))
        self._seen[publication] = (first, missing - 1) if missing else (now, filters - 1)
        return missing > 0

    def _has_single(self, before: float) -> bool:
        """Forget the messages of which no copies can follow; whether there is one that lacks some."""
        while self._seen:
            first, missing = next(iter(self._seen.values()))
            if first >= before and len(self._seen) <= MOST_COPIES:
                return False
            self._seen.popitem(last=False)
            if first < before and missing:
                return True
        return False
