"""The AWS resources that a team shares: one CloudFormation template, and what its outputs say."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from importlib.resources import files

from aws_iot.config.exports import from_exports
from aws_iot.config.partitions import iot_arn
from aws_iot.config.profile import Profile
from aws_iot.errors import InvalidRoom

SID_OF_ROOMS = "AskForTheRoomsOfThePool"
"""The Sid of the statement of the template's role that names the rooms to listen in."""

ROOMS = ("Room1", "Room2", "Room3", "Room4")

MOST_OF_A_POLICY = 2048
"""Characters of an IoT policy: docs.aws.amazon.com/general/latest/gr/iot-core.html#security-limits."""


def template() -> str:
    """The CloudFormation template, as YAML."""
    return files(__package__).joinpath("template.yaml").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of the template; `constraint` says in words what `pattern` wants."""

    default: str
    pattern: str | None
    constraint: str | None


@cache
def parameters() -> Mapping[str, Parameter]:
    """The template's parameters, by name."""
    section = re.search(r"^Parameters:\n(.*?)^\S", template(), re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"^  (\w+):\n((?:    .*\n)+)", section[1] if section else "", re.MULTILINE)
    return {
        name: Parameter(
            _value(block, "Default") or "",
            _value(block, "AllowedPattern"),
            _value(block, "ConstraintDescription"),
        )
        for name, block in blocks
    }


def _value(block: str, key: str) -> str | None:
    found = re.search(rf"^    {key}: (.*)$", block, re.MULTILINE)
    return found[1].strip("'\"") if found else None


def check_rooms(values: Mapping[str, str], region: str) -> None:
    """Raises `InvalidRoom` for rooms that CloudFormation, or IoT Core after it, would refuse in the region.

    `values` are those of parameters; what is not there has its default.
    """
    rooms = {name: values.get(name, parameters()[name].default) for name in ROOMS}
    for name, room in rooms.items():
        of = parameters()[name]
        if of.pattern and not re.fullmatch(of.pattern, room):
            raise InvalidRoom(f"{name} is '{room}', and {of.constraint}")
    named = [name for name in ROOMS[1:] if rooms[name]]
    if rooms["Room1"] == "*" and named:
        raise InvalidRoom(
            f"Room1 is *, which is all rooms, so that {' and '.join(named)} cannot be named",
            hint="Name the first one as Room1.",
        )
    length = policy_length([room for room in rooms.values() if room], region)
    if length > MOST_OF_A_POLICY:
        raise InvalidRoom(
            f"the IoT policy of these rooms has {length} characters, and IoT Core takes {MOST_OF_A_POLICY}",
            hint="Give fewer rooms, or shorter names.",
        )


def policy_length(rooms: Sequence[str], region: str) -> int:
    """How many characters `MemberPolicy` of the template has, without white space: that is what its limit counts.

    A test holds it to what the template makes.
    """
    arn, pool = partial(iot_arn, region, "0" * 12), f"{region}:{'0' * 36}"
    who = "${cognito-identity.amazonaws.com:sub}"
    heard = ["*"] if rooms[0] == "*" else [f"{room}/*" for room in rooms]
    resources: dict[str, object] = {
        "Publish": [arn(f"topic/{pool}/{room}/{who}") for room in rooms],
        "Subscribe": [arn(f"topicfilter/{pool}/{room}") for room in heard],
        "Receive": [arn(f"topic/{pool}/{room}") for room in heard],
        "Connect": arn(f"client/{who}*"),
    }
    statements: list[dict[str, object]] = [
        {"Effect": "Allow", "Action": f"iot:{action}", "Resource": resource}
        for action, resource in resources.items()
    ]
    statements[-1]["Condition"] = {"StringLike": {"iot:ClientId": f"{who}*"}}
    return len(json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":")))


def is_ours(description: str) -> bool:
    """Whether a stack with this description was made from the template, in whatever version of it."""
    return description.startswith("Chat rooms over AWS IoT Core for one team")


def profile(outputs: Mapping[str, str], iot_endpoint: str) -> Profile:
    """The profile of a deployed stack. CloudFormation does not know an account's IoT endpoint, so it is given.

    Raises `ProfileError` when an output is missing.
    """
    exports = {
        "aws_user_pools_id": outputs.get("UserPoolId"),
        "aws_user_pools_web_client_id": outputs.get("UserPoolClientId"),
        "aws_cognito_identity_pool_id": outputs.get("IdentityPoolId"),
        "aws_pubsub_region": outputs.get("Region"),
        "aws_pubsub_endpoint": iot_endpoint,
        "aws_iot_policy_name": outputs.get("IotPolicyName"),
    }
    return from_exports(exports, "the stack's outputs")
