"""`aws-iot signup`, `confirm` and `account`: accounts in the user pool."""

import shlex

import click

from aws_iot.app import App
from aws_iot.auth.session import CodeSent
from aws_iot.cli import options
from aws_iot.cli.sign_in import ask_password, chosen_password, forget_all, require_session, username_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import ask_line, need_terminal


@click.command()
@options.profile
@options.user
@options.password
@options.password_stdin
@options.option(
    "-e", "--email", env="EMAIL", required=True, metavar="EMAIL", help="Where the code is mailed to."
)
@options.quiet
@options.timeout
@click.pass_obj
def signup(
    app: App, key: str, user: str | None, password: str | None, password_stdin: bool, email: str
) -> None:
    """Make an account in the user pool.

    A code is mailed to you; `aws-iot confirm` takes it.

    \b
    Examples:
      aws-iot signup -u alice -e alice@example.com
      aws-iot signup -u alice -p Passw0rd -e alice@example.com -k team
    """
    profile = app.profiles.load(key)
    username = username_of(profile, user)
    secret = chosen_password(password, password_stdin) or ask_password(app, username, twice=True)
    sent = app.accounts(profile).sign_up(username, secret, email)
    output.info(f"The account '{username}' is made.")
    if sent is None:
        output.info(f"It needs no confirmation. Next: aws-iot sub -u {shlex.quote(username)} -k {key}")
    else:
        tell_code_sent(sent, f"confirm -u {shlex.quote(username)} -c CODE -k {key}")


@click.command()
@options.profile
@options.user
@options.option("-c", "--code", env="CODE", metavar="CODE", help="The code that was mailed to you.")
@options.option("--resend", env="RESEND", is_flag=True, help="Have a new code mailed instead.")
@options.quiet
@options.timeout
@click.pass_obj
def confirm(app: App, key: str, user: str | None, code: str | None, resend: bool) -> None:
    """Confirm an account with the code that was mailed.

    Your address then belongs to this account, also if an older account had it.

    \b
    Examples:
      aws-iot confirm -u alice -c 123456
      aws-iot confirm -u alice --resend
    """
    profile = app.profiles.load(key)
    username = username_of(profile, user)
    if resend and code:
        raise click.UsageError("-c and --resend exclude each other.")
    if resend:
        sent = app.accounts(profile).resend_code(username)
        tell_code_sent(sent, f"confirm -u {shlex.quote(username)} -c CODE -k {key}")
        return
    if not code:
        raise click.UsageError(
            "Give the code that was mailed to you with -c CODE, or have one mailed with --resend."
        )
    output.need_stdout()
    app.accounts(profile).confirm(username, code.strip())
    output.data("SUCCESS")
    output.info(f"Next: aws-iot login -u {shlex.quote(username)} -k {key}")


@click.group()
def account() -> None:
    """Delete your account."""


@account.command()
@options.profile
@options.option("--yes", env="YES", is_flag=True, help="Do not ask; goes with -u USER.")
@options.user
@options.quiet
@options.timeout
@click.pass_context
def delete(ctx: click.Context, key: str, yes: bool, user: str | None) -> None:
    """Delete the account of whoever is signed in, for good.

    You are asked to type its name.

    \b
    Examples:
      aws-iot account delete
      aws-iot account delete --yes -u alice
    """
    app = ctx.find_object(App) or App()
    profile = app.profiles.load(key)
    session = require_session(app, profile).session
    if yes:
        typed = user
    else:
        need_terminal(app, "This cannot be undone", "use --yes -u USER")
        typed = ask_line(f"This deletes the account '{session.username}' for good. Type its name")
    if typed != session.username:
        output.error(f"'{session.username}' is signed in, and was not named: nothing is deleted.")
        ctx.exit(2)
    app.accounts(profile).of(session).delete()
    output.info(f"The account '{session.username}' is deleted.")
    forget_all(app, key, session.username)


def tell_code_sent(sent: CodeSent, then: str) -> None:
    """Say where a code was sent, and the command that takes it."""
    where = f" to {sent.destination}" if sent.destination else ""
    output.info(f"A code was sent{where}. Next: aws-iot {then}")
