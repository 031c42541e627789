"""What every `Target` and its `Stack` do: CloudFormation, as far as deploying needs it."""

from collections.abc import Iterator

import pytest

from aws_iot.backend import template
from aws_iot.backend.outputs import profile_from_outputs
from aws_iot.backend.stack import NoWatcher, StackEvent, Target
from tests.contracts.conftest import World

TEMPLATE = template.text()


class Recorder(NoWatcher):
    """Notes what a stack reports."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.events: list[StackEvent] = []

    def requesting(self) -> None:
        self.calls.append("requesting")

    def accepted(self) -> None:
        self.calls.append("accepted")

    def happened(self, event: StackEvent) -> None:
        self.calls.append("happened")
        self.events.append(event)


@pytest.fixture
def target(admin: World, username: str) -> Iterator[Target]:
    """Where no stack of this name exists."""
    target = admin.target(username)
    yield target
    if target.stack.state():
        target.stack.delete()


def assert_reported(watcher: Recorder, status: str) -> None:
    """First the request, then that it is accepted, then events of the resources."""
    assert watcher.calls[:2] == ["requesting", "accepted"]
    assert set(watcher.calls[2:]) == {"happened"}
    assert ("AWS::Cognito::UserPool", f"{status}_IN_PROGRESS") in [(e.kind, e.status) for e in watcher.events]


def test_a_stack_is_created_and_deleted(target: Target) -> None:
    stack, watcher = target.stack, Recorder()
    assert stack.state() is None
    created = stack.create(TEMPLATE, {"PasswordLength": "10"}, watcher)
    assert_reported(watcher, "CREATE")
    assert created.status == "CREATE_COMPLETE"
    assert created.parameters["PasswordLength"] == "10"
    assert template.is_ours(created.description)
    profile = profile_from_outputs(created.outputs, "broker.example.com")
    assert profile.policy_name == f"{stack.name}-member"
    state = stack.state()
    assert state
    assert (state.id, state.status, state.outputs) == (created.id, created.status, created.outputs)
    assert stack.last_failure(state) is None
    assert [template.is_ours(of) for name, of in stack.all() if name == stack.name] == [True]

    watcher = Recorder()
    stack.delete(watcher)
    assert_reported(watcher, "DELETE")
    assert stack.state() is None
    assert stack.name not in dict(stack.all())


def test_a_stack_changes_only_when_a_change_set_is_executed(target: Target) -> None:
    stack = target.stack
    created = stack.create(TEMPLATE, {"PasswordLength": "10"})
    assert stack.create_change_set(TEMPLATE, {}, ["PasswordLength"]) is None
    for _ in range(2):
        change_set = stack.create_change_set(TEMPLATE, {"Room1": "lobby"}, ["PasswordLength"])
        assert change_set
        assert "MemberPolicy" in [change.resource for change in change_set.changes]
        stack.delete_change_set(change_set)
        stack.delete_change_set(change_set)
        state = stack.state()
        assert state
        assert (state.status, state.parameters.get("Room1", "*")) == ("CREATE_COMPLETE", "*")

    change_set = stack.create_change_set(TEMPLATE, {"Room1": "lobby"}, ["PasswordLength"])
    assert change_set
    watcher = Recorder()
    changed = stack.execute(change_set, watcher)
    assert watcher.calls[:2] == ["requesting", "accepted"]
    assert (changed.id, changed.status) == (created.id, "UPDATE_COMPLETE")
    assert (changed.parameters["Room1"], changed.parameters["PasswordLength"]) == ("lobby", "10")


def test_a_target_says_where_it_is(target: Target) -> None:
    assert target.region in target.describe(None)
    assert target.iot_endpoint()
    assert set(target.other_addresses()) <= {
        "cognito_idp_url",
        "cognito_identity_url",
        "iot_url",
        "iam_url",
        "ca_bundle",
    }
    created = target.stack.create(TEMPLATE, {})
    assert target.is_protected(created.outputs["UserPoolId"]) is False
    assert target.region in target.describe(created)
