"""The shell completes commands and profiles: the real process, called as the script in the shell calls it."""

import shlex
import subprocess
from pathlib import Path

import pytest

from aws_iot.history.saving.owners import history_file, note_owner
from tests.conftest import REPOSITORY
from tests.histories import ALICE, message, save
from tests.in_process import run_here
from tests.processes import COMMAND, environment, run
from tests.waiting import DEADLINE_SECONDS


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a user with the profiles `team` and `test`."""
    env = environment(tmp_path)
    for key in ("team", "test"):
        run_here(f"config -s {shlex.quote(str(REPOSITORY / 'aws-exports.sample.json'))} -k {key}", env)
    return env


def offered(typed: str, env: dict[str, str]) -> list[str]:
    """What is offered for the last word of `typed`."""
    asked = {
        "_AWS_IOT_COMPLETE": "bash_complete",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
    }
    done = subprocess.run(
        COMMAND, env=env | asked, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True
    )
    assert done.stderr == ""
    return [line.removeprefix("plain,") for line in done.stdout.split()]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_there_is_a_script_for_each_shell(shell: str, tmp_path: Path) -> None:
    script = run(f"completion {shell}", environment(tmp_path)).stdout
    assert f"_AWS_IOT_COMPLETE={shell}_complete" in script
    assert "aws-iot" in script


def test_another_shell_is_rejected(tmp_path: Path) -> None:
    assert "tcsh" in run("completion tcsh", environment(tmp_path), ends=2).stderr


def test_commands_are_offered(env: dict[str, str]) -> None:
    assert offered("aws-iot su", env) == ["sub"]
    assert offered("aws-iot config l", env) == ["list"]


@pytest.mark.parametrize(
    "typed",
    [
        "aws-iot sub -k ",
        "aws-iot pub --key ",
        "aws-iot config show --profile ",
        "aws-iot config -k ",
        "aws-iot config remove -k ",
    ],
)
def test_stored_profiles_are_offered(env: dict[str, str], typed: str) -> None:
    assert offered(typed, env) == ["team", "test"]
    assert offered(f"{typed}tea", env) == ["team"]


def test_rooms_of_the_history_are_offered(env: dict[str, str]) -> None:
    folder = Path(env["AWS_IOT_CONFIG_DIR"]) / "history" / "team"
    file = history_file(folder, ALICE)
    save(file, *(message("hello", room, room=room) for room in ("lobby", "stats", "ops")))
    note_owner(folder, "alice", ALICE)
    assert offered("aws-iot history -k team ", env)[-2:] == ["lobby", "ops"]
    assert offered("aws-iot history delete -k team l", env) == ["lobby"]


def test_without_profiles_none_is_offered(tmp_path: Path) -> None:
    assert offered("aws-iot sub -k ", environment(tmp_path / "nowhere")) == []
