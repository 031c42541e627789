"""What the commands that sign in share: from options to a request, and hints for errors."""

from __future__ import annotations  # so that what only types need is not imported

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

import click

from aws_iot.auth.credentials import REFRESH_BEFORE
from aws_iot.auth.login import SignInRequest
from aws_iot.auth.prompter import NoPrompter
from aws_iot.cli.options import ANSWERS, ATTRIBUTES, is_typed
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import standard_input
from aws_iot.cli.ui.terminal_prompter import TerminalPrompter, TerminalReporter, unknown_user
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    NotAccepted,
    NotAuthorized,
    StackNotRunning,
    TopicRefused,
    Unreachable,
)
from aws_iot.files import is_open_to_others
from aws_iot.streams import MARK

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import timedelta

    from aws_iot.app import App
    from aws_iot.auth.login import Login
    from aws_iot.auth.prompter import Prompter
    from aws_iot.auth.session_store import SavedSession
    from aws_iot.auth.token_refresher import ActiveSession
    from aws_iot.config.profile import Profile


@contextmanager
def suggest_doctor(
    key: str,
    room: str | None = None,
    errors: tuple[type[AwsIotError], ...] = (CredentialsRefused, NotAuthorized, Unreachable),
) -> Iterator[None]:
    """Add a hint to run `doctor` to `errors`, which are those that it can explain. An error gets the hint once.

    `room` is the room that a `TopicRefused` is about, or `ROOM` if it is one of several.
    """
    try:
        yield
    except errors as error:
        import shlex  # here, so that a command that succeeds need not wait for it

        of_room = f" -r {shlex.quote(room)}" if room and isinstance(error, TopicRefused) else ""
        line = f"To find out why: aws-iot doctor{of_room} -k {key}"
        # The error of these tells all that `doctor` could find.
        if not isinstance(error, NotAccepted | StackNotRunning) and line not in (error.hint or ""):
            error.hint = f"{error.hint}\n{line}" if error.hint else line
        raise


def sign_in(
    app: App,
    profile: Profile,
    user: str | None,
    password: str | None,
    from_stdin: bool,
    *,
    ask: bool = True,
    left: timedelta = REFRESH_BEFORE,
) -> ActiveSession:
    """Sign in as the options of the command tell; see `Login.sign_in`. Without `ask`, it does not prompt."""
    return login_of(app, profile).sign_in(
        request_of(user, password, from_stdin), prompter_of(app, profile, ask=ask), left
    )


def login_of(app: App, profile: Profile) -> Login:
    """Signs in with the profile, and reports on stderr."""
    return app.auth.login(profile, TerminalReporter())


def prompter_of(app: App, profile: Profile, *, ask: bool) -> Prompter:
    """Asks at the terminal, or (without `ask`) raises errors instead."""
    return TerminalPrompter(app, profile.key) if ask else NoPrompter(profile.key)


def request_of(user: str | None, password: str | None, from_stdin: bool) -> SignInRequest:
    """The sign-in that the options of the running command ask for. It may read the password from stdin."""
    meta = click.get_current_context().meta
    return SignInRequest(
        user,
        chosen_password(password, from_stdin),
        is_explicit=is_password_explicit(password, from_stdin),
        answers=meta.get(ANSWERS, {}),
        attributes=meta.get(ATTRIBUTES, {}),
    )


def is_password_explicit(password: str | None, from_stdin: bool) -> bool:
    """Whether the command line gives the password."""
    return from_stdin or (password is not None and is_typed("password"))


def chosen_password(password: str | None, from_stdin: bool) -> str | None:
    """The password from an option, a variable or stdin; None if there is none."""
    if from_stdin:
        if is_typed("password"):
            raise click.UsageError("-p and --password-stdin exclude each other.")
        password = _password_of_stdin()
    if password and any(
        "\ud800" <= c <= "\udfff" for c in password
    ):  # how Python decodes bytes that are not UTF-8
        raise click.UsageError("The password is not valid UTF-8.")
    return password.removeprefix(MARK) if password else None


def _password_of_stdin() -> str:
    stream = standard_input("Set AWS_IOT_PASSWORD instead, or redirect a file to it.")
    with suppress(OSError, ValueError):  # in memory, as in tests, a stream has no descriptor
        status = os.fstat(stream.fileno())
        if stat.S_ISREG(status.st_mode) and is_open_to_others(status):
            output.info(
                "Warning: other users can read the file with your password. To prevent that: chmod 600 FILE"
            )
    from aws_iot.auth.passwords import read_password  # here: few commands read one

    try:
        password = read_password(stream)
    except UnicodeDecodeError as error:
        raise click.UsageError(
            f"The password on standard input is not valid UTF-8 ({error.reason})."
        ) from error
    if not password:
        raise click.UsageError("--password-stdin: standard input holds no password.")
    return password


def username_of(profile: Profile, user: str | None, saved: SavedSession | None = None) -> str:
    """The named user, the signed-in user, or the profile's. Raises a usage error if there is none."""
    username = user or (saved.username if saved else None) or profile.username
    if not username:
        raise unknown_user(profile.key)
    return username
