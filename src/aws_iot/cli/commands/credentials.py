"""`aws-iot credentials`: the signed-in user's AWS credentials, for other AWS tools."""

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
from aws_iot.cli.groups import Group
from aws_iot.cli.sign_in import sign_in
from aws_iot.cli.ui import output
from aws_iot.config.profile import Profile
from aws_iot.messaging.message import timestamp

VALID_FOR = timedelta(minutes=16)
"""How long printed credentials are valid at least. With 15 minutes left, botocore requests new ones at each call."""

NOT_FOUND = 127
"""The exit code of a shell for a command that does not exist."""


@click.group(cls=Group, invoke_without_command=True)
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
    help="For credential_process, as shell commands, or as plain JSON.",
)
@options.timeout
@click.pass_context
def credentials(
    ctx: click.Context, key: str | None, user: str | None, password: str | None, form: str
) -> None:
    """Print your temporary AWS credentials for other tools.

    It never prompts: sign in first with `aws-iot login`, or preset a password. The credentials are valid for an hour at
    most. They allow what the identity pool's role allows.

    \b
    In ~/.aws/config, for the AWS CLI, boto3 and other SDKs:
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
    app = ctx.find_object(App) or App()
    profile, credentials = _sign_in(app, options.given_or_default(app, key), user, password)
    if form == "env":
        for name, value in (_region(profile) | _environment(credentials)).items():
            output.data(f"export {name}={shlex.quote(value)}")
    elif form == "json":
        output.data(json.dumps(_region(profile) | _environment(credentials)))
    else:
        output.data(json.dumps(_as_process(credentials)))


@credentials.command("exec")
@options.profile
@options.user
@options.password
@options.timeout
@options.argument(
    "command", nargs=-1, required=True, metavar="-- COMMAND...", type=click.UNPROCESSED, may_be_empty=True
)
@click.pass_obj
def exec_(app: App, key: str, user: str | None, password: str | None, command: tuple[str, ...]) -> None:
    """Run a command with your AWS credentials as variables.

    Its exit code is that of the command.

    \b
    Example:
      aws-iot credentials exec -- aws iot-data publish --topic t --payload hello
    """
    profile, credentials = _sign_in(app, key, user, password)
    env = {
        name: value
        for name, value in os.environ.items()
        if name not in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
    }
    region = {} if {"AWS_REGION", "AWS_DEFAULT_REGION"} & env.keys() else _region(profile)
    _replace_process(command, env | region | _environment(credentials))


def _sign_in(app: App, key: str, user: str | None, password: str | None) -> tuple[Profile, Credentials]:
    profile = app.config.profiles.load(key)
    person = sign_in(app, profile, user, password, from_stdin=False, ask=False, left=VALID_FOR)
    return profile, person.credentials


def _region(profile: Profile) -> dict[str, str]:
    """The region of the rooms. boto3 and version 1 of the AWS CLI read only the second variable."""
    return {"AWS_REGION": profile.iot_region, "AWS_DEFAULT_REGION": profile.iot_region}


def _environment(credentials: Credentials) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": credentials.secret_access_key,
        "AWS_SESSION_TOKEN": credentials.session_token,
        "AWS_CREDENTIAL_EXPIRATION": timestamp(credentials.expires),
    }


def _as_process(credentials: Credentials) -> dict[str, object]:
    """The format that SDKs read: docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html."""
    return {
        "Version": 1,
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token,
        "Expiration": timestamp(credentials.expires),
    }


def _replace_process(command: tuple[str, ...], env: dict[str, str]) -> NoReturn:
    """Replace this process by the command. On Windows, run the command and wait for it."""
    program = shutil.which(command[0], path=env.get("PATH"))
    if program is None:
        output.error(f"Error: there is no command '{command[0]}'")
        sys.exit(NOT_FOUND)
    if os.name == "nt":
        sys.exit(subprocess.run([program, *command[1:]], env=env, check=False).returncode)
    os.execve(program, command, env)  # noqa: S606 the purpose of this command
