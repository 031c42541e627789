"""The credentials of a Cognito user in other AWS tools, for real: boto3 reads the lines that the docs show."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from aws_iot.app import App
from tests.in_process import run_here
from tests.processes import COMMAND, PASSWORD, Person, Stack, aws_cli, environment, run
from tests.waiting import DEADLINE_SECONDS

WHO_AM_I = """
import boto3, json, sys
session = boto3.Session(profile_name=sys.argv[2] if len(sys.argv) > 2 else None, region_name="us-east-1")
print(json.dumps(session.client("sts", endpoint_url=sys.argv[1]).get_caller_identity()["Arn"]))
"""


@pytest.fixture
def person(stack: Stack, tmp_path: Path) -> Person:
    """A signed-in person with settings of their own."""
    person = stack.person()
    env = environment(tmp_path)
    App.in_folder(tmp_path).config.profiles.change("default", lambda _: stack.profile)
    run_here(f"login -u {person.username} -p {PASSWORD}", env)
    return Person(person.username, person.identity, env)


def who_am_i(env: dict[str, str], *arguments: str) -> str:
    """The identity that AWS sees for the credentials that boto3 finds."""
    command = [sys.executable, "-c", WHO_AM_I, *arguments]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 0, done.stderr
    arn: str = json.loads(done.stdout)
    return arn


def test_boto3_gets_its_credentials_from_a_credential_process(
    stack: Stack, person: Person, tmp_path: Path
) -> None:
    config = tmp_path / "aws-config"
    config.write_text(
        f"[profile chat]\ncredential_process = {COMMAND[0]} -m aws_iot credentials -k default\n"
    )
    arn = who_am_i(person.env | {"AWS_CONFIG_FILE": str(config)}, str(stack.profile.iot_url), "chat")
    assert arn.endswith("/CognitoIdentityCredentials")


def test_the_aws_cli_gets_its_credentials_from_a_credential_process(
    stack: Stack, person: Person, tmp_path: Path
) -> None:
    config = tmp_path / "aws-config"
    config.write_text(
        f"[profile chat]\nregion = us-east-1\n"
        f"credential_process = {COMMAND[0]} -m aws_iot credentials -k default\n"
    )
    env = person.env | {"AWS_CONFIG_FILE": str(config)}
    line = f"--profile chat --endpoint-url {stack.profile.iot_url} sts get-caller-identity".split()
    done = aws_cli(*line, env=env)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["Arn"].endswith("/CognitoIdentityCredentials")

    run_here("logout", person.env)
    done = aws_cli(*line, env=env)
    assert done.returncode != 0
    assert "aws-iot login" in done.stderr


def test_exec_gives_the_credentials_and_ends_with_the_command_s_exit_code(
    stack: Stack, person: Person
) -> None:
    line = [*COMMAND, "credentials", "exec", "--", sys.executable, "-c", WHO_AM_I, str(stack.profile.iot_url)]
    env = person.env | {"AWS_PROFILE": "nonsense"}
    done = subprocess.run(line, env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True)
    assert json.loads(done.stdout).endswith("/CognitoIdentityCredentials")
    run(f"credentials exec -- {sys.executable} -c 'raise SystemExit(42)'", person.env, ends=42)


def test_exec_does_not_pass_secrets_on(person: Person) -> None:
    script = (
        "import os; print(*(name for name in os.environ if name in ('AWS_IOT_PASSWORD', 'AWS_IOT_MFA_CODE')))"
    )
    env = person.env | {"AWS_IOT_PASSWORD": PASSWORD, "AWS_IOT_MFA_CODE": "123456"}
    assert run(f'credentials exec -- {sys.executable} -c "{script}"', env).stdout == "\n"
