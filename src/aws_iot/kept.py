"""Kept sessions: what a person need not do again at the next command."""

import json
import os
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
    """A session and the credentials that it got last. `login` tells one signing in from the next."""

    session: Session
    credentials: Credentials
    login: str = ""


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
            username, identity, login = (_text(record[name]) for name in ("username", "identity", "login"))
        except (LookupError, TypeError):
            return None
        stored = _parsed(self._path(profile.key))
        with suppress(LookupError, TypeError, ValueError):
            session, keys = _revive(Session, stored["session"]), _revive(Credentials, stored["credentials"])
            if (session.username, keys.identity) == (username, identity):
                return Kept(session, keys, login)
        return Kept(_lost(username, None), Credentials(identity, "", "", "", _LONG_AGO), login)

    def whole(self, profile: Profile, kept: Kept) -> Kept:
        """With the refresh token, for which the keyring may have to be asked, and this machine's device."""
        username = kept.session.username
        token = self._secrets.get("refresh-token", profile.key, username)
        session = replace(kept.session, refresh_token=token, device=self.device(profile, username))
        return replace(kept, session=session)

    def save(self, profile: Profile, kept: Kept, *, known_token: str | None = None) -> bool:
        """Keep it, if its `login` is still the one that is kept, or is new; whether it was.

        `known_token` is the refresh token that is stored already.
        """
        token, username = kept.session.refresh_token, kept.session.username
        with self._writing(profile.key):
            record = _parsed(self._record(profile.key))
            if kept.login and not (isinstance(record, dict) and record.get("login") == kept.login):
                return False
            if token and token != known_token:
                self._secrets.set("refresh-token", profile.key, username, token)
            stored = {
                "session": asdict(replace(kept.session, refresh_token=None, device=None)),
                "credentials": asdict(kept.credentials),
            }
            write_private(self._path(profile.key), json.dumps(stored, default=datetime.isoformat).encode())
            now_in = {
                "pools": _pools(profile),
                "username": username,
                "identity": kept.credentials.identity,
                "login": kept.login or os.urandom(8).hex(),
            }
            if now_in != record:
                write_private(self._record(profile.key), json.dumps(now_in).encode())
        return True

    def left_over(self, key: str) -> Session | None:
        """A session of which only the refresh token is known: whoever it was is signed in no more."""
        owner = self._secrets.owner("refresh-token", key)
        token = self._secrets.get("refresh-token", key, owner) if owner else None
        return _lost(owner, token) if owner and token else None

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
        """Keep nothing for the profile of that key, but for a device; whether somebody was signed in.

        Raises `ProfileError` if the refresh token is in a keyring that does not let us; the rest is forgotten.
        """
        with self._writing(key):
            was_in = delete(self._record(key))
            delete(self._path(key))
            self._secrets.remove("refresh-token", key)
        return was_in

    @contextmanager
    def renewing(self, key: str, seconds: float) -> Iterator[bool]:
        """Let one of several processes renew, and the others wait so long for it; whether it is this one."""
        with exclusive(self._records / "renewing" / checked_key(key), seconds) as held:
            yield held

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        with exclusive(self._records / "writing" / checked_key(key)):
            yield

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
        with suppress(ProfileError):  # a keyring that is locked: then this machine is a new one
            device = self._cache.device(self._profile, username)
        try:
            session = self._new_session(username, password, device, ask)
        except DeviceForgotten:  # by an admin, or with a user pool that was made anew
            with suppress(ProfileError):
                self._cache.forget_device(self._profile.key)
            device = None
            session = self._new_session(username, password, None, ask)
        if session.device and session.device != device:
            with suppress(ProfileError):
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
        `ProfileError` where the refresh token is in a keyring that does not let us: ending it again goes on.
        """
        session, locked = None, None
        try:
            kept = self._cache.load(self._profile)
            key = self._profile.key
            session = self._cache.whole(self._profile, kept).session if kept else self._cache.left_over(key)
        except ProfileError as error:
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


def _parsed(path: Path) -> Any:
    try:
        return json.loads(read(path) or b"null")
    except (ValueError, RecursionError):
        return None


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _lost(username: str, refresh_token: str | None) -> Session:
    return Session(username, "", "", refresh_token, _LONG_AGO)


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
