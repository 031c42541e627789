"""`aws-iot backend`: deploy and manage a team's AWS resources."""

import click

from aws_iot.backend import template as backend_template
from aws_iot.cli.commands.backend.deploy import deploy
from aws_iot.cli.commands.backend.destroy import destroy
from aws_iot.cli.commands.backend.exports import exports_command
from aws_iot.cli.commands.backend.status import status
from aws_iot.cli.groups import Group
from aws_iot.cli.ui import output


@click.group(cls=Group)
def backend() -> None:
    """Deploy and manage your team's AWS resources.

    They are one CloudFormation stack: accounts, identities, and policies. Needs your own AWS credentials:
    the usual variables or files, or --aws-profile.
    """


@backend.command()
def template() -> None:
    """Print the CloudFormation template.

    Deploy it with `aws cloudformation deploy` or another tool, or read what would be created.

    \b
    Example:
      aws-iot backend template > template.yaml
    """
    output.data(backend_template.text().rstrip("\n"))


for command in (deploy, exports_command, status, destroy):
    backend.add_command(command)
