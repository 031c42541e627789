"""`aws-iot admin`: let members in, with an admin's own AWS credentials."""

import re

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.output import words

_IDENTITY = re.compile(r"[\w-]+:[0-9a-f-]+")


@click.group()
def admin() -> None:
    """Let members in.

    Needs AWS credentials of your own: the usual variables, files or --aws-profile.
    """


@admin.command()
@click.argument("identities", nargs=-1, required=True, metavar="IDENTITY...")
@options.profile
@options.option(
    "--policy", env="POLICY", metavar="NAME", help="The IoT policy to attach.  [default: the profile's]"
)
@options.option(
    "--aws-profile",
    env="AWS_PROFILE",
    metavar="NAME",
    help="Whose AWS credentials to use, as in ~/.aws/config.",
)
@options.quiet
@options.timeout
@click.pass_obj
def accept(
    app: App, identities: tuple[str, ...], key: str, policy: str | None, aws_profile: str | None
) -> None:
    """Accept identities: attach the team's IoT policy to them.

    `aws-iot sub` tells each person their identity. AWS takes 6 to 8 minutes to apply it.

    \b
    Example:
      aws-iot admin accept us-east-1:4f9fa251-0ed5-4578-add0-985024739222 -k team
    """
    profile = app.profiles.load(key)
    name = policy or profile.policy_name
    if not name:
        raise click.UsageError(f"Which policy? The profile '{key}' names none: give --policy NAME.")
    for identity in identities:
        if not _IDENTITY.fullmatch(identity):
            raise click.BadParameter(
                f"'{identity}' is no identity; one looks like {profile.identity_pool_region}:4f9fa251-…"
            )
    members = app.members(profile, aws_profile)
    for identity in identities:
        members.accept(identity, name)
        words(f"Accepted {identity} (policy {name}). AWS takes 6 to 8 minutes to apply it.")
