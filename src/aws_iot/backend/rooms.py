"""The rooms that members may use: the template's parameters Room1 to Room4."""

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial

from aws_iot.backend.template import SID_OF_ROOMS, parameters
from aws_iot.config.partitions import iot_arn
from aws_iot.errors import InvalidRoom
from aws_iot.policy.access import is_pattern
from aws_iot.policy.documents import Statement

ROOMS = ("Room1", "Room2", "Room3", "Room4")

MAX_POLICY_LENGTH = 2048
"""Characters in an IoT policy: docs.aws.amazon.com/general/latest/gr/iot-core.html#security-limits."""


def check_rooms(values: Mapping[str, str], region: str) -> None:
    """Raise `InvalidRoom` for rooms that CloudFormation, or later IoT Core, would reject in the region.

    `values` are parameters of the template; those that are missing have their defaults.
    """
    rooms = {name: values.get(name, parameters()[name].default) for name in ROOMS}
    for name, room in rooms.items():
        parameter = parameters()[name]
        if parameter.pattern and not re.fullmatch(parameter.pattern, room):
            raise InvalidRoom(f"{name} is '{room}', but {parameter.constraint}")
    others = [name for name in ROOMS[1:] if rooms[name]]
    if rooms["Room1"] == "*" and others:
        raise InvalidRoom(
            f"Room1 is *, which means all rooms, so {' and '.join(others)} must be empty",
            hint="Give the first room as Room1.",
        )
    length = policy_length([room for room in rooms.values() if room], region)
    if length > MAX_POLICY_LENGTH:
        raise InvalidRoom(
            f"the IoT policy for these rooms has {length} characters; IoT Core allows {MAX_POLICY_LENGTH}",
            hint="Use fewer rooms, or shorter names.",
        )


def policy_length(rooms: Sequence[str], region: str) -> int:
    """Number of characters in the template's `MemberPolicy` without white space, which IoT Core's limit counts.

    A test compares it with the policy that the template makes.
    """
    arn, pool = partial(iot_arn, region, "0" * 12), f"{region}:{'0' * 36}"
    identity = "${cognito-identity.amazonaws.com:sub}"
    received = ["*"] if rooms[0] == "*" else [f"{room}/*" for room in rooms]
    resources: dict[str, object] = {
        "Publish": [arn(f"topic/{pool}/{room}/{identity}") for room in rooms],
        "Subscribe": [arn(f"topicfilter/{pool}/{room}") for room in received],
        "Receive": [arn(f"topic/{pool}/{room}") for room in received],
        "Connect": arn(f"client/{identity}*"),
    }
    statements: list[dict[str, object]] = [
        {"Effect": "Allow", "Action": f"iot:{action}", "Resource": resource}
        for action, resource in resources.items()
    ]
    statements[-1]["Condition"] = {"StringLike": {"iot:ClientId": f"{identity}*"}}
    return len(json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")))


def command_to_add_room(room: str, role: Sequence[Statement], policy_name: str) -> str | None:
    """The command that lets members use one more room; None if the role is not the template's, or has no place left.

    `role` holds the statements of the role's policies; `policy_name` is the IoT policy, which the stack's name begins.
    """
    used = next((len(one.resources) for one in role if one.label == SID_OF_ROOMS), 0)
    parameter = f"Room{used + 1}"
    if not used or is_pattern(room) or parameter not in parameters():
        return None
    return (
        f"aws-iot backend deploy --name {policy_name.removesuffix('-member')} --parameter {parameter}={room}"
    )
