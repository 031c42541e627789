"""`aws-iot admin accept` and `requests`."""

from __future__ import annotations  # so that what only types need is not imported

import json
import sys
from typing import TYPE_CHECKING

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.admin.options import Admin, admin_options, find_all, for_each, policy
from aws_iot.cli.commands.admin.people import note_what_is_missing, people_table, person_label
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_line, ask_numbers, is_confirmed, need_terminal
from aws_iot.messaging.message import timestamp
from aws_iot.text.labels import label

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_iot.backend.team import Person

ALL = "all"


@click.command(cls=Command)
@options.argument("people", nargs=-1, metavar="[IDENTITY...|all]")
@options.option(
    "--user",
    "username",
    env="ACCEPT_USER",
    metavar="USER",
    help="The person's user name, which admins will see.  [default: unknown, unless it is signed in here]",
)
@options.option("--yes", env="ACCEPT_YES", is_flag=True, help="Accept all without asking.")
@policy
@admin_options
@click.pass_obj
def accept(
    app: App,
    people: tuple[str, ...],
    username: str | None,
    yes: bool,
    key: str,
    policy: str | None,
    aws_profile: str | None,
) -> None:
    """Accept people as members.

    Attaches the team's IoT policy to each identity, and stores the user name for all admins. AWS takes 6 to
    8 minutes to apply the change.

    IDENTITY is an identity, its beginning, or bob~4f9fa251 as `sub` prints it. `all` accepts everyone that
    `aws-iot admin requests` lists, and asks first. Without an argument, it lists them at a terminal, and asks
    whom to accept.

    \b
    Examples:
      aws-iot admin accept us-east-1:4f9fa251-0ed5-4578-add0-985024739222 --user bob
      aws-iot admin accept 4f9fa251 1e134044 -k team
      aws-iot admin accept all
    """
    admin = Admin(app, key, policy, aws_profile)
    if not people:
        chosen = _ask_whom(app, admin, names=username is None)
    elif people == (ALL,):
        chosen = _all(app, admin, yes)
    else:
        chosen = find_all(people, admin.team.identity)
    if username is not None:
        if len(chosen) > 1:
            raise click.UsageError("--user names one person, so give one identity.")
        chosen = [one.named(username) for one in chosen]
    _accept(admin, chosen)


def _accept(admin: Admin, people: Sequence[Person]) -> None:
    from aws_iot.messaging.connect import apply_delay

    by_identity = {one.identity: one for one in people}
    new: list[str] = []

    def accept_one(identity: str) -> None:
        admin.members.check(identity)
        was_member = admin.team.is_member(identity)
        name = by_identity[identity].username
        not_stored = admin.members.accept(identity, admin.policy, name)
        admin.known_names.add_member(person_label(by_identity[identity]))
        known_as = f" as {label(name)}" if name else ""
        if was_member:
            output.info(f"{identity} is a member already{known_as and ','}{known_as}{admin.of_policy}.")
        else:
            new.append(identity)
            output.info(f"Accepted {identity}{known_as}{admin.of_policy}.")
        if not_stored:
            output.info(f"The {'user name' if name else 'date'} was not stored: {not_stored}.")
        elif not (name or was_member):
            output.info(f"The user name is unknown. To add it: {admin.naming(identity)}")

    for_each(list(by_identity), accept_one, lambda: apply_delay(admin.profile) if new else "")


def _all(app: App, admin: Admin, yes: bool) -> Sequence[Person]:
    waiting = admin.team.requests
    if not waiting:
        output.info("All identities that have signed in are accepted.")
    elif not yes:
        for line in people_table("FIRST SIGN-IN", waiting):
            output.info(line)
        need_terminal(app, "Accepting all needs your approval", "check the list, then use --yes")
        if not is_confirmed("Accept this person?" if len(waiting) == 1 else f"Accept all {len(waiting)}?"):
            output.info("Nothing was changed.")
            click.get_current_context().exit(1)
    return waiting


def _ask_whom(app: App, admin: Admin, *, names: bool) -> Sequence[Person]:
    if not app.settings.has_terminal():
        raise click.UsageError(f"Whom? Give identities, or `all`. To list them: {admin.command('requests')}")
    waiting = admin.team.requests
    for line in people_table("FIRST SIGN-IN", waiting, numbered=True):
        output.info(line)
    if not waiting:
        output.info("All identities that have signed in are accepted.")
        return ()
    return _choose(waiting, names=names)


@click.command(cls=Command)
@policy
@options.json_output
@admin_options
@click.pass_obj
def requests(app: App, key: str, policy: str | None, as_json: bool, aws_profile: str | None) -> None:
    """List identities that have signed in but are not accepted.

    The latest come first. At a terminal, it asks which of them to accept, and for their user names. Cognito
    does not reveal the account of an identity, so ask people for theirs.

    \b
    Examples:
      aws-iot admin requests
      aws-iot admin requests --json
    """
    output.need_stdout()
    admin = Admin(app, key, policy, aws_profile)
    waiting = admin.team.requests
    asks = not as_json and app.settings.has_terminal() and sys.stdout.isatty()
    if as_json:
        for one in waiting:
            since = one.since and timestamp(one.since)
            output.data(json.dumps({"identity": one.identity, "since": since, "name": one.username}))
    lines = [] if as_json else people_table("FIRST SIGN-IN", waiting, numbered=asks)
    for line in lines:
        output.data(line)
    note_what_is_missing(admin, waiting, lines, "requests")
    if not waiting:
        output.info("All identities that have signed in are accepted.")
    elif asks:
        _accept(admin, _choose(waiting))


def _choose(waiting: Sequence[Person], *, names: bool = True) -> Sequence[Person]:
    question = "Accept which? Numbers, or nothing for none"
    numbers = ask_numbers(len(waiting), lambda: ask_line(question, default=""))
    chosen = [waiting[number] for number in numbers]
    return [_named(one) for one in chosen] if names else chosen


def _named(person: Person) -> Person:
    if person.username:
        return person
    answer = ask_line(f"User name of {person_label(person)}, or nothing if you do not know it", default="-")
    return person if answer == "-" else person.named(answer)
