"""What the owner learns: how a call ends, what became of a message, and the end of the connection."""

from collections.abc import Iterable, Sequence

from aws_iot.aws.iot.link import effects as do
from aws_iot.aws.iot.link import events as on
from aws_iot.aws.iot.link.effects import Effect
from aws_iot.aws.iot.link.state import Attempt, Closing, Failed, State
from aws_iot.aws.iot.link.unacknowledged import PendingPublish
from aws_iot.errors import AwsIotError, ServiceRefused, Unreachable

Effects = Sequence[Effect]

FLUSH_SECONDS = 0.5
"""How long acknowledgements have to leave before DISCONNECT."""


def finish_call(state: State, error: AwsIotError | None = None) -> Effects:
    """Let the call that waits return, or raise `error`."""
    call, state.call = state.call, None
    if call is None:
        return []
    is_over = error is not None and isinstance(state.phase, Failed)
    return [do.FinishCall(call.why_it_ended(error) if error and is_over else error)]


def report(state: State, message: PendingPublish, error: AwsIotError | None = None) -> Effects:
    """Report a message that has left the queue, and end the call that waits for it."""
    if state.call is None or state.call.publishes is not message:
        return [do.Report(message, error)]
    return [do.Report(message, error), *finish_call(state, error)]


def report_unsent(state: State, messages: Iterable[PendingPublish]) -> Effects:
    """Report messages that cannot wait for another connection."""
    error = ServiceRefused("it was not sent: there was no connection")
    return [effect for message in messages for effect in report(state, message, error)]


def connection_over(state: State) -> AwsIotError:
    """The error of each message after the end, and of each call after the owner has left."""
    is_closed = isinstance(state.phase, Closing)
    return Unreachable("the connection was closed" if is_closed else "the connection has ended")


def fail(state: State, error: AwsIotError) -> Effects:
    """End the connection for good. Events of its client are ignored from now on."""
    if isinstance(state.phase, Closing):
        return stop(state, state.phase)
    state.phase = Failed(error)
    state.attempt = Attempt(state.attempt.number + 1, is_started=True)
    return [*_abandon(state, error), do.StopClient()]


def leave(state: State, event: on.Leave, now: float) -> Effects:
    """Report all that waits, and disconnect."""
    if isinstance(state.phase, Failed | Closing):
        return []
    closing = Closing(now, now + FLUSH_SECONDS, event.keeps_session)
    is_connected, state.phase = state.connected_since is not None, closing
    must_flush = is_connected and state.settings.is_durable and not state.ends_session
    effects = _abandon(state, connection_over(state))
    if not must_flush:
        return [*effects, *stop(state, closing)]
    return [*effects, do.Flush(), do.WakeAt(now + FLUSH_SECONDS)]


def flushed(state: State, event: on.Flushed, _: float) -> Effects:
    """Disconnect, now that all acknowledgements have left."""
    phase = state.phase
    if not isinstance(phase, Closing) or event.attempt != state.attempt.number:
        return []
    return stop(state, phase)


def flush_tick(state: State, phase: Closing, now: float) -> Effects:
    """Disconnect although acknowledgements have not left, if they take too long."""
    is_late = phase.flush_until is not None and now >= phase.flush_until
    return stop(state, phase) if is_late else []


def stop(state: State, phase: Closing) -> Effects:
    """Disconnect. Events of this client are ignored from now on."""
    state.phase = phase._replace(flush_until=None)
    state.attempt = Attempt(state.attempt.number + 1, is_started=True)
    return [do.StopClient()]


def _abandon(state: State, error: AwsIotError) -> Effects:
    """Report all that waits: to the call its reason, to messages that it is over."""
    effects = finish_call(state, error)
    over = connection_over(state)
    return [*effects, *(do.Report(message, over) for message in state.queue.take_all())]
