"""What a deployment leaves on this machine: the exports file for members, and a profile."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from aws_iot.config.exports import from_exports, parse_json, to_exports
from aws_iot.config.profile import Profile, checked_key
from aws_iot.config.profile_store import ProfileStore
from aws_iot.errors import LocalError, ProfileError
from aws_iot.files import read

EXPORTS = Path("aws-exports.json")


def exports_text(profile: Profile) -> str:
    """The exports file that members need, as JSON."""
    return json.dumps(to_exports(profile), indent=2)


def check_replaceable(
    exports: Path | None, key: str | None, profiles: ProfileStore, new: Profile | None
) -> None:
    """Raise `LocalError` if an exports file, or the profile `key`, already exists with other pools than `new`.

    `new` is None for a stack that does not exist yet.
    """
    text = read(exports) if exports else None
    if exports and text is not None and not _has_pools(new, lambda: _read(text, exports)):
        raise LocalError(
            f"{exports} already exists, and holds something else",
            hint="Choose another file with -o, or use --replace.",
        )
    if key and checked_key(key) in profiles.keys() and not _has_pools(new, lambda: profiles.load(key)):
        raise ProfileError(
            f"the profile '{key}' already exists, with other pools",
            hint="Choose another profile with -k, or use --replace.",
        )


def is_same_team(profiles: ProfileStore, key: str, profile: Profile) -> bool:
    """Whether the stored profile `key` has the same pools as `profile`."""
    return _has_pools(profile, lambda: profiles.load(key))


def leftovers(user_pool: str, profiles: ProfileStore) -> Iterator[Path | str]:
    """What still names a user pool that was deleted: the exports file in this folder, and the keys of profiles."""
    text = read(EXPORTS)
    with suppress(LocalError):
        if text and _read(text, EXPORTS).user_pool_id == user_pool:
            yield EXPORTS
    yield from (profile.key for profile in profiles.readable() if profile.user_pool_id == user_pool)


def _read(text: bytes, path: Path) -> Profile:
    return from_exports(parse_json(text, path), str(path))


def _has_pools(profile: Profile | None, load: Callable[[], Profile]) -> bool:
    try:
        return profile is not None and _pools(load()) == _pools(profile)
    except LocalError:
        return False


def _pools(profile: Profile) -> tuple[str, str, str]:
    return profile.user_pool_id, profile.client_id, profile.identity_pool_id
