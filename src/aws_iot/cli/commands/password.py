"""`aws-iot password`: change a password, or set a new one in place of a forgotten one."""

import shlex

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.account import tell_code_sent
from aws_iot.cli.sign_in import ask_password, forget_preset, require_session, username_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_new_password

new_password = options.option(
    "--new-password",
    env="NEW_PASSWORD",
    metavar="PASS",
    help="The new password; other programs can see it while this one runs, so better let it ask.",
)


@click.group()
def password() -> None:
    """Change your password, or reset one that you forgot."""


@password.command()
@options.profile
@options.user
@options.option("-c", "--code", env="CODE", metavar="CODE", help="The code that was mailed to you.")
@new_password
@options.quiet
@options.timeout
@click.pass_obj
def reset(app: App, key: str, user: str | None, code: str | None, new_password: str | None) -> None:
    """Set a new password in place of a forgotten one.

    Without a code one is mailed to you; with it the new password is set.

    \b
    Examples:
      aws-iot password reset -u alice
      aws-iot password reset -u alice -c 654321
    """
    profile = app.profiles.load(key)
    username = username_of(profile, user, app.sessions.load(profile))
    accounts = app.accounts(profile)
    if not code:
        tell_code_sent(
            accounts.request_reset(username), f"password reset -u {shlex.quote(username)} -c CODE -k {key}"
        )
        return
    accounts.reset(username, code.strip(), new_password or ask_new_password(app, username))
    _changed(app, key, username)


@password.command()
@options.profile
@options.password
@new_password
@options.quiet
@options.timeout
@click.pass_obj
def change(app: App, key: str, password: str | None, new_password: str | None) -> None:
    """Change the password of whoever is signed in.

    \b
    Example:
      aws-iot password change
    """
    profile = app.profiles.load(key)
    kept = require_session(app, profile)
    username = kept.session.username
    old = password or ask_password(app, username)
    account = app.accounts(profile).of(kept.session)
    account.change_password(old, new_password or ask_new_password(app, username))
    _changed(app, key, username)


def _changed(app: App, key: str, username: str) -> None:
    output.info(f"The password of {username} is changed.")
    forget_preset(app, key, username)
