"""CloudFormation: one stack, what would become of it, and what does, event by event."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from aws_iot.aws.clients import Refusals, Service
from aws_iot.errors import ServiceRefused

CAPABILITIES = ["CAPABILITY_IAM"]
"""The template makes a role, which CloudFormation wants to be told."""

FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 4.0

# The reasons of a change set that fails because it has nothing to do; documented nowhere, but what the AWS CLI's
# `cloudformation deploy` goes by: github.com/aws/aws-cli, awscli/customizations/cloudformation/deployer.py
_NOTHING = re.compile(r"didn't contain changes|No updates are to be performed")
_BEFORE_ITS_FIRST_RESOURCE = "REVIEW_IN_PROGRESS"


@dataclass(frozen=True, slots=True)
class StackEvent:
    """What happened to a resource of a stack, or to the stack itself."""

    when: datetime
    resource: str
    kind: str
    status: str
    reason: str | None = None

    @property
    def failed(self) -> bool:
        """Whether this is a failure of its own, and not one that another drew along."""
        return self.status.endswith("FAILED") and "cancelled" not in (self.reason or "")


@dataclass(frozen=True, slots=True)
class StackState:
    """A stack as it is."""

    id: str
    status: str
    reason: str | None
    changed: datetime
    description: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Change:
    """What an update would do to a resource; `replacement` is True, False or Conditional, as CloudFormation says it."""

    action: str
    resource: str
    kind: str
    replacement: str | None
    properties: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """An update that waits to be carried out."""

    id: str
    stack_id: str
    changes: Sequence[Change] = field(default=())


class Stack:
    """The stack of one name. Signs with the credentials of its service."""

    def __init__(
        self,
        service: Service,
        name: str,
        *,
        timeout: float = 1800,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeout` is in seconds, for the whole of what a stack is told to do; it goes on after that by itself."""
        self.name = name
        self._service = service
        self._timeout = timeout
        self._sleep = sleep

    def state(self) -> StackState | None:
        """The stack as it is, None if there is none."""
        try:
            found = self._describe(self.name)
        except _NoSuchStack:
            return None
        return None if found.status in ("DELETE_COMPLETE", _BEFORE_ITS_FIRST_RESOURCE) else found

    def create(
        self,
        template: str,
        parameters: Mapping[str, str],
        tell: Callable[[StackEvent], None] = lambda _: None,
    ) -> StackState:
        """Make the stack, telling each event, and wait until all of it is there.

        Raises `ServiceRefused` naming the first resource that failed; then CloudFormation removes what
        there is of it, so that the next attempt finds nothing in its way.
        """
        made = self._service.call(
            "create_stack",
            _REFUSALS,
            once=True,
            StackName=self.name,
            TemplateBody=template,
            Parameters=_given(parameters),
            Capabilities=CAPABILITIES,
            OnFailure="DELETE",
        )
        return self._await(made["StackId"], None, "CREATE_COMPLETE", "was not made", tell)

    def propose(self, template: str, parameters: Mapping[str, str]) -> Proposal | None:
        """What an update would change, None if nothing; parameters that are not given stay as they are.

        Nothing happens until it is carried out; `discard` it otherwise.
        """
        now = self._describe(self.name)
        kept = [
            {"ParameterKey": name, "UsePreviousValue": True}
            for name in now.parameters
            if name not in parameters and re.search(rf"^  {name}:$", template, re.MULTILINE)
        ]
        made = self._service.call(
            "create_change_set",
            _REFUSALS,
            once=True,
            StackName=self.name,
            ChangeSetName=f"aws-iot-{time.time_ns():x}",
            TemplateBody=template,
            Parameters=_given(parameters) + kept,
            Capabilities=CAPABILITIES,
        )
        proposal = Proposal(made["Id"], made["StackId"])
        for pause in self._pauses("a list of changes"):
            page = self._page(proposal)
            if not page["Status"].endswith(("PENDING", "IN_PROGRESS")):
                break
            self._sleep(pause)
        if page["Status"] == "FAILED":
            self.discard(proposal)
            reason = page.get("StatusReason", "CloudFormation gives no reason")
            if _NOTHING.search(reason):
                return None
            raise ServiceRefused(f"the stack {self.name} cannot be changed like this: {reason}")
        found = list(page["Changes"])
        while token := page.get("NextToken"):
            page = self._page(proposal, NextToken=token)
            found += page["Changes"]
        return Proposal(
            proposal.id, proposal.stack_id, [_change(one) for one in found if "ResourceChange" in one]
        )

    def discard(self, proposal: Proposal) -> None:
        """Forget a proposal."""
        self._service.call("delete_change_set", _REFUSALS, ChangeSetName=proposal.id)

    def carry_out(
        self, proposal: Proposal, tell: Callable[[StackEvent], None] = lambda _: None
    ) -> StackState:
        """Do what was proposed, telling each event; raises `ServiceRefused` naming the first resource that failed."""
        last = self._newest(proposal.stack_id)
        self._service.call("execute_change_set", _REFUSALS, once=True, ChangeSetName=proposal.id)
        return self._await(proposal.stack_id, last, "UPDATE_COMPLETE", "was not changed", tell)

    def delete(self, tell: Callable[[StackEvent], None] = lambda _: None) -> None:
        """Delete the stack with all that is in it, telling each event."""
        stack_id = self._describe(self.name).id
        last = self._newest(stack_id)
        self._service.call("delete_stack", _REFUSALS, StackName=stack_id)
        self._await(stack_id, last, "DELETE_COMPLETE", "was not deleted", tell)

    def last_failure(self, state: StackState) -> StackEvent | None:
        """The first failure of the latest of the stack's operations that had one."""
        failure = None
        for _, event in self._events(state.id):
            if event.failed:
                failure = event
            elif failure and event.resource == self.name and event.status in _BEGINNINGS:
                break
        return failure

    def _await(
        self, stack_id: str, last: str | None, wanted: str, else_it: str, tell: Callable[[StackEvent], None]
    ) -> StackState:
        """Wait for the end of what a stack does since the event `last`, and tell what happens meanwhile."""
        failure: StackEvent | None = None
        for pause in self._pauses(f"the end of what the stack {self.name} does"):
            ended = False
            for number, event in self._since(stack_id, last):
                last = number
                failure = failure or (event if event.failed else None)
                tell(event)
                if event.resource == self.name and event.kind == "AWS::CloudFormation::Stack":
                    ended = not event.status.endswith("IN_PROGRESS")
            if ended:
                break
            self._sleep(pause)
        state = self._describe(stack_id)
        if state.status != wanted:
            why = (
                f"{failure.resource} ({failure.kind}): {failure.reason or failure.status}"
                if failure
                else state.reason or state.status
            )
            raise ServiceRefused(f"the stack {self.name} {else_it}: {why}")
        return state

    def _pauses(self, what: str) -> Iterator[float]:
        """How long to wait before each next look; raises `ServiceRefused` in the end."""
        deadline = time.monotonic() + self._timeout
        pause = FIRST_PAUSE_SECONDS
        while time.monotonic() < deadline:
            yield pause
            pause = min(1.5 * pause, LAST_PAUSE_SECONDS)
        raise ServiceRefused(
            f"waited {self._timeout:g} seconds for {what}",
            hint=f"CloudFormation goes on: aws-iot backend status --name {self.name}",
        )

    def _describe(self, stack: str) -> StackState:
        found = self._service.call("describe_stacks", _REFUSALS, StackName=stack)["Stacks"][0]
        return StackState(
            found["StackId"],
            found["StackStatus"],
            found.get("StackStatusReason") or None,
            found.get("LastUpdatedTime", found["CreationTime"]),
            found.get("Description") or "",
            {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())},
            {p["ParameterKey"]: p["ParameterValue"] for p in found.get("Parameters", ())},
        )

    def _events(self, stack_id: str) -> Iterator[tuple[str, StackEvent]]:
        """The events with their ids, the latest first."""
        token: dict[str, Any] = {}
        while True:
            page = self._service.call("describe_stack_events", _REFUSALS, StackName=stack_id, **token)
            for event in page["StackEvents"]:
                yield event["EventId"], _event(event)
            if not page.get("NextToken"):
                return
            token = {"NextToken": page["NextToken"]}

    def _newest(self, stack_id: str) -> str | None:
        return next((number for number, _ in self._events(stack_id)), None)

    def _since(self, stack_id: str, last: str | None) -> Sequence[tuple[str, StackEvent]]:
        new = []
        for number, event in self._events(stack_id):
            if number == last:
                break
            new.append((number, event))
        return new[::-1]

    def _page(self, proposal: Proposal, **more: Any) -> dict[str, Any]:
        return self._service.call("describe_change_set", _REFUSALS, ChangeSetName=proposal.id, **more)


def _given(parameters: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()]


def _event(found: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        found["Timestamp"],
        found["LogicalResourceId"],
        found["ResourceType"],
        found["ResourceStatus"],
        found.get("ResourceStatusReason") or None,
    )


def _change(found: Mapping[str, Any]) -> Change:
    of = found["ResourceChange"]
    targets = (detail.get("Target", {}) for detail in of.get("Details", ()))
    names = (target.get("Name") or target.get("Attribute") for target in targets)
    return Change(
        of["Action"],
        of["LogicalResourceId"],
        of["ResourceType"],
        of.get("Replacement"),
        sorted({name for name in names if name}),
    )


_BEGINNINGS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}


class _NoSuchStack(ServiceRefused):
    """CloudFormation has no error code for it: a ValidationError that says so."""


def _invalid(message: str) -> ServiceRefused:
    if re.search(r"Stack.* does not exist", message):
        return _NoSuchStack(message, hint="aws-iot backend deploy makes it; --region says where it is.")
    return ServiceRefused(f"CloudFormation refuses it: {message}")


_REFUSALS: Refusals = {
    "ValidationError": _invalid,
    "AlreadyExistsException": lambda message: ServiceRefused(f"it exists already: {message}"),
    "InsufficientCapabilitiesException": lambda message: ServiceRefused(message),
}
