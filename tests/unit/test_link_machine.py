"""The rules of a connection in any order of events.

No message is lost or reported twice, no CONNECT is made too soon, and each call ends.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aws_iot.aws.iot.link import Settings, State, step
from aws_iot.aws.iot.link import effects as do
from aws_iot.aws.iot.link import events as on
from aws_iot.aws.iot.link.attempts import PATIENCE_SECONDS
from aws_iot.aws.iot.link.reconnect import CONNECT_SECONDS
from aws_iot.aws.iot.link.refusal_detector import PROBE_SECONDS
from aws_iot.aws.iot.link.requests import VERDICT_SECONDS
from aws_iot.aws.iot.link.state import Closing, Failed, Isolating, Offline, Online, Probing, Resubscribing
from aws_iot.aws.iot.link.unacknowledged import PendingPublish
from aws_iot.errors import (
    AwsIotError,
    NotAuthorized,
    ServiceRefused,
    SignInRefused,
    TopicRefused,
    Unreachable,
)
from aws_iot.messaging.connection import Lost, Restored

EITHER = [False, True]
CHANCES = [0.0, 0.5, 1.0]
SELDOM = [False] * 19 + [True]
STARTS: dict[str, Sequence[Any]] = {"is_durable": EITHER, "is_troubled": SELDOM, "rooms": ["", "a", "abc"]}
ANY = range(1_000)
"""Which one of some, however many there are then: the remainder counts."""

TIMEOUT = 3.0
POLL = 0.25
BY_CUTS = "closes the connection each time"


class Mood(Enum):
    """What a broker does for a while."""

    ANSWER = "answers all requests"
    CUT_PUBLISH = "cuts each connection that sends a message"
    CUT_SUBSCRIBE = "cuts each connection that subscribes"
    CUT = "cuts each connection"
    SILENT = "answers nothing"


@dataclass
class Client:
    """What the adapter and the broker know of one attempt."""

    attempt: int
    signed_at: float | None = None
    connected_at: float | None = None
    first_request_at: float | None = None
    busy_since: float = 0.0
    """Since when an acknowledgement is due."""
    messages: list[PendingPublish] = field(default_factory=list)
    unanswered: list[PendingPublish] = field(default_factory=list)
    subscribes: list[do.SendSubscribe] = field(default_factory=list)
    unsubscribes: int = 0
    has_answered: bool = False
    """Whether the broker has acknowledged or rejected a message."""

    @property
    def since(self) -> float:
        """When the connection was accepted."""
        assert self.connected_at is not None
        return self.connected_at


@dataclass
class Caller:
    """A call that waits."""

    deadline: float


class Move(NamedTuple):
    """What may happen: a rule that is played by Hypothesis, and by `play`."""

    function: Callable[..., None]
    is_possible: Callable[[Any], object]
    arguments: dict[str, Sequence[Any]]


MOVES: list[Move] = []
INVARIANTS: list[Callable[[Any], None]] = []


def move(
    is_possible: Callable[[Any], object] = lambda _: True, /, **arguments: Sequence[Any]
) -> Callable[[Callable[..., None]], Any]:
    """Make a move. Each argument is any of some values, among which a frequent one stands several times."""

    def decorate(function: Callable[..., None]) -> Any:
        MOVES.append(Move(function, is_possible, arguments))
        strategies: dict[str, Any] = {name: st.sampled_from(values) for name, values in arguments.items()}
        played_by_hypothesis: Any = rule(**strategies)
        return precondition(lambda weather: bool(is_possible(weather)))(played_by_hypothesis(function))

    return decorate


def start(function: Callable[..., None]) -> Any:
    """Make the first move."""
    strategies: dict[str, Any] = {name: st.sampled_from(values) for name, values in STARTS.items()}
    played_by_hypothesis: Any = initialize(**strategies)
    return played_by_hypothesis(function)


def holds_always(function: Callable[[Any], None]) -> Any:
    """Make an invariant."""
    INVARIANTS.append(function)
    return invariant()(function)


def one_of(some: Sequence[Any], which: int) -> Any:
    return some[which % len(some)]


class Weather(RuleBasedStateMachine):
    """A broker and a network that may do anything at any moment, and an owner who sends, subscribes and leaves."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.state = State(Settings("the broker", TIMEOUT, NotAuthorized("not accepted")))
        self.client: Client | None = None
        self.old_clients: list[Client] = []
        self.planned: do.ScheduleAttempt | None = None
        self.connects: list[float] = []
        self.diagnoses: list[do.Diagnose] = []
        self.caller: Caller | None = None
        self.order: list[PendingPublish] = []
        self.reports: dict[PendingPublish, list[AwsIotError | None]] = {}
        self.acknowledged: set[PendingPublish] = set()
        self.rejected: set[PendingPublish] = set()
        self.lost_at: float | None = None
        self.last_connected = 0
        self.is_open = False
        self.is_kept = True
        """Whether the broker knows all that was subscribed to before the last loss."""

    # -- the adapter

    def apply(self, event: on.Event) -> None:
        self.state, effects = step(self.state, event, self.now)
        stopped = self.client if do.StopClient() in effects else None
        for effect in effects:
            self.execute(effect)
        for one in stopped.unanswered if stopped else []:  # awscrt gives up all that is not acknowledged
            self.give_up(stopped, one)

    def give_up(self, client: Client | None, message: PendingPublish) -> None:
        assert client
        self.apply(on.PublishAnswered(client.attempt, message, Unreachable("stopped"), is_from_broker=False))

    def execute(self, effect: do.Effect) -> None:
        match effect:
            case do.ScheduleAttempt(_, earliest, latest):
                assert self.now <= earliest <= latest
                self.planned = effect
            case do.StartClient(attempt):
                assert self.client is None
                self.client, self.planned = Client(attempt), None
            case do.StopClient():
                self.old_clients += [self.client] if self.client else []
                self.client = None
            case do.SendPublish(message):
                self.carry(message)
            case do.SendSubscribe():
                client = self.connected()
                assert not (effect.is_again and effect in client.subscribes)
                client.subscribes.append(effect)
            case do.SendUnsubscribe():
                self.connected().unsubscribes += 1
            case do.Report(message, error):
                self.reports[message].append(error)
                assert len(self.reports[message]) == 1
                if message.qos and error:
                    assert message in self.rejected or self.is_over
                elif message.qos:
                    assert message in self.acknowledged
            case do.FinishCall():
                assert self.caller
                self.caller = None
            case do.Notify(Lost(cause) as lost):
                self.lost_at = self.now - lost.silent if self.lost_at is None else self.lost_at
                assert not lost.silent or 0 < lost.silent <= self.now - self.old_clients[-1].since
                if cause.startswith("no acknowledgement"):
                    assert self.now - self.old_clients[-1].since >= TIMEOUT
                if lost.unanswered:
                    assert not self.old_clients[-1].has_answered
                    assert any(message.qos for message in self.old_clients[-1].unanswered)
            case do.Notify(Restored(seconds, _, may_miss)):
                assert self.lost_at is not None
                assert seconds == self.now - self.lost_at
                assert may_miss == (bool(self.state.subscriptions) and not self.is_kept)
                self.is_kept = True
                assert not any(request.is_again for request in self.connected().subscribes)
                self.lost_at = None
            case do.Diagnose():
                assert not self.diagnoses
                self.diagnoses.append(effect)

    def connected(self) -> Client:
        """The connection on which a request is sent."""
        assert self.client
        assert self.client.connected_at is not None
        self.client.first_request_at = self.client.first_request_at or self.now
        return self.client

    def carry(self, message: PendingPublish) -> None:
        client = self.connected()
        assert message not in client.messages  # MQTT forbids it
        assert not client.messages or self.order.index(client.messages[-1]) < self.order.index(message)
        assert not self.reports[message]
        assert message.qos or not any(message in old.messages for old in self.old_clients)
        client.messages.append(message)
        client.busy_since = client.busy_since if self.is_owed_an_answer(client) else self.now
        client.unanswered.append(message)

    def is_owed_an_answer(self, client: Client) -> bool:
        """Whether an acknowledgement is due.

        None is due for a message that was reported: an earlier connection may have acknowledged it, after it was sent
        again on this one.
        """
        return any(message.qos and not self.reports[message] for message in client.unanswered)

    @property
    def is_connected(self) -> bool:
        return self.client is not None and self.client.connected_at is not None

    @property
    def is_over(self) -> bool:
        return isinstance(self.state.phase, Failed | Closing)

    # -- the owner

    @start
    def open(self, is_durable: bool, is_troubled: bool, rooms: str) -> None:
        self.state.settings = self.state.settings._replace(is_durable=is_durable)
        self.caller = Caller(self.now + TIMEOUT + 2 * PATIENCE_SECONDS)
        self.apply(on.Open())
        if not is_troubled:
            self.connect(False, 0.0)
            for room in rooms:
                self.subscribe(room)
                self.answer_subscribe(is_rejected=False)

    def may_call(self) -> bool:
        return self.caller is None

    def message(self, qos: int) -> PendingPublish:
        message = PendingPublish(f"t/{len(self.order)}", qos, 10, object(), lambda _: None)
        self.order.append(message)
        self.reports[message] = []
        return message

    def call(self, event: on.Event) -> None:
        self.caller = Caller(self.now + TIMEOUT + VERDICT_SECONDS)
        self.apply(event)

    @move(may_call, qos=[1, 1, 1, 0])
    def send(self, qos: int) -> None:
        self.apply(on.Publish(self.message(qos)))

    @move(may_call, qos=[1, 1, 0])
    def publish_and_wait(self, qos: int) -> None:
        self.call(on.Publish(self.message(qos), is_awaited=True))

    @move(may_call, name="abc")
    def subscribe(self, name: str) -> None:
        self.call(on.Subscribe((f"{name}/#",)))

    @move(may_call, name="abc")
    def unsubscribe(self, name: str) -> None:
        self.call(on.Unsubscribe((f"{name}/#",)))

    @move(lambda self: self.is_open, does=SELDOM)
    def hurry(self, does: bool) -> None:
        if does:
            self.apply(on.Hurry())

    @move(lambda self: self.is_open, does=SELDOM)
    def leave(self, does: bool) -> None:
        if does:
            self.apply(on.Leave())
            self.caller = None

    # -- time

    @move(seconds=[0.25, 0.5, 1.0, 2.0, 5.0, 12.0], chance=CHANCES)
    def wait(self, seconds: float, chance: float) -> None:
        self.pass_time(seconds, chance)

    def pass_time(self, seconds: float, chance: float, each: Callable[[], None] = lambda: None) -> None:
        until = self.now + seconds
        while self.now < until:
            self.now += POLL
            if (plan := self.planned) and plan.earliest + chance * (plan.latest - plan.earliest) <= self.now:
                self.apply(on.AttemptDue(plan.attempt))
            self.apply(on.Tick())
            each()

    @move(mood=[*Mood], seconds=[1.0, 3.0, 10.0], chance=CHANCES)
    def live(self, mood: "Mood", seconds: float, chance: float) -> None:
        """For some time the network is well, and the broker has a habit."""
        self.pass_time(seconds, chance, lambda: self.serve(mood))

    @move(
        lambda self: self.is_open and not self.is_over and self.may_call(),
        messages=range(4),
        subscribes=EITHER,
        mood=[*Mood],
    )
    def suspect_requests(self, messages: int, subscribes: bool, mood: "Mood") -> None:
        """Cut connections soon after requests, until one is an idle probe that stays up. Then the broker decides."""
        for _ in range(messages):
            self.send(1)
        if subscribes:
            self.subscribe("a")
        for _ in range(4):
            if not self.is_connected and not self.is_over:
                self.connect(session_present=False, chance=0.0)
            if self.is_connected and not isinstance(self.state.phase, Probing):
                self.cut(may_be_refusal=True)
        assert not messages or self.is_over or isinstance(self.state.phase, Probing)
        if isinstance(self.state.phase, Probing) and self.is_connected:
            self.pass_time(2 * PROBE_SECONDS, 0.0)
        self.serve(mood)

    @move()
    def timer_that_fires_early(self) -> None:
        self.apply(on.AttemptDue(self.state.attempt.number))

    # -- attempts

    @move(lambda self: not self.is_connected and not self.is_over, session_present=EITHER, chance=CHANCES)
    def connect(self, session_present: bool, chance: float) -> None:
        """Let the next attempt succeed."""
        while self.planned and self.client is None and not self.is_over:
            self.pass_time(POLL, chance)
        if self.client and self.client.signed_at is None:
            self.sign(None)
        if self.client:
            self.accept(session_present)

    @move(lambda self: self.client and self.client.signed_at is None, fails=EITHER, is_final=SELDOM)
    def sign_attempt(self, fails: bool, is_final: bool) -> None:
        failure = SignInRefused("the session has ended") if is_final else Unreachable("no network")
        self.sign(failure if fails else None)

    def sign(self, error: AwsIotError | None) -> None:
        assert self.client
        self.client.signed_at = self.now
        if error is None:
            self.connects.append(self.now)
        self.apply(on.Signed(self.client.attempt, error))
        if error and self.client:
            self.apply(on.ConnectFailed(self.client.attempt, "signing", "CALLBACK"))

    @move(
        lambda self: self.client and self.client.signed_at is not None and not self.is_connected,
        session_present=EITHER,
    )
    def accept(self, session_present: bool) -> None:
        assert self.client
        self.is_kept = self.is_kept and (session_present or not self.is_open)
        self.client.connected_at, self.is_open = self.now, True
        self.last_connected = self.client.attempt
        self.apply(on.Connected(self.client.attempt, session_present))

    @move(
        lambda self: self.client and not self.is_connected,
        is_cut=EITHER,
        rejection=[None, None, None, "busy", "final"],
    )
    def fail(self, is_cut: bool, rejection: str | None) -> None:
        assert self.client
        error = (
            None
            if rejection is None
            else NotAuthorized("no")
            if rejection == "final"
            else Unreachable("busy")
        )
        self.apply(
            on.ConnectFailed(self.client.attempt, "no answer", "NAME", error, rejection == "final", is_cut)
        )

    @move(lambda self: self.diagnoses, has_fault=EITHER, is_final=[False] * 4 + [True])
    def diagnose(self, has_fault: bool, is_final: bool) -> None:
        fault = SignInRefused("HTTP 403") if is_final else Unreachable("host name not found")
        request, phase = self.diagnoses.pop(), self.state.phase
        self.apply(on.Diagnosed(request, fault if has_fault else None))
        assert request.attempt > self.last_connected or self.state.phase is phase

    # -- a connection that is up

    @move(
        lambda self: self.client and self.client.unanswered,
        which=ANY,
        is_rejected=[False, False, False, True],
    )
    def answer_message(self, which: int, is_rejected: bool) -> None:
        assert self.client
        message = one_of(self.client.unanswered, which)
        self.answer(self.client, message, ServiceRefused("no") if is_rejected else None)

    def answer(self, client: Client, message: PendingPublish, error: AwsIotError | None = None) -> None:
        client.unanswered.remove(message)
        client.busy_since = self.now
        client.has_answered = client.has_answered or bool(message.qos)
        (self.rejected if error else self.acknowledged).add(message)
        self.apply(on.PublishAnswered(client.attempt, message, error, is_from_broker=bool(message.qos)))

    @move(lambda self: self.client and self.client.subscribes, is_rejected=SELDOM)
    def answer_subscribe(self, is_rejected: bool) -> None:
        assert self.client
        self.grant(self.client, TopicRefused("no") if is_rejected else None)

    def grant(self, client: Client, error: AwsIotError | None = None) -> None:
        request = client.subscribes.pop(0)
        if request.is_again:
            self.apply(on.ResubscribeAnswered(client.attempt, error))
        else:
            self.apply(on.SubscribeAnswered(client.attempt, request.filters, error))

    @move(lambda self: self.client and self.client.unsubscribes)
    def answer_unsubscribe(self) -> None:
        assert self.client
        self.client.unsubscribes -= 1
        self.apply(on.UnsubscribeAnswered(self.client.attempt))

    @move(
        lambda self: self.is_connected,
        may_be_refusal=[True, True, True, False],
        silent=[None, None, 0.0, 1.0, 1000.0],
    )
    def cut(self, may_be_refusal: bool, silent: float | None = None) -> None:
        client, was_probe = self.client, isinstance(self.state.phase, Probing)
        assert client
        silent_since = None if silent is None else self.now - silent
        self.apply(
            on.Disconnected(client.attempt, "it was cut", "HANGUP", may_be_refusal, silent_since=silent_since)
        )
        assert not was_probe or isinstance(self.state.phase, Offline)
        if isinstance(self.state.phase, Failed) and BY_CUTS in str(self.state.phase.error):
            assert client.first_request_at is not None
            assert (
                client.first_request_at - client.since >= PROBE_SECONDS
            )  # a single request after an idle probe
            assert len(client.messages) <= 1

    @move(lambda self: self.is_connected, does=SELDOM)
    def end_for_good(self, does: bool) -> None:
        assert self.client
        if does:
            self.apply(on.EndedByBroker(self.client.attempt, NotAuthorized("ended")))

    @move(lambda self: self.is_connected)
    def flush(self) -> None:
        assert self.client
        self.apply(on.Flushed(self.client.attempt))

    # -- clients that were dropped

    @move(lambda self: self.old_clients, which=ANY, what=ANY, may_be_acknowledged=EITHER)
    def late_event(self, which: int, what: int, may_be_acknowledged: bool) -> None:
        old = one_of(self.old_clients, which)
        messages = [message for message in old.unanswered if message.qos]
        if messages and may_be_acknowledged:
            self.answer(old, messages[0])
            return
        events: list[on.Event] = [
            on.Signed(old.attempt),
            on.Connected(old.attempt),
            on.ConnectFailed(old.attempt, "late", "LATE"),
            on.Disconnected(old.attempt, "late", "LATE", may_be_refusal=True),
            on.EndedByBroker(old.attempt, NotAuthorized("late")),
            on.ResubscribeAnswered(old.attempt),
            on.Flushed(old.attempt),
            *(on.PublishAnswered(old.attempt, one, Unreachable("stopped"), False) for one in old.unanswered),
        ]
        phase = self.state.phase
        self.apply(one_of(events, what))
        assert self.state.phase is phase

    # -- what always holds

    @holds_always
    def connects_are_a_second_apart(self) -> None:
        assert all(
            after - before >= CONNECT_SECONDS
            for before, after in zip(self.connects, self.connects[1:], strict=False)
        )

    @holds_always
    def each_call_ends(self) -> None:
        assert self.caller is None or self.now <= self.caller.deadline + POLL

    @holds_always
    def what_does_not_answer_is_given_up(self) -> None:
        client, phase = self.client, self.state.phase
        if client and self.is_owed_an_answer(client) and isinstance(phase, Online | Resubscribing):
            assert self.now <= client.busy_since + TIMEOUT + 2 * POLL
        if client and client.signed_at and not client.connected_at and self.is_open:
            assert self.now <= client.signed_at + TIMEOUT + POLL

    @holds_always
    def no_message_is_lost(self) -> None:
        waiting = list(self.state.queue)
        assert waiting == [message for message in self.order if not self.reports[message]]

    @holds_always
    def all_that_waits_is_sent_on_a_good_connection(self) -> None:
        if isinstance(self.state.phase, Online | Resubscribing):
            assert self.client
            assert [message for message in self.client.messages if not self.reports[message]] == list(
                self.state.queue
            )
            assert (
                self.state.call is None
                or self.state.call.publishes
                or self.state.call.sent_in == self.client.attempt
            )

    @holds_always
    def a_single_request_is_under_way(self) -> None:
        if isinstance(phase := self.state.phase, Isolating):
            is_subscribing = self.state.call is not None and self.state.call.subscribes
            assert phase.unanswered or is_subscribing or phase.message
            assert phase.message is None or not self.reports[phase.message]

    @holds_always
    def nothing_is_left_after_the_end(self) -> None:
        if self.is_over:
            assert self.caller is None
            assert all(self.reports.values())
            assert self.planned is None or self.state.attempt.number != self.planned.attempt

    def teardown(self) -> None:
        """The weather clears up: all that waits is acknowledged, and the connection is as good as new."""
        if not self.is_open or self.is_over:
            return
        ends = self.now + 240.0
        while self.now < ends and not self.is_as_good_as_new():
            self.pass_time(1.0, 1.0, self.serve)
        assert self.is_as_good_as_new()

    def is_as_good_as_new(self) -> bool:
        is_up = isinstance(self.state.phase, Online) and self.lost_at is None
        return is_up and self.caller is None and all(self.reports.values())

    def serve(self, mood: Mood = Mood.ANSWER) -> None:
        """Accept the attempt, and do with its requests what the broker does now."""
        client = self.client
        if client and client.signed_at is None:
            self.sign(None)
        if client and client.connected_at is None:
            self.accept(False)
        while self.diagnoses:
            self.diagnose(False, False)
        if client is None or mood is Mood.SILENT:
            return
        cuts = {Mood.CUT: True, Mood.CUT_PUBLISH: client.unanswered, Mood.CUT_SUBSCRIBE: client.subscribes}
        if cuts.get(mood):
            self.cut(True)
        else:
            self.answer_all(client)

    def answer_all(self, client: Client) -> None:
        while client is self.client and client.subscribes:
            self.grant(client)
        while client is self.client and client.unsubscribes:
            self.answer_unsubscribe()
        while client is self.client and client.unanswered:
            self.answer(client, client.unanswered[0])


def play(chance: random.Random, moves: int) -> None:
    """A case as Hypothesis plays it, without what takes 95 % of its time: to choose cases, and to remember them."""
    weather = Weather()
    # Some moves are never made in a case, so that what they would interrupt has its effects, too.
    usual = [one for one in MOVES if chance.random() < 0.7]
    played: list[object] = []
    try:
        arguments = {name: chance.choice(values) for name, values in STARTS.items()}
        played.append(("open", arguments))
        weather.open(**arguments)
        for _ in range(moves):
            possible = [one for one in usual if one.is_possible(weather)]
            if not possible:
                break
            one = chance.choice(possible)
            arguments = {name: chance.choice(values) for name, values in one.arguments.items()}
            played.append((one.function.__name__, arguments))
            one.function(weather, **arguments)
            for check in INVARIANTS:
                check(weather)
        weather.teardown()
    except BaseException as error:
        error.add_note("\n".join(map(str, played)))
        raise


@pytest.mark.parametrize("seed", range(10))
def test_any_weather(seed: int) -> None:
    """The same cases in each run. A failure shows all moves of its case; the long form finds a short one."""
    chance = random.Random(seed)  # noqa: S311 nothing secret
    for _ in range(200):
        play(chance, 50)


@pytest.mark.long
@pytest.mark.timeout(1200)
def test_any_weather_for_long() -> None:
    """Other cases in each run."""
    run_state_machine_as_test(
        Weather, settings=settings(max_examples=1_000, stateful_step_count=100, deadline=None)
    )
