"""`aws-iot policy`: explain what policies allow an identity."""

from typing import Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.policy.options import PolicyQuery, policy_options
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output


@click.command(cls=Command)
@options.option(
    "-r",
    "--room",
    env="DOCTOR_ROOM",
    metavar="ROOM",
    cls=options.Once,
    completes="rooms",
    help="The room, or a pattern, to check.  [default: subscribing to all rooms, and sending to the room doctor]",
)
@policy_options
@options.json_output
@options.profile
@options.quiet
@options.timeout
@click.pass_obj
def policy(app: App, /, key: str, room: str | None, as_json: bool, **query: Any) -> None:
    """Explain what policies allow an identity.

    The role of the identity pool AND the IoT policies of the identity must allow it. The output names the statements
    that decide, or those that nearly match. Exit codes: 0 everything is allowed, 5 something is refused, 10 the answer
    depends on something unknown.

    Policies are read from AWS, with an admin's credentials, or from files. Policy files need no AWS credentials. With
    --identity and --pool they need no profile either.

    \b
    Examples:
      aws-iot policy -r ops --aws-profile admin
      aws-iot policy -r ops --role-policy role.json --iot-policy member.json
    """
    from aws_iot.cli.commands.policy.explanation import (
        explain_policies,
    )  # here: the Tab key would wait for it

    output.need_stdout()
    explain_policies(app, key, as_json, PolicyQuery.from_options(room, **query))
