"""`aws-iot sub` as real processes on the local stack: durable sessions, pipes, and waiting for an admin."""

import json
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Publication
from tests.conftest import CommandLine
from tests.in_process import run_here
from tests.processes import COMMAND, Person, Running, Stack
from tests.waiting import DEADLINE_SECONDS

WHILE_SUB_RUNS = "while kill -0 $PPID; do sleep 0.1; done 2>/dev/null"
"""A script that runs as long as `sub` does, so that its message is never acknowledged."""


@pytest.fixture(scope="module")
def listener(stack: Stack) -> Person:
    """Whose `sub` is tested."""
    return stack.person()


def texts(lines: str) -> list[str]:
    return [json.loads(line)["text"] for line in lines.splitlines()]


def test_messages_sent_while_offline_arrive_later_and_handled_ones_do_not_arrive_again(
    listener: Person, speaker: Client, room: str
) -> None:
    durable = f"sub -q -r {room} --json --durable {room}"
    first = Running(f"{durable} -C 2".replace("-q ", ""), listener.env)
    try:
        first.wait_for("Receiving")
        for number in range(3):
            speaker.publish(room, str(number))
        assert first.wait() == 0, first.report()
    finally:
        first.kill()
    for number in range(3, 6):
        speaker.publish(room, str(number))
    assert texts("\n".join(first.stdout)) == ["0", "1"]
    returned = [run_here(f"{durable} -C 2 -W 100", listener.env).stdout for _ in range(2)]
    assert texts("".join(returned)) == ["2", "3", "4", "5"]
    assert run_here(f"{durable} -W 0.5", listener.env, ends=8).stdout == ""


def test_after_a_kill_unacknowledged_messages_are_printed_again_and_none_is_missing(
    listener: Person, speaker: Client, room: str, tmp_path: Path
) -> None:
    script = tmp_path / "work"
    script.write_text(f"echo 1; {WHILE_SUB_RUNS}")
    stuck = Running(f"sub -r {room} --durable {room} --exec 'sh {script}'", listener.env)
    try:
        stuck.wait_for("Receiving")
        speaker.publish(room, "important")
        stuck.wait_for("^1$")
        stuck.process.kill()
        stuck.wait()
    finally:
        stuck.kill()
    again = run_here(f"sub -q -r {room} --durable {room} --json -C 1 -W 100", listener.env)
    assert texts(again.stdout) == ["important"]


def test_a_command_that_has_ended_is_not_run_again_after_a_crash(
    listener: Person, speaker: Client, room: str, tmp_path: Path
) -> None:
    script = tmp_path / "work"
    script.write_text(f'echo "$AWS_IOT_MESSAGE_TEXT"; [ "$AWS_IOT_MESSAGE_TEXT" != 3 ] || {WHILE_SUB_RUNS}')
    stuck = Running(f"sub -r {room} --durable {room} --exec 'sh {script}'", listener.env)
    try:
        stuck.wait_for("Receiving")
        for number in range(6):
            speaker.publish(room, str(number))
        stuck.wait_for("^3$")
        stuck.process.kill()
        stuck.wait()
    finally:
        stuck.kill()
    assert stuck.stdout == ["0", "1", "2", "3"]
    again = run_here(f"sub -q -r {room} --durable {room} --json -C 3 -W 100", listener.env)
    # The acknowledgement of the last one that has ended may not have left when `sub` was killed.
    assert texts(again.stdout) in (["3", "4", "5"], ["2", "3", "4"])


def test_a_durable_session_does_not_deliver_the_rooms_of_earlier_runs(
    listener: Person, speaker: Client, room: str
) -> None:
    for wanted in (f"{room}-old", room):
        run_here(f"sub -q -r {wanted} --durable {room} -W 0.2", listener.env, ends=8)
    speaker.publish(f"{room}-old", "old")
    speaker.publish(room, "new")
    heard = run_here(f"sub -q -r {room} --durable {room} --json -C 1 -W 100", listener.env)
    assert texts(heard.stdout) == ["new"]


def test_messages_that_wait_from_a_room_that_is_left_arrive_but_no_later_ones(
    listener: Person, speaker: Client, room: str
) -> None:
    durable = f"--durable {room} --json"
    run_here(f"sub -q -r {room}-old {durable} -W 0.2", listener.env, ends=8)
    speaker.publish(f"{room}-old", "waits")
    first = run_here(f"sub -r {room} {durable} -C 1 -W 100", listener.env)
    assert texts(first.stdout) == ["waits"]
    told = f"The session '{room}' leaves {room}-old. Messages that wait there arrive now, but no later ones."
    assert told in first.stderr
    speaker.publish(f"{room}-old", "too late")
    speaker.publish(room, "new")
    second = run_here(f"sub -r {room} {durable} -C 1 -W 100", listener.env)
    assert texts(second.stdout) == ["new"]
    assert "leaves" not in second.stderr


def test_a_session_that_another_machine_used_delivers_only_the_named_rooms(
    listener: Person, speaker: Client, room: str, tmp_path: Path
) -> None:
    run_here(f"sub -q -r {room}-old --durable {room} -W 0.2", listener.env, ends=8)
    shutil.rmtree(Path(listener.env["AWS_IOT_CONFIG_DIR"]) / "durable")  # as on another machine
    speaker.publish(f"{room}-old", "old")
    speaker.publish(room, "too early")
    later = Running(f"sub -r {room} --durable {room} --json -C 1", listener.env)
    try:
        later.wait_for("Receiving")
        speaker.publish(room, "new")
        assert later.wait() == 0
        assert texts("\n".join(later.stdout)) == ["new"]
    finally:
        later.kill()


def test_a_durable_session_delivers_each_message_once_however_often_it_subscribed(
    stack: Stack, listener: Person, speaker: Client, room: str
) -> None:
    app, profile = stack.app(), stack.profile
    credentials = app.auth.issuer(profile).issue(stack.sign_in(listener.username))
    delivered: list[bytes] = []
    for text in ("first", "second", "third"):
        connection = app.messaging.connect(profile, listener.identity, lambda: credentials, room)
        app.messaging.client(profile, connection, listener.identity, "alice").subscribe(room)
        speaker.publish(room, text)
        speaker.publish(room, f"end of {text}")
        while not delivered or b"end of " + text.encode() not in delivered[-1]:
            event = connection.receive(DEADLINE_SECONDS)
            assert isinstance(event, Publication)
            delivered.append(event.payload)
            connection.acknowledge()
        connection.close()
    assert [json.loads(payload)["msg"] for payload in delivered] == [
        said for text in ("first", "second", "third") for said in (text, f"end of {text}")
    ]


def test_with_wait_it_connects_once_an_admin_has_accepted(stack: Stack) -> None:
    newcomer = stack.person(accepted=False)
    app = stack.app().replace(pause=lambda _: stack.accept(newcomer.identity))
    result = CommandLine(app)("sub --wait -W 0.1", env=newcomer.env, ends=8)
    assert result.stderr.count("no admin has accepted") == 1
    assert "Receiving" in result.stderr


def test_ctrl_c_ends_the_wait_for_an_admin(stack: Stack) -> None:
    waiting = Running("sub --wait", stack.person(accepted=False).env)
    try:
        waiting.wait_for("Waiting until an admin accepts it")
        assert waiting.signal(signal.SIGINT) == 130
        assert "Traceback" not in waiting.report()
    finally:
        waiting.kill()


def test_patterns_match_rooms_on_the_broker_as_documented(
    listener: Person, speaker: Client, room: str
) -> None:
    hearing = Running(f"sub -r '{room}/+' -r '{room}/deep/#' --format '{{room}}' -C 3", listener.env)
    try:
        hearing.wait_for("Receiving")
        for place in (room, f"{room}/a", f"{room}/a/b", f"{room}/deep", f"{room}/deep/er"):
            speaker.publish(place, "x")
        assert hearing.wait() == 0
        assert hearing.stdout == [f"{room}/a", f"{room}/deep", f"{room}/deep/er"]
    finally:
        hearing.kill()


def test_a_line_reaches_a_pipe_at_once_and_its_reader_may_close_it(
    listener: Person, speaker: Client, room: str
) -> None:
    env = {name: value for name, value in listener.env.items() if name != "PYTHONUNBUFFERED"}
    command = [*COMMAND, "sub", "-r", room, "--format", "{text}"]
    with subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stderr
            while "Receiving" not in process.stderr.readline():
                pass
            for word in ("one", "two"):
                speaker.publish(room, word)
                assert process.stdout.readline() == f"{word}\n"
            process.stdout.close()
            speaker.publish(room, "three")
            assert process.wait(DEADLINE_SECONDS) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("unbuffered", [False, True])
def test_a_full_disk_stops_it_with_an_error(
    listener: Person, speaker: Client, room: str, unbuffered: bool
) -> None:
    env = {name: value for name, value in listener.env.items() if unbuffered or name != "PYTHONUNBUFFERED"}
    command = f"{shlex.join(COMMAND)} sub -r {room} > /dev/full"
    with subprocess.Popen(
        ["sh", "-c", f"exec {command}"], env=env, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stderr
            while "Receiving" not in process.stderr.readline():
                pass
            speaker.publish(room, "x")
            assert "cannot write to standard output: No space left" in process.stderr.read()
            assert process.wait(DEADLINE_SECONDS) == 3
        finally:
            process.kill()
