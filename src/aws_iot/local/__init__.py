"""The local stack: Cognito, IoT Core and CloudFormation on 127.0.0.1, for demos and tests.

The engine is ministack; what it leaves open is closed in `policy` and `gateway`. It is provisioned
as AWS would be: by deploying the project's template.
"""

import importlib.util

from aws_iot.errors import AwsIotError

EXTRA = "local"


class LocalStackNotInstalled(AwsIotError):
    """The extra that holds the engine of the local stack is missing."""

    exit_code = 3


def require_extra() -> None:
    """Raises `LocalStackNotInstalled`, unless everything that the local stack is built on is there."""
    missing = [
        name
        for name in ("ministack", "hypercorn", "trustme", "cryptography")
        if not importlib.util.find_spec(name)
    ]
    if missing:
        raise LocalStackNotInstalled(
            f"the local stack is not installed (missing: {', '.join(missing)})",
            hint="Install it with: pip install 'aws-iot-cli[local]'",
        )
