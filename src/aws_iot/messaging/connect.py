"""Connecting a signed-in person to the broker: at once, or when an admin has accepted them."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

from aws_iot.auth.credentials import Credentials
from aws_iot.auth.token_refresher import ActiveSession
from aws_iot.backoff import Backoff
from aws_iot.errors import NotAccepted, Unreachable
from aws_iot.messaging.connection import Connection

ACCEPTANCE_BACKOFF = Backoff(5.0, 1.5, 30.0)
"""The seconds between attempts while no admin has accepted the identity."""


class OpenConnection(Protocol):
    """Opens a connection to a profile's broker. It calls `credentials` for each attempt to connect."""

    def __call__(
        self, identity: str, credentials: Callable[[], Credentials], durable: str | None = None
    ) -> Connection:
        """With `durable`, the broker keeps the session under this name."""
        ...


class AcceptanceWait:
    """The policy to try again until an admin has accepted the identity."""

    def __init__(
        self,
        pause: Callable[[float], None],
        report: Callable[[NotAccepted], None],
        backoff: Backoff = ACCEPTANCE_BACKOFF,
    ) -> None:
        """`pause` waits for a number of seconds. `report` is called once, before the first wait."""
        self._pause = pause
        self._report = report
        self._backoff = backoff

    def connect(self, connect: Callable[[], Connection]) -> Connection:
        """A connection. Raises what `connect` raises, except `NotAccepted`, and `Unreachable` except at first."""
        delays = iter(self._backoff)
        try:
            return connect()
        except NotAccepted as error:
            self._report(error)
        while True:
            self._pause(next(delays))
            try:
                return connect()
            except (NotAccepted, Unreachable):  # a network may be lost for a moment
                continue


def open_connection(
    signed_in: ActiveSession,
    connect: OpenConnection,
    *,
    durable: str | None = None,
    wait: AcceptanceWait | None = None,
) -> Connection:
    """A connection as the signed-in person, with credentials that are refreshed as needed.

    Raises `NotAccepted` unless there is a `wait`, `NotAuthorized`, `Unreachable`, and what a refresh raises.
    """
    attempt = partial(connect, signed_in.identity, signed_in.refreshing_credentials().current, durable)
    return wait.connect(attempt) if wait else attempt()
