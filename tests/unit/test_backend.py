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


@pytest.mark.parametrize(
    "room", ["ops/", "/ops", "ops//night", "**", "ops/**", "o*", "*/ops", "a b", "a+", "#", ""]
)
def test_a_name_that_is_none_is_refused_in_a_sentence(room: str) -> None:
    with pytest.raises(InvalidRoom, match=r"^Room1 is '.*', and must be the name of a room such as ops"):
        backend.check_rooms({"Room1": room}, REGION)


def test_all_rooms_and_one_of_them_contradict_each_other() -> None:
    with pytest.raises(InvalidRoom, match="Room1 is \\*, which is all rooms, so that Room2 and Room4 cannot"):
        backend.check_rooms({"Room2": "ops", "Room4": "dev"}, REGION)


@pytest.mark.parametrize("region", ["ap-southeast-2", "cn-northwest-1", "us-gov-west-1"])
def test_exactly_the_rooms_that_fit_into_a_policy_are_accepted(region: str) -> None:
    def rooms(last: int) -> dict[str, str]:
        return dict(zip(backend.ROOMS, [*["a" * 10] * 3, "a" * last], strict=True))

    [longest] = [n for n in range(100) if backend.policy_length([*rooms(n).values()], region) == 2048]
    backend.check_rooms(rooms(longest), region)
    with pytest.raises(InvalidRoom, match="has 2051 characters, and IoT Core takes 2048"):
        backend.check_rooms(rooms(longest + 1), region)


@pytest.mark.parametrize(("region", "suffix"), [("cn-east-1", "-cn"), ("us-gov-x1", "-us-gov")])
def test_in_another_partition_each_of_the_four_arns_is_longer(region: str, suffix: str) -> None:
    assert len(region) == len(REGION)
    longer = backend.policy_length(["*"], region) - backend.policy_length(["*"], REGION)
    assert longer == 4 * len(suffix)
