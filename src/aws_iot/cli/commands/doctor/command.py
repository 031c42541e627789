"""`aws-iot doctor`: find out why something does not work."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING, Any

import click

from aws_iot.cli import options
from aws_iot.cli.commands.policy.options import OPTION_NAMES, PolicyQuery, policy_options
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.messaging.topics import check_room
from aws_iot.policy.actions import ROOM

if TYPE_CHECKING:
    from collections.abc import Collection

ANY_POOL = "us-east-1:00000000-0000-0000-0000-000000000000"
"""As long as the ID of any pool, so a room can be checked before the profile is loaded."""


@click.command(cls=Command)
@options.option(
    "-r",
    "--room",
    env="DOCTOR_ROOM",
    metavar="ROOM",
    cls=options.Once,
    completes="rooms",
    help=f"The room to test.  [default: {ROOM}]",
)
@options.option("--policy", env="DOCTOR_POLICY", is_flag=True, help="The old name of `aws-iot policy`.")
@policy_options
@options.json_output
@options.signing_in
@click.pass_context
def doctor(
    ctx: click.Context,
    /,
    key: str,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    room: str | None,
    as_json: bool,
    policy: bool,
    **query: Any,
) -> None:
    """Find out why something does not work.

    Runs the steps of `sub` and `pub` one by one, reports each, and stops at the first that fails. The exit
    code is that of the cause, or 0. It sends a test message, "aws-iot doctor", to the room "doctor" (-r
    chooses another room). Members who subscribe to all rooms receive it.

    The output is safe to share: it names pools, user and identity, but no password, token or key.

    To find out what policies allow, use `aws-iot policy`.

    \b
    Examples:
      aws-iot doctor
      aws-iot doctor -k team -r lobby --json
    """
    output.need_stdout()
    if policy:
        if given := _first_given(ctx, _SIGN_IN):
            raise click.UsageError(f"{given} excludes --policy, which does not sign in: use --identity.")
        from aws_iot.cli.commands.policy.explanation import explain_policies  # here: few runs need it

        explain_policies(ctx.obj, key, as_json, PolicyQuery.from_options(room, **query))
        return
    if given := _first_given(ctx, OPTION_NAMES):
        raise click.UsageError(f"{given} belongs to another command: aws-iot policy")
    if room is not None:
        check_room(ANY_POOL, room)
    from aws_iot.cli.commands.doctor.running import (
        diagnosis_of,
        report,
    )  # here: `--help` need not wait for it

    report(ctx, diagnosis_of(ctx.obj, key, room, user, password, password_stdin), as_json)


_SIGN_IN = ("user", "password", "password_stdin", "mfa_code", "mfa_method", "new_password", "attribute")

# `aws-iot policy` was `doctor --policy` once. It still works, but the help does not mention it.
for param in doctor.params:
    if isinstance(param, click.Option) and param.name in {*OPTION_NAMES, "policy"}:
        param.hidden = True


def _first_given(ctx: click.Context, names: Collection[str]) -> str | None:
    """The first of these options that is on the command line."""
    for param in ctx.command.params:
        if param.name in names and options.is_typed(param.name):
            return max(param.opts, key=len)
    return None
