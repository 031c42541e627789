"""Credentials: the AWS keys that a session gets for an hour, and their renewal."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from aws_iot.auth.session import Session
from aws_iot.errors import AwsIotError

RENEW_BEFORE = timedelta(minutes=5)
"""Credentials are renewed when this much of their life is left."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """AWS keys of one identity, valid until `expires` (an hour, which AWS does not extend)."""

    identity: str
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(repr=False)
    expires: datetime


class CredentialIssuer(Protocol):
    """An identity pool: gives AWS keys to those who show an ID token.

    Every method raises `CredentialsRefused` if the pool does not take the token, `ServiceRefused` and
    `Unreachable`.
    """

    def identify(self, session: Session) -> str:
        """The identity of this session: the same at every call, and for every session of its user."""
        ...

    def issue(self, session: Session, identity: str | None = None) -> Credentials:
        """Keys for the identity of this session. Who knows the `identity` spares a question."""
        ...


class RenewingCredentials:
    """Credentials that are valid whenever they are asked for. Any thread may ask."""

    def __init__(
        self, first: Credentials, issue: Callable[[], Credentials], now: Callable[[], datetime]
    ) -> None:
        self._current = first
        self._issue = issue
        self._now = now
        self._lock = threading.Lock()

    def current(self) -> Credentials:
        """The credentials, renewed first if they are about to end; this can take network time.

        Raises what `issue` raises, but not as long as the old ones still serve. Of several threads
        that find them ending, one renews.
        """
        with self._lock:
            left = self._current.expires - self._now()
            if left < RENEW_BEFORE:
                try:
                    self._current = self._issue()
                except AwsIotError:
                    if left <= timedelta(0):
                        raise
            return self._current
