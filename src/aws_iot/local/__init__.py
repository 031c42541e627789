"""The local stack: Cognito, IoT Core and CloudFormation on 127.0.0.1, for demos and tests.

The engine is ministack; what it leaves open is closed in `policy` and `gateway`. It is provisioned
as AWS would be: by deploying the project's template.
"""

import importlib.util

from aws_iot.errors import NotInstalled


def require_extra() -> None:
    """Raises `NotInstalled`, unless everything that the local stack is built on is there."""
    missing = [
        name
        for name in ("ministack", "hypercorn", "trustme", "cryptography")
        if not importlib.util.find_spec(name)
    ]
    if missing:
        raise NotInstalled(
            f"the local stack is not installed (missing: {', '.join(missing)})",
            hint="Install it with: pip install 'aws-iot-cli[local]'",
        )
