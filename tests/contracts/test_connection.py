"""The contract of `Connection`, under the policies of the template."""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from aws_iot.auth.credentials import Credentials
from aws_iot.deadline import within
from aws_iot.errors import AwsIotError, NotAccepted, TopicRefused, Unreachable
from aws_iot.messaging.connection import Connection, Publication
from tests.contracts.conftest import World
from tests.waiting import DEADLINE_SECONDS, MOMENT_SECONDS


@dataclass(frozen=True)
class Member:
    """A member with a connection."""

    world: World
    credentials: Credentials
    pool: str
    identity: str
    connection: Connection

    def topic(self, room: str) -> str:
        return f"{self.pool}/{room}/{self.identity}"

    def again(self, durable: str, *, is_temporary: bool = False) -> "Member":
        """The same member after this connection was closed, in a durable session."""
        self.connection.close()
        return replace(
            self, connection=self.world.connect(self.credentials, durable, is_temporary=is_temporary)
        )

    def receive(self) -> bytes:
        """The payload of the next publication."""
        event = self.connection.receive(DEADLINE_SECONDS)
        assert isinstance(event, Publication)
        return event.payload


def connect(world: World, username: str, durable: str | None = None) -> Member:
    world.account(username)
    credentials = world.credentials(username)
    world.services.accept(credentials.identity)
    pool, connection = world.profile.identity_pool_id, world.connect(credentials, durable)
    return Member(world, credentials, pool, credentials.identity, connection)


def test_an_identity_that_is_not_accepted_cannot_connect(world: World, username: str) -> None:
    world.account(username)
    credentials = world.credentials(username)
    with pytest.raises(NotAccepted, match=credentials.identity) as refused:
        world.connect(credentials)
    assert refused.value.hint


def test_a_will_for_a_topic_that_the_identity_may_not_publish_to_rejects_the_connection(
    world: World, username: str
) -> None:
    alice = connect(world, username)
    own, other = Publication(alice.topic("lobby"), b"gone"), Publication(f"{alice.pool}/lobby/other", b"gone")
    world.connect(alice.credentials, will=own)
    with pytest.raises(NotAccepted):
        world.connect(alice.credentials, will=other)


def test_a_connection_that_is_closed_leaves_no_will(world: World, username: str) -> None:
    alice, bob = connect(world, username), connect(world, f"{username}-2")
    bob.connection.subscribe([f"{bob.pool}/lobby/+"])
    world.connect(alice.credentials, will=Publication(alice.topic("lobby"), b"gone")).close()
    alice.connection.publish(Publication(alice.topic("lobby"), b"later"))
    assert bob.receive() == b"later"


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


# -- durable sessions


def test_only_a_durable_session_is_resumed(world: World, username: str) -> None:
    alice = connect(world, username)
    assert not alice.connection.is_resumed
    alice = alice.again("desk")
    assert not alice.connection.is_resumed
    alice = alice.again("desk")
    assert alice.connection.is_resumed
    alice = alice.again("other-desk")
    assert not alice.connection.is_resumed


def test_a_durable_session_keeps_its_subscriptions_and_what_was_published_meanwhile(
    world: World, username: str
) -> None:
    alice, bob = connect(world, username, "desk"), connect(world, f"{username}-2")
    alice.connection.subscribe([f"{alice.pool}/lobby/+", f"{alice.pool}/old/+"])
    alice.connection.unsubscribe([f"{alice.pool}/old/+"])
    alice.connection.close()
    for room in ("lobby", "other", "old"):
        bob.connection.publish(Publication(bob.topic(room), room.encode()))
    alice = alice.again("desk")
    bob.connection.publish(Publication(bob.topic("lobby"), b"later"))
    assert [alice.receive(), alice.receive()] == [b"lobby", b"later"]


def test_the_oldest_deliveries_are_acknowledged_and_the_others_are_delivered_again(
    world: World, username: str
) -> None:
    alice = connect(world, username, "desk")
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    for number in range(5):
        alice.connection.publish(Publication(alice.topic("lobby"), b"%d" % number))
    assert [alice.receive() for _ in range(4)] == [b"0", b"1", b"2", b"3"]
    alice.connection.acknowledge(1)
    alice.connection.acknowledge(2)
    alice = alice.again("desk")
    assert [alice.receive() for _ in range(2)] == [b"3", b"4"]
    alice.connection.acknowledge()
    alice = alice.again("desk")
    assert alice.connection.is_resumed
    assert alice.connection.receive(MOMENT_SECONDS) is None


def test_a_temporary_session_ends_when_its_connection_is_closed(world: World, username: str) -> None:
    alice, bob = connect(world, username, "desk"), connect(world, f"{username}-2")
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    alice = alice.again("desk", is_temporary=True)
    assert alice.connection.is_resumed
    alice.connection.close()
    bob.connection.publish(Publication(bob.topic("lobby"), b"to nobody"))
    alice = alice.again("desk", is_temporary=True)
    assert not alice.connection.is_resumed
    bob.connection.publish(Publication(bob.topic("lobby"), b"nor this"))
    assert alice.connection.receive(MOMENT_SECONDS) is None


def test_a_temporary_session_can_be_kept_for_the_next_connection(world: World, username: str) -> None:
    alice, bob = connect(world, username, "desk"), connect(world, f"{username}-2")
    alice = alice.again("desk", is_temporary=True)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    bob.connection.publish(Publication(bob.topic("lobby"), b"handled"))
    bob.connection.publish(Publication(bob.topic("lobby"), b"not handled"))
    assert [alice.receive(), alice.receive()] == [b"handled", b"not handled"]
    alice.connection.acknowledge(1)
    alice.connection.leave(keeps_session=True)
    alice = alice.again("desk", is_temporary=True)
    assert alice.connection.is_resumed
    bob.connection.publish(Publication(bob.topic("lobby"), b"later"))
    assert [alice.receive(), alice.receive()] == [b"not handled", b"later"]
    assert not alice.connection.may_miss


# -- closing


def test_a_connection_that_leaves_can_be_closed(world: World, username: str) -> None:
    connections = [connect(world, f"{username}-{number}").connection for number in range(2)]
    for connection in connections:
        connection.leave()
        connection.leave()
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("ending", ["leave", "close"])
@pytest.mark.parametrize(
    "call",
    [
        lambda alice: alice.connection.publish(Publication(alice.topic("lobby"), b"x")),
        lambda alice: alice.connection.subscribe([f"{alice.pool}/lobby/+"]),
        lambda alice: alice.connection.unsubscribe([f"{alice.pool}/lobby/+"]),
        lambda alice: alice.connection.receive(),
        lambda alice: alice.connection.receive(0),
    ],
    ids=["publish", "subscribe", "unsubscribe", "receive", "receive without waiting"],
)
def test_a_call_after_closing_raises(
    world: World, username: str, ending: str, call: Callable[[Member], object]
) -> None:
    alice = connect(world, username)
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    alice.connection.publish(Publication(alice.topic("lobby"), b"not received"))
    getattr(alice.connection, ending)()
    with pytest.raises(Unreachable, match="the connection was closed"):
        within(DEADLINE_SECONDS, lambda: call(alice), "it hangs")


def test_what_is_sent_after_closing_is_reported_as_not_sent(world: World, username: str) -> None:
    alice = connect(world, username)
    alice.connection.close()
    reported: queue.SimpleQueue[AwsIotError | None] = queue.SimpleQueue()
    alice.connection.send(Publication(alice.topic("lobby"), b"x"), reported.put)
    error = reported.get(timeout=DEADLINE_SECONDS)
    assert isinstance(error, Unreachable)
    assert str(error) == "the connection was closed"


def test_an_acknowledgement_after_closing_does_nothing(world: World, username: str) -> None:
    alice = connect(world, username, "desk")
    alice.connection.subscribe([f"{alice.pool}/lobby/+"])
    alice.connection.publish(Publication(alice.topic("lobby"), b"x"))
    assert alice.receive() == b"x"
    alice.connection.close()
    alice.connection.acknowledge()
    assert alice.again("desk").receive() == b"x"


def test_closing_on_another_thread_ends_a_wait_for_the_next_event(world: World, username: str) -> None:
    connection = connect(world, username).connection
    closing = threading.Timer(MOMENT_SECONDS, connection.close)
    closing.start()
    with pytest.raises(Unreachable, match="the connection was closed"):
        within(DEADLINE_SECONDS, connection.receive, "it hangs")
    closing.join()
