"""`aws-iot account` and `aws-iot mfa`: the account of the signed-in user."""

import json

import pytest

from aws_iot.cli.ui.authenticator import issuer_of, key_uri
from tests.conftest import CommandLine
from tests.fakes import FakeApp, FakeCloud


@pytest.fixture(autouse=True)
def identity(cloud: FakeCloud, aws_iot: CommandLine) -> str:
    """Alice is a member, and signed in."""
    identity = cloud.member("alice", "Passw0rd")
    aws_iot("config -u alice -p Passw0rd")
    aws_iot("login")
    return identity


def test_deleting_an_account_removes_its_session_and_password(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    assert "--yes" in aws_iot("account delete", ends=2).stderr
    assert "alice" in cloud.accounts
    for line in ("account delete --yes", "account delete --yes -u bob"):
        assert "Nothing was deleted" in aws_iot(line, ends=2).stderr
    assert "alice" in cloud.accounts
    hint = "To delete it: aws-iot account delete -u alice --yes -k default\n"
    assert aws_iot("account delete --yes", ends=2).stderr.endswith(hint)
    aws_iot("account delete --yes -u alice")
    assert cloud.accounts == {}
    assert app.config.secrets.get("password", "default", "alice") is None
    aws_iot("whoami", ends=4)
    assert "aws-iot login" in aws_iot("account delete --yes -u alice", ends=4).stderr


def test_a_second_factor_by_message_needs_no_terminal(aws_iot: CommandLine) -> None:
    assert "text message" in aws_iot("mfa setup --method sms").stderr
    assert aws_iot("mfa status").stdout == "text message\n"
    assert json.loads(aws_iot("mfa status --json").stdout) == {"on": ["SMS_MFA"], "preferred": "SMS_MFA"}
    aws_iot("mfa off")
    assert aws_iot("mfa status").stdout == ""


def test_an_authenticator_app_needs_a_terminal(aws_iot: CommandLine) -> None:
    assert "terminal" in aws_iot("mfa setup", ends=2).stderr


@pytest.mark.parametrize("line", ["mfa status", "mfa setup --method email", "mfa off"])
def test_mfa_requires_a_session(aws_iot: CommandLine, line: str) -> None:
    aws_iot("logout")
    assert "aws-iot login -k default" in aws_iot(line, ends=4).stderr


def test_a_remembered_device_is_used_at_the_next_sign_in(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.knows_devices = True
    aws_iot("login --remember-device")
    aws_iot("logout")
    aws_iot("login")
    assert len(cloud.devices) == 1
    assert cloud.remembered == cloud.devices


def test_the_key_uri_is_in_the_format_of_authenticator_apps() -> None:
    assert key_uri("a b@example.com", "ABC", issuer_of("team")) == (
        "otpauth://totp/aws-iot%20team%3Aa%20b%40example.com?secret=ABC&issuer=aws-iot%20team"
    )
