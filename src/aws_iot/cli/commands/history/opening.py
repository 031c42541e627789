"""Whose history a command uses, and opening it."""

from __future__ import annotations  # so that what only types need is not imported

import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

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
    from aws_iot.history.saving.owners import owners

    saved = app.auth.sessions.load(profile)
    username = user or (saved.username if saved else profile.username)
    identity = app.history.identity_of(profile, username) if username else None
    if not (user or identity):
        username, identity = next(
            reversed(owners(app.settings.folders.history(profile.key)).items()), (None, None)
        )
    return Owner(username, identity, app.history.file(profile, identity) if identity else None)


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
    with naming_repair(), History(path) as history:
        if profile.history_days or profile.history_megabytes:
            from aws_iot.history.upkeep.maintenance import apply_limits

            apply_limits(history, profile, app.settings.now())
        yield history


@contextmanager
def naming_repair() -> Iterator[None]:
    """Let the error for a damaged file name the command that repairs this one."""
    from aws_iot.history.file.schema import HistoryDamaged

    try:
        yield
    except HistoryDamaged as error:
        error.hint = f"To repair it: aws-iot history check --repair{typed_owner()}"
        raise


def typed_owner() -> str:
    """The options that chose the history, for another command."""
    from aws_iot.cli.rooms import typed_options  # here: most runs need none

    return typed_options("key", "user")
