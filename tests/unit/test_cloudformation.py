"""What CloudFormation answers on AWS and not on the local stack: pages, pending lists, reasons that come late."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aws_iot.aws.admin.cloudformation import Proposal, Stack, StackEvent, StackFailed
from aws_iot.aws.base.calls import Service
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
PROPOSAL = Proposal("name", "set", "id")
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
            if isinstance(given, BaseException):
                raise given
            return given

        return answer

    def parameters(self, operation: str) -> list[dict[str, Any]]:
        return [parameters for name, parameters in self.asked if name == operation]


class Seen:
    """Looks on, and notes what it sees."""

    def __init__(self) -> None:
        self.asked = self.goes_on = False
        self.told: list[StackEvent] = []
        self.troubles: list[AwsIotError | None] = []

    def asks(self) -> None:
        self.asked = True

    def accepted(self) -> None:
        self.goes_on = True

    def happened(self, event: StackEvent) -> None:
        self.told.append(event)

    def waits(self, trouble: AwsIotError | None) -> None:
        self.troubles.append(trouble)


def stack(script: Scripted, **more: Any) -> Stack:
    return Stack(
        Service(script, lambda: BORN, 5, sleep=lambda _: None), "chat", **{"sleep": lambda _: None} | more
    )


def propose_and_carry_out(of: Stack, watcher: Seen) -> None:
    proposal = of.propose(TEMPLATE, {})
    assert proposal
    of.carry_out(proposal, watcher)


def refused(code: str, message: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "DescribeStacks")


def test_a_proposal_is_waited_for_and_read_to_its_last_page() -> None:
    def change(resource: str, replacement: str) -> dict[str, Any]:
        details: list[dict[str, Any]] = [
            {"Target": {"Attribute": "Properties", "Name": name}} for name in ("B", "A", "B")
        ]
        details[0]["Target"]["RequiresRecreation"] = "Always"
        details[0]["CausingEntity"] = "Role.Arn"
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
    proposal = stack(script).propose(TEMPLATE, {"Fresh": "new"}, ["Mfa"])
    assert proposal
    found = [(c.resource, c.replacement, c.properties, c.depends) for c in proposal.changes]
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
    ("pool", "told"),
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
def test_what_refers_to_something_that_stays_is_not_called_perhaps_replaced(
    pool: dict[str, Any], told: dict[str, str]
) -> None:
    found = [pool, change("Client", "Conditional", "Pool"), change("Roles", "Conditional", "Client.Arn")]
    script = Scripted(
        create_change_set={"Id": "set", "StackId": "id"},
        describe_change_set={"Status": "CREATE_COMPLETE", "Changes": found},
    )
    proposal = stack(script).propose(TEMPLATE, {})
    assert proposal
    assert {c.resource: c.replacement for c in proposal.changes if c.replacement != "False"} == told


@pytest.mark.parametrize(
    "reason",
    [
        "The submitted information didn't contain changes. Submit different information to create a change set.",
        "No updates are to be performed.",
    ],
)
def test_nothing_to_do_is_no_failure(reason: str) -> None:
    script = Scripted(
        create_change_set={"Id": "set", "StackId": "id"},
        describe_change_set={"Status": "FAILED", "StatusReason": reason},
        delete_change_set={},
    )
    assert stack(script).propose(TEMPLATE, {}) is None
    [asked] = script.parameters("delete_change_set")
    assert (asked["StackName"], asked["ChangeSetName"][:8]) == ("chat", "aws-iot-")


def test_a_proposal_that_fails_for_another_reason_is_told() -> None:
    script = Scripted(
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
    seen = Seen()
    with pytest.raises(StackFailed, match=r"was not changed: Policy \(AWS::IoT::Policy\): too long"):
        stack(script).carry_out(PROPOSAL, seen)
    assert seen.goes_on
    assert [(t.resource, t.status) for t in seen.told] == [
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
    seen = Seen()
    with pytest.raises(ServiceRefused, match="waited 0") as told:
        stack(script, timeout=0).delete(seen)
    assert seen.goes_on
    assert not isinstance(told.value, StackFailed)


@pytest.mark.parametrize(
    "trouble",
    [
        ClientError({"Error": {"Code": "Throttling", "Message": "Rate exceeded"}}, "DescribeStackEvents"),
        ClientError(
            {"Error": {"Code": "InternalFailure"}, "ResponseMetadata": {"HTTPStatusCode": 503}},
            "DescribeStackEvents",
        ),
        ConnectionClosedError(endpoint_url="https://cloudformation.example"),
    ],
)
def test_a_look_that_fails_is_made_again_for_the_stack_goes_on(trouble: Exception) -> None:
    script = Scripted(
        describe_stack_events=[
            {"StackEvents": []},
            *[trouble] * 9,
            {"StackEvents": [event(1, "chat", "UPDATE_COMPLETE")]},
        ],
        execute_change_set={},
        describe_stacks={"Stacks": [STACK]},
    )
    seen = Seen()
    assert stack(script).carry_out(PROPOSAL, seen).status == "UPDATE_COMPLETE"
    assert any(seen.troubles)
    assert len(seen.told) == 1


def test_what_will_not_pass_by_itself_ends_the_watch() -> None:
    script = Scripted(
        describe_stack_events=[{"StackEvents": []}, refused("ExpiredToken", "over")],
        execute_change_set={},
        describe_stacks={"Stacks": [STACK]},
    )
    seen = Seen()
    with pytest.raises(CredentialsRefused):
        stack(script).carry_out(PROPOSAL, seen)
    assert seen.goes_on


def test_a_request_whose_answer_is_lost_is_the_same_when_it_is_made_again() -> None:
    script = Scripted(
        create_stack=[ConnectionClosedError(endpoint_url="https://x"), {"StackId": "id"}],
        describe_stack_events={"StackEvents": [event(1, "chat", "CREATE_COMPLETE")]},
        describe_stacks={"Stacks": [STACK | {"StackStatus": "CREATE_COMPLETE"}]},
    )
    assert stack(script).create(TEMPLATE, {}).status == "CREATE_COMPLETE"
    first, second = script.parameters("create_stack")
    assert first["ClientRequestToken"] == second["ClientRequestToken"]


def test_whether_a_request_was_taken_is_left_open_where_nobody_knows() -> None:
    script = Scripted(create_stack=ConnectionClosedError(endpoint_url="https://x"))
    seen = Seen()
    with pytest.raises(Unreachable):
        stack(script).create(TEMPLATE, {}, seen)
    assert (seen.asked, seen.goes_on) == (True, False)


@pytest.mark.parametrize(
    "end", [refused("Throttling", "Rate exceeded"), KeyboardInterrupt(), refused("AccessDenied", "no")]
)
@pytest.mark.parametrize("at", ["create_change_set", "describe_change_set", "execute_change_set"])
def test_a_proposal_that_comes_to_nothing_leaves_no_change_set_behind(at: str, end: BaseException) -> None:
    answers: dict[str, Any] = {
        "describe_stacks": {"Stacks": [STACK]},
        "create_change_set": {"Id": "set", "StackId": "id"},
        "describe_change_set": {"Status": "CREATE_COMPLETE", "Changes": []},
        "describe_stack_events": {"StackEvents": []},
        "execute_change_set": {},
        "delete_change_set": {},
    }
    script = Scripted(**answers | {at: end})
    seen = Seen()
    with pytest.raises((ServiceRefused, NotAuthorized, KeyboardInterrupt)):
        propose_and_carry_out(stack(script), seen)
    [asked] = script.parameters("delete_change_set")
    assert asked["ChangeSetName"] == script.parameters("create_change_set")[0]["ChangeSetName"]
    assert not seen.goes_on


def test_an_empty_stack_is_there_and_can_be_deleted_without_an_event() -> None:
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
    assert (state.empty, state.at_work) == (True, False)
    deployed.delete()
    assert [asked["StackName"] for asked in script.parameters("delete_stack")] == ["id"]


@pytest.mark.parametrize(
    ("code", "error"),
    [("AccessDenied", NotAuthorized), ("ExpiredToken", CredentialsRefused), ("Throttling", ServiceRefused)],
)
def test_the_codes_of_its_protocol_are_told_as_what_they_are(code: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        stack(Scripted(describe_stacks=refused(code, "no"))).state()


def test_the_stacks_that_there_are_are_read_to_their_last_page() -> None:
    script = Scripted(
        describe_stacks=[
            {"Stacks": [STACK | {"Description": "ours"}], "NextToken": "more"},
            {"Stacks": [STACK | {"StackName": "shop"}]},
        ]
    )
    assert [*stack(script).all()] == [("chat", "ours"), ("shop", "")]


def test_no_stack_is_no_error() -> None:
    gone = refused("ValidationError", "Stack with id chat does not exist")
    assert stack(Scripted(describe_stacks=gone)).state() is None
