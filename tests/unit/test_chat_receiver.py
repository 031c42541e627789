"""The receiver: nothing that arrives is lost when connections end, and what may be missing is told."""

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws_iot.backoff import Backoff
from aws_iot.chat.model import events as on
from aws_iot.chat.model.state import Link, Status
from aws_iot.chat.parts.receiver import Receiver
from aws_iot.chat.parts.rooms import Line, Rooms
from aws_iot.errors import AwsIotError, TopicRefused, Unreachable
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Lost, Publication, Restored
from tests.chats import say
from tests.fakes import POOL, FakeCloud, FakeConnection
from tests.waiting import DEADLINE_SECONDS, wait_until

ME, BOB = "us-east-1:a11ce", "us-east-1:b0b"
AT = datetime(2026, 11, 27, 12, tzinfo=UTC)


class NoSender:
    """Nothing is sent."""

    def attach(self, client: Client) -> None: ...
    def hold(self) -> None: ...
    def release(self) -> None: ...
    def detach(self) -> None: ...


class Running:
    """A receiver on the broker in memory, and what it tells."""

    def __init__(self, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.told: list[on.Event] = []
        self.ended: list[AwsIotError | None] = []
        self.has_network = True
        self.prepare: Callable[[FakeConnection], None] = lambda _: None
        """What is done to each new connection."""
        self.receiver = Receiver(
            self._connect,
            None,
            NoSender(),
            self.told.append,
            lambda: datetime.now(UTC),
            key="team",
            backoff=Backoff(0.01, 1, 0.01),
        )

    def _connect(self, ended: AwsIotError | None) -> Line:
        self.ended.append(ended)
        if not self.has_network:
            raise Unreachable("no network")
        connection = FakeConnection(self.cloud, ME, "session", is_temporary=True)
        self.prepare(connection)
        return Line(client_of(connection), connection)

    @property
    def connection(self) -> FakeConnection:
        return self.cloud.connections[-1]

    def begin(self, *rooms: str) -> FakeConnection:
        for room in rooms:
            self.receiver.join(room)
        self.receiver.start()
        self.wait_for(lambda: self.joined >= {*rooms})
        return self.connection

    def again(self) -> FakeConnection:
        """The connection ends for good; the next one, with all rooms."""
        before, count = self.connection, len(self.told)
        before.events.put(Unreachable("the connection has ended"))
        self.wait_for(lambda: self.connection is not before)
        self.wait_for(lambda: any(isinstance(one, on.RoomsJoined) for one in self.told[count:]))
        return self.connection

    def wait_for(self, happened: Callable[[], bool]) -> None:
        wait_until(happened, lambda: self.told)

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.told if isinstance(event, kind)]

    @property
    def joined(self) -> set[str]:
        return {room for event in self.of(on.RoomsJoined) for room in event.rooms}

    @property
    def texts(self) -> list[str]:
        return [message.text for event in self.of(on.Received) for message in event.messages]


def client_of(connection: FakeConnection) -> Client:
    return Client(connection, pool=POOL, identity=ME, username="alice", now=lambda: AT, new_id=str)


@pytest.fixture
def running() -> Iterator[Running]:
    cloud = FakeCloud()
    cloud.members.add(ME)
    one = Running(cloud)
    yield one
    one.receiver.close()


def filters_of(connection: FakeConnection) -> set[str]:
    return {one.split("/")[1] for one in connection._filters}


def test_what_has_arrived_just_before_the_connection_ends_is_shown(running: Running) -> None:
    connection = running.begin("lobby")
    for number in range(5):
        connection.events.put(Publication(f"{POOL}/lobby/{BOB}", b"%d" % number, qos=0))
    connection.events.put(Unreachable("the connection has ended"))
    running.wait_for(lambda: running.texts == ["0", "1", "2", "3", "4"])


def test_what_the_next_connection_delivers_again_is_shown_once(running: Running) -> None:
    first = running.begin("lobby")
    first.on_acknowledge = lambda: failing(Unreachable("the connection has ended"))
    say(running.cloud, "lobby", "hello", sender=BOB, properties=[("id", "1")])
    running.wait_for(lambda: running.connection is not first)
    say(running.cloud, "lobby", "again", sender=BOB, properties=[("id", "2")])
    running.wait_for(lambda: "again" in running.texts)
    assert running.texts == ["hello", "again"]


def test_a_lost_session_is_told_for_the_rooms_that_were_joined(running: Running) -> None:
    connection = running.begin("lobby", "ops")
    before = datetime.now(UTC)
    connection.events.put(Lost("no network", silent=40.0))
    running.wait_for(lambda: Link.LOST in [one.status.link for one in running.of(on.StatusChanged)])
    after = datetime.now(UTC)
    running.receiver.join("new")
    connection.events.put(Restored(may_miss=True))
    running.wait_for(lambda: "new" in running.joined)
    told = running.of(on.Missed)
    assert {one.room for one in told} == {"lobby", "ops"}
    assert before <= told[0].since + timedelta(seconds=40) <= after <= told[0].until


def test_a_session_that_was_resumed_leaves_no_gap(running: Running) -> None:
    connection = running.begin("lobby")
    connection.events.put(Lost("no network"))
    connection.events.put(Restored())
    running.again()
    running.again()
    say(running.cloud, "lobby", "hello", sender=BOB)
    running.wait_for(lambda: running.texts == ["hello"])
    assert running.of(on.Missed) == []


def test_a_new_connection_whose_session_the_broker_no_longer_has_tells_since_when(running: Running) -> None:
    connection = running.begin("lobby")
    running.prepare = lambda connection: setattr(connection, "is_resumed", False)
    connection.events.put(Lost("no network", silent=40.0))
    running.again()
    [missed] = running.of(on.Missed)
    assert missed.room == "lobby"
    assert missed.until - missed.since >= timedelta(seconds=40)
    kinds = [type(event) for event in running.told]
    assert kinds.index(on.Missed) < len(kinds) - kinds[::-1].index(on.RoomsJoined)
    running.prepare = lambda _: None
    running.again()
    assert len(running.of(on.Missed)) == 1, "it is told once"


def test_a_session_that_only_a_failed_attempt_has_made_is_no_resumed_one(running: Running) -> None:
    """The second connection had no session to resume, and its subscription failed. The third resumes that one."""
    running.begin("lobby")

    def prepare(connection: FakeConnection) -> None:
        if len(running.cloud.connections) == 2:
            connection.is_resumed = False
            connection.on_subscribed = lambda: failing(Unreachable("the broker does not answer"))

    running.prepare = prepare
    running.again()
    assert len(running.cloud.connections) == 3
    assert running.connection.is_resumed
    assert [missed.room for missed in running.of(on.Missed)] == ["lobby"]


def test_a_connection_that_ends_while_it_subscribes_again_may_miss_messages(running: Running) -> None:
    connection = running.begin("lobby")
    connection.may_miss = True
    running.again()
    assert [missed.room for missed in running.of(on.Missed)] == ["lobby"]


def failing(error: Exception) -> None:
    raise error


def test_a_call_that_fails_ends_the_connection_but_not_the_session(running: Running) -> None:
    first = running.begin("lobby")
    first.on_subscribed = lambda: failing(Unreachable("the broker has not granted the subscription"))
    running.receiver.join("ops")
    running.wait_for(lambda: "ops" in running.joined)
    assert running.connection is not first
    assert running.connection.is_resumed
    assert isinstance(running.ended[-1], Unreachable)
    assert running.of(on.Missed) == []


def test_what_has_happened_while_a_call_waited_that_fails_is_not_lost(running: Running) -> None:
    """Without a session, or with QoS 0, nobody sends the message again."""
    first = running.begin("lobby")

    def wait_in_vain() -> None:
        first.events.put(Publication(f"{POOL}/lobby/{BOB}", b"hello", qos=0))
        first.events.put(Lost("no answer", silent=40.0))
        raise Unreachable("the broker has not granted the subscription")

    first.on_subscribed = wait_in_vain
    running.prepare = lambda connection: setattr(connection, "is_resumed", False)
    running.receiver.join("ops")
    running.wait_for(lambda: "ops" in running.joined)
    assert running.texts == ["hello"]
    [missed] = running.of(on.Missed)
    assert missed.until - missed.since >= timedelta(seconds=40)


def test_the_pause_before_a_new_connection_is_told_and_can_be_ended(running: Running) -> None:
    backoff, failures = Backoff(3600, 1, 3600), [Unreachable("no network")]

    def connect(ended: AwsIotError | None) -> Line:
        if failures:
            raise failures.pop()
        return running._connect(ended)

    receiver = Receiver(
        connect, None, NoSender(), running.told.append, lambda: AT, key="team", backoff=backoff
    )
    receiver.start()
    running.wait_for(lambda: len(running.of(on.RetryPlanned)) == 1)
    [planned] = running.of(on.RetryPlanned)
    assert AT + timedelta(minutes=59) < planned.at <= AT + timedelta(hours=1)
    receiver.reconnect()
    running.wait_for(lambda: running.told[-1] == on.StatusChanged(Status(Link.ONLINE)))
    assert running.of(on.RetryPlanned)[-1].at is None
    receiver.close()


def test_the_pause_of_a_connection_that_reconnects_is_told_and_can_be_ended(running: Running) -> None:
    connection = running.begin("lobby")
    connection.next_attempt = time.monotonic() + 3600
    connection.events.put(Lost("no network"))
    running.wait_for(lambda: len(running.of(on.RetryPlanned)) == 1)
    running.receiver.reconnect()
    running.wait_for(lambda: len(running.of(on.RetryPlanned)) == 2)
    assert running.of(on.RetryPlanned)[-1].at is None
    assert running.connection is connection


def test_quitting_ends_the_session(running: Running) -> None:
    connection = running.begin("lobby")
    running.receiver.close()
    assert connection.closed
    assert running.cloud.sessions == {}


def test_quitting_does_not_wait_for_a_broker_that_does_not_answer(running: Running) -> None:
    connection, asked = running.begin("lobby"), threading.Event()

    def wait() -> None:
        asked.set()
        wait_until(lambda: connection.closed)
        raise Unreachable("the connection was closed")

    connection.on_subscribed = wait
    running.receiver.join("ops")
    assert asked.wait(DEADLINE_SECONDS)
    running.receiver.close(1.0)
    assert connection.closed
    assert running.cloud.sessions == {}


def test_a_room_that_is_left_without_a_connection_is_left_as_soon_as_there_is_one(running: Running) -> None:
    connection = running.begin("lobby", "ops", "news")
    connection.events.put(Lost("no network"))
    running.wait_for(lambda: Link.LOST in [one.status.link for one in running.of(on.StatusChanged)])
    running.receiver.leave("ops")
    running.receiver.leave("news")
    running.receiver.join("news")
    running.receiver.join("later")
    connection.events.put(Restored())
    running.wait_for(lambda: "later" in running.joined)
    assert filters_of(connection) == {"lobby", "news", "later"}


def test_a_room_that_is_left_between_two_connections_is_left_in_the_session(running: Running) -> None:
    connection = running.begin("lobby", "ops")
    running.has_network = False
    connection.events.put(Unreachable("the connection has ended"))
    running.wait_for(lambda: connection.closed)
    running.receiver.leave("ops")
    running.receiver.join("last")
    running.has_network = True
    running.wait_for(lambda: "last" in running.joined)
    assert running.connection.is_resumed
    assert filters_of(running.connection) == {"lobby", "last"}


def test_a_refused_room_has_no_gap_before_it_is_joined(running: Running) -> None:
    def refuse(connection: FakeConnection) -> None:
        connection.on_subscribed = lambda: (
            failing(TopicRefused("no")) if "ops" in filters_of(connection) else None
        )

    running.prepare = refuse
    running.begin("lobby")
    running.receiver.join("ops")
    running.wait_for(lambda: bool(running.of(on.JoinFailed)))
    assert running.of(on.Missed) == []


def test_a_machine_that_was_asleep_has_missed_what_was_sent_since_then(running: Running) -> None:
    times = [AT]
    rooms = Rooms(running.told.append, lambda: times[-1])
    connection = FakeConnection(running.cloud, ME, "session", is_temporary=True)
    rooms.attach(Line(client_of(connection), connection))
    rooms.add("lobby")
    rooms.update()
    for seconds in (0.2, 0.4, 36_000.4, 36_000.6):  # it sleeps for ten hours
        times.append(AT + timedelta(seconds=seconds))
        rooms.beat()
    times.append(AT + timedelta(seconds=36_030))
    rooms.lost(silent=29)
    times.append(AT + timedelta(seconds=36_032))
    rooms.restored(may_miss=True)
    fell_asleep = AT + timedelta(seconds=0.4)
    assert running.of(on.Missed) == [on.Missed("lobby", fell_asleep, times[-1])]
    times.append(AT + timedelta(seconds=40_000))  # and the next loss, long after that
    rooms.beat()
    for seconds in range(40_000, 40_200, 5):
        times.append(AT + timedelta(seconds=seconds))
        rooms.beat()
    rooms.lost(silent=10)
    rooms.restored(may_miss=True)
    assert running.of(on.Missed)[-1] == on.Missed("lobby", times[-1] - timedelta(seconds=10), times[-1])


class Watched:
    """Rooms, and a clock that the test moves."""

    def __init__(self) -> None:
        self.at = AT
        self.told: list[on.Event] = []
        self.cloud = FakeCloud()
        self.cloud.members.add(ME)
        self.rooms = Rooms(self.told.append, lambda: self.at)

    def attach(self) -> FakeConnection:
        connection = FakeConnection(self.cloud, ME, "session", is_temporary=True)
        self.rooms.attach(Line(client_of(connection), connection))
        return connection

    def wait(self, seconds: float, *, runs: bool = True) -> None:
        end = self.at + timedelta(seconds=seconds)
        while runs and self.at < end:
            self.at += timedelta(seconds=1)
            self.rooms.beat()
        self.at = end

    @property
    def missed(self) -> list[tuple[str, float, float]]:
        """Of which rooms, and from which second to which."""
        return [
            (event.room, (event.since - AT).total_seconds(), (event.until - AT).total_seconds())
            for event in self.told
            if isinstance(event, on.Missed)
        ]


def test_the_time_that_connecting_takes_is_not_taken_for_sleep() -> None:
    watched = Watched()
    watched.wait(30, runs=False)
    watched.attach()
    watched.rooms.add("lobby")
    watched.rooms.update()
    watched.wait(60)
    watched.rooms.lost(silent=0.0)
    watched.wait(5)
    watched.rooms.restored(may_miss=True)
    assert watched.missed == [("lobby", 90, 95)]


@pytest.mark.parametrize(("seconds", "missed"), [(3590, []), (3700, [("lobby", 10, 3710)])])
def test_no_broker_keeps_the_session_for_more_than_an_hour(
    seconds: float, missed: list[tuple[str, float, float]]
) -> None:
    """It may know an empty one, of an attempt whose answer was lost."""
    watched = Watched()
    watched.attach()
    watched.rooms.add("lobby")
    watched.rooms.update()
    watched.wait(10)
    watched.rooms.lost(silent=0.0)
    watched.wait(seconds)
    watched.rooms.restored(may_miss=False)
    assert watched.missed == missed


def test_a_room_that_was_refused_for_a_while_may_have_missed_messages_although_the_session_was_kept() -> None:
    watched = Watched()
    first = watched.attach()
    watched.rooms.add("lobby")
    watched.rooms.update()
    watched.rooms.detach()
    first.leave(keeps_session=True)
    watched.wait(5)
    second = watched.attach()
    assert second.is_resumed
    second.on_subscribed = lambda: failing(TopicRefused("no"))
    watched.rooms.update()
    watched.wait(5)
    second.on_subscribed = lambda: None
    watched.rooms.add("lobby")
    watched.rooms.update()
    assert watched.missed == [("lobby", 0, 10)]
