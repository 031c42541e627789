"""Effects: what the adapter does for the connection's state machine, in the order in which they are returned."""

from typing import NamedTuple

from aws_iot.aws.iot.link.unacknowledged import PendingPublish
from aws_iot.errors import AwsIotError
from aws_iot.messaging.connection import Lost, Restored


class ScheduleAttempt(NamedTuple):
    """Send `AttemptDue` at a random moment between these two, by the monotonic clock."""

    attempt: int
    earliest: float
    latest: float


class StartClient(NamedTuple):
    """Make a client and let it connect. It is the current one until `StopClient`."""

    attempt: int


class StopClient(NamedTuple):
    """Send DISCONNECT if there is a connection, and close it. Later events of this client are ignored."""


class SendPublish(NamedTuple):
    """Send a message on the current connection."""

    message: PendingPublish


class SendSubscribe(NamedTuple):
    """Send a SUBSCRIBE. `is_again`: an earlier connection had these filters, so the answer is `ResubscribeAnswered`."""

    filters: tuple[str, ...]
    is_again: bool


class SendUnsubscribe(NamedTuple):
    """Send an UNSUBSCRIBE."""

    filters: tuple[str, ...]


class Flush(NamedTuple):
    """Let what was sent leave, above all acknowledgements, and then send `Flushed`."""


class Report(NamedTuple):
    """Report a message: acknowledged, or why not. Each message is reported exactly once."""

    message: PendingPublish
    error: AwsIotError | None = None


class FinishCall(NamedTuple):
    """The call that waits returns, or raises `error`."""

    error: AwsIotError | None = None


class Notify(NamedTuple):
    """Put this among the received messages, in order."""

    event: Lost | Restored


class WakeAt(NamedTuple):
    """Send `Tick` at this time."""

    time: float


class Diagnose(NamedTuple):
    """Find out on another thread why there is no connection, within `seconds`, and send `Diagnosed`."""

    attempt: int
    is_signed: bool
    """Whether to repeat the signed request. Without it only the name, the port and the certificate are checked."""
    seconds: float
    cause: str = ""
    name: str = ""


Effect = (
    ScheduleAttempt | StartClient | StopClient | SendPublish | SendSubscribe | SendUnsubscribe | Flush
    | Report | FinishCall | Notify | WakeAt | Diagnose
)  # fmt: skip
