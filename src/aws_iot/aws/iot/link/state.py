"""The state of a connection: its phase, and what outlasts a phase."""

from typing import NamedTuple

from aws_iot.aws.iot.link.reconnect import ReconnectSchedule
from aws_iot.aws.iot.link.refusal_detector import RefusalDetector, topic_refused
from aws_iot.aws.iot.link.unacknowledged import PendingPublish, Unacknowledged
from aws_iot.errors import AwsIotError, NotAuthorized

# -- phases; times are of the monotonic clock, in seconds


class Opening(NamedTuple):
    """No connection was accepted yet."""

    began: float
    is_checked: bool = False
    """Whether the endpoint's name, port and certificate were checked because nothing happened."""
    cuts: int = 0
    """How many attempts the broker has cut without a CONNACK."""
    is_giving_up: bool = False


class Online(NamedTuple):
    """Connected, and all filters are granted."""

    since: float


class Resubscribing(NamedTuple):
    """Connected, and the broker has still to grant filters again, in `unanswered` packets."""

    since: float
    unanswered: int


class Offline(NamedTuple):
    """Not connected. An attempt is planned or under way."""


class Probing(NamedTuple):
    """An idle probe: a connection asks for nothing for `seconds`. `since` is None while it is not connected yet."""

    seconds: float
    since: float | None = None


class Isolating(NamedTuple):
    """Connected, and only one thing is asked for: first the subscriptions, then `message`."""

    since: float
    unanswered: int
    message: PendingPublish | None = None


class Closing(NamedTuple):
    """The owner has left. DISCONNECT leaves at `flush_until` at the latest; None if it has left."""

    left_at: float
    flush_until: float | None = None
    keeps_session: bool = False


class Failed(NamedTuple):
    """Over for good."""

    error: AwsIotError


Phase = Opening | Online | Resubscribing | Offline | Probing | Isolating | Closing | Failed


# -- what outlasts a phase


class Settings(NamedTuple):
    """What does not change."""

    endpoint: str
    timeout: float
    """Seconds within which the server has to answer, for each call and each attempt."""
    not_accepted: AwsIotError
    """What it means if the broker cuts each connection before CONNACK."""
    is_durable: bool = False
    is_temporary: bool = False
    """Whether the durable session ends when the owner leaves."""


class Attempt(NamedTuple):
    """The attempt that is planned, or under way, or has led to the current connection."""

    number: int = 0
    earliest: float = 0.0
    is_started: bool = False
    signed_at: float | None = None
    signing_error: AwsIotError | None = None


class Call(NamedTuple):
    """What the owner's thread waits for."""

    action: str
    """Completes "not authorized to …"."""
    overdue: str
    """Why it fails if the broker does not answer before the deadline."""
    deadline: float
    subscribes: tuple[str, ...] = ()
    unsubscribes: tuple[str, ...] = ()
    publishes: PendingPublish | None = None
    sent_in: int = 0
    """The attempt whose connection has carried it."""

    def why_it_ended(self, error: AwsIotError) -> AwsIotError:
        """What the end of the connection means for this call."""
        over_this = type(error) is NotAuthorized and (self.subscribes or self.publishes)
        return topic_refused(self.action) if over_this else error


class Session(NamedTuple):
    """What the broker remembers."""

    is_resumed: bool = False
    """Whether it had kept the durable session when the connection was opened."""
    has_filters: bool = False
    """Whether it knows all filters that were granted before."""
    is_forgotten: bool = False
    """Whether it has discarded the durable session, and the owner does not know yet."""
    is_doubtful: bool = False
    """Whether an attempt that got no answer may have begun a new session, without filters."""


class Outage(NamedTuple):
    """An interruption, from the loss until all filters are granted again."""

    lost_at: float | None = None
    cause: str = ""
    """The reason that was reported last."""
    first_attempt: int = 0
    is_diagnosing: bool = False
    """Whether the adapter is looking for the reason."""


class State:
    """All that is known of a connection. `step` changes it in place: see `aws_iot.aws.iot.link`."""

    __slots__ = (
        "attempt",
        "call",
        "detector",
        "outage",
        "phase",
        "queue",
        "schedule",
        "session",
        "settings",
        "subscriptions",
    )

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.phase: Phase = Opening(0.0)
        self.attempt = Attempt()
        self.schedule = ReconnectSchedule()
        self.detector = RefusalDetector()
        self.queue = Unacknowledged()
        self.subscriptions: list[tuple[str, ...]] = []
        """Filters that the broker has granted, one item for each packet."""
        self.call: Call | None = None
        self.session = Session()
        self.outage = Outage()

    @property
    def ends_session(self) -> bool:
        """Whether DISCONNECT is to end the durable session."""
        phase = self.phase
        return self.settings.is_temporary and isinstance(phase, Closing) and not phase.keeps_session

    @property
    def may_miss(self) -> bool:
        """Whether the broker has forgotten filters that were granted, and with them messages."""
        return bool(self.subscriptions) and not self.session.has_filters

    def doubt_session(self) -> None:
        """The current attempt is given up. The broker may have accepted it all the same."""
        if self.attempt.signed_at is not None:
            self.session = self.session._replace(is_doubtful=True)

    @property
    def connected_since(self) -> float | None:
        """When the current connection began, or the part of it that counts; None without one."""
        return getattr(self.phase, "since", None)
