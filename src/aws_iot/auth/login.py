"""Sign in by whatever takes least: the saved session, a refresh, or the password."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from aws_iot.auth.credentials import RENEW_BEFORE, CredentialIssuer, Credentials, RenewingCredentials
from aws_iot.auth.session import Accounts, Answer, Challenge, Device, Session
from aws_iot.auth.session_store import Kept, SessionCache
from aws_iot.config.profile import Profile
from aws_iot.errors import (
    AwsIotError,
    CodeRefused,
    CredentialsRefused,
    DeviceForgotten,
    LocalError,
    PasswordTooWeak,
    SessionEnded,
    SignInRefused,
    Unreachable,
)

ATTEMPTS = 3
"""How often a code or a new password may be typed wrongly."""

TOKENS_BEFORE = timedelta(minutes=1)
"""Whoever needs the tokens themselves renews them when this much of their life is left: it may be 5 minutes in all."""

Ask = Callable[[Challenge, AwsIotError | None], Answer]
"""Puts a challenge to the person; with why the last answer was refused, if it was. May raise that, or anything."""


class SignIn:
    """Signs a person in with a profile, by whatever takes least: what is kept, a renewal, the password.

    `accounts` and `issuer` are called only when the network is needed.
    """

    def __init__(
        self,
        profile: Profile,
        cache: SessionCache,
        accounts: Callable[[], Accounts],
        issuer: Callable[[], CredentialIssuer],
        now: Callable[[], datetime],
        patience: float,
    ) -> None:
        """`patience` is for how many seconds another program may be renewing the same session."""
        self._profile = profile
        self._cache = cache
        self._accounts = accounts
        self._issuer = issuer
        self._now = now
        self._patience = patience

    def kept(
        self, username: str, *, left: timedelta = RENEW_BEFORE, tokens_left: timedelta | None = None
    ) -> Kept | None:
        """What is kept for this user, live; renewed first if less of it is left. None if nothing is kept.

        `left` is of the credentials, `tokens_left` of the tokens, for those who need them themselves. Raises
        `SignInRefused` if it can be renewed no more, `Unreachable`, `ServiceRefused`.
        """

        def is_live(kept: Kept) -> bool:
            if tokens_left is not None and kept.session.expires - self._now() < tokens_left:
                return False
            return kept.credentials.expires - self._now() >= left

        def load() -> Kept | None:
            kept = self._cache.load(self._profile)
            return kept if kept and kept.session.username == username else None

        kept = load()
        if kept is None or is_live(kept):
            return kept
        try:
            return self._kept_and_renewed(kept, load, is_live)
        except AwsIotError:
            if tokens_left is None and kept.credentials.expires - self._now() >= RENEW_BEFORE:
                return kept  # less is left than was wanted, and it still serves
            raise

    def _kept_and_renewed(
        self, before: Kept, load: Callable[[], Kept | None], is_live: Callable[[Kept], bool]
    ) -> Kept | None:
        whole = self._cache.whole(self._profile, before)  # first: a keyring may wait for its owner
        with self._cache.renewing(self._profile.key, self._patience) as held:
            kept = load()  # what another program has made of it meanwhile
            if kept is None or is_live(kept):
                return kept
            if not held:
                raise Unreachable("another program has been renewing this session for too long")
            if kept != before:
                whole = self._cache.whole(self._profile, kept)
            token, is_kept = whole.session.refresh_token, True

            def note(renewed: Kept) -> None:
                nonlocal token, is_kept
                is_kept = self._cache.save(self._profile, renewed, known_token=token)
                token = renewed.session.refresh_token

            renewed = self._renewed(whole, note)
        return renewed if is_kept else None  # None: somebody has signed out, or in, meanwhile

    def _renewed(self, kept: Kept, note: Callable[[Kept], None]) -> Kept:
        """New tokens and credentials without the password. Raises `SignInRefused`.

        `note` is told of new tokens at once: from then on the old ones may be void, and whether there
        will be credentials is open.
        """
        session = self._accounts().renew(kept.session)
        note(replace(kept, session=session))
        renewed = replace(kept, session=session, credentials=self._issue(session, kept.credentials.identity))
        note(renewed)
        return renewed

    def by_password(self, username: str, password: str, ask: Ask) -> Kept:
        """A new session with credentials, which are not kept yet. Raises as `session`, and `CredentialsRefused`."""
        session = self.session(username, password, ask)
        before = self._cache.load(self._profile)
        same = before is not None and before.session.username == username
        return Kept(session, self._issue(session, before.credentials.identity if before and same else None))

    def session(self, username: str, password: str, ask: Ask) -> Session:
        """A new session alone; `ask` answers what the user pool asks besides the password.

        What was mistyped is asked for again, `ATTEMPTS` times in all. Raises `SignInRefused`, and what `ask`
        raises.
        """
        device = None
        with suppress(LocalError):  # a keyring that is locked: then this machine is a new one
            device = self._cache.device(self._profile, username)
        try:
            session = self._new_session(username, password, device, ask)
        except DeviceForgotten:  # by an admin, or with a user pool that was made anew
            with suppress(LocalError):
                self._cache.forget_device(self._profile.key)
            device = None
            session = self._new_session(username, password, None, ask)
        if session.device and session.device != device:
            with suppress(LocalError):
                self._cache.remember(self._profile, username, session.device)
        return session

    def _new_session(self, username: str, password: str, device: Device | None, ask: Ask) -> Session:
        accounts = self._accounts()
        step = accounts.sign_in(username, password, device)
        wrong, refused = 0, None
        while isinstance(step, Challenge):
            try:
                step, refused = accounts.answer(step, ask(step, refused)), None
            except (CodeRefused, PasswordTooWeak) as error:
                wrong, refused = wrong + 1, error
                if wrong == ATTEMPTS:
                    raise
        return replace(step, username=username)  # as it was typed: a challenge knows only the pool's own name

    def _issue(self, session: Session, identity: str | None) -> Credentials:
        """Credentials for a session, sparing a question where its user's identity is known from before."""
        if identity:
            with suppress(
                CredentialsRefused
            ):  # the account was made anew, or an admin has deleted the identity
                return self._issuer().issue(session, identity)
        return self._issuer().issue(session)

    def credentials(self, kept: Kept) -> RenewingCredentials:
        """Its credentials, renewed for as long as the session can be."""

        def note(renewed: Kept) -> None:
            nonlocal kept
            kept = renewed

        def renew() -> Credentials:
            if kept.session.refresh_token is not None:  # a session of its own, that nobody keeps
                self._renewed(kept, note)
            else:
                found = self.kept(kept.session.username)
                if found is None:
                    raise SessionEnded("the session was ended: somebody has signed out")
                note(found)
            return kept.credentials

        return RenewingCredentials(kept.credentials, renew, self._now)

    def keep(self, kept: Kept) -> Kept:
        """Spare the next command all this. What is returned is renewed where it is kept, by whoever needs it first."""
        self._cache.save(self._profile, replace(kept, login=""))
        return replace(kept, session=replace(kept.session, refresh_token=None))

    def end(self, *, everywhere: bool) -> bool:
        """Sign out: forget what is kept, then have its tokens revoked; whether there was anything.

        Raises `Unreachable`, `ServiceRefused`, `SignInRefused` when it is forgotten, but could not be revoked;
        `LocalError` where the refresh token is in a keyring that does not let us: ending it again goes on.
        """
        session, locked = None, None
        try:
            kept = self._cache.load(self._profile)
            key = self._profile.key
            session = self._cache.whole(self._profile, kept).session if kept else self._cache.left_over(key)
        except LocalError as error:
            locked = error
        was_in = self._cache.forget(self._profile.key)
        if locked:
            raise locked
        if session:
            self._revoke(session, everywhere)
        return was_in or session is not None

    def _revoke(self, session: Session, everywhere: bool) -> None:
        accounts = self._accounts()
        try:
            if everywhere:
                if session.expires <= self._now():
                    session = accounts.renew(session)
                try:
                    accounts.of(session).end_all()
                except SessionEnded:  # by a clock that differs from ours, or ended already
                    session = accounts.renew(session)
                    accounts.of(session).end_all()
        except SignInRefused as error:
            raise SessionEnded(f"this session has ended, and cannot end the others: {error}") from error
        finally:
            accounts.of(session).revoke()
