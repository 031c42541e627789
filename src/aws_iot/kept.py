"""Kept sessions: what a person need not do again at the next command."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aws_iot.credentials import RENEW_BEFORE, CredentialIssuer, Credentials, RenewingCredentials
from aws_iot.errors import (
    AwsIotError,
    CodeRefused,
    CredentialsRefused,
    DeviceForgotten,
    PasswordTooWeak,
    ProfileError,
    SessionEnded,
    SignInRefused,
    Unreachable,
)
from aws_iot.files import delete, exclusive, read, write_private
from aws_iot.profile import Profile, checked_key
from aws_iot.secret_store import SecretStore
from aws_iot.session import Accounts, Answer, Challenge, Device, Session

ATTEMPTS = 3
"""How often a code or a new password may be typed wrongly."""

TOKENS_BEFORE = timedelta(minutes=1)
"""Whoever needs the tokens themselves renews them when this much of their life is left: it may be 5 minutes in all."""

Ask = Callable[[Challenge, AwsIotError | None], Answer]
"""Puts a challenge to the person; with why the last answer was refused, if it was. May raise that, or anything."""

_LONG_AGO = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Kept:
    """A session and the credentials that it got last."""

    session: Session
    credentials: Credentials


class SessionCache:
    """Who is signed in with each profile of a person.

    Three places: who it is, in `records`; tokens and credentials that live for an hour, in `cache`, which may
    be lost; what renews them, in the secret store. What is damaged, or of other pools than the profile's,
    counts as not there. Methods raise `ProfileError` for files, or a keyring, that the system does not let them
    use.
    """

    def __init__(self, records: Path, cache: Path, secrets: SecretStore) -> None:
        self._records = records
        self.folder = cache
        self._secrets = secrets

    def load(self, profile: Profile) -> Kept | None:
        """Who is signed in, without what only a renewal needs: see `whole`. What is lost has ended long ago."""
        record = _parsed(self._record(profile.key))
        try:
            if record["pools"] != _pools(profile):
                return None
            username, identity = _text(record["username"]), _text(record["identity"])
        except (LookupError, TypeError):
            return None
        stored = _parsed(self._path(profile.key))
        with suppress(LookupError, TypeError, ValueError):
            kept = Kept(_revive(Session, stored["session"]), _revive(Credentials, stored["credentials"]))
            if (kept.session.username, kept.credentials.identity) == (username, identity):
                return kept
        return Kept(Session(username, "", "", None, _LONG_AGO), Credentials(identity, "", "", "", _LONG_AGO))

    def whole(self, profile: Profile, kept: Kept) -> Kept:
        """With the refresh token, for which the keyring may have to be asked, and this machine's device."""
        username = kept.session.username
        token = self._secrets.get("refresh-token", profile.key, username)
        session = replace(kept.session, refresh_token=token, device=self.device(profile, username))
        return replace(kept, session=session)

    def save(self, profile: Profile, kept: Kept, *, known_token: str | None = None) -> None:
        """Keep it, in place of what is kept. `known_token` is the refresh token that is stored already."""
        token = kept.session.refresh_token
        if token and token != known_token:
            self._secrets.set("refresh-token", profile.key, kept.session.username, token)
        stored = {
            "session": asdict(replace(kept.session, refresh_token=None, device=None)),
            "credentials": asdict(kept.credentials),
        }
        write_private(self._path(profile.key), json.dumps(stored, default=datetime.isoformat).encode())
        record = {
            "pools": _pools(profile),
            "username": kept.session.username,
            "identity": kept.credentials.identity,
        }
        if record != _parsed(self._record(profile.key)):
            write_private(self._record(profile.key), json.dumps(record).encode())

    def device(self, profile: Profile, username: str) -> Device | None:
        """What the user pool knows this machine as when this user signs in."""
        stored = self._secrets.get("device", profile.key, username)
        try:
            pool, *device = json.loads(stored or "[null]")
            return Device(*device) if pool == profile.user_pool_id else None
        except (ValueError, TypeError):
            return None

    def remember(self, profile: Profile, username: str, device: Device) -> None:
        """Keep it for the next time that this user signs in."""
        stored = json.dumps([profile.user_pool_id, device.key, device.group, device.password])
        self._secrets.set("device", profile.key, username, stored)

    def forget_device(self, key: str) -> None:
        """The user pool does not know it any more."""
        self._secrets.remove("device", key)

    def forget(self, key: str) -> bool:
        """Keep nothing for the profile of that key, but for a device; whether somebody was signed in."""
        was_in = delete(self._record(key))
        delete(self._path(key))
        self._secrets.remove("refresh-token", key)  # last: a keyring may not let us
        return was_in

    @contextmanager
    def exclusive(self, key: str, seconds: float) -> Iterator[bool]:
        """Hold off other processes that change what is kept for this profile, waiting so long; whether it is held."""
        with exclusive(self.folder / "locks" / checked_key(key), seconds) as held:
            yield held

    def _record(self, key: str) -> Path:
        return self._records / f"{checked_key(key)}.json"

    def _path(self, key: str) -> Path:
        return self.folder / f"{checked_key(key)}.json"


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

        def load() -> tuple[Kept | None, bool]:
            kept = self._cache.load(self._profile)
            if kept is None or kept.session.username != username:
                return None, True
            is_live = kept.credentials.expires - self._now() >= left
            if tokens_left is not None:
                is_live = is_live and kept.session.expires - self._now() >= tokens_left
            return kept, is_live

        kept, is_done = load()
        if is_done:
            return kept
        with self._cache.exclusive(self._profile.key, self._patience) as held:
            kept, is_done = load()  # what another program has made of it meanwhile
            if is_done or kept is None:
                return kept
            if not held:
                raise Unreachable("another program has been renewing this session for too long")
            whole = self._cache.whole(self._profile, kept)
            token = whole.session.refresh_token

            def note(renewed: Kept) -> None:
                nonlocal token
                self._cache.save(self._profile, renewed, known_token=token)
                token = renewed.session.refresh_token

            return self._renewed(whole, note)

    def _renewed(self, kept: Kept, note: Callable[[Kept], None]) -> Kept:
        """New tokens and credentials without the password. Raises `SignInRefused`.

        `note` is told of new tokens at once: from then on the old ones may be void, and whether there
        will be credentials is open.
        """
        session = self._accounts().renew(kept.session)
        note(replace(kept, session=session))
        renewed = Kept(session, self._issue(session, kept.credentials.identity))
        note(renewed)
        return renewed

    def by_password(self, username: str, password: str, ask: Ask) -> Kept:
        """A new session, which is not kept yet; `ask` answers what the user pool asks besides.

        What was mistyped is asked for again, `ATTEMPTS` times in all. Raises `SignInRefused`,
        `CredentialsRefused`, and what `ask` raises.
        """
        device = self._cache.device(self._profile, username)
        try:
            session = self._session(username, password, device, ask)
        except DeviceForgotten:  # by an admin, or with a user pool that was made anew
            self._cache.forget_device(self._profile.key)
            device = None
            session = self._session(username, password, None, ask)
        if session.device and session.device != device:
            self._cache.remember(self._profile, username, session.device)
        before = self._cache.load(self._profile)
        same = before is not None and before.session.username == username
        return Kept(session, self._issue(session, before.credentials.identity if before and same else None))

    def _session(self, username: str, password: str, device: Device | None, ask: Ask) -> Session:
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
            try:
                note(self.kept(kept.session.username) or self._renewed(kept, note))
            except SignInRefused:
                if kept.session.refresh_token is None:  # it is the one that is kept, and has no other way
                    raise
                note(self._renewed(kept, note))
            return kept.credentials

        return RenewingCredentials(kept.credentials, renew, self._now)

    def keep(self, kept: Kept) -> None:
        """Spare the next command all this."""
        with self._cache.exclusive(self._profile.key, self._patience):
            self._cache.save(self._profile, kept)

    def end(self, *, everywhere: bool) -> bool:
        """Sign out: forget what is kept, then have its tokens revoked; whether there was anything.

        Raises `Unreachable`, `ServiceRefused` and `ProfileError` when it is forgotten, but could not be revoked.
        """
        with self._cache.exclusive(self._profile.key, self._patience):
            kept, locked = self._cache.load(self._profile), None
            if kept:
                try:
                    kept = self._cache.whole(self._profile, kept)
                except ProfileError as error:
                    locked = error
            was_in = self._cache.forget(self._profile.key)
        if locked:
            raise locked
        if kept:
            self._revoke(kept.session, everywhere)
        return was_in

    def _revoke(self, session: Session, everywhere: bool) -> None:
        accounts = self._accounts()
        try:
            if everywhere:
                try:
                    accounts.of(session).end_all()
                except SessionEnded:  # the access token, as a rule an hour after signing in
                    session = accounts.renew(session)
                    accounts.of(session).end_all()
            accounts.of(session).revoke()
        except SignInRefused:  # it has ended already
            return


def _parsed(path: Path) -> Any:
    try:
        return json.loads(read(path) or b"null")
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _pools(profile: Profile) -> list[str]:
    return [profile.user_pool_id, profile.client_id, profile.identity_pool_id]


def _revive(kind: type[Any], stored: dict[str, Any]) -> Any:
    optional = {"refresh_token": None, "device": None}
    values = {
        field.name: optional[field.name] if field.name in optional else _text(stored[field.name])
        for field in fields(kind)
    }
    expires = datetime.fromisoformat(values["expires"] or "")
    if expires.tzinfo is None:
        raise ValueError("a time without a zone")
    return kind(**values | {"expires": expires})
