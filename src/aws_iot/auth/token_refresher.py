"""TokenRefresher: keeps a session usable, by a refresh of its tokens and credentials before they expire."""

from __future__ import annotations  # so that what only types need is not imported

from contextlib import ExitStack, contextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from aws_iot.auth.credentials import REFRESH_BEFORE, RefreshingCredentials, issue_credentials
from aws_iot.auth.session_store import SavedSession
from aws_iot.errors import AwsIotError, LocalError, SessionEnded, SignInRefused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime

    from aws_iot.auth.accounts import Accounts
    from aws_iot.auth.credentials import CredentialIssuer, Credentials
    from aws_iot.auth.session import RefreshToken, Session
    from aws_iot.auth.session_store import SessionStore
    from aws_iot.config.profile import Profile

TOKENS_BEFORE = timedelta(minutes=1)
"""Tokens that a command sends itself are refreshed this long before they expire. They may live only 5 minutes."""


class ActiveSession(NamedTuple):
    """A signed-in person: tokens, and credentials that `refresher` keeps valid."""

    session: Session
    credentials: Credentials
    refresher: TokenRefresher

    @property
    def username(self) -> str:
        """The name under which the person signed in."""
        return self.session.username

    @property
    def identity(self) -> str:
        """The identity ID: the person to AWS IoT Core."""
        return self.credentials.identity

    def refreshing_credentials(self) -> RefreshingCredentials:
        """The credentials for as long as the session lives."""
        return RefreshingCredentials(self.credentials, self.refresher.refresh, self.refresher.now)


class SessionHolder(Protocol):
    """Where a session is: saved, or only in this process."""

    def load(self) -> SavedSession | None:
        """The session; None if its user has signed out."""
        ...

    def refresh_token(self) -> RefreshToken | None:
        """The refresh token. Raises `LocalError` if it is in a keyring that cannot be used."""
        ...

    def refreshing(self) -> AbstractContextManager[bool]:
        """Hold the lock of those who refresh the session. Gives whether it is held."""
        ...

    def save(self, saved: SavedSession, known_token: RefreshToken) -> bool:
        """Save the session that was refreshed with `known_token`; False if its user has signed out."""
        ...


class StoredSession:
    """`SessionHolder` of a session that is saved: other programs may refresh it, or sign out.

    If a refreshed session cannot be saved, it is kept in this process, until the saved one is another.
    """

    def __init__(
        self,
        store: SessionStore,
        profile: Profile,
        username: str,
        patience: float,
        report_unsaved: Callable[[LocalError], None],
    ) -> None:
        """`patience` is how many seconds to wait while another program refreshes the session."""
        self._store = store
        self._profile = profile
        self._username = username
        self._patience = patience
        self._report_unsaved = report_unsaved
        self._unsaved: SavedSession | None = None

    def load(self) -> SavedSession | None:
        saved = self._store.load(self._profile)
        if saved is None or saved.username != self._username:
            return None
        is_same = self._unsaved is not None and self._unsaved.sign_in_id == saved.sign_in_id
        return self._unsaved if is_same else saved

    def refresh_token(self) -> RefreshToken | None:
        kept = self._unsaved.session if self._unsaved else None
        return kept.refresh_token if kept else self._store.refresh_token(self._profile, self._username)

    @contextmanager
    def refreshing(self) -> Iterator[bool]:
        with ExitStack() as locked:
            try:
                is_held = locked.enter_context(self._store.refreshing(self._profile.key, self._patience))
            except LocalError:  # other programs cannot write here either, so none of them refreshes it
                is_held = True
            yield is_held

    def save(self, saved: SavedSession, known_token: RefreshToken) -> bool:
        try:
            is_current = self._store.update(self._profile, saved, known_token)
        except LocalError as error:
            if not self._unsaved:
                self._report_unsaved(error)
            self._unsaved, is_current = saved, True
        else:
            self._unsaved = None
        return is_current


class PrivateSession:
    """`SessionHolder` of a session that only this process has."""

    def __init__(self, session: Session, credentials: Credentials) -> None:
        self._held = SavedSession(session.username, credentials.identity, "", session, credentials)

    def load(self) -> SavedSession | None:
        return self._held

    def refresh_token(self) -> RefreshToken | None:
        return self._held.session.refresh_token if self._held.session else None

    def refreshing(self) -> AbstractContextManager[bool]:
        return nullcontext(True)

    def save(self, saved: SavedSession, known_token: RefreshToken) -> bool:  # noqa: ARG002 the Protocol's
        self._held = saved
        return True


class TokenRefresher:
    """Refreshes one session, saved or private.

    If several programs find that a saved session expires, one refreshes it.
    `accounts` and `issuer` are called only when the network is needed.
    """

    def __init__(
        self,
        holder: SessionHolder,
        accounts: Callable[[], Accounts],
        issuer: Callable[[], CredentialIssuer],
        now: Callable[[], datetime],
    ) -> None:
        self._holder = holder
        self._accounts = accounts
        self._issuer = issuer
        self.now = now

    def signed_in(self, left: timedelta = REFRESH_BEFORE) -> ActiveSession | None:
        """The session with credentials that are valid for as long as `left`; refreshed first if they are not.

        None if its user has signed out. Raises `SignInRefused` if it cannot be refreshed, `Unreachable`,
        `ServiceRefused`, `LocalError`; but not if the credentials are good for another `REFRESH_BEFORE`.
        """
        try:
            saved = self._fresh(lambda saved: self._has_credentials(saved, left))
        except AwsIotError:
            saved = self._holder.load()
            if saved is None or not self._has_credentials(saved):
                raise
        if saved is None or saved.session is None or saved.credentials is None:
            return None
        return ActiveSession(saved.session, saved.credentials, self)

    def session(self) -> Session | None:
        """The tokens, valid for another `TOKENS_BEFORE`. They are refreshed if they expire, or the credentials do.

        As `signed_in`, but new tokens are enough, even if they get no credentials.
        """
        before = self._holder.load()
        try:
            saved = self._fresh(lambda saved: self._has_tokens(saved) and self._has_credentials(saved))
        except AwsIotError:
            saved = self._holder.load()
            if saved is None or (before and saved.session == before.session):
                raise
        return saved.session if saved else None

    def refresh(self) -> Credentials:
        """Valid credentials, for `RefreshingCredentials`. Raises `SessionEnded` if the user has signed out."""
        found = self.signed_in()
        if found is None:
            raise SessionEnded("the session was ended: its user has signed out")
        return found.credentials

    def _has_credentials(self, saved: SavedSession, left: timedelta = REFRESH_BEFORE) -> bool:
        if saved.session is None or saved.credentials is None:
            return False
        return saved.credentials.expires - self.now() >= left

    def _has_tokens(self, saved: SavedSession) -> bool:
        return bool(saved.session and saved.session.expires - self.now() >= TOKENS_BEFORE)

    def _fresh(self, is_fresh: Callable[[SavedSession], bool]) -> SavedSession | None:
        found = self._holder.load()
        if found is None or is_fresh(found):
            return found
        token = self._holder.refresh_token()  # before the lock: a keyring may wait for its owner
        with self._holder.refreshing() as is_locked:
            latest = self._holder.load()  # another program may have refreshed it
            if latest is None or is_fresh(latest):
                return latest
            if not is_locked:
                raise Unreachable("another program has been refreshing this session for too long")
            if latest != found:
                token = self._holder.refresh_token()
            if token is None:
                raise SignInRefused("this session has no refresh token", hint="Sign in again.")
            return self._exchange(latest, token)

    def _exchange(self, saved: SavedSession, token: RefreshToken) -> SavedSession | None:
        """Get new tokens, and with them credentials. None if the user has signed out since, or someone signed in."""
        session = self._accounts().refresh(token)
        refreshed = saved._replace(session=session)
        # At once: the old refresh token may be void now, and the next step may fail.
        if not self._holder.save(refreshed, token):
            return None
        credentials = issue_credentials(self._issuer(), session, saved.identity)
        refreshed = refreshed._replace(identity=credentials.identity, credentials=credentials)
        return refreshed if self._holder.save(refreshed, session.refresh_token or token) else None
