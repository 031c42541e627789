"""Connection: one MQTT 5 link over a signed WebSocket, and what can happen to it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from aws_iot.errors import AwsIotError
from aws_iot.messaging.message import Properties

Done = Callable[[AwsIotError | None], None]
"""Told what became of a publication: None once the broker has acknowledged it.

`TopicRefused` and `ServiceRefused` are of this one; `Unreachable` tells that the connection has ended for good, for the
reason that `receive` raises.
"""


class Publication(NamedTuple):
    """What is published to a topic. The broker is to keep it, with `retain`, for those who ask for the topic later.

    One that reached us with `retain` was published before we asked.
    """

    topic: str
    payload: bytes
    properties: Properties = ()
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Lost:
    """The link broke, or cannot be brought back yet for another reason; the connection goes on trying.

    `cause` completes "connection lost: …". `detail` is for those who look closer. `again` is for an attempt that
    failed as the one before.
    """

    cause: str
    detail: str = field(default="", compare=False)
    again: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Restored:
    """The link is back after `seconds`, and the subscriptions stand again.

    What was published in between is delivered only where the broker kept the session. `forgotten` tells that it was
    to keep it, and has not.
    """

    seconds: float = field(default=0.0, compare=False)
    forgotten: bool = False


Event = Publication | Lost | Restored


class Connection(Protocol):
    """One link to the broker, open from the start. One thread uses it.

    Every method but `close` raises `NotAuthorized` or `Unreachable` once the link has ended for
    good; no call waits longer than the connection's deadline, except `receive`, and a few seconds more where that tells
    whether a request was refused.
    """

    @property
    def is_resumed(self) -> bool:
        """Whether the broker had kept a session of this name when it was opened: what waited there is delivered."""
        ...

    def send(self, publication: Publication, done: Done) -> None:
        """Hand a publication over, and return at once; `done` is called once, on another thread.

        Publications leave in the order in which they are handed over. With QoS 1 they wait for a broken
        link to come back, and reach the broker at least once; with QoS 0 `done` means that it has left.
        With QoS 0 and no link it is refused.
        """
        ...

    def publish(self, publication: Publication) -> None:
        """As `send`, and return when it is done.

        Raises what `done` would be told, or `Unreachable` if no acknowledgement came in time.
        """
        ...

    def subscribe(self, filters: Sequence[str]) -> None:
        """Return when the broker has granted every filter. Raises `TopicRefused`, `ServiceRefused`."""
        ...

    def unsubscribe(self, filters: Sequence[str]) -> None:
        """Return when the broker has taken the filters back, also those that were not granted before."""
        ...

    def receive(self, timeout: float | None = None) -> Event | None:
        """The next event, in the order in which they happened; None after `timeout` seconds without one.

        Ctrl-C interrupts the wait.
        """
        ...

    def acknowledge(self, deliveries: int | None = None) -> None:
        """Tell the broker that deliveries have been dealt with: the oldest so many that it was not told of, or all.

        It holds back after some that are not, and delivers those again where it keeps the session. It is to be told
        in the order in which they came (MQTT 5, section 4.6).
        """
        ...

    def leave(self) -> None:
        """Begin to close, and return at once: who closes several lets all of them leave first."""
        ...

    def close(self) -> None:
        """Say goodbye to the broker, so that it does not take us for lost; never raises, takes a second at most."""
        ...
