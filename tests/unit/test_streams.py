"""Streams: non-blocking files are waited for, and the encoding of text is recognized."""

import io
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws_iot.streams import WaitingStream, decoded
from tests.processes import COMMAND, environment
from tests.waiting import DEADLINE_SECONDS, MOMENT_SECONDS, wait_until

TEXT = "first ☂ \U0001f44b\r\n"


@pytest.fixture
def pipe() -> Iterator[tuple[io.FileIO, io.FileIO]]:
    """Both ends of a non-blocking pipe: the one to read from, and the one to write to."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    with io.FileIO(reading) as source, io.FileIO(writing, "w") as target:
        yield source, target


def filled(target: io.FileIO) -> int:
    """Write until the pipe is full; how many bytes that took."""
    size = 0
    while count := target.write(b"." * 4096):
        size += count
    return size


class Counting:
    """A raw file that counts how often something is written to it."""

    def __init__(self, raw: io.FileIO) -> None:
        self._raw = raw
        self.writes = 0

    def write(self, data: Any) -> int | None:
        self.writes += 1
        return self._raw.write(data)

    def fileno(self) -> int:
        return self._raw.fileno()


def test_everything_is_written_to_a_pipe_that_is_full_and_non_blocking(
    pipe: tuple[io.FileIO, io.FileIO],
) -> None:
    source, target = pipe
    counting, data, sizes = Counting(target), os.urandom(300_000), []
    before = filled(target)
    writing = threading.Thread(target=lambda: sizes.append(WaitingStream(counting).write(data)))
    writing.start()
    wait_until(lambda: counting.writes == 1)
    writing.join(MOMENT_SECONDS)  # it waits, and does not try again and again
    assert counting.writes == 1
    waiting, found = WaitingStream(source), bytearray()
    while len(found) < before + len(data):
        found += waiting.read(100_000) or b""
    writing.join(DEADLINE_SECONDS)
    assert found[before:] == data
    assert sizes == [len(data)]


def test_a_non_blocking_pipe_is_read_to_its_end(pipe: tuple[io.FileIO, io.FileIO]) -> None:
    source, target = pipe
    assert source.read(1) is None
    lines: list[str] = []
    reader = io.TextIOWrapper(io.BufferedReader(WaitingStream(source)), encoding="utf-8")
    reading = threading.Thread(target=lambda: lines.extend(reader))
    reading.start()
    for piece in (b"on", b"e\ntwo", b"\n"):
        target.write(piece)
        reading.join(0.05)
    target.close()
    reading.join(DEADLINE_SECONDS)
    assert lines == ["one\n", "two\n"]


READ_STDIN = """
import sys
from aws_iot.cli.ui.output import set_up_streams
set_up_streams()
print([sys.stdin.readline(), sys.stdin.read()])
"""


def test_whoever_reads_standard_input_waits_for_it(pipe: tuple[io.FileIO, io.FileIO]) -> None:
    source, target = pipe
    process = subprocess.Popen(
        [sys.executable, "-c", READ_STDIN], stdin=source, stdout=subprocess.PIPE, text=True
    )
    for piece in (b"li", b"ne\nre", b"st"):
        target.write(piece)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(MOMENT_SECONDS)
    target.close()
    assert process.communicate(timeout=DEADLINE_SECONDS)[0] == "['line\\n', 'rest']\n"


INTERRUPT_WRITING = """
import signal
from itertools import count
from aws_iot.cli.ui.output import Lines, data, set_up_streams

class Interrupted(BaseException): pass

def interrupt(*_):
    raise Interrupted

set_up_streams()
signal.signal(signal.SIGALRM, interrupt)
numbers = count()
for write in 100 * (data, None):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005)
        with Lines() as lines:
            while True:
                if write:
                    write(str(next(numbers)))
                else:
                    lines.add(str(next(numbers)))
                    lines.flush()
    except Interrupted:
        pass
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="interrupts with a timer of POSIX")
def test_what_a_signal_interrupts_is_not_written_twice() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", INTERRUPT_WRITING], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.splitlines()
    assert len(printed) > 200
    assert len(printed) == len({*printed})


@pytest.mark.parametrize(("stream", "unbuffered"), [("stdout", ""), ("stdout", "1"), ("stderr", "")])
def test_a_command_waits_for_a_non_blocking_stream(
    tmp_path: Path, pipe: tuple[io.FileIO, io.FileIO], stream: str, unbuffered: str
) -> None:
    source, target = pipe
    before = filled(target)
    line = ["config", "path"] if stream == "stdout" else ["config", "nonsense"]
    env = environment(tmp_path / "config", PYTHONUNBUFFERED=unbuffered)
    streams: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, stream: target}
    process = subprocess.Popen([*COMMAND, *line], env=env, stdin=subprocess.DEVNULL, **streams)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(MOMENT_SECONDS)  # the pipe is full
    target.close()
    text = (WaitingStream(source).readall() or b"")[before:].decode()
    assert process.wait(DEADLINE_SECONDS) == (0 if stream == "stdout" else 2)
    if stream == "stdout":
        assert text == f"{tmp_path / 'config'}\n"
    else:
        assert text.startswith("Error: ")
        assert text.endswith("\n")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_text_is_decoded_by_its_byte_order_mark(encoding: str) -> None:
    assert decoded(TEXT.encode(encoding)) == TEXT


@pytest.mark.parametrize("encoding", ["utf-16-be", "utf-32-be"])
def test_big_endian_text_is_decoded(encoding: str) -> None:
    assert decoded(("\ufeff" + TEXT).encode(encoding)) == TEXT


@pytest.mark.parametrize("data", [TEXT.encode("utf-16-le"), TEXT.encode("utf-16-be"), b"\xff", b"a\xe9"])
def test_other_text_is_rejected_as_a_whole(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        decoded(data)
