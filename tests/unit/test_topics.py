"""Topics: room names, their limits, and the filters of patterns."""

import re

import pytest

from aws_iot.errors import InvalidRoom
from aws_iot.messaging.topics import (
    MAX_TOPIC_BYTES,
    check_pattern,
    check_room,
    room_and_sender,
    topic,
    topic_filter,
)

POOL = "us-east-1:00000000-0000-0000-0000-000000000000"
ALICE = "us-east-1:4f9fa251-0000-0000-0000-000000000001"
ROOM_BYTES = MAX_TOPIC_BYTES - len(f"{POOL}//{ALICE}")


@pytest.mark.parametrize("room", ["lobby", "a/b/c", "日本 😀", " ", "/", "$aws", "a" * ROOM_BYTES])
def test_a_topic_consists_of_pool_room_and_identity(room: str) -> None:
    assert topic(POOL, room, ALICE) == f"{POOL}/{room}/{ALICE}"
    assert room_and_sender(POOL, topic(POOL, room, ALICE)) == (room, ALICE)


@pytest.mark.parametrize(
    ("room", "reason"),
    [
        ("", "needs a name"),
        ("+", "wildcard"),
        ("#", "wildcard"),
        ("lob+by", "wildcard"),
        ("lobby/#", "wildcard"),
        ("lob\0by", "MQTT forbids"),
        ("\ud800", "not valid UTF-8"),
        ("1/2/3/4/5/6/7", "more than 5 slashes"),
        ("a" * (ROOM_BYTES + 1), f"{ROOM_BYTES + 1} bytes long, and can have {ROOM_BYTES} here"),
        ("é" * ROOM_BYTES, f"{2 * ROOM_BYTES} bytes long, and can have {ROOM_BYTES} here"),
    ],
    ids=lambda value: value[:20],
)
def test_an_invalid_room_name_is_rejected(room: str, reason: str) -> None:
    with pytest.raises(InvalidRoom, match=reason):
        topic(POOL, room, ALICE)
    if reason != "wildcard":
        with pytest.raises(InvalidRoom, match=reason):
            topic_filter(POOL, room, ALICE)


def test_a_room_as_other_chat_programs_write_it_gets_a_suggestion() -> None:
    for room, end in (("#ops", "; did you mean 'ops'?"), ("#", "a room's name"), ("#ops/#", "a room's name")):
        with pytest.raises(InvalidRoom, match=f"{re.escape(end)}$"):
            topic(POOL, room, ALICE)


def test_a_topic_has_at_most_seven_slashes() -> None:
    assert topic(POOL, "1/2/3/4/5/6", ALICE).count("/") == 7
    with pytest.raises(InvalidRoom, match="slashes"):
        topic(POOL, "1/2/3/4/5/6/", ALICE)


@pytest.mark.parametrize("character", ["a", "é", "日", "😀"])
def test_a_topic_has_at_most_256_bytes_however_long_its_characters_are(character: str) -> None:
    size = len(character.encode())
    longest = character * (ROOM_BYTES // size) + "a" * (ROOM_BYTES % size)
    assert len(topic(POOL, longest, ALICE).encode()) == 256
    with pytest.raises(InvalidRoom, match=f"can have {ROOM_BYTES} here"):
        topic(POOL, longest + "a", ALICE)


def test_the_length_of_a_room_name_is_checked_before_the_identity_is_known() -> None:
    check_room(POOL, "a" * ROOM_BYTES)
    with pytest.raises(InvalidRoom, match=f"can have {ROOM_BYTES} here"):
        check_room(POOL, "a" * (ROOM_BYTES + 1))


def test_one_filter_matches_every_sender_in_a_room() -> None:
    assert topic_filter(POOL, "lobby", ALICE) == f"{POOL}/lobby/+"


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("#", f"{POOL}/#"),
        ("+", f"{POOL}/+/+"),
        ("ops/#", f"{POOL}/ops/#"),
        ("ops/+", f"{POOL}/ops/+/+"),
        ("+/db/#", f"{POOL}/+/db/#"),
    ],
)
def test_one_filter_matches_every_room_of_a_pattern(pattern: str, expected: str) -> None:
    assert topic_filter(POOL, pattern, ALICE) == expected


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("lob+by", "stand for whole levels"),
        ("lobby#", "stand for whole levels"),
        ("ops/++", "stand for whole levels"),
        ("#/ops", "can only be last"),
        ("ops/#/+", "can only be last"),
        ("ops\t/#", "MQTT forbids"),
        ("1/2/3/4/5/6/+", "slashes"),
        ("1/2/3/4/5/6/7/#", "slashes"),
    ],
)
def test_an_invalid_pattern_is_rejected(pattern: str, reason: str) -> None:
    with pytest.raises(InvalidRoom, match=reason):
        topic_filter(POOL, pattern, ALICE)
    with pytest.raises(InvalidRoom, match=reason):
        check_pattern(POOL, pattern)


@pytest.mark.parametrize(
    ("where", "room", "sender"),
    [
        (f"{POOL}/lobby/{ALICE}", "lobby", ALICE),
        (f"{POOL}/a/b/{ALICE}", "a/b", ALICE),
        (f"{POOL}/{POOL}/lobby/{ALICE}", f"{POOL}/lobby", ALICE),
        (f"{POOL}//{ALICE}", "", ALICE),
        (f"{POOL}/{ALICE}", "", ALICE),
        (f"{POOL}/lobby/", "lobby", ""),
    ],
)
def test_the_sender_is_the_last_level_of_a_topic_and_the_room_is_the_rest(
    where: str, room: str, sender: str
) -> None:
    assert room_and_sender(POOL, where) == (room, sender)
