"""Saving messages in the history, for the commands that receive and send them."""

from __future__ import annotations  # so that what only types need is not imported

from contextlib import suppress
from typing import TYPE_CHECKING

from aws_iot.app import App
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from pathlib import Path

    from aws_iot.history.recorder import Recorder


def new_recorder(
    app: App, profile: Profile, identity: str, username: str, *, no_history: bool, is_safe: bool = False
) -> Recorder | None:
    """What saves messages in the history of this person; None if they want no history.

    `no_history` is the option of the command. The profile may say so, too. `is_safe`: what was saved survives a power
    failure, because the broker has no copy any more.
    """
    if no_history or not profile.history:
        return None
    # Here, because they need a database.
    from aws_iot.history.owners import note_owner
    from aws_iot.history.recorder import Recorder

    folder = app.settings.folders.history(profile.key)
    with suppress(LocalError):  # the recorder warns if the folder cannot be written
        note_owner(folder, username, identity)
    path = history_path(app, profile, identity)

    def tidy() -> None:
        from aws_iot.history.maintenance import apply_limits  # here: most people set no limit
        from aws_iot.history.store import History

        with History(path) as history:
            apply_limits(history, profile, app.settings.now())

    has_limits = profile.history_days or profile.history_megabytes
    return Recorder(
        path, identity, warn, app.settings.now, is_safe=is_safe, tidy=tidy if has_limits else None
    )


def history_path(app: App, profile: Profile, identity: str) -> Path:
    """The file with the history of this person."""
    from aws_iot.history.file.schema import history_file

    return history_file(app.settings.folders.history(profile.key), identity)


def warn(problem: LocalError) -> None:
    """Tell the person that messages are not saved, or not as they should be."""
    output.info(f"Warning: {problem}", Role.WARNING)
    if problem.hint:
        output.info(problem.hint, Role.HINT)
