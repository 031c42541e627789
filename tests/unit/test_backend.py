"""The template's parameters, and the rooms that a team may name."""

import pytest

from aws_iot import backend
from aws_iot.errors import InvalidRoom

REGION = "us-east-1"


def test_the_parameters_are_read_with_their_defaults_and_constraints() -> None:
    found = backend.parameters()
    assert list(found)[:3] == ["SignIn", "SelfSignUp", "Mfa"]
    assert (found["Mfa"].default, found["Room1"].default, found["Room2"].default) == ("OPTIONAL", "*", "")
    assert [name for name, of in found.items() if of.pattern] == list(backend.ROOMS)
    assert all(of.constraint for of in found.values() if of.pattern)


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
def test_rooms_that_can_be_named(rooms: dict[str, str]) -> None:
    backend.check_rooms(rooms, REGION)
    assert backend.policy_length([*rooms.values()][:1] or ["*"], REGION) < backend.MOST_OF_A_POLICY


@pytest.mark.parametrize(
    "room", ["ops/", "/ops", "ops//night", "**", "ops/**", "o*", "*/ops", "a b", "a+", "#", ""]
)
def test_a_name_that_is_none_is_refused_in_a_sentence(room: str) -> None:
    with pytest.raises(InvalidRoom, match=r"^Room1 is '.*', and must be the name of a room such as ops"):
        backend.check_rooms({"Room1": room}, REGION)


def test_all_rooms_and_one_of_them_contradict_each_other() -> None:
    with pytest.raises(InvalidRoom, match="Room1 is \\*, which is all rooms, so that Room2 and Room4 cannot"):
        backend.check_rooms({"Room2": "ops", "Room4": "dev"}, REGION)


def test_a_policy_that_would_be_too_long_is_refused() -> None:
    rooms = dict.fromkeys(backend.ROOMS, "a" * 15)
    backend.check_rooms(rooms, REGION)
    with pytest.raises(InvalidRoom, match=r"has \d+ characters, and IoT Core takes 2048"):
        backend.check_rooms(dict.fromkeys(backend.ROOMS, "a" * 40), REGION)
