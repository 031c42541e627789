"""`aws-iot admin`: who may come in, with an admin's own AWS credentials."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.output import data, visible, words
from aws_iot.cli.terminal import ask_line
from aws_iot.profile import Profile

if TYPE_CHECKING:
    from aws_iot.aws.members import Connected, Identity

_IDENTITY = r"[\w-]+:[0-9a-f]{8}-[0-9a-f-]+"
LATER = "AWS takes 6 to 8 minutes to apply it."


def _as_an_admin(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that signs with the admin's own AWS credentials."""
    for decorate in (options.timeout, options.quiet, options.aws_profile, options.profile):
        command = decorate(command)
    return command


_policy = options.option(
    "--policy", env="POLICY", metavar="NAME", help="The team's IoT policy.  [default: the profile's]"
)
_identities = click.argument("identities", nargs=-1, required=True, metavar="IDENTITY...")
_clients = click.argument("clients", nargs=-1, required=True, metavar="CLIENT...")


@click.group()
def admin() -> None:
    """Say who may come in.

    Needs AWS credentials of your own: the usual variables, files or --aws-profile.
    """


@admin.command()
@_identities
@_policy
@_as_an_admin
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
    profile, name = _profile_and_policy(app, key, policy)
    check_identities(profile.identity_pool_id, identities)
    members = app.members(profile, aws_profile)
    for identity in identities:
        members.accept(identity, name)
        words(f"Accepted {identity} (policy {name}). {LATER}")


@admin.command()
@_identities
@_policy
@_as_an_admin
@click.pass_obj
def revoke(
    app: App, identities: tuple[str, ...], key: str, policy: str | None, aws_profile: str | None
) -> None:
    """Accept identities no longer: detach the team's IoT policy from them.

    AWS takes 6 to 8 minutes to apply it, also to a connection that is open; `aws-iot admin kick` ends
    one whose client id you know.

    \b
    Example:
      aws-iot admin revoke us-east-1:4f9fa251-0ed5-4578-add0-985024739222 -k team
    """
    profile, name = _profile_and_policy(app, key, policy)
    check_identities(profile.identity_pool_id, identities)
    members = app.members(profile, aws_profile)
    for identity in identities:
        members.revoke(identity, name)
        words(f"Revoked {identity} (policy {name}). {LATER}")


@admin.command("members")
@_policy
@options.json_output
@_as_an_admin
@click.pass_obj
def members_(app: App, key: str, policy: str | None, as_json: bool, aws_profile: str | None) -> None:
    """List who is accepted.

    By identity: Cognito does not tell which account an identity belongs to.

    \b
    Example:
      aws-iot admin members --json
    """
    profile, name = _profile_and_policy(app, key, policy)
    accepted = sorted(app.members(profile, aws_profile).accepted(name))
    for identity in accepted:
        data(json.dumps({"identity": identity, "policy": name}) if as_json else identity)
    if not accepted:
        words(f"Nobody is accepted yet (policy {name}).")


@admin.command()
@_policy
@options.json_output
@_as_an_admin
@click.pass_obj
def requests(app: App, key: str, policy: str | None, as_json: bool, aws_profile: str | None) -> None:
    """List who has signed in and is not accepted yet.

    The latest first. On a terminal it asks whom of them to accept. By identity: Cognito does not tell
    which account an identity belongs to, so have people tell you theirs.

    \b
    Examples:
      aws-iot admin requests
      aws-iot admin requests --json
    """
    profile, name = _profile_and_policy(app, key, policy)
    members = app.members(profile, aws_profile)
    accepted = set(members.accepted(name))
    waiting = [one for one in members.identities() if one.id not in accepted]
    waiting.sort(key=lambda one: one.created, reverse=True)
    asks = not as_json and sys.stdin.isatty() and sys.stdout.isatty()
    for number, one in enumerate(waiting, 1):
        if as_json:
            data(json.dumps({"identity": one.id, "since": one.created.isoformat()}))
        else:
            data(f"{f'{number:>3}  ' if asks else ''}{one.id}  since {one.created.astimezone():%F %T}")
    if not waiting:
        words("Everybody who has signed in is accepted.")
    elif asks:
        for one in _chosen(waiting, ask_line("Accept whom? Numbers, or nothing for nobody [-]")):
            members.accept(one.id, name)
            words(f"Accepted {one.id} (policy {name}). {LATER}")


def _chosen(waiting: "Sequence[Identity]", answer: str) -> "Sequence[Identity]":
    numbers = [n for n in re.split(r"[\s,]+", answer) if n not in ("", "-")]
    if wrong := [n for n in numbers if not (n.isascii() and n.isdigit() and 1 <= int(n) <= len(waiting))]:
        raise click.UsageError(f"'{wrong[0]}' is no number of the list: nobody is accepted.")
    return [waiting[int(n) - 1] for n in numbers]


@admin.command()
@_clients
@options.json_output
@_as_an_admin
@click.pass_obj
def who(app: App, clients: tuple[str, ...], key: str, as_json: bool, aws_profile: str | None) -> None:
    """Show which clients are connected, since when, and what they listen to.

    AWS IoT Core tells of those you name and lists none. A client id is IDENTITY-NAME for `sub --durable
    NAME`; else it ends in something random, and only the log and the lifecycle events of IoT Core name it.

    \b
    Example:
      aws-iot admin who us-east-1:4f9fa251-0ed5-4578-add0-985024739222-worker
    """
    members = app.members(app.profiles.load(key), aws_profile)
    for client in clients:
        found = members.connection(client)
        data(json.dumps(_as_object(found)) if as_json else _in_words(found))


def _as_object(found: "Connected") -> dict[str, Any]:
    return {
        "client": found.client,
        "connected": found.connected,
        "since": found.since and found.since.isoformat(),
        "reason": found.reason,
        "hears": list(found.hears),
    }


def _in_words(found: "Connected") -> str:
    what = "connected" if found.connected else "not connected"
    if found.since:
        what += f" since {found.since.astimezone():%F %T}"
    if found.reason and not found.connected:
        what += f" ({found.reason})"
    return f"{found.client}  {what}  hears {visible(', '.join(found.hears)) or 'nothing'}"


@admin.command()
@_clients
@_as_an_admin
@click.pass_obj
def kick(app: App, clients: tuple[str, ...], key: str, aws_profile: str | None) -> None:
    """End connections, by client id.

    Whoever is accepted can come back at once: `aws-iot admin revoke` first. See `aws-iot admin who`.

    \b
    Example:
      aws-iot admin kick us-east-1:4f9fa251-0ed5-4578-add0-985024739222-worker
    """
    members = app.members(app.profiles.load(key), aws_profile)
    for client in clients:
        members.kick(client)
        words(f"Ended the connection of {client}.")


def _profile_and_policy(app: App, key: str, policy: str | None) -> tuple[Profile, str]:
    profile = app.profiles.load(key)
    name = policy or profile.policy_name
    if not name:
        raise click.UsageError(f"Which policy? The profile '{key}' names none: give --policy NAME.")
    return profile, name


def check_identities(pool: str, identities: Sequence[str]) -> None:
    """Refuse, before anything is done, what cannot be an identity of the pool: its region begins it."""
    region = pool.partition(":")[0]
    for identity in identities:
        if not re.fullmatch(_IDENTITY, identity):
            raise click.BadParameter(f"'{identity}' is no identity; one looks like {region}:4f9fa251-…")
        if identity.partition(":")[0] != region:
            raise click.BadParameter(f"'{identity}' is no identity of this pool, which is in {region}.")
        if identity == pool:
            raise click.BadParameter(f"'{identity}' is the identity pool, and no identity of it.")
