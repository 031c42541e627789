"""`aws-iot backend deploy`: create or update the stack."""

from pathlib import Path

import click

from aws_iot.app import App
from aws_iot.backend import template
from aws_iot.backend.deployment import Deployment, PendingUpdate, Plan
from aws_iot.backend.hints import StackName
from aws_iot.backend.local_files import check_replaceable, is_same_team
from aws_iot.backend.stack import StackState
from aws_iot.cli import options
from aws_iot.cli.commands.backend.changes import as_text
from aws_iot.cli.commands.backend.exports import write_exports
from aws_iot.cli.commands.backend.options import exports_file, key, replace, stack_options
from aws_iot.cli.commands.backend.watching import watched
from aws_iot.cli.commands.config.editor import editor_of
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import is_confirmed, need_terminal
from aws_iot.config.profile import Profile, checked_key


def _parameters(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise click.BadParameter(f"'{one}' is not NAME=VALUE.")
        if name not in template.parameters():
            known = ", ".join(template.parameters())
            raise click.BadParameter(f"there is no parameter '{name}'; the parameters are {known}.")
        allowed = template.parameters()[name].allowed
        if allowed and value not in allowed:
            raise click.BadParameter(f"{name} is '{value}', but must be one of: {', '.join(allowed)}.")
        found[name] = value
    return found


@click.command(cls=Command)
@stack_options
@options.option(
    "--parameter",
    "parameters",
    env="BACKEND_PARAMETER",
    multiple=True,
    callback=_parameters,
    metavar="NAME=VALUE",
    help="A parameter of the template, such as Mfa=ON or Room1=lobby; can be repeated. Other parameters keep"
    " their values.",
)
@options.option("--yes", env="BACKEND_YES", is_flag=True, help="Apply changes without asking.")
@replace
@key
@exports_file
@click.pass_obj
def deploy(
    app: App,
    name: str,
    region: str | None,
    aws_profile: str | None,
    parameters: dict[str, str],
    yes: bool,
    overwrite: bool,
    key: str | None,
    exports: Path | None,
) -> None:
    """Create the stack, or update it.

    Shows what happens to each resource, and writes the exports file for members. Without -k, it also writes
    the default profile, unless you have one. If the stack exists, it shows the changes and asks first.
    Declining exits with 1.

    \b
    Examples:
      aws-iot backend deploy --region us-east-1
      aws-iot backend deploy --parameter Mfa=ON --parameter PasswordLength=12
      aws-iot backend deploy --name ops --aws-profile work -k ops -o ops.json --yes
    """
    stack = StackName(name, region, aws_profile)
    checked_key(key or app.config.profiles.current_key())  # before anything is created
    deployment = Deployment(stack, app.admin.deployment_target(name, region, aws_profile))
    plan = deployment.plan(parameters)
    if not overwrite:
        now = plan.state and plan.state.outputs and deployment.profile(plan.state)
        check_replaceable(exports, key, app.config.profiles, now or None)
    state = _create(deployment, plan) if plan.creates else _update(app, deployment, plan, yes)
    profile = deployment.profile(state)
    write_exports(app, profile, exports, key)
    if not key:
        _keep_for_admin(app, stack, profile)


def _keep_for_admin(app: App, stack: StackName, profile: Profile) -> None:
    """Write the profile that `aws-iot admin` uses without -k, unless there is one. Tell how to write another."""
    profiles = app.config.profiles
    key = profiles.current_key()
    if key not in profiles.keys():
        editor_of(app).replace(key, profile)
        output.info(f"Wrote the profile '{key}', which `aws-iot admin` needs.")
    elif not is_same_team(profiles, key, profile):
        output.info(f"The profile '{key}' is of another team. `aws-iot admin` needs one of this team.")
        output.info(f"To write it: {stack.command('exports', '-k', 'KEY')}")


def _create(deployment: Deployment, plan: Plan) -> StackState:
    name, target = deployment.name, deployment.target
    if plan.deletes_empty_stack:
        output.info(
            f"The stack {name.name} is empty, because a change set was not executed. Deleting it first."
        )
        watched(name, target.stack.delete)
    output.info(f"Creating the stack {name.name} ({target.describe(None)}).")
    state = watched(name, lambda watcher: deployment.create(plan, watcher))
    output.info(f"Created the stack {name.name}.")
    return state


def _update(app: App, deployment: Deployment, plan: Plan, yes: bool) -> StackState:
    name = deployment.name
    assert plan.state
    with deployment.change_set(plan) as update:
        if update is None:
            output.info(f"The stack {name.name} is up to date; nothing changes.")
            return plan.state
        _show(deployment, plan, update)
        if not yes:
            need_terminal(app, "The changes need your approval", "review them, then use --yes")
        if not (yes or is_confirmed("Apply these changes?")):
            output.info("Nothing was changed.")
            click.get_current_context().exit(1)  # so that a script stops here
        state = watched(name, update.execute)
    output.info(f"Updated the stack {name.name}.")
    return state


def _show(deployment: Deployment, plan: Plan, update: PendingUpdate) -> None:
    where = deployment.target.describe(plan.state)
    output.info(f"Changes to the stack {deployment.name.name} ({where}):")
    for line in (*plan.differences(), *map(as_text, update.changes)):
        output.info(f"  {line}")
    if not update.changes:
        output.info("  no resource, only the stack's own description and outputs")
