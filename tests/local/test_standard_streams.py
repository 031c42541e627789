"""Standard streams that are full, closed, or left by their readers: the work is what counts, and says so."""

import json
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.processes import COMMAND, DEADLINE_SECONDS, Person, Running, Stack

FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="needs /dev/full")
LEFT = "2> >(head -c 1 > /dev/null)"
WORDLESS = [pytest.param("2>/dev/full", marks=needs_full), "2>&-", LEFT]


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    return stack.person()


def shell(
    line: str, person: Person, stdin: bytes = b"", cwd: Path | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """What becomes of `aws-iot` with that line, which may redirect."""
    script = f"{shlex.join(COMMAND)} {line}"
    return subprocess.run(
        ["bash", "-c", script],
        env=person.env,
        input=stdin,
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
        cwd=cwd,
    )


@needs_full
@pytest.mark.parametrize("line", ["--help", "--version", "sub --help", "completion bash", "config list"])
def test_what_cannot_be_written_is_told_in_a_line(person: Person, line: str) -> None:
    done = shell(f"{line} > /dev/full", person)
    assert done.stderr == b"Error: the output cannot be written: No space left on device\n"
    assert done.returncode == 3


@pytest.mark.parametrize("line", ["config list", "sub -r lobby", "sub --json"])
def test_without_a_standard_output_nothing_is_begun_that_needs_one(person: Person, line: str) -> None:
    done = shell(f"{line} >&-", person)
    assert done.stderr == b"Error: standard output is closed: what was asked for has nowhere to go\n"
    assert done.returncode == 3


@pytest.mark.parametrize("redirected", WORDLESS)
def test_what_is_said_is_said_although_nobody_can_read_the_words_about_it(
    stack: Stack, person: Person, redirected: str
) -> None:
    listener = Running("sub -r wordless --json", stack.person().env)
    try:
        listener.wait_for("Listening")
        assert shell(f"pub -r wordless -m hello {redirected}", person).returncode == 0
        lines = shell(f"pub -r wordless --lines {redirected}", person, b"one\n\xff\n\xff\ntwo\n")
        assert lines.returncode == 7
        listener.wait_for('"two"')
        assert [json.loads(line)["text"] for line in listener.stdout] == ["hello", "one", "two"]
    finally:
        listener.kill()


@pytest.mark.parametrize("redirected", WORDLESS)
def test_an_error_that_nobody_can_read_still_has_its_exit_code(person: Person, redirected: str) -> None:
    assert shell(f"pub -r lobby -m x -k nobody {redirected}", person).returncode == 3
    assert shell(f"pub -r lobby {redirected}", person).returncode == 2


def test_commands_that_are_run_for_messages_do_not_find_our_sockets_where_output_was_closed(
    stack: Stack, person: Person, tmp_path: Path
) -> None:
    script = tmp_path / "noisy"
    script.write_text("echo to stdout; echo to stderr >&2; cat > got\n")
    line = f'sub -r quiet -C 2 --exec "sh {script}"'
    listener = Running(
        f"-c {shlex.quote(f'exec {shlex.join(COMMAND)} {line} <&- >&- 2>&-')}", person.env, command=["bash"]
    )
    try:
        said = 0
        while listener.process.poll() is None:  # it cannot say when it listens
            assert said < 100
            said += 1
            assert shell(f"pub -r quiet -m {said}", person).returncode == 0
        assert listener.wait() == 0, listener.report()
    finally:
        listener.kill()
