"""`aws-iot password`: change your password, or reset a forgotten one."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager

import click

from aws_iot.app import App
from aws_iot.auth.passwords import change_password, checked_password, reset_password, typed_password
from aws_iot.cli import options
from aws_iot.cli.commands.account import show_code_sent, typed_code
from aws_iot.cli.groups import Group
from aws_iot.cli.sign_in import login_of, username_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_line, ask_new_password, ask_password, show_rejection
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, CodeRefused, WrongPassword

new_password = options.option(
    "--new-password",
    env="NEW_PASSWORD",
    metavar="PASS",
    help="The new password. Other programs can see it in the process list; omit it to be asked.",
)


@click.group(cls=Group)
def password() -> None:
    """Change your password, or reset a forgotten one."""


@password.command()
@options.profile
@options.user
@options.option("-c", "--code", env="CODE", metavar="CODE", help="The code from the e-mail.")
@new_password
@options.quiet
@options.timeout
@click.pass_obj
def reset(app: App, key: str, user: str | None, code: str | None, new_password: str | None) -> None:
    """Reset a forgotten password.

    It sends you a code by e-mail, and asks for the code and the new password. Without a terminal, it only sends the
    code; with -c CODE, it sets the new password.

    \b
    Examples:
      aws-iot password reset -u alice
      aws-iot password reset -u alice -c 654321
    """
    profile = app.config.profiles.load(key)
    username = username_of(profile, user, app.auth.sessions.load(profile))
    accounts = app.auth.accounts(profile)
    new_password = new_password and checked_password(new_password)  # before anything is sent
    command = f"password reset -u {shlex.quote(username)}"
    questions = _Questions(app, username)
    if code:
        code = typed_code(code)
        new_password = new_password or typed_password(questions.new_password, questions.show_rejection)
        accounts.reset(username, code, new_password)
    elif not app.settings.has_terminal():
        show_code_sent(accounts.request_reset(username), f"{command} -c CODE -k {key}")
        return
    else:
        show_code_sent(accounts.request_reset(username))
        with _hint_at_rest(f"{command} -c CODE -k {key}", f"{command} -k {key}"):
            reset_password(accounts, username, questions, new_password)
    _report_changed(app, profile, username)
    output.info(f"Next: aws-iot login -u {shlex.quote(username)} -k {key}")


class _Questions:
    """`PasswordPrompter` at the terminal."""

    def __init__(self, app: App, username: str) -> None:
        self._app = app
        self._username = username

    def old_password(self) -> str:
        return ask_password(self._app, self._username)

    def code(self) -> str:
        return ask_line("Code")

    def new_password(self) -> str:
        return ask_new_password(self._app, self._username)

    def show_rejection(self, error: AwsIotError) -> None:
        show_rejection(error)


@contextmanager
def _hint_at_rest(with_code: str, again: str) -> Iterator[None]:
    """Tell a person who stops, or whose answers were rejected, how to continue."""
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        output.info(f"The password is unchanged. To use the code later: aws-iot {with_code}")
        raise
    except CodeRefused as error:
        error.hint = f"To get a new code: aws-iot {again}"
        raise


@password.command()
@options.profile
@options.password
@new_password
@options.quiet
@options.timeout
@click.pass_obj
def change(app: App, key: str, password: str | None, new_password: str | None) -> None:
    """Change the password of the signed-in user.

    \b
    Example:
      aws-iot password change
    """
    profile = app.config.profiles.load(key)
    session = login_of(app, profile).require_session()
    new_password = new_password and checked_password(new_password)
    account = app.auth.accounts(profile).of(session)
    try:
        change_password(account, _Questions(app, session.username), password, new_password)
    except WrongPassword as error:
        user = shlex.quote(session.username)
        error.hint = f"If you have forgotten your password: aws-iot password reset -u {user} -k {key}"
        raise
    _report_changed(app, profile, session.username)


def _report_changed(app: App, profile: Profile, username: str) -> None:
    output.info(f"Changed the password of {username}.")
    login_of(app, profile).remove_preset_password(username)
