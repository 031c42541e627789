"""`aws_iot.connect` with the services in memory: which sign-in it uses, without a prompt."""

import threading
from collections.abc import Callable

import pytest

from aws_iot.api import connect_with, publish_many
from aws_iot.deadline import within
from aws_iot.errors import (
    AwsIotError,
    InvalidMessage,
    InvalidRoom,
    LocalError,
    NotAuthorized,
    SignInRefused,
    Unreachable,
    WrongPassword,
)
from aws_iot.messaging.composer import MAX_PAYLOAD_BYTES
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.message import encode
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud
from tests.waiting import DEADLINE_SECONDS, MOMENT_SECONDS


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


def test_an_empty_password_counts_as_none(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice -p Passw0rd")
    with connect_with(app, "default", None, "", None) as client:
        assert client.username == "alice"


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
    cloud.sessions.clear()
    with connect_with(app, "default", "alice", "Passw0rd", "desk") as client:
        assert client.subscribe("ops").is_discarded


@pytest.mark.parametrize("name", ["", "../../evil", "a/b", "é", "a" * 33, "a\n"])
def test_an_invalid_name_of_a_durable_session_is_rejected_before_anything_is_sent(
    app: FakeApp, cloud: FakeCloud, name: str
) -> None:
    with pytest.raises(LocalError, match="use 1 to 32 letters"):
        connect_with(app, "default", "alice", "Passw0rd", name)
    assert cloud.connections == []


# -- conversation and history


def test_a_client_that_saves_has_what_it_sent_and_received(app: FakeApp, cloud: FakeCloud) -> None:
    bob = cloud.member("bob", "Passw0rd")
    with connect_with(app, "default", "alice", "Passw0rd", None, save=True) as client:
        client.subscribe("lobby")
        sent = client.publish("lobby", "hello")
        publish_many(client, "lobby", ["one", "two"], rate=0)
        cloud.deliver(f"{POOL}/lobby/{bob}", encode("welcome, Alice"))
        messages = client.messages(timeout=DEADLINE_SECONDS)
        received = [next(messages) for _ in range(4)]
        saved = client.history("lobby")
        assert [entry.message.text for entry in saved] == ["hello", "one", "two", "welcome, Alice"]
        assert [one.id for one in received[:3]] == [entry.message.id for entry in saved[:3]]
        assert received[0]._replace(received=sent.received) == sent
        [found] = client.search("alice", "lobby")
        assert found.message.sender == bob
        assert client.history("ops") == client.search("hello", "ops") == []
        assert client.history(count=1, senders=["alice"])[0].message.text == "two"
    with connect_with(app, "default", "alice", "Passw0rd", None) as client:
        client.publish("lobby", "not saved")
        assert len(client.history()) == 4


def test_a_conversation_is_about_messages_or_their_ids(app: FakeApp, cloud: FakeCloud) -> None:
    bob = cloud.member("bob", "Passw0rd")
    with connect_with(app, "default", "alice", "Passw0rd", None, save=True) as client:
        client.subscribe("lobby")
        cloud.deliver(f"{POOL}/lobby/{bob}", encode("from the npm tool"))
        question = next(client.messages(timeout=DEADLINE_SECONDS))
        assert question.id is None
        reply = client.reply(question, "an answer")
        client.edit(reply, "a better answer")
        reaction = client.react(reply.id or "", "👍")
        assert client.history()[-1].reactions[0].text == "👍"
        client.delete(reaction)
        [first, entry] = client.history()
        assert (entry.message.text, entry.is_edited, entry.reactions) == ("a better answer", True, ())
        assert entry.reply_to
        assert entry.reply_to.text == "from the npm tool"
        assert entry.message.re == first.id
        client.delete("last")
        assert [entry.is_deleted for entry in client.history()] == [False, True]
        before = len(cloud.published)
        refusals: list[tuple[Callable[[], object], type[AwsIotError]]] = [
            (lambda: client.delete(question), NotAuthorized),
            (lambda: client.edit(first, "no"), NotAuthorized),
            (lambda: client.edit(client.history()[1], "no"), InvalidMessage),
            (lambda: client.reply("unknown", "no"), LocalError),
            (lambda: client.react(question, "x" * 33), InvalidMessage),
            (lambda: client.search('"open'), LocalError),
        ]
        for refused, error in refusals:
            with pytest.raises(error):
                refused()
        assert len(cloud.published) == before


def test_a_profile_can_forbid_saving_and_a_full_folder_is_a_warning(app: FakeApp) -> None:
    profile = app.config.profiles.load("default")
    with connect_with(app, profile._replace(history=False), "alice", "Passw0rd", None, save=True) as client:
        client.publish("lobby", "hello")
        assert client.history() == []
    folder = app.settings.folders.history("default")
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("a file in the place of the folder")
    with connect_with(app, "default", "alice", "Passw0rd", None, save=True) as client:
        with pytest.warns(RuntimeWarning, match="not saved from now on"):
            client.publish("lobby", "hello")
        client.publish("lobby", "hello again")


# -- publishing many messages


@pytest.mark.parametrize(
    ("room", "message", "error"),
    [
        ("bad#room", "x", InvalidRoom),
        ("lobby", b"x" * (MAX_PAYLOAD_BYTES + 1), InvalidMessage),
        ("lobby", "x" * MAX_PAYLOAD_BYTES, InvalidMessage),
    ],
    ids=["room", "bytes", "text"],
)
def test_publish_many_stops_at_a_message_that_cannot_be_sent(
    app: FakeApp, cloud: FakeCloud, room: str, message: str | bytes, error: type[Exception]
) -> None:
    with connect_with(app, "default", "alice", "Passw0rd", None) as client:
        publish_many(client, "lobby", ["before"], rate=0)
        with pytest.raises(error):
            within(
                DEADLINE_SECONDS, lambda: publish_many(client, room, [message, "after"], rate=0), "it hangs"
            )
    assert len(cloud.published) == 1


def test_publish_many_keeps_what_happens_to_the_connection_for_events(app: FakeApp, cloud: FakeCloud) -> None:
    lost, restored = Lost("the network is gone"), Restored()
    with connect_with(app, "default", "alice", "Passw0rd", None) as client:
        client.subscribe("lobby")
        [connection] = cloud.connections
        client.publish("lobby", "first")
        connection.events.put(lost)
        client.publish("lobby", "second")
        connection.events.put(restored)
        assert publish_many(client, "lobby", ["third"]) == 1
        happened: list[str | Lost | Restored] = []
        for event in client.events(DEADLINE_SECONDS):
            if isinstance(event, Delivery):
                happened.append(event.message.text)
                event.ack()
            elif isinstance(event, Lost | Restored):
                happened.append(event)
            if "third" in happened:
                break
    assert happened == ["first", lost, "second", restored, "third"]


@pytest.mark.parametrize("rate", [0, None])
def test_publish_many_after_close_raises(app: FakeApp, cloud: FakeCloud, rate: float | None) -> None:
    client = connect_with(app, "default", "alice", "Passw0rd", None)
    client.close()
    with pytest.raises(Unreachable, match="the connection was closed"):
        publish_many(client, "lobby", ["hello"], rate=rate)
    assert cloud.published == []


def test_closing_the_client_ends_the_wait_of_another_thread_for_an_event(app: FakeApp) -> None:
    client = connect_with(app, "default", "alice", "Passw0rd", None)
    messages = client.messages("lobby")
    closing = threading.Timer(MOMENT_SECONDS, client.close)
    closing.start()
    with pytest.raises(Unreachable, match="the connection was closed"):
        within(DEADLINE_SECONDS, lambda: list(messages), "it hangs")
    closing.join()


def test_messages_that_were_kept_for_events_are_not_received_after_close(app: FakeApp) -> None:
    client = connect_with(app, "default", "alice", "Passw0rd", None)
    client.subscribe("lobby")
    publish_many(client, "lobby", ["kept"])
    client.close()
    with pytest.raises(Unreachable, match="the connection was closed"):
        next(client.messages())
