"""The contract of `Stack` and `Target`."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from aws_iot.app import App
from aws_iot.backend import template
from aws_iot.backend.outputs import profile_from_outputs
from aws_iot.backend.stack import Stack, StackEvent, StackState, Target
from aws_iot.errors import AwsIotError
from tests.fakes import FakeApp
from tests.processes import Stack as LocalStack

SHORT = {"PasswordLength": "10"}
LONG = {"PasswordLength": "12"}


@dataclass
class Recorder:
    """A `Watcher` that records what it is called with."""

    calls: list[str] = field(default_factory=list)
    events: list[StackEvent] = field(default_factory=list)

    def requesting(self) -> None:
        self.calls.append("requesting")

    def accepted(self) -> None:
        self.calls.append("accepted")

    def happened(self, event: StackEvent) -> None:
        self.events.append(event)

    def waiting(self, problem: AwsIotError | None) -> None:
        pass


@pytest.fixture(params=["fakes", "local stack"])
def target(request: pytest.FixtureRequest, app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> Iterator[Target]:
    """A target without a stack, in memory or on the local stack."""
    name = f"stack-{uuid.uuid4().hex[:8]}"
    if request.param == "fakes":
        yield app.deployment_target(name, None, None)
        return
    local: LocalStack = request.getfixturevalue("stack")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    for variable, value in local.account_env.items():
        if variable.startswith("AWS_") and not variable.startswith("AWS_IOT_"):
            monkeypatch.setenv(variable, value)
    target = App(local.config).deployment_target(name, None, None)
    yield target
    if target.stack.state():
        target.stack.delete()


def create(stack: Stack) -> StackState:
    return stack.create(template.text(), SHORT)


def test_a_stack_is_created_with_parameters_and_outputs(target: Target) -> None:
    stack, recorder = target.stack, Recorder()
    assert stack.state() is None
    state = stack.create(template.text(), SHORT, recorder)
    assert state.status == "CREATE_COMPLETE"
    assert state.parameters["PasswordLength"] == "10"
    assert template.is_ours(state.description)
    assert stack.state() == state
    assert profile_from_outputs(state.outputs, target.iot_endpoint()).policy_name == f"{stack.name}-member"
    assert recorder.calls == ["requesting", "accepted"]
    assert "UserPool" in {event.resource for event in recorder.events}


def test_only_what_differs_is_an_update(target: Target) -> None:
    create(target.stack)
    assert target.stack.create_change_set(template.text(), SHORT) is None
    change_set = target.stack.create_change_set(template.text(), LONG)
    assert change_set
    changes = {one.resource: one.replacement for one in change_set.changes}
    assert changes["UserPool"] == "False"
    assert "True" not in changes.values()
    target.stack.delete_change_set(change_set)
    state = target.stack.state()
    assert state
    assert state.parameters["PasswordLength"] == "10"


def test_an_update_changes_the_parameters(target: Target) -> None:
    create(target.stack)
    change_set = target.stack.create_change_set(template.text(), LONG)
    assert change_set
    recorder = Recorder()
    state = target.stack.execute(change_set, recorder)
    assert (state.status, state.parameters["PasswordLength"]) == ("UPDATE_COMPLETE", "12")
    assert recorder.calls == ["requesting", "accepted"]
    assert target.stack.last_failure(state) is None


def test_a_deleted_stack_is_gone(target: Target) -> None:
    create(target.stack)
    assert target.stack.name in {name for name, _ in target.stack.all()}
    recorder = Recorder()
    target.stack.delete(recorder)
    assert target.stack.state() is None
    assert target.stack.name not in {name for name, _ in target.stack.all()}
    assert recorder.calls == ["requesting", "accepted"]


def test_a_target_names_its_account_and_region(target: Target) -> None:
    assert target.region == "us-east-1"
    described = target.describe(None)
    assert described.startswith("account ")
    assert described.endswith("region us-east-1")


def test_a_user_pool_is_not_protected_unless_asked_for(target: Target) -> None:
    assert not target.is_protected(create(target.stack).outputs["UserPoolId"])
