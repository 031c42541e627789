"""`aws-iot login`, `logout` and `whoami`: the session that later commands use."""

import json

import click

from aws_iot.app import App
from aws_iot.auth.prompter import not_signed_in
from aws_iot.auth.session_store import SavedSession
from aws_iot.cli import options
from aws_iot.cli.groups import Command
from aws_iot.cli.sign_in import login_of, prompter_of, request_of, suggest_doctor
from aws_iot.cli.ui import output
from aws_iot.cli.ui.tables import facts
from aws_iot.cli.ui.terminal_prompter import unknown_user
from aws_iot.config.profile import Profile
from aws_iot.errors import ServiceRefused, SignInRefused, Unreachable
from aws_iot.messaging.message import timestamp


@click.command(cls=Command)
@options.signing_in
@options.option(
    "--remember-device",
    env="REMEMBER_DEVICE",
    is_flag=True,
    help="Skip MFA on this device from now on, if the user pool allows it.",
)
@click.pass_obj
def login(
    app: App, key: str, user: str | None, password: str | None, password_stdin: bool, remember_device: bool
) -> None:
    """Sign in once. Later commands reuse the session.

    A profile has one session. Signing in as another user replaces it.

    The session is refreshed as needed. It lasts as long as the user pool allows, which is 30 days unless an admin
    changed that. Tokens that last an hour are saved in a file that only you can read. The refresh token is saved in
    your system's keyring, or in such a file if there is none. To choose: AWS_IOT_SECRETS=keyring or =file.

    \b
    Examples:
      aws-iot login -u alice
      aws-iot login -u alice -k team --password-stdin < password.txt
    """
    profile = app.config.profiles.load(key)
    request = request_of(user, password, password_stdin)
    before = app.auth.sessions.load(profile)
    way = login_of(app, profile)
    if not way.expected_username(request, by_password=True):
        raise unknown_user(key)
    with suggest_doctor(key):
        person = way.sign_in_with_password(request, prompter_of(app, profile, ask=True))
    if remember_device and person.session.device:
        app.auth.accounts(profile).of(person.session).remember_device()
    elif remember_device:
        output.info("This device was not remembered: the user pool does not support it, or did not answer.")
    output.info(f"Signed in as {person.username}. Your identity: {person.identity}")
    if before and before.username != person.username:
        output.info(
            f"This replaces the session of {before.username}, because a profile has one session."
            " To keep both, use a profile for each: -k KEY"
        )


@click.command(cls=Command)
@options.profile
@options.option(
    "--everywhere", env="EVERYWHERE", is_flag=True, help="Revoke your sessions on all devices, not only here."
)
@options.quiet
@options.timeout
@click.pass_obj
def logout(app: App, key: str, everywhere: bool) -> None:
    """Sign out: revoke and delete the saved session.

    \b
    Examples:
      aws-iot logout
      aws-iot logout -k team --everywhere
    """
    profile = app.config.profiles.load(key)
    saved = app.auth.sessions.load(profile)
    try:
        was_signed_in = login_of(app, profile).sign_out(everywhere=everywhere)
    except (Unreachable, ServiceRefused, SignInRefused) as error:
        again = "sign in and out again" + (" with --everywhere" if everywhere else ", or let it expire")
        error.hint = f"The session was deleted here, but not revoked. To revoke it, {again}."
        raise
    output.info("Signed out." if was_signed_in else "You were not signed in.")
    if saved and profile.username and app.config.secrets.owner("password", key) == profile.username:
        output.info(
            f"A password is preset, so the next command signs in again. To remove it: aws-iot config --forget -k {key}"
        )


@click.command(cls=Command)
@options.profile
@options.json_output
@click.pass_obj
def whoami(app: App, key: str, as_json: bool) -> None:
    """Show who is signed in, and until when.

    It only reads files on this machine.

    \b
    Examples:
      aws-iot whoami
      aws-iot whoami -k team --json
    """
    output.need_stdout()
    profile = app.config.profiles.load(key)
    app.config.require_stack(profile)
    saved = app.auth.sessions.load(profile)
    if saved is None:
        raise not_signed_in(key)
    found = _facts(profile, saved)
    if as_json:
        output.data(json.dumps(found))
        return
    rows = {
        name.replace("_", " "): f"{value or 'expired'}{_REFRESHED.get(name, '')}"
        for name, value in found.items()
    }
    for line in facts(rows):
        output.data(line)


_REFRESHED = dict.fromkeys(("tokens_end", "credentials_end"), "  (refreshed when needed)")


def _facts(profile: Profile, saved: SavedSession) -> dict[str, str | None]:
    return {
        "user": saved.username,
        "profile": profile.key,
        "identity": saved.identity,
        "identity_pool": profile.identity_pool_id,
        "tokens_end": timestamp(saved.session.expires) if saved.session else None,
        "credentials_end": timestamp(saved.credentials.expires) if saved.credentials else None,
    }
