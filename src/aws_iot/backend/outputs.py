"""The profile that a deployed stack's outputs describe."""

from collections.abc import Mapping

from aws_iot.config.exports import from_exports
from aws_iot.config.profile import Profile


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
