"""Files are written completely or not at all: real processes that are killed, or write at once."""

import os
import secrets
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aws_iot.errors import LocalError
from aws_iot.files import (
    MAX_FILE_BYTES,
    exclusive,
    is_locked,
    is_open_to_others,
    opened,
    parsed,
    protect,
    read,
    write_private,
)
from tests.waiting import DEADLINE_SECONDS

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
SIZE = 300_000

REWRITE = f"""
import itertools, pathlib, sys
from aws_iot.files import write_private
for letter in itertools.cycle(b"abcdefghij"):
    write_private(pathlib.Path(sys.argv[1]), bytes([letter]) * {SIZE})
    print("written", flush=True)
"""
COUNT = """
import pathlib, sys
from aws_iot.files import exclusive, write_private
folder = pathlib.Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
for _ in range(100):
    with exclusive(folder):
        write_private(folder / "count", b"%d" % (int((folder / "count").read_bytes()) + 1))
"""
HOLD = """
import pathlib, sys
from aws_iot.files import exclusive
with exclusive(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.readline()
"""
FILL = """
import pathlib, resource, sys
from aws_iot.errors import LocalError
from aws_iot.files import write_private
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_private(pathlib.Path(sys.argv[1]), b"new" * 1000)
except LocalError as error:
    print(type(error).__name__)
"""


@contextmanager
def child(script: str, path: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def next_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_file_has_the_content_that_was_written_last(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (b"a longer first version\r\n\0", b"second", b""):
        write_private(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_only_the_owner_can_read_a_file_and_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "file"
    write_private(path, b"data")
    assert (mode(path), mode(path.parent)) == (0o600, 0o700)


@POSIX
def test_a_file_that_others_could_read_becomes_private(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(mode=0o644)
    write_private(path, b"data")
    assert mode(path) == 0o600


@POSIX
@pytest.mark.parametrize("lock", [False, True], ids=["write_private", "exclusive"])
def test_only_the_owner_can_read_a_folder_that_was_created(tmp_path: Path, lock: bool) -> None:
    folder = tmp_path / "outer" / "inner"
    if lock:
        with exclusive(folder):
            pass
    else:
        write_private(folder / "file", b"data")
    assert (mode(folder.parent), mode(folder)) == (0o700, 0o700)


@POSIX
def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with child(FILL, path) as process:
        assert next_line(process) == "LocalError"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_replacement_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "folder in the way"
    path.mkdir()
    with pytest.raises(LocalError, match="folder in the way: cannot be written"):
        write_private(path, b"new")
    assert list(tmp_path.iterdir()) == [path]


@POSIX
def test_a_file_is_always_one_complete_version_even_if_its_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    versions = {bytes([letter]) * SIZE for letter in b"abcdefghij"}
    for _ in range(8):
        with child(REWRITE, path) as process:
            assert next_line(process) == "written"
            killed_at = time.monotonic() + secrets.randbelow(60) / 1000
            while time.monotonic() < killed_at:
                assert path.read_bytes() in versions
            os.kill(process.pid, signal.SIGKILL)
            assert process.wait(DEADLINE_SECONDS) == -signal.SIGKILL
        assert path.read_bytes() in versions


def test_two_processes_can_change_a_file_at_once_and_lose_no_change(tmp_path: Path) -> None:
    write_private(tmp_path / "count", b"0")
    with child(COUNT, tmp_path) as one, child(COUNT, tmp_path) as other:
        assert (next_line(one), next_line(other)) == ("ready", "ready")
        for process in (one, other):
            assert process.stdin
            process.stdin.write("go\n")
            process.stdin.flush()
        assert (one.wait(DEADLINE_SECONDS), other.wait(DEADLINE_SECONDS)) == (0, 0)
    assert (tmp_path / "count").read_bytes() == b"200"


def test_waiting_for_a_lock_ends_when_its_holder_is_killed(tmp_path: Path) -> None:
    entered = threading.Event()

    def enter() -> None:
        with exclusive(tmp_path):
            entered.set()

    waiting = threading.Thread(target=enter)
    with child(HOLD, tmp_path) as process:
        assert next_line(process) == "held"
        waiting.start()
        assert not entered.wait(0.1)
        process.kill()
        waiting.join(DEADLINE_SECONDS)
    assert entered.is_set()


def test_a_lock_is_released_after_an_error_inside(tmp_path: Path) -> None:
    for _ in range(2):
        with pytest.raises(ValueError, match="inside"), exclusive(tmp_path):
            raise ValueError("inside")
    assert [path.name for path in tmp_path.iterdir()] == [".lock"]


def test_whether_a_lock_is_held_can_be_asked_without_holding_it(tmp_path: Path) -> None:
    assert not is_locked(tmp_path / "missing")
    assert list(tmp_path.iterdir()) == []
    with child(HOLD, tmp_path) as process:
        assert next_line(process) == "held"
        assert is_locked(tmp_path)
        process.kill()
        process.wait(DEADLINE_SECONDS)
    assert not is_locked(tmp_path)


def test_a_missing_file_has_no_content(tmp_path: Path) -> None:
    assert read(tmp_path / "missing") is None


def test_a_file_is_read_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * MAX_FILE_BYTES)
    assert read(path) == b"x" * MAX_FILE_BYTES
    path.write_bytes(b"x" * (MAX_FILE_BYTES + 1))
    with pytest.raises(LocalError, match=r"file: cannot be read: it is longer than 4,194,304 bytes"):
        read(path)


@POSIX
def test_only_files_are_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/zero")
    for name, kind in ((".", "folder"), ("pipe", "pipe"), ("link", "device")):
        with pytest.raises(LocalError, match=f"cannot be read: it is a {kind}, not a file"):
            read(tmp_path / name)


@POSIX
def test_a_pipe_from_the_shell_is_read_to_its_end() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)

    def write() -> None:
        os.write(writing, b"con")
        os.write(writing, b"tent")
        os.close(writing)

    threading.Timer(0.05, write).start()
    assert read(Path(f"/dev/fd/{reading}")) == b"content"
    os.close(reading)


@POSIX
def test_a_device_from_the_shell_is_read_up_to_the_limit() -> None:
    device = os.open("/dev/zero", os.O_RDONLY)
    with pytest.raises(LocalError, match="longer than"):
        read(Path(f"/dev/fd/{device}"))
    os.close(device)


@POSIX
def test_a_named_pipe_is_read_if_a_program_opens_it_in_time(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(b"x" * 200_000))
    writer.start()
    with opened(path, DEADLINE_SECONDS) as stream:
        assert stream.readall() == b"x" * 200_000
    writer.join()


@POSIX
def test_a_named_pipe_that_no_program_writes_to_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(LocalError, match="a pipe that no program writes to"), opened(path, 0):
        pass


@pytest.mark.parametrize(
    ("data", "value"), [(b'{"a": [1]}', {"a": [1]}), ("[]", []), (None, None), (b"", None), (b"\xff", None)]
)
def test_damaged_json_counts_as_missing(data: bytes | str | None, value: object) -> None:
    assert parsed(data) == value


@pytest.mark.parametrize("deep", ["[" * 200_000, '{"a":' * 200_000, "1" * 10_000])
def test_json_that_python_cannot_read_counts_as_missing(deep: str) -> None:
    assert parsed(deep) is None


@POSIX
def test_where_files_have_no_modes_none_counts_as_open_to_others(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    path.chmod(0o666)
    assert is_open_to_others(path.stat(), has_modes=True)
    assert not is_open_to_others(path.stat(), has_modes=False)


def test_a_file_that_others_could_read_can_be_protected(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch(mode=0o600)
    assert not protect(path)
    for wrong in (0o644, 0o660, 0o602, 0o666):
        path.chmod(wrong)
        assert protect(path)
        assert mode(path) == 0o600
    assert not protect(tmp_path / "missing")
