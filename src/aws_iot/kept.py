"""Kept sessions: what a person need not do again at the next command."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from aws_iot.credentials import RENEW_BEFORE, CredentialIssuer, Credentials, RenewingCredentials
from aws_iot.errors import CodeRefused, CredentialsRefused, SignInRefused
from aws_iot.files import delete, exclusive, read, write_private
from aws_iot.profile import Profile, checked_key
from aws_iot.secret_store import SecretStore
from aws_iot.session import Accounts, Answer, Challenge, Device, Session

CODE_ATTEMPTS = 3
"""How often a code may be typed wrongly."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A session and the credentials that it got last."""

    session: Session
    credentials: Credentials


class SessionCache:
    """The kept sessions of a person: one private file a profile, and what lives for long in the secret store.

    What is damaged, or of other pools than the profile's, counts as not there. Methods raise
    `ProfileError` for files, or a keyring, that the system does not let them use.
    """

    def __init__(self, folder: Path, secrets: SecretStore) -> None:
        self.folder = folder
        self._secrets = secrets

    def load(self, profile: Profile) -> Kept | None:
        """What is kept for the profile, without what only a renewal needs: see `whole`."""
        data = read(self._path(profile.key))
        try:
            stored = json.loads(data or b"null")
            if stored["pools"] != _pools(profile):
                return None
            return Kept(_revive(Session, stored["session"]), _revive(Credentials, stored["credentials"]))
        except (ValueError, LookupError, TypeError, RecursionError):
            return None

    def whole(self, profile: Profile, kept: Kept) -> Kept:
        """With the refresh token, for which the keyring may have to be asked, and this machine's device."""
        username = kept.session.username
        token = self._secrets.get("refresh-token", profile.key, username)
        session = replace(kept.session, refresh_token=token, device=self.device(profile, username))
        return replace(kept, session=session)

    def save(self, profile: Profile, kept: Kept) -> None:
        """Keep it, in place of what is kept."""
        username, token = kept.session.username, kept.session.refresh_token
        if token and token != self._secrets.get("refresh-token", profile.key, username):
            self._secrets.set("refresh-token", profile.key, username, token)
        stored = {
            "pools": _pools(profile),
            "session": asdict(replace(kept.session, refresh_token=None, device=None)),
            "credentials": asdict(kept.credentials),
        }
        write_private(self._path(profile.key), json.dumps(stored, default=datetime.isoformat).encode())

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

    def forget(self, key: str) -> None:
        """Keep nothing for the profile of that key; fine if nothing is kept. A device is not forgotten."""
        delete(self._path(key))
        self._secrets.remove("refresh-token", key)

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold off other processes that renew, so that one of several does; not for ever."""
        with exclusive(self.folder):
            yield

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
    ) -> None:
        self._profile = profile
        self._cache = cache
        self._accounts = accounts
        self._issuer = issuer
        self._now = now

    def kept(self, username: str) -> Kept | None:
        """What is kept for this user, live; renewed first if it is about to end. None if nothing is kept.

        Raises `SignInRefused` if it can be renewed no more, `Unreachable`, `ServiceRefused`.
        """
        with self._cache.exclusive():
            kept = self._cache.load(self._profile)
            if kept is None or kept.session.username != username:
                return None
            if kept.credentials.expires - self._now() >= RENEW_BEFORE:
                return kept
            return self._renewed(self._cache.whole(self._profile, kept), self.keep)

    def _renewed(self, kept: Kept, note: Callable[[Kept], None]) -> Kept:
        """New tokens and credentials without the password. Raises `SignInRefused`.

        `note` is told of new tokens at once: from then on the old ones may be void, and whether there
        will be credentials is open.
        """
        session = self._accounts().renew(kept.session)
        note(replace(kept, session=session))
        renewed = Kept(session, self._issuer().issue(session, kept.credentials.identity))
        note(renewed)
        return renewed

    def by_password(self, username: str, password: str, ask: Callable[[Challenge], Answer]) -> Kept:
        """A new session, which is not kept yet; `ask` answers what the user pool asks besides.

        A wrong code is asked for again, `CODE_ATTEMPTS` times in all. Raises `SignInRefused`,
        `CredentialsRefused`, and what `ask` raises.
        """
        accounts, device = self._accounts(), self._cache.device(self._profile, username)
        step = accounts.sign_in(username, password, device)
        wrong = 0
        while isinstance(step, Challenge):
            try:
                step = accounts.answer(step, ask(step))
            except CodeRefused:
                wrong += 1
                if wrong == CODE_ATTEMPTS:
                    raise
        session = replace(
            step, username=username
        )  # as it was typed: a challenge knows only the pool's own name
        if session.device and session.device != device:
            self._cache.remember(self._profile, username, session.device)
        return Kept(session, self._issue(session))

    def _issue(self, session: Session) -> Credentials:
        """Credentials for a new session, sparing a question where its user's identity is known from before."""
        before = self._cache.load(self._profile)
        if before and before.session.username == session.username:
            with suppress(CredentialsRefused):  # an account that was made anew has another identity
                return self._issuer().issue(session, before.credentials.identity)
        return self._issuer().issue(session)

    def credentials(self, kept: Kept) -> RenewingCredentials:
        """Its credentials, renewed for as long as the session can be."""

        def note(renewed: Kept) -> None:
            nonlocal kept
            kept = renewed

        def renew() -> Credentials:
            try:
                found = self.kept(kept.session.username)
            except SignInRefused:
                if kept.session.refresh_token is None:  # it is what was found, and has no other way
                    raise
                found = None
            note(found or self._renewed(kept, note))
            return kept.credentials

        return RenewingCredentials(kept.credentials, renew, self._now)

    def keep(self, kept: Kept) -> None:
        """Spare the next command all this."""
        self._cache.save(self._profile, kept)

    def end(self, *, everywhere: bool) -> bool:
        """Sign out: forget what is kept, then have its tokens revoked; whether there was anything.

        Raises `Unreachable` and `ServiceRefused` when it is forgotten, but could not be revoked.
        """
        kept = self._cache.load(self._profile)
        if kept is None:
            return False
        kept = self._cache.whole(self._profile, kept)
        self._cache.forget(self._profile.key)
        self._accounts().of(kept.session).sign_out(everywhere=everywhere)
        return True


def _pools(profile: Profile) -> list[str]:
    return [profile.user_pool_id, profile.client_id, profile.identity_pool_id]


def _revive(kind: type[Any], stored: dict[str, Any]) -> Any:
    values = {field.name: stored[field.name] for field in fields(kind)}
    expires = datetime.fromisoformat(values["expires"])
    if expires.tzinfo is None:
        raise ValueError("a time without a zone")
    return kind(**values | {"expires": expires})
