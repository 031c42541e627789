"""Client: what it publishes, which filters it subscribes to, and what it receives."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from time import sleep

import pytest

from aws_iot.api import publish_many
from aws_iot.errors import InvalidMessage, InvalidRoom, TopicRefused, Unreachable
from aws_iot.messaging.client import EVENTS_BEFORE_FLUSH, Client
from aws_iot.messaging.composer import MAX_PAYLOAD_BYTES, checked_payload
from aws_iot.messaging.connection import Done, Event, Lost, Publication, Restored
from aws_iot.messaging.deduplication import COPY_SECONDS, NUMBERS_PER_BLOCK, REMEMBERED_BLOCKS
from aws_iot.messaging.deliveries import Delivery, Flush
from aws_iot.messaging.durable import DurableSession
from aws_iot.messaging.message import Message, Properties, encode
from aws_iot.messaging.subscriptions import MAX_FILTERS_PER_SUBSCRIBE, MAX_SUBSCRIPTIONS, Subscribed

POOL = "us-east-1:00000000-0000-0000-0000-000000000000"
ALICE = "us-east-1:4f9fa251-0000-0000-0000-000000000001"
BOB = "us-east-1:b0b00000-0000-0000-0000-000000000002"
NOW = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
FRAME_BYTES = len('{"msg":""}')


class Recorder:
    """A connection that records what it is asked to do, and on which these events happen."""

    def __init__(self, events: Iterable[Event] = (), rejection: Exception | None = None) -> None:
        self.published: list[tuple[str, bytes, Properties]] = []
        self.subscribed: list[list[str]] = []
        self.unsubscribed: list[list[str]] = []
        self.acknowledged: list[int] = []
        self.waiting: list[Done] = []
        self.is_resumed = self.may_miss = False
        self.next_attempt: float | None = None
        self.is_closed = False
        self.acknowledgement_error: Exception | None = None
        self._events = deque(events)
        self._rejection = rejection

    def reconnect_now(self) -> None:
        raise AssertionError("unused")

    def leave(self, *, keeps_session: bool = False) -> None:
        raise AssertionError("unused")

    def acknowledge(self, deliveries: int | None = None) -> None:
        assert deliveries
        if self.acknowledgement_error:
            raise self.acknowledgement_error
        self.acknowledged.append(deliveries)

    def send(self, publication: Publication, done: Done) -> None:
        self.published.append(publication[:3])
        self.waiting.append(done)

    def publish(self, publication: Publication) -> None:
        if self._rejection:
            raise self._rejection
        self.published.append(publication[:3])

    def subscribe(self, filters: Sequence[str]) -> None:
        if self._rejection:
            raise self._rejection
        self.subscribed.append(list(filters))

    def unsubscribe(self, filters: Sequence[str]) -> None:
        self.unsubscribed.append(list(filters))

    def receive(self, timeout: float | None = None) -> Event | None:
        return self._events.popleft() if self._events else None

    def close(self) -> None:
        self.is_closed = True


def test_a_durable_session_may_have_the_name_of_a_device(tmp_path: Path) -> None:
    DurableSession(tmp_path, "con", ALICE).note(["lobby"])
    DurableSession(tmp_path, "con-1", ALICE).note(["ops"])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["con-1.json", "con=.json"]
    assert DurableSession(tmp_path, "con", ALICE).rooms() == ["lobby"]


class Saver:
    """What saves sent messages, in memory."""

    def __init__(self) -> None:
        self.added: list[Message] = []
        self.saved: list[Message] = []

    def add(self, message: Message) -> None:
        self.added.append(message)

    def flush(self) -> None:
        self.saved, self.added = self.saved + self.added, []


def client_of(
    connection: Recorder, durable: DurableSession | None = None, saver: Saver | None = None
) -> Client:
    ids = count(1)
    return Client(
        connection,
        pool=POOL,
        identity=ALICE,
        username="alice",
        now=lambda: NOW,
        new_id=lambda: f"id-{next(ids)}",
        durable=durable,
        sent_saver=saver,
    )


def received(client: Client, timeout: float | None = None) -> list[Message | Lost | Restored]:
    """What happens, each delivery acknowledged at once."""
    happened: list[Message | Lost | Restored] = []
    for event in client.events(timeout):
        if isinstance(event, Delivery):
            event.ack()
            happened.append(event.message)
        elif not isinstance(event, Flush):
            happened.append(event)
    return happened


def texts(*events: Event) -> list[str]:
    return [one.text for one in received(client_of(Recorder(events))) if isinstance(one, Message)]


def publication(
    text: str, message_id: str | None = None, sender: str = BOB, room: str = "lobby"
) -> Publication:
    properties = () if message_id is None else (("id", message_id),)
    return Publication(f"{POOL}/{room}/{sender}", encode(text), properties)


# -- publishing


def test_a_message_goes_to_the_topic_of_its_sender_with_id_time_and_name() -> None:
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


def test_kind_and_reference_travel_as_user_properties() -> None:
    connection = Recorder()
    client_of(connection).publish("lobby", "better", kind="edit", re="id-7")
    [(_, payload, properties)] = connection.published
    assert payload == b'{"msg":"better"}'
    assert properties[3:] == (("kind", "edit"), ("re", "id-7"))


def test_what_publish_returns_is_what_members_receive() -> None:
    connection = Recorder()
    sent = client_of(connection).publish("lobby", "hi", retain=True, re="id-7")
    [(topic, payload, properties)] = connection.published
    [copy] = received(client_of(Recorder([Publication(topic, payload, properties)])))
    assert sent == copy


def test_a_message_is_saved_once_the_broker_has_acknowledged_it() -> None:
    connection, saver = Recorder(), Saver()
    client = client_of(connection, saver=saver)
    sent = [client.publish("lobby", "1")]
    assert saver.saved == sent
    for text in ("2", "3"):
        client.publish_nowait(client.outgoing("lobby", text), lambda _: None)
    client.save_sent()
    assert saver.saved == sent
    second, third = connection.waiting
    second(TopicRefused("no"))
    third(None)
    client.save_sent()
    assert [message.text for message in saver.saved] == ["1", "3"]
    with pytest.raises(TopicRefused):
        client_of(Recorder(rejection=TopicRefused("no")), saver=saver).publish("lobby", "4")
    assert len(saver.saved) == 2
    assert saver.added == []


def test_bytes_are_published_as_they_are() -> None:
    connection = Recorder()
    client_of(connection).publish("lobby", b"\xff")
    assert [payload for _, payload, _ in connection.published] == [b"\xff"]


@pytest.mark.parametrize(
    ("room", "message", "error"),
    [
        ("lob#by", "hi", InvalidRoom),
        ("lobby", "\ud800", InvalidMessage),
        ("lobby", "a" * MAX_PAYLOAD_BYTES, InvalidMessage),
        ("lobby", b"a" * (MAX_PAYLOAD_BYTES + 1), InvalidMessage),
    ],
    ids=["room", "text", "size", "size of bytes"],
)
def test_an_invalid_message_is_rejected_before_anything_is_sent(
    room: str, message: str | bytes, error: type[Exception]
) -> None:
    connection = Recorder()
    with pytest.raises(error):
        client_of(connection).publish(room, message)
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
def test_a_payload_has_at_most_128_kib_on_the_wire(longest: str) -> None:
    assert len(checked_payload(longest)) == 128 * 1024
    with pytest.raises(InvalidMessage, match=r"131,073 bytes on the wire: the limit is 131,072 bytes"):
        checked_payload(longest + "a")


def test_a_rejection_by_the_broker_is_raised() -> None:
    client = client_of(Recorder(rejection=TopicRefused("no")))
    with pytest.raises(TopicRefused):
        client.publish("lobby", "hi")
    with pytest.raises(TopicRefused):
        client.subscribe("lobby")


# -- subscribing


def test_without_a_room_it_subscribes_to_every_room() -> None:
    connection = Recorder()
    client_of(connection).subscribe()
    assert connection.subscribed == [[f"{POOL}/#"]]


def test_a_room_named_twice_is_subscribed_to_once_in_the_given_order() -> None:
    connection = Recorder()
    client_of(connection).subscribe("ops", "lobby", "ops", "lobby")
    assert connection.subscribed == [[f"{POOL}/ops/+", f"{POOL}/lobby/+"]]


@pytest.mark.parametrize(
    ("rooms", "filters"),
    [
        (["#", "lobby", "ops/+"], ["#"]),
        (["ops", "ops/db", "ops/#"], ["ops/#"]),
        (["ops/#", "ops/+/log", "lobby"], ["ops/#", "lobby/+"]),
        (["+", "lobby"], ["+/+"]),
        (["+", "ops/db"], ["+/+", "ops/db/+"]),
        (["+/db", "ops/+"], ["+/db/+", "ops/+/+"]),
    ],
)
def test_a_room_that_a_pattern_covers_has_no_filter_of_its_own(rooms: list[str], filters: list[str]) -> None:
    connection = Recorder()
    client_of(connection).subscribe(*rooms)
    assert connection.subscribed == [[f"{POOL}/{f}" for f in filters]]


@pytest.mark.parametrize(
    ("rooms", "sizes"), [(1, [1]), (8, [8]), (9, [8, 1]), (16, [8, 8]), (50, [8, 8, 8, 8, 8, 8, 2])]
)
def test_more_than_eight_rooms_take_several_subscribes(rooms: int, sizes: list[int]) -> None:
    connection = Recorder()
    client_of(connection).subscribe(*(f"room-{n}" for n in range(rooms)))
    assert [len(filters) for filters in connection.subscribed] == sizes
    requested = [one for filters in connection.subscribed for one in filters]
    assert requested == [f"{POOL}/room-{n}/+" for n in range(rooms)]
    assert max(sizes) <= MAX_FILTERS_PER_SUBSCRIBE


def test_too_many_rooms_are_rejected_before_anything_is_sent() -> None:
    connection = Recorder()
    with pytest.raises(InvalidRoom, match=r"51 rooms .* 50 on a connection"):
        client_of(connection).subscribe(*(f"room-{n}" for n in range(MAX_SUBSCRIPTIONS + 1)))
    assert connection.subscribed == []


def test_a_room_named_often_counts_once_against_the_limit() -> None:
    connection = Recorder()
    client_of(connection).subscribe(*["lobby"] * 60)
    assert connection.subscribed == [[f"{POOL}/lobby/+"]]


def test_one_invalid_room_among_many_is_rejected_before_anything_is_sent() -> None:
    connection = Recorder()
    with pytest.raises(InvalidRoom, match="wildcard"):
        client_of(connection).subscribe(*(f"room-{n}" for n in range(20)), "a#")
    assert connection.subscribed == []


def test_subscribing_again_adds_rooms_and_replaces_filters_that_are_now_covered() -> None:
    connection = Recorder([publication("1", room="lobby"), publication("2", room="ops/db")])
    client = client_of(connection)
    client.subscribe("lobby", "ops/db")
    client.subscribe("lobby", "ops/#")
    assert connection.subscribed == [[f"{POOL}/lobby/+", f"{POOL}/ops/db/+"], [f"{POOL}/ops/#"]]
    assert connection.unsubscribed == [[f"{POOL}/ops/db/+"]]
    assert [message.text for message in client.messages("lobby")] == ["1", "2"]


def test_messages_without_a_room_subscribe_to_every_room_only_if_there_is_no_subscription() -> None:
    connection = Recorder()
    client = client_of(connection)
    assert list(client.messages()) == []
    assert connection.subscribed == [[f"{POOL}/#"]]
    connection = Recorder()
    client = client_of(connection)
    client.subscribe("lobby")
    assert list(client.messages()) == []
    assert connection.subscribed == [[f"{POOL}/lobby/+"]]


class SecondSubscribeFails(Recorder):
    """Grants the first subscribe, rejects the second, and grants all later ones."""

    def subscribe(self, filters: Sequence[str]) -> None:
        super().subscribe(filters)
        if len(self.subscribed) == 2:
            raise TopicRefused("no")


def test_filters_that_were_granted_before_a_rejection_count_as_subscribed() -> None:
    connection = SecondSubscribeFails([publication("1", room="room-1"), publication("9", room="room-9")])
    client = client_of(connection)
    filters = [f"{POOL}/room-{number}/+" for number in range(10)]
    with pytest.raises(TopicRefused):
        client.subscribe(*(f"room-{number}" for number in range(10)))
    assert [one.text for one in received(client) if isinstance(one, Message)] == ["1"]
    client.subscribe("room-0", "room-8")
    assert connection.subscribed == [filters[:8], filters[8:], filters[8:9]]
    assert connection.unsubscribed == [filters[1:8]]  # none of these was asked for the second time


def test_a_room_that_was_granted_before_a_rejection_is_recorded_in_a_durable_session(tmp_path: Path) -> None:
    session = DurableSession(tmp_path, "session", ALICE)
    rooms = [f"room-{number}" for number in range(10)]
    with pytest.raises(TopicRefused):
        client_of(SecondSubscribeFails(), session).subscribe(*rooms)
    assert session.rooms() == rooms


def test_unsubscribing_keeps_the_rooms_that_a_removed_pattern_covered() -> None:
    connection = Recorder([publication("1", room="lobby"), publication("2", room="ops")])
    client = client_of(connection)
    client.subscribe("#", "lobby")
    client.unsubscribe("#")
    assert connection.subscribed == [[f"{POOL}/#"], [f"{POOL}/lobby/+"]]
    assert connection.unsubscribed == [[f"{POOL}/#"]]
    assert [message.text for message in client.messages("lobby")] == ["1"]


# -- receiving


def test_a_message_has_the_room_and_sender_of_its_topic() -> None:
    properties = (("name", "bob"), ("id", "1"), ("sent", "2026-01-31T23:59:58Z"))
    arrived = Publication(f"{POOL}/a/b/{BOB}", b'{"msg":"hi"}', properties)
    assert received(client_of(Recorder([arrived]))) == [
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


def test_a_message_tells_how_it_was_delivered() -> None:
    [message] = received(client_of(Recorder([Publication(f"{POOL}/lobby/{BOB}", b"x", qos=0, retain=True)])))
    assert isinstance(message, Message)
    assert (message.qos, message.retained) == (0, True)


def test_connection_events_come_in_order_with_the_messages() -> None:
    lost, restored = Lost("the network is gone"), Restored()
    events: list[Event] = [publication("before"), lost, restored, publication("after")]
    happened = received(client_of(Recorder(events)))
    assert happened[1:3] == [lost, restored]
    assert [one.text for one in happened if isinstance(one, Message)] == ["before", "after"]


def test_a_client_that_only_publishes_gets_connection_events_without_waiting() -> None:
    lost, restored = Lost("the network is gone"), Restored()
    client = client_of(Recorder([lost, publication("hi"), restored]))
    assert list(client.connection_events()) == [lost, restored]
    assert list(client.connection_events()) == []


def test_messages_that_arrive_while_publishing_are_received_later_in_order() -> None:
    count = 2 * EVENTS_BEFORE_FLUSH
    events: list[Event] = [publication(str(number)) for number in range(count)]
    client = client_of(Recorder([*events[:-1], Lost("x")]))
    client.subscribe("lobby")
    messages = client.messages("lobby")
    assert next(messages).text == "0"
    assert list(client.connection_events()) == [Lost("x")]
    assert [message.text for message in messages] == [str(number) for number in range(1, count - 1)]


def test_receiving_ends_when_nothing_arrives_in_time() -> None:
    client = client_of(Recorder([publication("hi", "1"), publication("hi", "1")]))
    assert len(received(client, 0.5)) == 1


def test_receiving_ends_in_time_although_events_keep_arriving() -> None:
    client = client_of(Recorder(publication(str(number)) for number in range(10 * EVENTS_BEFORE_FLUSH)))
    assert list(client.events(0)) == []


def test_a_message_from_a_room_that_was_not_subscribed_to_is_dropped_and_acknowledged() -> None:
    connection = Recorder([publication("old", room="lobby"), publication("new", room="ops")])
    client = client_of(connection)
    client.subscribe("ops")
    assert [one.text for one in received(client) if isinstance(one, Message)] == ["new"]
    assert sum(connection.acknowledged) == 2


# -- acknowledging


def test_flush_comes_when_nothing_more_has_arrived_and_again_until_all_is_acknowledged() -> None:
    client = client_of(Recorder(publication(str(number)) for number in range(3)))
    deliveries: list[Delivery] = []
    flushes = 0
    for event in client.events():
        if isinstance(event, Delivery):
            deliveries.append(event)
        else:
            assert isinstance(event, Flush)
            assert len(deliveries) == 3
            flushes += 1
            if flushes == 3:
                deliveries[-1].ack(multiple=True)
    assert flushes == 3


def test_flush_comes_after_many_events_although_more_have_arrived() -> None:
    client = client_of(Recorder(publication(str(number)) for number in range(2 * EVENTS_BEFORE_FLUSH + 1)))
    latest: list[Delivery] = []
    before_flush = [0]
    for event in client.events():
        if isinstance(event, Delivery):
            latest = [event]
            before_flush[-1] += 1
        else:
            latest[0].ack(multiple=True)
            before_flush.append(0)
    assert before_flush == [EVENTS_BEFORE_FLUSH, EVENTS_BEFORE_FLUSH, 1, 0]


def test_duplicates_and_other_rooms_are_acknowledged_in_their_turn() -> None:
    # The reader gets four deliveries of the six, and acknowledges "3" last.
    ids = ["1", "1", "2", None, "3", "4"]
    rooms = ["lobby", "lobby", "lobby", "other", "lobby", "lobby"]
    connection = Recorder(publication("x", i, room=room) for i, room in zip(ids, rooms, strict=True))
    client = client_of(connection)
    client.subscribe("lobby")
    deliveries: dict[str | None, Delivery] = {}
    for event in client.events():
        if isinstance(event, Delivery):
            deliveries[event.message.id] = event
        else:
            for message_id in ("1", "2", "4", "3"):
                deliveries[message_id].ack()
    assert list(deliveries) == ["1", "2", "3", "4"]
    assert connection.acknowledged == [2, 2, 2]


def test_a_message_is_acknowledged_when_the_next_one_is_asked_for() -> None:
    connection = Recorder([publication("one"), publication("two"), publication("three")])
    messages = client_of(connection).messages()
    acknowledged = [list(connection.acknowledged) for _ in messages]
    assert acknowledged == [[], [1], [1, 1]]
    assert connection.acknowledged == [1, 1, 1]


def test_the_last_message_is_acknowledged_when_the_client_is_left_without_an_exception() -> None:
    connection = Recorder([publication("one"), publication("two")])
    with client_of(connection) as client:
        for message in client.messages():
            if message.text == "two":
                break
        assert connection.acknowledged == [1]
    assert connection.acknowledged == [1, 1]
    assert connection.is_closed


def test_a_message_that_raised_an_exception_is_not_acknowledged() -> None:
    connection = Recorder([publication("one"), publication("two")])

    def handle_with(client: Client) -> None:
        with client:
            for message in client.messages():
                if message.text == "two":
                    raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        handle_with(client_of(connection))
    assert connection.acknowledged == [1]
    assert connection.is_closed


def test_the_connection_is_closed_even_if_the_last_acknowledgement_fails() -> None:
    connection = Recorder([publication("one")])
    client = client_of(connection)
    assert next(client.messages()).text == "one"
    connection.acknowledgement_error = Unreachable("the connection has ended")
    with pytest.raises(Unreachable):
        client.__exit__(None, None, None)
    assert connection.is_closed


# -- durable sessions


def test_what_waits_in_a_durable_session_from_a_room_that_it_leaves_is_still_delivered(
    tmp_path: Path,
) -> None:
    session = DurableSession(tmp_path, "session", ALICE)
    assert client_of(Recorder(), session).subscribe("lobby", "ops/#") == Subscribed([])
    connection = Recorder([publication("old", room="lobby"), publication("new", room="ops")])
    connection.is_resumed = True
    client = client_of(connection, session)
    assert client.subscribe("ops/#") == Subscribed(["lobby"])
    assert connection.unsubscribed == [[f"{POOL}/lobby/+"]]
    assert [one.text for one in received(client) if isinstance(one, Message)] == ["old", "new"]
    assert session.rooms() == ["ops/#"]


def test_a_room_of_a_resumed_session_can_be_left_that_this_client_has_not_subscribed_to() -> None:
    connection = Recorder()
    client = client_of(connection)
    client.subscribe("ops", "news/#")
    client.unsubscribe("lobby", "ops")
    assert connection.unsubscribed == [[f"{POOL}/ops/+", f"{POOL}/lobby/+"]]


def test_a_room_that_another_pattern_covers_does_not_count_as_left(tmp_path: Path) -> None:
    session = DurableSession(tmp_path, "session", ALICE)
    client_of(Recorder(), session).subscribe("lobby")
    connection = Recorder()
    connection.is_resumed = True
    assert client_of(connection, session).subscribe() == Subscribed([])
    assert connection.unsubscribed == [[f"{POOL}/lobby/+"]]


def test_a_room_that_could_not_be_left_is_left_the_next_time(tmp_path: Path) -> None:
    session = DurableSession(tmp_path, "session", ALICE)
    client_of(Recorder(), session).subscribe("lobby")
    with pytest.raises(Unreachable):
        client_of(Recorder(rejection=Unreachable("it is gone")), session).subscribe("ops")
    assert session.rooms() == ["ops", "lobby"]


def test_a_session_that_the_broker_has_discarded_is_reported_once(tmp_path: Path) -> None:
    session = DurableSession(tmp_path, "session", ALICE)
    assert not client_of(Recorder(), session).subscribe("lobby").is_discarded
    client = client_of(Recorder(), session)
    assert client.subscribe("lobby").is_discarded
    assert not client.subscribe("ops").is_discarded
    assert session.rooms() == ["lobby", "ops"]


@pytest.mark.parametrize(
    "data", ["", "{", "[]", '{"rooms": 1}', '{"rooms": ["lobby"], "identity": "bob"}', "\\xff"]
)
def test_an_unreadable_record_of_a_session_counts_as_none(tmp_path: Path, data: str) -> None:
    (tmp_path / "session.json").write_text(data)
    assert DurableSession(tmp_path, "session", ALICE).rooms() == []


@pytest.mark.parametrize(
    "rooms", ["[" * 200_000, "3", '"abc"', "{}", "[[" + "[" * 400 + "]" * 400 + "]]", "null"]
)
def test_a_record_that_is_damaged_has_no_rooms(tmp_path: Path, rooms: str) -> None:
    (tmp_path / "session.json").write_text(f'{{"identity": "{ALICE}", "rooms": {rooms}}}')
    assert DurableSession(tmp_path, "session", ALICE).rooms() == []


def test_sessions_whose_names_differ_only_in_case_are_two(tmp_path: Path) -> None:
    DurableSession(tmp_path, "Desk", ALICE).note(["lobby"])
    DurableSession(tmp_path, "desk", ALICE).note(["ops"])
    assert DurableSession(tmp_path, "Desk", ALICE).rooms() == ["lobby"]
    assert len({path.name.lower() for path in tmp_path.iterdir()}) == 2


# -- deduplication


def test_a_message_that_is_delivered_twice_comes_once() -> None:
    again = publication("hi", "1")
    assert texts(again, again, publication("you", "2"), again) == ["hi", "you"]


def test_a_duplicate_is_recognized_after_the_connection_was_lost() -> None:
    assert texts(publication("hi", "1"), Lost("x"), Restored(), publication("hi", "1")) == ["hi"]


def test_a_duplicate_is_recognized_by_the_next_call_too() -> None:
    client = client_of(Recorder([publication("hi", "1"), publication("hi", "1"), publication("you", "2")]))
    assert next(client.messages()).text == "hi"
    assert [message.text for message in client.messages()] == ["you"]


def test_messages_without_an_id_all_come() -> None:
    assert texts(publication("hi"), publication("hi")) == ["hi", "hi"]


def test_a_message_without_an_id_comes_once_although_the_broker_sends_it_for_each_pattern() -> None:
    both = [publication(text, room="ops/db") for text in ("1", "1", "2", "2", "2", "2")]
    client = client_of(Recorder([*both, publication("3", room="ops/x"), publication("3", room="ops/x")]))
    client.subscribe("ops/+", "+/db")
    assert [one.text for one in received(client) if isinstance(one, Message)] == ["1", "2", "2", "3", "3"]


def test_nobody_suppresses_a_message_by_using_its_id_first() -> None:
    events = [publication("forged", "1", sender=ALICE), publication("real", "1", sender=BOB)]
    assert texts(*events) == ["forged", "real"]


def test_a_duplicate_is_recognized_among_as_many_messages_as_are_remembered() -> None:
    others = [publication("other", f"other{n}") for n in range(REMEMBERED_BLOCKS - 1)]
    assert texts(publication("hi", "one"), *others, publication("hi", "one")).count("hi") == 1


def test_the_number_of_remembered_ids_is_bounded() -> None:
    others = [publication("other", f"other{n}") for n in range(2 * REMEMBERED_BLOCKS)]
    assert texts(publication("hi", "one"), *others, publication("hi", "one")).count("hi") == 2


def test_a_duplicate_in_a_stream_is_recognized_however_many_messages_ago_the_first_one_was() -> None:
    count = 3 * REMEMBERED_BLOCKS
    stream = [publication("x", f"stream-{n}") for n in range(count)]
    again = [stream[n] for n in (0, 1, NUMBERS_PER_BLOCK, count // 2, count - 1)]
    assert len(texts(*stream, *again)) == count


def test_numbers_that_are_written_differently_are_different_ids() -> None:
    ids = [
        "a-7",
        "a-07",
        "a-007",
        "a--7",
        "a-",
        "a",
        "-7",
        "7",
        "a-٧",
        f"a-{'7' * 30}",
        f"a-{'7' * 31}",
        "a-7-7",
    ]
    events = [publication(one, one) for one in ids]
    assert texts(*events, *events) == ids


@pytest.mark.parametrize(
    ("call", "error", "reason"),
    [
        (lambda client: client.publish("a", 5), TypeError, "a message is str or bytes, not int"),
        (lambda client: client.publish("a", "x", qos=2), ValueError, "qos is 0 or 1, not 2"),
        (lambda client: client.subscribe(["lobby"]), TypeError, "a room is a str, not list"),
        (lambda client: client.messages("a", timeout=-1), ValueError, "timeout is in seconds, at least 0"),
        (lambda client: publish_many(client, "a", "abc"), TypeError, "iterable of messages, not str"),
    ],
)
def test_a_wrong_argument_is_rejected_at_once(
    call: Callable[[Client], object], error: type[Exception], reason: str
) -> None:
    connection = Recorder()
    with pytest.raises(error, match=reason):
        call(client_of(connection))
    assert not connection.published
    assert not connection.subscribed


class Pausing(Recorder):
    """A connection on which nothing happens for some seconds, for each number among the events."""

    def __init__(self, happens: Iterable[Event | float]) -> None:
        super().__init__()
        self._happens = deque(happens)

    def receive(self, timeout: float | None = None) -> Event | None:
        if self._happens and isinstance(self._happens[0], float):
            if timeout == 0:
                return None
            sleep(float(str(self._happens.popleft())))
        event = self._happens.popleft() if self._happens else None
        return None if isinstance(event, float) else event


COPY = Publication(f"{POOL}/x/y/{BOB}", b"x")
"""A message without an ID, whose topic matches both patterns."""


@pytest.mark.parametrize(
    ("happens", "shown"),
    [
        ([COPY, COPY, COPY, COPY], 2),
        ([COPY, COPY_SECONDS + 0.1, COPY, COPY], 3),
        ([COPY, Lost("cut"), COPY_SECONDS + 0.1, COPY, COPY], 2),
    ],
    ids=["copies", "a broker that sends none", "a copy lost with the connection"],
)
def test_a_message_that_matches_two_patterns_comes_once(happens: list[Event | float], shown: int) -> None:
    client = client_of(Pausing(happens))
    client.subscribe("x/+", "+/y")
    assert len([one for one in received(client) if isinstance(one, Message)]) == shown


def test_a_copy_is_dropped_however_long_the_first_one_is_handled() -> None:
    client = client_of(Pausing([COPY, COPY]))
    client.subscribe("x/+", "+/y")
    shown = 0
    for event in client.events():
        if isinstance(event, Delivery):
            shown += 1
            sleep(COPY_SECONDS + 0.1)
            event.ack()
    assert shown == 1
