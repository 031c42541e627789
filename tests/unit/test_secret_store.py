"""Secrets are saved in the system's keyring, or in private files if there is none."""

import json
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from aws_iot.config.secrets import SecretStore
from aws_iot.errors import LocalError
from tests.fakes import FakeKeyring


class LockedKeyring(FakeKeyring):
    """A keyring that is locked."""

    def set(self, name: str, value: str) -> None:
        raise LocalError("the keyring of this system cannot be used: locked")


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def store(tmp_path: Path, reports: list[str]) -> Callable[..., SecretStore]:
    def make(keyring: FakeKeyring | None, storage: str | None = None) -> SecretStore:
        return SecretStore(
            tmp_path / "secrets", keyring=lambda: keyring, storage=storage, report=reports.append
        )

    return make


def files_with(folder: Path, secret: str) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and secret.encode() in path.read_bytes()]


def test_a_secret_goes_to_the_keyring_if_there_is_one(
    store: Callable[..., SecretStore], reports: list[str], tmp_path: Path
) -> None:
    keyring = FakeKeyring()
    store(keyring).set("password", "team", "alice", "hunter2")
    [held] = keyring.holds.values()
    assert json.loads(held) == {"owner": "alice", "value": "hunter2"}
    assert files_with(tmp_path, "hunter2") == []
    assert reports == []
    assert store(keyring).get("password", "team", "alice") == "hunter2"


@pytest.mark.parametrize("keyring", [None, LockedKeyring()])
def test_without_a_keyring_it_goes_to_a_private_file_and_that_is_reported_once(
    store: Callable[..., SecretStore], reports: list[str], tmp_path: Path, keyring: FakeKeyring | None
) -> None:
    store(keyring).set("password", "team", "alice", "hunter2")
    store(keyring).set("device", "team", "alice", "hunter3")
    [path] = files_with(tmp_path, "hunter2")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert len(reports) == 1
    assert str(tmp_path / "secrets") in reports[0]
    assert store(keyring).get("password", "team", "alice") == "hunter2"


def test_files_can_be_chosen_without_a_report(
    store: Callable[..., SecretStore], reports: list[str], tmp_path: Path
) -> None:
    keyring = FakeKeyring()
    store(keyring, "file").set("password", "team", "alice", "hunter2")
    assert keyring.holds == {}
    assert files_with(tmp_path, "hunter2")
    assert reports == []


@pytest.mark.parametrize("keyring", [None, LockedKeyring()])
def test_if_the_keyring_is_chosen_no_file_is_used(
    store: Callable[..., SecretStore], tmp_path: Path, keyring: FakeKeyring | None
) -> None:
    with pytest.raises(LocalError, match="keyring"):
        store(keyring, "keyring").set("password", "team", "alice", "hunter2")
    assert files_with(tmp_path, "hunter2") == []


def test_a_keyring_without_the_secret_is_not_used(tmp_path: Path) -> None:
    def no_keyring() -> FakeKeyring:
        raise AssertionError("asked")

    store = SecretStore(tmp_path, keyring=no_keyring)
    assert store.get("password", "team", "alice") is None
    store.remove("password", "team")
    SecretStore(tmp_path, keyring=no_keyring, storage="file").set("password", "team", "alice", "hunter2")
    assert store.get("password", "team", "alice") == "hunter2"
    assert store.get("password", "team", "bob") is None


def test_profiles_kinds_and_folders_do_not_mix(tmp_path: Path) -> None:
    keyring = FakeKeyring()
    stores = [SecretStore(tmp_path / name, keyring=lambda: keyring) for name in ("one", "two")]
    stores[0].set("password", "team", "alice", "1")
    stores[0].set("password", "home", "alice", "2")
    stores[0].set("device", "team", "alice", "3")
    stores[1].set("password", "team", "alice", "4")
    assert len(keyring.holds) == 4
    assert stores[0].get("password", "team", "alice") == "1"


def test_a_removed_secret_is_removed_from_the_keyring(store: Callable[..., SecretStore]) -> None:
    keyring = FakeKeyring()
    store(keyring).set("password", "team", "alice", "hunter2")
    store(keyring).remove("password", "team")
    assert keyring.holds == {}
    assert store(keyring).get("password", "team", "alice") is None


def test_another_owner_s_secret_in_the_keyring_is_not_returned(store: Callable[..., SecretStore]) -> None:
    # As if two programs saved theirs at once: the note is of one, the keyring's entry of the other.
    keyring = FakeKeyring()
    store(keyring).set("password", "team", "alice", "hunter2")
    [name] = keyring.holds
    store(keyring).set("password", "team", "bob", "hunter3")
    keyring.holds[name] = '{"owner": "alice", "value": "hunter2"}'
    assert store(keyring).get("password", "team", "bob") is None


def test_choosing_files_later_empties_the_keyring(store: Callable[..., SecretStore]) -> None:
    keyring = FakeKeyring()
    store(keyring).set("password", "team", "alice", "hunter2")
    store(keyring).set("device", "team", "alice", "hunter3")
    store(keyring, "file").set("password", "team", "alice", "hunter4")
    store(keyring, "file").remove("device", "team")
    assert keyring.holds == {}
    assert store(keyring, "file").get("password", "team", "alice") == "hunter4"


def test_a_secret_moves_to_the_chosen_storage(store: Callable[..., SecretStore], tmp_path: Path) -> None:
    keyring = FakeKeyring()
    store(keyring, "file").set("password", "team", "alice", "hunter2")
    store(keyring, "keyring").set("password", "team", "alice", "hunter3")
    assert files_with(tmp_path, "hunter") == []
    assert store(keyring).get("password", "team", "alice") == "hunter3"


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"null", b"[]", b"7", b'{"owner": "alice"}', b'{"owner": "alice", "in": "file"}']
)
def test_a_damaged_secret_counts_as_missing(
    store: Callable[..., SecretStore], tmp_path: Path, damage: bytes
) -> None:
    store(None).set("password", "team", "alice", "hunter2")
    [path] = files_with(tmp_path, "hunter2")
    path.write_bytes(damage)
    assert store(None).get("password", "team", "alice") is None


def test_an_unknown_storage_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="AWS_IOT_SECRETS"):
        SecretStore(tmp_path, keyring=lambda: None, storage="vault")


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
def test_a_secret_that_others_could_read_is_protected_and_reported(
    store: Callable[..., SecretStore], reports: list[str], tmp_path: Path
) -> None:
    store(None, "file").set("password", "team", "alice", "hunter2")
    [path] = files_with(tmp_path, "hunter2")
    path.chmod(0o666)
    for _ in range(2):
        assert store(None, "file").get("password", "team", "alice") == "hunter2"
    assert reports == [f"Other users could read {path}; now only you can. If in doubt, change your password."]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
