"""Options, arguments and loops that several commands of `aws-iot admin` share."""

from collections.abc import Callable, Sequence
from typing import Any

import click

from aws_iot.app import App
from aws_iot.backend.members import identity_error
from aws_iot.cli import options
from aws_iot.cli.ui import output
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, NotAuthorized, ServiceRefused

policy = options.option(
    "--policy", env="POLICY", metavar="NAME", help="The team's IoT policy.  [default: the profile's]"
)
identities = click.argument("identities", nargs=-1, required=True, metavar="IDENTITY...")
clients = click.argument("clients", nargs=-1, required=True, metavar="CLIENT...")


def admin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that uses the admin's own AWS credentials."""
    for decorate in (options.timeout, options.quiet, options.aws_profile, options.profile):
        command = decorate(command)
    return command


def load_profile_and_policy(app: App, key: str, policy: str | None) -> tuple[Profile, str]:
    """The profile, and the name of the policy that was given, or the profile's."""
    profile = app.config.profiles.load(key)
    name = policy or profile.policy_name
    if not name:
        raise click.UsageError(f"The profile '{key}' names no IoT policy: use --policy NAME.")
    return profile, name


def check_identities(pool: str, identities: Sequence[str]) -> None:
    """Raise a usage error if one cannot be an identity of the pool, before anything is changed."""
    for identity in identities:
        if wrong := identity_error(identity, pool):
            raise click.BadParameter(f"{wrong}.")


def for_each(ids: Sequence[str], work: Callable[[str], None]) -> None:
    """Call `work` with each ID. A refusal is printed, and the rest continues; the first decides the exit code."""
    first: AwsIotError | None = None
    for one in ids:
        try:
            work(one)
        except (ServiceRefused, NotAuthorized) as error:
            if len(ids) == 1:
                raise
            output.error(f"Error: {one}: {error}")
            first = first or error
    if first:
        if first.hint:
            output.hint(first.hint)
        click.get_current_context().exit(first.exit_code)
