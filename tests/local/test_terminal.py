"""What only shows on a terminal: asking for a password, without echo."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.processes import COMMAND, DEADLINE_SECONDS, PASSWORD, Stack, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

# A process of its own runs the command on a pseudo-terminal, and ends with the command's exit code.
ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


@contextmanager
def on_a_terminal(line: list[str], env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The command, with a keyboard (stdin) and a screen (stdout)."""
    command = [sys.executable, "-c", ON_A_TERMINAL, *line]
    with subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: "subprocess.Popen[bytes]", words: bytes) -> bytes:
    """What the screen shows, up to and with `words`."""
    assert process.stdout
    shown = b""
    while words not in shown and (more := os.read(process.stdout.fileno(), 4096)):
        shown += more
    assert words in shown, shown
    return shown


def read_rest(process: "subprocess.Popen[bytes]") -> bytes:
    """What the screen shows until the command has ended."""
    assert process.stdout
    return process.stdout.read()


def type_in(process: "subprocess.Popen[bytes]", keys: bytes) -> None:
    """Press keys."""
    assert process.stdin
    process.stdin.write(keys)


def test_a_password_is_asked_for_and_not_shown(stack: Stack) -> None:
    person = stack.person()
    env = {k: v for k, v in person.env.items() if k != "AWS_IOT_PASSWORD"}
    with on_a_terminal([*COMMAND, "pub", "-r", "lobby", "-m", "hello"], env) as process:
        shown = read_until(process, b"Password of " + person.username.encode() + b": ")
        type_in(process, PASSWORD.encode() + b"\r")
        shown += read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0
    assert b"Said in lobby" in shown
    assert PASSWORD.encode() not in shown


def test_a_password_is_asked_for_at_the_terminal_even_if_stdin_holds_the_message(stack: Stack) -> None:
    person = stack.person()
    env = {k: v for k, v in person.env.items() if k != "AWS_IOT_PASSWORD"}
    line = f"echo hello | {shlex.join(COMMAND)} pub -r lobby -m -"
    with on_a_terminal(["sh", "-c", line], env) as process:
        read_until(process, b"Password of ")
        type_in(process, PASSWORD.encode() + b"\r")
        assert b"Said in lobby" in read_rest(process)


def test_a_new_password_is_asked_for_twice(stack: Stack) -> None:
    with on_a_terminal([*COMMAND, "signup", "-u", "typed", "-e", "typed@example.com"], stack.env) as process:
        read_until(process, b"Password of typed: ")
        type_in(process, PASSWORD.encode() + b"\r")
        read_until(process, b"Repeat for confirmation: ")
        type_in(process, PASSWORD.encode() + b"\r")
        assert b"is made" in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0
    run("confirm -u typed -c 123456", stack.env)


def test_ctrl_c_at_the_question_ends_it(stack: Stack) -> None:
    with on_a_terminal([*COMMAND, "sub", "-u", "somebody"], stack.env) as process:
        read_until(process, b"Password of somebody: ")
        type_in(process, b"\x03")
        assert b"Traceback" not in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 130
