"""`aws-iot doctor`: why it does not work."""

import json
from functools import partial
from typing import Any

import click

from aws_iot.app import App
from aws_iot.authorization import ROOM
from aws_iot.cli import options
from aws_iot.cli.doctor_policy import Asked, about_policies, explain, refuse_without_policy
from aws_iot.cli.output import data, visible, words
from aws_iot.cli.sign_in import session_alone
from aws_iot.cli.terminal import working_time
from aws_iot.doctor import Examination, Finding, Parts, Person

MARGIN = " " * 14
"""What stands before the words of a line."""


@click.command()
@options.option(
    "-r",
    "--room",
    env="DOCTOR_ROOM",
    metavar="ROOM",
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
    fails. The exit code is that of the cause; 0 if all is well. It says one message, in a room where nobody
    else listens.

    What it prints can be shown to others: the pools, the user and the identity are in it, but no password,
    token or key.

    --policy explains what is allowed: by the role of the identity pool AND by the IoT policies attached to
    the identity, since both must allow it. It names the statement that decides, or those that come near.
    Policies are read with AWS credentials of an admin, or given as files, which needs no AWS. Exit code 0:
    all of it is allowed; 5: something is refused; 10: it depends on what is not known here.

    \b
    Examples:
      aws-iot doctor
      aws-iot doctor -k team -r lobby --json
      aws-iot doctor --policy -r ops --aws-profile admin
      aws-iot doctor --policy --role-policy role.json --iot-policy member.json -r ops --action publish
    """
    app: App = ctx.obj
    if policy:
        explain(ctx, app, key, as_json, Asked(room, **asked))
        return
    refuse_without_policy(ctx)

    def load() -> Parts:
        profile = app.profiles.load(key)
        return Parts(profile, app.services(profile), app.issuer(profile), partial(app.connect, profile))

    def who() -> str | None:
        profile = app.profiles.load(key)
        kept = app.sessions.load(profile)
        return user or profile.username or (kept.session.username if kept else None)

    def sign_in() -> Person:
        return Person(*session_alone(app, app.profiles.load(key), user, password, password_stdin))

    failed: Finding | None = None
    for finding in Examination(
        load, sign_in, who, room or ROOM, app.now, app.timeout, working_time
    ).findings():
        failed = finding if finding.error else failed
        if as_json:
            data(json.dumps(_as_object(finding)))
        else:
            for line in _in_words(finding):
                data(line)
    if failed and failed.error:
        words(f"It fails at '{failed.step}': exit code {failed.error.exit_code}.")
        ctx.exit(failed.error.exit_code)
    words("All is well: a message was said, and heard.")


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


def _in_words(finding: Finding) -> list[str]:
    """The lines that tell of a step: aligned, what was seen last, since it may be long."""
    if finding.seen is None and finding.error is None:
        return [f"{finding.step:14}-"]
    result = click.style("FAILED", fg="red", bold=True) if finding.error else click.style("ok", fg="green")
    took = f"{finding.seconds * 1000:6.0f} ms"
    seen = finding.seen.text if finding.seen else str(finding.error)
    advice = finding.seen.advice if finding.seen else (finding.error and finding.error.hint) or ""
    padding = " " * (8 - len(click.unstyle(result)))
    return [
        f"{finding.step:14}{result}{padding}{took}  {visible(seen)}",
        *(f"{MARGIN}{visible(line)}" for line in advice.splitlines()),
    ]
