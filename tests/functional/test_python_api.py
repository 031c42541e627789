"""`aws_iot.connect` with the services in memory: which sign-in it uses, without a prompt."""

import pytest

from aws_iot.api import connect_with
from aws_iot.errors import SignInRefused, Unreachable, WrongPassword
from tests.conftest import CommandLine
from tests.fakes import FakeApp, FakeCloud


@pytest.fixture(autouse=True)
def identity(cloud: FakeCloud) -> str:
    """Alice is a member."""
    return cloud.member("alice", "Passw0rd")


def test_the_saved_session_is_used_without_a_password(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    app.controls.fails_with = Unreachable("the user pool is not needed")
    with connect_with(app, "default", None, None, None) as client:
        assert (client.username, client.identity) == ("alice", identity)
        client.publish("lobby", "hello")
    [connection] = cloud.connections
    assert connection.closed
    assert len(cloud.published) == 1


def test_a_preset_password_signs_in(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice -p Passw0rd")
    with connect_with(app, app.config.profiles.load("default"), None, None, None) as client:
        assert client.username == "alice"


def test_a_given_password_signs_in_and_saves_nothing(app: FakeApp) -> None:
    with connect_with(app, "default", "alice", "Passw0rd", None):
        pass
    assert app.auth.sessions.load(app.config.profiles.load("default")) is None


def test_a_wrong_password_is_refused(app: FakeApp) -> None:
    with pytest.raises(WrongPassword):
        connect_with(app, "default", "alice", "wrong", None)


@pytest.mark.parametrize("user", [None, "alice"])
def test_without_a_session_or_a_password_it_raises_instead_of_asking(app: FakeApp, user: str | None) -> None:
    with pytest.raises(SignInRefused) as refused:
        connect_with(app, "default", user, None, None)
    assert "aws-iot login" in (refused.value.hint or "")


def test_a_durable_session_has_the_given_name(app: FakeApp, cloud: FakeCloud) -> None:
    with connect_with(app, "default", "alice", "Passw0rd", "desk") as client:
        client.subscribe("lobby")
    assert [connection.durable for connection in cloud.connections] == ["desk"]
    with connect_with(app, "default", "alice", "Passw0rd", "desk") as client:
        assert client.subscribe("ops").is_discarded  # the fake resumes no session
