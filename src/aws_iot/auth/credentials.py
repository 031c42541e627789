"""Credentials: the temporary AWS keys of an identity, and how they stay valid."""

import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from typing import NamedTuple, Protocol

from aws_iot.auth.session import Session
from aws_iot.errors import AwsIotError, CredentialsRefused

REFRESH_BEFORE = timedelta(minutes=5)
"""Credentials are refreshed this long before they expire."""


class Credentials(NamedTuple):
    """Temporary AWS keys of one identity, valid until `expires` (an hour; AWS does not extend it)."""

    identity: str
    access_key_id: str
    secret_access_key: str
    session_token: str
    expires: datetime

    def __repr__(self) -> str:
        keys = f"identity={self.identity!r}, access_key_id={self.access_key_id!r}"
        return f"Credentials({keys}, expires={self.expires!r})"


class CredentialIssuer(Protocol):
    """An identity pool: gives AWS credentials for an ID token.

    Every method raises `CredentialsRefused` if the pool rejects the token, `ServiceRefused` and `Unreachable`.
    """

    def identify(self, session: Session) -> str:
        """The identity of the session's owner. It is the same for every session of that user."""
        ...

    def issue(self, session: Session, identity: str | None = None) -> Credentials:
        """Credentials for the identity of this session. A known `identity` saves a request."""
        ...


def issue_credentials(issuer: CredentialIssuer, session: Session, identity: str | None) -> Credentials:
    """Credentials for the session. `identity` is the one that its user had before, if that is known.

    The user gets another identity if an admin deletes the old one, or deletes the account and creates it again.
    """
    if identity:
        with suppress(CredentialsRefused):
            return issuer.issue(session, identity)
    return issuer.issue(session)


class RefreshingCredentials:
    """Credentials that are valid at every call of `current`. Any thread may call it."""

    def __init__(
        self, first: Credentials, refresh: Callable[[], Credentials], now: Callable[[], datetime]
    ) -> None:
        self._current = first
        self._refresh = refresh
        self._now = now
        self._lock = threading.Lock()

    def current(self) -> Credentials:
        """The credentials, refreshed first if they expire soon; that takes network time.

        Raises what `refresh` raises, unless the old ones are still valid. If several threads call, one refreshes.
        """
        with self._lock:
            left = self._current.expires - self._now()
            if left < REFRESH_BEFORE:
                try:
                    self._current = self._refresh()
                except AwsIotError:
                    if left <= timedelta(0):
                        raise
            return self._current
