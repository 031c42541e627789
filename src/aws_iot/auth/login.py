"""Login: sign in by the shortest way: the saved session, a refresh of it, or a password."""

from __future__ import annotations  # so that what only types need is not imported

from contextlib import suppress
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from aws_iot.auth.credentials import REFRESH_BEFORE, issue_credentials
from aws_iot.auth.prompter import not_signed_in
from aws_iot.auth.token_refresher import (
    TOKENS_BEFORE,
    ActiveSession,
    PrivateSession,
    SessionHolder,
    StoredSession,
    TokenRefresher,
)
from aws_iot.errors import LocalError, SignInRefused, WrongPassword

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime, timedelta

    from aws_iot.auth.accounts import Accounts
    from aws_iot.auth.credentials import CredentialIssuer, Credentials
    from aws_iot.auth.prompter import Prompter, SignInReporter
    from aws_iot.auth.session import Session
    from aws_iot.auth.session_store import SessionStore
    from aws_iot.config.profile import Profile
    from aws_iot.config.secrets import SecretStore

_NONE_GIVEN: Mapping[str, str] = MappingProxyType({})


class SignInRequest(NamedTuple):
    """What the caller gives for a sign-in; everything else is saved, preset or asked for.

    An `is_explicit` password is used even if a session is saved, and the new session is not saved. `answers` are for
    challenges, by what those want: `code`, `choice` or `password`. `attributes` are for a user pool that requires some.
    """

    username: str | None = None
    password: str | None = None
    is_explicit: bool = False
    answers: Mapping[str, str] = _NONE_GIVEN
    attributes: Mapping[str, str] = _NONE_GIVEN

    def __repr__(self) -> str:
        who = f"username={self.username!r}, is_explicit={self.is_explicit}"
        return f"SignInRequest({who}, attributes={dict(self.attributes)})"


class Login:
    """Signs people in and out with one profile.

    `accounts` and `issuer` are called only when the network is needed.
    """

    def __init__(
        self,
        profile: Profile,
        store: SessionStore,
        secrets: SecretStore,
        accounts: Callable[[], Accounts],
        issuer: Callable[[], CredentialIssuer],
        now: Callable[[], datetime],
        *,
        patience: float,
        reporter: SignInReporter,
    ) -> None:
        """`patience` is how many seconds to wait while another program refreshes the session."""
        self._profile = profile
        self._store = store
        self._secrets = secrets
        self._accounts = accounts
        self._issuer = issuer
        self._now = now
        self._patience = patience
        self._reporter = reporter

    def sign_in(
        self, request: SignInRequest, prompter: Prompter, left: timedelta = REFRESH_BEFORE
    ) -> ActiveSession:
        """Sign in with the saved session, refreshed if its credentials are valid for less than `left`; or by password.

        A session that a password gets is saved, unless it is explicit or another user's session is saved. If it cannot
        be saved, the reporter is told, and it serves only this process.
        Raises `SignInRefused`, `CredentialsRefused`, and what the prompter raises.
        """
        username = self._username(request, prompter)
        if request.is_explicit:
            return self._sign_in_with_password(username, request, prompter, self._private)
        try:
            found = self._refresher(username).signed_in(left)
        except SignInRefused as error:
            self._need_other_way(username, request, prompter, error)
            found = None
        if found:
            return found
        saved = self._store.load(self._profile)
        is_other = saved is not None and saved.username != username
        hold = self._private if is_other else self._saved_if_possible
        return self._sign_in_with_password(username, request, prompter, hold)

    def sign_in_with_password(self, request: SignInRequest, prompter: Prompter) -> ActiveSession:
        """Sign in with a password, even if a session is saved, and save the new session.

        Raises as `sign_in`, and `LocalError` if it cannot be saved.
        """
        username = self._username(request, prompter, by_password=True)
        return self._sign_in_with_password(username, request, prompter, self._saved)

    def sign_in_without_credentials(self, request: SignInRequest, prompter: Prompter) -> tuple[Session, bool]:
        """The tokens alone, and whether they are of the saved session. Nothing is saved except a refresh.

        Raises as `sign_in`.
        """
        username = self._username(request, prompter)
        if not request.is_explicit:
            try:
                session = self._refresher(username).session()
            except SignInRefused as error:
                self._need_other_way(username, request, prompter, error)
                session = None
            if session:
                return session, True
        session, is_changed = self._prove_password(username, request, prompter)
        if is_changed:
            self._remove_old_password(username)
        return session, False

    def require_session(self) -> Session:
        """The tokens of the saved session, refreshed if necessary. Raises `SignInRefused` if there is none."""
        saved = self._store.load(self._profile)
        session = self._refresher(saved.username).session() if saved else None
        if session is None:
            raise not_signed_in(self._profile.key)
        return session

    def sign_out(self, *, everywhere: bool) -> bool:
        """Sign out. The result tells whether a session was saved. Raises as `sign_out.sign_out`."""
        from aws_iot.auth.sign_out import sign_out

        return sign_out(self._profile, self._store, self._accounts, self._now, everywhere=everywhere)

    def expected_username(self, request: SignInRequest, *, by_password: bool = False) -> str | None:
        """The user who will sign in: the named one, the signed-in one, or the profile's; None if none is known.

        A password without a name is first of all the profile's user's.
        """
        if request.username:
            return request.username
        saved = self._store.load(self._profile)
        signed_in, preset = saved.username if saved else None, self._profile.username
        return preset or signed_in if by_password or request.password else signed_in or preset

    def is_signed_in(self) -> bool:
        """Whether a session is saved."""
        return self._store.load(self._profile) is not None

    def uses_saved_tokens(self, request: SignInRequest) -> bool:
        """Whether the saved tokens are those that the request will use, without a call to the user pool."""
        saved = self._store.load(self._profile)
        if saved is None or saved.session is None or request.is_explicit:
            return False
        is_same = request.username in (None, saved.username)
        return is_same and saved.session.expires - self._now() >= TOKENS_BEFORE

    def remove_preset_password(self, username: str) -> None:
        """Delete the preset password, if it is this user's: it was changed."""
        if self._has_preset_password(username):
            self._secrets.remove("password", self._profile.key)
            self._reporter.preset_password_removed(self._profile.key)

    def _username(self, request: SignInRequest, prompter: Prompter, *, by_password: bool = False) -> str:
        username = self.expected_username(request, by_password=by_password) or prompter.username()
        return self._known_as(username) if request.username else username

    def _known_as(self, username: str) -> str:
        """The name in the saved session or in the profile, if the user pool takes it for the same: BOB for bob."""
        saved = self._store.load(self._profile)
        known = [name for name in (saved.username if saved else None, self._profile.username) if name]
        for name in [] if username in known else known:
            with suppress(SignInRefused):
                if name.casefold() == username.casefold() and self._accounts().are_same(name, username):
                    return name
        return username

    def _refresher(self, username: str) -> TokenRefresher:
        report = self._reporter.session_not_saved
        return self._refresher_of(StoredSession(self._store, self._profile, username, self._patience, report))

    def _refresher_of(self, holder: SessionHolder) -> TokenRefresher:
        return TokenRefresher(holder, self._accounts, self._issuer, self._now)

    def _has_preset_password(self, username: str) -> bool:
        return self._secrets.owner("password", self._profile.key) == username

    def _need_other_way(
        self, username: str, request: SignInRequest, prompter: Prompter, error: SignInRefused
    ) -> None:
        """Raise the error of a session that cannot be refreshed, unless there is a password, or a person to ask."""
        if not (request.password or self._has_preset_password(username) or prompter.is_interactive):
            raise error
        self._reporter.session_expired(error)

    def _prove_password(
        self, username: str, request: SignInRequest, prompter: Prompter
    ) -> tuple[Session, bool]:
        """The session, and whether its user had to set a new password.

        A person who types a wrong password is asked again, `ATTEMPTS` times in all.
        """
        from aws_iot.auth.accounts import ATTEMPTS  # here: most commands find a saved session

        known = self._known_password(username, request, prompter)
        is_preset = known is not None and not (request.password or request.is_explicit)
        if known is None and prompter.is_interactive:
            self._accounts()  # raises what makes a sign-in impossible before the person types
        for left in reversed(range(ATTEMPTS if known is None else 1)):
            password = prompter.password(username) if known is None else known
            try:
                return self._new_session(username, password, request, prompter)
            except WrongPassword as error:
                if not left:
                    raise self._explained(error, username, is_preset=is_preset) from error
                prompter.show_rejection(error)
        raise AssertionError("the last attempt raises")

    def _explained(self, error: WrongPassword, username: str, *, is_preset: bool) -> WrongPassword:
        """The error, with a way out."""
        import shlex  # here, because it is seldom needed

        if is_preset:
            return WrongPassword(
                f"{error}: the preset password was used, and may have been changed elsewhere",
                hint=f"Preset the new one: aws-iot config -p PASS -k {self._profile.key}",
            )
        return WrongPassword(
            str(error),
            hint="If you have forgotten your password:"
            f" aws-iot password reset -u {shlex.quote(username)} -k {self._profile.key}",
        )

    def _known_password(self, username: str, request: SignInRequest, prompter: Prompter) -> str | None:
        """The given or the preset password: that serves only the user whom it was preset for. None: ask for it."""
        if request.password or request.is_explicit:
            return request.password or ""
        try:
            return self._secrets.get("password", self._profile.key, username) or None
        except LocalError as error:
            if not prompter.is_interactive:
                raise
            self._reporter.keyring_unusable(error)
            return None

    def _sign_in_with_password(
        self,
        username: str,
        request: SignInRequest,
        prompter: Prompter,
        hold: Callable[[Session, Credentials], TokenRefresher],
    ) -> ActiveSession:
        """A new session with credentials, which `hold` saves or does not."""
        session, is_changed = self._prove_password(username, request, prompter)
        try:
            before = self._store.load(self._profile)
            identity = before.identity if before and before.username == username else None
            credentials = issue_credentials(self._issuer(), session, identity)
            return ActiveSession(session, credentials, hold(session, credentials))
        finally:
            if is_changed:
                self._remove_old_password(username)

    def _private(self, session: Session, credentials: Credentials) -> TokenRefresher:
        return self._refresher_of(PrivateSession(session, credentials))

    def _saved(self, session: Session, credentials: Credentials) -> TokenRefresher:
        self._store.save(self._profile, session, credentials)
        return self._refresher(session.username)

    def _saved_if_possible(self, session: Session, credentials: Credentials) -> TokenRefresher:
        try:
            return self._saved(session, credentials)
        except LocalError as error:
            self._reporter.session_not_saved(error)
            return self._private(session, credentials)

    def _new_session(
        self, username: str, password: str, request: SignInRequest, prompter: Prompter
    ) -> tuple[Session, bool]:
        """The session, and whether its user had to set a new password."""
        # Here: most commands find a saved session, and would wait for these.
        from aws_iot.auth.password_sign_in import ChallengeResponder, PasswordSignIn
        from aws_iot.auth.session_store import DeviceStore

        responder = ChallengeResponder(request.answers, request.attributes, prompter)
        way = PasswordSignIn(self._profile, DeviceStore(self._secrets), self._accounts)
        session = way.sign_in(username, password, responder)
        return session, responder.new_password is not None

    def _remove_old_password(self, username: str) -> None:
        """As `remove_preset_password`, but a keyring that cannot be used does not cost the new session."""
        try:
            self.remove_preset_password(username)
        except LocalError as error:
            self._reporter.old_password_stays(self._profile.key, error)
