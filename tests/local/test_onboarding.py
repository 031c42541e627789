"""The first minutes of a new user on the local stack: three commands until two people talk, and what restarts do."""

import json
import re
import signal
import socket
import stat
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from aws_iot.app import App
from tests import terminal
from tests.conftest import REPOSITORY
from tests.in_process import run_here
from tests.processes import COMMAND, Running, Stack, environment, run
from tests.scripted_person import Script, Typing, answers_at_init
from tests.terminal import on_a_terminal, read_rest, read_until, type_answers, type_in
from tests.waiting import DEADLINE_SECONDS

READY = "reset code for passwords"
"""In the last line that `aws-iot local` prints."""


def test_two_people_talk_after_three_commands_and_learn_of_a_restart(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with_members = Running("local --member alice --member bob", env)
    without = listener = None
    try:
        with_members.wait_for(READY)
        shown = "\n".join(with_members.stdout)
        *suggested, receive, send = re.findall(r"^  aws-iot (.*)", shown, re.MULTILINE)
        assert suggested == ["chat -k alice", "chat -k bob"]
        listener = Running(receive, env)
        listener.wait_for("Receiving")
        assert listener.stderr == ["Receiving from all rooms; Ctrl-C stops."]
        assert run_here(send, env).stderr == "Sent to lobby.\n"
        assert "[lobby] bob~" in listener.wait_for("hello")
        assert with_members.signal(signal.SIGINT) == 130
        listener.wait_for("connection lost: the local stack 'local' is not running; reconnecting")
        assert with_members.stderr == ["The local stack has stopped."]

        for line in (send, "whoami -k bob", "admin members -k bob"):
            done = run_here(line, env, ends=6)
            assert "the local stack 'local' is not running" in done.stderr
            assert "Start it: aws-iot local --member alice --member bob" in done.stderr
            assert "doctor" not in done.stderr

        without = Running("local", env)
        without.wait_for(READY)
        assert listener.wait() == 3
        assert "the local stack 'local' was restarted" in "\n".join(listener.stderr)
        for line in (receive, "whoami -k bob", "login -k bob -p x"):
            done = run_here(line, env, ends=3)
            assert "the local stack 'local' was restarted" in done.stderr
            assert "authResult" not in done.stderr
        script = Script()
        App.in_folder(tmp_path).setup(script, Typing).run("bob")
        assert script.rejections[0].endswith("the accounts of the profile 'bob': it gets a new one")
        assert run_here(send, env).stderr == "Sent to lobby.\n"
    finally:
        for process in (listener, without, with_members):
            if process:
                process.kill()


@contextmanager
def running(line: str, env: dict[str, str], command: Sequence[str] = COMMAND) -> Iterator[Running]:
    """A local stack that is ready, until the block ends."""
    process = Running(line, env, command=command)
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
    run_here(f"config -s {REPOSITORY / 'aws-exports.sample.json'} -k alice", env)
    return env


@pytest.mark.parametrize("line", ["local --member bob --member alice", "local -k alice"])
def test_a_profile_of_a_team_is_not_replaced(team: dict[str, str], line: str) -> None:
    before = run_here("config show -k alice", team).stdout
    done = run_here(line, team, ends=3)
    assert done.stderr.startswith("Error: the profile 'alice' exists, and is not of a local stack (")
    assert done.stdout == ""
    assert run_here("config show -k alice", team).stdout == before


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
    done = run_here(line, environment(tmp_path), ends=2)
    assert words in done.stderr
    assert list(tmp_path.iterdir()) == []


FOR_EVERYONE = COMMAND if sys.platform == "win32" else ["sh", "-c", 'umask 0; exec "$@"', "sh", *COMMAND]
"""The command, where everyone may read and write what a program creates without care."""


def is_open_to_others(path: Path) -> bool:
    return sys.platform != "win32" and bool(stat.S_IMODE(path.stat().st_mode) & 0o077)


def test_with_keep_the_same_members_are_there_again_even_after_a_start_without(tmp_path: Path) -> None:
    env = environment(tmp_path)
    with (
        socket.socket() as one,
        socket.socket() as two,
    ):  # not the usual ports, which other stacks may take meanwhile
        for free in (one, two):
            free.bind(("127.0.0.1", 0))
        port = two.getsockname()[1]
        ports = f"--port {one.getsockname()[1]} --mqtt-port {port}"
    seen = []
    for keep in ("--keep --member ann", "--member ann", "--keep"):
        if keep == "--keep":
            for path in (tmp_path / "local" / "local" / "state").rglob("*"):
                path.chmod(0o777)  # as an earlier version left them
        with running(f"local {keep} {ports}", env, command=FOR_EVERYONE) as stack:
            assert not [
                path for path in [tmp_path / "local", *tmp_path.rglob("*")] if is_open_to_others(path)
            ]
            seen.append(json.loads(run_here("whoami -k ann --json", env).stdout)["identity"])
            run_here("pub -k ann -r lobby -m hello", env)
            shown = "\n".join(stack.stdout)
            assert ("saved for the next start" in shown) == ("--keep" in keep)
            assert ("an earlier --keep saved are not used now" in shown) == ("--keep" not in keep)
    assert seen[0] == seen[2] != seen[1]
    assert "Profiles of an earlier start, which you can use: ann." in shown
    assert "  aws-iot pub -k ann -r lobby -m hello" in shown
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # its connections have just ended
        taken.bind(("127.0.0.1", port))
        taken.listen()
        refused = run("local --keep", env, ends=6).stderr
    assert f"port {port} cannot be used" in refused
    assert "start without --keep" in refused
    (tmp_path / "local" / "local" / "kept.json").write_text("{}", encoding="utf-8")
    assert "is damaged, or of an earlier version" in run("local --keep", env, ends=3).stderr


def test_init_adds_a_person_to_a_running_local_stack(stack: Stack) -> None:
    name = f"user-{uuid.uuid4().hex[:8]}"
    done = (
        App.in_folder(stack.config)
        .setup(Script(is_local=True, username=["local", "a b", name]), Typing)
        .run(None)
    )
    assert done.profile.key == name
    sent = run_here(f"pub -k {name} -r lobby -m hello", environment(stack.config))
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
    assert f"--user {name}" in shown  # in the command for the admin
    assert "To receive messages:  aws-iot sub\r\n" in shown
    assert json.loads(run_here("whoami --json", env).stdout)["user"] == name


@terminal.NEEDED
def test_init_can_be_stopped_and_tells_how_to_continue(tmp_path: Path) -> None:
    with on_a_terminal([*COMMAND, "init", "-k", "team"], environment(tmp_path)) as process:
        read_until(process, b"Number [1]: ")
        # Ctrl-D: Python's `input` misses a Ctrl-C that comes between the question and the wait for an answer.
        type_in(process, b"\x04")
        assert b"To continue: aws-iot init -k team" in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 130
