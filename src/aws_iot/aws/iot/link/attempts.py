"""Rules while there is no connection: open, reconnect, and find out why that does not work."""

from aws_iot.aws.iot.link import effects as do
from aws_iot.aws.iot.link import events as on
from aws_iot.aws.iot.link.ending import Effects, fail
from aws_iot.aws.iot.link.refusal_detector import CUTS_THAT_REFUSE, topic_refused
from aws_iot.aws.iot.link.state import Attempt, Call, Offline, Opening, Probing, State
from aws_iot.deadline import in_seconds
from aws_iot.errors import (
    AwsIotError,
    LocalError,
    NotAuthorized,
    SignInRefused,
    Unreachable,
    WrongClock,
)
from aws_iot.messaging.connection import Lost

PATIENCE_SECONDS = 2.0
"""If the endpoint does not answer for this long it is checked, which may take as long again.

awscrt takes up to 30 seconds to report an untrusted certificate.
"""

FINAL_FAULTS = (SignInRefused, NotAuthorized, LocalError, WrongClock)
"""What another attempt would not change."""


def open_connection(state: State, _: on.Open, now: float) -> Effects:
    """Make the first attempt, at once."""
    timeout = state.settings.timeout
    state.phase = Opening(now)
    state.call = Call("connect", _no_answer(state), now + timeout)
    state.schedule = state.schedule._replace(away_since=now)
    state.attempt = Attempt(1, now, is_started=True)
    return [do.StartClient(1)]


def reconnect(state: State, now: float) -> Effects:
    """Give up the current attempt or connection, and plan the next attempt."""
    reached_server = state.attempt.signed_at is not None
    state.schedule, window = state.schedule.next_attempt(now, reached_server=reached_server)
    state.attempt = Attempt(state.attempt.number + 1, window.earliest)
    return [do.StopClient(), do.ScheduleAttempt(state.attempt.number, *window)]


def attempt_due(state: State, event: on.AttemptDue, now: float) -> Effects:
    """Start the planned attempt, but never before its time."""
    attempt = state.attempt
    if event.attempt != attempt.number or attempt.is_started:
        return []
    if now < attempt.earliest:
        return [do.ScheduleAttempt(attempt.number, attempt.earliest, attempt.earliest)]
    state.attempt = attempt._replace(is_started=True)
    return [do.StartClient(attempt.number)]


def hurry(state: State, _: on.Hurry, now: float) -> Effects:
    """Move the planned attempt forward, or replace one that has not been answered within a second."""
    attempt, soonest = state.attempt, state.schedule.soonest(now)
    if not isinstance(state.phase, Offline | Probing) or state.connected_since is not None:
        return []
    if not attempt.is_started:
        state.attempt = attempt._replace(earliest=min(attempt.earliest, soonest))
        return [do.ScheduleAttempt(attempt.number, soonest, soonest)]
    if attempt.signed_at is None or soonest > now:
        return []
    state.doubt_session()
    state.attempt = Attempt(attempt.number + 1, soonest)
    return [do.StopClient(), do.ScheduleAttempt(attempt.number + 1, soonest, soonest)]


def signed(state: State, event: on.Signed, now: float) -> Effects:
    """The request of the attempt leaves: from now on it counts as a CONNECT."""
    if event.attempt != state.attempt.number:
        return []
    state.schedule = state.schedule.signed(now)
    state.attempt = state.attempt._replace(signed_at=now, signing_error=event.error)
    if isinstance(state.phase, Opening):
        return []  # the call that waits ticks
    return [do.WakeAt(now + state.settings.timeout)]


def connect_failed(state: State, event: on.ConnectFailed, now: float) -> Effects:
    """Try again, unless that cannot help, and find out why it failed."""
    if event.attempt != state.attempt.number:
        return []
    unsigned, rejection = state.attempt.signing_error, event.rejection
    if isinstance(state.phase, Opening):
        if error := unsigned or rejection:
            return fail(state, error)
        state.phase = state.phase._replace(cuts=state.phase.cuts + event.is_cut)
    elif isinstance(unsigned, FINAL_FAULTS):
        return fail(state, unsigned)
    elif rejection and event.is_final:
        return fail(state, rejection)
    if not (unsigned or rejection):
        state.doubt_session()
    request = do.Diagnose(event.attempt, True, PATIENCE_SECONDS, event.cause, event.name)
    reason = _still_lost(state, request, unsigned) if unsigned else _diagnose(state, request)
    return [*reconnect(state, now), *reason]


def ended(state: State, event: on.EndedByBroker | on.StartFailed, _: float) -> Effects:
    """End the connection. DISCONNECT "not authorized" names no topic: it can be meant only if one message waits."""
    if event.attempt != state.attempt.number:
        return []
    topic = state.queue.only_topic() if type(event.error) is NotAuthorized else None
    return fail(state, topic_refused(f"publish to {topic}") if topic else event.error)


def mute_attempt_tick(state: State, now: float) -> Effects:
    """Give up an attempt whose request is not answered: awscrt has no time limit for that."""
    number, signed_at = state.attempt.number, state.attempt.signed_at
    if signed_at is None or now - signed_at < state.settings.timeout:
        return []
    state.doubt_session()
    request = do.Diagnose(number, True, PATIENCE_SECONDS, cause="no answer in time", name="no answer")
    return [*reconnect(state, now), *_diagnose(state, request)]


def opening_tick(state: State, phase: Opening, now: float) -> Effects:
    """Check the endpoint if nothing happens, and give up in time."""
    timeout, passed = state.settings.timeout, now - phase.began
    if passed >= timeout + 2 * PATIENCE_SECONDS:  # not even the last check has ended
        return _give_up(state)
    if passed >= timeout and not phase.is_giving_up:
        state.phase = phase._replace(is_giving_up=True)
        return _last_check(state)
    if PATIENCE_SECONDS <= passed < timeout and not phase.is_checked:
        state.phase = phase._replace(is_checked=True)
        return _diagnose(state, do.Diagnose(state.attempt.number, False, seconds=timeout - passed))
    return []


def diagnosed(state: State, event: on.Diagnosed, _: float) -> Effects:
    """Report why there is no connection, unless there is one by now."""
    state.outage = state.outage._replace(is_diagnosing=False)
    request, fault, phase = event.request, event.fault, state.phase
    if isinstance(phase, Opening):
        if fault:
            return fail(state, fault)
        if phase.is_giving_up:
            return _give_up(state) if request.is_signed else _last_check(state)
        return fail(state, state.settings.not_accepted) if phase.cuts >= CUTS_THAT_REFUSE else []
    is_away = isinstance(phase, Offline | Probing) and state.connected_since is None
    if not is_away or request.attempt < state.outage.first_attempt:
        return []
    return fail(state, fault) if isinstance(fault, FINAL_FAULTS) else _still_lost(state, request, fault)


def _diagnose(state: State, request: do.Diagnose) -> Effects:
    if state.outage.is_diagnosing:
        return []
    state.outage = state.outage._replace(is_diagnosing=True)
    return [request]


def _still_lost(state: State, request: do.Diagnose, fault: AwsIotError | None) -> Effects:
    cause = str(fault or request.cause)
    is_repeated = cause == state.outage.cause
    state.outage = state.outage._replace(cause=cause)
    return [do.Notify(Lost(cause, f"an attempt to reconnect failed: {request.name}", again=is_repeated))]


def _last_check(state: State) -> Effects:
    return _diagnose(state, do.Diagnose(state.attempt.number, True, PATIENCE_SECONDS))


def _give_up(state: State) -> Effects:
    return fail(state, Unreachable(_no_answer(state)))


def _no_answer(state: State) -> str:
    return f"{state.settings.endpoint} did not answer within {in_seconds(state.settings.timeout)}"
