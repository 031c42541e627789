"""`aws-iot doctor`: find out why something does not work."""

import json
import sys
from collections.abc import Collection
from functools import cache
from typing import Any

import click

from aws_iot.app import App
from aws_iot.auth.login import SignInRequest
from aws_iot.cli import options
from aws_iot.cli.commands.doctor.findings_output import as_lines, as_object, begin
from aws_iot.cli.commands.policy.options import OPTION_NAMES, PolicyQuery, policy_options
from aws_iot.cli.completion import names as completing
from aws_iot.cli.groups import Command
from aws_iot.cli.sign_in import is_password_explicit, login_of, prompter_of, request_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import working_time
from aws_iot.cli.ui.wrapping import columns_of
from aws_iot.config.profile import Profile
from aws_iot.doctor.checks import Services, Setup, SignedIn
from aws_iot.doctor.diagnosis import Diagnosis, Finding
from aws_iot.errors import WrongPassword
from aws_iot.messaging.topics import check_room
from aws_iot.policy.actions import ROOM

ANY_POOL = "us-east-1:00000000-0000-0000-0000-000000000000"
"""As long as the ID of any pool, so a room can be checked before the profile is loaded."""


@click.command(cls=Command)
@options.option(
    "-r",
    "--room",
    env="DOCTOR_ROOM",
    metavar="ROOM",
    cls=options.Once,
    shell_complete=completing.rooms,
    help=f"The room to test.  [default: {ROOM}]",
)
@options.option("--policy", env="DOCTOR_POLICY", is_flag=True, help="The old name of `aws-iot policy`.")
@policy_options
@options.json_output
@options.signing_in
@click.pass_context
def doctor(
    ctx: click.Context,
    /,
    key: str,
    user: str | None,
    password: str | None,
    password_stdin: bool,
    room: str | None,
    as_json: bool,
    policy: bool,
    **query: Any,
) -> None:
    """Find out why something does not work.

    Runs the steps of `sub` and `pub` one by one, reports each, and stops at the first that fails. The exit
    code is that of the cause, or 0. It sends a test message, "aws-iot doctor", to the room "doctor" (-r
    chooses another room). Members who subscribe to all rooms receive it.

    The output is safe to share: it names pools, user and identity, but no password, token or key.

    To find out what policies allow, use `aws-iot policy`.

    \b
    Examples:
      aws-iot doctor
      aws-iot doctor -k team -r lobby --json
    """
    output.need_stdout()
    if policy:
        if given := _first_given(ctx, _SIGN_IN):
            raise click.UsageError(f"{given} excludes --policy, which does not sign in: use --identity.")
        from aws_iot.cli.commands.policy.explanation import explain_policies  # here: few runs need it

        explain_policies(ctx.obj, key, as_json, PolicyQuery.from_options(room, **query))
        return
    if given := _first_given(ctx, OPTION_NAMES):
        raise click.UsageError(f"{given} belongs to another command: aws-iot policy")
    if room is not None:
        check_room(ANY_POOL, room)
    diagnosis = Diagnosis(_setup(ctx.obj, key, room, user, password, password_stdin))
    _report(ctx, diagnosis, as_json)


_SIGN_IN = ("user", "password", "password_stdin", "mfa_code", "mfa_method", "new_password", "attribute")

# `aws-iot policy` was `doctor --policy` once. It still works, but the help does not mention it.
for param in doctor.params:
    if isinstance(param, click.Option) and param.name in {*OPTION_NAMES, "policy"}:
        param.hidden = True


def _first_given(ctx: click.Context, names: Collection[str]) -> str | None:
    """The first of these options that is on the command line."""
    for param in ctx.command.params:
        if param.name in names and options.is_typed(param.name):
            return max(param.opts, key=len)
    return None


def _setup(
    app: App, key: str, room: str | None, user: str | None, password: str | None, from_stdin: bool
) -> Setup:
    """What the checks need; the profile is loaded by the first of them."""

    @cache
    def profile() -> Profile:
        return app.config.profiles.load(key)

    def load() -> Services:
        request = SignInRequest(user, is_explicit=is_password_explicit(password, from_stdin))
        live = login_of(app, profile()).uses_saved_tokens(request)
        probes = app.doctor.probes(profile(), live_session=live)
        return Services(profile(), probes, app.auth.issuer(profile()), app.messaging.connect)

    def username() -> str | None:
        saved = app.auth.sessions.load(profile())
        return user or profile().username or (saved.username if saved else None)

    def sign_in() -> SignedIn:
        return _sign_in(app, profile(), user, password, from_stdin)

    return Setup(
        load,
        sign_in,
        username,
        room or ROOM,
        app.settings.now,
        app.settings.timeout,
        working_time,
        "" if room else f"If you may use only some rooms, name one: aws-iot doctor -r ROOM -k {key}",
    )


def _sign_in(
    app: App, profile: Profile, user: str | None, password: str | None, from_stdin: bool
) -> SignedIn:
    prompter = prompter_of(app, profile, ask=app.settings.has_terminal())
    request = request_of(user, password, from_stdin)
    try:
        session, is_saved = login_of(app, profile).sign_in_without_credentials(request, prompter)
    except WrongPassword as error:
        error.hint = (
            "Type or preset the right one. If it is right, the app client may belong to another user pool.\n"
            f"Check aws_user_pools_web_client_id in the profile: aws-iot config show -k {profile.key}"
        )
        raise
    unchecked = "by the saved session (the user pool was not asked whether it is still valid)"
    return SignedIn(session, unchecked if is_saved else "by password")


def _report(ctx: click.Context, diagnosis: Diagnosis, as_json: bool) -> None:
    """Print each finding at once, and exit with the code of the failure, if there is one."""
    width = None if as_json else columns_of(sys.stdout)
    failed: Finding | None = None
    for finding in diagnosis.findings(begin if width else lambda _: None):
        failed = finding if finding.error else failed
        if as_json:
            output.data(json.dumps(as_object(finding)))
        else:
            for line in as_lines(finding, width):
                output.data(line)
    if failed and failed.error:
        output.info(f"Failed at '{failed.step}' (exit code {failed.error.exit_code}).")
        ctx.exit(failed.error.exit_code)
    output.info("Everything works: the test message was sent and received.")
