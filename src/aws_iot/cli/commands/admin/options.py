"""Options, arguments and loops that several commands of `aws-iot admin` share."""

from __future__ import annotations  # so that what only types need is not imported

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.ui import output
from aws_iot.errors import AwsIotError, NotAuthorized, ServiceRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_iot.backend.members import Members
    from aws_iot.backend.team import Person

# What a command works with is imported when it runs: `--help` and the Tab key would wait for it.

policy = options.option(
    "--policy", env="POLICY", metavar="NAME", help="The team's IoT policy.  [default: the profile's]"
)
clients = options.argument("clients", nargs=-1, required=True, metavar="CLIENT...")


def admin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that uses the admin's own AWS credentials."""
    for decorate in (options.timeout, options.quiet, options.aws_profile, options.profile):
        command = decorate(command)
    return command


class Admin:
    """What the commands about members work with: the profile, its policy, and the team."""

    def __init__(self, app: App, key: str, policy: str | None, aws_profile: str | None) -> None:
        """Raises a usage error if neither the caller nor the profile names a policy."""
        from aws_iot.auth.session_store import signed_in_usernames
        from aws_iot.backend.team import Team

        self.profile = app.config.profiles.load(key)
        name = policy or self.profile.policy_name
        if not name:
            raise click.UsageError(f"The profile '{key}' names no IoT policy: use --policy NAME.")
        self.policy = name
        self.of_policy = f" (policy {name})" if policy else ""
        """Names the policy in a message, if it was given."""
        self.known_names = app.config.known_names(key)
        self.members: Members = app.admin.members(self.profile, aws_profile)
        self._aws_profile = aws_profile
        pool = self.profile.identity_pool_id
        known = partial(signed_in_usernames, app.config.profiles, app.auth.sessions, pool)
        self.team = Team(self.members, name, pool, known, self.command)

    def naming(self, identity: str) -> str:
        """The command that stores a member's user name."""
        from aws_iot.identities import short_identity

        own = ["--policy", self.policy] if self.of_policy else []
        return self.command("accept", short_identity(identity) or identity, "--user", "NAME", *own)

    def command(self, *words: str) -> str:
        """`aws-iot admin` with these words for this team, for a hint."""
        from aws_iot.messaging.connect import admin_command

        return admin_command(*words, key=self.profile.key, aws_profile=self._aws_profile)


def find_all(texts: Sequence[str], find: Callable[[str], Person]) -> list[Person]:
    """Whom the arguments mean, each once. Raises what `find` raises, before anything is changed."""
    try:
        found = [find(text) for text in texts]
    except ServiceRefused as error:
        if len(texts) > 1:
            error.hint = "\n".join(filter(None, ("Nothing was changed.", error.hint)))
        raise
    return list({one.identity: one for one in found}.values())


def for_each(ids: Sequence[str], work: Callable[[str], None], at_end: Callable[[], str] = str) -> None:
    """Call `work` with each ID. A refusal is printed, and the rest continues; the first decides the exit code.

    `at_end` makes a status message for the end, which may be empty.
    """
    first: AwsIotError | None = None
    for one in ids:
        try:
            work(one)
        except (ServiceRefused, NotAuthorized) as error:
            if len(ids) == 1:
                raise
            output.error(f"Error: {one}: {error}")
            first = first or error
    if last := at_end():
        output.info(last)
    if first:
        output.hints(first)
        click.get_current_context().exit(first.exit_code)
