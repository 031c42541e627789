"""`aws-iot mfa`: what is asked besides the password."""

import json

import click

from aws_iot.app import App
from aws_iot.auth.login import ATTEMPTS
from aws_iot.auth.session import Account
from aws_iot.cli import options
from aws_iot.cli.challenges import METHODS
from aws_iot.cli.sign_in import require_session
from aws_iot.cli.ui import output
from aws_iot.cli.ui.authenticator import issuer_of, show_authenticator
from aws_iot.cli.ui.terminal import ask_line, need_terminal
from aws_iot.errors import CodeRefused

_KINDS = {"app": "SOFTWARE_TOKEN_MFA", "sms": "SMS_MFA", "email": "EMAIL_OTP"}


@click.group()
def mfa() -> None:
    """Have a code asked besides your password, or not."""


@mfa.command()
@options.profile
@options.json_output
@options.timeout
@click.pass_obj
def status(app: App, key: str, as_json: bool) -> None:
    """Show what is asked besides the password.

    \b
    Examples:
      aws-iot mfa status
      aws-iot mfa status --json
    """
    output.need_stdout()
    _, account = _account(app, key)
    factors = account.second_factors()
    if as_json:
        output.data(json.dumps({"on": factors.on, "preferred": factors.preferred}))
        return
    for kind in factors.on:
        how = METHODS.get(kind, output.visible(kind))
        output.data(f"{how} (preferred)" if kind == factors.preferred and len(factors.on) > 1 else how)
    if not factors.on:
        output.info(f"Nothing is asked besides the password. To change that: aws-iot mfa setup -k {key}")


@mfa.command()
@options.profile
@options.option(
    "--method",
    env="MFA_SETUP_METHOD",
    type=click.Choice(list(_KINDS)),
    default="app",
    show_default=True,
    help="An authenticator app, text messages, or e-mail.",
)
@options.quiet
@options.timeout
@click.pass_obj
def setup(app: App, key: str, method: str) -> None:
    """Have a code asked besides your password from now on.

    An authenticator app is given its secret by a QR code. Text messages and e-mail go to the number
    and the address that your account has.

    \b
    Examples:
      aws-iot mfa setup
      aws-iot mfa setup --method sms
    """
    if method == "app":
        need_terminal(app, "A code of the app is needed", "run it at one")
    username, account = _account(app, key)
    if method == "app":
        show_authenticator(username, account.new_authenticator(), issuer_of(key))
        _confirm(account)
    account.use_second_factor(_KINDS[method])
    output.info(f"From now on a code is asked besides your password: {METHODS[_KINDS[method]]}.")


@mfa.command()
@options.profile
@options.quiet
@options.timeout
@click.pass_obj
def off(app: App, key: str) -> None:
    """Have your password alone asked.

    \b
    Example:
      aws-iot mfa off
    """
    _, account = _account(app, key)
    account.use_second_factor(None)
    output.info("From now on your password alone is asked.")


def _account(app: App, key: str) -> tuple[str, Account]:
    """Of whoever is signed in: the user name and the account."""
    profile = app.profiles.load(key)
    session = require_session(app, profile).session
    return session.username, app.accounts(profile).of(session)


def _confirm(account: Account) -> None:
    for left in reversed(range(ATTEMPTS)):
        try:
            account.confirm_authenticator(ask_line("Code that the app shows now"))
            return
        except CodeRefused as error:
            if not left:
                raise
            output.info(f"{error}.")
