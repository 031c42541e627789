"""The scripted broker, as long as its script is agreeable, answers a client as the local stack's broker does."""

import queue
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from aws_iot.app import App
from aws_iot.auth.credentials import Credentials
from aws_iot.errors import AwsIotError
from aws_iot.messaging.connection import Connection, Publication
from tests.fakes import POOL, FakeCloud
from tests.processes import Stack
from tests.scripted_broker import Kind, ScriptedBroker
from tests.waiting import DEADLINE_SECONDS, wait_until


@dataclass(frozen=True)
class Client:
    """Somebody who is connected by the real adapter."""

    connection: Connection
    pool: str
    identity: str

    def said(self, text: str, qos: int = 1) -> Publication:
        return Publication(f"{self.pool}/lobby/{self.identity}", text.encode(), qos=qos)


@pytest.fixture(params=["scripted broker", "local stack"])
def client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """Connected to a broker that accepts everything it is asked for here."""
    with ExitStack() as opened:
        if request.param == "scripted broker":
            broker = opened.enter_context(ScriptedBroker())
            app, profile = App(), FakeCloud().profile._replace(endpoint=broker.endpoint)
            identity, expires = f"{POOL[:-4]}0001", datetime.now(UTC) + timedelta(hours=1)
            credentials = Credentials(identity, "ASIA", "secret", "token", expires)
        else:
            stack: Stack = request.getfixturevalue("stack")
            app, profile, person = stack.app(), stack.profile, stack.person()
            session = stack.sign_in(person.username)
            identity, credentials = person.identity, app.auth.issuer(profile).issue(session)
        connection = app.messaging.connect(profile, identity, lambda: credentials)
        opened.callback(connection.close)
        yield Client(connection, profile.identity_pool_id, identity)


def test_every_publication_is_acknowledged_in_order(client: Client) -> None:
    told: queue.SimpleQueue[tuple[int, AwsIotError | None]] = queue.SimpleQueue()
    for number in range(100):
        client.connection.send(
            client.said(str(number)),
            lambda error, number=number: told.put((number, error)),  # type: ignore[misc]
        )
    assert [told.get(timeout=DEADLINE_SECONDS) for _ in range(100)] == [(n, None) for n in range(100)]


def test_a_publication_with_qos_0_needs_no_acknowledgement(client: Client) -> None:
    client.connection.publish(client.said("x", qos=0))
    client.connection.publish(client.said("y"))


def test_filters_are_granted_and_taken_back(client: Client) -> None:
    filters = [f"{client.pool}/{room}/+" for room in "abcdefgh"]
    client.connection.subscribe(filters)
    client.connection.subscribe([f"{client.pool}/#"])
    client.connection.unsubscribe(filters[:1])
    client.connection.publish(client.said("still connected"))


def test_the_scripted_broker_notes_what_a_client_sends() -> None:
    with ScriptedBroker() as broker:
        profile = FakeCloud().profile._replace(endpoint=broker.endpoint)
        expires = datetime.now(UTC) + timedelta(hours=1)
        credentials = Credentials(POOL, "ASIA", "secret", "token", expires)
        connection = App().messaging.connect(profile, POOL, lambda: credentials)
        connection.subscribe(["a/+/c", "ä/#"])
        connection.publish(Publication("a/b/c", b"x"))
        connection.close()
        wait_until(lambda: bool(broker.of(Kind.DISCONNECT)), lambda: broker.received)
    assert [packet.kind for packet in broker.received] == [
        Kind.CONNECT,
        Kind.SUBSCRIBE,
        Kind.PUBLISH,
        Kind.DISCONNECT,
    ]
    assert broker.of(Kind.SUBSCRIBE)[0].filters == ["a/+/c", "ä/#"]
    assert broker.of(Kind.PUBLISH)[0].body.endswith(b"x")
