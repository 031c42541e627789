"""SessionStore: the saved sessions, one for each profile, that commands share; and this device, for user pools."""

import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from aws_iot.auth.credentials import Credentials
from aws_iot.auth.session import Device, RefreshToken, Session
from aws_iot.config.profile import Profile, checked_key
from aws_iot.config.profile_store import ProfileStore
from aws_iot.config.secrets import SecretStore
from aws_iot.errors import LocalError
from aws_iot.files import delete, exclusive, parsed, read, write_private

T = TypeVar("T", Session, Credentials)


class SavedSession(NamedTuple):
    """The user who is signed in with a profile. `sign_in_id` differs for each sign-in.

    The tokens or the credentials are None if they are lost. A refresh gets new ones.
    """

    username: str
    identity: str
    sign_in_id: str
    session: Session | None
    credentials: Credentials | None


class SessionStore:
    """The user who is signed in with each profile.

    It saves in three places. `records` has who it is. `cache` has the tokens and credentials of an hour, and may be
    deleted at any time. The secret store has the refresh token. A damaged file counts as missing, and so does a
    session of other pools than the profile's. Methods raise `LocalError` if files or the keyring cannot be used.
    """

    def __init__(self, records: Path, cache: Path, secrets: SecretStore) -> None:
        self._records = records
        self.folder = cache
        self._secrets = secrets

    def load(self, profile: Profile) -> SavedSession | None:
        """The saved session without its refresh token: that may be in a keyring that waits for its owner."""
        record = _parse(self._record(profile.key))
        try:
            if record["pools"] != _pools(profile):
                return None
            username, identity, sign_in = (_text(record[name]) for name in ("username", "identity", "login"))
        except (LookupError, TypeError):
            return None
        cached = _parse(self._cached(profile.key))
        self._secrets.protect(self._cached(profile.key))
        session, credentials = (
            _revive(Session, cached, "session"),
            _revive(Credentials, cached, "credentials"),
        )
        return SavedSession(
            username,
            identity,
            sign_in,
            session if session and session.username == username else None,
            credentials if credentials and credentials.identity == identity else None,
        )

    def refresh_token(self, profile: Profile, username: str) -> RefreshToken | None:
        """The refresh token of the saved session, with the device that the user pool may ask for."""
        token = self._secrets.get("refresh-token", profile.key, username)
        device = DeviceStore(self._secrets).load(profile, username) if token else None
        return RefreshToken(username, token, device) if token else None

    def orphaned_refresh_token(self, key: str) -> RefreshToken | None:
        """A refresh token without a record of its session: the record is damaged, or of other pools."""
        owner = self._secrets.owner("refresh-token", key)
        token = self._secrets.get("refresh-token", key, owner) if owner else None
        return RefreshToken(owner, token) if owner and token else None

    def save(self, profile: Profile, session: Session, credentials: Credentials) -> None:
        """Save a new sign-in in place of the session that is there."""
        saved = SavedSession(
            session.username, credentials.identity, os.urandom(8).hex(), session, credentials
        )
        with self._writing(profile.key):
            self._write(profile, saved, None)

    def update(self, profile: Profile, saved: SavedSession, known_token: RefreshToken | None = None) -> bool:
        """Save a session that was refreshed, unless someone has signed out or in since it was loaded.

        `known_token` is the refresh token that is already saved. The result tells whether the session was saved.
        """
        with self._writing(profile.key):
            record = _parse(self._record(profile.key))
            is_current = isinstance(record, dict) and record.get("login") == saved.sign_in_id
            if is_current:
                self._write(profile, saved, known_token)
        return is_current

    def remove(self, key: str) -> bool:
        """Delete everything about the profile's session except the device. The result tells whether there was one.

        Raises `LocalError` if the refresh token is in a keyring that cannot be used; the rest is deleted.
        """
        with self._writing(key):
            was_there = delete(self._record(key))
            delete(self._cached(key))
            self._secrets.remove("refresh-token", key)
        return was_there

    def has_connected(self, key: str, identity: str) -> bool:
        """Whether the broker has accepted a connection of this identity, as `note_connected` has recorded."""
        return identity in self._connected(key)

    def note_connected(self, key: str, identity: str) -> None:
        """Record that the broker accepts connections of this identity. Signing out does not delete that."""
        if not self.has_connected(key, identity):
            with self._writing(key):
                known = [*self._connected(key), identity]
                write_private(self._connections(key), json.dumps(known).encode())

    def forget_connected(self, key: str) -> None:
        """Delete what `note_connected` has recorded for the profile."""
        delete(self._connections(key))

    def refreshing(self, key: str, seconds: float) -> AbstractContextManager[bool]:
        """Hold the lock of the process that refreshes the session; wait `seconds` for it. Gives whether it is held."""
        return exclusive(self._records / "renewing" / checked_key(key), seconds)

    def _write(self, profile: Profile, saved: SavedSession, known_token: RefreshToken | None) -> None:
        token = saved.session.refresh_token if saved.session else None
        if token and (known_token is None or token.value != known_token.value):
            self._secrets.set("refresh-token", profile.key, saved.username, token.value)
        cached = {
            "session": _tokens(saved.session),
            "credentials": saved.credentials and saved.credentials._asdict(),
        }
        write_private(self._cached(profile.key), json.dumps(cached, default=datetime.isoformat).encode())
        record = {
            "pools": _pools(profile),
            "username": saved.username,
            "identity": saved.identity,
            "login": saved.sign_in_id,
        }
        if record != _parse(self._record(profile.key)):
            write_private(self._record(profile.key), json.dumps(record).encode())

    @contextmanager
    def _writing(self, key: str) -> Iterator[None]:
        with exclusive(self._records / "writing" / checked_key(key)):
            yield

    def _connected(self, key: str) -> list[str]:
        found = _parse(self._connections(key))
        return found if isinstance(found, list) else []

    def _connections(self, key: str) -> Path:
        return self._records / "connected" / f"{checked_key(key)}.json"

    def _record(self, key: str) -> Path:
        return self._records / f"{checked_key(key)}.json"

    def _cached(self, key: str) -> Path:
        return self.folder / f"{checked_key(key)}.json"


class DeviceStore:
    """The device of each profile's user, in the secret store. Methods raise `LocalError` if that cannot be used."""

    def __init__(self, secrets: SecretStore) -> None:
        self._secrets = secrets

    def load(self, profile: Profile, username: str) -> Device | None:
        """This device, as the profile's user pool knows it when this user signs in."""
        stored = self._secrets.get("device", profile.key, username)
        try:
            pool, *device = parsed(stored) or [None]
            return Device(*device) if pool == profile.user_pool_id else None
        except (ValueError, TypeError):
            return None

    def save(self, profile: Profile, username: str, device: Device) -> None:
        """Save it for the next time that this user signs in."""
        stored = json.dumps([profile.user_pool_id, device.key, device.group, device.password])
        self._secrets.set("device", profile.key, username, stored)

    def remove(self, key: str) -> None:
        """Delete it: the user pool no longer knows it."""
        self._secrets.remove("device", key)


def _parse(path: Path) -> Any:
    return parsed(read(path))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("no text")
    return value


def _pools(profile: Profile) -> list[str]:
    return [profile.user_pool_id, profile.client_id, profile.identity_pool_id]


def _tokens(session: Session | None) -> dict[str, Any] | None:
    """The tokens, without the refresh token, which only the secret store has."""
    if session is None:
        return None
    return {name: getattr(session, name) for name in ("username", "id_token", "access_token", "expires")}


def _revive(kind: type[T], cached: Any, name: str) -> T | None:
    """The object that is saved under `name`; None if it is missing or damaged."""
    try:
        stored = cached[name]
        values: dict[str, Any] = {
            field: _text(stored[field]) for field in kind._fields if field != "refresh_token"
        }
        expires = datetime.fromisoformat(values["expires"])
    except (LookupError, TypeError, ValueError):
        return None
    if expires.tzinfo is None:
        return None
    if kind is Session:
        values["refresh_token"] = None
    return kind(**values | {"expires": expires})


def signed_in_usernames(profiles: ProfileStore, sessions: SessionStore, pool: str) -> dict[str, str]:
    """The user names by identity, for people who are signed in here with any profile of the identity pool."""
    found = {}
    for profile in profiles.readable():
        with suppress(LocalError):  # such as a keyring that is locked, which does not matter here
            if profile.identity_pool_id == pool and (saved := sessions.load(profile)):
                found[saved.identity] = saved.username
    return found
