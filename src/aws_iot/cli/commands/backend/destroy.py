"""`aws-iot backend destroy`: delete the stack."""

from pathlib import Path

import click

from aws_iot.app import App
from aws_iot.backend.deployment import Deployment
from aws_iot.backend.hints import StackName
from aws_iot.backend.local_files import leftovers
from aws_iot.backend.removal import check_deletable, detach_from_all, user_pool_of
from aws_iot.backend.stack import StackFailed
from aws_iot.cli import options
from aws_iot.cli.commands.backend.options import stack_options
from aws_iot.cli.commands.backend.watching import watched
from aws_iot.cli.groups import Command
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_line, need_terminal
from aws_iot.config.profile import Profile


@click.command(cls=Command)
@stack_options
@options.option(
    "--yes",
    "confirmation",
    env="BACKEND_DESTROY_YES",
    metavar="NAME",
    help="The name of the stack again, instead of a prompt.",
)
@click.pass_obj
def destroy(
    app: App, name: str, region: str | None, aws_profile: str | None, confirmation: str | None
) -> None:
    """Delete the stack, with all accounts and identities.

    Asks for the stack's name first. Accounts and accepted identities cannot be restored.

    \b
    Examples:
      aws-iot backend destroy
      aws-iot backend destroy --name ops --yes ops
    """
    stack = StackName(name, region, aws_profile)
    deployment = Deployment(stack, app.admin.deployment_target(name, region, aws_profile))
    state = deployment.existing(can_create=False)
    check_deletable(deployment, state)
    pool = user_pool_of(state)
    what = f"all accounts (user pool {pool}) and identities" if pool else "everything in it"
    where = deployment.target.describe(state)
    output.info(f"This permanently deletes the stack {name} ({where}) with {what}.")
    _confirm(app, name, confirmation)
    if state.outputs:
        _detach_policy(app, deployment.profile(state), aws_profile)
    try:
        watched(stack, deployment.target.stack.delete)
    except StackFailed as error:
        error.hint = (
            f"To continue, run the same command again.\nTo see why it failed: {stack.command('status')}"
        )
        raise
    output.info(f"Deleted the stack {name}.")
    if pool:
        _name_leftovers(app, pool)


def _confirm(app: App, name: str, confirmation: str | None) -> None:
    if confirmation is None:
        need_terminal(app, "The name of the stack is needed to confirm", f"use --yes {name}")
        confirmation = ask_line("Type the name of the stack to delete it")
    if confirmation != name:
        output.error(f"Error: '{confirmation}' is not the name of the stack ({name}). Nothing was deleted.")
        click.get_current_context().exit(click.UsageError.exit_code)


def _detach_policy(app: App, profile: Profile, aws_profile: str | None) -> None:
    policy = profile.policy_name or ""
    count = detach_from_all(app.admin.members(profile, aws_profile), policy)
    if count is None:
        output.info(f"The policy {policy} was already deleted.")
    else:
        output.info(f"{'1 member is' if count == 1 else f'{count} members are'} no longer accepted.")


def _name_leftovers(app: App, user_pool: str) -> None:
    """Name files and profiles of the deleted pool. They stay, because they were not asked to be deleted."""
    for found in leftovers(user_pool, app.config.profiles):
        if isinstance(found, Path):
            output.info(f"The file {found} is no longer useful.")
        else:
            output.info(f"The profile '{found}' is no longer useful: aws-iot config remove -k {found}")
