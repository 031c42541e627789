"""The template's parameters, and the rooms that a team can name in them."""

import re

import pytest

from aws_iot.backend.rooms import (
    MAX_POLICY_LENGTH,
    ROOMS,
    check_rooms,
    command_to_add_room,
    policy_length,
)
from aws_iot.backend.template import SID_OF_ROOMS, parameters
from aws_iot.errors import InvalidRoom
from aws_iot.policy.documents import Statement

REGION = "us-east-1"


def test_parameters_are_read_with_their_defaults_and_constraints() -> None:
    found = parameters()
    assert list(found)[:3] == ["SignIn", "CaseSensitive", "SelfSignUp"]
    assert (found["Mfa"].default, found["Room1"].default, found["Room2"].default) == ("OPTIONAL", "*", "")
    assert [name for name, of in found.items() if of.pattern] == list(ROOMS)
    assert all(of.constraint for of in found.values() if of.pattern)
    assert found["Mfa"].allowed == ("OFF", "OPTIONAL", "ON")
    assert all(of.default in of.allowed for of in found.values() if of.allowed)


@pytest.mark.parametrize(
    "rooms",
    [
        {},
        {"Room1": "*"},
        {"Room1": "ops"},
        {"Room1": "ops/*", "Room3": "ops/night"},
        {"Room1": "Tür", "Mfa": "ON"},
    ],
)
def test_rooms_that_are_accepted(rooms: dict[str, str]) -> None:
    check_rooms(rooms, REGION)


@pytest.mark.parametrize(
    "room", ["ops/", "/ops", "ops//night", "**", "ops/**", "o*", "*/ops", "a b", "a+", "#", ""]
)
def test_an_impossible_room_name_is_rejected(room: str) -> None:
    with pytest.raises(InvalidRoom, match=r"^Room1 is '.*', but must be a room such as ops"):
        check_rooms({"Room1": room}, REGION)


def test_the_error_says_that_a_room_has_no_blanks() -> None:
    with pytest.raises(InvalidRoom, match="without blanks"):
        check_rooms({"Room1": "night shift"}, REGION)


@pytest.mark.parametrize("room", ["комната", "ops/部屋", "ops\u0100", "🎉", "l’été", "ops/комната/*"])
@pytest.mark.parametrize("parameter", ROOMS)
def test_a_room_that_iam_would_reject_is_rejected_before(parameter: str, room: str) -> None:
    with pytest.raises(
        InvalidRoom, match=rf"^{parameter} is '.*', but an IAM policy cannot contain '"
    ) as caught:
        check_rooms({"Room1": "ops", parameter: room}, REGION)
    assert "Room1=*" in (caught.value.hint or "")
    assert not re.fullmatch(parameters()[parameter].pattern or "", room)


@pytest.mark.parametrize("room", ["ops\x00", "ops\x7f", "ops\x85", "ops\xa0", "a\u2028b", "a\tb"])
def test_a_room_with_control_characters_or_blanks_is_rejected(room: str) -> None:
    with pytest.raises(InvalidRoom):
        check_rooms({"Room1": room}, REGION)


def test_every_other_character_of_iam_policies_is_accepted() -> None:
    allowed = [chr(code) for code in (*range(0x21, 0x7F), *range(0xA1, 0x100)) if chr(code) not in "+#$?*/"]
    for one in allowed:
        check_rooms({"Room1": f"a{one}/b{one}/*"}, REGION)


@pytest.mark.parametrize(
    ("room", "words"),
    [
        ("é" * 82, "Room1: the room's name is 164 bytes long, and can have 162 here"),
        ("a" * 145, "Room1 has 145 characters, and can have 144"),
        ("a/b/c/d/e/f/g", "Room1: the room 'a/b/c/d/e/f/g' has more than 5 slashes"),
        ("a/b/c/d/e/f/*", "more than 5 slashes"),
    ],
)
def test_a_room_in_which_nobody_could_send_is_rejected(room: str, words: str) -> None:
    with pytest.raises(InvalidRoom, match=re.escape(words)):
        check_rooms({"Room1": room}, REGION)


def test_all_rooms_and_a_single_room_exclude_each_other() -> None:
    with pytest.raises(InvalidRoom, match=r"Room1 is \*, which means all rooms, so Room2 and Room4 must"):
        check_rooms({"Room2": "ops", "Room4": "dev"}, REGION)


def test_the_longest_policy_that_iot_core_allows_is_accepted() -> None:
    def rooms(length: int) -> dict[str, str]:
        return {"Room1": "a" * length, **dict.fromkeys(ROOMS[1:], "b")}

    def of_policy(length: int) -> int:
        return policy_length([*rooms(length).values()], REGION)

    fits = max(length for length in range(500) if of_policy(length) <= MAX_POLICY_LENGTH)
    assert of_policy(fits + 1) > MAX_POLICY_LENGTH
    check_rooms(rooms(fits), REGION)
    with pytest.raises(InvalidRoom, match=rf"has {of_policy(fits + 1)} characters; IoT Core allows 2048"):
        check_rooms(rooms(fits + 1), REGION)


def test_a_longer_partition_makes_a_longer_policy() -> None:
    government = policy_length(["ops"], "us-gov-west-1")
    ordinary = policy_length(["ops"], "us-east-12345")  # a region of the same length
    assert government - ordinary == 4 * len("-us-gov")


def test_the_command_for_one_more_room_uses_the_next_free_parameter() -> None:
    def role(count: int) -> list[Statement]:
        rooms = tuple(f"arn:aws:iot:::topicfilter/pool/{number}/*" for number in range(count))
        return [Statement(SID_OF_ROOMS, "Allow", ("iot:Subscribe",), rooms, ())]

    command = "aws-iot backend deploy --name chat --parameter"
    assert command_to_add_room("ops", role(1), "chat-member") == f"{command} Room2=ops"
    assert command_to_add_room("ops", role(3), "chat-member") == f"{command} Room4=ops"
    assert command_to_add_room("ops", role(4), "chat-member") is None
    assert command_to_add_room("ops/#", role(1), "chat-member") is None
    assert command_to_add_room("ops", [], "chat-member") is None
    assert command_to_add_room("комната", role(1), "chat-member") is None
