"""Commands whose stdout or stderr cannot be written to: real processes, because the streams are the system's."""

import os
import signal
import subprocess
import sys
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from select import PIPE_BUF

import pytest

from aws_iot.messaging.client import Client
from tests.in_process import run_here
from tests.processes import COMMAND, Person, Running, redirected, run
from tests.waiting import DEADLINE_SECONDS, wait_until

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")

# Runs the command in its arguments with a stream replaced by a pipe without a reader.
WITHOUT_A_READER = """
import os, sys
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, int(sys.argv[1]))
os.execv(sys.argv[2], sys.argv[2:])
"""
UNWRITABLE = {
    "full disk": redirected("2>/dev/full"),
    "closed": redirected("2>&-"),
    "reader gone": [sys.executable, "-c", WITHOUT_A_READER, "2", *COMMAND],
}


@pytest.fixture
def env(person: Person) -> dict[str, str]:
    """The environment of the person, with the streams in Python's own default mode."""
    return person.env | {"PYTHONUNBUFFERED": ""}


# -- status, on stderr


def test_ctrl_c_ends_a_command_whose_error_nobody_reads(env: dict[str, str]) -> None:
    command = [*COMMAND, "config", "show", "-k", "nobody"]
    told = subprocess.run(command, env=env, capture_output=True, timeout=DEADLINE_SECONDS, check=False).stderr
    first, _, hints = told.partition(b"\n")
    assert hints
    with full_pipe(len(first) + 1) as (reading, writing):
        before = unread(reading)
        with subprocess.Popen(command, env=env, stderr=writing) as process:
            try:
                wait_until(lambda: unread(reading) > before)
                process.send_signal(signal.SIGINT)
                assert process.wait(DEADLINE_SECONDS) == 130
            finally:
                process.kill()


@contextmanager
def full_pipe(room: int) -> Iterator[tuple[int, int]]:
    """The ends of a pipe that takes `room` more bytes."""
    reading, writing = os.pipe()
    try:
        os.set_blocking(writing, False)
        with suppress(BlockingIOError):
            while True:
                os.write(writing, bytes(PIPE_BUF))
        os.write(writing, os.read(reading, PIPE_BUF)[room:])
        os.set_blocking(writing, True)
        yield reading, writing
    finally:
        os.close(reading)
        os.close(writing)


def unread(pipe: int) -> int:
    """Number of bytes in a pipe."""
    import fcntl
    import termios

    number = array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, number)
    return number[0]


REFUSED = f"one\n{'x' * 200_000}\ntwo\n"


@pytest.mark.parametrize(
    ("unwritable", "line", "stdin", "code"),
    [  # each way once with each kind of status: messages, progress, and errors, which are told in another place
        ("full disk", "pub -r lobby -m hello", "", 0),
        ("closed", "pub -r lobby -m hello", "", 0),
        ("reader gone", "pub -r lobby -m hello", "", 0),
        ("closed", "pub -r lobby --lines", "one\ntwo\n", 0),
        ("full disk", "pub -r lobby --lines", REFUSED, 7),
        ("reader gone", "pub -r lobby --lines", REFUSED, 7),
        ("full disk", "pub -r lobby", "", 2),
        ("closed", "pub -r lobby", "", 2),
        ("reader gone", "pub -r lobby -m hello -k nobody-s", "", 3),
        ("closed", "pub -r lobby -m hello -p wrong", "", 4),
    ],
)
def test_status_that_cannot_be_written_does_not_change_the_exit_code(
    env: dict[str, str], unwritable: str, line: str, stdin: str, code: int
) -> None:
    assert run(line, env, ends=code, stdin=stdin, command=UNWRITABLE[unwritable]).stdout == ""


@pytest.mark.parametrize("unwritable", UNWRITABLE.values(), ids=UNWRITABLE)
def test_an_unbuffered_stderr_behaves_the_same(person: Person, unwritable: list[str]) -> None:
    assert person.env["PYTHONUNBUFFERED"]
    run("pub -r lobby -m hello", person.env, command=unwritable)


@pytest.mark.parametrize("unwritable", UNWRITABLE.values(), ids=UNWRITABLE)
def test_status_that_cannot_be_written_does_not_stop_sub(
    env: dict[str, str], unwritable: list[str], speaker: Client, room: str
) -> None:
    durable = f"sub -r {room} --durable {room} --format {{text}}"
    run_here(f"{durable} -W 0.1", env, ends=8)
    speaker.publish(room, "hello")
    assert run(f"{durable} -C 1 -W 100", env, command=unwritable).stdout == "hello\n"


@pytest.mark.parametrize("unwritable", UNWRITABLE.values(), ids=UNWRITABLE)
def test_failed_commands_are_counted_even_if_they_cannot_be_reported(
    env: dict[str, str], unwritable: list[str], speaker: Client, room: str
) -> None:
    durable = f"sub -r {room} --durable {room} --exec 'sh -c \"cat; echo >&2; exit 1\"'"
    run_here(f"{durable} -W 0.1", env, ends=8)
    for text in ("one\n", "two\n"):
        speaker.publish(room, text)
    assert run(f"{durable} -C 2 -W 100", env, ends=9, command=unwritable).stdout == "one\ntwo\n"


def test_a_signal_sets_the_exit_code_even_without_stderr(
    env: dict[str, str], speaker: Client, room: str
) -> None:
    durable = f"sub -r {room} --durable {room}"
    run_here(f"{durable} -W 0.1", env, ends=8)
    speaker.publish(room, "hello")
    listening = Running(durable, env, command=redirected("2>/dev/full"))
    try:
        listening.wait_for("hello")
        assert listening.signal(signal.SIGTERM) == 143
    finally:
        listening.kill()


# -- data, on stdout

PRINTED = ["--help", "admin --help", "sub --help", "--version", "completion bash", "config list"]


@pytest.mark.parametrize(
    ("line", "unbuffered"), [*((line, "") for line in PRINTED), ("--help", "1"), ("config list", "1")]
)
def test_a_command_that_cannot_write_to_stdout_ends_with_an_error(
    person: Person, line: str, unbuffered: str
) -> None:
    env = person.env | {"PYTHONUNBUFFERED": unbuffered}
    done = run(line, env, ends=3, command=redirected(">/dev/full"))
    assert done.stderr == "Error: cannot write to standard output: No space left on device\n"


@pytest.mark.parametrize("line", PRINTED)
def test_a_command_ends_quietly_when_the_reader_of_its_output_has_ended(
    env: dict[str, str], line: str
) -> None:
    assert run(line, env, command=[sys.executable, "-c", WITHOUT_A_READER, "1", *COMMAND]).stderr == ""


# Runs each of the lines in its arguments, one after another, and prints how each ended.
EACH_LINE = """
import shlex, sys
from aws_iot.cli.root import root
from aws_iot.cli.ui.output import set_up_streams
set_up_streams()
for line in sys.argv[1:]:
    try:
        root(shlex.split(line), prog_name="aws-iot")
    except SystemExit as end:
        print(end.code, file=sys.stderr)
"""


def test_without_stdout_a_command_that_prints_does_nothing_but_report_it(env: dict[str, str]) -> None:
    lines = (
        *PRINTED,
        "config show",
        "whoami",
        "credentials",
        "confirm -c 123456",
        "mfa status",
        "sub -r lobby",
        "doctor",
        "policy",
        "admin members",
        "admin requests",
        "admin who somebody",
        "backend template",
        "backend status",
        "backend exports -o -",
        "backend deploy -o -",
        "local -k another",
        "pub -r lobby -m hello --json",
    )
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-c", EACH_LINE, *lines]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    told = "Error: standard output is closed\n3\n"
    assert done.stderr.split("\n") == (told * len(lines)).split("\n"), done.stderr
    assert run("--version", env, ends=3, command=redirected(">&-")).stderr == told.removesuffix("3\n")


def test_without_stdout_no_message_is_acknowledged(env: dict[str, str], speaker: Client, room: str) -> None:
    durable = f"sub -r {room} --durable {room} --format {{text}}"
    run_here(f"{durable} -W 0.1", env, ends=8)
    speaker.publish(room, "hello")
    run(f"{durable} -C 1 -W 100", env, ends=3, command=redirected(">&-"))
    assert run(f"{durable} -C 1 -W 100", env).stdout == "hello\n"


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_commands_of_exec_run_without_stdout_and_can_write_to_theirs(
    env: dict[str, str], speaker: Client, room: str, tmp_path: Path, closed: str
) -> None:
    heard = tmp_path / "heard"
    durable = (
        f"sub -r {room} --durable {room} --exec 'sh -ec \"echo printed; echo told >&2; cat >> {heard}\"'"
    )
    run_here(f"{durable} -W 0.1", env, ends=8)
    for text in ("one\n", "two\n"):
        speaker.publish(room, text)
    run(f"{durable} -C 2 -W 100", env, command=redirected(closed))
    assert heard.read_text() == "one\ntwo\n"


def test_a_command_that_prints_no_data_needs_no_stdout(env: dict[str, str]) -> None:
    assert "Sent to lobby" in run("pub -r lobby -m hello", env, command=redirected("<&- >&-")).stderr
