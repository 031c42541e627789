"""How the chat connects: one session for each run, and what it does if a policy forbids that."""

from collections.abc import Callable

import pytest

from aws_iot.auth.login import SignInRequest
from aws_iot.auth.prompter import NoPrompter
from aws_iot.chat.connecting import Chatter, Connector
from aws_iot.chat.model.presence import ON, Presence
from aws_iot.chat.model.reducer import start
from aws_iot.chat.model.state import Me, State
from aws_iot.errors import NotAccepted, SessionEnded, TakenOver
from tests.chats import PASSWORD
from tests.fakes import FakeApp, FakeCloud, FakeConnection
from tests.unit.test_chat_reducer import BEGAN


@pytest.fixture
def pauses(app: FakeApp) -> list[float]:
    """The seconds between attempts."""
    found: list[float] = []
    app.controls.pause = found.append
    return found


@pytest.fixture
def connector(app: FakeApp, cloud: FakeCloud) -> Callable[[], Connector]:
    """Makes the connector of a chat, whose open room is the lobby."""

    def make() -> Connector:
        if "alice" not in cloud.accounts:
            cloud.member("alice", PASSWORD)
        profile = app.config.profiles.load("default")
        request = SignInRequest("alice", PASSWORD, is_explicit=True)
        person = app.auth.login(profile).sign_in(request, NoPrompter("default"))
        state = State(Me(person.identity, "alice"), presence=Presence(ON, "chat-1"))
        start(state, ["lobby"], {}, (), BEGAN)
        return Connector(app, Chatter(profile, person.identity, "alice", person), state)

    return make


def opened(connector: Connector, *ended: Exception) -> FakeConnection:
    connection = connector.connect(*ended).connection  # type: ignore[arg-type]  # one error, or none
    assert isinstance(connection, FakeConnection)
    return connection


def test_each_run_has_a_temporary_session_of_its_own_which_its_connections_share(
    connector: Callable[[], Connector],
) -> None:
    one, other = connector(), connector()
    connections = [opened(one), opened(other), opened(one, SessionEnded("it has expired"))]
    assert connections[0].durable == connections[2].durable != connections[1].durable
    assert all(one.is_temporary and one.will for one in connections)


def test_a_session_that_somebody_has_taken_is_left_to_them(connector: Callable[[], Connector]) -> None:
    one = connector()
    assert opened(one).durable != opened(one, TakenOver("another program took over")).durable


def test_a_room_in_which_you_may_not_write_costs_the_will_but_not_the_session(
    connector: Callable[[], Connector], cloud: FakeCloud, pauses: list[float]
) -> None:
    one = connector()
    session = opened(one).durable
    cloud.closed_rooms.add("lobby")
    connection = opened(one)
    assert (connection.will, connection.durable, connection.is_temporary) == (None, session, True)
    [pause] = pauses  # one CONNECT a second for each client ID
    assert 0 <= pause <= 1


def test_a_policy_without_sessions_costs_the_session(
    connector: Callable[[], Connector], cloud: FakeCloud
) -> None:
    cloud.forbids_sessions = True
    connection = opened(connector())
    assert (connection.will, connection.durable, connection.is_temporary) == (None, None, False)


def test_a_session_is_not_resumed_once_a_connection_without_one_has_received(
    connector: Callable[[], Connector], cloud: FakeCloud
) -> None:
    """It would deliver again what that connection has received."""
    one = connector()
    before = opened(one).durable
    cloud.forbids_sessions = True
    assert opened(one).durable is None
    cloud.forbids_sessions = False
    assert opened(one).durable not in (before, None)


def test_without_an_admin_who_accepts_you_nothing_helps(
    connector: Callable[[], Connector], cloud: FakeCloud, pauses: list[float]
) -> None:
    one = connector()
    cloud.members.clear()
    with pytest.raises(NotAccepted) as refused:
        one.connect()
    assert refused.value.hint
