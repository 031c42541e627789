"""What a connection makes of a broker that refuses, cuts, or forgets: every shape that AWS's documents leave open."""

import _thread
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from aws_iot.auth.credentials import Credentials
from aws_iot.aws.iot.connection import IotCoreConnection
from aws_iot.aws.iot.inbox import EVENTS
from aws_iot.config.profile import Profile
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    NotAccepted,
    NotAuthorized,
    ServiceRefused,
    SignInRefused,
    TopicRefused,
    Unreachable,
)
from aws_iot.messaging.connection import Event, Lost, Publication, Restored
from tests.fakes import FakeCloud
from tests.fault_proxy import FaultProxy
from tests.scripted_broker import (
    CONNACK,
    CUT,
    NOT_AUTHORIZED,
    TAKEN_OVER,
    Kind,
    Packet,
    Script,
    ScriptedBroker,
    agreeable,
    connack,
    disconnect,
    puback,
    publish,
    suback,
)
from tests.waiting import BRIEF_SECONDS, DEADLINE_SECONDS, POLL_SECONDS, wait_until

IDENTITY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"


WELL_APART_SECONDS = 0.5
"""Attempts are a second apart. Seen from a busy broker, it may seem less; without a pause, they come at once."""


def keys() -> Credentials:
    return Credentials(IDENTITY, "ASIA", "secret", "token", datetime.now(UTC) + timedelta(hours=1))


def say(kind: Kind, answer: Callable[[Packet], bytes | None], link: int | None = None) -> Script:
    """A script that answers one kind of packet differently, on every link or on one."""
    return lambda p: answer(p) if p.kind is kind and link in (None, p.link) else agreeable(p)


def profile_of(broker: ScriptedBroker, port: int | None = None) -> Profile:
    """Of which the endpoint is the broker, or what stands before it at that port."""
    endpoint = broker.endpoint._replace(port=port or broker.endpoint.port)
    return FakeCloud().profile._replace(endpoint=endpoint, key="team")


@contextmanager
def connected(
    broker: ScriptedBroker,
    credentials: Callable[[], Credentials] = keys,
    timeout: float = DEADLINE_SECONDS,
    *,
    port: int | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    durable: str | None = None,
) -> Iterator[IotCoreConnection]:
    connection = IotCoreConnection.open(
        profile_of(broker, port), IDENTITY, credentials, now, timeout, durable
    )
    try:
        yield connection
    finally:
        connection.close()


def events_until(connection: IotCoreConnection, happened: Callable[[], bool]) -> list[Event]:
    """What the connection reports until it has happened."""
    events: list[Event] = []

    def has_happened() -> bool:
        if (event := connection.receive(0.05)) is not None:
            events.append(event)
        return happened()

    wait_until(has_happened, lambda: events)
    return events


# -- opening


def test_a_connection_refused_by_policy_names_the_identity_and_the_command() -> None:
    script = say(Kind.CONNECT, lambda _: connack(NOT_AUTHORIZED))
    with (
        ScriptedBroker(script) as broker,
        pytest.raises(NotAccepted, match=IDENTITY) as refused,
        connected(broker),
    ):
        pass
    assert refused.value.hint
    assert f"Ask an admin to run: aws-iot admin accept {IDENTITY}\n" in f"{refused.value.hint}\n"


def test_three_connections_closed_before_connack_mean_that_the_identity_is_not_accepted() -> None:
    with ScriptedBroker(say(Kind.CONNECT, lambda _: CUT)) as broker:
        with pytest.raises(NotAccepted, match="without a reason"), connected(broker):
            pass
        assert len(broker.of(Kind.CONNECT)) == 3


@pytest.mark.parametrize("status", [503, 0])
def test_a_short_failure_while_opening_is_retried(status: int) -> None:
    with (
        ScriptedBroker(upgrade=lambda link: status if link == 1 else 101) as broker,
        connected(broker) as connection,
    ):
        connection.publish(Publication("a/b/c", b"x"))


@pytest.mark.parametrize("status", [404, 503])
def test_an_endpoint_that_is_not_a_broker_is_reported_with_its_http_status(status: int) -> None:
    with (
        ScriptedBroker(upgrade=lambda _: status) as broker,
        pytest.raises(Unreachable, match=f"HTTP {status}"),
        connected(broker),
    ):
        pass


def test_opening_ends_if_the_broker_never_answers_connect() -> None:
    with (
        ScriptedBroker(say(Kind.CONNECT, lambda _: b"")) as broker,
        pytest.raises(Unreachable, match=f"did not answer within {BRIEF_SECONDS:g} seconds"),
        connected(broker, timeout=BRIEF_SECONDS),
    ):
        pass


@pytest.mark.long
def test_interrupted_connections_are_closed_at_the_same_time() -> None:
    given_up: list[float] = []
    with ScriptedBroker() as broker, FaultProxy(broker.endpoint.port) as proxy:
        proxy.is_mute = True

        def interrupt() -> None:
            proxy.wait_for_links(4)
            given_up.append(time.monotonic())
            _thread.interrupt_main(signal.SIGTERM)  # the real Ctrl-C ends the whole run

        signal.signal(signal.SIGTERM, signal.default_int_handler)
        threading.Thread(target=interrupt, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            IotCoreConnection.open_several(
                profile_of(broker, proxy.port), IDENTITY, keys, lambda: datetime.now(UTC), DEADLINE_SECONDS, 4
            )
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        assert time.monotonic() - given_up[0] < 2.5


# -- a request is rejected: by a reason code, a DISCONNECT, or a cut


REFUSALS = [
    pytest.param(None, id="negative acknowledgement"),
    pytest.param(lambda _: disconnect(NOT_AUTHORIZED), id="disconnect"),
    pytest.param(lambda _: CUT, id="cut"),
]


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_message_may_be_rejected_in_each_way(answer: Callable[[Packet], bytes | None] | None) -> None:
    script = say(Kind.PUBLISH, answer or (lambda p: puback(p, NOT_AUTHORIZED)))
    with (
        ScriptedBroker(script) as broker,
        connected(broker, timeout=2.5) as connection,  # less than the three seconds until cuts mean a refusal
        pytest.raises(TopicRefused, match="publish to a/b/c"),
    ):
        connection.publish(Publication("a/b/c", b"x"))


@pytest.mark.parametrize("answer", REFUSALS)
def test_a_subscription_may_be_rejected_in_each_way(answer: Callable[[Packet], bytes | None] | None) -> None:
    script = say(Kind.SUBSCRIBE, answer or (lambda p: suback(p, NOT_AUTHORIZED)))
    with (
        ScriptedBroker(script) as broker,
        connected(broker, timeout=2.5) as connection,
        pytest.raises(TopicRefused, match="subscribe to a/b/#"),
    ):
        connection.subscribe(["a/b/#"])


@pytest.mark.parametrize(("reason", "words"), [(0x97, "limit"), (0x80, "unspecified error")])
def test_another_reason_code_is_reported_in_plain_english(reason: int, words: str) -> None:
    script = say(Kind.PUBLISH, lambda p: puback(p, reason))
    with (
        ScriptedBroker(script) as broker,
        connected(broker) as connection,
        pytest.raises(ServiceRefused, match=words),
    ):
        connection.publish(Publication("a/b/c", b"x"))


def test_an_acknowledgement_counts_even_if_a_disconnect_follows_at_once() -> None:
    script = say(Kind.PUBLISH, lambda p: puback(p) + disconnect(TAKEN_OVER))
    for _ in range(5):
        with ScriptedBroker(script) as broker, connected(broker) as connection:
            connection.publish(Publication("a/b/c", b"x"))


def test_publishing_ends_if_no_acknowledgement_comes() -> None:
    with (
        ScriptedBroker(say(Kind.PUBLISH, lambda _: b"")) as broker,
        connected(broker, timeout=BRIEF_SECONDS) as connection,
        pytest.raises(Unreachable, match="acknowledged the message"),
    ):
        connection.publish(Publication("a/b/c", b"x"))


@pytest.mark.parametrize("answered", [b"", b"1", b"3"])
def test_unacknowledged_messages_are_sent_once_on_each_connection(answered: bytes) -> None:
    # Nothing, the first one, or the last one, as where the others were discarded.
    def script(p: Packet) -> bytes | None:
        discarded = p.kind is Kind.PUBLISH and p.link == 1 and p.body[-1:] != answered
        return b"" if discarded else agreeable(p)

    reported: list[AwsIotError | None] = []
    with ScriptedBroker(script) as broker, connected(broker, timeout=BRIEF_SECONDS) as connection:
        for number in range(1, 4):
            connection.send(Publication("a/b/c", b"%d" % number), reported.append)
        assert next_of(connection, Lost) == Lost(f"no acknowledgement for {BRIEF_SECONDS:g} seconds")
        assert next_of(connection, Restored)
        connection.publish(Publication("a/b/c", b"4"))
    assert reported == [None] * 3
    sent = [(packet.link, packet.body[-1:]) for packet in broker.of(Kind.PUBLISH)]
    again = [text for text in (b"1", b"2", b"3") if text != answered]
    assert sent == [(1, b"1"), (1, b"2"), (1, b"3"), *((2, text) for text in again), (2, b"4")]


def test_a_slow_broker_is_not_given_up_while_it_acknowledges_in_order() -> None:
    def slowly(packet: Packet) -> bytes:
        time.sleep(BRIEF_SECONDS / 2.5)
        return puback(packet)

    reported: list[AwsIotError | None] = []
    with (
        ScriptedBroker(say(Kind.PUBLISH, slowly)) as broker,
        connected(broker, timeout=BRIEF_SECONDS) as connection,
    ):
        for _ in range(4):
            connection.send(Publication("a/b/c", b"x"), reported.append)
        assert events_until(connection, lambda: len(reported) == 4) == []
        assert reported == [None] * 4
        assert broker.links == 1


def test_a_message_whose_upload_takes_longer_than_the_timeout_is_sent_once() -> None:
    reported: list[AwsIotError | None] = []
    with (
        ScriptedBroker() as broker,
        FaultProxy(broker.endpoint.port, bytes_per_second=20_000) as proxy,
        connected(broker, port=proxy.port, timeout=BRIEF_SECONDS) as connection,
    ):
        connection.send(Publication("a/b/c", b"x" * 80_000), reported.append)
        assert events_until(connection, lambda: bool(reported)) == []
    assert reported == [None]


@pytest.mark.parametrize("topic", ["a/+/c", "", "a/\tb"])
def test_a_topic_that_mqtt_forbids_is_an_expected_error(topic: str) -> None:
    with ScriptedBroker() as broker, connected(broker) as connection, pytest.raises(ServiceRefused):
        connection.publish(Publication(topic, b"x"))


# -- the connection breaks


def test_filters_are_requested_again_after_a_cut_in_the_same_packets() -> None:
    batches = [[f"room-{n}/+" for n in range(8)], ["room-8/+"]]
    with ScriptedBroker() as broker, connected(broker) as connection:
        for filters in batches:
            connection.subscribe(filters)
        broker.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        assert connection.receive(DEADLINE_SECONDS) == Restored()
        assert [(p.link, p.filters) for p in broker.of(Kind.SUBSCRIBE)] == [
            (link, filters) for link in (1, 2) for filters in batches
        ]
        broker.send(b"\x30\x06\x00\x01t\x00hi")
        assert connection.receive(DEADLINE_SECONDS) == Publication("t", b"hi", qos=0)


def test_a_discarded_session_is_reported_when_the_connection_is_restored() -> None:
    kept = bytes([0x20, 3, 1, 0, 0])  # CONNACK with Session Present
    script: Script = lambda p: kept if p.kind is Kind.CONNECT and p.link == 2 else agreeable(p)  # noqa: E731
    with ScriptedBroker(script) as broker, connected(broker, durable="desk") as connection:
        connection.subscribe(["a/#"])
        assert not connection.is_resumed
        for forgotten in (False, True):
            broker.cut()
            assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
            assert connection.receive(DEADLINE_SECONDS) == Restored(forgotten=forgotten)
        assert [packet.link for packet in broker.of(Kind.SUBSCRIBE)] == [1, 3]


def test_a_discarded_session_is_reported_even_if_the_next_connection_breaks_at_once() -> None:
    kept = bytes([0x20, 3, 1, 0, 0])

    def script(packet: Packet) -> bytes | None:
        if packet.kind is Kind.CONNECT and packet.link == 3:
            return kept  # made by the connection before
        return CUT if (packet.kind, packet.link) == (Kind.SUBSCRIBE, 2) else agreeable(packet)

    with ScriptedBroker(script) as broker, connected(broker, durable="desk") as connection:
        connection.subscribe(["a/#"])
        broker.cut()
        happened: list[object] = []
        while not happened or isinstance(happened[-1], Lost):
            happened.append(connection.receive(DEADLINE_SECONDS))
        assert happened[-1] == Restored(forgotten=True)


def test_filters_are_requested_again_if_an_attempt_whose_connack_was_lost_may_have_begun_the_session() -> (
    None
):
    kept = bytes([0x20, 3, 1, 0, 0])

    def script(packet: Packet) -> bytes | None:
        if packet.kind is Kind.CONNECT and packet.link > 1:
            return CUT if packet.link == 2 else kept
        return agreeable(packet)

    with ScriptedBroker(script) as broker, connected(broker, durable="desk") as connection:
        connection.subscribe(["a/#"])
        for _ in range(2):
            broker.cut()
            happened: list[object] = []
            while not happened or isinstance(happened[-1], Lost):
                happened.append(connection.receive(DEADLINE_SECONDS))
            assert happened[-1] == Restored(forgotten=False)
            assert len(broker.of(Kind.SUBSCRIBE)) == 2, "the second loss leaves no doubt"


def test_a_rejected_unsubscribe_is_reported() -> None:
    refused = say(Kind.UNSUBSCRIBE, lambda p: bytes([0xB0, 4]) + p.id + b"\0\x87")
    with (
        ScriptedBroker(refused) as broker,
        connected(broker) as connection,
        pytest.raises(ServiceRefused, match="has not unsubscribed us from a/#: not authorized"),
    ):
        connection.unsubscribe(["a/#"])


@pytest.mark.parametrize("answer", [b"", CUT])
def test_unsubscribing_ends_if_the_broker_does_not_answer(answer: bytes | None) -> None:
    with (
        ScriptedBroker(say(Kind.UNSUBSCRIBE, lambda _: answer)) as broker,
        connected(broker, timeout=BRIEF_SECONDS) as connection,
        pytest.raises(Unreachable, match=f"has not unsubscribed us within {BRIEF_SECONDS:g} seconds"),
    ):
        connection.unsubscribe(["a/#"])


def test_an_unsubscribe_that_is_cut_is_sent_on_the_next_connection() -> None:
    script: Script = lambda p: CUT if (p.kind, p.link) == (Kind.UNSUBSCRIBE, 1) else agreeable(p)  # noqa: E731
    with ScriptedBroker(script) as broker, connected(broker) as connection:
        connection.unsubscribe(["a/#"])
        assert [packet.link for packet in broker.of(Kind.UNSUBSCRIBE)] == [1, 2]


@pytest.mark.parametrize(
    ("reason", "words"), [(0x81, "malformed packet"), (0x97, "a limit"), (0x95, "too large")]
)
def test_a_message_that_the_broker_disconnects_for_each_time_is_rejected(reason: int, words: str) -> None:
    with (
        ScriptedBroker(say(Kind.PUBLISH, lambda _: disconnect(reason))) as broker,
        connected(broker) as connection,
        pytest.raises(ServiceRefused, match=f"publish to a/b/c: .*{words}"),
    ):
        connection.publish(Publication("a/b/c", b"x"))


def test_a_broker_that_restarts_repeatedly_rejects_nothing() -> None:
    script: Script = lambda p: disconnect(0x8B) if p.kind is Kind.PUBLISH and p.link < 5 else agreeable(p)  # noqa: E731
    with ScriptedBroker(script) as broker, connected(broker) as connection:
        connection.publish(Publication("a/b/c", b"x"))


def test_an_unacknowledged_message_survives_a_cut() -> None:
    with ScriptedBroker(say(Kind.PUBLISH, lambda _: CUT, link=1)) as broker, connected(broker) as connection:
        connection.publish(Publication("a/b/c", b"x"))
        assert [p.link for p in broker.of(Kind.PUBLISH)] == [1, 2]


def test_each_attempt_asks_for_credentials_and_is_a_second_apart_from_the_last() -> None:
    asked: list[float] = []

    def credentials() -> Credentials:
        asked.append(datetime.now(UTC).timestamp())
        return keys()

    with ScriptedBroker() as broker, connected(broker, credentials) as connection:
        broker.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        assert connection.receive(DEADLINE_SECONDS) == Restored()
    assert len(asked) == 2
    assert asked[1] - asked[0] > WELL_APART_SECONDS


def test_credentials_that_take_long_to_refresh_do_not_bring_two_connects_together() -> None:
    answers = iter([None, 1.2])
    came: list[float] = []

    def credentials() -> Credentials:
        threading.Event().wait(next(answers, None) or 0)
        return keys()

    def refusing_the_second(packet: Packet) -> bytes | None:
        if packet.kind is Kind.CONNECT:
            came.append(time.monotonic())
            return CUT if packet.link == 2 else CONNACK
        return agreeable(packet)

    with ScriptedBroker(refusing_the_second) as broker, connected(broker, credentials) as connection:
        broker.cut()
        next_of(connection, Restored)
    assert came[-1] - came[1] > WELL_APART_SECONDS


@pytest.mark.parametrize(
    ("reason", "kind", "words"),
    [(TAKEN_OVER, Unreachable, "took over"), (NOT_AUTHORIZED, NotAuthorized, "not authorized")],
)
def test_a_final_disconnect_ends_the_connection_and_each_call_reports_it(
    reason: int, kind: type[AwsIotError], words: str
) -> None:
    with ScriptedBroker() as broker, connected(broker) as connection:
        broker.send(disconnect(reason))
        for _ in range(2):
            with pytest.raises(kind, match=words):
                connection.receive(DEADLINE_SECONDS)
        with pytest.raises(kind, match=words):
            connection.subscribe(["a/#"])
        assert broker.links == 1


def test_a_revoked_identity_is_reported_at_the_next_connection() -> None:
    script = say(Kind.CONNECT, lambda p: CONNACK if p.link == 1 else connack(NOT_AUTHORIZED))
    with ScriptedBroker(script) as broker, connected(broker) as connection:
        broker.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        with pytest.raises(NotAccepted):
            connection.receive(DEADLINE_SECONDS)


def CUT_IT(_: Packet) -> None:  # noqa: N802
    return CUT


@pytest.mark.parametrize("answer", [CUT_IT, lambda p: suback(p, NOT_AUTHORIZED)])
def test_a_room_that_is_no_longer_granted_ends_the_connection(
    answer: Callable[[Packet], bytes | None],
) -> None:
    script: Script = lambda p: answer(p) if p.kind is Kind.SUBSCRIBE and p.link > 1 else agreeable(p)  # noqa: E731
    with ScriptedBroker(script) as broker, connected(broker) as connection:
        connection.subscribe(["a/#"])
        broker.cut()
        lost = [connection.receive(DEADLINE_SECONDS) for _ in range(3 if answer is CUT_IT else 1)]
        assert all(isinstance(event, Lost) for event in lost)
        with pytest.raises(TopicRefused):
            connection.receive(DEADLINE_SECONDS)


def test_a_resubscription_without_an_answer_is_repeated_on_another_connection() -> None:
    unanswered = threading.Event()

    def once(packet: Packet) -> bytes:
        if packet.link == 1 or unanswered.is_set():
            return suback(packet)
        unanswered.set()
        return b""

    with (
        ScriptedBroker(say(Kind.SUBSCRIBE, once)) as broker,
        connected(broker, timeout=BRIEF_SECONDS) as connection,
    ):
        connection.subscribe(["a/#"])
        broker.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        assert connection.receive(DEADLINE_SECONDS) == Lost(
            f"no acknowledgement for {BRIEF_SECONDS:g} seconds"
        )
        assert connection.receive(DEADLINE_SECONDS) == Restored()
    assert [packet.link for packet in broker.of(Kind.SUBSCRIBE)] == [1, 2, 3]


def _failing_then_fine(error: AwsIotError) -> Callable[[], Credentials]:
    answers: Iterator[AwsIotError | None] = iter([None, error, None])

    def credentials() -> Credentials:
        if (failure := next(answers)) is not None:
            raise failure
        return keys()

    return credentials


@pytest.mark.parametrize(
    "passing", [ServiceRefused("no more requests at the moment"), Unreachable("no network")]
)
def test_a_failed_refresh_of_credentials_is_retried(passing: AwsIotError) -> None:
    with ScriptedBroker() as broker, connected(broker, _failing_then_fine(passing)) as connection:
        broker.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        assert connection.receive(DEADLINE_SECONDS) == Lost(str(passing))
        assert connection.receive(DEADLINE_SECONDS) == Restored()


def test_the_reason_of_an_outage_is_reported_and_repetitions_are_marked() -> None:
    with (
        ScriptedBroker(upgrade=lambda link: 101 if link == 1 else 503) as broker,
        connected(broker) as connection,
    ):
        broker.cut()
        assert connection.receive(DEADLINE_SECONDS) == Lost("the connection was cut")
        reported = connection.receive(DEADLINE_SECONDS)
        assert isinstance(reported, Lost)
        assert "HTTP 503" in reported.cause
        assert not reported.again
        while broker.links < 5:
            more = connection.receive(0.1)
            assert more is None or (isinstance(more, Lost) and more.again and more.cause == reported.cause)


def test_an_attempt_that_waits_for_its_time_can_be_made_sooner() -> None:
    is_up = True
    with ScriptedBroker(upgrade=lambda _: 101 if is_up else 503) as broker, connected(broker) as connection:
        assert not connection.next_attempt
        connection.reconnect_now()  # there is a connection
        is_up = False
        broker.cut()

        def is_sooner() -> bool:
            planned = connection.next_attempt
            connection.reconnect_now()
            return planned is not None and 0 < (connection.next_attempt or 0) < planned

        events_until(connection, is_sooner)
        is_up = True
        wait_until(lambda: isinstance(connection.receive(POLL_SECONDS), Restored))
        assert connection.next_attempt is None


def test_rejected_credentials_end_the_connection() -> None:
    with (
        ScriptedBroker(upgrade=lambda link: 101 if link == 1 else 403) as broker,
        connected(broker) as connection,
    ):
        broker.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        with pytest.raises(CredentialsRefused):
            connection.receive(DEADLINE_SECONDS)


def test_the_fault_of_an_earlier_attempt_does_not_end_a_restored_connection() -> None:
    is_back = threading.Event()

    def answer(link: int) -> int:
        if link == 3:  # the look at why the second was turned away
            is_back.wait(DEADLINE_SECONDS)
        return {2: 503, 3: 403}.get(link, 101)

    with ScriptedBroker(upgrade=answer) as broker, connected(broker) as connection:
        broker.cut()
        next_of(connection, Restored)
        is_back.set()
        assert connection.receive(0.5) is None
        connection.publish(Publication("a/b/c", b"x"))


def test_an_expired_session_ends_the_connection() -> None:
    with (
        ScriptedBroker() as broker,
        connected(broker, _failing_then_fine(SignInRefused("the session has ended"))) as connection,
    ):
        broker.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        with pytest.raises(SignInRefused, match="the session has ended"):
            connection.receive(DEADLINE_SECONDS)


# -- how soon, and how often


def next_of(connection: IotCoreConnection, kind: type[Lost] | type[Restored]) -> Lost | Restored:
    """The next event of that kind."""
    while not isinstance(event := connection.receive(DEADLINE_SECONDS), kind):
        assert event is not None
    assert isinstance(event, Lost | Restored)
    return event


@pytest.mark.long
def test_it_reconnects_within_a_second_and_a_half_after_an_outage_of_four() -> None:
    with (
        ScriptedBroker() as broker,
        FaultProxy(broker.endpoint.port) as proxy,
        connected(broker, port=proxy.port) as connection,
    ):
        proxy.refuse()
        proxy.cut()
        returns = time.monotonic() + 4
        while (left := returns - time.monotonic()) > 0:
            assert not isinstance(connection.receive(left), Restored)
        proxy.admit()
        next_of(connection, Restored)
        assert time.monotonic() - returns < 1.5


def test_connections_that_are_cut_at_once_are_requested_once_a_second_at_most() -> None:
    came: list[float] = []

    def cut_once_accepted(packet: Packet) -> bytes | None:
        if packet.kind is Kind.CONNECT:
            came.append(time.monotonic())
            threading.Timer(0.1, broker.cut).start()
        return agreeable(packet)

    with ScriptedBroker(cut_once_accepted) as broker, connected(broker) as connection:
        while len(came) < 5:
            next_of(connection, Restored)
    pauses = [after - before for before, after in pairwise(came)]
    assert min(pauses) > WELL_APART_SECONDS


def test_an_upgrade_without_an_answer_is_given_up_and_messages_are_sent_later() -> None:
    reported: list[AwsIotError | None] = []
    with (
        ScriptedBroker() as broker,
        FaultProxy(broker.endpoint.port) as proxy,
        connected(broker, port=proxy.port, timeout=BRIEF_SECONDS) as connection,
    ):
        proxy.is_mute = True
        proxy.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        for number in range(3):
            connection.send(Publication("a/b/c", str(number).encode()), reported.append)
        lost = connection.receive(DEADLINE_SECONDS)
        assert isinstance(lost, Lost)
        assert "no answer in time" in lost.cause
        proxy.is_mute = False
        next_of(connection, Restored)
        connection.publish(Publication("a/b/c", b"3"))
        assert reported == [None] * 3
        assert [packet.body[-1:] for packet in broker.of(Kind.PUBLISH)] == [b"0", b"1", b"2", b"3"]


def test_cuts_after_acknowledgements_reject_nothing() -> None:
    # Each link answers something before it is cut.
    seen: list[bytes] = []

    def flap(packet: Packet) -> bytes | None:
        if packet.kind is not Kind.PUBLISH:
            return agreeable(packet)
        if packet.link < 5 and seen and seen[-1] == (link := bytes([packet.link])):
            seen.append(link)
            return CUT
        seen.append(bytes([packet.link]))
        return puback(packet)

    reported: list[AwsIotError | None] = []
    with ScriptedBroker(flap) as broker, connected(broker) as connection:
        for _ in range(20):
            connection.send(Publication("a/b/c", b"x"), reported.append)
        connection.publish(Publication("a/b/c", b"x"))
    assert reported == [None] * 20


@pytest.mark.parametrize("kind", [Kind.PUBLISH, Kind.SUBSCRIBE])
def test_cuts_that_hit_an_idle_connection_as_well_reject_nothing(kind: Kind) -> None:
    # Two links are cut as soon as something is asked for, and the next although nothing is: so it was not over that.
    def restarting(packet: Packet) -> bytes | None:
        if packet.link in (2, 3) and packet.kind is kind:
            return CUT
        if packet.link == 4 and packet.kind is Kind.CONNECT:
            threading.Timer(0.1, broker.cut).start()
        return agreeable(packet)

    reported: list[AwsIotError | None] = []
    with ScriptedBroker(restarting) as broker, connected(broker) as connection:
        connection.subscribe(["a/#"])
        broker.cut()
        assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
        for number in range(3):
            connection.send(Publication("a/b/c", str(number).encode()), reported.append)
        events_until(connection, lambda: len(reported) == 3 and broker.of(Kind.SUBSCRIBE)[-1].link >= 5)
        assert reported == [None] * 3
    assert [packet.kind for packet in broker.received if packet.link == 4] == [Kind.CONNECT]
    if kind is Kind.PUBLISH:
        assert [packet.body[-1:] for packet in broker.of(Kind.PUBLISH)][-3:] == [b"0", b"1", b"2"]


def test_cuts_that_hit_an_idle_connection_as_well_reject_no_new_subscription() -> None:
    def restarting(packet: Packet) -> bytes | None:
        if packet.link < 3 and packet.kind is Kind.SUBSCRIBE:
            return CUT
        if packet.link == 3 and packet.kind is Kind.CONNECT:
            threading.Timer(0.1, broker.cut).start()
        return agreeable(packet)

    with ScriptedBroker(restarting) as broker, connected(broker) as connection:
        connection.subscribe(["a/#"])
        assert [packet.link for packet in broker.of(Kind.SUBSCRIBE)] == [1, 2, 4]
        connection.publish(Publication("a/b/c", b"x"))


def test_a_message_is_rejected_by_cuts_only_if_it_was_alone_on_a_connection_that_stayed_up() -> None:
    came: list[tuple[int, Kind, bytes, float]] = []

    def refusing(packet: Packet) -> bytes | None:
        came.append((packet.link, packet.kind, packet.body[-1:], time.monotonic()))
        return CUT if packet.kind is Kind.PUBLISH and packet.body[-1:] == b"1" else agreeable(packet)

    reported: list[AwsIotError | None] = []
    with ScriptedBroker(refusing) as broker, connected(broker) as connection:
        for number in range(1, 4):
            connection.send(Publication("a/b/c", str(number).encode()), reported.append)
        while broker.links < 3:
            connection.receive(0.1)
        connection.send(Publication("a/b/c", b"4"), reported.append)
        with pytest.raises(TopicRefused, match="publish to a/b/c"):
            connection.publish(Publication("a/b/c", b"5"))
        assert len(reported) == 4
    (_, connect, _, connected_at), (_, publish, text, published_at) = [each for each in came if each[0] == 3]
    assert (connect, publish, text) == (Kind.CONNECT, Kind.PUBLISH, b"1")
    assert published_at - connected_at > 0.9


def test_a_suspected_message_that_is_acknowledged_is_followed_by_the_others_in_order() -> None:
    script: Script = lambda p: CUT if p.kind is Kind.PUBLISH and p.link < 3 else agreeable(p)  # noqa: E731
    reported: list[AwsIotError | None] = []
    with ScriptedBroker(script) as broker, connected(broker) as connection:
        for number in range(3):
            connection.send(Publication("a/b/c", str(number).encode()), reported.append)
        while broker.links < 3:
            connection.receive(0.1)
        connection.publish(Publication("a/b/c", b"3"))
        assert reported == [None] * 3
    assert [packet.body[-1:] for packet in broker.of(Kind.PUBLISH) if packet.link == 3] == [
        b"0",
        b"1",
        b"2",
        b"3",
    ]


def test_an_impossible_topic_does_not_stop_the_other_messages_during_a_probe() -> None:
    script: Script = lambda p: CUT if p.kind is Kind.SUBSCRIBE and p.link in (2, 3) else agreeable(p)  # noqa: E731
    reported: list[AwsIotError | None] = []
    with ScriptedBroker(script) as broker, connected(broker, timeout=BRIEF_SECONDS) as connection:
        connection.subscribe(["a/#"])
        broker.cut()
        while broker.links < 4:
            connection.receive(0.1)
        connection.send(Publication("a/+/c", b"x"), reported.append)
        connection.publish(Publication("a/b/c", b"x"))
    assert [type(error) for error in reported] == [ServiceRefused]


def test_messages_wait_until_a_suspected_subscription_is_answered_and_are_sent_once() -> None:
    def script(packet: Packet) -> bytes | None:
        is_suspect = packet.kind in (Kind.SUBSCRIBE, Kind.PUBLISH)
        return CUT if is_suspect and packet.link < 3 else agreeable(packet)

    reported: list[AwsIotError | None] = []
    with ScriptedBroker(script) as broker, connected(broker) as connection:
        connection.send(Publication("a/b/c", b"1"), reported.append)
        connection.subscribe(["a/#"])
        connection.publish(Publication("a/b/c", b"2"))
    assert reported == [None]
    asked = [(p.kind, p.body[-1:]) for p in broker.received if p.link == 3 and p.kind is not Kind.DISCONNECT]
    assert asked[1:] == [(Kind.SUBSCRIBE, b"\x01"), (Kind.PUBLISH, b"1"), (Kind.PUBLISH, b"2")]


# -- why


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (0x8B, "the broker restarts"),
        (0x8D, "keep-alive: the broker has not heard from us for a while"),
        (0x98, "an administrator ended the connection"),
        (0x97, "a limit of the account or connection is reached"),
    ],
)
def test_a_disconnect_is_reported_once_in_plain_english(reason: int, cause: str) -> None:
    with ScriptedBroker() as broker, connected(broker) as connection:
        broker.send(disconnect(reason))
        assert [connection.receive(DEADLINE_SECONDS) for _ in range(2)] == [Lost(cause), Restored()]


@pytest.mark.parametrize(
    ("later", "cause"),
    [
        (timedelta(0), "the connection was cut"),
        (timedelta(hours=1), "its credentials have expired"),
        (timedelta(hours=24), "the 24 hours are over that AWS lets a connection last"),
    ],
)
def test_the_clock_explains_a_cut(later: timedelta, cause: str) -> None:
    first, moved = keys(), timedelta(0)
    with (
        ScriptedBroker() as broker,
        connected(broker, lambda: first, now=lambda: datetime.now(UTC) + moved) as connection,
    ):
        moved = later
        broker.cut()
        assert [connection.receive(DEADLINE_SECONDS) for _ in range(2)] == [Lost(cause), Restored()]


def test_a_message_that_leaves_no_room_for_its_topic_and_properties_is_explained() -> None:
    largest = bytes([0x27]) + (128 * 1024).to_bytes(4, "big")  # the property Maximum Packet Size
    connack = bytes([0x20, 8, 0, 0, len(largest)]) + largest
    script: Script = lambda p: connack if p.kind is Kind.CONNECT else agreeable(p)  # noqa: E731
    with ScriptedBroker(script) as broker, connected(broker) as connection:
        with pytest.raises(ServiceRefused, match=r"131,070 bytes, .* the broker accepts 131,072 in all"):
            connection.publish(Publication("a/b/c", b"x" * 131_070, (("id", "1"),)))
        connection.publish(Publication("a/b/c", b"x" * 131_000, (("id", "1"),)))


def test_messages_may_arrive_for_a_connection_that_was_given_up() -> None:
    """awscrt crashed if a message arrived for a client that Python had freed, which ended the whole program."""
    with (
        ScriptedBroker(say(Kind.PUBLISH, lambda _: b"", link=1)) as broker,
        connected(broker, timeout=1.0) as connection,
    ):
        connection.subscribe(["a/#"])
        connection.send(Publication("a/b", b"x"), lambda _: None)
        for number in range(2 * EVENTS):  # nobody reads them, so awscrt waits in the middle of a packet
            broker.send(publish("a/b", number))
        with pytest.raises(Unreachable):
            connection.publish(Publication("a/b", b"x"))
        while not isinstance(event := connection.receive(DEADLINE_SECONDS), Restored):
            assert isinstance(event, Publication | Lost)


@pytest.mark.long
def test_a_connection_that_died_without_a_sign_is_lost_since_the_last_packet() -> None:
    script = say(Kind.PINGREQ, lambda _: b"", link=1)
    with ScriptedBroker(script) as broker, connected(broker) as connection:
        connection.subscribe(["a/#"])
        began = time.monotonic()
        broker.send(publish("a/b", 1))
        assert isinstance(connection.receive(DEADLINE_SECONDS), Publication)
        lost = connection.receive(DEADLINE_SECONDS)
        silent = time.monotonic() - began
        restored = connection.receive(DEADLINE_SECONDS)
        assert lost == Lost("the broker no longer answers")
        assert isinstance(lost, Lost)
        assert lost.silent == pytest.approx(silent, abs=BRIEF_SECONDS)
        assert isinstance(restored, Restored)
        assert restored.seconds >= lost.silent
        assert restored.may_miss
