"""Asking for passwords, codes and choices at the terminal, and reporting what happens during sign-in."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

import click

from aws_iot.auth.prompter import not_signed_in
from aws_iot.cli.ui import output, terminal
from aws_iot.cli.ui.terminal import ask_choice, ask_new_password, ask_password
from aws_iot.errors import SignInRefused

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_iot.app import App
    from aws_iot.auth.accounts import Challenge
    from aws_iot.errors import AwsIotError

METHODS = {
    "SMS_MFA": "text message",
    "SMS_OTP": "text message",
    "EMAIL_OTP": "e-mail",
    "EMAIL_MFA": "e-mail",
    "SOFTWARE_TOKEN_MFA": "authenticator app",
}


class TerminalPrompter:
    """`Prompter` at the terminal. Without one, every question is a `SignInRefused` that names the option to use."""

    def __init__(self, app: App, key: str, *, ask_line: Callable[[str], str] = terminal.ask_line) -> None:
        """`key` names the profile, for hints and for authenticator apps."""
        self._app = app
        self._key = key
        self._ask_line = ask_line

    @property
    def is_interactive(self) -> bool:
        return self._app.settings.has_terminal()

    def username(self) -> str:
        error = not_signed_in(self._key)
        error.hint = f"Sign in: aws-iot login -u USER -k {self._key}"
        raise error

    def password(self, username: str) -> str:
        self._need_terminal(f"{username} is not signed in", "--password-stdin or AWS_IOT_PASSWORD", username)
        return ask_password(self._app, username)

    def code(self, challenge: Challenge) -> str:
        sent = f", sent to {output.visible(challenge.destination)}" if challenge.destination else ""
        self._need_terminal("the user pool asks for a code", "--mfa-code", challenge.username)
        return self._ask_line(f"Code ({METHODS[challenge.kind]}{sent})")

    def choice(self, challenge: Challenge) -> str:
        what = "the user pool asks for a choice of the second factor"
        self._need_terminal(what, "--mfa-method", challenge.username)
        output.error("How do you want to confirm that it is you?")
        choices = [METHODS.get(kind, kind) for kind in challenge.choices]
        return challenge.choices[ask_choice(choices, lambda: self._ask_line("Number"))]

    def new_password(self, challenge: Challenge, *, again: bool) -> str:
        what = "the user pool asks for a new password"
        self._need_terminal(what, "AWS_IOT_NEW_PASSWORD", challenge.username)
        if not again:
            output.error("An admin set your password. Choose your own.")
        return ask_new_password(self._app, challenge.username)

    def authenticator_code(self, challenge: Challenge, *, again: bool) -> str:
        what = "the user pool asks for an authenticator app to be set up"
        self._need_terminal(what, None, challenge.username)
        if not again:
            # Here, because few commands need it.
            from aws_iot.cli.ui.authenticator import issuer_of, show_authenticator

            show_authenticator(challenge.username, challenge.secret or "", issuer_of(self._key))
        return self._ask_line("Code that the app shows now")

    def attribute(self, name: str) -> str:
        self._need_terminal(f"the user pool asks for your {name}", f"--attribute {name}=…")
        return self._ask_line(f"Your {output.visible(name)}")

    def _need_terminal(self, what: str, option: str | None, username: str | None = None) -> None:
        """Raise `SignInRefused` if there is no terminal. `option` gives the answer without one."""
        if self.is_interactive:
            return
        import shlex  # here, because it is seldom needed

        user = f" -u {shlex.quote(username)}" if username else ""
        begin = f"Use {option}, or sign" if option else "Sign"
        raise SignInRefused(
            f"{what}, but there is no terminal to ask at",
            hint=f"{begin} in at a terminal: aws-iot login{user} -k {self._key}",
        )

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
