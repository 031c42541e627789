"""Whether the extra `local`, with the packages that the local stack needs, is installed."""

import importlib.util
import sys
from importlib.metadata import requires

from aws_iot.errors import NotInstalled

DISTRIBUTION = "aws-iot-cli"
MARKER = "extra == 'local'"
PACKAGES = ("ministack", "hypercorn", "trustme", "cryptography")


def require_extra() -> None:
    """Raise `NotInstalled` if a package is missing."""
    missing = [name for name in PACKAGES if not importlib.util.find_spec(name)]
    if missing:
        wanted = " ".join(f'"{one}"' for one in _requirements(missing))
        raise NotInstalled(
            f"the local stack is not installed (missing: {', '.join(missing)})",
            # The packages, and not the extra: pip finds that only where it finds this program, such as in a clone.
            hint=f"Install what is missing: {sys.executable} -m pip install {wanted}",
        )


def _requirements(names: list[str]) -> list[str]:
    """These packages with the versions that the extra asks for."""
    entries = (entry.partition(";") for entry in requires(DISTRIBUTION) or ())
    local = [requirement.strip() for requirement, _, marker in entries if marker.strip() == MARKER]
    return [next(one for one in local if one.startswith(name)) for name in names]
