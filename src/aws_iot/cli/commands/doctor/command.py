"""`aws-iot doctor`: why it does not work."""

import json
import shutil
import sys
import textwrap
from functools import cache, partial
from typing import Any

import click

from aws_iot.app import App
from aws_iot.auth.login import SignInRequest
from aws_iot.cli import options
from aws_iot.cli.commands.doctor.policy import Asked, about_policies, explain, refuse_without_policy
from aws_iot.cli.sign_in import login_of, prompter_of, request_of
from aws_iot.cli.ui import output
from aws_iot.cli.ui.terminal import working_time
from aws_iot.config.profile import Profile
from aws_iot.doctor.checks import Diagnosis, Finding, Parts, Person
from aws_iot.errors import WrongPassword
from aws_iot.messaging.topics import check_room
from aws_iot.policy.access import ROOM

ANY_POOL = "us-east-1:00000000-0000-0000-0000-000000000000"
"""As long as any pool's id, as good as: a room can be checked with it before the profile is."""

MARGIN = " " * 14
"""What stands before the words of a line."""


@click.command()
@options.option(
    "-r",
    "--room",
    env="DOCTOR_ROOM",
    metavar="ROOM",
    cls=options.Once,
    help=f"The room to listen and speak in.  [default: {ROOM}; with --policy all rooms to listen in]",
)
@about_policies
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
    **asked: Any,
) -> None:
    """Find out why it does not work.

    Does what `sub` and `pub` do, one step after the other, says what it sees, and stops at the first that
    fails. The exit code is that of the cause; 0 if all is well. It says one message, "aws-iot doctor", in a
    room of that name, which those hear who hear all rooms.

    What it prints can be shown to others: the pools, the user and the identity are in it, but no password,
    token or key.

    --policy explains what is allowed: by the role of the identity pool AND by the IoT policies attached to
    the identity, since both must allow it. It names the statement that decides, or those that come near.
    Policies are read with AWS credentials of an admin, or given as files, which needs no AWS, nor a profile
    where --identity and --pool are given, too. Exit code 0: all that was asked is allowed; 5: something is
    refused; 10: it depends on what is not known here.

    \b
    Examples:
      aws-iot doctor
      aws-iot doctor -k team -r lobby --json
      aws-iot doctor --policy -r ops --aws-profile admin
      aws-iot doctor --policy --role-policy role.json --iot-policy member.json -r ops --action publish \\
        --identity us-east-1:4f9fa251-0ed5-4578-add0-985024739222 \\
        --pool us-east-1:6a1c4e37-93b0-4d2e-8b6f-0c5f0e6d1a2b
    """
    app: App = ctx.obj
    output.need_stdout()
    if policy:
        explain(ctx, app, key, as_json, Asked(room, **asked))
        return
    refuse_without_policy(ctx)

    if room is not None:
        check_room(ANY_POOL, room)

    @cache
    def profile() -> Profile:
        return app.profiles.load(key)

    def load() -> Parts:
        is_explicit = password_stdin or options.is_typed("password")
        request = SignInRequest(user, is_explicit=is_explicit)
        live = login_of(app, profile()).uses_saved_tokens(request)
        services = app.services(profile(), live_session=live)
        return Parts(profile(), services, app.issuer(profile()), partial(app.connect, profile()))

    def who() -> str | None:
        saved = app.sessions.load(profile())
        return user or profile().username or (saved.username if saved else None)

    def sign_in() -> Person:
        return _sign_in(app, profile(), user, password, password_stdin)

    diagnosis = Diagnosis(
        load,
        sign_in,
        who,
        room or ROOM,
        app.now,
        app.timeout,
        working_time,
        "" if room else f"Where only some rooms are yours, name one of them: aws-iot doctor -r ROOM -k {key}",
    )
    live = not as_json and sys.stdout.isatty()
    failed: Finding | None = None
    for finding in diagnosis.findings(_begin if live else lambda _: None):
        failed = finding if finding.error else failed
        if as_json:
            output.data(json.dumps(_as_object(finding)))
        else:
            for line in _in_words(finding, shutil.get_terminal_size().columns if live else None):
                output.data(line)
    if failed and failed.error:
        output.info(f"It fails at '{failed.step}': exit code {failed.error.exit_code}.")
        ctx.exit(failed.error.exit_code)
    output.info("All is well: a message was said, and heard.")


def _sign_in(app: App, profile: Profile, user: str | None, password: str | None, from_stdin: bool) -> Person:
    prompter = prompter_of(app, profile, ask=app.has_terminal())
    request = request_of(user, password, from_stdin)
    try:
        session, is_saved = login_of(app, profile).sign_in_without_credentials(request, prompter)
    except WrongPassword as error:
        error.hint = (
            "Type or preset the right one. If it is right, the app client may be of another user pool: check"
            f" aws_user_pools_web_client_id in the profile: aws-iot config show -k {profile.key}"
        )
        raise
    how = (
        "by the saved session (the user pool was not asked whether it is still valid)"
        if is_saved
        else "by password"
    )
    return Person(session, how)


def _begin(step: str) -> None:
    """Say on the terminal what is being looked at, where the line will be that tells of it."""
    click.echo(f"{step:14}… ", nl=False)


def _as_object(finding: Finding) -> dict[str, Any]:
    error = finding.error
    return {
        "step": finding.step,
        "checked": finding.checked,
        "result": "failed" if error else "ok" if finding.seen else "skipped",
        "seen": finding.seen.text if finding.seen else error and str(error),
        "advice": (finding.seen.advice if finding.seen else error and error.hint) or None,
        "milliseconds": round(finding.seconds * 1000, 1),
        "exit_code": error.exit_code if error else None,
    }


def _in_words(finding: Finding, columns: int | None) -> list[str]:
    """The lines that tell of a step, what was seen last, since it may be long.

    With so many `columns` they go over what `_begin` has written, and what was seen is folded.
    """
    if finding.seen is None and finding.error is None:
        return [f"{finding.step:14}-"]
    over = "" if columns is None else "\r\x1b[K"
    result = click.style("FAILED", fg="red", bold=True) if finding.error else click.style("ok", fg="green")
    took = f"{finding.seconds * 1000:6.0f} ms"
    seen = finding.seen.text if finding.seen else str(finding.error)
    advice = finding.seen.advice if finding.seen else (finding.error and finding.error.hint) or ""
    padding = " " * (8 - len(click.unstyle(result)))
    first, *rest = _folded(output.visible(seen), columns, len(f"{MARGIN}{'':8}{took}  "))
    return [
        f"{over}{finding.step:14}{result}{padding}{took}  {first}",
        *(f"{MARGIN}{line}" for line in rest),
        *([f"{MARGIN}It was checked whether {finding.checked}."] if finding.error else []),
        *(
            f"{MARGIN}{output.visible(line)}" for line in advice.splitlines()
        ),  # not folded: it may be a command
    ]


def _folded(text: str, columns: int | None, taken: int) -> list[str]:
    """Lines that fit behind a margin, the first behind as much as is `taken`; words stay whole, to be copied."""
    if columns is None:
        return [text]
    wide = textwrap.TextWrapper(
        max(columns - len(MARGIN), 20),
        initial_indent=" " * max(taken - len(MARGIN), 0),
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [line.strip() for line in wide.wrap(text)] or [""]
