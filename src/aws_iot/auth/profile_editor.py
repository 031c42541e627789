"""ProfileEditor: changes profiles so that no password or session of another user, or of other pools, stays behind."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aws_iot.auth.session_store import SessionStore
from aws_iot.config.profile import Profile, checked_key
from aws_iot.config.profile_store import ProfileStore
from aws_iot.config.secrets import KINDS, SecretStore
from aws_iot.errors import LocalError, ProfileNotFound


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """Changes to a profile. What is None stays; `forget` removes the preset password and the client secret first.

    A limit of the history that is 0 is removed.

    Another user, or another app client, is not `unconfirmed`, unless the change sets it.
    """

    pools: Profile | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    forget: bool = False
    unconfirmed: bool | None = None
    history: bool | None = None
    history_days: int | None = None
    history_megabytes: int | None = None

    def apply(self, key: str, old: Profile | None) -> Profile:
        """The changed profile. Raises `ProfileNotFound` if there is neither an old one nor pools for a new one."""
        new = self.pools or old
        if new is None:
            raise ProfileNotFound(
                f"there is no profile '{key}' yet",
                hint=f"Create it first: aws-iot config -s aws-exports.json -k {key}",
            )
        before = old or new
        same_client = _app_client(before) == _app_client(new)
        keeps_secret = before.client_has_secret and same_client and not self.forget
        username = self.username or before.username
        unconfirmed = before.is_unconfirmed and same_client and username == before.username
        return self._with_history(new.with_settings_of(before))._replace(
            username=username,
            is_unconfirmed=unconfirmed if self.unconfirmed is None else self.unconfirmed,
            client_has_secret=bool(self.client_secret) or keeps_secret,
        )

    def _with_history(self, profile: Profile) -> Profile:
        changed: dict[str, Any] = {} if self.history is None else {"history": self.history}
        for name in ("history_days", "history_megabytes"):
            if (limit := getattr(self, name)) is not None:
                changed[name] = limit or None
        return profile._replace(**changed)


class ProfileEditor:
    """Changes and removes profiles, with the secrets and sessions that belong to them.

    Methods raise `LocalError` if files cannot be used, and `change` also if the keyring cannot.
    """

    def __init__(
        self,
        profiles: ProfileStore,
        secrets: SecretStore,
        sessions: SessionStore,
        on_session_removed: Callable[[], None] = lambda: None,
        on_secret_left: Callable[[LocalError], None] = lambda _: None,
    ) -> None:
        """`on_session_removed` is called if a change removes a saved session.

        `on_secret_left` gets the error if `replace` or `remove` cannot remove saved data, such as a password in a
        keyring that is locked.
        """
        self._profiles = profiles
        self._secrets = secrets
        self._sessions = sessions
        self._on_session_removed = on_session_removed
        self._on_secret_left = on_secret_left

    def change(self, key: str, change: ProfileChange) -> None:
        """Change the profile, or create it from the change's pools."""
        old = self.existing(key)
        new = change.apply(key, old)
        if old:
            for remove in self._foreign_data(key, old, new, everything=change.forget):
                remove()
        # Before the profile names them: each serves only the user or the app client it was stored for.
        if change.password:
            self._secrets.set("password", key, new.username or "", change.password)
        if change.client_secret:
            self._secrets.set("client-secret", key, new.client_id, change.client_secret)
        self._profiles.change(key, lambda latest: change.apply(key, latest))

    def replace(self, key: str, profile: Profile, *, keep_username: bool = False) -> None:
        """Save a profile in place of the one that is there, which may be damaged.

        The new profile is saved even if old secrets cannot be removed. Of an old profile that cannot be read, all
        saved data is removed, and its user name is lost.
        """
        checked_key(key)
        old = None
        with suppress(LocalError):
            old = self.existing(key)
        if old:
            profile = profile._replace(username=old.username) if keep_username else profile
            profile = profile.with_settings_of(old)
            removals = self._foreign_data(key, old, profile, everything=False)
        else:
            removals = [
                partial(self._remove_session, key),
                partial(self._remove_password, key),
                partial(self._secrets.remove, "client-secret", key),
                partial(self._secrets.remove, "device", key),
            ]
        for error in _failures(removals):
            self._on_secret_left(error)
        self._profiles.replace(key, profile)

    def remove(self, key: str) -> None:
        """Remove a profile with its secrets and its session. Raises `ProfileNotFound`."""
        for error in remove_saved_data(self._sessions, self._secrets, key):
            self._on_secret_left(error)
        self._profiles.remove(key)  # last: a new profile must not get the secrets

    def existing(self, key: str) -> Profile | None:
        """The profile; None if there is none. Raises `ProfileError` if it is damaged."""
        return self._profiles.find(key)

    def _foreign_data(
        self, key: str, old: Profile, new: Profile, *, everything: bool
    ) -> list[Callable[[], object]]:
        """What removes the saved data of the old profile that the new one must not get."""
        removals: list[Callable[[], object]] = []
        same_client, same_user = _app_client(old) == _app_client(new), old.username == new.username
        if everything or not (same_client and self._secrets.owner("password", key) == new.username):
            removals.append(partial(self._remove_password, key))
        if everything or not same_client:
            removals.append(partial(self._secrets.remove, "client-secret", key))
        saved = self._sessions.load(old._replace(key=key))
        is_other_user = saved is not None and not same_user and saved.username != new.username
        if is_other_user or not same_client:
            removals.append(partial(self._remove_session, key))
        return removals

    def _remove_password(self, key: str) -> None:
        try:
            self._secrets.remove("password", key)
        except LocalError:
            self._secrets.disown("password", key)  # it must not serve a user of the same name in other pools
            raise

    def _remove_session(self, key: str) -> None:
        if self._sessions.remove(key):
            self._on_session_removed()


def remove_saved_data(
    sessions: SessionStore, secrets: SecretStore, key: str, username: str | None = None
) -> list[LocalError]:
    """Remove the profile's session and its secrets; with a `username` only the secrets of that user.

    The result has the errors of what could not be removed, such as a password in a keyring that is locked.
    """
    removals: list[Callable[[], object]] = [partial(sessions.remove, key)]
    if username is None:
        removals.append(partial(sessions.forget_connected, key))
    for kind in KINDS:
        if username in (None, secrets.owner(kind, key)):
            removals.append(partial(secrets.remove, kind, key))
    return [*_failures(removals)]


def _failures(removals: Iterable[Callable[[], object]]) -> Iterator[LocalError]:
    """The errors of the removals that fail; all are tried."""
    for remove in removals:
        try:
            remove()
        except LocalError as error:
            yield error


def _app_client(profile: Profile) -> tuple[str, str]:
    return profile.user_pool_id, profile.client_id
