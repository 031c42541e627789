"""What becomes of a command whose stdout or stderr takes nothing: real processes, since streams are the system's."""

import signal
import sys
from pathlib import Path

import pytest

from aws_iot.messaging.client import Client
from tests.processes import COMMAND, Person, Running, Stack, redirected, run

pytestmark = pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")

# Runs the command of its arguments with a pipe that nobody reads any more in place of a stream.
NOBODY_READS = """
import os, sys
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, int(sys.argv[1]))
os.execv(sys.argv[2], sys.argv[2:])
"""
UNHEARD = {
    "full disk": redirected("2>/dev/full"),
    "closed": redirected("2>&-"),
    "reader gone": [sys.executable, "-c", NOBODY_READS, "2", *COMMAND],
}


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    """Whose commands these are."""
    return stack.person()


@pytest.fixture
def env(person: Person) -> dict[str, str]:
    """The environment of the person, whose streams are as Python has them by itself."""
    return person.env | {"PYTHONUNBUFFERED": ""}


# -- words, on stderr


@pytest.mark.parametrize("unheard", UNHEARD.values(), ids=UNHEARD)
@pytest.mark.parametrize(
    ("line", "stdin", "code"),
    [
        ("pub -r lobby -m hello", "", 0),
        ("pub -r lobby --lines", "one\ntwo\n", 0),
        ("pub -r lobby --lines", f"one\n{'x' * 200_000}\ntwo\n", 7),
        ("pub -r lobby", "", 2),
        ("pub -r lobby -m hello -k nobody-s", "", 3),
        ("pub -r lobby -m hello -p wrong", "", 4),
    ],
    ids=["acknowledged", "lines", "a line refused", "usage", "no profile", "wrong password"],
)
def test_words_that_cannot_be_written_change_no_exit_code(
    env: dict[str, str], unheard: list[str], line: str, stdin: str, code: int
) -> None:
    assert run(line, env, ends=code, stdin=stdin, command=unheard).stdout == ""


@pytest.mark.parametrize("unheard", UNHEARD.values(), ids=UNHEARD)
def test_an_unbuffered_stderr_is_no_other(person: Person, unheard: list[str]) -> None:
    assert person.env["PYTHONUNBUFFERED"]
    run("pub -r lobby -m hello", person.env, command=unheard)


@pytest.mark.parametrize("unheard", UNHEARD.values(), ids=UNHEARD)
def test_words_that_cannot_be_written_do_not_end_the_listening(
    env: dict[str, str], unheard: list[str], speaker: Client, room: str
) -> None:
    durable = f"sub -r {room} --durable {room} --format {{text}}"
    run(f"{durable} -W 0.1", env, ends=8)
    speaker.publish(room, "hello")
    assert run(f"{durable} -C 1 -W 100", env, command=unheard).stdout == "hello\n"


@pytest.mark.parametrize("unheard", UNHEARD.values(), ids=UNHEARD)
def test_commands_that_fail_are_counted_where_that_cannot_be_told(
    env: dict[str, str], unheard: list[str], speaker: Client, room: str
) -> None:
    durable = f"sub -r {room} --durable {room} --exec 'sh -c \"cat; echo >&2; exit 1\"'"
    run(f"{durable} -W 0.1", env, ends=8)
    for text in ("one\n", "two\n"):
        speaker.publish(room, text)
    assert run(f"{durable} -C 2 -W 100", env, ends=9, command=unheard).stdout == "one\ntwo\n"


def test_a_signal_s_exit_code_needs_no_words_either(env: dict[str, str], speaker: Client, room: str) -> None:
    durable = f"sub -r {room} --durable {room}"
    run(f"{durable} -W 0.1", env, ends=8)
    speaker.publish(room, "hello")
    listening = Running(durable, env, command=redirected("2>/dev/full"))
    try:
        listening.wait_for("hello")
        assert listening.signal(signal.SIGTERM) == 143
    finally:
        listening.kill()


# -- data, on stdout

PRINTED = ["--help", "admin --help", "sub --help", "--version", "completion bash", "config list"]


@pytest.mark.parametrize("line", PRINTED)
def test_what_stdout_does_not_take_ends_a_command_with_a_word(person: Person, line: str) -> None:
    for unbuffered in ("", "1"):
        env = person.env | {"PYTHONUNBUFFERED": unbuffered}
        done = run(line, env, ends=3, command=redirected(">/dev/full"))
        assert done.stderr == "Error: the output cannot be written: No space left on device\n"


@pytest.mark.parametrize("line", PRINTED)
def test_a_reader_that_has_gone_has_seen_enough(env: dict[str, str], line: str) -> None:
    assert run(line, env, command=[sys.executable, "-c", NOBODY_READS, "1", *COMMAND]).stderr == ""


@pytest.mark.parametrize(
    "line",
    [
        *PRINTED,
        "config show",
        "whoami",
        "credentials",
        "confirm -c 123456",
        "mfa status",
        "sub -r lobby",
        "doctor",
        "doctor --policy",
        "admin members",
        "admin requests",
        "admin who somebody",
        "backend template",
        "backend status",
        "backend exports -o -",
        "backend deploy -o -",
        "local -k another",
    ],
)
def test_without_a_stdout_a_command_that_prints_does_nothing_and_says_so(
    env: dict[str, str], line: str
) -> None:
    done = run(line, env, ends=3, command=redirected(">&-"))
    assert done.stderr == "Error: standard output is closed: there is nowhere to print to\n"


def test_without_a_stdout_nothing_counts_as_heard(env: dict[str, str], speaker: Client, room: str) -> None:
    durable = f"sub -r {room} --durable {room} --format {{text}}"
    run(f"{durable} -W 0.1", env, ends=8)
    speaker.publish(room, "hello")
    run(f"{durable} -C 1 -W 100", env, ends=3, command=redirected(">&-"))
    assert run(f"{durable} -C 1 -W 100", env).stdout == "hello\n"


@pytest.mark.parametrize("closed", [">&-", "<&- >&- 2>&-"])
def test_commands_of_exec_need_no_stdout_and_have_one_they_can_write_to(
    env: dict[str, str], speaker: Client, room: str, tmp_path: Path, closed: str
) -> None:
    heard = tmp_path / "heard"
    durable = (
        f"sub -r {room} --durable {room} --exec 'sh -ec \"echo printed; echo told >&2; cat >> {heard}\"'"
    )
    run(f"{durable} -W 0.1", env, ends=8)
    for text in ("one\n", "two\n"):
        speaker.publish(room, text)
    run(f"{durable} -C 2 -W 100", env, command=redirected(closed))
    assert heard.read_text() == "one\ntwo\n"


def test_what_prints_no_data_needs_no_stdout(env: dict[str, str]) -> None:
    assert "Sent to lobby" in run("pub -r lobby -m hello", env, command=redirected("<&- >&-")).stderr
