"""`aws-iot credentials`: the AWS keys of whoever is signed in, for every other AWS tool."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from datetime import timedelta
from typing import NoReturn

import click

from aws_iot.app import App
from aws_iot.auth.credentials import Credentials
from aws_iot.cli import options
from aws_iot.cli.sign_in import signed_in
from aws_iot.cli.ui import output
from aws_iot.config.profile import Profile
from aws_iot.messaging.message import timestamp

LEFT = timedelta(minutes=16)
"""Keys are handed out with so much of their life left: botocore asks again when 15 minutes are, for each call."""

NOT_FOUND = 127
"""What shells answer for a command that is not there."""


@click.group(invoke_without_command=True)
@options.profile
@options.user
@options.password
@options.option(
    "--format",
    "form",
    env="CREDENTIALS_FORMAT",
    type=click.Choice(["process", "env", "json"]),
    default="process",
    show_default=True,
    help="For credential_process, for a shell, or plain.",
)
@options.timeout
@click.pass_context
def credentials(ctx: click.Context, key: str, user: str | None, password: str | None, form: str) -> None:
    """Print the AWS keys of whoever is signed in, for other AWS tools.

    Never asks for anything: sign in first with `aws-iot login`, or preset a password. The keys are good for an hour at
    most, and for what the identity pool's role allows.

    \b
    In ~/.aws/config, for the AWS CLI, boto3 and all others:
      [profile chat]
      credential_process = aws-iot credentials -k default

    \b
    Examples:
      aws-iot credentials
      eval "$(aws-iot credentials --format env)"
      aws-iot credentials exec -- aws sts get-caller-identity
    """
    if ctx.invoked_subcommand:
        options.refuse_before_subcommand(ctx)
        return
    output.need_stdout()
    profile, keys = _keys(ctx.find_object(App) or App(), key, user, password)
    if form == "env":
        for name, value in (_region(profile) | _environment(keys)).items():
            output.data(f"export {name}={shlex.quote(value)}")
    elif form == "json":
        output.data(json.dumps(_region(profile) | _environment(keys)))
    else:
        output.data(json.dumps(_as_process(keys)))


@credentials.command("exec")
@options.profile
@options.user
@options.password
@options.timeout
@click.argument("command", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED)
@click.pass_obj
def exec_(app: App, key: str, user: str | None, password: str | None, command: tuple[str, ...]) -> None:
    """Run a command with the AWS keys in its environment.

    It ends as the command ends.

    \b
    Example:
      aws-iot credentials exec -- aws iot-data publish --topic t --payload hello
    """
    profile, keys = _keys(app, key, user, password)
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
    }
    region = {} if {"AWS_REGION", "AWS_DEFAULT_REGION"} & env.keys() else _region(profile)
    _become(command, env | region | _environment(keys))


def _keys(app: App, key: str, user: str | None, password: str | None) -> tuple[Profile, Credentials]:
    profile = app.profiles.load(key)
    _, kept = signed_in(app, profile, user, password, from_stdin=False, ask=False, left=LEFT)
    return profile, kept.credentials


def _region(profile: Profile) -> dict[str, str]:
    """Of the rooms; boto3 and the AWS CLI 1 look at the second name only."""
    return {"AWS_REGION": profile.iot_region, "AWS_DEFAULT_REGION": profile.iot_region}


def _environment(keys: Credentials) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": keys.access_key_id,
        "AWS_SECRET_ACCESS_KEY": keys.secret_access_key,
        "AWS_SESSION_TOKEN": keys.session_token,
        "AWS_CREDENTIAL_EXPIRATION": timestamp(keys.expires),
    }


def _as_process(keys: Credentials) -> dict[str, object]:
    """What SDKs read: docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html."""
    return {
        "Version": 1,
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.session_token,
        "Expiration": timestamp(keys.expires),
    }


def _become(command: tuple[str, ...], env: dict[str, str]) -> NoReturn:
    """Give this process to the command; where that cannot be (Windows), wait for it."""
    program = shutil.which(command[0], path=env.get("PATH"))
    if program is None:
        output.error(f"Error: there is no command '{command[0]}'")
        sys.exit(NOT_FOUND)
    if os.name == "nt":
        sys.exit(subprocess.run([program, *command[1:]], env=env, check=False).returncode)
    os.execve(program, command, env)  # noqa: S606 that is the purpose
