"""Saving messages in the history, and rooms for the Tab key, for the commands that receive and send."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

from aws_iot.app import App
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_iot.history.saving.recorder import Recorder


def new_recorder(
    app: App, profile: Profile, identity: str, username: str, *, no_history: bool, is_safe: bool = False
) -> Recorder | None:
    """What saves messages in the history of this person; None if they want no history.

    `no_history` is the option of the command. The profile may say so, too. `is_safe`: what was saved survives a power
    failure, because the broker has no copy any more.
    """
    if no_history or not profile.history:
        return None
    return app.history.recorder(profile, identity, username, warn, is_safe=is_safe)


def remember_rooms(app: App, profile: Profile, rooms: Iterable[str], *, no_history: bool) -> None:
    """Remember rooms that exist, unless the person wants no history: their names tell who talks about what."""
    if not no_history and profile.history:
        app.config.known_names(profile.key).add_rooms(rooms)


def warn(problem: LocalError) -> None:
    """Tell the person that messages are not saved, or not as they should be."""
    output.info(f"Warning: {problem}", Role.WARNING)
    if problem.hint:
        output.info(problem.hint, Role.HINT)
