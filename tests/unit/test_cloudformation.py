"""Answers of CloudFormation that only AWS gives: pages, pending change sets, late reasons."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aws_iot.aws.admin.cloudformation import CloudFormationStack
from aws_iot.aws.base.calls import Service
from aws_iot.backend.stack import ChangeSet, StackEvent, StackFailed
from aws_iot.errors import AwsIotError, CredentialsRefused, NotAuthorized, ServiceRefused, Unreachable

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
CHANGE_SET = ChangeSet("name", "set", "id")
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
    """A client of CloudFormation that answers each call with the next line of its script, and repeats the last."""

    def __init__(self, **answers: Any) -> None:
        self._answers = {name: a if isinstance(a, list) else [a] for name, a in answers.items()}
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.meta = SimpleNamespace(endpoint_url="https://cloudformation.example")

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def answer(**parameters: Any) -> Any:
            self.asked.append((operation, parameters))
            left = self._answers[operation]
            given = left.pop(0) if len(left) > 1 else left[0]
            if isinstance(given, BaseException):
                raise given
            return given

        return answer

    def parameters(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.asked if name == operation]


class Recorder:
    """A `Watcher` that records everything."""

    def __init__(self) -> None:
        self.is_requested = self.is_accepted = False
        self.events: list[StackEvent] = []
        self.problems: list[AwsIotError | None] = []

    def requesting(self) -> None:
        self.is_requested = True

    def accepted(self) -> None:
        self.is_accepted = True

    def happened(self, event: StackEvent) -> None:
        self.events.append(event)

    def waiting(self, problem: AwsIotError | None) -> None:
        self.problems.append(problem)


def stack(script: Scripted, **more: Any) -> CloudFormationStack:
    return CloudFormationStack(
        Service(script, lambda: BORN, 5, sleep=lambda _: None), "chat", **{"sleep": lambda _: None} | more
    )


def update(deployed: CloudFormationStack, watcher: Recorder) -> None:
    change_set = deployed.create_change_set(TEMPLATE, {})
    assert change_set
    deployed.execute(change_set, watcher)


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


def test_a_change_set_is_awaited_and_all_its_pages_are_read() -> None:
    def change(resource: str, replacement: str) -> dict[str, Any]:
        details: list[dict[str, Any]] = [
            {"Target": {"Attribute": "Properties", "Name": name}} for name in ("B", "A", "B")
        ]
        details[0]["Target"]["RequiresRecreation"] = "Always"
        details[0]["CausingEntity"] = "Role.Arn"
        details[2]["Target"]["RequiresRecreation"] = "Always"  # the same property again, without a source
        of = {"Action": "Modify", "LogicalResourceId": resource, "ResourceType": "T"}
        return {"ResourceChange": of | {"Replacement": replacement, "Details": details}}

    script = Scripted(
        create_change_set={"Id": "set", "StackId": "id"},
        describe_change_set=[
            {"Status": "CREATE_PENDING", "Changes": []},
            {"Status": "CREATE_IN_PROGRESS", "Changes": []},
            {"Status": "CREATE_COMPLETE", "Changes": [change("One", "True")], "NextToken": "more"},
            {"Status": "CREATE_COMPLETE", "Changes": [change("Two", "Conditional")]},
        ],
    )
    change_set = stack(script).create_change_set(TEMPLATE, {"Fresh": "new"}, ["Mfa"])
    assert change_set
    found = [(c.resource, c.replacement, c.properties, c.causes) for c in change_set.changes]
    why = ["B (from Role.Arn)"]
    assert found == [("One", "True", ["A", "B"], why), ("Two", "Conditional", ["A", "B"], why)]
    [asked] = script.parameters("create_change_set")
    assert asked["Parameters"] == [
        {"ParameterKey": "Fresh", "ParameterValue": "new"},
        {"ParameterKey": "Mfa", "UsePreviousValue": True},
    ]


def change(
    resource: str, replacement: str | None, cause: str | None = None, source: str = "ResourceAttribute"
) -> dict[str, Any]:
    target = {"Attribute": "Properties", "Name": "P", "RequiresRecreation": "Always"}
    detail = {"Target": target, "CausingEntity": cause, "ChangeSource": source}
    of = {"Action": "Modify", "LogicalResourceId": resource, "ResourceType": "T"}
    return {"ResourceChange": of | {"Replacement": replacement, "Details": [detail] if cause else []}}


@pytest.mark.parametrize(
    ("pool", "replacements"),
    [
        (change("Pool", "False"), {}),
        (change("Pool", "True", "Name"), {"Pool": "True", "Client": "Conditional", "Roles": "Conditional"}),
        (
            change("Pool", "Conditional", "Name", "ParameterReference"),
            {"Pool": "Conditional", "Client": "Conditional", "Roles": "Conditional"},
        ),
        (
            change("Pool", "Conditional"),
            {"Pool": "Conditional", "Client": "Conditional", "Roles": "Conditional"},
        ),
    ],
)
def test_a_resource_that_refers_only_to_kept_resources_is_not_called_replaced(
    pool: dict[str, Any], replacements: dict[str, str]
) -> None:
    found = [pool, change("Client", "Conditional", "Pool"), change("Roles", "Conditional", "Client.Arn")]
    script = Scripted(
        create_change_set={"Id": "set", "StackId": "id"},
        describe_change_set={"Status": "CREATE_COMPLETE", "Changes": found},
    )
    change_set = stack(script).create_change_set(TEMPLATE, {})
    assert change_set
    assert {c.resource: c.replacement for c in change_set.changes if c.replacement != "False"} == replacements


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_a_change_set_without_changes_is_not_a_failure(reason: str) -> None:
    script = Scripted(
        create_change_set={"Id": "set", "StackId": "id"},
        describe_change_set={"Status": "FAILED", "StatusReason": reason},
        delete_change_set={},
    )
    assert stack(script).create_change_set(TEMPLATE, {}) is None
    [asked] = script.parameters("delete_change_set")
    assert (asked["StackName"], asked["ChangeSetName"][:8]) == ("chat", "aws-iot-")


def test_a_change_set_that_fails_for_another_reason_is_an_error() -> None:
    script = Scripted(
        create_change_set={"Id": "set", "StackId": "id"},
        describe_change_set={"Status": "FAILED", "StatusReason": "Requires capabilities"},
        delete_change_set={},
    )
    with pytest.raises(ServiceRefused, match="Requires capabilities"):
        stack(script).create_change_set(TEMPLATE, {})


def test_events_come_once_in_order_and_the_first_failure_is_the_reason() -> None:
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
    recorder = Recorder()
    with pytest.raises(StackFailed, match=r"was not changed: Policy \(AWS::IoT::Policy\): too long"):
        stack(script).execute(CHANGE_SET, recorder)
    assert recorder.is_accepted
    assert [(t.resource, t.status) for t in recorder.events] == [
        ("chat", "UPDATE_IN_PROGRESS"),
        ("Pool", "UPDATE_FAILED"),
        ("Policy", "UPDATE_FAILED"),
        ("chat", "UPDATE_ROLLBACK_COMPLETE"),
    ]


def test_waiting_ends_at_the_timeout_and_the_operation_continues() -> None:
    script = Scripted(
        describe_stacks={"Stacks": [STACK]},
        describe_stack_events={"StackEvents": [event(2, "chat", "DELETE_IN_PROGRESS")]},
        delete_stack={},
    )
    recorder = Recorder()
    with pytest.raises(ServiceRefused, match="waited 0") as raised:
        stack(script, timeout=0).delete(recorder)
    assert recorder.is_accepted
    assert not isinstance(raised.value, StackFailed)


@pytest.mark.parametrize(
    "problem",
    [
        ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "DescribeStackEvents"),
        ClientError(
            {"Error": {"Code": "InternalFailure"}, "ResponseMetadata": {"HTTPStatusCode": 503}},
            "DescribeStackEvents",
        ),
        ConnectionClosedError(endpoint_url="https://cloudformation.example"),
    ],
)
def test_events_that_cannot_be_read_for_a_moment_are_read_again(problem: Exception) -> None:
    script = Scripted(
        describe_stack_events=[
            {"StackEvents": []},
            *[problem] * 9,
            {"StackEvents": [event(1, "chat", "UPDATE_COMPLETE")]},
        ],
        execute_change_set={},
        describe_stacks={"Stacks": [STACK]},
    )
    recorder = Recorder()
    assert stack(script).execute(CHANGE_SET, recorder).status == "UPDATE_COMPLETE"
    assert any(recorder.problems)
    assert len(recorder.events) == 1


def test_what_will_not_pass_by_itself_ends_the_watch() -> None:
    script = Scripted(
        describe_stack_events=[{"StackEvents": []}, refused("ExpiredToken", "over")],
        execute_change_set={},
        describe_stacks={"Stacks": [STACK]},
    )
    recorder = Recorder()
    with pytest.raises(CredentialsRefused):
        stack(script).execute(CHANGE_SET, recorder)
    assert recorder.is_accepted


def test_a_request_is_repeated_with_the_same_token() -> None:
    script = Scripted(
        create_stack=[ConnectionClosedError(endpoint_url="https://x"), {"StackId": "id"}],
        describe_stack_events={"StackEvents": [event(1, "chat", "CREATE_COMPLETE")]},
        describe_stacks={"Stacks": [STACK | {"StackStatus": "CREATE_COMPLETE"}]},
    )
    assert stack(script).create(TEMPLATE, {}).status == "CREATE_COMPLETE"
    first, second = script.parameters("create_stack")
    assert first["ClientRequestToken"] == second["ClientRequestToken"]


def test_a_request_without_an_answer_is_not_reported_as_accepted() -> None:
    script = Scripted(create_stack=ConnectionClosedError(endpoint_url="https://x"))
    recorder = Recorder()
    with pytest.raises(Unreachable):
        stack(script).create(TEMPLATE, {}, recorder)
    assert (recorder.is_requested, recorder.is_accepted) == (True, False)


@pytest.mark.parametrize(
    "end", [refused("Throttling", "Rate exceeded"), KeyboardInterrupt(), refused("AccessDenied", "no")]
)
@pytest.mark.parametrize("at", ["create_change_set", "describe_change_set", "execute_change_set"])
def test_a_failed_update_leaves_no_change_set_behind(at: str, end: BaseException) -> None:
    answers: dict[str, Any] = {
        "describe_stacks": {"Stacks": [STACK]},
        "create_change_set": {"Id": "set", "StackId": "id"},
        "describe_change_set": {"Status": "CREATE_COMPLETE", "Changes": []},
        "describe_stack_events": {"StackEvents": []},
        "execute_change_set": {},
        "delete_change_set": {},
    }
    script = Scripted(**answers | {at: end})
    recorder = Recorder()
    with pytest.raises((ServiceRefused, NotAuthorized, KeyboardInterrupt)):
        update(stack(script), recorder)
    [asked] = script.parameters("delete_change_set")
    assert asked["ChangeSetName"] == script.parameters("create_change_set")[0]["ChangeSetName"]
    assert not recorder.is_accepted


def test_an_empty_stack_can_be_deleted_without_an_event() -> None:
    shell = STACK | {"StackStatus": "REVIEW_IN_PROGRESS", "Parameters": []}
    script = Scripted(
        describe_stacks=[
            {"Stacks": [shell]},
            {"Stacks": [shell]},
            refused("Throttling", "Rate exceeded"),
            {"Stacks": [shell | {"StackStatus": "DELETE_COMPLETE"}]},
        ],
        describe_stack_events={"StackEvents": [event(1, "chat", "REVIEW_IN_PROGRESS")]},
        delete_stack={},
    )
    deployed = stack(script)
    state = deployed.state()
    assert state
    assert (state.is_empty, state.in_progress) == (True, False)
    deployed.delete()
    assert [asked["StackName"] for asked in script.parameters("delete_stack")] == ["id"]


@pytest.mark.parametrize(
    ("code", "error"),
    [("AccessDenied", NotAuthorized), ("ExpiredToken", CredentialsRefused), ("Throttling", ServiceRefused)],
)
def test_the_error_codes_of_its_protocol_are_known(code: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        stack(Scripted(describe_stacks=refused(code, "no"))).state()


def test_all_pages_of_the_list_of_stacks_are_read() -> None:
    script = Scripted(
        describe_stacks=[
            {"Stacks": [STACK | {"Description": "ours"}], "NextToken": "more"},
            {"Stacks": [STACK | {"StackName": "shop"}]},
        ]
    )
    assert [*stack(script).all()] == [("chat", "ours"), ("shop", "")]


def test_a_missing_stack_is_not_an_error() -> None:
    gone = refused("ValidationError", "Stack with id chat does not exist")
    assert stack(Scripted(describe_stacks=gone)).state() is None
