"""`CloudFormationStack`: create, update and delete one stack, and wait for each operation to finish."""

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from aws_iot.aws.admin.change_sets import read_changes
from aws_iot.aws.admin.stack_events import StackEvents
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.refusals import Refusals
from aws_iot.backend.stack import (
    NO_WATCHER,
    STACK_KIND,
    ChangeSet,
    StackEvent,
    StackFailed,
    StackState,
    Watcher,
)
from aws_iot.backoff import Backoff
from aws_iot.deadline import in_seconds
from aws_iot.errors import AwsIotError, Busy, NotFound, ServiceRefused, Unreachable, WrongClock

CAPABILITIES = ["CAPABILITY_IAM"]
"""The template creates an IAM role, and CloudFormation requires this acknowledgement."""

POLLING = Backoff(first=0.1, factor=1.5, maximum=4.0)
"""Delays between two looks at what CloudFormation does."""

TIMEOUT_SECONDS = 1800.0

# The reasons of a change set that fails because nothing would change. AWS does not document them; the AWS CLI's
# `cloudformation deploy` uses them, too: github.com/aws/aws-cli, awscli/customizations/cloudformation/deployer.py
_NO_CHANGES = re.compile(r"didn't contain changes|No updates are to be performed")


class CloudFormationStack:
    """The stack with this name; see `backend.stack.Stack`."""

    def __init__(
        self,
        service: Service,
        name: str,
        *,
        timeout: float = TIMEOUT_SECONDS,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeout` is in seconds, for a whole operation. CloudFormation continues after it."""
        self.name = name
        self._service = service
        self._timeout = timeout
        self._sleep = sleep

    def state(self) -> StackState | None:
        try:
            found = self._describe(self.name)
        except _NoSuchStack:
            return None
        return None if found.status == "DELETE_COMPLETE" else found

    def create(
        self, template: str, parameters: Mapping[str, str], watcher: Watcher = NO_WATCHER
    ) -> StackState:
        created = self._request(
            "create_stack",
            watcher,
            StackName=self.name,
            TemplateBody=template,
            Parameters=_parameters(parameters),
            Capabilities=CAPABILITIES,
            OnFailure="DELETE",
        )
        return self._wait(created["StackId"], None, "CREATE_COMPLETE", "was not created", watcher)

    def create_change_set(
        self, template: str, parameters: Mapping[str, str], kept: Sequence[str] = ()
    ) -> ChangeSet | None:
        name = f"aws-iot-{time.time_ns():x}"
        with self._deleting_on_failure(name):
            created = self._service.call(
                "create_change_set",
                _REFUSALS,
                StackName=self.name,
                ChangeSetName=name,
                ClientToken=name,
                TemplateBody=template,
                Parameters=_parameters(parameters)
                + [{"ParameterKey": one, "UsePreviousValue": True} for one in kept],
                Capabilities=CAPABILITIES,
            )
            first = self._wait_for_change_set(created["Id"])
            if first["Status"] == "FAILED":
                reason = first.get("StatusReason", "CloudFormation gives no reason")
                if _NO_CHANGES.search(reason):
                    self._delete_change_set(name)
                    return None
                raise ServiceRefused(f"the stack {self.name} cannot be changed like this: {reason}")
            changes = read_changes([first, *self._further_pages(created["Id"], first)])
        return ChangeSet(name, created["Id"], created["StackId"], changes)

    def delete_change_set(self, change_set: ChangeSet) -> None:
        self._delete_change_set(change_set.name)

    def execute(self, change_set: ChangeSet, watcher: Watcher = NO_WATCHER) -> StackState:
        with self._deleting_on_failure(change_set.name):
            last = self._events(change_set.stack_id).latest()
            self._request("execute_change_set", watcher, ChangeSetName=change_set.id)
        return self._wait(change_set.stack_id, last, "UPDATE_COMPLETE", "was not changed", watcher)

    def delete(self, watcher: Watcher = NO_WATCHER) -> None:
        state = self._describe(self.name)
        last = self._events(state.id).latest()
        self._request("delete_stack", watcher, StackName=state.id)
        if state.is_empty:  # such a stack may be deleted without any event
            self._wait_until_gone(state.id)
        else:
            self._wait(state.id, last, "DELETE_COMPLETE", "was not deleted", watcher)

    def all(self) -> Iterator[tuple[str, str]]:
        for page in self._service.pages("describe_stacks", ("NextToken", "NextToken"), _REFUSALS):
            yield from ((one["StackName"], one.get("Description") or "") for one in page["Stacks"])

    def last_failure(self, state: StackState) -> StackEvent | None:
        return self._events(state.id).last_failure(self.name)

    def _request(self, operation: str, watcher: Watcher, **parameters: Any) -> dict[str, Any]:
        """Start an operation. By its token, CloudFormation recognizes a request that is sent again."""
        watcher.requesting()
        token = f"aws-iot-{uuid.uuid4()}"
        answer = self._service.call(operation, _REFUSALS, ClientRequestToken=token, **parameters)
        watcher.accepted()
        return answer

    def _wait(
        self, stack_id: str, last: str | None, wanted: str, failed: str, watcher: Watcher
    ) -> StackState:
        """Follow an operation to its end, from the event after `last`. Raises `StackFailed` unless it ends as wanted.

        If the events cannot be read for a moment, they are read again, because the operation continues.
        """
        events, failure, ended = self._events(stack_id), None, False
        for pause in self._pauses(f"the stack {self.name} to finish"):
            problem: AwsIotError | None = None
            try:
                for event_id, event in events.since(last):
                    last = event_id
                    failure = failure or (event if event.failed else None)
                    watcher.happened(event)
                    if event.resource == self.name and event.kind == STACK_KIND:
                        ended = not event.status.endswith("IN_PROGRESS")
                if ended:
                    state = self._describe(stack_id)
                    break
            except (Busy, Unreachable) as error:
                problem = _temporary(error)
            watcher.waiting(problem)
            self._sleep(pause)
        if state.status != wanted:
            raise StackFailed(f"the stack {self.name} {failed}: {_reason(state, failure)}")
        return state

    def _wait_until_gone(self, stack_id: str) -> None:
        for pause in self._pauses(f"the stack {self.name} to be deleted"):
            try:
                if self._describe(stack_id).status == "DELETE_COMPLETE":
                    return
            except _NoSuchStack:
                return
            except (Busy, Unreachable) as error:
                _temporary(error)
            self._sleep(pause)

    def _wait_for_change_set(self, change_set_id: str) -> dict[str, Any]:
        """The first page of a change set, once CloudFormation has calculated it."""
        for pause in self._pauses("the list of changes"):
            page = self._change_set_page(change_set_id)
            if not page["Status"].endswith(("PENDING", "IN_PROGRESS")):
                break
            self._sleep(pause)
        return page

    def _further_pages(self, change_set_id: str, page: dict[str, Any]) -> Iterator[dict[str, Any]]:
        while token := page.get("NextToken"):
            page = self._change_set_page(change_set_id, NextToken=token)
            yield page

    def _change_set_page(self, change_set_id: str, **more: Any) -> dict[str, Any]:
        return self._service.call("describe_change_set", _REFUSALS, ChangeSetName=change_set_id, **more)

    @contextmanager
    def _deleting_on_failure(self, change_set: str) -> Iterator[None]:
        """Leave no change set behind after any exception. An executed one cannot be deleted."""
        try:
            yield
        except BaseException:
            self._delete_change_set(change_set)
            raise

    def _delete_change_set(self, name: str) -> None:
        with suppress(AwsIotError):
            self._service.call("delete_change_set", _REFUSALS, StackName=self.name, ChangeSetName=name)

    def _pauses(self, what: str) -> Iterator[float]:
        """The seconds to wait before each further look. Raises `ServiceRefused` after the timeout."""
        deadline = time.monotonic() + self._timeout
        for pause in POLLING:
            if time.monotonic() >= deadline:
                break
            yield pause
        raise ServiceRefused(f"waited {in_seconds(self._timeout)} for {what}")

    def _events(self, stack_id: str) -> StackEvents:
        return StackEvents(self._service, stack_id, _REFUSALS)

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


def _reason(state: StackState, failure: StackEvent | None) -> str:
    if failure:
        return f"{failure.resource} ({failure.kind}): {failure.reason or failure.status}"
    return state.reason or state.status


def _temporary(error: AwsIotError) -> AwsIotError:
    """The error, if it may pass. Raises one that will not."""
    if isinstance(error, WrongClock):
        raise error
    return error


def _parameters(values: Mapping[str, str]) -> list[dict[str, Any]]:
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in values.items()]


class _NoSuchStack(NotFound):
    """CloudFormation has no error code for this: it is a ValidationError with these words."""


def _invalid(message: str) -> ServiceRefused:
    if re.search(r"Stack.* does not exist", message):
        return _NoSuchStack(message)
    return ServiceRefused(f"CloudFormation rejected the request: {message}")


_REFUSALS: Refusals = {
    "ValidationError": _invalid,
    "AlreadyExistsException": lambda message: ServiceRefused(f"it already exists: {message}"),
    "InsufficientCapabilitiesException": lambda message: ServiceRefused(message),
}
