"""Receiving: which messages reach the sink, and when it ends."""

import math
import time
from collections.abc import Collection
from types import TracebackType
from typing import Self

import pytest

from aws_iot.errors import NothingArrived
from aws_iot.identities import IdentityPrefix
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Lost, Publication, Restored
from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.message import encode
from aws_iot.messaging.receiving import Limits, SenderFilter, receive
from tests.fakes import POOL, FakeApp, FakeCloud, FakeConnection
from tests.waiting import BRIEF_SECONDS, wait_until

ANN = "us-east-1:4f9fa251-0000-0000-0000-000000000001"
BOB = "us-east-1:b0b00000-0000-0000-0000-000000000002"
EVERYBODY = SenderFilter()


class Collector:
    """A sink that collects what happens to it, and acknowledges each message."""

    def __init__(self) -> None:
        self.happened: list[object] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def take(self, delivery: Delivery, ends: float = math.inf) -> bool:
        self.happened.append(delivery.message.text)
        delivery.ack()
        return True

    def flush(self) -> None:
        pass

    def finish(self, ends: float = math.inf) -> None:
        self.happened.append("finished")

    def check(self) -> None:
        pass


@pytest.fixture
def connection(cloud: FakeCloud) -> FakeConnection:
    return FakeConnection(cloud, cloud.member("alice", "Passw0rd"))


@pytest.fixture
def client(app: FakeApp, connection: FakeConnection) -> Client:
    return app.messaging.client(app.config.profiles.load("default"), connection, ANN, "ann")


def publication(text: str, sender: str = BOB) -> Publication:
    return Publication(f"{POOL}/lobby/{sender}", encode(text))


def test_it_ends_after_the_given_number_of_messages(client: Client, connection: FakeConnection) -> None:
    lost, restored = Lost("the network is gone"), Restored()
    for event in (publication("1"), lost, restored, publication("2"), publication("3")):
        connection.events.put(event)
    sink = Collector()
    assert receive(client.events(None), sink, EVERYBODY, Limits(2, None), sink.happened.append) == 2
    assert sink.happened == ["1", lost, restored, "2", "finished"]


class Waiter(Collector):
    """A sink that takes the rest of the time for each message, as a command can."""

    def take(self, delivery: Delivery, ends: float = math.inf) -> bool:
        wait_until(lambda: time.monotonic() >= ends)
        return super().take(delivery, ends)


def test_nothing_is_begun_after_the_time_is_up(client: Client, connection: FakeConnection) -> None:
    for text in "12":
        connection.events.put(publication(text))
    sink = Waiter()
    # The events would go on: their time and that of the limits do not begin at the same moment.
    assert receive(client.events(), sink, EVERYBODY, Limits(2, BRIEF_SECONDS), sink.happened.append) == 1
    assert sink.happened == ["1", "finished"]


def test_it_ends_when_the_time_is_up(client: Client, connection: FakeConnection) -> None:
    connection.events.put(publication("1"))
    sink, limits = Collector(), Limits(2, BRIEF_SECONDS)
    assert receive(client.events(limits.seconds), sink, EVERYBODY, limits, sink.happened.append) == 1
    assert sink.happened == ["1", "finished"]
    with pytest.raises(NothingArrived, match="1 of 2 messages arrived within 3 seconds"):
        limits.check(1)


def only(*senders: str, muted: Collection[str] = ()) -> SenderFilter:
    """A filter for these senders, as people write them."""
    return SenderFilter([one for text in senders if (one := IdentityPrefix.parse(text))], muted)


@pytest.mark.parametrize(
    ("senders", "accepted"),
    [
        (EVERYBODY, ["ann", "bob"]),
        (only(BOB), ["bob"]),
        (only("b0b00000"), ["bob"]),
        (SenderFilter(muted={ANN}), ["bob"]),
        (only(ANN, BOB, muted={ANN}), ["bob"]),
    ],
    ids=["everybody", "identity", "its start", "muted", "named and muted"],
)
def test_messages_of_other_senders_are_acknowledged_but_not_passed_on(
    client: Client, connection: FakeConnection, senders: SenderFilter, accepted: list[str]
) -> None:
    for text, sender in (("ann", ANN), ("bob", BOB)):
        connection.events.put(publication(text, sender))
    sink = Collector()
    receive(client.events(None), sink, senders, Limits(len(accepted), None), sink.happened.append)
    assert sink.happened == [*accepted, "finished"]
    assert connection.acknowledged == 2
