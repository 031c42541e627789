"""How a stack is told of: where it is, what would change in it, what happens to it, and the way out of a bad state."""

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from aws_iot.cli.ui import output
from aws_iot.cli.ui.progress import ProgressLine
from aws_iot.errors import AwsIotError, Unreachable

if TYPE_CHECKING:
    from aws_iot.aws.admin.cloudformation import Change, StackEvent, StackState, Watcher

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Where:
    """Which stack somebody has named, and how: what they are told to type next names it the same way."""

    name: str
    region: str | None
    aws_profile: str | None

    def line(self, command: str, *more: str) -> str:
        """`aws-iot backend <command>` for this stack."""
        parts = ["aws-iot", "backend", command, "--name", self.name]
        parts += ["--region", self.region] if self.region else []
        parts += ["--aws-profile", self.aws_profile] if self.aws_profile else []
        return shlex.join([*parts, *more])

    def aws_line(self, command: str) -> str:
        """`aws cloudformation <command>` for this stack."""
        parts = ["aws", "cloudformation", command, "--stack-name", self.name]
        parts += ["--region", self.region] if self.region else []
        parts += ["--profile", self.aws_profile] if self.aws_profile else []
        return shlex.join(parts)


def way_out(where: Where, state: "StackState") -> str | None:
    """What to do about a stack that can not be changed as it is, None if it can be."""
    if state.at_work:
        return f"Wait until it has done: {where.line('status')}"
    match state.status:
        case "CREATE_FAILED" | "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED":
            return f"It was never made. Remove what is left of it: {where.line('destroy')}"
        case "DELETE_FAILED":
            return f"Go on deleting it: {where.line('destroy')}"
        case "UPDATE_ROLLBACK_FAILED":
            return f"Take the change back: {where.aws_line('continue-update-rollback')}"
        case "UPDATE_FAILED":
            return f"Take the change back: {where.aws_line('rollback-stack')}"
    return None


def differences(now: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """The parameters that change, old and new."""
    return [
        f"{name}: {now.get(name, 'none') or 'empty'} → {value or 'empty'}"
        for name, value in wanted.items()
        if now.get(name) != value
    ]


def in_words(change: "Change") -> str:
    """A change on one line, with what a replacement would mean."""
    what = f"{change.action} {change.resource} ({change.kind})"
    if change.properties:
        what += f": {', '.join(change.properties)}"
    if change.replacement == "True":
        return f"{what}  [REPLACED{_lost(change)}]"
    if change.replacement == "Conditional":
        by = " and ".join(change.depends) or "what CloudFormation does not tell"
        return f"{what}  [perhaps replaced, by {by}{_lost(change)}]"
    if change.action == "Remove":
        return f"{what}{_lost(change)}"
    return what


def _lost(change: "Change") -> str:
    return {
        "AWS::Cognito::UserPool": "; then all accounts are lost",
        "AWS::Cognito::UserPoolClient": "; then members need new exports, and sign in anew",
        "AWS::Cognito::IdentityPool": "; then all identities are lost: everybody has to be accepted anew",
    }.get(change.kind, "")


class _Told:
    """Tells what CloudFormation does, line by line; on a terminal also what it is waiting for."""

    def __init__(self) -> None:
        self.asked = False
        self.goes_on = False
        self.progress = ProgressLine(show_after=0)  # CloudFormation is never quick
        self._troubled = False
        self._began = time.monotonic()
        self._busy: dict[str, None] = {}

    def asks(self) -> None:
        self.asked = True

    def accepted(self) -> None:
        self.goes_on = True

    def happened(self, event: "StackEvent") -> None:
        if event.status.endswith("_IN_PROGRESS") and event.kind != "AWS::CloudFormation::Stack":
            self._busy[event.resource] = None
        else:
            self._busy.pop(event.resource, None)
        line = f"{event.when.astimezone():%H:%M:%S}  {event.status:<20}  {event.resource} ({event.kind})"
        self._say(line + (f": {event.reason}" if event.reason else ""))

    def waits(self, trouble: AwsIotError | None) -> None:
        if trouble and not self._troubled:
            self._say(f"Looking again: {trouble}.")
        self._troubled = trouble is not None
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        self.progress.show(
            f"{minutes}:{seconds:02}  waiting for {', '.join(self._busy) or 'CloudFormation'} …"
        )

    def _say(self, line: str) -> None:
        self.progress.clear()
        output.info(line)


def watched(where: Where, work: "Callable[[Watcher], T]") -> T:
    """What `work` returns; who looks on no longer is told that CloudFormation does not stop for that."""
    from aws_iot.aws.admin.cloudformation import StackFailed

    told = _Told()
    try:
        return work(told)
    except StackFailed:
        raise
    except BaseException as error:
        told.progress.clear()
        if told.goes_on:
            output.error(f"CloudFormation goes on without you: {where.line('status')}")
        elif told.asked and isinstance(error, Unreachable | KeyboardInterrupt):
            output.error(f"CloudFormation may have begun nonetheless: {where.line('status')}")
        raise
    finally:
        told.progress.clear()
