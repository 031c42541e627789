"""The story of the README, by real processes on the local stack."""

import json
import re
import signal
import subprocess
import sys

import pytest

from tests.in_process import run_here
from tests.processes import COMMAND, PASSWORD, Running, Stack, run
from tests.waiting import DEADLINE_SECONDS


def test_from_an_exports_file_to_a_message_that_arrives(stack: Stack) -> None:
    exports = stack.folder / "aws-exports.json"
    for name in ("ann", "ben"):
        run_here(f"config -s {exports} -k {name} -u {name} -p {PASSWORD}", stack.env)
        run_here(f"signup -k {name} -p {PASSWORD} -e {name}@example.com", stack.env)
        assert run_here(f"confirm -k {name} -c 123456", stack.env).stdout == "SUCCESS\n"

        refused = run_here(f"sub -k {name}", stack.env, ends=5)
        assert refused.stdout == ""
        accept = re.search(r"aws-iot (admin accept .*)", refused.stderr)
        assert accept, refused.stderr
        run_here(accept.group(1), stack.env)  # as it is printed, without the admin's variables

    ann = Running("sub -k ann -r lobby --json", stack.env)
    try:
        ann.wait_for("Receiving")
        run("pub -k ben -r lobby -m 'hello \"Ann\" ☂'", stack.env)
        heard = json.loads(ann.wait_for("^{"))
        assert (heard["room"], heard["name"], heard["text"]) == ("lobby", "ben", 'hello "Ann" ☂')
        assert ann.signal(signal.SIGINT) == 130
    finally:
        ann.kill()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_listening_ends_when_it_is_told_to(stack: Stack, number: int, code: int) -> None:
    listener = Running("sub", stack.person().env)
    try:
        listener.wait_for("Receiving")
        assert listener.signal(number) == code
        assert "Traceback" not in listener.report()
    finally:
        listener.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGHUP")
def test_a_terminal_that_is_closed_ends_it_properly_unless_that_is_to_be_ignored(stack: Stack) -> None:
    env = stack.person().env
    listener = Running("sub -r hangup", env)
    ignoring = Running("sub -r hangup --raw -C 1", env, command=["nohup", *COMMAND])
    try:
        for process in (listener, ignoring):
            process.wait_for("Receiving")
        ignoring.process.send_signal(signal.SIGHUP)
        assert listener.signal(signal.SIGHUP) == 129
        run_here("pub -q --raw -r hangup -m hello", env)
        assert ignoring.wait() == 0
        assert ignoring.stdout == ["hello"]
    finally:
        listener.kill()
        ignoring.kill()


def test_a_reader_that_has_seen_enough_ends_it_quietly(stack: Stack) -> None:
    person = stack.person()
    process = subprocess.Popen(
        [*COMMAND, "sub", "-r", "pipe"],
        env=person.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout
    assert process.stderr
    with process:
        try:
            while "Receiving" not in process.stderr.readline():
                pass
            process.stdout.close()
            run_here("pub -q -r pipe -m hello", person.env)
            assert process.wait(DEADLINE_SECONDS) == 0
            assert process.stderr.read() == ""
        finally:
            process.kill()


def test_a_password_is_in_no_output_even_when_all_goes_wrong(stack: Stack) -> None:
    person = stack.person(signed_in=False)
    env = person.env | {"AWS_IOT_PASSWORD": "hunter2-hunter2"}
    assert "hunter2" not in str(run("sub", env, ends=4))
    assert "hunter2" not in str(run_here("signup -e x@example.com", env | {"AWS_IOT_USER": "x y"}, ends=7))
