"""`aws-iot admin`: who may come in, with an admin's own AWS credentials."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_line
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, LocalError, NotAuthorized, ServiceRefused
from aws_iot.messaging.message import timestamp

if TYPE_CHECKING:
    from aws_iot.aws.admin.members import Connected, Identity

_REGION = r"[a-z]{2,}(?:-[a-z]+)+-\d{1,2}"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
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

    def accept_one(identity: str) -> None:
        members.check(identity)
        members.accept(identity, name)
        output.info(f"Accepted {identity} (policy {name}). {LATER}")

    _each(identities, accept_one)


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

    def revoke_one(identity: str) -> None:
        others = members.revoke(identity, name)
        if others is None:
            output.info(f"Revoked {identity} (policy {name}). {LATER}")
        elif others:
            output.info(f"{identity} was not accepted (policy {name}); attached are: {', '.join(others)}.")
        else:
            output.info(f"{identity} was not accepted (policy {name}); no policy is attached.")

    _each(identities, revoke_one)


@admin.command("members")
@_policy
@options.json_output
@_as_an_admin
@click.pass_obj
def members_(app: App, key: str, policy: str | None, as_json: bool, aws_profile: str | None) -> None:
    """List who is accepted.

    By identity: Cognito does not tell which account an identity belongs to. Who is signed in on this
    machine is named.

    \b
    Example:
      aws-iot admin members --json
    """
    output.need_stdout()
    profile, name = _profile_and_policy(app, key, policy)
    accepted = sorted(app.members(profile, aws_profile).accepted(name))
    names = _names(app, profile)
    for identity in accepted:
        if as_json:
            output.data(json.dumps({"identity": identity, "name": names.get(identity), "policy": name}))
        else:
            output.data(f"{identity}  {output.visible(names.get(identity, ''))}".rstrip())
    if not accepted:
        output.info(f"Nobody is accepted yet (policy {name}).")


def _names(app: App, profile: Profile) -> dict[str, str]:
    """The user names of the identities that are signed in on this machine, with whatever profile of the pool."""
    found = {}
    for key in app.profiles.keys():
        with suppress(LocalError):  # such as a damaged profile, which is no matter here
            other = app.profiles.load(key)
            if other.identity_pool_id == profile.identity_pool_id and (saved := app.sessions.load(other)):
                found[saved.identity] = saved.username
    return found


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
    output.need_stdout()
    profile, name = _profile_and_policy(app, key, policy)
    members = app.members(profile, aws_profile)
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
        output.info("Everybody who has signed in is accepted.")
    elif asks:

        def accept_one(identity: str) -> None:
            members.accept(identity, name)
            output.info(f"Accepted {identity} (policy {name}). {LATER}")

        _each([one.id for one in _chosen(waiting)], accept_one)


def _chosen(waiting: "Sequence[Identity]") -> "Sequence[Identity]":
    while True:
        answer = ask_line("Accept whom? Numbers, or nothing for nobody [-]", default="-")
        numbers = [n for n in re.split(r"[\s,]+", answer) if n not in ("", "-")]
        wrong = [n for n in numbers if not (n.isascii() and n.isdigit() and 1 <= int(n) <= len(waiting))]
        if not wrong:
            return [waiting[int(n) - 1] for n in numbers]
        output.error(f"'{wrong[0]}' is no number of the list.")


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
    output.need_stdout()
    members = app.members(app.profiles.load(key), aws_profile)

    def show(client: str) -> None:
        found = members.connection(client)
        output.data(json.dumps(_as_object(found)) if as_json else _in_words(found))

    _each(clients, show)


def _as_object(found: "Connected") -> dict[str, Any]:
    return {
        "client": found.client,
        "connected": found.connected,
        "since": found.since and timestamp(found.since),
        "reason": found.reason,
        "hears": list(found.hears),
    }


def _in_words(found: "Connected") -> str:
    what = "connected" if found.connected else "not connected"
    if found.since:
        what += f" since {found.since.astimezone():%F %T}"
    if found.reason and not found.connected:
        what += f" ({found.reason})"
    return f"{found.client}  {what}  hears {output.visible(', '.join(found.hears)) or 'nothing'}"


@admin.command("kick")
@_clients
@_as_an_admin
@click.pass_obj
def disconnect(app: App, clients: tuple[str, ...], key: str, aws_profile: str | None) -> None:
    """End connections, by client id.

    Whoever is accepted can come back at once: `aws-iot admin revoke` first. See `aws-iot admin who`.

    \b
    Example:
      aws-iot admin kick us-east-1:4f9fa251-0ed5-4578-add0-985024739222-worker
    """
    members = app.members(app.profiles.load(key), aws_profile)

    def end(client: str) -> None:
        members.disconnect(client)
        output.info(f"Ended the connection of {client}.")

    _each(clients, end)


def _each(ids: Sequence[str], work: Callable[[str], None]) -> None:
    """Do it for each id: one that is refused is told, and in nobody's way. Ends with the first one's exit code."""
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
            output.error(first.hint)
        click.get_current_context().exit(first.exit_code)


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
        if why := _no_identity(identity, region):
            raise click.BadParameter(f"'{identity}' is no identity: {why}.")
        if identity.partition(":")[0] != region:
            raise click.BadParameter(f"'{identity}' is no identity of this pool, which is in {region}.")
        if identity == pool:
            raise click.BadParameter(f"'{identity}' is the identity pool, and no identity of it.")


def _no_identity(text: str, region: str) -> str | None:
    """What is wrong with what somebody has copied, None if nothing is."""
    if re.fullmatch(f"{_REGION}:{_UUID}", text, re.ASCII):
        return None
    bare = text.strip("'\"`,;. \t")
    if bare != text and re.fullmatch(f"{_REGION}:{_UUID}", bare, re.ASCII):
        return f"leave out what is around it: {bare}"
    if re.fullmatch(f"{_REGION}:{_UUID}", text.lower(), re.ASCII):
        return f"it has no upper-case letters: {text.lower()}"
    if re.fullmatch(_UUID, text, re.ASCII):
        return f"its region is missing: {region}:{text}"
    if begins := re.match(f"({_REGION}:{_UUID})-", text, re.ASCII):
        return f"it is a client id, and the identity is {begins[1]}"
    return f"one looks like {region}:4f9fa251-0ed5-4578-add0-985024739222"
