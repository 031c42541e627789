"""Copies: of a message that matches several patterns, one counts, if the broker sends several."""

import pytest

from aws_iot.messaging.connection import Publication
from aws_iot.messaging.deduplication import COPY_SECONDS, MOST_COPIES, Copies


def shown(texts: str, filters: int, copies: Copies | None = None) -> str:
    """Which of these messages, one letter each, are not copies."""
    copies = copies or Copies()
    return "".join(text for text in texts if not copies.is_copy(Publication("t", text.encode()), filters))


@pytest.mark.parametrize(
    ("texts", "filters", "expected"),
    [
        ("aabb", 2, "ab"),
        ("abab", 2, "ab"),
        ("aaaa", 2, "aa"),
        ("aaabbb", 3, "ab"),
        ("aaaaaa", 3, "aa"),
        ("aabb", 1, "aabb"),
    ],
)
def test_one_of_the_copies_of_each_message_counts(texts: str, filters: int, expected: str) -> None:
    assert shown(texts, filters) == expected


def test_after_a_message_that_came_once_every_message_counts() -> None:
    copies = Copies()
    assert shown("a", 2, copies) == "a"
    copies.waited(COPY_SECONDS + 0.1)
    assert shown("aabb", 2, copies) == "aabb"
    copies.waited(COPY_SECONDS + 0.1)
    assert shown("bb", 2, copies) == "bb"


def test_a_message_that_is_sent_again_later_is_not_a_copy() -> None:
    copies = Copies()
    for _ in range(3):
        assert shown("aa", 2, copies) == "a"
        copies.waited(COPY_SECONDS + 0.1)


def test_the_topic_and_the_properties_tell_messages_apart() -> None:
    copies = Copies()
    one = Publication("t", b"x")
    for other in (one, one._replace(topic="u"), one._replace(properties=(("id", "1"),)), one._replace(qos=0)):
        assert not copies.is_copy(other, 2)
    assert copies.is_copy(one, 2)


def test_few_messages_are_remembered_at_once() -> None:
    copies = Copies()
    numbers = [Publication("t", str(number).encode()) for number in range(MOST_COPIES + 5)]
    assert not any(copies.is_copy(one, 2) for one in numbers)
    assert copies.is_copy(numbers[-1], 2)
    assert not copies.is_copy(numbers[0], 2)


def test_after_a_lost_connection_copies_that_did_not_come_tell_nothing() -> None:
    copies = Copies()
    assert shown("a", 2, copies) == "a"
    copies.forget()
    copies.waited(COPY_SECONDS + 0.1)
    assert shown("aabb", 2, copies) == "ab"
