"""The editor of profiles, which reports on stderr what a change removes."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

from aws_iot.cli.ui import output

if TYPE_CHECKING:
    from aws_iot.app import App
    from aws_iot.auth.profile_editor import ProfileEditor
    from aws_iot.errors import LocalError


def editor_of(app: App) -> ProfileEditor:
    """Changes profiles, and reports if that removes a session, or leaves a secret behind."""
    from aws_iot.auth.profile_editor import ProfileEditor

    def report_removed() -> None:
        output.info("The saved session was removed. Sign in again.")

    def report_left(error: LocalError) -> None:
        output.info(f"A saved secret was not removed: {error}.")
        if error.hint:
            output.info(error.hint)

    config = app.config
    return ProfileEditor(config.profiles, config.secrets, app.auth.sessions, report_removed, report_left)
