"""Rules of a connection that is up, is lost, or is tested: resubscribe, resend, and judge cuts."""

from aws_iot.aws.iot.link import effects as do
from aws_iot.aws.iot.link import events as on
from aws_iot.aws.iot.link.attempts import reconnect
from aws_iot.aws.iot.link.ending import Effects, fail, finish_call, report_unsent, stop
from aws_iot.aws.iot.link.refusal_detector import (
    CUTS_THAT_REFUSE,
    RefusalDetector,
    probe_seconds,
    refused_by_cuts,
)
from aws_iot.aws.iot.link.requests import is_subscribing, send_call, send_the_rest
from aws_iot.aws.iot.link.state import (
    Closing,
    Failed,
    Isolating,
    Offline,
    Online,
    Opening,
    Phase,
    Probing,
    Resubscribing,
    Session,
    State,
)
from aws_iot.aws.iot.link.unacknowledged import BLAME_SECONDS
from aws_iot.deadline import in_seconds
from aws_iot.messaging.connection import Lost, Restored

USEFUL_SECONDS = 2.0
"""A connection that lasted this long was useful, even if the broker acknowledged nothing."""


def connected(state: State, event: on.Connected, now: float) -> Effects:
    """Resubscribe and resend, or leave the connection idle if it is a probe."""
    if event.attempt != state.attempt.number:
        return []
    state.queue.begin()
    state.outage = state.outage._replace(cause="")
    phase, session = state.phase, state.session
    if isinstance(phase, Opening):
        state.session = Session(event.session_present, has_filters=True)
        state.phase = Online(now)
        return finish_call(state)
    if not event.session_present:
        state.session = session._replace(has_filters=False, is_forgotten=state.settings.is_durable)
    if isinstance(phase, Probing):
        state.phase = phase._replace(since=now)
        return [do.WakeAt(now + phase.seconds)]
    again = _resubscribe(state)
    state.phase = resubscribing = Resubscribing(now, len(again))
    restored = [] if again else _restored(state, resubscribing, now)
    return [*again, *restored, *send_call(state), *map(do.SendPublish, state.queue)]


def _resubscribe(state: State) -> Effects:
    """Request all filters again, in packets as before, unless the broker has certainly kept them."""
    if state.session.has_filters and not state.session.is_doubtful:
        return []
    return [do.SendSubscribe(filters, is_again=True) for filters in state.subscriptions]


def resubscribe_answered(state: State, event: on.ResubscribeAnswered, now: float) -> Effects:
    """Count what the broker has granted again. A room that was closed in the meantime ends the connection."""
    phase = state.phase
    if event.attempt != state.attempt.number or not isinstance(phase, Resubscribing | Isolating):
        return []
    if event.error:
        return fail(state, event.error)
    if not phase.unanswered:
        return []
    state.phase = phase._replace(unanswered=phase.unanswered - 1)
    return [] if phase.unanswered > 1 else _restored(state, phase, now)


def _restored(state: State, phase: Resubscribing | Isolating, now: float) -> Effects:
    """The broker knows all filters: the interruption is over."""
    lost_at = state.outage.lost_at
    away = 0.0 if lost_at is None else now - lost_at
    notice = do.Notify(Restored(away, state.session.is_forgotten, state.may_miss))
    state.outage = state.outage._replace(lost_at=None)
    state.session = state.session._replace(has_filters=True, is_forgotten=False, is_doubtful=False)
    state.detector = state.detector._replace(failed_resubscribes=0)
    if isinstance(phase, Isolating):
        return [notice, *_isolate_message(state, now)]
    state.phase = Online(phase.since)
    return [notice]


# -- refused by cuts?


def probe_tick(state: State, phase: Probing, now: float) -> Effects:
    """If an idle probe has stayed up, send what is suspected and nothing else."""
    if phase.since is None or now - phase.since < phase.seconds:
        return []
    again = _resubscribe(state)
    state.phase = isolating = Isolating(now, len(again))
    call = send_call(state)
    return [*again, *call] if again else [*call, *_restored(state, isolating, now)]


def _isolate_message(state: State, now: float) -> Effects:
    """No subscription was the reason: send the oldest message, unless a new subscription is under way."""
    state.queue.begin()
    message = None if is_subscribing(state) else state.queue.oldest()
    state.phase = Isolating(now, 0, message)
    if message:
        return [do.SendPublish(message)]
    return [] if is_subscribing(state) else send_the_rest(state, now)


def _count_cut(state: State, since: float, now: float) -> None:
    phase = state.phase
    unanswered = phase.unanswered if isinstance(phase, Resubscribing | Isolating) else 0
    state.detector = state.detector.after_cut(
        publishing=_are_sent(phase) and state.queue.is_to_blame(since, now),
        subscribing=is_subscribing(state),
        resubscribing=unanswered > 0 and now - since < BLAME_SECONDS,
    )


def _are_sent(phase: Phase) -> bool:
    """Whether this connection carries messages."""
    return not isinstance(phase, Isolating) or phase.message is not None


def _judge(state: State, phase: Isolating, reason: str | None) -> Effects:
    """A connection was cut on which one request was sent alone: is that request refused?"""
    detector, call = state.detector, state.call
    if detector.failed_resubscribes >= CUTS_THAT_REFUSE:
        return fail(state, refused_by_cuts("subscribe again to rooms that were granted before", reason))
    if detector.failed_publishes >= CUTS_THAT_REFUSE and phase.message:
        return fail(state, refused_by_cuts(f"publish to {phase.message.topic}", reason))
    if detector.failed_subscribes >= CUTS_THAT_REFUSE and call:
        state.detector = RefusalDetector()
        return finish_call(state, refused_by_cuts(call.action, reason))
    return []


# -- lost


def disconnected(state: State, event: on.Disconnected, now: float) -> Effects:
    """Reconnect. If cuts repeat themselves soon after requests, the next connection is an idle probe."""
    phase, since = state.phase, state.connected_since
    if event.attempt != state.attempt.number:
        return []
    if isinstance(phase, Closing):
        return stop(state, phase)
    if since is None:
        return []
    effects: Effects = []
    if not event.may_be_refusal or isinstance(phase, Probing):
        state.detector = RefusalDetector()
    else:
        _count_cut(state, since, now)
        if isinstance(phase, Isolating):
            effects = _judge(state, phase, event.reason)
        if isinstance(state.phase, Failed):
            return effects
    was_useful = state.queue.has_progressed or now - since > USEFUL_SECONDS
    next_phase = Probing(probe_seconds(now - since)) if state.detector.needs_probe else Offline()
    silent = 0.0 if event.silent_since is None else now - max(since, event.silent_since)
    lost = Lost(event.cause, f"{event.name}, {now - since:.0f} s after it began", silent=silent)
    return [*effects, *_lose(state, next_phase, lost, now, was_useful=was_useful)]


def silence_tick(state: State, since: float, now: float) -> Effects:
    """Give up a connection that is up but answers nothing: only another one may carry the messages again."""
    patience = max(1.0, state.settings.timeout)
    is_resubscribing = getattr(state.phase, "unanswered", 0) > 0
    silent_since = since if is_resubscribing else state.queue.silent_since(since)
    if silent_since is None or now - silent_since < patience:
        return []
    detail = f"silent for {now - silent_since:.0f} s, {now - since:.0f} s after it began"
    has_progressed = state.queue.has_progressed
    unanswered = _are_sent(state.phase) and not (is_resubscribing or has_progressed)
    lost = Lost(f"no acknowledgement for {in_seconds(patience)}", detail, unanswered=unanswered)
    return _lose(state, Offline(), lost, now, was_useful=has_progressed)


def _lose(state: State, phase: Phase, lost: Lost, now: float, *, was_useful: bool) -> Effects:
    if was_useful:
        state.schedule = state.schedule.connected_usefully()
    lost_at = now - lost.silent if state.outage.lost_at is None else state.outage.lost_at
    effects = reconnect(state, now)
    first_attempt = state.attempt.number
    state.outage = state.outage._replace(lost_at=lost_at, cause=lost.cause, first_attempt=first_attempt)
    state.phase = phase
    return [*effects, do.Notify(lost), *report_unsent(state, state.queue.take_qos0())]
