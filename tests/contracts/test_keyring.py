"""What every `Keyring` does: the fake, and the adapter of the `keyring` library with a backend for tests."""

from collections.abc import Iterator
from pathlib import Path

import keyring.backends.fail
import pytest

from aws_iot.config.keyring import find
from aws_iot.config.secrets import Keyring
from tests.fakes import FakeKeyring
from tests.keyrings import FolderKeyring


@pytest.fixture(params=["fake", "keyring library"])
def secrets(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Keyring]:
    """A keyring that holds nothing."""
    if request.param == "fake":
        yield FakeKeyring()
        return
    monkeypatch.setenv("TEST_KEYRING", str(tmp_path))
    keyring.set_keyring(FolderKeyring())  # type: ignore[no-untyped-call]
    found = find()
    assert found
    yield found
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]


def test_a_keyring_gives_back_what_it_was_given(secrets: Keyring) -> None:
    for name, value in (("team/alice", "hunter2"), ("team/bob", "ä\n☂"), ("team/alice", "hunter3")):
        secrets.set(name, value)
        assert secrets.get(name) == value
    assert secrets.get("team/bob") == "ä\n☂"


def test_an_unknown_name_holds_nothing_and_can_be_removed(secrets: Keyring) -> None:
    assert secrets.get("team/alice") is None
    secrets.remove("team/alice")


def test_a_removed_secret_is_gone_and_the_others_stay(secrets: Keyring) -> None:
    for name in ("team/alice", "team/bob"):
        secrets.set(name, "hunter2")
    secrets.remove("team/alice")
    assert (secrets.get("team/alice"), secrets.get("team/bob")) == (None, "hunter2")
