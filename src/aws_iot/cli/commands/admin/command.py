"""`aws-iot admin`: manage team members, with an admin's own AWS credentials."""

import click

from aws_iot.cli.commands.admin.accepting import accept, requests
from aws_iot.cli.commands.admin.clients import disconnect, who
from aws_iot.cli.commands.admin.members import list_members, revoke
from aws_iot.cli.groups import Group


@click.group(cls=Group)
def admin() -> None:
    """Manage team members.

    Needs your own AWS credentials: the usual variables or files, or --aws-profile. The profile of the local
    stack brings its own.
    """


for command in (accept, revoke, list_members, requests, who, disconnect):
    admin.add_command(command)
