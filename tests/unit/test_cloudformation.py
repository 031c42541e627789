"""What CloudFormation answers on AWS and not on the local stack: pages, pending lists, reasons that come late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws_iot.aws.clients import Service
from aws_iot.aws.cloudformation import Stack, StackEvent
from aws_iot.errors import CredentialsRefused, NotAuthorized, ServiceRefused

BORN = datetime(2026, 1, 1, tzinfo=UTC)
STACK = {
    "StackId": "id",
    "StackName": "chat",
    "StackStatus": "UPDATE_COMPLETE",
    "CreationTime": BORN,
    "Parameters": [
        {"ParameterKey": "Mfa", "ParameterValue": "ON"},
        {"ParameterKey": "Old", "ParameterValue": "x"},
    ],
}
TEMPLATE = "Parameters:\n  Mfa:\n    Type: String\n  Fresh:\n    Type: String\nResources:\n"


def event(number: int, resource: str, status: str, reason: str | None = None) -> dict[str, Any]:
    kind = "AWS::CloudFormation::Stack" if resource == "chat" else "AWS::IoT::Policy"
    more = {"ResourceStatusReason": reason} if reason else {}
    return {
        "EventId": str(number),
        "Timestamp": BORN + timedelta(seconds=number),
        "LogicalResourceId": resource,
        "ResourceType": kind,
        "ResourceStatus": status,
    } | more


class Scripted:
    """A client of CloudFormation that answers each call by the next line of its script, and its last for ever."""

    def __init__(self, **answers: Any) -> None:
        self._answers = {name: a if isinstance(a, list) else [a] for name, a in answers.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.meta = SimpleNamespace(endpoint_url="https://cloudformation.example")

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def answer(**parameters: Any) -> Any:
            self.asked.append((operation, parameters))
            left = self._answers[operation]
            given = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(given, Exception):
                raise given
            return given

        return answer

    def parameters(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.asked if name == operation]


def stack(script: Scripted, **more: Any) -> Stack:
    return Stack(
        Service(script, lambda: BORN, 5, sleep=lambda _: None), "chat", **{"sleep": lambda _: None} | more
    )


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


def test_a_proposal_is_waited_for_and_read_to_its_last_page() -> None:
    def change(resource: str, replacement: str) -> dict[str, Any]:
        details = [{"Target": {"Attribute": "Properties", "Name": name}} for name in ("B", "A", "B")]
        of = {"Action": "Modify", "LogicalResourceId": resource, "ResourceType": "T"}
        return {"ResourceChange": of | {"Replacement": replacement, "Details": details}}

    script = Scripted(
        describe_stacks={"Stacks": [STACK]},
        create_change_set={"Id": "set", "StackId": "id"},
        describe_change_set=[
            {"Status": "CREATE_PENDING", "Changes": []},
            {"Status": "CREATE_IN_PROGRESS", "Changes": []},
            {"Status": "CREATE_COMPLETE", "Changes": [change("One", "True")], "NextToken": "more"},
            {"Status": "CREATE_COMPLETE", "Changes": [change("Two", "Conditional")]},
        ],
    )
    proposal = stack(script).propose(TEMPLATE, {"Fresh": "new"})
    assert proposal
    found = [(c.resource, c.replacement, c.properties) for c in proposal.changes]
    assert found == [("One", "True", ["A", "B"]), ("Two", "Conditional", ["A", "B"])]
    [asked] = script.parameters("create_change_set")
    assert asked["Parameters"] == [
        {"ParameterKey": "Fresh", "ParameterValue": "new"},
        {"ParameterKey": "Mfa", "UsePreviousValue": True},
    ]


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_nothing_to_do_is_no_failure(reason: str) -> None:
    script = Scripted(
        describe_stacks={"Stacks": [STACK]},
        create_change_set={"Id": "set", "StackId": "id"},
        describe_change_set={"Status": "FAILED", "StatusReason": reason},
        delete_change_set={},
    )
    assert stack(script).propose(TEMPLATE, {}) is None
    assert script.parameters("delete_change_set") == [{"ChangeSetName": "set"}]


def test_a_proposal_that_fails_for_another_reason_is_told() -> None:
    script = Scripted(
        describe_stacks={"Stacks": [STACK]},
        create_change_set={"Id": "set", "StackId": "id"},
        describe_change_set={"Status": "FAILED", "StatusReason": "Requires capabilities"},
        delete_change_set={},
    )
    with pytest.raises(ServiceRefused, match="Requires capabilities"):
        stack(script).propose(TEMPLATE, {})


def test_events_are_told_once_in_their_order_and_the_first_failure_is_the_reason() -> None:
    start, failed = event(2, "chat", "UPDATE_IN_PROGRESS"), event(4, "Policy", "UPDATE_FAILED", "too long")
    cancelled = event(3, "Pool", "UPDATE_FAILED", "Resource update cancelled")
    rolled_back = event(5, "chat", "UPDATE_ROLLBACK_COMPLETE")
    old = [event(1, "chat", "CREATE_COMPLETE"), event(0, "Old", "CREATE_FAILED", "long ago")]
    script = Scripted(
        describe_stack_events=[
            {"StackEvents": old},
            {"StackEvents": old},  # right after the start there may be nothing new yet
            {"StackEvents": [start, *old]},
            {"StackEvents": [rolled_back, failed], "NextToken": "more"},
            {"StackEvents": [cancelled, start, *old]},
        ],
        execute_change_set={},
        describe_stacks={"Stacks": [STACK | {"StackStatus": "UPDATE_ROLLBACK_COMPLETE"}]},
    )
    told: list[StackEvent] = []
    with pytest.raises(ServiceRefused, match=r"was not changed: Policy \(AWS::IoT::Policy\): too long"):
        stack(script).carry_out(SimpleNamespace(id="set", stack_id="id"), told.append)  # type: ignore[arg-type]
    assert [(t.resource, t.status) for t in told] == [
        ("chat", "UPDATE_IN_PROGRESS"),
        ("Pool", "UPDATE_FAILED"),
        ("Policy", "UPDATE_FAILED"),
        ("chat", "UPDATE_ROLLBACK_COMPLETE"),
    ]


def test_what_takes_too_long_is_left_to_go_on() -> None:
    script = Scripted(
        describe_stacks={"Stacks": [STACK]},
        describe_stack_events={"StackEvents": [event(2, "chat", "DELETE_IN_PROGRESS")]},
        delete_stack={},
    )
    with pytest.raises(ServiceRefused, match="waited 0") as told:
        stack(script, timeout=0).delete()
    assert "aws-iot backend status --name chat" in (told.value.hint or "")


@pytest.mark.parametrize(
    ("code", "error"),
    [("AccessDenied", NotAuthorized), ("ExpiredToken", CredentialsRefused), ("Throttling", ServiceRefused)],
)
def test_the_codes_of_its_protocol_are_told_as_what_they_are(code: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        stack(Scripted(describe_stacks=refused(code, "no"))).state()


def test_no_stack_is_no_error() -> None:
    gone = refused("ValidationError", "Stack with id chat does not exist")
    assert stack(Scripted(describe_stacks=gone)).state() is None
