"""Read the events of a CloudFormation stack."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.refusals import Refusals
from aws_iot.backend.stack import StackEvent

_STARTS = {"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"}


class StackEvents:
    """The events of one stack, by its ID; names can be used again, and deleted stacks have no name."""

    def __init__(self, service: Service, stack_id: str, refusals: Refusals) -> None:
        self._service = service
        self._stack_id = stack_id
        self._refusals = refusals

    def latest(self) -> str | None:
        """The ID of the latest event, None if there is none."""
        return next((event_id for event_id, _ in self._backwards()), None)

    def since(self, last: str | None) -> Sequence[tuple[str, StackEvent]]:
        """The events after the one with the ID `last`, in order, with their IDs."""
        new = []
        for event_id, event in self._backwards():
            if event_id == last:
                break
            new.append((event_id, event))
        return new[::-1]

    def last_failure(self, stack: str) -> StackEvent | None:
        """The first failure of the latest operation that failed; `stack` is the stack's name."""
        failure = None
        for _, event in self._backwards():
            if event.failed:
                failure = event
            elif failure and event.resource == stack and event.status in _STARTS:
                break
        return failure

    def _backwards(self) -> Iterator[tuple[str, StackEvent]]:
        pages = self._service.pages(
            "describe_stack_events", ("NextToken", "NextToken"), self._refusals, StackName=self._stack_id
        )
        for page in pages:
            for found in page["StackEvents"]:
                yield found["EventId"], _event(found)


def _event(found: Mapping[str, Any]) -> StackEvent:
    return StackEvent(
        found["Timestamp"],
        found["LogicalResourceId"],
        found["ResourceType"],
        found["ResourceStatus"],
        found.get("ResourceStatusReason") or None,
    )
