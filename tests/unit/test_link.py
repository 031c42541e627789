"""The rules of a connection, one at a time: reconnect, resend, resubscribe, silence, refusal by cuts, and the end."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from aws_iot.aws.iot.link import Settings, State, step
from aws_iot.aws.iot.link import effects as do
from aws_iot.aws.iot.link import events as on
from aws_iot.aws.iot.link.ending import FLUSH_SECONDS
from aws_iot.aws.iot.link.reconnect import ReconnectSchedule, Window, backoff
from aws_iot.aws.iot.link.refusal_detector import PROBE_SECONDS
from aws_iot.aws.iot.link.requests import VERDICT_SECONDS
from aws_iot.aws.iot.link.state import Closing, Failed, Isolating, Offline, Online, Probing, Resubscribing
from aws_iot.aws.iot.link.unacknowledged import BLAME_SECONDS, SLOWEST_BYTES_PER_SECOND, PendingPublish
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    NotAccepted,
    NotAuthorized,
    ServiceRefused,
    TopicRefused,
    Unreachable,
)
from aws_iot.messaging.connection import Lost, Restored

TIMEOUT = 10.0
NOT_ACCEPTED = NotAccepted("the identity is not accepted")


def message(topic: str = "a/b", *, qos: int = 1, size: int = 10) -> PendingPublish:
    return PendingPublish(topic, qos, size, object(), lambda _: None)


@dataclass
class Driver:
    """Feeds events at chosen times, and remembers the effects of the last one."""

    is_durable: bool = False
    is_temporary: bool = False
    now: float = 1000.0
    effects: list[do.Effect] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.state = State(Settings("example.com", TIMEOUT, NOT_ACCEPTED, self.is_durable, self.is_temporary))

    def __call__(self, event: on.Event, *, after: float = 0.0) -> list[do.Effect]:
        """The effects of an event that comes `after` seconds."""
        self.now += after
        self.state, effects = step(self.state, event, self.now)
        self.effects = list(effects)
        return self.effects

    @property
    def attempt(self) -> int:
        return self.state.attempt.number

    def of(self, kind: type) -> list[do.Effect]:
        """The effects of a kind of the last event."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def connect(self, *, session_present: bool = False, after: float = 2.0) -> list[do.Effect]:
        """Let the planned attempt succeed."""
        self(on.AttemptDue(self.attempt), after=after)
        self(on.Signed(self.attempt))
        return self(on.Connected(self.attempt, session_present))

    def cut(
        self, *, may_be_refusal: bool = True, reason: str | None = None, after: float = 0.1
    ) -> list[do.Effect]:
        """Let the broker cut the connection."""
        return self(on.Disconnected(self.attempt, "cut", "HANGUP", may_be_refusal, reason), after=after)

    def tick(self, after: float) -> list[do.Effect]:
        return self(on.Tick(), after=after)

    def granted(self, *filters: str) -> None:
        """Let the broker grant a subscription."""
        self(on.Subscribe(filters))
        assert self(on.SubscribeAnswered(self.attempt, filters)) == [do.FinishCall()]


def online(*, is_durable: bool = False, is_temporary: bool = False) -> Driver:
    """A connection that was just opened."""
    driver = Driver(is_durable, is_temporary)
    assert driver(on.Open()) == [do.StartClient(1)]
    driver(on.Signed(1))
    assert driver(on.Connected(1)) == [do.FinishCall()]
    return driver


def failure(driver: Driver) -> AwsIotError:
    """Why the connection is over for good."""
    assert isinstance(driver.state.phase, Failed)
    return driver.state.phase.error


def restored(driver: Driver) -> Restored:
    """The notice of the last event that the connection is back."""
    [notice] = driver.of(do.Notify)
    assert isinstance(notice, do.Notify)
    assert isinstance(notice.event, Restored)
    return notice.event


def errors(effects: list[do.Effect]) -> Iterator[AwsIotError | None]:
    """The errors of calls and messages."""
    return (effect.error for effect in effects if isinstance(effect, do.FinishCall | do.Report))


# -- opening


@pytest.mark.parametrize("error", [CredentialsRefused("no"), Unreachable("no network")])
def test_an_attempt_that_cannot_be_signed_ends_opening_with_that_error(error: AwsIotError) -> None:
    driver = Driver()
    driver(on.Open())
    driver(on.Signed(1, error))
    assert driver(on.ConnectFailed(1, "callback", "CALLBACK")) == [do.FinishCall(error), do.StopClient()]


def test_a_rejected_connack_ends_opening() -> None:
    driver = Driver()
    driver(on.Open())
    assert do.FinishCall(NOT_ACCEPTED) in driver(on.ConnectFailed(1, "no", "NO", NOT_ACCEPTED))


def test_three_attempts_that_are_cut_before_connack_mean_that_the_identity_is_not_accepted() -> None:
    driver = Driver()
    driver(on.Open())
    for _ in range(3):
        driver(on.Signed(driver.attempt))
        driver(on.ConnectFailed(driver.attempt, "cut", "HANGUP", is_cut=True))
        [request] = driver.of(do.Diagnose)
        assert isinstance(request, do.Diagnose)
        effects = driver(on.Diagnosed(request))
        driver(on.AttemptDue(driver.attempt), after=1.5)
    assert effects == [do.FinishCall(NOT_ACCEPTED), do.StopClient()]


def test_an_endpoint_that_is_silent_is_checked_and_given_up_in_time() -> None:
    driver = Driver()
    driver(on.Open())
    [check] = driver.tick(2)
    assert check == do.Diagnose(1, is_signed=False, seconds=TIMEOUT - 2)
    assert isinstance(check, do.Diagnose)
    assert driver(on.Diagnosed(check), after=1) == []
    [last] = driver.tick(TIMEOUT)
    assert isinstance(last, do.Diagnose)
    assert last.is_signed
    [error, _] = [*errors(driver(on.Diagnosed(last))), None]
    assert str(error) == "example.com did not answer within 10 seconds"


def test_a_check_that_never_ends_does_not_keep_opening_from_ending() -> None:
    driver = Driver()
    driver(on.Open())
    driver.tick(2)
    driver.tick(TIMEOUT)
    assert [type(error) for error in errors(driver.tick(4))] == [Unreachable]


def test_a_connection_that_is_accepted_is_not_ended_by_what_was_wrong_before() -> None:
    driver = Driver()
    driver(on.Open())
    driver(on.ConnectFailed(1, "cut", "HANGUP"))
    [request] = driver.of(do.Diagnose)
    assert isinstance(request, do.Diagnose)
    driver.connect()
    assert driver(on.Diagnosed(request, CredentialsRefused("403"))) == []


# -- the reconnect schedule


@pytest.mark.parametrize(("away", "seconds"), [(0, 1), (4, 1), (8, 2), (60, 15), (3600, 30)])
def test_the_pause_between_connects_grows_with_the_outage(away: float, seconds: float) -> None:
    assert backoff(away) == seconds


def test_the_first_attempt_after_a_useful_connection_is_made_at_once() -> None:
    _, window = ReconnectSchedule(last_connect=10.0).next_attempt(100.0, reached_server=True)
    assert window == Window(100.0, 100.3)


def test_no_attempt_is_made_within_a_second_of_the_last_connect() -> None:
    for away_since in (None, 10.0):
        schedule = ReconnectSchedule(last_connect=10.0, away_since=away_since)
        for reached_server in (True, False):
            _, window = schedule.next_attempt(10.1, reached_server=reached_server)
            assert window.earliest >= 11.0


def test_an_attempt_that_reached_no_server_is_repeated_soon_however_long_the_outage() -> None:
    schedule = ReconnectSchedule(last_connect=10.0, away_since=10.0)
    _, window = schedule.next_attempt(4000.0, reached_server=False)
    assert window == Window(4000.5, 4001.0)
    _, window = schedule.next_attempt(4000.0, reached_server=True)
    assert window == Window(4000.0, 4000.0)


def test_pauses_differ_by_chance_so_that_clients_do_not_return_together() -> None:
    schedule = ReconnectSchedule(last_connect=100.0, away_since=20.0)
    _, window = schedule.next_attempt(100.0, reached_server=True)
    assert window == Window(120.0, 124.0)


def test_a_timer_that_fires_early_is_set_again() -> None:
    driver = online()
    driver.cut(after=0.1)
    [plan] = driver.of(do.ScheduleAttempt)
    assert isinstance(plan, do.ScheduleAttempt)
    again = do.ScheduleAttempt(plan.attempt, plan.earliest, plan.earliest)
    assert driver(on.AttemptDue(plan.attempt), after=0.1) == [again]
    assert driver(on.AttemptDue(plan.attempt), after=1) == [do.StartClient(plan.attempt)]
    assert driver(on.AttemptDue(plan.attempt)) == []


def test_a_request_that_is_never_answered_is_given_up() -> None:
    driver = online()
    driver.cut()
    driver(on.AttemptDue(driver.attempt), after=2)
    driver(on.Signed(driver.attempt))
    assert driver.tick(TIMEOUT - 0.1) == []
    effects = driver.tick(0.1)
    assert [type(effect) for effect in effects] == [do.StopClient, do.ScheduleAttempt, do.Diagnose]


# -- an outage


def lose(driver: Driver) -> do.Diagnose:
    """Cut the connection, let an attempt fail, and return the question why."""
    driver.cut()
    driver(on.AttemptDue(driver.attempt), after=2)
    driver(on.ConnectFailed(driver.attempt, "refused", "REFUSED"))
    [request] = driver.of(do.Diagnose)
    assert isinstance(request, do.Diagnose)
    return request


def test_the_reason_why_attempts_fail_is_reported_and_marked_when_it_repeats() -> None:
    driver = online()
    request = lose(driver)
    assert driver(on.Diagnosed(request)) == [do.Notify(Lost("refused"))]
    driver(on.AttemptDue(driver.attempt), after=2)
    driver(on.ConnectFailed(driver.attempt, "refused", "REFUSED"))
    [notice] = driver(on.Diagnosed(request._replace(attempt=driver.attempt)))
    assert isinstance(notice, do.Notify)
    assert isinstance(notice.event, Lost)
    assert notice.event.again


def test_credentials_that_are_rejected_end_it() -> None:
    driver = online()
    error = CredentialsRefused("HTTP 403")
    driver(on.Diagnosed(lose(driver), error))
    assert driver.state.phase == Failed(error)


def test_a_reason_from_before_the_last_connection_is_ignored() -> None:
    driver = online()
    request = lose(driver)
    driver.connect()
    assert driver(on.Diagnosed(request, CredentialsRefused("403"))) == []
    driver.cut(may_be_refusal=False)
    assert driver(on.Diagnosed(request, CredentialsRefused("403"))) == []


def test_a_connection_that_is_back_says_for_how_long_it_was_lost() -> None:
    driver = online()
    driver.cut()
    driver.now += 5
    assert driver.connect() == [do.Notify(Restored(7.0))]
    assert restored(driver).seconds == pytest.approx(7.0)


@pytest.mark.parametrize(("silent", "seconds"), [(0.0, 2.0), (30.0, 32.0), (1000.0, 47.0)])
def test_a_connection_that_died_without_a_sign_was_lost_when_the_last_packet_arrived(
    silent: float, seconds: float
) -> None:
    driver = online()
    driver.now += 45
    [*_, lost] = driver(
        on.Disconnected(driver.attempt, "no answer", "PING", False, silent_since=driver.now - silent)
    )
    assert isinstance(lost, do.Notify)
    assert isinstance(lost.event, Lost)
    assert lost.event.silent == seconds - 2
    driver.connect()
    assert restored(driver).seconds == seconds


def test_messages_may_be_missing_if_the_broker_has_not_kept_what_was_subscribed_to() -> None:
    for is_durable, is_kept, rooms, may_miss in [
        (False, False, ["a/#"], True),
        (False, False, [], False),
        (True, True, ["a/#"], False),
        (True, False, ["a/#"], True),
    ]:
        driver = online(is_durable=is_durable)
        for room in rooms:
            driver.granted(room)
        driver.cut(may_be_refusal=False)
        driver.connect(session_present=is_kept)
        if rooms and not is_kept:
            driver(on.ResubscribeAnswered(driver.attempt))
        assert restored(driver).may_miss == may_miss


def test_messages_may_be_missing_although_the_broker_knows_a_session_of_another_attempt() -> None:
    driver = online(is_durable=True)
    driver.granted("a/#")
    driver.cut(may_be_refusal=False)
    driver.connect(session_present=False)
    driver.cut(may_be_refusal=False)
    driver.connect(session_present=True)
    driver(on.ResubscribeAnswered(driver.attempt))
    assert restored(driver).may_miss


def test_each_outage_is_measured_from_its_own_loss() -> None:
    driver = online()
    for _ in range(2):
        driver.cut(may_be_refusal=False, after=60)
        driver.connect()
        assert restored(driver).seconds == pytest.approx(2.0)


def test_filters_are_requested_again_in_packets_as_before() -> None:
    driver = online()
    driver.granted("a/#", "b/#")
    driver.granted("c/#")
    driver.cut()
    packets = [do.SendSubscribe(filters, is_again=True) for filters in (("a/#", "b/#"), ("c/#",))]
    assert driver.connect() == packets
    assert driver(on.ResubscribeAnswered(driver.attempt)) == []
    assert driver(on.ResubscribeAnswered(driver.attempt)) == [do.Notify(Restored())]
    assert isinstance(driver.state.phase, Online)


def test_answers_of_another_connection_or_too_many_answers_do_not_restore_it() -> None:
    driver = online()
    driver.granted("a/#")
    driver.granted("b/#")
    first = driver.attempt
    driver.cut()
    driver.connect()
    assert driver(on.ResubscribeAnswered(first)) == []
    assert driver(on.ResubscribeAnswered(driver.attempt)) == []
    assert driver(on.ResubscribeAnswered(driver.attempt)) == [do.Notify(Restored())]
    assert driver(on.ResubscribeAnswered(driver.attempt)) == []
    driver(on.Publish(message()))
    probe(driver)
    driver.connect()
    driver.tick(PROBE_SECONDS)
    for expected in (0, 1, 0):
        driver(on.ResubscribeAnswered(driver.attempt))
        assert len(driver.of(do.Notify)) == expected


def test_a_session_that_the_broker_kept_needs_no_subscriptions() -> None:
    driver = online(is_durable=True)
    driver.granted("a/#")
    driver.cut()
    assert driver.connect(session_present=True) == [do.Notify(Restored())]


def test_a_session_that_was_made_but_not_filled_is_not_trusted() -> None:
    driver = online(is_durable=True)
    driver.granted("a/#")
    driver.cut()
    driver.connect()
    driver.cut(may_be_refusal=False)  # before the filters are granted
    assert driver.connect(session_present=True) == [do.SendSubscribe(("a/#",), is_again=True)]
    assert driver(on.ResubscribeAnswered(driver.attempt)) == [do.Notify(Restored(forgotten=True))]


def test_filters_are_requested_again_if_an_attempt_without_an_answer_may_have_begun_a_new_session() -> None:
    """The broker had discarded the session, say. It then says of the empty one that it has kept it."""

    def fails(driver: Driver) -> None:
        driver(on.ConnectFailed(driver.attempt, "cut", "HANGUP"))

    def is_rejected(driver: Driver) -> None:
        driver(on.ConnectFailed(driver.attempt, "busy", "BUSY", Unreachable("busy")))

    again = do.SendSubscribe(("a/#",), is_again=True)
    for give_up, expected in [
        (fails, [again]),
        (lambda driver: driver.tick(TIMEOUT), [again]),
        (lambda driver: driver(on.Hurry(), after=2.0), [again]),
        (is_rejected, [do.Notify(Restored())]),
    ]:
        driver = online(is_durable=True)
        driver.granted("a/#")
        driver.cut()
        driver(on.AttemptDue(driver.attempt), after=2.0)
        driver(on.Signed(driver.attempt))
        before = driver.attempt
        give_up(driver)
        assert driver.attempt == before + 1
        assert driver.connect(session_present=True, after=40.0) == expected
        if expected == [again]:
            driver(on.ResubscribeAnswered(driver.attempt))
        assert not restored(driver).may_miss
        driver.cut()
        assert driver.connect(session_present=True, after=40.0) == [do.Notify(Restored())], (
            "no doubt any more"
        )


def test_filters_that_were_unsubscribed_are_not_requested_again() -> None:
    driver = online()
    driver.granted("a/#", "b/#")
    assert driver(on.Unsubscribe(("a/#",))) == [do.SendUnsubscribe(("a/#",))]
    driver(on.UnsubscribeAnswered(driver.attempt))
    driver.cut()
    assert driver.connect() == [do.SendSubscribe(("b/#",), is_again=True)]


def test_a_room_that_was_closed_in_the_meantime_ends_it() -> None:
    driver = online()
    driver.granted("a/#")
    driver.cut()
    driver.connect()
    error = TopicRefused("no")
    driver(on.ResubscribeAnswered(driver.attempt, error))
    assert driver.state.phase == Failed(error)


# -- messages


def test_messages_that_wait_are_sent_again_in_order_on_the_next_connection_and_once_on_each() -> None:
    driver, messages = online(), [message(), message(), message()]
    for one in messages:
        assert driver(on.Publish(one)) == [do.SendPublish(one)]
    assert driver(on.PublishAnswered(driver.attempt, messages[0])) == [do.Report(messages[0])]
    driver.cut()
    late = message()
    assert driver(on.Publish(late)) == []
    driver.connect()
    assert driver.of(do.SendPublish) == [do.SendPublish(one) for one in (*messages[1:], late)]


def test_a_message_is_reported_once_even_if_it_is_acknowledged_on_two_connections() -> None:
    driver, one = online(), message()
    driver(on.Publish(one))
    first = driver.attempt
    driver.cut()
    driver.connect()
    assert driver(on.PublishAnswered(first, one)) == [do.Report(one)]
    assert driver(on.PublishAnswered(driver.attempt, one)) == []


def test_what_a_dropped_client_could_not_send_is_not_reported() -> None:
    driver, one = online(), message()
    driver(on.Publish(one))
    first = driver.attempt
    driver.cut()
    assert driver(on.PublishAnswered(first, one, Unreachable("stopped"), is_from_broker=False)) == []


def test_qos_0_waits_for_no_connection() -> None:
    driver, sent, late = online(), message(qos=0), message(qos=0)
    driver(on.Publish(sent))
    assert [type(error) for error in errors(driver.cut())] == [ServiceRefused]
    assert [str(error) for error in errors(driver(on.Publish(late)))] == [
        "it was not sent: there was no connection"
    ]
    driver.connect()
    assert driver.of(do.SendPublish) == []


def test_disconnect_not_authorized_is_blamed_on_the_only_message() -> None:
    driver, one = online(), message("a/b")
    driver(on.Publish(one, is_awaited=True))
    [call, report, stop] = driver(on.EndedByBroker(driver.attempt, NotAuthorized("ended")))
    assert isinstance(call, do.FinishCall)
    assert str(call.error) == "not authorized to publish to a/b"
    assert isinstance(report, do.Report)
    assert str(report.error) == "the connection has ended"
    assert stop == do.StopClient()


# -- silence


@pytest.mark.parametrize("answered", [None, 0, 2])
def test_a_connection_that_acknowledges_nothing_more_is_given_up(answered: int | None) -> None:
    driver, messages = online(), [message(size=0) for _ in range(3)]
    for one in messages:
        driver(on.Publish(one))
    if answered is not None:
        driver(on.PublishAnswered(driver.attempt, messages[answered]), after=1)
    assert driver.tick(TIMEOUT - 0.1) == []
    driver.tick(0.1)
    [notice] = driver.of(do.Notify)
    assert notice == do.Notify(Lost("no acknowledgement for 10 seconds"))
    assert isinstance(notice, do.Notify)
    assert isinstance(notice.event, Lost)
    assert notice.event.unanswered == (answered is None)
    assert do.StopClient() in driver.effects


def test_a_message_that_waited_long_for_a_connection_is_not_owed_an_answer_at_once() -> None:
    driver, one = online(), message(size=0)
    driver.cut(may_be_refusal=False)
    driver(on.Publish(one))
    driver.connect(after=3 * TIMEOUT)
    assert driver.tick(TIMEOUT - 0.1) == []
    assert driver.tick(0.1) != []


def test_a_slow_broker_is_not_given_up_while_answers_come_in_order() -> None:
    driver, messages = online(), [message(size=0) for _ in range(5)]
    for one in messages:
        driver(on.Publish(one))
    for one in messages:
        assert driver.tick(TIMEOUT - 1) == []
        driver(on.PublishAnswered(driver.attempt, one))


def test_a_large_message_is_given_the_time_that_its_upload_may_take() -> None:
    driver = online()
    driver(on.Publish(message(size=20 * SLOWEST_BYTES_PER_SECOND)))
    assert driver.tick(TIMEOUT + 19) == []
    assert driver.tick(2) != []


def test_a_subscription_that_is_not_granted_again_is_silence_as_well() -> None:
    driver = online()
    driver.granted("a/#")
    driver.cut()
    driver.connect()
    assert driver.tick(TIMEOUT - 0.1) == []
    assert do.Notify(Lost("no acknowledgement for 10 seconds")) in driver.tick(0.1)


# -- calls


CALLS: list[Callable[[], on.Event]] = [
    lambda: on.Publish(message(), is_awaited=True),
    lambda: on.Subscribe(("a/#",)),
    lambda: on.Unsubscribe(("a/#",)),
]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("is_up", [True, False])
def test_a_call_ends_after_the_timeout(call: Callable[[], on.Event], is_up: bool) -> None:
    driver = online()
    if not is_up:
        driver.cut(may_be_refusal=False)
    driver(call())
    assert list(errors(driver.tick(TIMEOUT - 0.1))) == []
    assert Unreachable in [type(error) for error in errors(driver.tick(0.2))]


@pytest.mark.parametrize("call", CALLS)
def test_a_call_waits_longer_while_a_probe_runs(call: Callable[[], on.Event]) -> None:
    driver = online()
    driver(on.Publish(message()))
    probe(driver)
    driver(call())
    assert list(errors(driver.tick(TIMEOUT + VERDICT_SECONDS - 0.1))) == []
    assert Unreachable in [type(error) for error in errors(driver.tick(0.2))]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("is_closed", [True, False])
def test_a_call_after_the_end_fails_at_once(call: Callable[[], on.Event], is_closed: bool) -> None:
    driver = online()
    driver(on.Leave() if is_closed else on.EndedByBroker(driver.attempt, Unreachable("taken over")))
    [error, *_] = errors(driver(call()))
    assert str(error) == ("the connection was closed" if is_closed else "taken over")


def test_a_packet_of_a_call_is_sent_again_on_the_next_connection() -> None:
    driver = online()
    for call, packet in (
        (on.Subscribe(("a/#",)), do.SendSubscribe(("a/#",), is_again=False)),
        (on.Unsubscribe(("a/#",)), do.SendUnsubscribe(("a/#",))),
    ):
        assert driver(call) == [packet]
        driver.cut(may_be_refusal=False)
        assert driver.connect() == [do.Notify(Restored()), packet]


# -- refused by cuts


def probe(driver: Driver, *, after: float = 0.1) -> None:
    """Two cuts, after which the next connection is an idle probe."""
    driver.cut(after=after)
    assert isinstance(driver.state.phase, Offline)
    driver.connect()
    driver.cut(after=after)
    assert isinstance(driver.state.phase, Probing)


def isolate(driver: Driver) -> list[do.Effect]:
    """A probe that stays up."""
    assert driver.connect() == [do.WakeAt(driver.now + PROBE_SECONDS)]
    assert driver.tick(PROBE_SECONDS - 0.1) == []
    return driver.tick(0.1)


def test_a_message_is_refused_if_it_is_cut_alone_after_an_idle_probe() -> None:
    driver, first, second = online(), message("a/b"), message("c/d")
    driver(on.Publish(first))
    driver(on.Publish(second))
    probe(driver)
    assert isolate(driver) == [do.Notify(Restored()), do.SendPublish(first)]
    driver.cut()
    assert type(failure(driver)) is TopicRefused
    assert "publish to a/b" in str(failure(driver))


def test_a_refusal_with_a_reason_code_names_it() -> None:
    driver = online()
    driver(on.Publish(message("a/b")))
    probe(driver)
    isolate(driver)
    driver.cut(reason="packet too large")
    assert type(failure(driver)) is ServiceRefused
    assert "packet too large" in str(failure(driver))


def test_a_message_that_is_answered_alone_is_followed_by_the_rest() -> None:
    driver, first, second = online(), message(), message()
    driver(on.Publish(first))
    probe(driver)
    assert driver(on.Publish(second)) == []
    assert isolate(driver) == [do.Notify(Restored()), do.SendPublish(first)]
    assert driver(on.PublishAnswered(driver.attempt, first)) == [do.Report(first), do.SendPublish(second)]
    assert isinstance(driver.state.phase, Online)


def test_a_probe_that_is_cut_as_well_clears_all_requests() -> None:
    driver = online()
    driver(on.Publish(message()))
    for _ in range(3):
        probe(driver)
        driver.connect()
        driver.cut()
        assert isinstance(driver.state.phase, Offline)
        driver.connect()


def test_an_end_for_another_reason_clears_all_requests() -> None:
    driver = online()
    driver(on.Publish(message()))
    driver.cut()
    driver.connect()
    driver.cut(may_be_refusal=False)
    driver.connect()
    driver.cut()
    assert isinstance(driver.state.phase, Offline)


def test_a_cut_long_after_a_request_or_after_an_answer_is_not_counted() -> None:
    driver, messages = online(), [message(), message()]
    for one in messages:
        driver(on.Publish(one))
    driver.cut()
    driver.connect()
    driver.cut(after=BLAME_SECONDS)
    driver.connect()
    driver(on.PublishAnswered(driver.attempt, messages[0]))
    driver.cut()
    driver.connect()
    driver.cut()
    assert isinstance(driver.state.phase, Offline)


def test_a_probe_has_to_stay_up_longer_than_the_connection_that_was_cut() -> None:
    driver = online()
    driver(on.Publish(message()))
    probe(driver, after=3)
    assert driver.state.phase == Probing(6)


def test_a_subscription_is_refused_if_it_is_cut_alone_and_the_connection_lives_on() -> None:
    driver, one = online(), message()
    driver(on.Publish(one))
    driver(on.PublishAnswered(driver.attempt, one))
    driver(on.Subscribe(("a/#",)))
    probe(driver)
    assert do.SendSubscribe(("a/#",), is_again=False) in isolate(driver)
    [error] = errors(driver.cut())
    assert type(error) is TopicRefused
    assert "subscribe to a/#" in str(error)
    assert isinstance(driver.state.phase, Offline)


def test_messages_wait_until_a_subscription_that_is_alone_is_answered() -> None:
    driver, one = online(), message()
    driver(on.Publish(one))
    driver(on.Subscribe(("a/#",)))
    probe(driver)
    assert do.SendPublish(one) not in isolate(driver)
    answered = driver(on.SubscribeAnswered(driver.attempt, ("a/#",)))
    assert answered == [do.FinishCall(), do.SendPublish(one)]


def test_a_call_that_comes_while_a_message_is_alone_waits_until_that_is_answered() -> None:
    for call, packet in (
        (on.Subscribe(("a/#",)), do.SendSubscribe(("a/#",), is_again=False)),
        (on.Unsubscribe(("a/#",)), do.SendUnsubscribe(("a/#",))),
    ):
        driver, one = online(), message()
        driver(on.Publish(one))
        probe(driver)
        isolate(driver)
        assert driver(call) == []
        assert driver(on.PublishAnswered(driver.attempt, one)) == [do.Report(one), packet]


def test_rooms_that_are_refused_again_end_the_connection() -> None:
    driver, one = online(), message()
    driver.granted("a/#")
    driver(on.Publish(one))
    driver(on.PublishAnswered(driver.attempt, one))
    driver.cut()
    for _ in range(2):
        driver.connect()
        assert isinstance(driver.state.phase, Resubscribing)
        driver.cut()
    assert isolate(driver) == [do.SendSubscribe(("a/#",), is_again=True)]
    assert isinstance(driver.state.phase, Isolating)
    driver.cut()
    assert "subscribe again" in str(failure(driver))
    assert driver.state.may_miss


# -- without the pause


def test_the_planned_attempt_can_be_made_at_once_but_a_second_after_the_last_one() -> None:
    driver = online()
    driver.cut(after=3)
    for _ in range(3):
        driver(on.AttemptDue(driver.attempt), after=60)
        driver(on.Signed(driver.attempt))
        driver(on.ConnectFailed(driver.attempt, "no", "NO"), after=0.4)
    planned = driver.state.attempt
    assert planned.earliest > driver.now + 10
    soonest = driver.now + 0.6
    assert driver(on.Hurry()) == [do.ScheduleAttempt(planned.number, soonest, soonest)]
    assert driver(on.AttemptDue(planned.number), after=0.6) == [do.StartClient(planned.number)]
    assert driver(on.AttemptDue(planned.number), after=5) == [], "the moment that was planned before"
    assert driver(on.Hurry()) == [], "it refreshes credentials"
    driver(on.Signed(planned.number))
    assert driver(on.Hurry(), after=0.9) == [], "it may still be answered"
    driver(on.Connected(planned.number))
    assert driver(on.Hurry(), after=5) == []


def test_an_attempt_without_an_answer_need_not_be_waited_for() -> None:
    driver = online()
    driver.cut(after=3)
    driver(on.AttemptDue(driver.attempt), after=2)
    driver(on.Signed(mute := driver.attempt))
    [stop, plan] = driver(on.Hurry(), after=2)
    assert (stop, plan) == (do.StopClient(), do.ScheduleAttempt(mute + 1, driver.now, driver.now))
    assert driver(on.Connected(mute)) == []
    driver.connect()
    assert isinstance(driver.state.phase, Online)


# -- the end


def test_leaving_reports_all_that_waits_and_disconnects() -> None:
    driver, one = online(), message()
    driver(on.Publish(one))
    [report, stop] = driver(on.Leave())
    assert isinstance(report, do.Report)
    assert type(report.error) is Unreachable
    assert stop == do.StopClient()
    assert driver(on.Leave()) == []


def test_a_durable_session_disconnects_after_its_acknowledgements() -> None:
    driver = online(is_durable=True)
    attempt = driver.attempt
    assert driver(on.Leave()) == [do.Flush(), do.WakeAt(driver.now + FLUSH_SECONDS)]
    assert driver.tick(0.1) == []
    assert driver(on.Flushed(attempt)) == [do.StopClient()]
    assert driver.tick(5) == []


@pytest.mark.parametrize("keeps_session", [True, False])
def test_a_temporary_session_ends_at_once_or_is_kept_like_others(keeps_session: bool) -> None:
    driver = online(is_durable=True, is_temporary=True)
    flush = [do.Flush(), do.WakeAt(driver.now + FLUSH_SECONDS)]
    assert driver(on.Leave(keeps_session)) == (flush if keeps_session else [do.StopClient()])
    assert driver.state.ends_session is not keeps_session


@pytest.mark.parametrize("is_cut", [True, False])
def test_acknowledgements_that_do_not_leave_do_not_keep_it_from_closing(is_cut: bool) -> None:
    driver = online(is_durable=True)
    driver(on.Leave())
    left_at = driver.now
    assert (driver.cut() if is_cut else driver.tick(FLUSH_SECONDS)) == [do.StopClient()]
    assert driver.state.phase == Closing(left_at)


def test_after_the_end_events_of_the_client_change_nothing() -> None:
    driver = online()
    attempt = driver.attempt
    driver(on.EndedByBroker(attempt, Unreachable("taken over")))
    phase = driver.state.phase
    for event in (
        on.Disconnected(attempt, "", "", True),
        on.Connected(attempt),
        on.Signed(attempt),
        on.Tick(),
    ):
        assert driver(event) == []
    assert driver.state.phase is phase
