"""Streams: pace, what is on the way at once, what became of each, and going on from there."""

import threading

import pytest

from aws_iot.errors import AwsIotError, NotAuthorized, ServiceRefused, TopicRefused, Unreachable
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Done, Publication
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.publisher import UNACKNOWLEDGED, Pace, Stream, Tally
from tests.fakes import FakeApp, FakeCloud, FakeConnection
from tests.waiting import DEADLINE_SECONDS


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_messages_are_spread_over_a_second() -> None:
    clock = Clock()
    pace = Pace(100, 0, clock)
    for _ in range(1000):
        clock.now += pace.pause(10)
    assert clock.now == pytest.approx(9.99)


def test_large_messages_are_spread_by_their_bytes() -> None:
    clock = Clock()
    pace = Pace(100, 1000, clock)
    for _ in range(10):
        clock.now += pace.pause(500)
    assert clock.now == pytest.approx(4.5)


def test_who_paused_may_catch_up_by_a_fiftieth_of_a_second_and_no_more() -> None:
    clock = Clock()
    pace = Pace(100, 0, clock)
    clock.now = 1000.0
    started = 0
    while pace.pause(0) == 0:
        started += 1
    assert started in (2, 3)


def test_a_pace_can_rest() -> None:
    clock = Clock()
    pace = Pace(100, 0, clock)
    clock.now = 1000.0
    pace.rest(0.5)
    assert [pace.pause(0), pace.pause(0)] == pytest.approx([0.5, 0.51])


def test_without_limits_there_is_no_pause() -> None:
    pace = Pace(0, 0, Clock())
    assert {pace.pause(10**9) for _ in range(100)} == {0.0}


def test_a_stream_is_settled_up_to_the_first_that_is_not() -> None:
    tally = Tally()
    settled = []
    for number in (2, 3, 1, 5):
        tally.settle(number)
        settled.append(tally.settled)
    assert settled == [0, 0, 3, 3]


class Held(FakeConnection):
    """Acknowledges only when it is told to."""

    def __init__(self, cloud: FakeCloud, identity: str) -> None:
        super().__init__(cloud, identity)
        self.held: list[Done] = []
        self.full = threading.Event()

    def send(self, publication: Publication, done: Done) -> None:
        self.held.append(done)
        if len(self.held) == UNACKNOWLEDGED:
            self.full.set()

    def answer(self, error: AwsIotError | None = None) -> None:
        for done in self.held:
            done(error)
        self.held.clear()


@pytest.fixture
def held(cloud: FakeCloud) -> Held:
    return Held(cloud, cloud.member("alice", "Passw0rd"))


def stream_over(app: FakeApp, held: Held, told: list[tuple[int, str]]) -> Stream:
    client: Client = app.client(app.profiles.load("default"), held, "us-east-1:x", "alice")
    return Stream(
        [client],
        rate=0,
        on_link=lambda _: None,
        on_refused=lambda number, _, error: told.append((number, str(error))),
    )


def test_no_more_is_on_the_way_than_aws_allows(app: FakeApp, held: Held) -> None:
    stream = stream_over(app, held, [])

    def answer() -> None:
        while held.full.wait(DEADLINE_SECONDS):
            held.full.clear()
            assert len(held.held) == UNACKNOWLEDGED
            held.answer()
            if stream.tally.acknowledged == 300:
                return

    broker = threading.Thread(target=answer)
    broker.start()
    for number in range(1, 301):
        stream.put(number, Outgoing("lobby", b"x", str(number)))
    stream.finish()
    broker.join()
    assert (stream.tally.sent, stream.tally.acknowledged, stream.tally.settled) == (300, 300, 300)


def test_what_the_broker_does_not_take_is_told_with_its_number(app: FakeApp, held: Held) -> None:
    told: list[tuple[int, str]] = []
    stream = stream_over(app, held, told)
    stream.put(1, Outgoing("lobby", b"x", "1"))
    held.answer()
    stream.put(2, Outgoing("lobby", b"x", "2"))
    held.answer(ServiceRefused("too much"))
    stream.finish()
    assert told == [(2, "too much")]
    assert (stream.tally.acknowledged, stream.tally.refused, stream.tally.settled) == (1, 1, 2)


def test_what_ends_a_connection_ends_the_stream_with_its_reason(app: FakeApp, held: Held) -> None:
    stream = stream_over(app, held, [])
    stream.put(1, Outgoing("lobby", b"x", "1"))
    held.answer(Unreachable("the connection has ended"))
    held.events.put(NotAuthorized("the broker ended the connection: not authorized"))
    with pytest.raises(NotAuthorized):
        stream.put(2, Outgoing("lobby", b"x", "2"))
    with pytest.raises(Unreachable):
        stream.finish()


def test_a_room_that_is_refused_does_not_stop_the_others(app: FakeApp, held: Held) -> None:
    told: list[tuple[int, str]] = []
    stream = stream_over(app, held, told)
    for number, error in ((1, None), (2, TopicRefused("no")), (3, None)):
        stream.put(number, Outgoing(f"room-{number}", b"x", str(number)))
        held.answer(error)
    stream.finish()
    assert told == [(2, "no")]
    assert stream.tally.settled == 3


def test_refusals_that_could_not_be_told_since_that_was_broken_off_are_told_later(
    app: FakeApp, held: Held
) -> None:
    told: list[int] = []

    def tell(number: int, _: Outgoing | None, __: AwsIotError) -> None:
        told.append(number)
        if told == [1]:
            raise KeyboardInterrupt

    client: Client = app.client(app.profiles.load("default"), held, "us-east-1:x", "alice")
    stream = Stream([client], rate=0, on_link=lambda _: None, on_refused=tell)
    for number in (1, 2, 3):
        stream.put(number, Outgoing("lobby", b"x", str(number)))
    held.answer(ServiceRefused("no"))
    with pytest.raises(KeyboardInterrupt):
        stream.look()
    assert stream.told == 0
    stream.tell()
    assert set(told) == {1, 2, 3}
    assert stream.told == 3


def test_what_is_refused_at_once_is_told_before_it_counts_as_settled(app: FakeApp, held: Held) -> None:
    settled: list[int] = []
    client: Client = app.client(app.profiles.load("default"), held, "us-east-1:x", "alice")
    stream = Stream(
        [client], rate=0, on_link=lambda _: None, on_refused=lambda *_: settled.append(stream.tally.settled)
    )
    stream.refuse(1, ServiceRefused("no"))
    assert (settled, stream.tally.settled) == ([0], 1)


def test_that_a_message_is_acknowledged_is_told_before_all_counts_as_settled(
    app: FakeApp, held: Held
) -> None:
    acknowledged: list[tuple[str, int]] = []
    client: Client = app.client(app.profiles.load("default"), held, "us-east-1:x", "alice")
    stream = Stream(
        [client],
        rate=0,
        on_link=lambda _: None,
        on_refused=lambda *_: None,
        on_acknowledged=lambda one: acknowledged.append((one, stream.tally.settled)),
    )
    stream.put(1, Outgoing("lobby", b"x", "id"))
    held.answer()
    assert (acknowledged, stream.tally.settled) == ([("id", 0)], 1)
