"""Whether the extra `local`, with the packages that the local stack needs, is installed."""

import importlib.util

from aws_iot.errors import NotInstalled

PACKAGES = ("ministack", "hypercorn", "trustme", "cryptography")


def require_extra() -> None:
    """Raise `NotInstalled` if a package is missing."""
    missing = [name for name in PACKAGES if not importlib.util.find_spec(name)]
    if missing:
        raise NotInstalled(
            f"the local stack is not installed (missing: {', '.join(missing)})",
            hint="Install it: pip install 'aws-iot-cli[local]'",
        )
