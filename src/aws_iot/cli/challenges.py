"""What a user pool asks besides the password, put to the person: codes, a choice, a new password."""

from collections.abc import Callable, Mapping
from typing import Self

import click

from aws_iot.app import App
from aws_iot.cli import terminal
from aws_iot.cli.authenticator import show_authenticator
from aws_iot.cli.options import ANSWERS
from aws_iot.cli.output import visible
from aws_iot.cli.terminal import ask_new_password, need_terminal
from aws_iot.errors import ChallengeNotSupported, SignInRefused
from aws_iot.session import Answer, Challenge

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
        ask_line: Callable[[str], str] = terminal.ask_line,
    ) -> None:
        """`given` holds answers by what challenges want: `code`, `choice`, `password`."""
        self._app = app
        self._given = dict(given)
        self._may_ask = may_ask
        self._ask_line = ask_line
        self._asked: set[str] = set()

    @classmethod
    def of_command(cls, app: App, *, may_ask: bool) -> Self:
        """With what the options of the command that runs have given."""
        return cls(app, click.get_current_context().meta.get(ANSWERS, {}), may_ask=may_ask)

    def __call__(self, challenge: Challenge) -> Answer:
        given = self._given.pop(challenge.wants, None)  # once: a wrong code stays wrong
        match challenge.wants:
            case "code":
                return Answer(given or self._code(challenge))
            case "choice":
                return Answer(given or self._choice(challenge))
            case "password":
                attributes = tuple((name, self._attribute(name)) for name in challenge.attributes)
                return Answer(given or self._new_password(challenge), attributes)
            case "authenticator":
                return Answer(self._first_code(challenge))
        raise ChallengeNotSupported(f"the user pool asks for {challenge.kind}, which cannot be answered here")

    def _code(self, challenge: Challenge) -> str:
        sent = f", sent to {visible(challenge.destination)}" if challenge.destination else ""
        question = f"Code ({METHODS[challenge.kind]}{sent})"
        self._need_person("A code is needed", "--mfa-code")
        return self._ask_code(challenge, question)

    def _ask_code(self, challenge: Challenge, question: str) -> str:
        if challenge.kind in self._asked:
            click.echo("That was not the right code.", err=True)
        self._asked.add(challenge.kind)
        return self._ask_line(question)

    def _choice(self, challenge: Challenge) -> str:
        self._need_person("The user pool asks how you prove who you are", "--mfa-method")
        click.echo("How do you prove who you are?", err=True)
        for number, kind in enumerate(challenge.choices, 1):
            click.echo(f"  {number}  {METHODS.get(kind, visible(kind))}", err=True)
        while True:
            answer = self._ask_line("Number")
            if answer.isdecimal() and 1 <= int(answer) <= len(challenge.choices):
                return challenge.choices[int(answer) - 1]

    def _new_password(self, challenge: Challenge) -> str:
        self._need_person("A new password is needed", "AWS_IOT_NEW_PASSWORD")
        click.echo("Your password was set by somebody else: choose one of your own.", err=True)
        return ask_new_password(self._app, challenge.username)

    def _first_code(self, challenge: Challenge) -> str:
        self._need_person("The user pool wants an authenticator app to be set up", "a terminal, once")
        if challenge.kind not in self._asked:
            show_authenticator(challenge.username, challenge.secret or "")
        return self._ask_code(challenge, "Code that the app shows now")

    def _attribute(self, name: str) -> str:
        self._need_person(f"The user pool wants to know your {name}", "a terminal")
        return self._ask_line(f"Your {visible(name)}")

    def _need_person(self, what: str, instead: str) -> None:
        if not self._may_ask:
            raise SignInRefused(f"{what} to sign in", hint="Sign in first: aws-iot login")
        need_terminal(self._app, what, instead)
