"""Options that several commands of `aws-iot backend` share."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from aws_iot.app import App
from aws_iot.backend.deployment import Deployment
from aws_iot.backend.hints import StackName
from aws_iot.backend.local_files import EXPORTS
from aws_iot.backend.outputs import check_same_pools, stack_of
from aws_iot.backend.stack import StackState
from aws_iot.cli import options
from aws_iot.cli.ui import output


def _stack_name(_: click.Context, __: click.Parameter, name: str) -> str:
    # CloudFormation allows 128 characters; the template appends up to 11: "NAME-identities".
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,116}", name, re.ASCII):
        raise click.BadParameter(
            f"'{name}' is not a stack name: use up to 117 letters, digits and '-', starting with a letter."
        )
    return name


def stack_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command for a stack."""
    name = options.option(
        "--name",
        env="BACKEND_NAME",
        callback=_stack_name,
        default="chat",
        show_default=True,
        metavar="NAME",
        help="The name of the stack.",
    )
    region = options.option(
        "--region",
        env="REGION",
        metavar="REGION",
        help="The AWS region of the stack.  [default: from your AWS settings]",
    )
    for decorate in (options.timeout, options.quiet, options.aws_profile, region, name):
        command = decorate(command)
    return command


def find_stack(
    app: App, name: str, region: str | None, aws_profile: str | None, key: str | None
) -> tuple[Deployment, StackState]:
    """The stack that the options name, or else the one that the profile `key` was made from.

    Raises what `Deployment.existing` raises, and `ProfileError`.
    """
    if key is None or is_named():
        stack = StackName(name, region, aws_profile)
        deployment = Deployment(stack, app.admin.deployment_target(name, region, aws_profile))
        return deployment, deployment.existing()
    profile = app.config.profiles.load(key)
    is_local = profile.cloudformation_url is not None
    stack = StackName(stack_of(profile), region or profile.iot_region, aws_profile, key, is_local)
    target = app.admin.deployment_target(stack.name, stack.region, aws_profile, profile)
    deployment = Deployment(stack, target)
    state = deployment.existing(can_create=False)
    check_same_pools(profile, state.outputs, stack.name)
    return deployment, state


def is_named() -> bool:
    """Whether --name, or its variable, names the stack of the running command."""
    source = click.get_current_context().get_parameter_source("name")
    return source is not click.core.ParameterSource.DEFAULT


def _destination(_: click.Context, __: click.Parameter, path: Path) -> Path | None:
    """None for standard output."""
    if str(path) == "-":
        output.need_stdout()  # before anything is created
        return None
    return path


exports_file = options.option(
    "-o",
    "--exports",
    "exports",
    env="BACKEND_EXPORTS",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    callback=_destination,
    default=EXPORTS,
    show_default=True,
    metavar="FILE",
    help="Write the exports file for members here; - prints it.",
)
replace = options.option(
    "--replace",
    "overwrite",
    env="BACKEND_REPLACE",
    is_flag=True,
    help="Replace FILE and the profile even if they have other pools.",
)
key = options.profile_key("BACKEND_PROFILE", help="Also write this profile.")
