"""`aws-iot login`, `logout` and `whoami`: a session that later commands use."""

import json

import click

from aws_iot.app import App
from aws_iot.auth.session_store import Kept
from aws_iot.cli import options
from aws_iot.cli.sign_in import by_password, not_signed_in, suggest_doctor, username_of
from aws_iot.cli.ui import output
from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError, ServiceRefused, SignInRefused, Unreachable
from aws_iot.messaging.message import timestamp


@click.command()
@options.signing_in
@options.option(
    "--remember-device",
    env="REMEMBER_DEVICE",
    is_flag=True,
    help="Ask no code on this machine any more, where the user pool leaves that to you.",
)
@click.pass_obj
def login(
    app: App, key: str, user: str | None, password: str | None, password_stdin: bool, remember_device: bool
) -> None:
    """Sign in, and stay signed in: later commands need no password.

    The session is renewed when it is about to end, and lives as long as the user pool lets it (30 days
    unless an admin changed it). Its tokens of an hour are kept in a file that only you can read; what
    renews them, in the keyring of your system where it has one (AWS_IOT_SECRETS=file or =keyring decides).

    \b
    Examples:
      aws-iot login -u alice
      aws-iot login -u alice -k team --password-stdin < password.txt
    """
    profile = app.profiles.load(key)
    sign_in = app.sign_in(profile)
    username = username_of(profile, user, app.sessions.load(profile), for_password=True)
    with suggest_doctor(key):
        kept = by_password(app, sign_in, profile, username, password, password_stdin)
    if remember_device and kept.session.device:
        app.accounts(profile).of(kept.session).remember_device()
    elif remember_device:
        output.info("This machine is not remembered: the user pool does not do that, or gave no answer.")
    output.info(f"Signed in as {username}; your identity is {kept.credentials.identity}.")


@click.command()
@options.profile
@options.option(
    "--everywhere", env="EVERYWHERE", is_flag=True, help="End your sessions on all devices, not just here."
)
@options.quiet
@options.timeout
@click.pass_obj
def logout(app: App, key: str, everywhere: bool) -> None:
    """Sign out: end the session and forget it.

    \b
    Examples:
      aws-iot logout
      aws-iot logout -k team --everywhere
    """
    profile = app.profiles.load(key)
    kept = app.sessions.load(profile)
    try:
        was_in = app.sign_in(profile).end(everywhere=everywhere)
    except LocalError:
        raise
    except (Unreachable, ServiceRefused, SignInRefused) as error:
        error.hint = "It is forgotten here, and lives on there: sign in and out again" + (
            " with --everywhere." if everywhere else ", or let it end by itself."
        )
        raise
    output.info("Signed out." if was_in else "Nobody was signed in.")
    if kept and profile.username and app.secrets.owner("password", key) == profile.username:
        output.info(
            f"A password is preset, so the next command signs in again. To forget it: aws-iot config --forget -k {key}"
        )


@click.command()
@options.profile
@options.json_output
@click.pass_obj
def whoami(app: App, key: str, as_json: bool) -> None:
    """Show who is signed in, and until when.

    Asks nobody but this machine.

    \b
    Examples:
      aws-iot whoami
      aws-iot whoami -k team --json
    """
    output.need_stdout()
    profile = app.profiles.load(key)
    kept = app.sessions.load(profile)
    if kept is None:
        raise not_signed_in(profile)
    facts = _facts(profile, kept)
    if as_json:
        output.data(json.dumps(facts))
    else:
        width = max(map(len, facts)) + 2
        for name, value in facts.items():
            output.data(
                f"{name.replace('_', ' '):{width}}{output.visible(value or 'ended')}{_RENEWED.get(name, '')}"
            )


_RENEWED = dict.fromkeys(("tokens_end", "credentials_end"), "  (renewed when needed)")


def _facts(profile: Profile, kept: Kept) -> dict[str, str | None]:
    return {
        "user": kept.session.username,
        "profile": profile.key,
        "identity": kept.credentials.identity,
        "identity_pool": profile.identity_pool_id,
        "tokens_end": timestamp(kept.session.expires) if kept.session.id_token else None,
        "credentials_end": timestamp(kept.credentials.expires) if kept.credentials.session_token else None,
    }
