"""The local stack of a profile, as far as the files in its folder show: whether it runs, and has the same accounts."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from aws_iot.config.profile import Profile
from aws_iot.config.profile_store import ProfileStore
from aws_iot.errors import AccountReplaced, LocalError, StackNotRunning, StackRestarted
from aws_iot.files import LOCK_SECONDS, exclusive, is_locked, names, parsed, read, write_private

_NOTE = "stack.json"
_LOCK = ".running"


@contextmanager
def announced(
    folder: Path, profile: Profile, start: str, members: Sequence[str] = (), seconds: float = LOCK_SECONDS
) -> Iterator[None]:
    """Let other programs see during the block that this stack runs, and afterwards that it does not.

    `folder` is the one that `profile` names. `start` is the command that starts such a stack, `members` are the
    profiles that it then creates. Raises `LocalError` if another stack uses the folder.
    """
    with exclusive(folder, seconds, _LOCK) as held:
        if not held:
            raise LocalError(f"{folder}: another local stack uses this folder")
        note = {"user_pool": profile.user_pool_id, "start": start, "members": [*members]}
        write_private(folder / _NOTE, json.dumps(note).encode())
        yield


def check_stack(profile: Profile) -> None:
    """Raise an error if the profile is of a local stack that does not run, or has other accounts by now.

    Raises `StackNotRunning`, or `StackRestarted` for other accounts. A profile of AWS passes.
    """
    if not profile.local_stack:
        return
    folder = Path(profile.local_stack)
    try:
        note = parsed(read(folder / _NOTE))
        user_pool, start = str(note["user_pool"]), str(note["start"])
        members = [*note["members"]]
    except (ValueError, LookupError, TypeError):  # missing or damaged: nothing is known
        return
    if not is_running(profile.local_stack):
        raise StackNotRunning(f"the local stack '{folder.name}' is not running", hint=f"Start it: {start}")
    if user_pool != profile.user_pool_id:
        raise _restarted(folder.name, profile.key, start, members)


def _restarted(stack: str, key: str, start: str, members: Sequence[str]) -> StackRestarted:
    if key in members:  # so this program has read the profile before the restart
        return AccountReplaced(
            f"the local stack '{stack}' was restarted, and the profile '{key}' has a new account there",
            hint="Run this command again.",
        )
    add = f"To create a new account there: aws-iot init -k {key}"
    keep = (
        "" if "--keep" in start.split() else f"\nTo keep accounts from then on, start it with: {start} --keep"
    )
    return StackRestarted(
        f"the local stack '{stack}' was restarted, and no longer has the accounts of the profile '{key}'",
        hint=f"{add}{keep}",
    )


def profiles_of(stack: Profile, profiles: ProfileStore) -> list[str]:
    """The keys of the profiles that this stack serves, except its own."""
    pool = stack.user_pool_id
    return [one.key for one in profiles.readable() if one.key != stack.key and one.user_pool_id == pool]


def running_stacks(parent: Path) -> list[str]:
    """The keys of the local stacks that run now; `parent` has the folder of each."""
    return [name for name in names(parent) if is_running(str(parent / name))]


def is_running(folder: str) -> bool:
    """Whether a local stack uses this folder now."""
    return is_locked(Path(folder), _LOCK)


def require_replaceable(old: Profile | None, folder: str) -> None:
    """Raise `LocalError` if a local stack must not replace this profile.

    `folder` is that of the local stack. It may replace its own profiles, and those of local stacks that have ended.
    """
    if old is None:
        return
    if not old.local_stack:
        raise LocalError(
            f"the profile '{old.key}' exists, and is not of a local stack ({old.endpoint.host})",
            hint=f"Choose another name, or remove it: aws-iot config remove -k {old.key}",
        )
    if old.local_stack != folder and is_running(old.local_stack):
        raise LocalError(
            f"the profile '{old.key}' is in use by another local stack, which is running",
            hint="Choose another name, or stop that one first.",
        )
