"""Client: topics and their limits, what is sent, and what is heard."""

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

from aws_iot.errors import InvalidMessage, InvalidRoom, TopicRefused, Unreachable
from aws_iot.messaging.client import (
    EVENTS_AT_ONCE,
    MAX_FILTERS_PER_SUBSCRIBE,
    MAX_PAYLOAD_BYTES,
    MAX_SUBSCRIPTIONS,
    REMEMBERED_IDS,
    Client,
    checked_payload,
)
from aws_iot.messaging.connection import Done, Event, Lost, Publication, Restored
from aws_iot.messaging.durable import DurableSession
from aws_iot.messaging.message import Message, Properties, encode
from aws_iot.messaging.topics import MAX_TOPIC_BYTES, check_pattern, check_room, place, topic, topic_filter

POOL = "us-east-1:00000000-0000-0000-0000-000000000000"
ALICE = "us-east-1:4f9fa251-0000-0000-0000-000000000001"
BOB = "us-east-1:b0b00000-0000-0000-0000-000000000002"
NOW = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
ROOM_BYTES = MAX_TOPIC_BYTES - len(f"{POOL}//{ALICE}")
FRAME_BYTES = len('{"msg":""}')


class Recorder:
    """A connection that keeps what it is asked to do, and on which these events happen."""

    def __init__(self, events: Iterable[Event] = (), refusal: Exception | None = None) -> None:
        self.published: list[tuple[str, bytes, Properties]] = []
        self.subscribed: list[list[str]] = []
        self.unsubscribed: list[list[str]] = []
        self.is_resumed = False
        self.received = 0
        self.acknowledged: list[int] = []
        self._events = deque(events)
        self._refusal = refusal

    def leave(self) -> None:
        raise AssertionError("unused")

    def acknowledge(self, deliveries: int | None = None) -> None:
        assert deliveries
        self.acknowledged.append(deliveries)

    def send(self, publication: Publication, done: Done) -> None:
        raise AssertionError("unused")

    def publish(self, publication: Publication) -> None:
        if self._refusal:
            raise self._refusal
        self.published.append(publication[:3])

    def subscribe(self, filters: Sequence[str]) -> None:
        if self._refusal:
            raise self._refusal
        self.subscribed.append(list(filters))

    def unsubscribe(self, filters: Sequence[str]) -> None:
        self.unsubscribed.append(list(filters))

    def receive(self, timeout: float | None = None) -> Event | None:
        if not self._events:
            return None
        self.received += 1
        return self._events.popleft()

    def close(self) -> None:
        self._events.clear()


def client_of(connection: Recorder) -> Client:
    ids = count(1)
    return Client(
        connection,
        pool=POOL,
        identity=ALICE,
        name="alice",
        now=lambda: NOW,
        new_id=lambda: f"id-{next(ids)}",
    )


def heard(*events: Event) -> list[Message | Lost | Restored]:
    return list(client_of(Recorder(events)).events())


def texts(*events: Event) -> list[str]:
    return [message.text for message in heard(*events) if isinstance(message, Message)]


def delivery(text: str, message_id: str | None = None, sender: str = BOB, room: str = "lobby") -> Publication:
    properties = () if message_id is None else (("id", message_id),)
    return Publication(f"{POOL}/{room}/{sender}", encode(text), properties)


@pytest.mark.parametrize("room", ["lobby", "a/b/c", "日本 😀", " ", "/", "$aws", "a" * ROOM_BYTES])
def test_a_topic_is_pool_room_identity_and_says_its_room_and_sender(room: str) -> None:
    assert topic(POOL, room, ALICE) == f"{POOL}/{room}/{ALICE}"
    assert place(POOL, topic(POOL, room, ALICE)) == (room, ALICE)


@pytest.mark.parametrize(
    ("room", "told"),
    [
        ("", "needs a name"),
        ("+", "wildcard"),
        ("#", "wildcard"),
        ("lob+by", "wildcard"),
        ("lobby/#", "wildcard"),
        ("lob\0by", "MQTT forbids"),
        ("\ud800", "not valid UTF-8"),
        ("1/2/3/4/5/6/7", "more than 5 slashes"),
        ("a" * (ROOM_BYTES + 1), f"{ROOM_BYTES + 1} bytes long, and can be {ROOM_BYTES} here"),
        ("é" * ROOM_BYTES, f"{2 * ROOM_BYTES} bytes long, and can be {ROOM_BYTES} here"),
    ],
    ids=lambda value: value[:20],
)
def test_a_room_that_no_topic_can_be_made_of_is_refused(room: str, told: str) -> None:
    with pytest.raises(InvalidRoom, match=told):
        topic(POOL, room, ALICE)
    if told != "wildcard":
        with pytest.raises(InvalidRoom, match=told):
            topic_filter(POOL, room, ALICE)


def test_a_topic_has_seven_slashes_at_most() -> None:
    assert topic(POOL, "1/2/3/4/5/6", ALICE).count("/") == 7
    with pytest.raises(InvalidRoom, match="slashes"):
        topic(POOL, "1/2/3/4/5/6/", ALICE)


@pytest.mark.parametrize("character", ["a", "é", "日", "😀"])
def test_a_topic_has_256_bytes_at_most_whatever_its_characters_take(character: str) -> None:
    size = len(character.encode())
    longest = character * (ROOM_BYTES // size) + "a" * (ROOM_BYTES % size)
    assert len(topic(POOL, longest, ALICE).encode()) == 256
    with pytest.raises(InvalidRoom, match=f"can be {ROOM_BYTES} here"):
        topic(POOL, longest + "a", ALICE)


def test_a_room_s_length_is_checked_before_it_is_known_who_speaks() -> None:
    check_room(POOL, "a" * ROOM_BYTES)
    with pytest.raises(InvalidRoom, match=f"can be {ROOM_BYTES} here"):
        check_room(POOL, "a" * (ROOM_BYTES + 1))


def test_everybody_in_a_room_is_heard_by_one_filter() -> None:
    assert topic_filter(POOL, "lobby", ALICE) == f"{POOL}/lobby/+"


@pytest.mark.parametrize(
    ("pattern", "filter_"),
    [
        ("#", f"{POOL}/#"),
        ("+", f"{POOL}/+/+"),
        ("ops/#", f"{POOL}/ops/#"),
        ("ops/+", f"{POOL}/ops/+/+"),
        ("+/db/#", f"{POOL}/+/db/#"),
    ],
)
def test_the_rooms_of_a_pattern_are_heard_by_one_filter(pattern: str, filter_: str) -> None:
    assert topic_filter(POOL, pattern, ALICE) == filter_


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("lob+by", "stand for whole levels"),
        ("lobby#", "stand for whole levels"),
        ("ops/++", "stand for whole levels"),
        ("#/ops", "can only be last"),
        ("ops/#/+", "can only be last"),
        ("ops\t/#", "MQTT forbids"),
        ("1/2/3/4/5/6/+", "slashes"),
        ("1/2/3/4/5/6/7/#", "slashes"),
    ],
)
def test_a_pattern_that_no_filter_can_be_made_of_is_refused(pattern: str, told: str) -> None:
    with pytest.raises(InvalidRoom, match=told):
        topic_filter(POOL, pattern, ALICE)
    with pytest.raises(InvalidRoom, match=told):
        check_pattern(POOL, pattern)


@pytest.mark.parametrize(
    ("rooms", "heard_by"),
    [
        (["#", "lobby", "ops/+"], ["#"]),
        (["ops", "ops/db", "ops/#"], ["ops/#"]),
        (["ops/#", "ops/+/log", "lobby"], ["ops/#", "lobby/+"]),
        (["+", "lobby"], ["+/+"]),
        (["+", "ops/db"], ["+/+", "ops/db/+"]),
        (["+/db", "ops/+"], ["+/db/+", "ops/+/+"]),
    ],
)
def test_rooms_that_another_pattern_holds_are_not_subscribed_twice(
    rooms: list[str], heard_by: list[str]
) -> None:
    connection = Recorder()
    client_of(connection).subscribe(rooms)
    assert connection.subscribed == [[f"{POOL}/{f}" for f in heard_by]]


@pytest.mark.parametrize(
    ("where", "room", "sender"),
    [
        (f"{POOL}/lobby/{ALICE}", "lobby", ALICE),
        (f"{POOL}/a/b/{ALICE}", "a/b", ALICE),
        (f"{POOL}/{POOL}/lobby/{ALICE}", f"{POOL}/lobby", ALICE),
        (f"{POOL}//{ALICE}", "", ALICE),
        (f"{POOL}/{ALICE}", "", ALICE),
        (f"{POOL}/lobby/", "lobby", ""),
    ],
)
def test_the_sender_is_the_last_level_of_a_topic_and_the_room_what_stands_before(
    where: str, room: str, sender: str
) -> None:
    assert place(POOL, where) == (room, sender)


def test_what_is_said_goes_to_the_topic_of_the_speaker_with_id_time_and_name() -> None:
    connection = Recorder()
    client = client_of(connection)
    client.publish("lobby", "hi")
    client.publish("lobby", "hi")
    assert connection.published == [
        (
            f"{POOL}/lobby/{ALICE}",
            b'{"msg":"hi"}',
            (("id", message_id), ("sent", "2026-01-31T23:59:59.000Z"), ("name", "alice")),
        )
        for message_id in ("id-1", "id-2")
    ]


@pytest.mark.parametrize(
    ("room", "text", "refusal"),
    [
        ("lob#by", "hi", InvalidRoom),
        ("lobby", "\ud800", InvalidMessage),
        ("lobby", "a" * MAX_PAYLOAD_BYTES, InvalidMessage),
    ],
    ids=["room", "text", "size"],
)
def test_what_cannot_be_said_is_refused_before_anything_is_sent(
    room: str, text: str, refusal: type[Exception]
) -> None:
    connection = Recorder()
    with pytest.raises(refusal):
        client_of(connection).publish(room, text)
    assert connection.published == []


@pytest.mark.parametrize(
    "longest",
    [
        "a" * (128 * 1024 - FRAME_BYTES),
        "é" * ((128 * 1024 - FRAME_BYTES) // 2),
        '"' * ((128 * 1024 - FRAME_BYTES) // 2),
        "\0" * ((128 * 1024 - FRAME_BYTES) // 6) + "a" * ((128 * 1024 - FRAME_BYTES) % 6),
    ],
    ids=["ASCII", "two bytes each", "escaped", "control characters"],
)
def test_a_payload_has_128_kib_at_most_as_it_is_on_the_wire(longest: str) -> None:
    assert len(checked_payload(longest)) == 128 * 1024
    with pytest.raises(InvalidMessage, match=r"131,073 bytes on the wire.* 131,072 at most"):
        checked_payload(longest + "a")


def test_a_refusal_of_the_broker_reaches_who_speaks_or_enters() -> None:
    client = client_of(Recorder(refusal=TopicRefused("no")))
    with pytest.raises(TopicRefused):
        client.publish("lobby", "hi")
    with pytest.raises(TopicRefused):
        client.subscribe(["lobby"])


def test_entering_no_room_in_particular_is_entering_all() -> None:
    connection = Recorder()
    client_of(connection).subscribe([])
    assert connection.subscribed == [[f"{POOL}/#"]]


def test_a_room_that_is_named_twice_is_subscribed_once_in_the_order_given() -> None:
    connection = Recorder()
    client_of(connection).subscribe(["ops", "lobby", "ops", "lobby"])
    assert connection.subscribed == [[f"{POOL}/ops/+", f"{POOL}/lobby/+"]]


@pytest.mark.parametrize(
    ("rooms", "sizes"), [(1, [1]), (8, [8]), (9, [8, 1]), (16, [8, 8]), (50, [8, 8, 8, 8, 8, 8, 2])]
)
def test_more_than_eight_rooms_take_several_subscribes(rooms: int, sizes: list[int]) -> None:
    connection = Recorder()
    client_of(connection).subscribe([f"room-{n}" for n in range(rooms)])
    assert [len(filters) for filters in connection.subscribed] == sizes
    asked = [wanted for filters in connection.subscribed for wanted in filters]
    assert asked == [f"{POOL}/room-{n}/+" for n in range(rooms)]
    assert max(sizes) <= MAX_FILTERS_PER_SUBSCRIBE


def test_more_rooms_than_a_connection_may_hear_are_refused_before_anything_is_sent() -> None:
    connection = Recorder()
    with pytest.raises(InvalidRoom, match=r"51 rooms .* 50 on a connection"):
        client_of(connection).subscribe([f"room-{n}" for n in range(MAX_SUBSCRIPTIONS + 1)])
    assert connection.subscribed == []


def test_a_room_named_often_counts_once_against_the_limit() -> None:
    connection = Recorder()
    client_of(connection).subscribe(["lobby"] * 60)
    assert connection.subscribed == [[f"{POOL}/lobby/+"]]


def test_one_invalid_room_among_many_is_refused_before_anything_is_sent() -> None:
    connection = Recorder()
    with pytest.raises(InvalidRoom, match="wildcard"):
        client_of(connection).subscribe([*(f"room-{n}" for n in range(20)), "a#"])
    assert connection.subscribed == []


def test_a_message_is_heard_with_the_room_and_sender_of_its_topic() -> None:
    properties = (("name", "bob"), ("id", "1"), ("sent", "2026-01-31T23:59:58Z"))
    assert heard(Publication(f"{POOL}/a/b/{BOB}", b'{"msg":"hi"}', properties)) == [
        Message(
            room="a/b",
            sender=BOB,
            text="hi",
            payload=b'{"msg":"hi"}',
            received=NOW,
            id="1",
            sent=datetime(2026, 1, 31, 23, 59, 58, tzinfo=UTC),
            name="bob",
        )
    ]


def test_what_happens_to_the_link_is_told_in_order_with_the_messages() -> None:
    lost, restored = Lost("the network is gone"), Restored()
    told = heard(delivery("before"), lost, restored, delivery("after"))
    assert told[1:3] == [lost, restored]
    assert [event.text for event in told if isinstance(event, Message)] == ["before", "after"]


def test_who_only_speaks_is_told_at_once_what_has_happened_to_the_link() -> None:
    lost, restored = Lost("the network is gone"), Restored()
    client = client_of(Recorder([lost, delivery("hi"), restored]))
    assert list(client.connection_events()) == [lost, restored]
    assert list(client.connection_events()) == []


def test_hearing_ends_when_no_event_comes_in_time() -> None:
    connection = Recorder([delivery("hi", "1"), delivery("hi", "1")])
    assert len(list(client_of(connection).events(0.5))) == 1


def test_hearing_ends_in_time_although_events_keep_coming() -> None:
    connection = Recorder(delivery(str(number)) for number in range(10 * EVENTS_AT_ONCE))
    heard = client_of(connection).events(0)
    assert list(heard) == []


def test_what_is_heard_is_acknowledged_when_nothing_more_is_there() -> None:
    connection = Recorder(delivery(str(number)) for number in range(3))
    asked: list[int] = []

    def unsettled() -> None:
        asked.append(connection.received)
        assert connection.acknowledged == []  # not before it has been dealt with

    assert len(list(client_of(connection).events(unsettled=unsettled))) == 3
    assert asked == connection.acknowledged == [3]


def test_what_is_heard_is_acknowledged_now_and_then_although_more_is_there() -> None:
    connection = Recorder(delivery(str(number)) for number in range(2 * EVENTS_AT_ONCE + 1))
    list(client_of(connection).events())
    assert connection.acknowledged == [EVENTS_AT_ONCE, EVENTS_AT_ONCE, 1]


def test_what_has_not_been_dealt_with_is_not_acknowledged_and_is_asked_about_again() -> None:
    connection = Recorder([delivery("hi")])
    heard: list[Message | Lost | Restored] = []
    asked = iter([True, True, False])

    def unsettled() -> Message | None:
        [message] = heard
        assert isinstance(message, Message)
        return message if next(asked) else None

    for event in client_of(connection).events(unsettled=unsettled):
        heard.append(event)
    assert next(asked, None) is None
    assert connection.acknowledged == [1]


def test_what_came_before_the_first_that_is_not_dealt_with_is_acknowledged() -> None:
    # Also the second copy and the room that was not entered, of which the reader does not know.
    ids = ["1", "1", "2", None, "3", "4"]
    rooms = ["lobby", "lobby", "lobby", "other", "lobby", "lobby"]
    connection = Recorder(delivery("x", i, room=room) for i, room in zip(ids, rooms, strict=True))
    place = client_of(connection)
    place.subscribe(["lobby"])
    heard: list[Message] = []
    counts: list[int] = []

    def unsettled() -> Message | None:
        counts.append(len(heard))
        return next((message for message in heard if message.id == "3"), None) if len(counts) < 9 else None

    for event in place.events(unsettled=unsettled, at_once=1):
        assert isinstance(event, Message)
        heard.append(event)
    assert connection.acknowledged == [1, 1, 1, 1, 2]
    assert [message.id for message in heard] == ["1", "2", "3", "4"]


def test_what_the_reader_has_not_come_back_from_is_not_acknowledged() -> None:
    connection = Recorder([delivery("one"), delivery("two")])
    heard = client_of(connection).events()
    next(heard)
    next(heard)
    heard.close()  # type: ignore[attr-defined]  # a generator
    assert connection.acknowledged == []


def test_a_room_that_was_not_asked_for_is_not_heard() -> None:
    connection = Recorder([delivery("old", room="lobby"), delivery("new", room="ops")])
    client = client_of(connection)
    client.subscribe(["ops"])
    assert [event.text for event in client.events() if isinstance(event, Message)] == ["new"]
    assert connection.acknowledged == [2]


def test_what_waits_in_a_session_from_a_room_that_is_left_is_heard_once_more(tmp_path: Path) -> None:
    session = DurableSession(tmp_path, "session", ALICE)
    assert client_of(Recorder()).subscribe(["lobby", "ops/#"], session) == []
    connection = Recorder([delivery("old", room="lobby"), delivery("new", room="ops")])
    client = client_of(connection)
    assert client.subscribe(["ops/#"], session) == ["lobby"]
    assert connection.unsubscribed == [[f"{POOL}/lobby/+"]]
    assert [event.text for event in client.events() if isinstance(event, Message)] == ["old", "new"]
    assert session.rooms() == ["ops/#"]


def test_a_room_that_is_heard_by_another_pattern_is_not_told_as_left(tmp_path: Path) -> None:
    session = DurableSession(tmp_path, "session", ALICE)
    client_of(Recorder()).subscribe(["lobby"], session)
    connection = Recorder()
    assert client_of(connection).subscribe([], session) == []
    assert connection.unsubscribed == [[f"{POOL}/lobby/+"]]


def test_a_room_that_could_not_be_left_is_left_the_next_time(tmp_path: Path) -> None:
    session = DurableSession(tmp_path, "session", ALICE)
    client_of(Recorder()).subscribe(["lobby"], session)
    with pytest.raises(Unreachable):
        client_of(Recorder(refusal=Unreachable("it is gone"))).subscribe(["ops"], session)
    assert session.rooms() == ["ops", "lobby"]


@pytest.mark.parametrize(
    "data", ["", "{", "[]", '{"rooms": 1}', '{"rooms": ["lobby"], "identity": "bob"}', "\\xff"]
)
def test_what_nobody_knows_of_a_session_is_nothing(tmp_path: Path, data: str) -> None:
    (tmp_path / "session.json").write_text(data)
    assert DurableSession(tmp_path, "session", ALICE).rooms() == []


def test_sessions_whose_names_differ_in_case_are_two(tmp_path: Path) -> None:
    DurableSession(tmp_path, "Desk", ALICE).note(["lobby"])
    DurableSession(tmp_path, "desk", ALICE).note(["ops"])
    assert DurableSession(tmp_path, "Desk", ALICE).rooms() == ["lobby"]
    assert len({path.name.lower() for path in tmp_path.iterdir()}) == 2


def test_how_a_message_was_delivered_is_known() -> None:
    said = Publication(f"{POOL}/lobby/{BOB}", b"x", qos=0, retain=True)
    [message] = heard(said)
    assert isinstance(message, Message)
    assert (message.qos, message.retained) == (0, True)


def test_a_message_that_is_delivered_twice_is_heard_once() -> None:
    assert texts(delivery("hi", "1"), delivery("hi", "1"), delivery("you", "2"), delivery("hi", "1")) == [
        "hi",
        "you",
    ]


def test_a_second_copy_is_noticed_after_the_link_was_lost() -> None:
    assert texts(delivery("hi", "1"), Lost("x"), Restored(), delivery("hi", "1")) == ["hi"]


def test_a_second_copy_is_noticed_by_the_next_hearing_too() -> None:
    client = client_of(Recorder([delivery("hi", "1"), delivery("hi", "1"), delivery("you", "2")]))
    assert isinstance(next(client.events()), Message)
    assert [event.text for event in client.events() if isinstance(event, Message)] == ["you"]


def test_messages_without_an_id_are_all_heard() -> None:
    assert texts(delivery("hi"), delivery("hi")) == ["hi", "hi"]


def test_nobody_silences_another_person_by_using_their_ids_first() -> None:
    assert texts(delivery("forged", "1", sender=ALICE), delivery("real", "1", sender=BOB)) == [
        "forged",
        "real",
    ]


def test_a_second_copy_is_noticed_among_as_many_messages_as_are_remembered() -> None:
    others = [delivery("other", f"other-{n}") for n in range(REMEMBERED_IDS - 1)]
    assert texts(delivery("hi", "1"), *others, delivery("hi", "1")).count("hi") == 1


def test_what_is_remembered_is_bounded() -> None:
    others = [delivery("other", f"other-{n}") for n in range(REMEMBERED_IDS)]
    assert texts(delivery("hi", "1"), *others, delivery("hi", "1")).count("hi") == 2
