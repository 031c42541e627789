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

from tests import terminal
from tests.in_process import run_here
from tests.processes import COMMAND, PASSWORD, Running, Stack, environment
from tests.screens import on_a_screen
from tests.scripted_person import answers_at_init
from tests.terminal import on_a_terminal, read_rest, type_answers
from tests.waiting import DEADLINE_SECONDS

REPOSITORY = Path(__file__).parent.parent.parent
README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(
    r"^\$ (.*)$", "\n".join(re.findall(r"```console\n(.*?)```", README, re.DOTALL)), re.MULTILINE
)
IDENTITY_IN_README = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
MESSAGE_IN_README = "8f4940f3"

HERE = re.findall(
    r"^\$ (aws-iot .*)$",
    README.partition("## Chat on your own machine")[2].partition("\n## ")[0],
    re.MULTILINE,
)
"""The commands for a new user without a team."""

# What sets up or checks a whole machine: CI runs the targets, and the package has this name.
TARGETS = [line for line in COMMANDS if line.startswith("make ")]
INSTALL = [line for line in COMMANDS if line.startswith("pip ")]
STORY = [line for line in COMMANDS if line not in TARGETS + INSTALL + HERE]


def test_its_targets_are_those_of_the_makefile() -> None:
    targets = re.findall(r"^([a-z-]+):", (REPOSITORY / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert TARGETS
    assert {line.split()[1] for line in TARGETS} <= set(targets)


def test_it_installs_this_package() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert [shlex.split(line)[-1] for line in INSTALL] == [".[local]"]
    assert "local" in project["optional-dependencies"]


@terminal.NEEDED
def test_its_first_three_commands_let_two_people_talk(tmp_path: Path) -> None:
    env = environment(tmp_path)
    local, *chats = (line.removeprefix("aws-iot ") for line in HERE)
    running = Running(local, env)
    try:
        running.wait_for("reset code for passwords")
        with on_a_screen(chats[0], env) as alice, on_a_screen(chats[1], env) as bob:
            alice.wait_for("● online")
            bob.wait_for("● online")
            bob.type("hello\r")
            alice.wait_for_message("hello")
            assert re.search("bob~[0-9a-f]{8}  ", alice.text)
    finally:
        running.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="the README's shell is POSIX")
def test_its_story_can_be_typed_as_it_stands(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    config = tmp_path / "config"
    env = stack.account_env | {"PATH": path, "AWS_IOT_CONFIG_DIR": str(config), "AWS_IOT_PASSWORD": PASSWORD}
    del env["AWS_IOT_PROFILE"]
    admin = env | {"AWS_IOT_CONFIG_DIR": str(tmp_path / "admin")}  # the admin's machine, without a profile
    identity = message = ""
    listeners: list[Running] = []
    try:
        for line in STORY:
            line = line.replace(IDENTITY_IN_README, identity or "none-yet")
            line = line.replace(MESSAGE_IN_README, message or "none-yet")
            if line == "aws-iot init":
                follow_init(tmp_path, env)
            elif line.startswith("aws-iot sub"):
                listener = Running(line.removeprefix("aws-iot "), env)
                listeners.append(listener)
                listener.wait_for("Receiving|Error")
                found = re.search(r"identityId: '(\S+)'", "\n".join(listener.stderr))
                identity = found.group(1) if found else identity
            else:
                printed = run_line(line, admin if re.match("aws-iot (backend|admin) ", line) else env)
                if line == "aws-iot history --ids":
                    message = re.findall(r"\(id (\w+)\)", printed)[-1]
        refused, *listening = listeners
        assert refused.wait() == 5
        assert any("hello world" in line for listener in listening for line in listener.stdout)
        assert [listener.signal(signal.SIGINT) for listener in listening] == [130] * len(listening)
    finally:
        for listener in listeners:
            listener.kill()


def run_line(line: str, env: dict[str, str]) -> str:
    """What a line prints that ends by itself. It runs in this process, unless it needs a shell."""
    program, *rest = shlex.split(line)
    if program == "aws-iot" and not {"|", ">"}.intersection(rest):
        return run_here(shlex.join(rest), env).stdout
    return subprocess.run(
        ["bash", "-c", line], env=env, timeout=DEADLINE_SECONDS, check=True, capture_output=True, text=True
    ).stdout


def follow_init(folder: Path, env: dict[str, str]) -> None:
    """Answer what `aws-iot init` asks, as another person with settings of their own."""
    own = env | {"AWS_IOT_CONFIG_DIR": str(folder / "carol")}
    with on_a_terminal([*COMMAND, "init"], own) as process:
        type_answers(process, answers_at_init("carol", folder / "aws-exports.json"))
        assert b"Signed in as carol." in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0


def test_the_transcript_of_the_demo_is_a_real_one() -> None:
    done = subprocess.run(
        [sys.executable, REPOSITORY / "examples" / "demo.py"],
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    page = (REPOSITORY / "docs" / "demo.md").read_text(encoding="utf-8")
    [shown] = re.findall(r"<!-- demo -->\n```text\n(.*?)```", page, re.DOTALL)
    assert _essence(done.stdout) == _essence(shown), done.stdout


def _essence(transcript: str) -> list[str]:
    """The lines of a transcript, without what differs from run to run."""
    for pattern, word in (
        (r"[0-9a-f]{8}-[0-9a-f-]{27}", "UUID"),
        (r"\b[0-9a-f]{32}(-\d+)?\b", "ID"),
        (r"127\.0\.0\.1:\d+", "ADDRESS"),
        (r"/\S*/config", "FOLDER"),
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME"),
        (r"took [\d.]+ s", "took N s"),
    ):
        transcript = re.sub(pattern, word, transcript)
    # Alice hears it and Bob is told so at the same moment: the two outputs meet in any order.
    return sorted(transcript.strip().splitlines())
