"""Deduplicator: recognizes a message that arrived before."""

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

Block = tuple[str, str, int]
"""The sender, the stream, and the number of the block; or a sender, an ID and -1."""


class Deduplicator:
    """Remembers which messages have arrived.

    With QoS 1 a broker may deliver a message again, and does if its acknowledgement did not arrive in time. Tens of
    thousands of other messages may come in between. So may a restart of the sender, which sends again what was not
    acknowledged. IDs such as `4f9fa251-17` number the messages of a stream, so that one bit is enough for each.
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
