"""The publisher: how many messages are unacknowledged at once, and what is reported of each."""

import threading

import pytest

from aws_iot.deadline import within
from aws_iot.errors import AwsIotError, InvalidRoom, NotAuthorized, ServiceRefused, TopicRefused, Unreachable
from aws_iot.messaging.connection import Done, Lost, Publication, Restored
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.pacing import MAX_UNACKNOWLEDGED
from aws_iot.publishing.publisher import Callbacks, Publisher, PublishStats
from tests.fakes import FakeApp, FakeCloud, FakeConnection
from tests.waiting import DEADLINE_SECONDS


def test_stats_are_settled_up_to_the_first_open_message() -> None:
    stats = PublishStats()
    settled = []
    for number in (2, 3, 1, 5):
        stats.settle(number)
        settled.append(stats.settled)
    assert settled == [0, 0, 3, 3]


class SlowConnection(FakeConnection):
    """Answers publishes only when the test calls `answer`."""

    def __init__(self, cloud: FakeCloud, identity: str) -> None:
        super().__init__(cloud, identity)
        self.unanswered: list[Done] = []
        self.full = threading.Event()

    def send(self, publication: Publication, done: Done) -> None:
        self.unanswered.append(done)
        if len(self.unanswered) == MAX_UNACKNOWLEDGED:
            self.full.set()

    def answer(self, error: AwsIotError | None = None) -> None:
        for done in self.unanswered:
            done(error)
        self.unanswered.clear()


@pytest.fixture
def connection(cloud: FakeCloud) -> SlowConnection:
    return SlowConnection(cloud, cloud.member("alice", "Passw0rd"))


def message(number: int) -> Outgoing:
    return Outgoing("lobby", b"x", str(number))


def publisher_over(app: FakeApp, connection: SlowConnection, callbacks: Callbacks) -> Publisher:
    client = app.messaging.client(app.config.profiles.load("default"), connection, "us-east-1:x", "alice")
    return Publisher([client], callbacks, rate=0)


def collecting(rejected: list[tuple[int, str]]) -> Callbacks:
    """Callbacks that collect the rejections."""
    return Callbacks(lambda number, _, error: rejected.append((number, str(error))))


def test_no_more_messages_are_unacknowledged_than_aws_allows(
    app: FakeApp, connection: SlowConnection
) -> None:
    publisher = publisher_over(app, connection, collecting([]))

    def answer() -> None:
        while connection.full.wait(DEADLINE_SECONDS):
            connection.full.clear()
            assert len(connection.unanswered) == MAX_UNACKNOWLEDGED
            connection.answer()
            if publisher.stats.acknowledged == 300:
                return

    broker = threading.Thread(target=answer)
    broker.start()
    for number in range(1, 301):
        publisher.publish(number, message(number))
    publisher.finish()
    broker.join()
    stats = publisher.stats
    assert (stats.sent, stats.acknowledged, stats.settled) == (300, 300, 300)


def test_a_rejected_message_is_reported_with_its_number(app: FakeApp, connection: SlowConnection) -> None:
    rejected: list[tuple[int, str]] = []
    publisher = publisher_over(app, connection, collecting(rejected))
    publisher.publish(1, message(1))
    connection.answer()
    publisher.publish(2, message(2))
    connection.answer(ServiceRefused("too much"))
    publisher.finish()
    assert rejected == [(2, "too much")]
    stats = publisher.stats
    assert (stats.acknowledged, stats.rejected, stats.settled) == (1, 1, 2)


def test_the_end_of_a_connection_ends_the_publisher_with_its_reason(
    app: FakeApp, connection: SlowConnection
) -> None:
    publisher = publisher_over(app, connection, collecting([]))
    publisher.publish(1, message(1))
    connection.answer(Unreachable("the connection has ended"))
    connection.events.put(NotAuthorized("the broker ended the connection: not authorized"))
    with pytest.raises(NotAuthorized):
        publisher.publish(2, message(2))
    with pytest.raises(Unreachable):
        publisher.finish()


UNANSWERED = Lost("no acknowledgement for 10 seconds", unanswered=True)


def test_a_broker_that_acknowledges_nothing_on_two_connections_ends_the_publisher(
    app: FakeApp, connection: SlowConnection
) -> None:
    publisher = publisher_over(app, connection, collecting([]))
    publisher.publish(1, message(1))
    for event in (UNANSWERED, Restored(), UNANSWERED):
        connection.events.put(event)
    with pytest.raises(
        Unreachable, match=r"^no acknowledgement for 10 seconds, on two connections in a row$"
    ):
        publisher.finish()


def test_a_broker_that_acknowledges_something_in_between_does_not_end_the_publisher(
    app: FakeApp, connection: SlowConnection
) -> None:
    publisher = publisher_over(app, connection, collecting([]))
    for number in range(1, 4):
        publisher.publish(number, message(number))
        for event in (Lost("it was cut"), UNANSWERED, Lost("it was cut", again=True)):
            connection.events.put(event)
        publisher.poll()
        connection.answer()
    publisher.finish()
    assert publisher.stats.acknowledged == 3


def test_a_publisher_that_may_not_give_up_waits_for_a_broker_that_acknowledges_nothing(
    app: FakeApp, connection: SlowConnection
) -> None:
    may_give_up = False
    publisher = publisher_over(app, connection, Callbacks(lambda *_: None, may_give_up=lambda: may_give_up))
    publisher.publish(1, message(1))
    for _ in range(3):
        connection.events.put(UNANSWERED)
    publisher.poll()
    may_give_up = True
    connection.events.put(UNANSWERED)
    with pytest.raises(Unreachable):
        publisher.poll()


def test_a_rejected_room_does_not_stop_the_others(app: FakeApp, connection: SlowConnection) -> None:
    rejected: list[tuple[int, str]] = []
    publisher = publisher_over(app, connection, collecting(rejected))
    for number, error in ((1, None), (2, TopicRefused("no")), (3, None)):
        publisher.publish(number, Outgoing(f"room-{number}", b"x", str(number)))
        connection.answer(error)
    publisher.finish()
    assert rejected == [(2, "no")]
    assert publisher.stats.settled == 3


def test_a_report_of_rejections_that_is_interrupted_is_completed_later(
    app: FakeApp, connection: SlowConnection
) -> None:
    reported: list[int] = []

    def report(number: int, _: Outgoing | None, __: AwsIotError) -> None:
        reported.append(number)
        if reported == [1]:
            raise KeyboardInterrupt

    publisher = publisher_over(app, connection, Callbacks(report))
    for number in (1, 2, 3):
        publisher.publish(number, message(number))
    connection.answer(ServiceRefused("no"))
    with pytest.raises(KeyboardInterrupt):
        publisher.poll()
    assert publisher.reported == 0
    publisher.report()
    assert set(reported) == {1, 2, 3}
    assert publisher.reported == 3


def test_a_message_that_cannot_be_sent_is_reported_before_it_counts_as_settled(
    app: FakeApp, connection: SlowConnection
) -> None:
    settled: list[int] = []
    publisher = publisher_over(app, connection, Callbacks(lambda *_: settled.append(publisher.stats.settled)))
    publisher.reject(1, ServiceRefused("no"))
    assert (settled, publisher.stats.settled) == ([0], 1)


def test_an_acknowledgement_is_reported_before_the_message_counts_as_settled(
    app: FakeApp, connection: SlowConnection
) -> None:
    acknowledged: list[tuple[str, int]] = []
    callbacks = Callbacks(
        lambda *_: None,
        acknowledged=lambda message_id: acknowledged.append((message_id, publisher.stats.settled)),
    )
    publisher = publisher_over(app, connection, callbacks)
    publisher.publish(1, message(1))
    connection.answer()
    assert (acknowledged, publisher.stats.settled) == ([("1", 0)], 1)


def test_a_message_that_the_client_cannot_send_is_not_waited_for(
    app: FakeApp, connection: SlowConnection
) -> None:
    publisher = publisher_over(app, connection, collecting([]))
    publisher.publish(1, message(1))
    with pytest.raises(InvalidRoom):
        publisher.publish(2, Outgoing("bad#room", b"x", "2"))
    connection.answer()
    within(DEADLINE_SECONDS, publisher.finish, "it hangs")
    assert (publisher.stats.sent, publisher.stats.acknowledged) == (1, 1)
