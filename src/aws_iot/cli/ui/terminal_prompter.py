"""Asking for passwords, codes and choices at the terminal, and reporting what happens during sign-in."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

import click

from aws_iot.cli.ui import output, terminal
from aws_iot.cli.ui.terminal import ask_choice, ask_new_password, ask_password, need_terminal

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_iot.app import App
    from aws_iot.auth.accounts import Challenge
    from aws_iot.errors import AwsIotError, SignInRefused

METHODS = {
    "SMS_MFA": "text message",
    "SMS_OTP": "text message",
    "EMAIL_OTP": "e-mail",
    "EMAIL_MFA": "e-mail",
    "SOFTWARE_TOKEN_MFA": "authenticator app",
}


class TerminalPrompter:
    """`Prompter` at the terminal. Without one, every question is a usage error that names the option to use."""

    def __init__(self, app: App, key: str, *, ask_line: Callable[[str], str] = terminal.ask_line) -> None:
        """`key` names the profile, for hints and for authenticator apps."""
        self._app = app
        self._key = key
        self._ask_line = ask_line

    @property
    def is_interactive(self) -> bool:
        return self._app.settings.has_terminal()

    def username(self) -> str:
        raise unknown_user(self._key)

    def password(self, username: str) -> str:
        return ask_password(self._app, username)

    def code(self, challenge: Challenge) -> str:
        sent = f", sent to {output.visible(challenge.destination)}" if challenge.destination else ""
        need_terminal(self._app, "A code is needed", "use --mfa-code")
        return self._ask_line(f"Code ({METHODS[challenge.kind]}{sent})")

    def choice(self, challenge: Challenge) -> str:
        need_terminal(self._app, "A choice of the second factor is needed", "use --mfa-method")
        output.error("How do you want to confirm that it is you?")
        choices = [METHODS.get(kind, kind) for kind in challenge.choices]
        return challenge.choices[ask_choice(choices, lambda: self._ask_line("Number"))]

    def new_password(self, challenge: Challenge, *, again: bool) -> str:
        need_terminal(self._app, "A new password is needed", "set AWS_IOT_NEW_PASSWORD")
        if not again:
            output.error("An admin set your password. Choose your own.")
        return ask_new_password(self._app, challenge.username)

    def authenticator_code(self, challenge: Challenge, *, again: bool) -> str:
        need_terminal(self._app, "An authenticator app must be set up", "sign in once at a terminal")
        if not again:
            # Here, because few commands need it.
            from aws_iot.cli.ui.authenticator import issuer_of, show_authenticator

            show_authenticator(challenge.username, challenge.secret or "", issuer_of(self._key))
        return self._ask_line("Code that the app shows now")

    def attribute(self, name: str) -> str:
        shown = output.visible(name)
        need_terminal(self._app, f"The user pool requires your {shown}", f"use --attribute {name}=…")
        return self._ask_line(f"Your {shown}")

    def show_rejection(self, error: AwsIotError) -> None:
        terminal.show_rejection(error)


class TerminalReporter:
    """`SignInReporter` on stderr."""

    def session_expired(self, error: SignInRefused) -> None:
        output.info(f"Signing in again: {error}.")

    def keyring_unusable(self, error: AwsIotError) -> None:
        output.info(f"{error}.")

    def preset_password_removed(self, key: str) -> None:
        output.info(
            f"The preset password was removed. To preset the new one: aws-iot config -p PASS -k {key}"
        )

    def old_password_stays(self, key: str, error: AwsIotError) -> None:
        output.info(
            f"The old preset password was not removed: {error}."
            f" To preset the new one: aws-iot config -p PASS -k {key}"
        )

    def session_not_saved(self, error: AwsIotError) -> None:
        output.info(f"The session was not saved: {error}. The next command signs in again.")


def unknown_user(key: str) -> click.UsageError:
    """The error if nothing tells who signs in."""
    return click.UsageError(
        f"Which user? Give -u USER, set AWS_IOT_USER, or preset one: aws-iot config -u USER -k {key}"
    )
