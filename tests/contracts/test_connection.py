"""What every `Connection` has to do, under the policies of the template."""

import queue
from dataclasses import dataclass

import pytest

from aws_iot.errors import AwsIotError, NotAccepted, TopicRefused
from aws_iot.messaging.connection import Connection, Publication
from tests.contracts.conftest import World
from tests.waiting import DEADLINE_SECONDS, MOMENT_SECONDS


@dataclass(frozen=True)
class Member:
    """Somebody who is connected."""

    pool: str
    identity: str
    connection: Connection

    def topic(self, room: str) -> str:
        return f"{self.pool}/{room}/{self.identity}"


def enter(world: World, username: str) -> Member:
    world.account(username)
    credentials = world.credentials(username)
    world.services.accept(credentials.identity)
    return Member(world.profile.identity_pool_id, credentials.identity, world.connect(credentials))


def test_an_identity_that_nobody_accepted_cannot_connect(world: World, username: str) -> None:
    world.account(username)
    credentials = world.credentials(username)
    with pytest.raises(NotAccepted, match=credentials.identity) as refused:
        world.connect(credentials)
    assert refused.value.hint


def test_what_is_published_reaches_a_subscriber_as_it_was(world: World, username: str) -> None:
    alice, bob = enter(world, username), enter(world, f"{username}-2")
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    said = Publication(bob.topic("lobby"), b'{"msg":"hi"}', (("id", "1"), ("name", "Bob"), ("id", "2")))
    bob.connection.publish(said)
    assert alice.connection.receive(DEADLINE_SECONDS) == said


def test_any_bytes_can_be_published(world: World, username: str) -> None:
    alice = enter(world, username)
    alice.connection.subscribe([f"{alice.pool}/#"])
    for payload in (b"", b"\xff\x00\x1b", b"x" * 100_000):
        alice.connection.publish(Publication(alice.topic("lobby"), payload))
        assert alice.connection.receive(DEADLINE_SECONDS) == Publication(alice.topic("lobby"), payload)


def test_messages_of_a_publisher_arrive_in_order(world: World, username: str) -> None:
    alice = enter(world, username)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    for number in range(50):
        alice.connection.publish(Publication(alice.topic("lobby"), str(number).encode()))
    received = [alice.connection.receive(DEADLINE_SECONDS) for _ in range(50)]
    assert [event.payload for event in received if isinstance(event, Publication)] == [
        b"%d" % n for n in range(50)
    ]


def test_what_is_unsubscribed_is_not_heard_any_more_and_the_rest_is(world: World, username: str) -> None:
    alice = enter(world, username)
    alice.connection.subscribe([f"{alice.pool}/a/+", f"{alice.pool}/b/+"])
    alice.connection.unsubscribe([f"{alice.pool}/a/+", f"{alice.pool}/never-asked-for/+"])
    for room in ("a", "b"):
        alice.connection.publish(Publication(alice.topic(room), b"x"))
    assert alice.connection.receive(DEADLINE_SECONDS) == Publication(alice.topic("b"), b"x")


def test_a_room_that_was_not_asked_for_is_not_heard(world: World, username: str) -> None:
    alice = enter(world, username)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    alice.connection.publish(Publication(alice.topic("other"), b"x"))
    assert alice.connection.receive(MOMENT_SECONDS) is None


def test_two_filters_are_granted_at_once(world: World, username: str) -> None:
    alice = enter(world, username)
    alice.connection.subscribe([f"{alice.pool}/a/+", f"{alice.pool}/b/+"])
    alice.connection.publish(Publication(alice.topic("b"), b"x"))
    assert alice.connection.receive(DEADLINE_SECONDS) == Publication(alice.topic("b"), b"x")


def test_nobody_can_publish_under_the_id_of_another(world: World, username: str) -> None:
    alice, bob = enter(world, username), enter(world, f"{username}-2")
    with pytest.raises(TopicRefused, match="not authorized to publish") as refused:
        bob.connection.publish(Publication(alice.topic("lobby"), b"x"))
    assert refused.value.exit_code == 5


def test_a_connection_outlives_a_refused_publication(world: World, username: str) -> None:
    alice = enter(world, username)
    with pytest.raises(TopicRefused):
        alice.connection.publish(Publication(f"other-pool/lobby/{alice.identity}", b"x"))
    alice.connection.publish(Publication(alice.topic("lobby"), b"x"))


def test_nobody_can_hear_the_rooms_of_another_pool(world: World, username: str) -> None:
    alice = enter(world, username)
    with pytest.raises(TopicRefused, match="not authorized to subscribe"):
        alice.connection.subscribe(["us-east-1:99999999-0000-0000-0000-000000000000/#"])


def test_what_is_handed_over_is_acknowledged_in_order_and_arrives_in_order(
    world: World, username: str
) -> None:
    alice = enter(world, username)
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


def test_who_hands_over_is_told_of_a_refusal(world: World, username: str) -> None:
    alice = enter(world, username)
    told: queue.SimpleQueue[AwsIotError | None] = queue.SimpleQueue()
    alice.connection.send(Publication(f"other-pool/lobby/{alice.identity}", b"x"), told.put)
    assert isinstance(told.get(timeout=DEADLINE_SECONDS), TopicRefused)
    alice.connection.send(Publication(alice.topic("lobby"), b"x"), told.put)
    assert told.get(timeout=DEADLINE_SECONDS) is None


def test_a_publication_may_leave_without_an_acknowledgement(world: World, username: str) -> None:
    alice = enter(world, username)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    alice.connection.publish(Publication(alice.topic("lobby"), b"x", qos=0))
    assert alice.connection.receive(DEADLINE_SECONDS) == Publication(alice.topic("lobby"), b"x", qos=0)


def test_a_reader_that_is_slow_gets_everything(world: World, username: str) -> None:
    alice = enter(world, username)
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


def test_waiting_ends_in_time_where_nothing_comes(world: World, username: str) -> None:
    assert enter(world, username).connection.receive(0.1) is None


def test_closing_twice_is_fine(world: World, username: str) -> None:
    connection = enter(world, username).connection
    connection.close()
    connection.close()
