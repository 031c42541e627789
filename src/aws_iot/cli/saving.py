"""Saving messages in the history, for the commands that receive and send them."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

from aws_iot.app import App
from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError

if TYPE_CHECKING:
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


def warn(problem: LocalError) -> None:
    """Tell the person that messages are not saved, or not as they should be."""
    output.info(f"Warning: {problem}", Role.WARNING)
    if problem.hint:
        output.info(problem.hint, Role.HINT)
