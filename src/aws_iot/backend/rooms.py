"""The rooms that members may use: the template's parameters Room1 to Room4."""

from __future__ import annotations  # so that what only types need is not imported

import json
import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from aws_iot.backend.template import SID_OF_ROOMS, parameters
from aws_iot.config.partitions import iot_arn
from aws_iot.errors import InvalidRoom
from aws_iot.messaging.topics import check_room, is_pattern

if TYPE_CHECKING:
    from aws_iot.policy.documents import Statement

ROOMS = ("Room1", "Room2", "Room3", "Room4")

MAX_POLICY_LENGTH = 2048
"""Characters in an IoT policy: docs.aws.amazon.com/general/latest/gr/iot-core.html#security-limits."""


_NOT_IN_IAM = re.compile(r"[^\t\n\r\u0020-\u00ff]")
"""What a policy of IAM must not contain: IAM API reference, PutRolePolicy."""


def check_rooms(values: Mapping[str, str], region: str) -> None:
    """Raise `InvalidRoom` for rooms that CloudFormation, or later IoT Core, would reject in the region.

    `values` are parameters of the template; those that are missing have their defaults.
    """
    rooms = {name: values.get(name, parameters()[name].default) for name in ROOMS}
    for name, room in rooms.items():
        _check_name(name, room, region)
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


def _check_name(parameter: str, room: str, region: str) -> None:
    if found := _NOT_IN_IAM.search(room):
        raise InvalidRoom(
            f"{parameter} is '{room}', but an IAM policy cannot contain '{found[0]}', only characters up to U+00FF",
            hint="With Room1=*, members may use rooms of any name.",
        )
    rules = parameters()[parameter]
    if not rules.fits(room):
        raise InvalidRoom(f"{parameter} is '{room}', but {rules.constraint}")
    if room in ("", "*"):
        return
    try:  # with the shortest room of those that end in *
        check_room(_pool(region), re.sub(r"\*$", "x", room))
    except InvalidRoom as error:
        raise InvalidRoom(f"{parameter}: {error}") from error
    if rules.max_length is not None and len(room) > rules.max_length:
        raise InvalidRoom(f"{parameter} has {len(room)} characters, and can have {rules.max_length}")


def _pool(region: str) -> str:
    """As long as the ID of an identity pool in the region."""
    return f"{region}:{'0' * 36}"


def policy_length(rooms: Sequence[str], region: str) -> int:
    """Number of characters in the template's `MemberPolicy` without white space, which IoT Core's limit counts.

    A test compares it with the policy that the template makes.
    """
    arn, pool = partial(iot_arn, region, "0" * 12), _pool(region)
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
    document = {"Version": "2012-10-17", "Statement": statements}
    return len(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def command_to_add_room(room: str, role: Sequence[Statement], policy_name: str) -> str | None:
    """The command that lets members use one more room; None if the role is not the template's, or has no place left.

    `role` holds the statements of the role's policies; `policy_name` is the IoT policy, which the stack's name begins.
    """
    used = next((len(one.resources) for one in role if one.label == SID_OF_ROOMS), 0)
    parameter = f"Room{used + 1}"
    rules = parameters().get(parameter)
    if not used or is_pattern(room) or rules is None or not rules.fits(room):
        return None
    return (
        f"aws-iot backend deploy --name {policy_name.removesuffix('-member')} --parameter {parameter}={room}"
    )
