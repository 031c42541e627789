"""Mistakes: names of rooms that are probably not what a person meant."""

import pytest

from aws_iot.messaging.room_mistakes import probable_mistake

POOL = "us-east-1:00000000-0000-0000-0000-000000000000"
ALICE = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"


@pytest.mark.parametrize(
    "room", ["lobby", "a/b/c", "日本 😀", "two words", "$aws", "a:b", "+", "#", "ops/#", "ops/+/x"]
)
def test_a_room_that_looks_right_is_no_mistake(room: str) -> None:
    assert probable_mistake(POOL, room, is_pattern=True) is None


@pytest.mark.parametrize(
    ("room", "meant"),
    [
        ("ops*", ["ops/#"]),
        ("ops/*", ["ops/+"]),
        ("ops/**", ["ops/#"]),
        ("*", ["#"]),
        ("*/db", ["+/db"]),
        ("o*s", []),
        ("lobby,ops", ["lobby", "ops"]),
        ("lobby, ops/*,", ["lobby", "ops/+"]),
        ("/lobby", ["lobby"]),
        ("lobby/", ["lobby"]),
        ("a//b", ["a/b"]),
        ("/", []),
        (" lobby", ["lobby"]),
        ("lobby\t", ["lobby"]),
        (" ", []),
        (f"{POOL}/lobby/{ALICE}", ["lobby"]),
        (f"{POOL}/a/b/+", ["a/b"]),
        (f"{ALICE}/ops/#", ["ops/#"]),
        (f"lobby/{ALICE}", ["lobby"]),
        (ALICE, []),
        ("#lobby", ["lobby"]),
        ("lobby#", ["lobby/#"]),
    ],
)
def test_a_mistaken_pattern_has_a_likely_correction(room: str, meant: list[str]) -> None:
    mistake = probable_mistake(POOL, room, is_pattern=True)
    assert mistake
    assert list(mistake.meant) == meant


@pytest.mark.parametrize(
    ("room", "meant"),
    [
        ("ops*", ["ops"]),
        ("*", []),
        ("ops/#", ["ops"]),
        ("ops/+/x", ["ops/x"]),
        ("#lobby", ["lobby"]),
        ("#", []),
        ("/ops#,/dev", ["ops", "dev"]),
        (f"{POOL}/lobby/{ALICE}", ["lobby"]),
    ],
)
def test_a_mistaken_room_to_send_to_has_a_likely_correction(room: str, meant: list[str]) -> None:
    mistake = probable_mistake(POOL, room, is_pattern=False)
    assert mistake
    assert list(mistake.meant) == meant


def test_the_first_thing_that_is_wrong_is_the_reason() -> None:
    mistake = probable_mistake(POOL, "/lobby,ops", is_pattern=False)
    assert mistake
    assert mistake.why == "a comma does not separate rooms"
