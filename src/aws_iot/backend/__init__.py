"""The AWS resources that a team shares: one CloudFormation template, and what its outputs say."""

import re
from collections.abc import Mapping, Sequence
from importlib.resources import files

from aws_iot.profile import Profile, from_exports

SID_OF_ROOMS = "AskForTheRoomsOfThePool"
"""The Sid of the statement of the template's role that names the rooms to listen in."""


def template() -> str:
    """The CloudFormation template, as YAML."""
    return files(__package__).joinpath("template.yaml").read_text(encoding="utf-8")


def parameters() -> Sequence[str]:
    """The names of the template's parameters."""
    section = template().partition("\nParameters:\n")[2].partition("\nConditions:\n")[0]
    return re.findall(r"^  (\w+):$", section, re.MULTILINE)


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
