"""`aws-iot mfa`: multi-factor authentication, a code in addition to the password."""

import json

import click

from aws_iot.app import App
from aws_iot.auth.accounts import ATTEMPTS, Account
from aws_iot.cli import options
from aws_iot.cli.groups import Group
from aws_iot.cli.sign_in import login_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.authenticator import issuer_of, show_authenticator
from aws_iot.cli.ui.terminal import ask_line, need_terminal
from aws_iot.cli.ui.terminal_prompter import METHODS
from aws_iot.errors import CodeRefused

_KINDS = {"app": "SOFTWARE_TOKEN_MFA", "sms": "SMS_MFA", "email": "EMAIL_OTP"}


@click.group(cls=Group)
def mfa() -> None:
    """Manage multi-factor authentication (MFA)."""


@mfa.command()
@options.profile
@options.json_output
@options.timeout
@click.pass_obj
def status(app: App, key: str, as_json: bool) -> None:
    """Show which second factors are on.

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
        method = METHODS.get(kind, output.visible(kind))
        output.data(f"{method} (preferred)" if kind == factors.preferred and len(factors.on) > 1 else method)
    if not factors.on:
        output.info(
            f"MFA is off: you sign in with your password alone. To turn it on: aws-iot mfa setup -k {key}"
        )


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
    """Turn MFA on: signing in then requires a code.

    An authenticator app gets its secret from a QR code. Text messages and e-mails go to the phone number and the
    address of your account.

    \b
    Examples:
      aws-iot mfa setup
      aws-iot mfa setup --method sms
    """
    username, account = _account(app, key)
    if method == "app":
        need_terminal(app, "A code from the app is needed", "run this in one")
        show_authenticator(username, account.new_authenticator(), issuer_of(key))
        _confirm(account)
    account.use_second_factor(_KINDS[method])
    output.info(f"MFA is on: signing in now requires a code ({METHODS[_KINDS[method]]}).")


@mfa.command()
@options.profile
@options.quiet
@options.timeout
@click.pass_obj
def off(app: App, key: str) -> None:
    """Turn MFA off: your password alone signs you in.

    \b
    Example:
      aws-iot mfa off
    """
    _, account = _account(app, key)
    account.use_second_factor(None)
    output.info("MFA is off: your password alone signs you in.")


def _account(app: App, key: str) -> tuple[str, Account]:
    """The signed-in user's name and account."""
    profile = app.config.profiles.load(key)
    session = login_of(app, profile).require_session()
    return session.username, app.auth.accounts(profile).of(session)


def _confirm(account: Account) -> None:
    for left in reversed(range(ATTEMPTS)):
        try:
            account.confirm_authenticator(ask_line("Code that the app shows now"))
            return
        except CodeRefused as error:
            if not left:
                raise
            output.info(f"{error}.")
