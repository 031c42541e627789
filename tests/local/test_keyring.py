"""The system's keyring, found by the real library: what goes there, and which commands wait for it."""

import json
from pathlib import Path

import pytest

from aws_iot.app import App
from tests.conftest import REPOSITORY
from tests.processes import PASSWORD, Stack, end_soon, environment, run


@pytest.fixture
def env(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """The environment of a person with a keyring and a profile of the stack."""
    (tmp_path / "keyring").mkdir()
    App(tmp_path / "config").profiles.change("default", lambda _: stack.profile)
    env = environment(
        tmp_path / "config",
        PYTHON_KEYRING_BACKEND="tests.keyrings.FolderKeyring",
        PYTHONPATH=str(REPOSITORY),
        TEST_KEYRING=str(tmp_path / "keyring"),
    )
    del env["AWS_IOT_SECRETS"]
    return env


def secrets(tmp_path: Path) -> list[str]:
    return [json.loads(path.read_text())["value"] for path in sorted((tmp_path / "keyring").iterdir())]


def test_passwords_and_refresh_tokens_are_in_the_keyring_and_in_no_file(
    stack: Stack, env: dict[str, str], tmp_path: Path
) -> None:
    person = stack.person()
    done = run(f"config -u {person.username} -p {PASSWORD}", env)
    assert "keyring" not in done.stderr
    run("login", env)
    assert len(secrets(tmp_path)) == 2
    held = {path: path.read_text() for path in (tmp_path / "config").rglob("*") if path.is_file()}
    assert not [path for secret in secrets(tmp_path) for path, text in held.items() if secret in text]

    end_soon(App(tmp_path / "config"))
    run("pub -r lobby -m hello", env)
    run("logout", env)
    assert secrets(tmp_path) == [PASSWORD]
    run("config remove -k default", env)
    assert secrets(tmp_path) == []


def test_only_commands_that_need_a_locked_keyring_wait_for_it(
    stack: Stack, env: dict[str, str], tmp_path: Path
) -> None:
    person = stack.person()
    run(f"login -u {person.username} -p {PASSWORD}", env)
    locked = env | {"TEST_KEYRING": str(tmp_path / "locked")}
    run("pub -r lobby -m hello", locked)
    assert json.loads(run("whoami --json", locked).stdout)["user"] == person.username
    end_soon(App(tmp_path / "config"))
    assert "AWS_IOT_SECRETS=file" in run("pub -r lobby -m hello", locked, ends=3).stderr


def test_if_the_keyring_fails_secrets_go_to_private_files_and_that_is_reported_once(
    stack: Stack, env: dict[str, str], tmp_path: Path
) -> None:
    person = stack.person()
    locked = env | {"TEST_KEYRING": str(tmp_path / "locked")}
    assert "No keyring" in run(f"login -u {person.username} -p {PASSWORD}", locked).stderr
    assert "No keyring" not in run(f"login -u {person.username} -p {PASSWORD}", locked).stderr
    end_soon(App(tmp_path / "config"))
    run("pub -r lobby -m hello", locked)


def test_a_required_keyring_that_cannot_be_used_is_an_error(
    stack: Stack, env: dict[str, str], tmp_path: Path
) -> None:
    for backend in ("keyring.backends.fail.Keyring", "no.such.Keyring", "keyring.backends.null.Keyring"):
        without = env | {"PYTHON_KEYRING_BACKEND": backend, "AWS_IOT_SECRETS": "keyring"}
        assert "no keyring" in run(f"config -u alice -p {PASSWORD}", without, ends=3).stderr
    assert "file or keyring" in run("login -u alice", env | {"AWS_IOT_SECRETS": "vault"}, ends=3).stderr
