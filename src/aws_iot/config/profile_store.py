"""ProfileStore: the saved profiles of a person, one JSON file each."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from aws_iot.config.exports import from_exports, parse_json, to_exports
from aws_iot.config.profile import Profile, checked_key, is_key
from aws_iot.errors import LocalError, ProfileError, ProfileNotFound
from aws_iot.files import delete, exclusive, names, read, write_private

DEFAULT_KEY = "default"
"""The key of the profile that commands use if nothing names another."""


class ProfileStore:
    """The profiles in one folder. Every method raises `LocalError` if the system refuses to read or write there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keys(self) -> list[str]:
        """The keys of the profiles, in alphabetical order."""
        stems = [name.removesuffix(".json") for name in names(self.folder) if name.endswith(".json")]
        return sorted(stem for stem in stems if is_key(stem))

    def load(self, key: str) -> Profile:
        """Raises `ProfileNotFound`, or `ProfileError` if the file is damaged."""
        profile = self._load(key)
        if profile is None:
            raise self._not_found(key)
        return profile

    def find(self, key: str) -> Profile | None:
        """The profile; None if there is none. Raises `ProfileError` if it is damaged."""
        return self.load(key) if checked_key(key) in self.keys() else None

    def readable(self) -> Iterator[Profile]:
        """All profiles, except those that cannot be read. `aws-iot config list` shows these."""
        for key in self.keys():
            with suppress(LocalError):
                yield self.load(key)

    def path(self, key: str) -> Path:
        """The file of the profile. Raises `ProfileNotFound`."""
        path = self._path(key)
        if not path.exists():
            raise self._not_found(key)
        return path

    def default_key(self) -> str:
        """The key that `choose_default` has set last, or `DEFAULT_KEY`."""
        chosen = (read(self._default_path) or b"").decode(errors="replace").strip()
        return chosen if is_key(chosen) else DEFAULT_KEY

    def current_key(self) -> str:
        """The key of the profile that commands use without `-k`: `AWS_IOT_PROFILE`, or else `default_key`."""
        return os.environ.get("AWS_IOT_PROFILE") or self.default_key()

    def choose_default(self, key: str) -> None:
        """Set the profile that commands use if nothing names another. Raises `ProfileNotFound`."""
        self.path(key)
        write_private(self._default_path, f"{key}\n".encode())

    def change(self, key: str, change: Callable[[Profile | None], Profile]) -> Profile:
        """Save the result of `change`, which gets the profile under `key`, or None if there is none.

        If two processes change it at once, the second gets what the first saved.
        """
        with self._locked(key) as path:
            profile = change(self._load(key))
            _write(path, profile)
        return profile

    def replace(self, key: str, profile: Profile) -> None:
        """Save the profile under `key`. What is there is not read: it may be damaged."""
        with self._locked(key) as path:
            _write(path, profile)

    def remove(self, key: str) -> None:
        """Remove the profile; if it is the default, `DEFAULT_KEY` is again. Raises `ProfileNotFound`."""
        if not delete(self._path(key)):
            error = self._not_found(key)
            error.hint = self._did_you_mean(key) or f"Your profiles are: {', '.join(self.keys()) or 'none'}"
            raise error
        if self.default_key() == key:
            delete(self._default_path)

    def _load(self, key: str) -> Profile | None:
        path = self._path(key)
        data = read(path)
        if data is None:
            return None
        try:
            stored = parse_json(data, path)
            if not isinstance(stored, dict):
                raise ProfileError(f"{path}: expected a JSON object")
            if "aws-exports" not in stored:
                raise ProfileError(f"{path}: aws-exports is missing")
            profile = from_exports(stored["aws-exports"], str(path))
        except ProfileError as error:
            remove, create = f"aws-iot config remove -k {key}", f"aws-iot config -s FILE -k {key}"
            lines = (error.hint, f"Remove it: {remove}", f"Then create it again: {create}")
            error.hint = "\n".join(filter(None, lines))
            raise
        username = stored.get("username")
        return profile._replace(
            key=key,
            username=username if isinstance(username, str) else None,
            is_unconfirmed=stored.get("unconfirmed") is True,
            client_has_secret=stored.get("client_has_secret") is True,
            history=stored.get("history") is not False,
            history_days=_limit(stored.get("history_days")),
            history_megabytes=_limit(stored.get("history_megabytes")),
        )

    @contextmanager
    def _locked(self, key: str) -> Iterator[Path]:
        path = self._path(key)
        with exclusive(self.folder) as held:
            if not held:
                raise LocalError(f"{self.folder}: another program keeps the profiles locked")
            yield path

    def _not_found(self, key: str) -> ProfileNotFound:
        create = f"To create it: aws-iot init{'' if key == self.current_key() else f' -k {key}'}"
        known = ", ".join(self.keys())
        others = f"Choose another with -k: {known}" if known else ""
        return ProfileNotFound(
            f"there is no profile '{key}' in {self.folder}",
            hint="\n".join(filter(None, [self._did_you_mean(key) or others, create])),
        )

    def _did_you_mean(self, key: str) -> str:
        """A suggestion of the profile whose key is almost `key`; empty if there is none."""
        import difflib  # here: few commands need it

        keys = {one.lower(): one for one in self.keys()}
        near = difflib.get_close_matches(key.lower(), keys, n=1, cutoff=0.75)
        return f"Did you mean '{keys[near[0]]}'?" if near else ""

    @property
    def _default_path(self) -> Path:
        return self.folder / "default-profile"

    def _path(self, key: str) -> Path:
        return self.folder / f"{checked_key(key)}.json"


def _write(path: Path, profile: Profile) -> None:
    stored: dict[str, object] = {"username": profile.username, "aws-exports": to_exports(profile)}
    if profile.is_unconfirmed:
        stored["unconfirmed"] = True
    if profile.client_has_secret:
        stored["client_has_secret"] = True
    if not profile.history:
        stored["history"] = False
    if profile.history_days:
        stored["history_days"] = profile.history_days
    if profile.history_megabytes:
        stored["history_megabytes"] = profile.history_megabytes
    write_private(path, json.dumps(stored, indent=2).encode() + b"\n")


def _limit(stored: object) -> int | None:
    return stored if type(stored) is int and stored > 0 else None
