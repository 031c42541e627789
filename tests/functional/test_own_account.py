"""`aws-iot account` and `aws-iot mfa`: what people do with the account that they are signed in to."""

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


def test_an_account_is_deleted_with_all_that_was_kept_of_it(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    assert "--yes" in aws_iot("account delete", ends=2).stderr
    assert "alice" in cloud.accounts
    for line in ("account delete --yes", "account delete --yes -u bob"):
        assert "nothing is deleted" in aws_iot(line, ends=2).stderr
    assert "alice" in cloud.accounts
    aws_iot("account delete --yes -u alice")
    assert cloud.accounts == {}
    assert app.secrets.get("password", "default", "alice") is None
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
def test_who_is_not_signed_in_is_told_so(aws_iot: CommandLine, line: str) -> None:
    aws_iot("logout")
    assert "aws-iot login -k default" in aws_iot(line, ends=4).stderr


def test_a_device_that_the_pool_gives_is_shown_to_it_again(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.knows_devices = True
    aws_iot("login --remember-device")
    aws_iot("logout")
    aws_iot("login")
    assert len(cloud.devices) == 1
    assert cloud.remembered == cloud.devices


def test_apps_are_told_the_account_in_the_way_they_all_read() -> None:
    assert key_uri("a b@example.com", "ABC", issuer_of("team")) == (
        "otpauth://totp/aws-iot%20team%3Aa%20b%40example.com?secret=ABC&issuer=aws-iot%20team"
    )
