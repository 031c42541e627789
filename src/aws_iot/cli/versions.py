"""What `--version` prints: the versions on which a bug may depend. It imports none of these libraries."""

import platform
from collections.abc import Iterator
from importlib import metadata

import aws_iot

LIBRARIES = ("awscrt", "awsiotsdk", "botocore", "textual", "ministack")
"""The last two belong to optional parts, and are left out if they are not installed."""


def lines() -> Iterator[str]:
    """A line for each: the program, Python, the system, and the libraries that are installed."""
    yield f"aws-iot {aws_iot.__version__}"
    yield f"{platform.python_implementation()} {platform.python_version()}"
    yield f"{platform.system()} {platform.release()} {platform.machine()}"
    for name in LIBRARIES:
        try:
            yield f"{name} {metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
