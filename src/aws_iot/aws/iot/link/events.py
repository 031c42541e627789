"""Events that the connection's state machine takes: what its owner wants, and what happens to a client.

Events and effects are named tuples, not dataclasses. Making such a class at start-up takes a fifth of the time, and
making an object half of it. An event of a client has the number of its attempt, and is ignored if that attempt is over.
"""

from typing import NamedTuple

from aws_iot.aws.iot.link.effects import Diagnose
from aws_iot.aws.iot.link.unacknowledged import PendingPublish
from aws_iot.errors import AwsIotError

# -- from the owner of the connection


class Open(NamedTuple):
    """Connect for the first time. Answered by `FinishCall`."""


class Publish(NamedTuple):
    """Send a message. Answered by `Report`, and by `FinishCall` too if the caller waits."""

    message: PendingPublish
    is_awaited: bool = False


class Subscribe(NamedTuple):
    """Subscribe to topic filters with one packet. Answered by `FinishCall`."""

    filters: tuple[str, ...]


class Unsubscribe(NamedTuple):
    """Unsubscribe from topic filters with one packet. Answered by `FinishCall`."""

    filters: tuple[str, ...]


class Tick(NamedTuple):
    """Time has passed: look whether anything is late. May come at any moment, and as often as you like."""


class Hurry(NamedTuple):
    """Wait no longer for the next attempt than AWS requires, nor for the answer to one that is under way."""


class Leave(NamedTuple):
    """Disconnect, and report all messages that are still queued as not sent."""

    keeps_session: bool = False
    """Whether another connection is to resume a temporary session."""


# -- from the client of an attempt


class Signed(NamedTuple):
    """The attempt's request is signed and leaves now, or cannot be signed because of `error`."""

    attempt: int
    error: AwsIotError | None = None


class StartFailed(NamedTuple):
    """No client could be made: the CA bundle, or another setting on this machine, is unusable."""

    attempt: int
    error: AwsIotError


class Connected(NamedTuple):
    """The broker has accepted the attempt. `session_present`: it has kept the durable session."""

    attempt: int
    session_present: bool = False


class ConnectFailed(NamedTuple):
    """The attempt failed."""

    attempt: int
    cause: str
    """Words that complete "connection lost: …"."""
    name: str
    """What awscrt calls the failure."""
    rejection: AwsIotError | None = None
    """What a CONNACK with a negative reason code means."""
    is_final: bool = False
    """Whether the same CONNECT would be rejected again."""
    is_cut: bool = False
    """Whether the connection was closed without a CONNACK."""


class Disconnected(NamedTuple):
    """The connection was lost."""

    attempt: int
    cause: str
    name: str
    may_be_refusal: bool
    """Whether a request of ours can be the reason. It cannot if the network failed or the broker shuts down."""
    reason: str | None = None
    """The reason code of the broker's DISCONNECT in words; None if it sent none."""
    silent_since: float | None = None
    """Since when nothing has arrived, if the connection died without a sign."""


class EndedByBroker(NamedTuple):
    """The broker has ended the connection and would not accept another one."""

    attempt: int
    error: AwsIotError


class PublishAnswered(NamedTuple):
    """A message was acknowledged, rejected because of `error`, or could not be sent."""

    attempt: int
    message: PendingPublish
    error: AwsIotError | None = None
    is_from_broker: bool = True
    """False for QoS 0, which counts as sent without an answer, and for what awscrt itself refuses to send."""


class SubscribeAnswered(NamedTuple):
    """The broker has granted all filters of a SUBSCRIBE, or rejected one because of `error`."""

    attempt: int
    filters: tuple[str, ...]
    error: AwsIotError | None = None


class ResubscribeAnswered(NamedTuple):
    """The same, for filters that an earlier connection had."""

    attempt: int
    error: AwsIotError | None = None


class UnsubscribeAnswered(NamedTuple):
    """The broker has answered an UNSUBSCRIBE."""

    attempt: int
    error: AwsIotError | None = None


class Flushed(NamedTuple):
    """What was sent before `Flush` has left."""

    attempt: int


# -- from the adapter's own threads


class AttemptDue(NamedTuple):
    """The moment that was picked for an attempt has come."""

    attempt: int


class Diagnosed(NamedTuple):
    """What `Diagnose` has found, if anything is wrong."""

    request: Diagnose
    fault: AwsIotError | None = None


Event = (
    Open | Publish | Subscribe | Unsubscribe | Tick | Hurry | Leave
    | Signed | StartFailed | Connected | ConnectFailed | Disconnected | EndedByBroker
    | PublishAnswered | SubscribeAnswered | ResubscribeAnswered | UnsubscribeAnswered | Flushed | AttemptDue | Diagnosed
)  # fmt: skip
