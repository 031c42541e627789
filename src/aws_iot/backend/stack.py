"""What deploying needs of an AWS account: a CloudFormation stack, its state, its events, and its changes.

`aws/admin/` implements the protocols.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from aws_iot.errors import AwsIotError, ServiceRefused

STACK_KIND = "AWS::CloudFormation::Stack"
"""The kind of an event about the stack itself."""


class StackFailed(ServiceRefused):
    """CloudFormation finished an operation without the wanted result."""


@dataclass(frozen=True, slots=True)
class StackEvent:
    """Something that happened to a resource of a stack, or to the stack itself."""

    when: datetime
    resource: str
    kind: str
    status: str
    reason: str | None = None

    @property
    def failed(self) -> bool:
        """Whether this resource itself failed; others are only cancelled because of it."""
        return self.status.endswith("FAILED") and "cancelled" not in (self.reason or "")


@dataclass(frozen=True, slots=True)
class StackState:
    """The state of a stack, as CloudFormation describes it."""

    id: str
    status: str
    reason: str | None
    changed: datetime
    description: str
    outputs: Mapping[str, str]
    parameters: Mapping[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether it never held a resource: a change set was to create it, and was not executed."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def in_progress(self) -> bool:
        """Whether CloudFormation is working on it."""
        return self.status.endswith("_IN_PROGRESS") and not self.is_empty


@dataclass(frozen=True, slots=True)
class Change:
    """What an update would do to a resource.

    `replacement` is CloudFormation's True, False or Conditional. `causes` are the properties that lead to a new
    resource, each with the source of its new value.
    """

    action: str
    resource: str
    kind: str
    replacement: str | None
    properties: Sequence[str] = ()
    causes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """An update that can be executed or deleted."""

    name: str
    id: str
    stack_id: str
    changes: Sequence[Change] = field(default=())


class Watcher(Protocol):
    """Is called while CloudFormation works, on the caller's thread."""

    def requesting(self) -> None:
        """The request is about to be sent. Until `accepted`, it is unknown whether CloudFormation acts on it."""

    def accepted(self) -> None:
        """CloudFormation has accepted the request, and continues even if this program ends."""

    def happened(self, event: StackEvent) -> None:
        """An event, each one once, in order."""

    def waiting(self, problem: AwsIotError | None) -> None:
        """There is a pause before events are read again; `problem` is why they could not be read just now."""


class NoWatcher:
    """A watcher that ignores everything."""

    def requesting(self) -> None: ...

    def accepted(self) -> None: ...

    def happened(self, event: StackEvent) -> None: ...

    def waiting(self, problem: AwsIotError | None) -> None: ...


NO_WATCHER = NoWatcher()


class Stack(Protocol):
    """One CloudFormation stack, which need not exist."""

    name: str

    def state(self) -> StackState | None:
        """Its state, None if it does not exist."""
        ...

    def create(
        self, template: str, parameters: Mapping[str, str], watcher: Watcher = NO_WATCHER
    ) -> StackState:
        """Create it, and wait until all its resources exist.

        Raises `StackFailed` with the first resource that failed. CloudFormation then deletes what it created, so the
        next attempt can use the same name.
        """
        ...

    def create_change_set(
        self, template: str, parameters: Mapping[str, str], kept: Sequence[str] = ()
    ) -> ChangeSet | None:
        """Prepare an update, None if nothing would change. Parameters named in `kept` keep their values.

        Nothing changes until `execute`. Otherwise call `delete_change_set`.
        """
        ...

    def delete_change_set(self, change_set: ChangeSet) -> None:
        """Never raises: a change set that is left behind does no harm."""
        ...

    def execute(self, change_set: ChangeSet, watcher: Watcher = NO_WATCHER) -> StackState:
        """Update the stack, and wait. Raises `StackFailed` with the first resource that failed."""
        ...

    def delete(self, watcher: Watcher = NO_WATCHER) -> None:
        """Delete the stack with everything in it, and wait. Raises `StackFailed`."""
        ...

    def all(self) -> Iterable[tuple[str, str]]:
        """The names and descriptions of all stacks in this account and region."""
        ...

    def last_failure(self, state: StackState) -> StackEvent | None:
        """The first failure of the latest operation that failed."""
        ...


class Target(Protocol):
    """The AWS account and region that a stack is deployed to."""

    @property
    def stack(self) -> Stack:
        """The stack."""
        ...

    @property
    def region(self) -> str:
        """The region."""
        ...

    def describe(self, state: StackState | None) -> str:
        """The account, if it is known, and the region, in words."""
        ...

    def is_protected(self, user_pool: str) -> bool:
        """Whether Cognito protects a user pool from deletion. False if the caller may not look."""
        ...

    def iot_endpoint(self) -> str:
        """The host of the account's broker."""
        ...

    def other_addresses(self) -> dict[str, str]:
        """The fields of a profile for services that do not answer at AWS's own addresses, and for their use."""
        ...
