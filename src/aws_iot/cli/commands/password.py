"""`aws-iot password`: change your password, or reset a forgotten one."""

import shlex

import click

from aws_iot.app import App
from aws_iot.cli import options
from aws_iot.cli.commands.account import show_code_sent
from aws_iot.cli.groups import Group
from aws_iot.cli.sign_in import login_of, username_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_new_password, ask_password
from aws_iot.config.profile import Profile

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

    Without a code, it sends you one by e-mail. With the code, it sets the new password.

    \b
    Examples:
      aws-iot password reset -u alice
      aws-iot password reset -u alice -c 654321
    """
    profile = app.config.profiles.load(key)
    username = username_of(profile, user, app.auth.sessions.load(profile))
    accounts = app.auth.accounts(profile)
    if not code:
        show_code_sent(
            accounts.request_reset(username), f"password reset -u {shlex.quote(username)} -c CODE -k {key}"
        )
        return
    accounts.reset(username, code.strip(), new_password or ask_new_password(app, username))
    _report_changed(app, profile, username)


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
    old = password or ask_password(app, session.username)
    account = app.auth.accounts(profile).of(session)
    account.change_password(old, new_password or ask_new_password(app, session.username))
    _report_changed(app, profile, session.username)


def _report_changed(app: App, profile: Profile, username: str) -> None:
    output.info(f"Changed the password of {username}.")
    login_of(app, profile).remove_preset_password(username)
