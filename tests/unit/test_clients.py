"""Clients of AWS services: what they read, and what they leave alone."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address

POOLS = Address("cognito-idp", "us-east-1")


@pytest.mark.parametrize(
    "mistake",
    ["[profile a]\nregion = us-east-1\nregion = us-east-1\n", "[profile", "\0", "[default]\nregion"],
)
def test_a_broken_file_of_aws_settings_does_not_stop_an_unsigned_call(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        path = tmp_path / name
        path.write_text(mistake, encoding="utf-8")
        monkeypatch.setenv(name, str(path))
    service = Service.unsigned(POOLS, lambda: datetime.now(UTC), 5)
    assert service.client.meta.endpoint_url == "https://cognito-idp.us-east-1.amazonaws.com"


def test_an_aws_profile_that_does_not_exist_does_not_stop_an_unsigned_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    assert Service.unsigned(POOLS, lambda: datetime.now(UTC), 5)
