"""The first minutes of a new user on the local stack: three commands until two people talk, and what restarts do."""

import json
import re
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aws_iot.app import App
from tests import terminal
from tests.conftest import REPOSITORY
from tests.processes import COMMAND, Running, Stack, environment, run
from tests.scripted_person import Script, Typing, answers_at_init
from tests.terminal import on_a_terminal, read_rest, read_until, type_answers, type_in
from tests.waiting import DEADLINE_SECONDS

READY = "reset code for passwords"
"""In what `aws-iot local` prints."""


def test_two_people_talk_after_three_commands_and_learn_of_a_restart(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with_members = Running("local --member alice --member bob", env)
    without = listener = None
    try:
        with_members.wait_for(READY)
        receive, send = re.findall(r"^  aws-iot (.*)", "\n".join(with_members.stdout), re.MULTILINE)
        listener = Running(receive, env)
        listener.wait_for("Receiving")
        assert listener.stderr == ["Receiving from all rooms; Ctrl-C stops."]
        assert run(send, env).stderr == "Sent to lobby.\n"
        assert "[lobby] bob~" in listener.wait_for("hello")
        assert listener.signal(signal.SIGINT) == 130
        assert with_members.signal(signal.SIGINT) == 130
        assert with_members.stderr == [] or "keyring" in with_members.stderr[0]

        for line in (receive, send, "whoami -k bob", "login -k bob -p x", "admin members -k bob"):
            done = run(line, env, ends=6)
            assert "the local stack 'local' is not running" in done.stderr
            assert "Start it: aws-iot local --member alice --member bob" in done.stderr
            assert "doctor" not in done.stderr

        without = Running("local", env)
        without.wait_for(READY)
        for line in (receive, send, "whoami -k bob", "login -k bob -p x", "admin members -k bob"):
            done = run(line, env, ends=3)
            assert "the local stack 'local' was restarted" in done.stderr
    finally:
        for process in (listener, without, with_members):
            if process:
                process.kill()


@contextmanager
def running(line: str, env: dict[str, str]) -> Iterator[Running]:
    """A local stack that is ready, until the block ends."""
    process = Running(line, env)
    try:
        process.wait_for(READY)
        yield process
        assert process.signal(signal.SIGTERM) == 143
    finally:
        process.kill()


@pytest.fixture
def team(tmp_path: Path) -> dict[str, str]:
    """The environment of a person whose profile `alice` is of a team."""
    env = environment(tmp_path)
    run(f"config -s {REPOSITORY / 'aws-exports.sample.json'} -k alice", env)
    return env


@pytest.mark.parametrize("line", ["local --member bob --member alice", "local -k alice"])
def test_a_profile_of_a_team_is_not_replaced(team: dict[str, str], line: str) -> None:
    before = run("config show -k alice", team).stdout
    done = run(line, team, ends=3)
    assert done.stderr.startswith("Error: the profile 'alice' exists, and is not of a local stack (")
    assert done.stdout == ""
    assert run("config show -k alice", team).stdout == before


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("local --member 'a b'", "'a b' cannot name a profile"),
        ("local --member alice,bob", "Repeat --member for each person"),
        ("local --member local", "'local' is the profile of the local stack itself"),
        ("local --member ann -k ann", "'ann' is the profile of the local stack itself"),
    ],
)
def test_names_are_checked_before_anything_starts(tmp_path: Path, line: str, words: str) -> None:
    done = run(line, environment(tmp_path), ends=2)
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_with_keep_the_same_members_are_there_again(tmp_path: Path) -> None:
    env = environment(tmp_path)
    seen = []
    for _ in range(2):
        with running("local --keep --member ann", env) as stack:
            seen.append(json.loads(run("whoami -k ann --json", env).stdout))
            run("pub -k ann -r lobby -m hello", env)
            assert "saved for the next start" in "\n".join(stack.stdout)
    assert seen[0]["identity"] == seen[1]["identity"]
    assert seen[0] == seen[1]


def test_init_adds_a_person_to_a_running_local_stack(stack: Stack) -> None:
    name = f"user-{uuid.uuid4().hex[:8]}"
    done = App.in_folder(stack.config).setup(Script(is_local=True, username=name), Typing).run("unused")
    assert done.profile.key == name
    sent = run(f"pub -k {name} -r lobby -m hello", environment(stack.config))
    assert sent.stderr == "Sent to lobby.\n"


@terminal.NEEDED
def test_init_at_a_terminal_leads_to_a_session(stack: Stack, tmp_path: Path) -> None:
    env = environment(tmp_path)
    name = f"user-{uuid.uuid4().hex[:8]}"
    with on_a_terminal([*COMMAND, "init"], env) as process:
        type_answers(process, answers_at_init(name, stack.folder / "aws-exports.json"))
        shown = read_rest(process).decode()
        assert process.wait(DEADLINE_SECONDS) == 0
    assert f"Signed in as {name}." in shown
    assert "To receive messages:  aws-iot sub\r\n" in shown
    assert json.loads(run("whoami --json", env).stdout)["user"] == name


@terminal.NEEDED
def test_init_can_be_stopped_with_ctrl_c(tmp_path: Path) -> None:
    with on_a_terminal([*COMMAND, "init", "-k", "team"], environment(tmp_path)) as process:
        read_until(process, b"Number [1]: ")
        type_in(process, b"\x03")
        assert b"To continue: aws-iot init -k team" in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 130
