"""The suite runs the same with a terminal as without: nothing in it can prompt the person who runs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import terminal
from tests.conftest import REPOSITORY
from tests.processes import environment
from tests.terminal import on_a_terminal, read_rest, read_until, type_in
from tests.waiting import DEADLINE_SECONDS

pytestmark = terminal.NEEDED

LEAVE = """
import os, sys, time
from tests import terminal
terminal.leave()
try:
    try:
        os.open("/dev/tty", os.O_RDWR)
    except OSError:
        print("no terminal", flush=True)
    for _ in range(int(sys.argv[1])):
        time.sleep(0.1)  # in steps: a signal that comes just before a sleep does not end it
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
sys.exit(7)
"""

# The command itself leads the session of its terminal; or a shell does, as where people type.
LEADERS = [pytest.param([], id="pytest"), pytest.param(["sh", "-c", '"$@"; exit $?', "sh"], id="shell")]


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment in which the helpers of the tests can be imported."""
    return environment(tmp_path, PYTHONPATH=str(REPOSITORY))


@pytest.mark.parametrize("leader", LEADERS)
def test_the_tests_leave_the_terminal_and_keep_their_exit_code(
    leader: list[str], env: dict[str, str]
) -> None:
    with on_a_terminal([*leader, sys.executable, "-c", LEAVE, "0"], env) as process:
        assert read_rest(process).split(b"\r\n")[:-1] == [b"no terminal"]
        assert process.wait(DEADLINE_SECONDS) == 7


@pytest.mark.parametrize("leader", LEADERS)
def test_ctrl_c_still_reaches_the_tests(leader: list[str], env: dict[str, str]) -> None:
    with on_a_terminal([*leader, sys.executable, "-c", LEAVE, "6000"], env) as process:
        read_until(process, b"no terminal")
        type_in(process, b"\x03")
        assert b"interrupted" in read_rest(process)


def test_no_test_has_a_terminal() -> None:
    with pytest.raises(OSError, match="/dev/tty"):
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))


@pytest.mark.parametrize(
    ("script", "code", "shown"), [("tty >&2; exit 7", 7, "/dev/"), ("kill -9 $$", 137, "")]
)
def test_ci_has_a_terminal_and_gets_the_exit_code(script: str, code: int, shown: str) -> None:
    command = [sys.executable, str(REPOSITORY / "tools" / "on_a_terminal.py"), "sh", "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False)
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout.startswith(shown)
