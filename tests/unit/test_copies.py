"""Copies: of a message that matches several patterns, one counts, if the broker sends several."""

from dataclasses import dataclass

import pytest

from aws_iot.messaging.connection import Publication
from aws_iot.messaging.deduplication import COPY_SECONDS, MOST_COPIES, Copies


@dataclass
class Clock:
    """Shows the time that a test sets, in seconds."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


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
    clock = Clock()
    copies = Copies(clock)
    assert shown("a", 2, copies) == "a"
    clock.now += COPY_SECONDS + 0.1
    assert shown("aabb", 2, copies) == "aabb"
    clock.now += COPY_SECONDS + 0.1
    assert shown("bb", 2, copies) == "bb"


def test_a_message_that_is_sent_again_later_is_not_a_copy() -> None:
    clock = Clock()
    copies = Copies(clock)
    for _ in range(3):
        assert shown("aa", 2, copies) == "a"
        clock.now += COPY_SECONDS + 0.1


def test_the_topic_and_the_properties_tell_messages_apart() -> None:
    copies = Copies()
    one = Publication("t", b"x")
    for other in (one, one._replace(topic="u"), one._replace(properties=(("id", "1"),)), one._replace(qos=0)):
        assert not copies.is_copy(other, 2)
    assert copies.is_copy(one, 2)


def test_few_messages_are_remembered_at_once() -> None:
    copies = Copies(Clock())
    numbers = [Publication("t", str(number).encode()) for number in range(MOST_COPIES + 5)]
    assert not any(copies.is_copy(one, 2) for one in numbers)
    assert copies.is_copy(numbers[-1], 2)
    assert not copies.is_copy(numbers[0], 2)
