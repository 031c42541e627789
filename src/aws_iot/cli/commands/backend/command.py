"""`aws-iot backend`: the AWS resources that a team shares, from the first to the last."""

import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.backend.stack import Where, differences, in_words, watched, way_out
from aws_iot.cli.commands.config import editor_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_line, need_terminal
from aws_iot.config.exports import from_exports, parse_json, to_exports
from aws_iot.config.profile import Profile, checked_key
from aws_iot.errors import LocalError, NotAuthorized, NotFound, ProfileError, ServiceRefused
from aws_iot.files import read, write_private
from aws_iot.messaging.message import timestamp

if TYPE_CHECKING:
    from aws_iot.aws.admin.cloudformation import Stack, StackState
    from aws_iot.aws.admin.deployment import Deployment

EXPORTS = Path("aws-exports.json")
PROTECTION = "DeletionProtection"
SIGN_IN = "SignIn"


def _stack_name(_: click.Context, __: click.Parameter, name: str) -> str:
    # 128 at most, as CloudFormation has it, less what the template makes of it: "NAME-identities".
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,116}", name, re.ASCII):
        raise click.BadParameter(
            f"'{name}' cannot name a stack: use up to 117 letters, digits and '-', a letter first."
        )
    return name


def _of_a_stack(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that works on a stack."""
    name = options.option(
        "--name",
        env="BACKEND_NAME",
        callback=_stack_name,
        default="chat",
        show_default=True,
        metavar="NAME",
        help="The stack's name.",
    )
    region = options.option(
        "--region",
        env="REGION",
        metavar="REGION",
        help="Where the stack is.  [default: as your AWS settings say]",
    )
    for decorate in (options.timeout, options.quiet, options.aws_profile, region, name):
        command = decorate(command)
    return command


def _destination(_: click.Context, __: click.Parameter, path: Path) -> Path:
    if str(path) == "-":
        output.need_stdout()  # before anything is made
    return path


_exports_file = options.option(
    "-o",
    "--exports",
    "exports",
    env="BACKEND_EXPORTS",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    callback=_destination,
    default=EXPORTS,
    show_default=True,
    metavar="FILE",
    help="Where to write what members need; - prints it.",
)
_replace = options.option(
    "--replace",
    "overwrite",
    env="BACKEND_REPLACE",
    is_flag=True,
    help="Replace FILE, and the profile, also where they are of other pools.",
)
_key = options.profile_key("BACKEND_PROFILE", help="Write this profile, too.")


@click.group()
def backend() -> None:
    """Make and keep the AWS resources that a team shares.

    That is one CloudFormation stack: the accounts, the identities, and who may do what. Needs AWS
    credentials of your own: the usual variables, files or --aws-profile.
    """


@backend.command()
def template() -> None:
    """Print the CloudFormation template.

    For `aws cloudformation deploy`, for another tool, or to read what would be made.

    \b
    Example:
      aws-iot backend template > template.yaml
    """
    from aws_iot import backend

    output.data(backend.template().rstrip("\n"))


def _parameters(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    from aws_iot import backend

    found = {}
    for one in given:
        name, equals, value = one.partition("=")
        if not equals:
            raise click.BadParameter(f"'{one}' is not NAME=VALUE.")
        if name not in backend.parameters():
            raise click.BadParameter(f"there is no '{name}'; there are {', '.join(backend.parameters())}.")
        found[name] = value
    return found


@backend.command()
@_of_a_stack
@options.option(
    "--parameter",
    "parameters",
    env="BACKEND_PARAMETER",
    multiple=True,
    callback=_parameters,
    metavar="NAME=VALUE",
    help="A parameter of the template, such as Mfa=ON or Room1=lobby; can be repeated. Those that are not"
    " given stay as they are.",
)
@options.option("--yes", env="BACKEND_YES", is_flag=True, help="Make the changes without asking.")
@_replace
@_key
@_exports_file
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
    exports: Path,
) -> None:
    """Make the stack, or bring it up to date.

    Shows what happens to each resource, and writes the file that members need. A stack that is there is
    changed only after you have seen the changes and agreed; if you do not agree, the exit code is 1.

    \b
    Examples:
      aws-iot backend deploy --region us-east-1
      aws-iot backend deploy --parameter Mfa=ON --parameter PasswordLength=12
      aws-iot backend deploy --name ops --aws-profile work -k ops -o ops.json --yes
    """
    where = Where(name, region, aws_profile)
    if key:
        checked_key(key)  # before anything is made
    deployment = app.deployment(name, region, aws_profile)
    state = _found(deployment.stack)
    if state:
        _check_that_it_can_be_changed(where, state)
    now = state.parameters if state else {}
    _check_parameters(now, parameters, deployment.region)
    if not overwrite:
        _spare(app, exports, key, _profile(deployment, state) if state and state.outputs else None)
    if state and state.empty:
        output.info(
            f"The stack {name} is empty, left by a change set that was not carried out: it is removed first."
        )
        watched(where, deployment.stack.delete)
        state = None
    if state is None:
        output.info(f"Making the stack {name} ({deployment.place(None)}).")
        state = watched(where, lambda watcher: deployment.stack.create(_template(), parameters, watcher))
        output.info(f"The stack {name} is made.")
    else:
        state = _updated(app, where, deployment, state, parameters, yes)
    _hand_over(app, _profile(deployment, state), exports, key)


def _template() -> str:
    from aws_iot import backend

    return backend.template()


def _check_that_it_can_be_changed(where: Where, state: "StackState") -> None:
    if out := way_out(where, state):
        raise ServiceRefused(
            f"CloudFormation is at work on the stack {where.name}: {state.status}"
            if state.at_work
            else f"the stack {where.name} cannot be changed: {state.reason or state.status}",
            hint=out,
        )


def _check_parameters(now: Mapping[str, str], wanted: Mapping[str, str], region: str) -> None:
    from aws_iot import backend

    if SIGN_IN in now and wanted.get(SIGN_IN, now[SIGN_IN]) != now[SIGN_IN]:
        raise ServiceRefused(
            f"people sign in by {now[SIGN_IN]} here, and Cognito cannot change that later",
            hint="Make another stack, with another --name.",
        )
    if set(backend.ROOMS) & set(wanted):
        backend.check_rooms({**now, **wanted}, region)


def _updated(
    app: App,
    where: Where,
    deployment: "Deployment",
    state: "StackState",
    parameters: dict[str, str],
    yes: bool,
) -> "StackState":
    from aws_iot import backend

    stack = deployment.stack
    kept = [name for name in state.parameters if name in backend.parameters() and name not in parameters]
    proposal = stack.propose(_template(), parameters, kept)
    if proposal is None:
        output.info(f"The stack {where.name} is up to date: nothing changes.")
        return state
    agreed = False
    try:
        output.info(f"This changes in the stack {where.name} ({deployment.place(state)}):")
        for line in (*differences(state.parameters, parameters), *map(in_words, proposal.changes)):
            output.info(f"  {line}")
        if not proposal.changes:
            output.info("  no resource, only what the stack says of them")
        if not yes:
            need_terminal(app, "Somebody has to agree to the changes", "look at them, then give --yes")
        agreed = yes or ask_line("Change it? [y/N]", default="n").lower() in ("y", "yes")
    finally:
        if not agreed:
            stack.discard(proposal)
    if not agreed:
        output.info("Nothing is changed.")
        click.get_current_context().exit(1)  # as of other tools: what was to follow must not
    state = watched(where, lambda watcher: stack.carry_out(proposal, watcher))
    output.info(f"The stack {where.name} is changed.")
    return state


def _profile(deployment: "Deployment", state: "StackState") -> Profile:
    from aws_iot import backend

    profile = backend.profile(state.outputs, deployment.iot_endpoint())
    return replace(profile, **deployment.other_addresses())  # type: ignore[arg-type]  # fields that are text


def _pools(profile: Profile) -> tuple[str, str, str]:
    return profile.user_pool_id, profile.client_id, profile.identity_pool_id


def _spare(app: App, path: Path, key: str | None, profile: Profile | None) -> None:
    """Refuse to replace a file or profile of other pools than those of `profile`; None stands for pools to come."""
    held = None if str(path) == "-" else read(path)
    if held is not None and not _is_of(profile, lambda: from_exports(parse_json(held, path), str(path))):
        raise LocalError(
            f"{path} is there already, and holds something else",
            hint="Give another file with -o, or --replace.",
        )
    stored = key is not None and checked_key(key) in app.profiles.keys()
    if key and stored and not _is_of(profile, lambda: app.profiles.load(key)):
        raise ProfileError(
            f"there is a profile '{key}' already, of other pools", hint="Give another -k, or --replace."
        )


def _is_of(profile: Profile | None, found: Callable[[], Profile]) -> bool:
    try:
        return profile is not None and _pools(found()) == _pools(profile)
    except LocalError:
        return False


def _hand_over(app: App, profile: Profile, exports: Path, key: str | None) -> None:
    """Write the exports, and the profile that is asked for."""
    text = json.dumps(to_exports(profile), indent=2)
    if str(exports) == "-":
        output.data(text)
    else:
        write_private(exports, text.encode() + b"\n")
        output.info(f"Members need this file: {exports}")
    if key:
        editor_of(app).replace(key, profile, keep_username=True)
        output.info(f"Profile '{key}' is written.")


@backend.command()
@_of_a_stack
@_replace
@_key
@_exports_file
@click.pass_obj
def exports(
    app: App,
    name: str,
    region: str | None,
    aws_profile: str | None,
    overwrite: bool,
    key: str | None,
    exports: Path,
) -> None:
    """Write the file that members need, of a stack that exists.

    \b
    Examples:
      aws-iot backend exports
      aws-iot backend exports -o -
      aws-iot backend exports --name ops -k ops
    """
    where = Where(name, region, aws_profile)
    deployment = app.deployment(name, region, aws_profile)
    state = _existing(where, deployment.stack)
    if not state.outputs:
        raise ServiceRefused(
            f"the stack {name} has nothing to write yet: {state.status}",
            hint=way_out(where, state) or f"See {where.line('status')}",
        )
    profile = _profile(deployment, state)
    if not overwrite:
        _spare(app, exports, key, profile)
    _hand_over(app, profile, exports, key)


def _found(stack: "Stack") -> "StackState | None":
    """The stack, if there is one. Raises `ServiceRefused` where it is somebody else's."""
    from aws_iot import backend

    state = stack.state()
    # One that never held anything is nobody's, as long as nothing says whose it was to become.
    nobodys = state and state.empty and not state.description
    if state and not nobodys and not backend.is_ours(state.description):
        raise ServiceRefused(
            f"the stack {stack.name} was not made from this program's template", hint="Give another --name."
        )
    return state


def _existing(where: Where, stack: "Stack", *, could_be_made: bool = True) -> "StackState":
    state = _found(stack)
    if state is None:
        others = _others(stack)
        there = f"There is {', '.join(others)}: name it with --name. " if others else ""
        make = f"Make it: {where.line('deploy')}; " if could_be_made else ""
        raise ServiceRefused(
            f"there is no stack {where.name} in this account and region",
            hint=f"{there}{make}--region says where it is.",
        )
    return state


def _others(stack: "Stack") -> list[str]:
    """The stacks of this program that there are, as far as one may ask."""
    from aws_iot import backend

    with suppress(NotAuthorized, ServiceRefused):
        return sorted(output.visible(name) for name, described in stack.all() if backend.is_ours(described))
    return []


@backend.command()
@_of_a_stack
@options.json_output
@click.pass_obj
def status(app: App, name: str, region: str | None, aws_profile: str | None, as_json: bool) -> None:
    """Show how the stack is: its status, parameters and outputs, and what failed last.

    \b
    Example:
      aws-iot backend status --json
    """
    output.need_stdout()
    where = Where(name, region, aws_profile)
    stack = app.deployment(name, region, aws_profile).stack
    state = _existing(where, stack)
    failure = stack.last_failure(state)
    if as_json:
        failed = failure and {
            "at": timestamp(failure.when),
            "resource": failure.resource,
            "reason": failure.reason or failure.status,
        }
        shown: dict[str, Any] = {"stack": name, "status": state.status, "reason": state.reason}
        shown |= {"changed": timestamp(state.changed), "parameters": dict(state.parameters)}
        output.data(json.dumps(shown | {"outputs": dict(state.outputs), "last_failure": failed}))
        return
    rows = {"stack": name, "status": state.status, "changed": f"{state.changed.astimezone():%F %T %Z}"}
    if state.reason:
        rows["reason"] = state.reason
    if failure:
        when = f"{failure.when.astimezone():%F %T}"
        rows["last failure"] = f"{when} {failure.resource}: {failure.reason or failure.status}"
    rows |= state.parameters
    rows |= state.outputs
    width = max(map(len, rows))
    for what, said in rows.items():
        output.data(f"{what.ljust(width)}  {output.visible(said) or '-'}")
    if out := way_out(where, state):
        output.info(out)


@backend.command()
@_of_a_stack
@options.option(
    "--yes",
    "agreed",
    env="BACKEND_DESTROY_YES",
    metavar="NAME",
    help="The stack's name again, instead of being asked.",
)
@click.pass_obj
def destroy(app: App, name: str, region: str | None, aws_profile: str | None, agreed: str | None) -> None:
    """Delete the stack, with all accounts and identities of the team.

    Asks for the stack's name first. Nothing of it can be had back: not the accounts, and not the
    identities that were accepted.

    \b
    Examples:
      aws-iot backend destroy
      aws-iot backend destroy --name ops --yes ops
    """
    from aws_iot.aws.admin.cloudformation import StackFailed

    where = Where(name, region, aws_profile)
    deployment = app.deployment(name, region, aws_profile)
    stack = deployment.stack
    state = _existing(where, stack, could_be_made=False)
    pool = state.outputs.get("UserPoolId")
    _check_protection(where, deployment, state, pool)
    if state.at_work and state.status != "CREATE_IN_PROGRESS":
        _check_that_it_can_be_changed(where, state)
    what = f"with all accounts (user pool {pool}) and identities" if pool else "with what there is of it"
    output.info(f"This deletes the stack {name} ({deployment.place(state)}) {what}, for good.")
    if agreed is None:
        need_terminal(app, "The stack's name is needed once more", f"give --yes {name}")
        agreed = ask_line("The stack's name, to delete it")
    if agreed != name:
        raise click.UsageError(f"'{agreed}' is not the stack's name: nothing is deleted.")
    if state.outputs:
        _release(app, _profile(deployment, state), aws_profile)
    try:
        watched(where, stack.delete)
    except StackFailed as error:
        error.hint = f"See {where.line('status')}; the same again goes on deleting it."
        raise
    output.info(f"The stack {name} is deleted.")
    if pool:
        _tell_what_is_left(app, pool)


def _check_protection(where: Where, deployment: "Deployment", state: "StackState", pool: str | None) -> None:
    if state.parameters.get(PROTECTION) == "ACTIVE":
        # With -o -, since the file that there is here may be of another stack.
        line = where.line("deploy", "--parameter", f"{PROTECTION}=INACTIVE", "-o", "-")
        hint = f"End that first: {line}"
    elif pool and deployment.protects(pool):
        hint = "That was set beside the stack: end it first in the user pool itself (Cognito's console)."
    else:
        return
    raise ServiceRefused(f"the accounts of the stack {where.name} are protected from deletion", hint=hint)


def _tell_what_is_left(app: App, pool: str) -> None:
    """Name what this machine still has of the pools that are gone; nothing of it is removed unasked."""
    held = read(EXPORTS)
    with suppress(LocalError):
        if held and from_exports(parse_json(held, EXPORTS), str(EXPORTS)).user_pool_id == pool:
            output.info(f"The file {EXPORTS} is of no use any more.")
    for key in app.profiles.keys():
        with suppress(LocalError):
            if app.profiles.load(key).user_pool_id == pool:
                output.info(f"The profile '{key}' is of no use any more: aws-iot config remove -k {key}")


def _release(app: App, profile: Profile, aws_profile: str | None) -> None:
    """Detach the team's policy from everybody: IoT Core deletes none that is attached (API reference, DeletePolicy)."""
    members, policy = app.members(profile, aws_profile), profile.policy_name or ""
    try:
        accepted = members.accepted(policy)
    except NotFound:  # as after an earlier attempt
        output.info(f"The policy {policy} is deleted already.")
        return
    for identity in accepted:
        members.detach(identity, policy)
    many = "1 member is" if len(accepted) == 1 else f"{len(accepted)} members are"
    output.info(f"{many} no longer accepted.")
