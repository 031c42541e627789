"""Deduplicator: remembers every ID of a sender, up to its bound."""

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.messaging.deduplication import NUMBERS_PER_BLOCK, Deduplicator
from aws_iot.messaging.message import Message

numbers = st.one_of(
    st.integers(0, 5), st.integers(NUMBERS_PER_BLOCK - 2, NUMBERS_PER_BLOCK + 2), st.integers(0, 10**20)
)
ids = st.one_of(
    st.builds("{}-{}".format, st.sampled_from(["", "a", "a-1", "-"]), numbers),
    st.text(st.sampled_from("a0١-"), max_size=5),
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.sampled_from(["alice", "bob"]), ids), max_size=60))
def test_only_the_same_id_of_the_same_sender_is_repeated(messages: Sequence[tuple[str, str]]) -> None:
    deduplicator = Deduplicator()
    seen = set()
    for sender, message_id in messages:
        message = Message("lobby", sender, "hi", b"hi", datetime.now(UTC), message_id)
        assert deduplicator.is_repeated(message) == (bool(message_id) and (sender, message_id) in seen)
        seen.add((sender, message_id))
