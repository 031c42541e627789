"""Connection: one MQTT 5 connection to the broker, and what can happen to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from aws_iot.errors import AwsIotError
from aws_iot.messaging.message import Properties

TEMPORARY_SESSION_SECONDS = 3600
"""How long the broker should keep a temporary session without a connection."""

Done = Callable[[AwsIotError | None], None]
"""Called once with the result of a publication: None if the broker has acknowledged it.

`TopicRefused` and `ServiceRefused` reject this publication. `Unreachable` means that the connection has ended for good;
`receive` raises the reason.
"""


class Publication(NamedTuple):
    """What is published to a topic.

    `retain` asks the broker to store it for later subscribers of the topic. A received publication with `retain` was
    published before we subscribed.
    """

    topic: str
    payload: bytes
    properties: Properties = ()
    qos: int = 1
    retain: bool = False


@dataclass(slots=True)  # not frozen, which would take twice as long at start-up
class Lost:
    """The connection was lost, or an attempt to reconnect failed. Further attempts follow.

    `cause` completes "connection lost: …". `detail` is for a log. `again` marks a failure with the same cause as the
    last one. `silent` is for how many seconds nothing had arrived when the loss was noticed; 0 if it was noticed at
    once. `unanswered` tells that there was a connection on which the broker acknowledged no message at all.
    """

    cause: str
    detail: str = field(default="", compare=False)
    again: bool = field(default=False, compare=False)
    silent: float = field(default=0.0, compare=False)
    unanswered: bool = field(default=False, compare=False)


@dataclass(slots=True)
class Restored:
    """The connection is back after `seconds` in which nothing arrived, with all its subscriptions.

    What was published in between is delivered only if the broker has kept the session. Otherwise messages `may_miss`,
    unless nothing was subscribed to. `forgotten` tells that the broker should have kept the session, but has not.
    """

    seconds: float = field(default=0.0, compare=False)
    forgotten: bool = False
    may_miss: bool = field(default=False, compare=False)


Event = Publication | Lost | Restored


class Connection(Protocol):
    """An open connection to the broker. One thread uses it.

    After the connection has ended for good, every method except `leave` and `close` raises `NotAuthorized` or
    `Unreachable`. No call waits longer than the connection's timeout, with two exceptions: `receive`, and a few seconds
    more if that shows whether a request was rejected.
    """

    @property
    def is_resumed(self) -> bool:
        """Whether the broker had kept a durable session of this name, and delivers what waited in it."""
        ...

    @property
    def may_miss(self) -> bool:
        """Whether the broker has discarded the session or the subscriptions, and no `Restored` has told that yet."""
        ...

    def send(self, publication: Publication, done: Done) -> None:
        """Send a publication without waiting. `done` is called once, usually on another thread.

        Publications leave in the order of the calls. With QoS 1 they wait for a lost connection, and reach the broker
        at least once. With QoS 0 they are rejected if there is no connection, and `done` means that one has left.
        """
        ...

    def publish(self, publication: Publication) -> None:
        """Send a publication, and wait until it is acknowledged.

        Raises what `done` would get, or `Unreachable` if no acknowledgement arrives before the timeout.
        """
        ...

    def subscribe(self, filters: Sequence[str]) -> None:
        """Wait until the broker has granted all filters. Raises `TopicRefused`, `ServiceRefused`."""
        ...

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Wait until the broker has removed the filters. It does not matter whether they were granted before."""
        ...

    def receive(self, timeout: float | None = None) -> Event | None:
        """The next event, in the order in which they happened; None after `timeout` seconds without one.

        Ctrl-C interrupts the wait.
        """
        ...

    def acknowledge(self, deliveries: int | None = None) -> None:
        """Acknowledge the oldest `deliveries` that are not acknowledged yet, or all.

        The broker sends only so many more before that. If it keeps the session, it delivers unacknowledged ones again.
        Deliveries are acknowledged in the order in which they arrived (MQTT 5, section 4.6).
        """
        ...

    @property
    def next_attempt(self) -> float | None:
        """When the next attempt to reconnect is made (monotonic seconds); None if none waits for its time."""
        ...

    def reconnect_now(self) -> None:
        """Make that attempt at once, or as soon as AWS allows one. One that is not answered is given up.

        If there is a connection, nothing happens.
        """
        ...

    def leave(self, *, keeps_session: bool = False) -> None:
        """Begin to close without waiting. To close several connections, call it for all of them first.

        The broker discards a temporary session, unless it `keeps_session` for another connection. If there is no
        connection, it does so when the session expires.
        """
        ...

    def close(self) -> None:
        """Leave, and disconnect, so that the broker does not consider us lost. Never raises; takes at most a second."""
        ...
