"""A deployed stack and its profile: one follows from the other."""

from collections.abc import Mapping

from aws_iot.config.exports import from_exports
from aws_iot.config.profile import Profile
from aws_iot.errors import ProfileError

_POLICY = "-member"
"""How the template's name for the IoT policy ends, after the name of the stack."""


def profile_from_outputs(outputs: Mapping[str, str], iot_endpoint: str) -> Profile:
    """Raises `ProfileError` if an output is missing. CloudFormation cannot give an account's IoT endpoint."""
    exports = {
        "aws_user_pools_id": outputs.get("UserPoolId"),
        "aws_user_pools_web_client_id": outputs.get("UserPoolClientId"),
        "aws_cognito_identity_pool_id": outputs.get("IdentityPoolId"),
        "aws_pubsub_region": outputs.get("Region"),
        "aws_pubsub_endpoint": iot_endpoint,
        "aws_iot_policy_name": outputs.get("IotPolicyName"),
    }
    return from_exports(exports, "the stack's outputs")


def stack_of(profile: Profile) -> str:
    """The name of the stack that a profile was made from. Raises `ProfileError` if it does not show it."""
    policy = profile.policy_name or ""
    if not policy.endswith(_POLICY):
        raise ProfileError(
            f"the profile '{profile.key}' does not show which stack it was made from",
            hint="Name the stack: --name NAME",
        )
    return policy.removesuffix(_POLICY)


def check_same_pools(profile: Profile, outputs: Mapping[str, str], stack: str) -> None:
    """Raise `ProfileError` if the stack, which has outputs, is not the one that the profile was made from."""
    if outputs and outputs.get("UserPoolId") != profile.user_pool_id:
        raise ProfileError(
            f"the profile '{profile.key}' has other pools than the stack {stack}",
            hint="Is this the right AWS account (--aws-profile)? Name another stack with --name NAME, or another"
            " profile with -k.",
        )
