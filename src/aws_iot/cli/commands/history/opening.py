"""Whose history a command uses, and opening it."""

from __future__ import annotations  # so that what only types need is not imported

import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from aws_iot.cli import options
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from aws_iot.app import App
    from aws_iot.config.profile import Profile
    from aws_iot.history.store import History


class Owner(NamedTuple):
    """Whose history it is, and its file, which may not exist yet. Without a user, nothing was ever saved."""

    username: str | None
    identity: str | None
    path: Path | None


def owner_of(app: App, profile: Profile, user: str | None) -> Owner:
    """The named user, the signed-in one, the preset one, or else the last one whose messages were saved."""
    from aws_iot.history.saving.owners import history_file, owners

    folder = app.settings.folders.history(profile.key)
    saved = app.auth.sessions.load(profile)
    known = owners(folder)
    if saved:
        known.setdefault(saved.username, saved.identity)
    username = user or (saved.username if saved else profile.username)
    if not user and username not in known:
        username = next(reversed(known), None)
    identity = known.get(username or "")
    # The pools of a profile can change. Its signed-in user then has another identity than before.
    if saved and saved.username == username:
        identity = saved.identity
    return Owner(username, identity, history_file(folder, identity) if identity else None)


def existing_file(app: App, key: str, user: str | None) -> Path:
    """The file of the history. Raises `LocalError` if nothing was saved."""
    from aws_iot.history.file.journal import is_saved

    profile = app.config.profiles.load(key)
    username, _, path = owner_of(app, profile, user)
    if path and is_saved(path):
        return path
    whose = f" of {username}" if username else ""
    named = f" -u {shlex.quote(user)}" if user else ""
    raise LocalError(
        f"the profile '{key}' has no history{whose} yet, in {app.settings.folders.history(key)}",
        hint=f"To save messages again: aws-iot config --history on -k {key}"
        if not profile.history
        else f"`sub` saves the messages that it receives: aws-iot sub -k {key}{named}",
    )


@contextmanager
def opened(app: App, key: str, user: str | None) -> Iterator[History]:
    """The history, to read and change it. Raises `LocalError`, whose hint names the command that repairs it."""
    from aws_iot.history.store import History

    path = existing_file(app, key, user)
    profile = app.config.profiles.load(key)
    with naming_repair(key, user), History(path) as history:
        if profile.history_days or profile.history_megabytes:
            from aws_iot.history.upkeep.maintenance import apply_limits

            apply_limits(history, profile, app.settings.now())
        yield history


@contextmanager
def naming_repair(key: str, user: str | None) -> Iterator[None]:
    """Let the error for a damaged file name the command that repairs this one."""
    from aws_iot.history.file.schema import HistoryDamaged

    try:
        yield
    except HistoryDamaged as error:
        error.hint = f"To repair it: aws-iot history check --repair{typed_owner(key, user)}"
        raise


def typed_owner(key: str, user: str | None) -> str:
    """The options that chose the history, for another command."""
    return _typed_key(key) + (f" -u {shlex.quote(user)}" if user and options.is_typed("user") else "")


def _typed_key(key: str) -> str:
    return f" -k {key}" if options.is_typed("key") else ""
