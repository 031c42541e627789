"""Real processes that save into one history, and are killed."""

import platform
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.histories import entries, message, save, texts
from tests.waiting import DEADLINE_SECONDS

WRITER = """
import sys
from datetime import timedelta
from pathlib import Path
from tests.histories import message, recorder, sort_in

path, start, count, name = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
with recorder(path) as recording:
    for number in range(start, start + count, 5):
        for each in range(number, number + 5):
            recording.add(message(str(each), f"{name}{each}" if name else None, at=each * 10))
        recording.flush()
        print(number + 4, flush=True)
        if number % 3 == 0:
            sort_in(path)
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
    both = [writer(path, 0, 300, name) for _ in range(2)]
    for process in both:
        assert process.communicate(timeout=DEADLINE_SECONDS)
        assert process.returncode == 0
    assert texts(entries(path)) == [str(number) for number in range(300)]


def kill_writers(path: Path, times: int) -> None:
    """Kill a writer again and again, also while it sorts in; what each printed must be there."""
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
    kill_writers(tmp_path / "file", 3)


@pytest.mark.long
def test_a_hundred_killed_writers_lose_nothing_that_they_printed(tmp_path: Path) -> None:
    kill_writers(tmp_path / "file", 100)


REFUSED = """
import ctypes, errno, os, platform, resource, struct, sys
from datetime import UTC, datetime
from pathlib import Path
import aws_iot.history.file.intake, aws_iot.history.saving.owners
from aws_iot.history.saving.recorder import Recorder
from tests.histories import ALICE, NOW, message

def refuse_locks():
    # What a file system without locks answers, by a filter of the kernel: seccomp(2).
    calls = {"x86_64": (72, 73), "aarch64": (25, 32)}[platform.machine()]  # fcntl, flock
    load, equal, give = 0x20, 0x15, 0x06
    refusal, allow = 0x00050000 | errno.ENOLCK, 0x7FFF0000
    lines = [
        (load, 0, 0, 0), (equal, 6, 0, calls[1]), (equal, 0, 4, calls[0]), (load, 0, 0, 24),
        (equal, 3, 0, 6), (equal, 2, 0, 7), (equal, 1, 0, 37), (give, 0, 0, allow), (give, 0, 0, refusal),
    ]
    program = b"".join(struct.pack("HBBI", *line) for line in lines)
    buffer = ctypes.create_string_buffer(program)
    filter = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(lines), ctypes.addressof(buffer)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0  # no new privileges
    assert libc.prctl(22, 2, ctypes.byref(filter), 0, 0) == 0, os.strerror(ctypes.get_errno())

path, obstacle = Path(sys.argv[1]), sys.argv[2]
if obstacle == "full disk":
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
if obstacle == "no locks":
    refuse_locks()
if obstacle == "read-only folder" and os.geteuid() == 0:
    os.seteuid(65534)
with Recorder(path, ALICE, lambda problem: print(problem, flush=True), lambda: NOW) as recording:
    for number in range(9):
        recording.add(message("x" * 50_000, f"new{number}"))
        recording.flush()
print("goes on")
"""


@pytest.mark.parametrize("is_new", [True, False], ids=["new", "existing"])
@pytest.mark.parametrize("obstacle", ["full disk", "read-only folder", "no locks"])
def test_what_the_system_refuses_is_reported_once(obstacle: str, is_new: bool) -> None:
    if sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"):
        pytest.skip("asks the kernel of Linux to refuse it")
    with tempfile.TemporaryDirectory() as made:  # that of pytest is closed to whom root becomes here
        folder = Path(made) / "folder"
        path = folder / "file"
        if is_new:
            folder.mkdir()
        else:
            save(path, message("old", "old"))
            path.chmod(0o644)
        Path(made).chmod(0o755)
        folder.chmod(0o555 if obstacle == "read-only folder" else 0o700)
        try:
            done = subprocess.run(
                [sys.executable, "-c", REFUSED, str(path), obstacle],
                capture_output=True,
                text=True,
                cwd=Path(__file__).parents[2],
                timeout=DEADLINE_SECONDS,
                check=False,
            )
        finally:
            folder.chmod(0o700)
        assert done.returncode == 0, done.stderr
        warning, last = done.stdout.splitlines()
        assert "messages are not saved from now on" in warning
        assert last == "goes on"
        if not is_new:
            assert texts(entries(path))[0] == "old"
