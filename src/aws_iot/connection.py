"""Connection: one MQTT 5 link over a signed WebSocket, and what can happen to it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aws_iot.message import Properties


@dataclass(frozen=True, slots=True)
class Delivery:
    """A publication that reached us."""

    topic: str
    payload: bytes
    properties: Properties = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """The link broke, or cannot be brought back yet for another reason; the connection goes on trying.

    `cause` completes "connection lost: …".
    """

    cause: str


@dataclass(frozen=True, slots=True)
class Restored:
    """The link is back and the subscriptions stand again. What was published in between is not delivered."""


Event = Delivery | Lost | Restored


class Connection(Protocol):
    """One link to the broker, open from the start. One thread uses it.

    Every method but `close` raises `NotAuthorized` or `Unreachable` once the link has ended for
    good; no call waits longer than the connection's deadline, except `receive`.
    """

    def publish(self, topic: str, payload: bytes, properties: Properties = ()) -> None:
        """Return when the broker has acknowledged it (QoS 1).

        Raises `TopicRefused`, `ServiceRefused`, or `Unreachable` if no acknowledgement came in time.
        """
        ...

    def subscribe(self, filters: Sequence[str]) -> None:
        """Return when the broker has granted every filter. Raises `TopicRefused`, `ServiceRefused`."""
        ...

    def receive(self, timeout: float | None = None) -> Event | None:
        """The next event, in the order in which they happened; None after `timeout` seconds without one.

        Ctrl-C interrupts the wait.
        """
        ...

    def close(self) -> None:
        """Say goodbye to the broker, so that it does not take us for lost; never raises, takes a second at most."""
        ...
