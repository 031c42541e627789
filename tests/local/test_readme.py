"""The README tells the truth: each of its commands is run, and its transcript is a real one."""

import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.processes import PASSWORD, Running, Stack
from tests.waiting import DEADLINE_SECONDS

REPOSITORY = Path(__file__).parent.parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"^\$ (.*)$", "\n".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL)), re.MULTILINE
)
IDENTITY_IN_README = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"

# What sets up or checks a whole machine: CI runs the targets, and the package has this name.
TARGETS = [line for line in COMMANDS if line.startswith("make ")]
INSTALL = [line for line in COMMANDS if line.startswith("pip ")]
STORY = [line for line in COMMANDS if line not in TARGETS + INSTALL and line != "aws-iot local"]


def test_its_targets_are_those_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert TARGETS
    assert {line.split()[1] for line in TARGETS} <= set(targets)


def test_it_installs_this_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [shlex.split(line)[-1] for line in INSTALL] == [".[local]"]
    assert "local" in project["optional-dependencies"]


@pytest.mark.skipif(sys.platform == "win32", reason="the README's shell is POSIX")
def test_its_story_can_be_typed_as_it_stands(stack: Stack, tmp_path: Path) -> None:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    config = tmp_path / "config"
    env = stack.account_env | {"PATH": path, "AWS_IOT_CONFIG_DIR": str(config), "AWS_IOT_PASSWORD": PASSWORD}
    del env["AWS_IOT_PROFILE"]
    identity = ""
    listeners: list[Running] = []
    try:
        for line in STORY:
            line = line.replace(IDENTITY_IN_README, identity or "none-yet")
            if line.startswith("aws-iot sub"):
                listener = Running(line.removeprefix("aws-iot "), env)
                listeners.append(listener)
                listener.wait_for("Receiving|Error")
                found = re.search(r"identityId: '(\S+)'", "\n".join(listener.stderr))
                identity = found.group(1) if found else identity
            else:
                subprocess.run(
                    ["bash", "-c", line],
                    cwd=tmp_path,
                    env=env,
                    timeout=DEADLINE_SECONDS,
                    check=True,
                    capture_output=True,
                )
        refused, *listening = listeners
        assert refused.wait() == 5
        assert any("hello world" in line for listener in listening for line in listener.stdout)
        assert [listener.signal(signal.SIGINT) for listener in listening] == [130] * len(listening)
    finally:
        for listener in listeners:
            listener.kill()


def test_the_transcript_of_the_demo_is_a_real_one() -> None:
    done = subprocess.run(
        [sys.executable, REPOSITORY / "examples" / "demo.py"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    [shown] = re.findall(r"<!-- demo -->\n```text\n(.*?)```", README, re.DOTALL)
    assert _essence(done.stdout) == _essence(shown)


def _essence(transcript: str) -> list[str]:
    """The lines of a transcript, without what differs from run to run."""
    for pattern, word in (
        (r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID"),
        (r"\b[0-9a-f]{32}\b", "ID"),
        (r"127\.0\.0\.1:\d+", "ADDRESS"),
        (r"/\S*/config", "FOLDER"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"took [\d.]+ s", "took N s"),
    ):
        transcript = re.sub(pattern, word, transcript)
    # Alice hears it and Bob is told so at the same moment: the two outputs meet in any order.
    return sorted(transcript.strip().splitlines())
