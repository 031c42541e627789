"""`aws-iot backend status`: show the state of the stack."""

import json
from typing import Any

import click

from aws_iot.app import App
from aws_iot.backend.hints import recovery_hint
from aws_iot.backend.stack import StackEvent, StackState
from aws_iot.cli import options
from aws_iot.cli.commands.backend.options import find_stack, is_named, stack_options
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.tables import facts
from aws_iot.messaging.message import timestamp


@click.command(cls=Command)
@stack_options
@options.profile_key("BACKEND_PROFILE", help="Show the stack that this profile was made from.")
@options.json_output
@click.pass_obj
def status(
    app: App, name: str, region: str | None, aws_profile: str | None, key: str | None, as_json: bool
) -> None:
    """Show the stack's status, parameters, outputs and last failure.

    \b
    Examples:
      aws-iot backend status -k team
      aws-iot backend status --name ops --json
    """
    output.need_stdout()
    if options.is_typed("key") and is_named():
        raise click.UsageError("Both --name (AWS_IOT_BACKEND_NAME) and -k name a stack: give one of them.")
    deployment, state = find_stack(app, name, region, aws_profile, key)
    name = deployment.name.name
    failure = deployment.target.stack.last_failure(state)
    if as_json:
        output.data(json.dumps(_as_object(name, state, failure)))
        return
    for line in facts({label: value or "-" for label, value in _rows(name, state, failure).items()}):
        output.data(line)
    if hint := recovery_hint(deployment.name, state):
        output.info(hint)


def _as_object(name: str, state: StackState, failure: StackEvent | None) -> dict[str, Any]:
    return {
        "stack": name,
        "status": state.status,
        "reason": state.reason,
        "changed": timestamp(state.changed),
        "parameters": dict(state.parameters),
        "outputs": dict(state.outputs),
        "last_failure": failure
        and {
            "at": timestamp(failure.when),
            "resource": failure.resource,
            "reason": failure.reason or failure.status,
        },
    }


def _rows(name: str, state: StackState, failure: StackEvent | None) -> dict[str, str]:
    rows = {"stack": name, "status": state.status, "changed": f"{state.changed.astimezone():%F %T %Z}"}
    if state.reason:
        rows["reason"] = state.reason
    if failure:
        when = f"{failure.when.astimezone():%F %T}"
        rows["last failure"] = f"{when} {failure.resource}: {failure.reason or failure.status}"
    return {**rows, **state.parameters, **state.outputs}
