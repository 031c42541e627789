"""Running `doctor`: what its checks need, and its report."""

from __future__ import annotations  # so that what only types need is not imported

import json
import sys
from functools import cache
from typing import TYPE_CHECKING

from aws_iot.auth.login import SignInRequest
from aws_iot.cli.commands.doctor.findings_output import as_lines, as_object, begin
from aws_iot.cli.sign_in import is_password_explicit, login_of, prompter_of, request_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import working_time
from aws_iot.cli.ui.wrapping import columns_of
from aws_iot.doctor.checks import Services, Setup, SignedIn
from aws_iot.doctor.diagnosis import Diagnosis, Finding
from aws_iot.errors import WrongPassword
from aws_iot.policy.actions import ROOM

if TYPE_CHECKING:
    import click

    from aws_iot.app import App
    from aws_iot.config.profile import Profile


def diagnosis_of(
    app: App, key: str, room: str | None, user: str | None, password: str | None, from_stdin: bool
) -> Diagnosis:
    """The checks, and what they need. The first of them loads the profile."""

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

    setup = Setup(
        load,
        sign_in,
        username,
        room or ROOM,
        app.settings.now,
        app.settings.timeout,
        working_time,
        "" if room else f"If you may use only some rooms, name one: aws-iot doctor -r ROOM -k {key}",
    )
    return Diagnosis(setup)


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


def report(ctx: click.Context, diagnosis: Diagnosis, as_json: bool) -> None:
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
