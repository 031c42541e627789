"""`aws-iot password`: change it, and reset a forgotten one."""

import pytest

from tests.conftest import CommandLine
from tests.fakes import FakeApp, FakeCloud


@pytest.fixture(autouse=True)
def identity(cloud: FakeCloud) -> str:
    """Alice is a member."""
    return cloud.member("alice", "Passw0rd")


def test_without_a_terminal_a_reset_takes_two_commands(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    sent = aws_iot("password reset -u alice")
    assert "aws-iot password reset -u alice -c CODE -k default" in sent.stderr
    aws_iot("password reset -u alice -c 654321 --new-password Passw0rd-2")
    assert cloud.accounts["alice"].password == "Passw0rd-2"


def test_a_signed_in_user_changes_the_password(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("login -u alice -p Passw0rd")
    aws_iot("password change -p Passw0rd", env={"AWS_IOT_NEW_PASSWORD": "Passw0rd-2"})
    assert cloud.accounts["alice"].password == "Passw0rd-2"


def test_a_change_removes_the_preset_password(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice -p Passw0rd")
    aws_iot("login")
    assert "aws-iot config -p PASS" in aws_iot("password change -p Passw0rd --new-password Passw0rd-2").stderr
    assert app.config.secrets.get("password", "default", "alice") is None


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("password change -p x --new-password Passw0rd-2", 4, "aws-iot login -k default"),
        ("password reset -u alice -c 000000 --new-password Passw0rd-2", 4, "not the code"),
        ("password reset -u alice -c 654321 --new-password short", 7, "too weak"),
        ("password reset -u alice -c 654321 --new-password short", 7, "every user pool requires 6 or more"),
        ("password reset -u alice --new-password short", 7, "every user pool requires 6 or more"),
        ("password reset -u alice -c CODE --new-password Passw0rd-2", 2, "'CODE' is not a code"),
        ("password reset -u alice -c 654321", 2, "AWS_IOT_NEW_PASSWORD"),
        ("confirm -u alice -c CODE", 2, "'CODE' is not a code"),
        ("password reset", 2, "Which user?"),
        ("password reset -u nobody", 4, "no such user"),
    ],
)
def test_a_mistake_is_reported_in_a_line(
    aws_iot: CommandLine, cloud: FakeCloud, line: str, code: int, words: str
) -> None:
    assert words in aws_iot(line, ends=code).stderr
    assert cloud.accounts["alice"].password == "Passw0rd"


def test_a_wrong_old_password_points_to_a_reset(aws_iot: CommandLine) -> None:
    aws_iot("login -u alice -p Passw0rd")
    told = aws_iot("password change -p wrong --new-password Passw0rd-2", ends=4).stderr
    assert "aws-iot password reset -u alice -k default" in told


def test_at_a_terminal_a_reset_asks_for_the_code_that_it_sends(aws_iot: CommandLine, app: FakeApp) -> None:
    app.controls.is_at_terminal = True
    told = aws_iot("password reset -u alice", ends=2).stderr
    assert told.startswith("A code was sent to alice@example.com.\n")
    assert "There is no terminal to ask for this: Code" in told  # it has asked
