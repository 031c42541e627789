"""Real processes that save into one history, and are killed."""

import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from tests.histories import entries, texts
from tests.waiting import DEADLINE_SECONDS

WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from tests.histories import message, recorder

path, start, count, name = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
with recorder(path) as recording:
    for number in range(start, start + count, 5):
        for each in range(number, number + 5):
            recording.add(message(str(each), f"{name}{each}" if name else None, at=each * 10))
        recording.flush()
        print(number + 4, flush=True)
"""


def writer(path: Path, start: int, count: int, name: str = "id") -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), str(start), str(count), name],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )


@pytest.mark.parametrize("name", ["id", ""], ids=["with IDs", "without IDs"])
def test_two_processes_in_a_room_save_each_message_once(tmp_path: Path, name: str) -> None:
    path = tmp_path / "file"
    both = [writer(path, 0, 1_000, name) for _ in range(2)]
    for process in both:
        assert process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 0
    assert texts(entries(path)) == [str(number) for number in range(1_000)]


def kill_writers(path: Path, times: int) -> None:
    """Kill a writer again and again; what each printed must be there."""
    printed = -1
    for round_ in range(times):
        process = writer(path, printed + 1, 100_000)
        assert process.stdout
        for _ in range(1 + round_ * 7 % 40):
            printed = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
        rest = [line for line in process.stdout.read().split("\n") if line]
        printed = int(rest[-1]) if rest else printed
        process.wait(DEADLINE_SECONDS)
        process.stdout.close()
        if round_ % 10 == times % 10:
            found = texts(entries(path))
            assert found[: printed + 1] == [str(number) for number in range(printed + 1)]
    found = texts(entries(path))
    assert found[: printed + 1] == [str(number) for number in range(printed + 1)]
    database = sqlite3.connect(path)
    assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


def test_a_killed_writer_loses_nothing_that_it_printed(tmp_path: Path) -> None:
    kill_writers(tmp_path / "file", 4)


@pytest.mark.long
def test_a_hundred_killed_writers_lose_nothing_that_they_printed(tmp_path: Path) -> None:
    kill_writers(tmp_path / "file", 100)
