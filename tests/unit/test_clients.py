"""Clients of AWS services: what they read, and what they leave alone."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address, ca_bundle_of, unsigned_client
from aws_iot.errors import LocalError, ProfileError

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


@pytest.mark.parametrize(
    "variable",
    [
        "AWS_DEFAULTS_MODE",
        "AWS_RETRY_MODE",
        "AWS_MAX_ATTEMPTS",
        "AWS_STS_REGIONAL_ENDPOINTS",
        "AWS_REQUEST_MIN_COMPRESSION_SIZE_BYTES",
        "AWS_REQUEST_CHECKSUM_CALCULATION",
        "AWS_RESPONSE_CHECKSUM_VALIDATION",
        "AWS_ACCOUNT_ID_ENDPOINT_MODE",
        "AWS_S3_US_EAST_1_REGIONAL_ENDPOINT",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
    ],
)
def test_a_variable_of_other_tools_does_not_stop_an_unsigned_call(
    monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "nonsense")
    assert unsigned_client(POOLS, 5).meta.endpoint_url == "https://cognito-idp.us-east-1.amazonaws.com"


@pytest.mark.parametrize(
    ("variable", "value", "url"),
    [
        ("AWS_USE_FIPS_ENDPOINT", "true", "https://cognito-idp-fips.us-east-1.amazonaws.com"),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER", "http://127.0.0.1:1", "http://127.0.0.1:1"),
    ],
)
def test_the_variables_of_addresses_count(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, url: str
) -> None:
    monkeypatch.setenv(variable, value)
    assert unsigned_client(POOLS, 5).meta.endpoint_url == url


def test_an_address_that_cannot_be_used_is_blamed_on_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(ProfileError) as caught:
        unsigned_client(POOLS, 5)
    assert caught.value.hint == "Check AWS_ENDPOINT_URL."


def test_a_client_trusts_the_authorities_that_the_settings_name(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    assert ca_bundle_of(unsigned_client(POOLS, 5)) == str(tmp_path / "ca.pem")
    own = replace(POOLS, ca_bundle="/own.pem")
    assert ca_bundle_of(unsigned_client(own, 5)) == "/own.pem"


def test_the_error_for_an_impossible_region_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")  # which is not to blame
    with pytest.raises(LocalError, match=r"^'us east' is not an AWS region$") as raised:
        unsigned_client(Address("cognito-idp", "us east"), 5)
    assert "AWS_ENDPOINT_URL" not in (raised.value.hint or "")
