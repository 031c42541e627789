"""`step`: which rule each event belongs to, and what happens as time passes."""

from collections.abc import Callable
from typing import Any

from aws_iot.aws.iot.link import attempts, connected, ending, requests
from aws_iot.aws.iot.link import events as on
from aws_iot.aws.iot.link.ending import Effects
from aws_iot.aws.iot.link.state import Closing, Failed, Opening, Probing, State


def step(state: State, event: on.Event, now: float) -> tuple[State, Effects]:
    """Apply an event at the time `now` of the monotonic clock. The returned state replaces `state`."""
    return state, _RULES[type(event)](state, event, now)


def _tick(state: State, _: on.Tick, now: float) -> Effects:
    match state.phase:
        case Opening() as phase:
            return attempts.opening_tick(state, phase, now)
        case Closing() as phase:
            return ending.flush_tick(state, phase, now)
        case Failed():
            return []
    overdue = requests.call_tick(state, now)
    if (since := state.connected_since) is None:
        return [*overdue, *attempts.mute_attempt_tick(state, now)]
    if isinstance(state.phase, Probing):
        return [*overdue, *connected.probe_tick(state, state.phase, now)]
    return [*overdue, *connected.silence_tick(state, since, now)]


_RULES: dict[type, Callable[[State, Any, float], Effects]] = {
    on.Open: attempts.open_connection,
    on.AttemptDue: attempts.attempt_due,
    on.Signed: attempts.signed,
    on.ConnectFailed: attempts.connect_failed,
    on.StartFailed: attempts.ended,
    on.Diagnosed: attempts.diagnosed,
    on.Connected: connected.connected,
    on.ResubscribeAnswered: connected.resubscribe_answered,
    on.Disconnected: connected.disconnected,
    on.EndedByBroker: attempts.ended,
    on.Publish: requests.publish,
    on.PublishAnswered: requests.publish_answered,
    on.Subscribe: requests.subscribe,
    on.SubscribeAnswered: requests.subscribe_answered,
    on.Unsubscribe: requests.unsubscribe,
    on.UnsubscribeAnswered: requests.unsubscribe_answered,
    on.Tick: _tick,
    on.Hurry: attempts.hurry,
    on.Leave: ending.leave,
    on.Flushed: ending.flushed,
}
