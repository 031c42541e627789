"""SessionCache: who is signed in with each profile, saved between commands."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aws_iot.auth.credentials import Credentials
from aws_iot.auth.session import Device, Session
from aws_iot.config.profile import Profile, checked_key
from aws_iot.config.secrets import SecretStore
from aws_iot.files import delete, exclusive, read, write_private

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
    counts as not there. Methods raise `LocalError` for files, or a keyring, that the system does not let them
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

        Raises `LocalError` if the refresh token is in a keyring that does not let us; the rest is forgotten.
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
