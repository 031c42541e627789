"""Variables with secrets. They are removed from the environment, so that no child process inherits them."""

import os

import click

SECRET_VARIABLES = frozenset(
    {
        "AWS_IOT_CODE",
        "AWS_IOT_CONFIG_CLIENT_SECRET",
        "AWS_IOT_CONFIG_PASSWORD",
        "AWS_IOT_MFA_CODE",
        "AWS_IOT_NEW_PASSWORD",
        "AWS_IOT_PASSWORD",
    }
)
"""The variables of all options whose values are secrets, whichever command runs."""

_TAKEN = "aws_iot.secret_variables"
"""The key for their values in the metadata of Click's context."""


def take_secrets(ctx: click.Context) -> None:
    """Move the secret variables from the environment to the context."""
    ctx.meta[_TAKEN] = {
        name: value for name in SECRET_VARIABLES if (value := os.environ.pop(name, None)) is not None
    }


def secret(ctx: click.Context, variable: str) -> str | None:
    """The value that a secret variable had; None if it was not set or is empty."""
    # Without a root command, as in a shell's completion, nothing was taken.
    return ctx.meta.get(_TAKEN, os.environ).get(variable) or None
