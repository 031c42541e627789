"""`aws-iot credentials`: AWS credentials for other tools, without a prompt."""

import json
import shlex
import subprocess

import pytest

from tests.conftest import CommandLine
from tests.fakes import FakeApp, FakeCloud


@pytest.fixture(autouse=True)
def identity(cloud: FakeCloud) -> str:
    """Alice is a member."""
    return cloud.member("alice", "Passw0rd")


def test_the_format_for_a_credential_process(aws_iot: CommandLine) -> None:
    aws_iot("login -u alice -p Passw0rd")
    result = aws_iot("credentials")
    keys = json.loads(result.stdout)
    assert list(keys) == ["Version", "AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"]
    assert keys["Version"] == 1
    assert keys["Expiration"].endswith("Z")
    assert result.stderr == ""


def test_the_format_for_a_shell(aws_iot: CommandLine) -> None:
    aws_iot("login -u alice -p Passw0rd")
    lines = aws_iot("credentials --format env").stdout
    told = subprocess.run(
        ["sh", "-c", f"{lines}\necho $AWS_SESSION_TOKEN"], capture_output=True, text=True, check=True
    )
    assert told.stdout == "token\n"


def test_the_json_format(aws_iot: CommandLine) -> None:
    aws_iot("login -u alice -p Passw0rd")
    assert json.loads(aws_iot("credentials --format json").stdout)["AWS_SESSION_TOKEN"] == "token"


@pytest.mark.parametrize("line", ["credentials -u alice", "credentials exec -u alice -- true"])
def test_it_never_prompts_even_at_a_terminal(aws_iot: CommandLine, app: FakeApp, line: str) -> None:
    app.is_at_terminal = True
    result = aws_iot(line, ends=4)
    assert "aws-iot login -u alice -k default" in result.stderr
    assert result.stdout == ""


def test_a_preset_password_signs_in(aws_iot: CommandLine) -> None:
    aws_iot("config -u alice -p Passw0rd")
    assert json.loads(aws_iot("credentials").stdout)["AccessKeyId"]


def test_a_password_in_the_environment_signs_in(aws_iot: CommandLine) -> None:
    assert aws_iot("credentials -u alice", env={"AWS_IOT_PASSWORD": "Passw0rd"}).stdout


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("credentials", 4, "aws-iot login -k default"),
        ("credentials exec", 2, "Missing argument"),
        ("credentials -u alice exec true", 2, "Put options after 'exec'"),
        ("credentials --format xml", 2, "xml"),
        (
            f"credentials exec -u alice -p {shlex.quote('Passw0rd')} -- no-such-command",
            127,
            "no-such-command",
        ),
    ],
)
def test_a_mistake_is_reported_in_a_line(aws_iot: CommandLine, line: str, code: int, words: str) -> None:
    assert words in aws_iot(line, ends=code).stderr
