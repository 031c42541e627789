"""What a user pool asks besides the password, put to the person: codes, a choice, a new password."""

from collections.abc import Callable, Mapping
from typing import Self

import click

from aws_iot.app import App
from aws_iot.auth.session import Answer, Challenge
from aws_iot.cli.options import ANSWERS, ATTRIBUTES
from aws_iot.cli.ui import output, terminal
from aws_iot.cli.ui.authenticator import issuer_of, show_authenticator
from aws_iot.cli.ui.terminal import ask_new_password, need_terminal
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, ChallengeNotSupported, SignInRefused

METHODS = {
    "SMS_MFA": "text message",
    "SMS_OTP": "text message",
    "EMAIL_OTP": "e-mail",
    "EMAIL_MFA": "e-mail",
    "SOFTWARE_TOKEN_MFA": "authenticator app",
}


class Asker:
    """Answers challenges by options and variables, each once, and asks the person for the rest."""

    def __init__(
        self,
        app: App,
        given: Mapping[str, str],
        *,
        may_ask: bool,
        attributes: Mapping[str, str] | None = None,
        issuer: str = "aws-iot",
        ask_line: Callable[[str], str] = terminal.ask_line,
    ) -> None:
        """`given` holds answers by what challenges want: `code`, `choice`, `password`.

        `issuer` is what an authenticator app shows the account as.
        """
        self._app = app
        self._given = dict(given)
        self._attributes = dict(attributes or {})
        self._issuer = issuer
        self._may_ask = may_ask
        self._ask_line = ask_line
        self.new_password: str | None = None
        """What an admin's password was replaced by, if it was."""

    @classmethod
    def of_command(cls, app: App, profile: Profile, *, may_ask: bool) -> Self:
        """With what the options of the command that runs have given."""
        meta = click.get_current_context().meta
        return cls(
            app,
            meta.get(ANSWERS, {}),
            may_ask=may_ask,
            attributes=meta.get(ATTRIBUTES),
            issuer=issuer_of(profile.key),
        )

    def __call__(self, challenge: Challenge, refused: AwsIotError | None) -> Answer:
        given = self._given.pop(challenge.wants, None)  # once: a wrong code stays wrong
        if refused and not given:
            if not self._may_ask or not self._app.has_terminal():
                raise refused
            click.echo(f"{output.visible(str(refused))}.", err=True)
        match challenge.wants:
            case "code":
                return Answer(given or self._code(challenge))
            case "choice":
                return Answer(given or self._choice(challenge))
            case "password":
                self.new_password = given or self._new_password(challenge, refused)
                attributes = tuple((name, self._attribute(name)) for name in challenge.attributes)
                return Answer(self.new_password, attributes)
            case "authenticator":
                return Answer(self._first_code(challenge, refused))
        raise ChallengeNotSupported(f"the user pool asks for {challenge.kind}, which cannot be answered here")

    def _code(self, challenge: Challenge) -> str:
        sent = f", sent to {output.visible(challenge.destination)}" if challenge.destination else ""
        self._need_person("A code is needed", "use --mfa-code")
        return self._ask_line(f"Code ({METHODS[challenge.kind]}{sent})")

    def _choice(self, challenge: Challenge) -> str:
        self._need_person("The user pool asks how you prove who you are", "use --mfa-method")
        click.echo("How do you prove who you are?", err=True)
        for number, kind in enumerate(challenge.choices, 1):
            click.echo(f"  {number}  {METHODS.get(kind, output.visible(kind))}", err=True)
        while True:
            answer = self._ask_line("Number")
            if answer.isdecimal() and 1 <= int(answer) <= len(challenge.choices):
                return challenge.choices[int(answer) - 1]

    def _new_password(self, challenge: Challenge, refused: AwsIotError | None) -> str:
        self._need_person("A new password is needed", "set AWS_IOT_NEW_PASSWORD")
        if not refused:
            click.echo("Your password was set by somebody else: choose one of your own.", err=True)
        return ask_new_password(self._app, challenge.username)

    def _first_code(self, challenge: Challenge, refused: AwsIotError | None) -> str:
        self._need_person("The user pool wants an authenticator app to be set up", "sign in at one, once")
        if not refused:
            show_authenticator(challenge.username, challenge.secret or "", self._issuer)
        return self._ask_line("Code that the app shows now")

    def _attribute(self, name: str) -> str:
        if name in self._attributes:
            return self._attributes[name]
        self._need_person(
            f"The user pool wants to know your {output.visible(name)}", f"use --attribute {name}=…"
        )
        return self._ask_line(f"Your {output.visible(name)}")

    def _need_person(self, what: str, instead: str) -> None:
        if not self._may_ask:
            raise SignInRefused(f"{what} to sign in", hint="Sign in first: aws-iot login")
        need_terminal(self._app, what, instead)
