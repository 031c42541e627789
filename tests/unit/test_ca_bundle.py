"""Where the file of the certificate authorities is set, and what wins."""

from pathlib import Path

import pytest

from aws_iot.config.ca_bundle import ca_bundle_unusable, check_ca_bundle, find_ca_bundle, untrusted_hint
from aws_iot.errors import LocalError

VARIABLES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_PROFILE", "AWS_DEFAULT_PROFILE")


@pytest.fixture(autouse=True)
def aws_config(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The file of AWS settings, which does not exist yet; nothing else is set."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path / "config"


def test_without_a_setting_there_is_none() -> None:
    assert find_ca_bundle(None) is None


def test_the_first_setting_counts(monkeypatch: pytest.MonkeyPatch, aws_config: Path) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/4.pem")
    assert find_ca_bundle(None) == "/4.pem"
    aws_config.write_text("[default]\nca_bundle = /3.pem\n")
    assert find_ca_bundle(None) == "/3.pem"
    monkeypatch.setenv("AWS_CA_BUNDLE", "/2.pem")
    assert find_ca_bundle(None) == "/2.pem"
    assert find_ca_bundle("/1.pem") == "/1.pem"


def test_an_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/4.pem")
    assert find_ca_bundle(None) == "/4.pem"


def test_the_aws_profile_decides_which_section_counts(
    monkeypatch: pytest.MonkeyPatch, aws_config: Path
) -> None:
    aws_config.write_text("[profile a]\nca_bundle = /a.pem\n[profile b]\nca_bundle = /b.pem\n")
    assert find_ca_bundle(None) is None
    monkeypatch.setenv("AWS_PROFILE", "a")
    assert find_ca_bundle(None) == "/a.pem"
    assert find_ca_bundle(None, "b") == "/b.pem"
    assert find_ca_bundle(None, "c") is None


@pytest.mark.parametrize("header", ['profile "our team"', "profile 'our team'", "profile \t 'our team'"])
def test_the_name_of_an_aws_profile_may_be_quoted(aws_config: Path, header: str) -> None:
    aws_config.write_text(f"[profile it's]\n[{header}]\nca_bundle = /x.pem\n")
    assert find_ca_bundle(None, "our team") == "/x.pem"


@pytest.mark.parametrize("text", ["[profile", "ca_bundle = /x.pem", "\0", "[default]\n = x"])
def test_a_malformed_file_of_aws_settings_is_ignored(aws_config: Path, text: str) -> None:
    aws_config.write_text(text)
    assert find_ca_bundle(None) is None


def test_a_key_that_appears_twice_does_no_harm(aws_config: Path) -> None:
    aws_config.write_text("[default]\nregion = a\nregion = b\nca_bundle = /x.pem\n")
    assert find_ca_bundle(None) == "/x.pem"


def test_a_path_may_begin_at_the_home_or_at_the_current_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for path in ("~/ca.pem", "ca.pem"):
        assert find_ca_bundle(path) == str(tmp_path / "ca.pem")
        monkeypatch.setenv("AWS_CA_BUNDLE", path)
        assert find_ca_bundle(None) == str(tmp_path / "ca.pem")


def test_without_a_home_there_is_no_file_of_aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_CONFIG_FILE", "~nosuch/config")
    assert find_ca_bundle(None) is None


def test_the_error_names_the_setting(monkeypatch: pytest.MonkeyPatch, aws_config: Path) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/2.pem")
    aws_config.write_text("[default]\nca_bundle = /3.pem\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/4.pem")
    for path, setting in (
        ("/2.pem", "AWS_CA_BUNDLE"),
        ("/3.pem", "ca_bundle in ~/.aws/config"),
        ("/4.pem", "REQUESTS_CA_BUNDLE"),
    ):
        assert f"It is set by {setting}." in (ca_bundle_unusable(path).hint or "")


def test_the_error_for_the_file_of_the_profile_names_the_profile(tmp_path: Path) -> None:
    assert "It is set by ca_bundle in the profile." in (ca_bundle_unusable(str(tmp_path / "x")).hint or "")


def test_a_file_without_certificates_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    with pytest.raises(LocalError, match=r"no\.pem cannot be used: it holds no valid certificate"):
        check_ca_bundle(str(tmp_path / "no.pem"))


def test_the_hint_for_an_unknown_authority_names_the_file_that_is_trusted_instead(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", "/2.pem")
    assert untrusted_hint("/2.pem").startswith(
        "Only the authorities in /2.pem are trusted, because of AWS_CA_BUNDLE.\n"
    )
    assert "because of ca_bundle in the profile" in untrusted_hint("/1.pem")
    assert "ca_bundle in the exports file" in untrusted_hint("/2.pem")


def test_the_hint_for_an_unknown_authority_names_no_file_if_none_is_set() -> None:
    assert untrusted_hint(None).startswith("If this is your server, set ca_bundle")
