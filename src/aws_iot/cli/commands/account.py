"""`aws-iot signup`, `confirm` and `account`: accounts in the user pool."""

import shlex

import click

from aws_iot.app import App
from aws_iot.auth.accounts import CodeSent, checked_email
from aws_iot.auth.profile_editor import remove_saved_data
from aws_iot.cli import options
from aws_iot.cli.groups import Command, Group
from aws_iot.cli.sign_in import chosen_password, login_of, username_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_line, ask_secret, need_terminal, show_rejection
from aws_iot.errors import CodeRefused, LocalError


@click.command(cls=Command)
@options.profile
@options.user
@options.password
@options.password_stdin
@options.option(
    "-e", "--email", env="EMAIL", required=True, metavar="EMAIL", help="Your address. The code goes there."
)
@options.quiet
@options.timeout
@click.pass_obj
def signup(
    app: App, key: str, user: str | None, password: str | None, password_stdin: bool, email: str
) -> None:
    """Create an account in the user pool.

    You receive a code by e-mail. Give it to `aws-iot confirm`.

    \b
    Examples:
      aws-iot signup -u alice -e alice@example.com
      aws-iot signup -u alice -p Passw0rd -e alice@example.com -k team
    """
    profile = app.config.profiles.load(key)
    username = username_of(profile, user)
    email = _checked_email(email)
    accounts = app.auth.accounts(profile)
    secret = chosen_password(password, password_stdin) or _new_password(app, username)
    sent = accounts.sign_up(username, secret, email)
    output.info(f"Created the account '{username}'.")
    if sent is None:
        output.info(f"It needs no confirmation. Next: aws-iot sub -u {shlex.quote(username)} -k {key}")
    else:
        show_code_sent(sent, f"confirm -u {shlex.quote(username)} -c CODE -k {key}")


def _new_password(app: App, username: str) -> str:
    from aws_iot.auth.passwords import typed_password  # here, so that `--help` need not wait for it

    need_terminal(app, "A password is needed", "use --password-stdin or set AWS_IOT_PASSWORD")
    return typed_password(lambda: ask_secret(f"New password for {username}", twice=True), show_rejection)


def _checked_email(address: str) -> str:
    """The address of the option. Raises a usage error if it cannot be one."""
    try:
        return checked_email(address)
    except LocalError as error:
        raise click.BadParameter(f"{error}.", param_hint="-e") from error


@click.command(cls=Command)
@options.profile
@options.user
@options.option("-c", "--code", env="CODE", metavar="CODE", help="The code from the e-mail.")
@options.option("--resend", env="RESEND", is_flag=True, help="Send a new code instead.")
@options.quiet
@options.timeout
@click.pass_obj
def confirm(app: App, key: str, user: str | None, code: str | None, resend: bool) -> None:
    """Confirm an account with the code from the e-mail.

    Your address then belongs to this account, even if an older account had it.

    \b
    Examples:
      aws-iot confirm -u alice -c 123456
      aws-iot confirm -u alice --resend
    """
    profile = app.config.profiles.load(key)
    username = username_of(profile, user)
    if resend and code:
        raise click.UsageError("-c and --resend exclude each other.")
    if resend:
        sent = app.auth.accounts(profile).resend_code(username)
        show_code_sent(sent, f"confirm -u {shlex.quote(username)} -c CODE -k {key}")
        return
    if not code:
        raise click.UsageError(
            "Give the code from the e-mail with -c CODE, or request a new one with --resend."
        )
    output.need_stdout()
    app.auth.accounts(profile).confirm(username, typed_code(code))
    if (
        profile.is_unconfirmed and profile.username == username
    ):  # `init` was stopped at its question for the code
        app.config.profiles.change(key, lambda old: (old or profile)._replace(is_unconfirmed=False))
    output.data("SUCCESS")
    output.info(f"Next: aws-iot login -u {shlex.quote(username)} -k {key}")


@click.group(cls=Group)
def account() -> None:
    """Delete your account."""


@account.command()
@options.profile
@options.option("--yes", env="YES", is_flag=True, help="Do not ask. Requires -u USER.")
@options.user
@options.quiet
@options.timeout
@click.pass_context
def delete(ctx: click.Context, key: str, yes: bool, user: str | None) -> None:
    """Permanently delete the account of the signed-in user.

    It asks you to type the account's name.

    \b
    Examples:
      aws-iot account delete
      aws-iot account delete --yes -u alice
    """
    app = ctx.find_object(App) or App()
    profile = app.config.profiles.load(key)
    session = login_of(app, profile).require_session()
    if yes:
        typed = user
    else:
        need_terminal(app, "A confirmation is needed, because this cannot be undone", "use --yes -u USER")
        typed = ask_line(f"This permanently deletes the account '{session.username}'. Type its name")
    if typed != session.username:
        output.error(
            f"Nothing was deleted: '{session.username}' is signed in, and you did not give that name."
        )
        if yes and not user:
            name = shlex.quote(session.username)
            output.hint(f"To delete it: aws-iot account delete -u {name} --yes -k {key}")
        ctx.exit(2)
    app.auth.accounts(profile).of(session).delete()
    output.info(f"Deleted the account '{session.username}'.")
    for error in remove_saved_data(app.auth.sessions, app.config.secrets, key, session.username):
        output.info(f"{error}.")


def typed_code(code: str) -> str:
    """The code of an option. Raises a usage error if it cannot be one."""
    from aws_iot.auth.passwords import checked_code  # here, so that `--help` need not wait for it

    try:
        return checked_code(code)
    except CodeRefused as error:
        raise click.UsageError(f"{error}.") from error


def show_code_sent(sent: CodeSent, then: str | None = None) -> None:
    """Show where a code was sent, and the command that takes it."""
    where = f" to {sent.destination}" if sent.destination else ""
    output.info(f"A code was sent{where}.{f' Next: aws-iot {then}' if then else ''}")
