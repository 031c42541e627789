"""The contract of `Connection`, under the policies of the template."""

import queue
from dataclasses import dataclass

import pytest

from aws_iot.errors import AwsIotError, NotAccepted, TopicRefused
from aws_iot.messaging.connection import Connection, Publication
from tests.contracts.conftest import World
from tests.waiting import DEADLINE_SECONDS, MOMENT_SECONDS


@dataclass(frozen=True)
class Member:
    """A member with a connection."""

    pool: str
    identity: str
    connection: Connection

    def topic(self, room: str) -> str:
        return f"{self.pool}/{room}/{self.identity}"


def connect(world: World, username: str) -> Member:
    world.account(username)
    credentials = world.credentials(username)
    world.services.accept(credentials.identity)
    return Member(world.profile.identity_pool_id, credentials.identity, world.connect(credentials))


def test_an_identity_that_is_not_accepted_cannot_connect(world: World, username: str) -> None:
    world.account(username)
    credentials = world.credentials(username)
    with pytest.raises(NotAccepted, match=credentials.identity) as refused:
        world.connect(credentials)
    assert refused.value.hint


def test_a_subscriber_receives_a_publication_unchanged(world: World, username: str) -> None:
    alice, bob = connect(world, username), connect(world, f"{username}-2")
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    said = Publication(bob.topic("lobby"), b'{"msg":"hi"}', (("id", "1"), ("name", "Bob"), ("id", "2")))
    bob.connection.publish(said)
    assert alice.connection.receive(DEADLINE_SECONDS) == said


def test_any_bytes_can_be_published(world: World, username: str) -> None:
    alice = connect(world, username)
    alice.connection.subscribe([f"{alice.pool}/#"])
    for payload in (b"", b"\xff\x00\x1b", b"x" * 100_000):
        alice.connection.publish(Publication(alice.topic("lobby"), payload))
        assert alice.connection.receive(DEADLINE_SECONDS) == Publication(alice.topic("lobby"), payload)


def test_publications_arrive_in_order(world: World, username: str) -> None:
    alice = connect(world, username)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    for number in range(50):
        alice.connection.publish(Publication(alice.topic("lobby"), str(number).encode()))
    received = [alice.connection.receive(DEADLINE_SECONDS) for _ in range(50)]
    assert [event.payload for event in received if isinstance(event, Publication)] == [
        b"%d" % n for n in range(50)
    ]


def test_unsubscribing_affects_only_its_filters(world: World, username: str) -> None:
    alice = connect(world, username)
    alice.connection.subscribe([f"{alice.pool}/a/+", f"{alice.pool}/b/+"])
    alice.connection.unsubscribe([f"{alice.pool}/a/+", f"{alice.pool}/never-asked-for/+"])
    for room in ("a", "b"):
        alice.connection.publish(Publication(alice.topic(room), b"x"))
    assert alice.connection.receive(DEADLINE_SECONDS) == Publication(alice.topic("b"), b"x")


def test_other_rooms_are_not_received(world: World, username: str) -> None:
    alice = connect(world, username)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    alice.connection.publish(Publication(alice.topic("other"), b"x"))
    assert alice.connection.receive(MOMENT_SECONDS) is None


def test_two_filters_are_granted_at_once(world: World, username: str) -> None:
    alice = connect(world, username)
    alice.connection.subscribe([f"{alice.pool}/a/+", f"{alice.pool}/b/+"])
    alice.connection.publish(Publication(alice.topic("b"), b"x"))
    assert alice.connection.receive(DEADLINE_SECONDS) == Publication(alice.topic("b"), b"x")


def test_an_identity_cannot_publish_under_another(world: World, username: str) -> None:
    alice, bob = connect(world, username), connect(world, f"{username}-2")
    with pytest.raises(TopicRefused, match="not authorized to publish") as refused:
        bob.connection.publish(Publication(alice.topic("lobby"), b"x"))
    assert refused.value.exit_code == 5


def test_a_rejected_publication_does_not_end_the_connection(world: World, username: str) -> None:
    alice = connect(world, username)
    with pytest.raises(TopicRefused):
        alice.connection.publish(Publication(f"other-pool/lobby/{alice.identity}", b"x"))
    alice.connection.publish(Publication(alice.topic("lobby"), b"x"))


def test_the_rooms_of_another_pool_cannot_be_subscribed_to(world: World, username: str) -> None:
    alice = connect(world, username)
    with pytest.raises(TopicRefused, match="not authorized to subscribe"):
        alice.connection.subscribe(["us-east-1:99999999-0000-0000-0000-000000000000/#"])


def test_publications_are_acknowledged_and_delivered_in_order(world: World, username: str) -> None:
    alice = connect(world, username)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    told: queue.SimpleQueue[tuple[int, AwsIotError | None]] = queue.SimpleQueue()
    for number in range(250):
        alice.connection.send(
            Publication(alice.topic("lobby"), str(number).encode()),
            lambda error, number=number: told.put((number, error)),  # type: ignore[misc]
        )
    assert [told.get(timeout=DEADLINE_SECONDS) for _ in range(250)] == [
        (number, None) for number in range(250)
    ]
    for number in range(250):
        event = alice.connection.receive(DEADLINE_SECONDS)
        assert isinstance(event, Publication)
        assert event.payload == b"%d" % number
        alice.connection.acknowledge()


def test_a_rejection_is_reported_to_the_sender(world: World, username: str) -> None:
    alice = connect(world, username)
    told: queue.SimpleQueue[AwsIotError | None] = queue.SimpleQueue()
    alice.connection.send(Publication(f"other-pool/lobby/{alice.identity}", b"x"), told.put)
    assert isinstance(told.get(timeout=DEADLINE_SECONDS), TopicRefused)
    alice.connection.send(Publication(alice.topic("lobby"), b"x"), told.put)
    assert told.get(timeout=DEADLINE_SECONDS) is None


def test_qos_0_needs_no_acknowledgement(world: World, username: str) -> None:
    alice = connect(world, username)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    alice.connection.publish(Publication(alice.topic("lobby"), b"x", qos=0))
    assert alice.connection.receive(DEADLINE_SECONDS) == Publication(alice.topic("lobby"), b"x", qos=0)


def test_a_slow_reader_receives_everything(world: World, username: str) -> None:
    alice = connect(world, username)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    for number in range(150):
        alice.connection.publish(Publication(alice.topic("lobby"), str(number).encode()))
    got: list[bytes] = []
    while len(got) < 150:
        event = alice.connection.receive(DEADLINE_SECONDS)
        assert isinstance(event, Publication)
        got.append(event.payload)
        if len(got) % 50 == 0:
            alice.connection.acknowledge()
    assert got == [b"%d" % number for number in range(150)]


def test_receiving_ends_after_the_timeout(world: World, username: str) -> None:
    assert connect(world, username).connection.receive(0.1) is None


def test_a_connection_can_be_closed_twice(world: World, username: str) -> None:
    connection = connect(world, username).connection
    connection.close()
    connection.close()
