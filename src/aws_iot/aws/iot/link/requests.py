"""What the owner requests: messages, and calls that wait for an answer. Each message passes through here."""

from aws_iot.aws.iot.link import effects as do
from aws_iot.aws.iot.link import events as on
from aws_iot.aws.iot.link.ending import (
    Effects,
    connection_over,
    finish_call,
    report,
    report_unsent,
)
from aws_iot.aws.iot.link.state import (
    Call,
    Closing,
    Failed,
    Isolating,
    Online,
    Probing,
    Resubscribing,
    State,
)
from aws_iot.deadline import in_seconds
from aws_iot.errors import AwsIotError, Unreachable

VERDICT_SECONDS = 5.0
"""How much longer a call waits if a probe is running, which tells a refusal from a broker that does not answer."""


def publish(state: State, event: on.Publish, now: float) -> Effects:
    """Send a message now, or queue it. QoS 0 does not wait for a connection."""
    message, phase = event.message, type(state.phase)
    if event.is_awaited:
        late = f"the broker has not acknowledged the message within {in_seconds(state.settings.timeout)}"
        deadline = now + state.settings.timeout
        state.call = Call(f"publish to {message.topic}", late, deadline, publishes=message)
    if phase is Online or phase is Resubscribing:
        state.queue.add(message, now)
        return (do.SendPublish(message),)
    if isinstance(state.phase, Failed):
        call = finish_call(state, state.phase.error) if event.is_awaited else []
        return [*call, *report(state, message, connection_over(state))]
    if phase is Closing:
        return report(state, message, connection_over(state))
    if not message.qos and state.outage.lost_at is not None:
        # Also if a probe is connected: what is sent alone after it would overtake this message.
        return report_unsent(state, [message])
    state.queue.add(message, now)
    return ()


def publish_answered(state: State, event: on.PublishAnswered, now: float) -> Effects:
    """Report a message, unless it has been reported, or waits to be sent again on another connection."""
    message, is_current = event.message, event.attempt == state.attempt.number
    if event.is_from_broker:
        if is_current:
            state.queue.progress(message, now)
    elif not is_current:
        return ()
    if not state.queue.remove(message):
        return ()
    effects = report(state, message, event.error)
    if type(state.phase) is Isolating and state.phase.message is message:
        return [*effects, *send_the_rest(state, now)]
    return effects


def subscribe(state: State, event: on.Subscribe, now: float) -> Effects:
    """Subscribe as soon as there is a connection."""
    late = f"the broker has not granted the subscription within {in_seconds(state.settings.timeout)}"
    state.detector = state.detector._replace(failed_subscribes=0)
    action = f"subscribe to {', '.join(event.filters)}"
    return _begin(state, Call(action, late, now + state.settings.timeout, subscribes=event.filters))


def unsubscribe(state: State, event: on.Unsubscribe, now: float) -> Effects:
    """Unsubscribe as soon as there is a connection."""
    late = f"the broker has not unsubscribed us within {in_seconds(state.settings.timeout)}"
    return _begin(state, Call("unsubscribe", late, now + state.settings.timeout, unsubscribes=event.filters))


def _begin(state: State, call: Call) -> Effects:
    state.call = call
    if isinstance(state.phase, Failed):
        return finish_call(state, state.phase.error)
    return (
        finish_call(state, connection_over(state)) if isinstance(state.phase, Closing) else send_call(state)
    )


def send_call(state: State) -> Effects:
    """Send the packet of the call that waits, if it may be sent now and this connection has not carried it."""
    call, phase = state.call, state.phase
    if call is None or call.sent_in == state.attempt.number:
        return []
    is_free = isinstance(phase, Online | Resubscribing)
    effect: do.Effect
    if call.subscribes and (is_free or (isinstance(phase, Isolating) and phase.message is None)):
        effect = do.SendSubscribe(call.subscribes, is_again=False)
    elif call.unsubscribes and is_free:
        effect = do.SendUnsubscribe(call.unsubscribes)
    else:
        return []
    state.call = call._replace(sent_in=state.attempt.number)
    return [effect]


def is_subscribing(state: State) -> bool:
    """Whether this connection carries a subscription that is requested for the first time."""
    call = state.call
    return call is not None and bool(call.subscribes) and call.sent_in == state.attempt.number


def subscribe_answered(state: State, event: on.SubscribeAnswered, now: float) -> Effects:
    """The call ends, and the filters are requested again on each later connection."""
    if event.attempt != state.attempt.number or state.call is None or state.call.subscribes != event.filters:
        return []  # of another connection, or of a call that was given up
    if event.error is None and event.filters not in state.subscriptions:
        state.subscriptions.append(event.filters)
    return _end_subscribe(state, event.error, now)


def unsubscribe_answered(state: State, event: on.UnsubscribeAnswered, _: float) -> Effects:
    """The call ends, and the filters are not requested again."""
    if event.attempt != state.attempt.number or state.call is None or not state.call.unsubscribes:
        return []
    if event.error is None:
        removed = set(state.call.unsubscribes)
        left = [tuple(one for one in filters if one not in removed) for filters in state.subscriptions]
        state.subscriptions = [filters for filters in left if filters]
    return finish_call(state, event.error)


def call_tick(state: State, now: float) -> Effects:
    """End a call that has waited too long."""
    call = state.call
    extra = VERDICT_SECONDS if isinstance(state.phase, Probing | Isolating) else 0.0
    if call is None or now <= call.deadline + extra:
        return []
    return _end_subscribe(state, Unreachable(call.overdue), now)


def _end_subscribe(state: State, error: AwsIotError | None, now: float) -> Effects:
    is_isolated = isinstance(state.phase, Isolating) and is_subscribing(state)
    effects = finish_call(state, error)
    return [*effects, *send_the_rest(state, now)] if is_isolated else effects


def send_the_rest(state: State, now: float) -> Effects:
    """The request that was sent alone is answered or given up: send all that waits."""
    phase = state.phase
    unanswered = phase.unanswered if isinstance(phase, Isolating) else 0
    state.phase = Resubscribing(now, unanswered) if unanswered else Online(now)
    return [*send_call(state), *map(do.SendPublish, state.queue)]
