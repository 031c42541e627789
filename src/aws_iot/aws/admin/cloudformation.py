"""CloudFormation: one stack, what would become of it, and what does, event by event."""

import re
import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.refusals import Refusals
from aws_iot.errors import AwsIotError, Busy, NotFound, ServiceRefused, Unreachable, WrongClock

CAPABILITIES = ["CAPABILITY_IAM"]
"""The template makes a role, which CloudFormation wants to be told."""

FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 4.0

# The reasons of a change set that fails because it has nothing to do; documented nowhere, but what the AWS CLI's
# `cloudformation deploy` goes by: github.com/aws/aws-cli, awscli/customizations/cloudformation/deployer.py
_NOTHING = re.compile(r"didn't contain changes|No updates are to be performed")


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

    @property
    def empty(self) -> bool:
        """Whether nothing was ever in it: what a change set leaves that was to make it, and was not carried out."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def at_work(self) -> bool:
        """Whether CloudFormation is doing something to it."""
        return self.status.endswith("_IN_PROGRESS") and not self.empty


@dataclass(frozen=True, slots=True)
class Change:
    """What an update would do to a resource; `replacement` is True, False or Conditional, as CloudFormation says it."""

    action: str
    resource: str
    kind: str
    replacement: str | None
    properties: Sequence[str] = ()
    depends: Sequence[str] = ()
    """The properties that make it a new one, each with what its new value comes from."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """An update that waits to be carried out, as the change set `name`."""

    name: str
    id: str
    stack_id: str
    changes: Sequence[Change] = field(default=())


class StackFailed(ServiceRefused):
    """CloudFormation has ended what it was told to do, and it is not what was wanted."""


class Watcher(Protocol):
    """Somebody who looks on while CloudFormation works."""

    def asks(self) -> None:
        """CloudFormation is told what to do; whether it takes that is not known yet."""

    def accepted(self) -> None:
        """CloudFormation has taken the request: from now on it goes on, whoever looks."""

    def happened(self, event: StackEvent) -> None:
        """Something happened to a resource, or to the stack."""

    def waits(self, trouble: AwsIotError | None) -> None:
        """Nothing more is known before the next look; `trouble` is why the last one saw nothing."""


class Nobody:
    """Looks on, and says nothing."""

    def asks(self) -> None: ...

    def accepted(self) -> None: ...

    def happened(self, event: StackEvent) -> None: ...

    def waits(self, trouble: AwsIotError | None) -> None: ...


NOBODY = Nobody()


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
        return None if found.status == "DELETE_COMPLETE" else found

    def create(self, template: str, parameters: Mapping[str, str], watcher: Watcher = NOBODY) -> StackState:
        """Make the stack, and wait until all of it is there.

        Raises `StackFailed` naming the first resource that failed; then CloudFormation removes what
        there is of it, so that the next attempt finds nothing in its way.
        """
        made = self._begin(
            "create_stack",
            watcher,
            StackName=self.name,
            TemplateBody=template,
            Parameters=_given(parameters),
            Capabilities=CAPABILITIES,
            OnFailure="DELETE",
        )
        return self._await(made["StackId"], None, "CREATE_COMPLETE", "was not made", watcher)

    def propose(
        self, template: str, parameters: Mapping[str, str], kept: Sequence[str] = ()
    ) -> Proposal | None:
        """What an update would change, None if nothing; the parameters `kept` stay as they are.

        Nothing happens until it is carried out; `discard` it otherwise.
        """
        name = f"aws-iot-{time.time_ns():x}"
        with self._discarding(name):
            made = self._service.call(
                "create_change_set",
                _REFUSALS,
                StackName=self.name,
                ChangeSetName=name,
                ClientToken=name,
                TemplateBody=template,
                Parameters=_given(parameters)
                + [{"ParameterKey": one, "UsePreviousValue": True} for one in kept],
                Capabilities=CAPABILITIES,
            )
            for pause in self._pauses("a list of changes"):
                page = self._page(made["Id"])
                if not page["Status"].endswith(("PENDING", "IN_PROGRESS")):
                    break
                self._sleep(pause)
            if page["Status"] == "FAILED":
                reason = page.get("StatusReason", "CloudFormation gives no reason")
                if _NOTHING.search(reason):
                    self._discard(name)
                    return None
                raise ServiceRefused(f"the stack {self.name} cannot be changed like this: {reason}")
            found = list(page["Changes"])
            while token := page.get("NextToken"):
                page = self._page(made["Id"], NextToken=token)
                found += page["Changes"]
        changes = [one["ResourceChange"] for one in found if "ResourceChange" in one]
        stay = _stay(changes)
        return Proposal(name, made["Id"], made["StackId"], [_change(one, stay) for one in changes])

    def discard(self, proposal: Proposal) -> None:
        """Forget a proposal. One that cannot be deleted now stays, and does no harm."""
        self._discard(proposal.name)

    def carry_out(self, proposal: Proposal, watcher: Watcher = NOBODY) -> StackState:
        """Do what was proposed; raises `StackFailed` naming the first resource that failed."""
        with self._discarding(proposal.name):
            last = self._newest(proposal.stack_id)
            self._begin("execute_change_set", watcher, ChangeSetName=proposal.id)
        return self._await(proposal.stack_id, last, "UPDATE_COMPLETE", "was not changed", watcher)

    @contextmanager
    def _discarding(self, change_set: str) -> Iterator[None]:
        """Leave no change set behind, however it ends but well. One that is carried out cannot be deleted any more."""
        try:
            yield
        except BaseException:
            self._discard(change_set)
            raise

    def _discard(self, change_set: str) -> None:
        with suppress(AwsIotError):
            self._service.call("delete_change_set", _REFUSALS, StackName=self.name, ChangeSetName=change_set)

    def _begin(self, operation: str, watcher: Watcher, **parameters: Any) -> dict[str, Any]:
        """Have CloudFormation begin something: by its token it knows the same request again, whose answer was lost."""
        watcher.asks()
        token = f"aws-iot-{uuid.uuid4()}"
        answer = self._service.call(operation, _REFUSALS, ClientRequestToken=token, **parameters)
        watcher.accepted()
        return answer

    def delete(self, watcher: Watcher = NOBODY) -> None:
        """Delete the stack with all that is in it."""
        state = self._describe(self.name)
        last = self._newest(state.id)
        self._begin("delete_stack", watcher, StackName=state.id)
        if state.empty:  # which need not have any event of its own
            self._await_no_more(state.id)
        else:
            self._await(state.id, last, "DELETE_COMPLETE", "was not deleted", watcher)

    def _await_no_more(self, stack_id: str) -> None:
        for pause in self._pauses(f"the end of the stack {self.name}"):
            try:
                if self._describe(stack_id).status == "DELETE_COMPLETE":
                    return
            except _NoSuchStack:
                return
            except (Busy, Unreachable) as error:
                _bear(error)
            self._sleep(pause)

    def all(self) -> Iterator[tuple[str, str]]:
        """All stacks that there are beside this one, with their descriptions."""
        for page in self._service.pages("describe_stacks", ("NextToken", "NextToken"), _REFUSALS):
            yield from ((one["StackName"], one.get("Description") or "") for one in page["Stacks"])

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
        self, stack_id: str, last: str | None, wanted: str, else_it: str, watcher: Watcher
    ) -> StackState:
        """Wait for the end of what a stack does since the event `last`, and tell what happens meanwhile.

        A look that fails by the way, or since AWS is busy, is made again: the stack does not stop for it.
        """
        failure: StackEvent | None = None
        ended = False
        for pause in self._pauses(f"the end of what the stack {self.name} does"):
            trouble: AwsIotError | None = None
            try:
                for number, event in self._since(stack_id, last):
                    last = number
                    failure = failure or (event if event.failed else None)
                    watcher.happened(event)
                    if event.resource == self.name and event.kind == "AWS::CloudFormation::Stack":
                        ended = not event.status.endswith("IN_PROGRESS")
                if ended:
                    state = self._describe(stack_id)
                    break
            except (Busy, Unreachable) as error:
                _bear(error)
                trouble = error
            watcher.waits(trouble)
            self._sleep(pause)
        if state.status != wanted:
            why = (
                f"{failure.resource} ({failure.kind}): {failure.reason or failure.status}"
                if failure
                else state.reason or state.status
            )
            raise StackFailed(f"the stack {self.name} {else_it}: {why}")
        return state

    def _pauses(self, what: str) -> Iterator[float]:
        """How long to wait before each next look; raises `ServiceRefused` in the end."""
        deadline = time.monotonic() + self._timeout
        pause = FIRST_PAUSE_SECONDS
        while time.monotonic() < deadline:
            yield pause
            pause = min(1.5 * pause, LAST_PAUSE_SECONDS)
        raise ServiceRefused(f"waited {self._timeout:g} seconds for {what}")

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

    def _page(self, change_set_id: str, **more: Any) -> dict[str, Any]:
        return self._service.call("describe_change_set", _REFUSALS, ChangeSetName=change_set_id, **more)


def _bear(error: AwsIotError) -> None:
    """Raise what will not pass by itself."""
    if isinstance(error, WrongClock):
        raise error


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


def _change(of: Mapping[str, Any], stay: Collection[str]) -> Change:
    names = {_property(detail) for detail in of.get("Details", ())} - {""}
    depends = set()
    for detail in _recreating(of):
        cause = detail.get("CausingEntity")
        depends.add(f"{_property(detail)} (from {cause})" if cause else _property(detail))
    resource = of["LogicalResourceId"]
    replacement = "False" if resource in stay else of.get("Replacement")
    return Change(
        of["Action"],
        resource,
        of["ResourceType"],
        replacement,
        sorted(names),
        sorted(depends) if replacement in ("True", "Conditional") else (),
    )


def _stay(changes: Sequence[Mapping[str, Any]]) -> Collection[str]:
    """The resources that CloudFormation calls perhaps replaced, and that are not: what they refer to stays.

    It does not look whether a reference will differ. Of the resources of our template what others refer to
    (ids, ARNs, the provider's name) is given once, and lasts as long as they do.
    """
    perhaps = {one["LogicalResourceId"]: one for one in changes if one.get("Replacement") == "Conditional"}
    replaced = {one["LogicalResourceId"] for one in changes if one.get("Replacement") == "True"}
    stay = {name for name, one in perhaps.items() if _recreating(one)}
    while wrong := {
        name
        for name in stay
        for detail in _recreating(perhaps[name])
        if detail.get("ChangeSource") not in _REFERENCES
        or detail.get("CausingEntity", "").partition(".")[0] in replaced | (perhaps.keys() - stay)
    }:
        stay -= wrong
    return stay


def _recreating(of: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The details of a change that may lead to another resource in the place of this one."""
    return [
        detail
        for detail in of.get("Details", ())
        if detail.get("Target", {}).get("RequiresRecreation") in ("Always", "Conditionally")
    ]


def _property(detail: Mapping[str, Any]) -> str:
    target = detail.get("Target", {})
    return target.get("Name") or target.get("Attribute") or ""


_REFERENCES = ("ResourceReference", "ResourceAttribute")


_BEGINNINGS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}


class _NoSuchStack(NotFound):
    """CloudFormation has no error code for it: a ValidationError that says so."""


def _invalid(message: str) -> ServiceRefused:
    if re.search(r"Stack.* does not exist", message):
        return _NoSuchStack(message)
    return ServiceRefused(f"CloudFormation refuses it: {message}")


_REFUSALS: Refusals = {
    "ValidationError": _invalid,
    "AlreadyExistsException": lambda message: ServiceRefused(f"it exists already: {message}"),
    "InsufficientCapabilitiesException": lambda message: ServiceRefused(message),
}
