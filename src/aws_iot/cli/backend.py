"""`aws-iot backend`: the AWS resources that a team shares, from the first to the last."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.output import complain, data, visible, words
from aws_iot.cli.terminal import ask_line, need_terminal
from aws_iot.errors import AwsIotError, NotFound, ProfileError, ServiceRefused
from aws_iot.files import read, write_private
from aws_iot.profile import Profile, parse_json, to_exports

if TYPE_CHECKING:
    from aws_iot.aws.cloudformation import Change, Stack, StackEvent, StackState, Watcher
    from aws_iot.aws.deployment import Deployment

T = TypeVar("T")

EXPORTS = Path("aws-exports.json")
PROTECTION = "DeletionProtection"


def _of_a_stack(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options of a command that works on a stack."""
    name = options.option(
        "--name",
        env="BACKEND_NAME",
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


_exports_file = options.option(
    "-o",
    "--exports",
    "exports",
    env="BACKEND_EXPORTS",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    default=EXPORTS,
    show_default=True,
    metavar="FILE",
    help="Where to write what members need; - prints it.",
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

    data(backend.template().rstrip("\n"))


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
@options.option("--yes", env="BACKEND_YES", is_flag=True, help="Do not ask, and replace FILE.")
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
    key: str | None,
    exports: Path,
) -> None:
    """Make the stack, or bring it up to date.

    Shows what happens to each resource, and writes the file that members need. A stack that is there is
    changed only after you have seen the changes and agreed.

    \b
    Examples:
      aws-iot backend deploy --region us-east-1
      aws-iot backend deploy --parameter Mfa=ON --parameter PasswordLength=12
      aws-iot backend deploy --name ops --aws-profile work -k ops -o ops.json --yes
    """
    deployment = app.deployment(name, region, aws_profile)
    state = _found(deployment.stack)
    if not yes:
        _spare(exports, _profile(deployment, state) if state and state.outputs else None)
    if state and state.empty:
        words(
            f"The stack {name} is empty, left by a change set that was not carried out: it is removed first."
        )
        _watched(name, deployment.stack.delete)
        state = None
    if state is None:
        words(f"Making the stack {name}.")
        state = _watched(name, lambda watcher: deployment.stack.create(_template(), parameters, watcher))
        words(f"The stack {name} is made.")
    else:
        state = _updated(app, deployment.stack, state, parameters, yes)
    _hand_over(app, _profile(deployment, state), exports, key)


def _template() -> str:
    from aws_iot import backend

    return backend.template()


def _updated(
    app: App, stack: "Stack", state: "StackState", parameters: dict[str, str], yes: bool
) -> "StackState":
    if state.at_work:
        raise ServiceRefused(
            f"CloudFormation is at work on the stack {stack.name}: {state.status}",
            hint=f"Wait until it has done: aws-iot backend status --name {stack.name}",
        )
    if state.status == "ROLLBACK_COMPLETE":
        raise ServiceRefused(
            f"the stack {stack.name} was never made: {state.reason or state.status}",
            hint=f"Remove what is left of it: aws-iot backend destroy --name {stack.name}",
        )
    proposal = stack.propose(_template(), parameters)
    if proposal is None:
        words(f"The stack {stack.name} is up to date: nothing changes.")
        return state
    words(f"This changes in the stack {stack.name}:")
    for change in proposal.changes:
        words(f"  {_in_words(change)}")
    if not proposal.changes:
        words("  no resource, only what the stack says of them")
    agreed = False
    try:
        if not yes:
            need_terminal(app, "Somebody has to agree to the changes", "look at them, then give --yes")
        agreed = yes or ask_line("Change it? [y/N]", default="n").lower() in ("y", "yes")
    finally:
        if not agreed:
            stack.discard(proposal)
    if not agreed:
        words("Nothing is changed.")
        raise click.Abort
    state = _watched(stack.name, lambda watcher: stack.carry_out(proposal, watcher))
    words(f"The stack {stack.name} is changed.")
    return state


def _in_words(change: "Change") -> str:
    what = f"{change.action} {change.resource} ({change.kind})"
    if change.properties:
        what += f": {', '.join(change.properties)}"
    return what + {
        "True": "  [REPLACED: a new one takes its place]",
        "Conditional": "  [perhaps REPLACED by a new one]",
    }.get(change.replacement or "", "")


class _Watcher:
    """Tells what CloudFormation does, and once why nothing is seen of it for a while."""

    def __init__(self) -> None:
        self.goes_on = False
        self._troubled = False

    def accepted(self) -> None:
        self.goes_on = True

    def happened(self, event: "StackEvent") -> None:
        line = f"{event.when.astimezone():%H:%M:%S}  {event.status:<20}  {event.resource} ({event.kind})"
        words(line + (f": {event.reason}" if event.reason else ""))

    def waits(self, trouble: AwsIotError | None) -> None:
        if trouble and not self._troubled:
            words(f"Looking again: {trouble}.")
        self._troubled = trouble is not None


def _watched(name: str, work: "Callable[[Watcher], T]") -> "T":
    """What `work` returns; who looks on no longer is told that CloudFormation does not stop for that."""
    from aws_iot.aws.cloudformation import StackFailed

    watcher = _Watcher()
    try:
        return work(watcher)
    except StackFailed:
        raise
    except BaseException:
        if watcher.goes_on:
            complain(f"CloudFormation goes on without you: aws-iot backend status --name {name}")
        raise


def _profile(deployment: "Deployment", state: "StackState") -> Profile:
    from aws_iot import backend

    profile = backend.profile(state.outputs, deployment.iot_endpoint())
    return replace(profile, **deployment.other_addresses())  # type: ignore[arg-type]  # fields that are text


def _spare(path: Path, profile: Profile | None) -> None:
    """Refuse to replace a file that holds anything but the exports of `profile`."""
    held = None if str(path) == "-" else read(path)
    if held is None:
        return
    try:
        spared = profile is None or parse_json(held, path) != to_exports(profile)
    except ProfileError:
        spared = True
    if spared:
        raise ProfileError(
            f"{path} is there already, and holds something else",
            hint="Give another file with -o, or --yes to replace it.",
        )


def _hand_over(app: App, profile: Profile, exports: Path, key: str | None) -> None:
    """Write the exports, and the profile that is asked for."""
    text = json.dumps(to_exports(profile), indent=2)
    if str(exports) == "-":
        data(text)
    else:
        write_private(exports, text.encode() + b"\n")
        words(f"Members need this file: {exports}")
    if key:
        app.profiles.change(key, lambda old: replace(profile, username=old.username if old else None))
        words(f"Profile '{key}' is written.")


@backend.command()
@_of_a_stack
@options.option("--yes", env="BACKEND_YES", is_flag=True, help="Replace FILE, whatever it holds.")
@_key
@_exports_file
@click.pass_obj
def exports(
    app: App,
    name: str,
    region: str | None,
    aws_profile: str | None,
    yes: bool,
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
    deployment = app.deployment(name, region, aws_profile)
    state = _existing(deployment.stack)
    if not state.outputs:
        raise ServiceRefused(
            f"the stack {name} has nothing to write yet: {state.status}",
            hint=f"See aws-iot backend status --name {name}",
        )
    profile = _profile(deployment, state)
    if not yes:
        _spare(exports, profile)
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


def _existing(stack: "Stack") -> "StackState":
    state = _found(stack)
    if state is None:
        raise ServiceRefused(
            f"there is no stack {stack.name} in this account and region",
            hint=f"Make it: aws-iot backend deploy --name {stack.name}; --region says where it is.",
        )
    return state


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
    stack = app.deployment(name, region, aws_profile).stack
    state = _existing(stack)
    failure = stack.last_failure(state)
    if as_json:
        failed = failure and {
            "at": failure.when.isoformat(),
            "resource": failure.resource,
            "reason": failure.reason or failure.status,
        }
        shown: dict[str, Any] = {"stack": name, "status": state.status, "reason": state.reason}
        shown |= {"changed": state.changed.isoformat(), "parameters": dict(state.parameters)}
        data(json.dumps(shown | {"outputs": dict(state.outputs), "last_failure": failed}))
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
        data(f"{what.ljust(width)}  {visible(said) or '-'}")


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
    deployment = app.deployment(name, region, aws_profile)
    stack = deployment.stack
    state = _existing(stack)
    if state.parameters.get(PROTECTION) == "ACTIVE":
        raise ServiceRefused(
            f"the accounts of the stack {name} are protected from deletion",
            hint=f"End that first: aws-iot backend deploy --name {name} --parameter {PROTECTION}=INACTIVE",
        )
    if state.at_work and state.status != "CREATE_IN_PROGRESS":
        raise ServiceRefused(
            f"CloudFormation is at work on the stack {name}: {state.status}",
            hint=f"Wait until it has done: aws-iot backend status --name {name}",
        )
    if state.outputs:
        pool = f"with all accounts (user pool {state.outputs.get('UserPoolId')}) and identities"
    else:
        pool = "with what there is of it"
    words(f"This deletes the stack {name} {pool}, for good.")
    if agreed is None:
        need_terminal(app, "The stack's name is needed once more", f"give --yes {name}")
        agreed = ask_line("The stack's name, to delete it")
    if agreed != name:
        raise click.UsageError(f"'{agreed}' is not the stack's name: nothing is deleted.")
    if state.outputs:
        _release(app, _profile(deployment, state), aws_profile)
    _watched(name, stack.delete)
    words(f"The stack {name} is deleted.")


_ONE_MEMBER = "1 member is no longer accepted."


def _release(app: App, profile: Profile, aws_profile: str | None) -> None:
    """Detach the team's policy from everybody: IoT Core deletes none that is attached (API reference, DeletePolicy)."""
    members, policy = app.members(profile, aws_profile), profile.policy_name or ""
    try:
        accepted = members.accepted(policy)
    except NotFound:  # as after an earlier attempt
        words(f"The policy {policy} is deleted already.")
        return
    for identity in accepted:
        members.detach(identity, policy)
    words(f"{len(accepted)} members are no longer accepted." if len(accepted) != 1 else _ONE_MEMBER)
