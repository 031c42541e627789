"""`aws-iot admin accept`, `revoke`, `members` and `requests`."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress

import click

from aws_iot.app import App
from aws_iot.backend.members import Identity, Members
from aws_iot.cli import options
from aws_iot.cli.commands.admin.options import (
    admin_options,
    check_identities,
    for_each,
    identities,
    load_profile_and_policy,
    policy,
)
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_line
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError
from aws_iot.messaging.message import timestamp
from aws_iot.policy.recovery import APPLY_DELAY


@click.command(cls=Command)
@identities
@policy
@admin_options
@click.pass_obj
def accept(
    app: App, identities: tuple[str, ...], key: str, policy: str | None, aws_profile: str | None
) -> None:
    """Accept identities as members.

    Attaches the team's IoT policy to each. `aws-iot sub` prints a person's identity. AWS takes 6 to 8
    minutes to apply the change.

    \b
    Example:
      aws-iot admin accept us-east-1:4f9fa251-0ed5-4578-add0-985024739222 -k team
    """
    profile, name = load_profile_and_policy(app, key, policy)
    check_identities(profile.identity_pool_id, identities)
    members = app.admin.members(profile, aws_profile)
    accept_one = _acceptor(members, name)

    def check_and_accept(identity: str) -> None:
        members.check(identity)
        accept_one(identity)

    for_each(identities, check_and_accept)


def _acceptor(members: Members, policy: str) -> Callable[[str], None]:
    def accept_one(identity: str) -> None:
        members.accept(identity, policy)
        output.info(f"Accepted {identity} (policy {policy}). {APPLY_DELAY}")

    return accept_one


@click.command(cls=Command)
@identities
@policy
@admin_options
@click.pass_obj
def revoke(
    app: App, identities: tuple[str, ...], key: str, policy: str | None, aws_profile: str | None
) -> None:
    """Revoke members.

    Detaches the team's IoT policy from each. AWS takes 6 to 8 minutes to apply the change, also to open
    connections. If you know a client ID, `aws-iot admin kick` closes its connection at once.

    \b
    Example:
      aws-iot admin revoke us-east-1:4f9fa251-0ed5-4578-add0-985024739222 -k team
    """
    profile, name = load_profile_and_policy(app, key, policy)
    check_identities(profile.identity_pool_id, identities)
    members = app.admin.members(profile, aws_profile)

    def revoke_one(identity: str) -> None:
        others = members.revoke(identity, name)
        if others is None:
            output.info(f"Revoked {identity} (policy {name}). {APPLY_DELAY}")
        else:
            attached = f"its policies are: {', '.join(others)}" if others else "it has no policy"
            output.info(f"{identity} was not accepted (policy {name}); {attached}.")

    for_each(identities, revoke_one)


@click.command("members", cls=Command)
@policy
@options.json_output
@admin_options
@click.pass_obj
def list_members(app: App, key: str, policy: str | None, as_json: bool, aws_profile: str | None) -> None:
    """List the accepted members.

    Shows identities, because Cognito does not reveal the account of an identity. User names are shown for
    people who are signed in on this machine.

    \b
    Example:
      aws-iot admin members --json
    """
    output.need_stdout()
    profile, name = load_profile_and_policy(app, key, policy)
    accepted = sorted(app.admin.members(profile, aws_profile).accepted(name))
    usernames = _signed_in_usernames(app, profile)
    for identity in accepted:
        if as_json:
            row = {"identity": identity, "name": usernames.get(identity), "policy": name}
            output.data(json.dumps(row))
        else:
            output.data(f"{identity}  {output.visible(usernames.get(identity, ''))}".rstrip())
    if not accepted:
        output.info(f"No members yet (policy {name}).")


def _signed_in_usernames(app: App, profile: Profile) -> dict[str, str]:
    """The user names by identity, for people who are signed in on this machine with any profile of the pool."""
    found = {}
    for key in app.config.profiles.keys():
        with suppress(LocalError):  # such as a damaged profile, which does not matter here
            other = app.config.profiles.load(key)
            if other.identity_pool_id == profile.identity_pool_id and (
                saved := app.auth.sessions.load(other)
            ):
                found[saved.identity] = saved.username
    return found


@click.command(cls=Command)
@policy
@options.json_output
@admin_options
@click.pass_obj
def requests(app: App, key: str, policy: str | None, as_json: bool, aws_profile: str | None) -> None:
    """List identities that have signed in but are not accepted.

    The latest come first. At a terminal, it asks which of them to accept. Cognito does not reveal the
    account of an identity, so ask people for theirs.

    \b
    Examples:
      aws-iot admin requests
      aws-iot admin requests --json
    """
    output.need_stdout()
    profile, name = load_profile_and_policy(app, key, policy)
    members = app.admin.members(profile, aws_profile)
    accepted = set(members.accepted(name))
    waiting = [one for one in members.identities() if one.id not in accepted]
    waiting.sort(key=lambda one: one.created, reverse=True)
    asks = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    for number, one in enumerate(waiting, 1):
        if as_json:
            output.data(json.dumps({"identity": one.id, "since": timestamp(one.created)}))
        else:
            output.data(f"{f'{number:>3}  ' if asks else ''}{one.id}  since {one.created.astimezone():%F %T}")
    if not waiting:
        output.info("All identities that have signed in are accepted.")
    elif asks:
        for_each([one.id for one in _choose(waiting)], _acceptor(members, name))


def _choose(waiting: Sequence[Identity]) -> Sequence[Identity]:
    while True:
        answer = ask_line("Accept which? Numbers, or nothing for none", default="-")
        numbers = [n for n in re.split(r"[\s,]+", answer) if n not in ("", "-")]
        wrong = [n for n in numbers if not (n.isascii() and n.isdigit() and 1 <= int(n) <= len(waiting))]
        if not wrong:
            return [waiting[int(n) - 1] for n in numbers]
        output.error(f"'{wrong[0]}' is not a number from the list.")
