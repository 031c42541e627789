"""`aws-iot admin revoke` and `members`."""

import json

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.admin.options import Admin, admin_options, find_all, for_each, policy
from aws_iot.cli.commands.admin.people import note_what_is_missing, people_table, person_label
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.messaging.message import timestamp
from aws_iot.text.labels import label


@click.command(cls=Command)
@options.argument("people", nargs=-1, required=True, metavar="MEMBER...", completes="members")
@policy
@admin_options
@click.pass_obj
def revoke(app: App, people: tuple[str, ...], key: str, policy: str | None, aws_profile: str | None) -> None:
    """Revoke members.

    Detaches the team's IoT policy from each identity. AWS takes 6 to 8 minutes to apply the change, even
    to open connections. If you know a client ID, `aws-iot admin kick` closes its connection at once.

    MEMBER is a user name, an identity, its beginning, or bob~4f9fa251 as `sub` prints it.

    \b
    Examples:
      aws-iot admin revoke bob
      aws-iot admin revoke 4f9fa251 carol~1e134044 -k team
    """
    from aws_iot.messaging.connect import apply_delay

    admin = Admin(app, key, policy, aws_profile)
    chosen = {one.identity: one for one in find_all(people, admin.team.member)}
    revoked: list[str] = []

    def revoke_one(identity: str) -> None:
        not_deleted = admin.members.revoke(identity, admin.policy)
        revoked.append(identity)
        admin.known_names.remove_member(person_label(chosen[identity]))
        name = chosen[identity].username
        who = f"{identity}, {label(name)}" if name else identity
        output.info(f"Revoked {who}{admin.of_policy}.")
        if not_deleted:
            output.info(f"The stored user name was not deleted: {not_deleted}.")

    for_each(list(chosen), revoke_one, lambda: apply_delay(admin.profile) if revoked else "")


@click.command("members", cls=Command)
@policy
@options.json_output
@admin_options
@click.pass_obj
def list_members(app: App, key: str, policy: str | None, as_json: bool, aws_profile: str | None) -> None:
    """List the accepted members.

    The latest come first. Shows the user name that was given when the member was accepted. Cognito does not
    reveal the account of an identity, so other names are known only for people who are signed in here.

    \b
    Example:
      aws-iot admin members --json
    """
    output.need_stdout()
    admin = Admin(app, key, policy, aws_profile)
    members = admin.team.members
    admin.known_names.replace_members(map(person_label, members))
    if as_json:
        for one in members:
            accepted = one.since and timestamp(one.since)
            row = {
                "identity": one.identity,
                "name": one.username,
                "policy": admin.policy,
                "accepted": accepted,
            }
            output.data(json.dumps(row))
    lines = [] if as_json else people_table("ACCEPTED", members)
    for line in lines:
        output.data(line)
    note_what_is_missing(admin, members, lines, "members")
    if not members:
        output.info(f"No members yet (policy {admin.policy}).")
