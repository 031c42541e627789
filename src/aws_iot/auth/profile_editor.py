"""ProfileEditor: changes profiles so that no password or session of another user, or of other pools, stays behind."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial

from aws_iot.auth.session_store import SessionStore
from aws_iot.config.profile import Profile, checked_key
from aws_iot.config.profile_store import ProfileStore
from aws_iot.config.secrets import KINDS, SecretStore
from aws_iot.errors import LocalError, ProfileError, ProfileNotFound


@dataclass(frozen=True, slots=True)
class ProfileChange:
    """Changes to a profile. What is None stays; `forget` removes the preset password and the client secret first."""

    pools: Profile | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    client_secret: str | None = field(default=None, repr=False)
    forget: bool = False

    def apply(self, key: str, old: Profile | None) -> Profile:
        """The changed profile. Raises `ProfileNotFound` if there is neither an old one nor pools for a new one."""
        new = self.pools or old
        if new is None:
            raise ProfileNotFound(
                f"there is no profile '{key}' yet",
                hint=f"Create it first: aws-iot config -s aws-exports.json -k {key}",
            )
        before = old or new
        keeps_secret = (
            before.client_has_secret and _app_client(before) == _app_client(new) and not self.forget
        )
        return replace(
            new,
            username=self.username or before.username,
            client_has_secret=bool(self.client_secret) or keeps_secret,
        )


class ProfileEditor:
    """Changes and removes profiles, with the secrets and sessions that belong to them.

    Methods raise `LocalError` if files or the keyring cannot be used.
    """

    def __init__(
        self,
        profiles: ProfileStore,
        secrets: SecretStore,
        sessions: SessionStore,
        on_session_removed: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_session_removed` is called if a change removes a saved session."""
        self._profiles = profiles
        self._secrets = secrets
        self._sessions = sessions
        self._on_session_removed = on_session_removed

    def change(self, key: str, change: ProfileChange) -> None:
        """Change the profile, or create it from the change's pools."""
        old = self.existing(key)
        new = change.apply(key, old)
        if old:
            self._remove_foreign_data(key, old, new, everything=change.forget)
        # Before the profile names them: each serves only the user or the app client it was stored for.
        if change.password:
            self._secrets.set("password", key, new.username or "", change.password)
        if change.client_secret:
            self._secrets.set("client-secret", key, new.client_id, change.client_secret)
        self._profiles.change(key, lambda latest: change.apply(key, latest))

    def replace(self, key: str, profile: Profile, *, keep_username: bool = False) -> None:
        """Save a profile in place of the one that is there, which may be damaged."""
        old = None
        with suppress(ProfileError):
            old = self.existing(key)
        if old:
            profile = replace(profile, username=old.username) if keep_username else profile
            self._remove_foreign_data(key, old, profile, everything=False)
        self._profiles.change(key, lambda _: profile)

    def remove(self, key: str) -> list[LocalError]:
        """Remove a profile with its secrets and its session; see `remove_saved_data`. Raises `ProfileNotFound`."""
        errors = remove_saved_data(
            self._sessions, self._secrets, key
        )  # first: a new profile must not get them
        self._profiles.remove(key)
        return errors

    def existing(self, key: str) -> Profile | None:
        """The profile; None if there is none. Raises `ProfileError` if it is damaged."""
        return self._profiles.load(key) if checked_key(key) in self._profiles.keys() else None

    def _remove_foreign_data(self, key: str, old: Profile, new: Profile, *, everything: bool) -> None:
        same_client, same_user = _app_client(old) == _app_client(new), old.username == new.username
        if everything or not (same_client and self._secrets.owner("password", key) == new.username):
            self._secrets.remove("password", key)
        if everything or not same_client:
            self._secrets.remove("client-secret", key)
        saved = self._sessions.load(replace(old, key=key))
        is_other_user = saved is not None and not same_user and saved.username != new.username
        if (is_other_user or not same_client) and self._sessions.remove(key):
            self._on_session_removed()


def remove_saved_data(
    sessions: SessionStore, secrets: SecretStore, key: str, username: str | None = None
) -> list[LocalError]:
    """Remove the profile's session and its secrets; with a `username` only the secrets of that user.

    The result has the errors of what could not be removed, such as a password in a keyring that is locked.
    """
    steps: list[Callable[[], object]] = [partial(sessions.remove, key)]
    for kind in KINDS:
        if username in (None, secrets.owner(kind, key)):
            steps.append(partial(secrets.remove, kind, key))
    errors = []
    for step in steps:
        try:
            step()
        except LocalError as error:
            errors.append(error)
    return errors


def _app_client(profile: Profile) -> tuple[str, str]:
    return profile.user_pool_id, profile.client_id
