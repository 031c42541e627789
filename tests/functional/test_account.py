"""`aws-iot signup` and `aws-iot confirm`."""

import pytest

from tests.conftest import CommandLine
from tests.fakes import FakeCloud


def test_signup_shows_the_next_command(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    result = aws_iot("signup -u alice -p Passw0rd -e alice@example.com")
    assert cloud.accounts["alice"].password == "Passw0rd"
    assert "alice@example.com" in result.stderr
    assert "aws-iot confirm -u alice -c CODE -k default" in result.stderr
    assert result.stdout == ""


def test_confirm_prints_success_as_the_npm_tool_does(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("signup -u alice -p Passw0rd -e alice@example.com")
    assert aws_iot("confirm -u alice -c 123456").stdout == "SUCCESS\n"
    assert cloud.accounts["alice"].confirmed


def test_a_code_can_be_resent(aws_iot: CommandLine) -> None:
    aws_iot("signup -u alice -p Passw0rd -e alice@example.com")
    result = aws_iot("confirm -u alice --resend")
    assert "alice@example.com" in result.stderr
    assert result.stdout == ""


def test_the_profile_s_user_is_the_default(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("config -u alice")
    aws_iot("signup -p Passw0rd -e alice@example.com")
    aws_iot("confirm -c 123456")
    assert cloud.accounts["alice"].confirmed


def test_variables_replace_options(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    env = {"AWS_IOT_USER": "alice", "AWS_IOT_PASSWORD": "Passw0rd", "AWS_IOT_EMAIL": "alice@example.com"}
    aws_iot("signup", env=env)
    aws_iot("confirm", env=env | {"AWS_IOT_CODE": "123456"})
    assert cloud.accounts["alice"].confirmed


def test_a_password_can_come_from_standard_input(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    aws_iot("signup -u alice --password-stdin -e alice@example.com", stdin="Passw0rd\r\n")
    assert cloud.accounts["alice"].password == "Passw0rd"


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("signup -p Passw0rd -e a@b.c", 2, "Which user?"),
        ("signup -u alice -p Passw0rd", 2, "Missing option '-e'"),
        ("signup -u alice -e a@b.c", 2, "use --password-stdin or set AWS_IOT_PASSWORD"),
        ("signup -u alice -e a@b.c --password-stdin", 2, "standard input holds no password"),
        ("signup -u alice -p short -e a@b.c", 7, "password"),
        ("signup -u alice -p Passw0rd -e nob", 2, "'nob' is not an e-mail address."),
        ("signup -u taken -p Passw0rd -e a@b.c", 7, "taken"),
        ("signup -u alice -p Passw0rd -e a@b.c -k nope", 3, "there is no profile 'nope'"),
        ("confirm -u nobody -c 123456", 4, "no such user"),
        ("confirm -u taken -c 000000", 4, "not the code"),
        ("confirm -u taken", 2, "--resend"),
    ],
)
def test_a_mistake_is_reported_in_a_line(aws_iot: CommandLine, line: str, code: int, words: str) -> None:
    aws_iot("signup -u taken -p Passw0rd -e taken@example.com")
    result = aws_iot(line, ends=code)
    assert words in result.stderr
    assert result.stdout == ""


def test_quiet_leaves_data_and_errors(aws_iot: CommandLine) -> None:
    assert aws_iot("signup -q -u alice -p Passw0rd -e a@b.c").output == ""
    assert aws_iot("confirm -q -u alice -c 123456").output == "SUCCESS\n"
    assert aws_iot("confirm -q -u alice -c 123456", ends=4).stderr != ""
