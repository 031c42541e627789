"""What `pub` is to say: one message, or a line after the other, however long the input, without waiting for its end."""

import io
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aws_iot.cli.ui import output
from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import AwsIotError, InvalidMessage, LocalError
from aws_iot.messaging.client import MAX_PAYLOAD_BYTES, checked_payload, checked_size
from aws_iot.messaging.json_lines import from_line

Said = tuple[int, str, bytes | AwsIotError | None]
"""Number in the input, room, and payload of a message, or why it cannot be sent.

None is for an empty line, and with the number 0 for a moment in which nothing comes.
"""

CHUNK_BYTES = 64 * 1024
CHUNKS = 4
"""So many chunks are read ahead."""

LONGEST_LINE = 8 * MAX_PAYLOAD_BYTES
"""What is longer is no message, whatever form it has: the rest of such a line is passed over."""


@dataclass(frozen=True, slots=True)
class Given:
    """What the options say of the messages."""

    room: str | None
    message: str | None
    lines: bool
    json_lines: bool
    file: Path | None
    raw: bool
    repeat: int
    interval: float

    @property
    def is_stream(self) -> bool:
        """Whether the input holds a message a line."""
        return self.lines or self.json_lines

    @property
    def says_something(self) -> bool:
        """Whether there is anything to say; without it `pub --spool` sends what waits."""
        return self.is_stream or self.message is not None or self.file is not None

    @property
    def is_typed(self) -> bool:
        """Whether somebody types at a terminal what is to be said."""
        return self.reads_stdin and sys.stdin is not None and sys.stdin.isatty()

    @property
    def source(self) -> Path | None:
        """The file that is read, if it is one: `--file -` is standard input, as everywhere."""
        return None if self.file == Path("-") else self.file

    @property
    def reads_stdin(self) -> bool:
        """Whether standard input holds what is to be said."""
        return not self.source and (self.message == "-" or self.is_stream or self.file is not None)


def whole(given: Given) -> bytes:
    """The payload of the one message: what is given, all of standard input, or a file. Raises `InvalidMessage`."""
    if given.source:
        try:
            data = given.source.read_bytes()
        except OSError as error:
            raise LocalError(f"{given.source}: cannot be read: {error.strerror}") from error
    elif given.reads_stdin:
        if sys.stdin is None:
            raise LocalError("standard input is closed", hint="Give the message with -m TEXT or --file.")
        if sys.stdin.isatty():
            output.info("Type the message; Ctrl-D at the start of a line ends it.")
        data = sys.stdin.buffer.read()
    else:
        text = given.message or ""
        return checked_size(os.fsencode(text)) if given.raw else checked_payload(text)
    if given.raw:
        return checked_size(data)
    try:
        return checked_payload(data.decode().removesuffix("\n").removesuffix("\r"))
    except UnicodeDecodeError as error:
        where = given.source or "standard input"
        raise InvalidMessage(
            f"the message on {where} is not valid UTF-8", hint="--raw sends bytes as they are."
        ) from error


def repeated(given: Given, payload: bytes) -> Iterator[Said]:
    """The same as often as is wanted."""
    for number in range(1, given.repeat + 1):
        yield number, given.room or "", payload
        end = time.monotonic() + (given.interval if number < given.repeat else 0)
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
            yield 0, "", None


def lines_of(given: Given) -> Iterator[Said]:
    """A message a line, numbered from 1 as the lines are."""
    number = 0
    with ExitStack() as stack:
        stream = stack.enter_context(_opened(given.source))
        for line in _lines(stream, POLL_SECONDS):
            if line is None:
                yield 0, "", None
                continue
            number += 1
            line = line if given.raw else line.removesuffix(b"\r")
            if not (given.raw or line.strip()):
                yield number, "", None
                continue
            try:
                if given.json_lines:
                    yield number, *_from_json(line, given.room)
                elif given.raw:
                    yield number, given.room or "", checked_size(line)
                else:
                    yield number, given.room or "", checked_payload(line.decode())
            except UnicodeDecodeError:
                yield number, "", InvalidMessage("it is not valid UTF-8 (--raw sends bytes as they are)")
            except AwsIotError as error:
                yield number, "", error


def _from_json(line: bytes, room: str | None) -> tuple[str, bytes]:
    """Room and payload that a line of `sub --json` names. Raises `InvalidMessage`."""
    said = from_line(line)
    if not (where := room or said.room):
        raise InvalidMessage("it names no room, and neither does -r")
    return where, checked_size(said.payload)


class Readable(Protocol):
    """What gives bytes as soon as there are some."""

    def read(self, size: int, /) -> bytes | None: ...


@contextmanager
def _opened(file: Path | None) -> Iterator[Readable]:
    """The file, or standard input; unbuffered, so that a thread may wait there while the program ends."""
    if not file and sys.stdin is None:
        raise LocalError("standard input is closed", hint="Name a file with --file.")
    try:
        with file.open("rb", buffering=0) if file else io.FileIO(sys.stdin.fileno(), closefd=False) as stream:
            yield stream
    except io.UnsupportedOperation:  # standard input is not the system's, as where commands are tested
        yield sys.stdin.buffer
    except OSError as error:
        raise LocalError(f"{file or 'standard input'}: cannot be read: {error.strerror}") from error


def _lines(stream: Readable, seconds: float) -> Iterator[bytes | None]:
    """The lines of the input without their ends; None each time that none comes for `seconds`.

    Of a line that is longer than `LONGEST_LINE`, the beginning. Raises what reading raises.
    """
    rest, skipping = b"", False
    for chunk in _chunks(stream, seconds):
        if chunk is None:
            yield None
            continue
        *whole, rest = (rest + chunk).split(b"\n")
        for line in whole:
            if not skipping:
                yield line
            skipping = False
        if len(rest) > LONGEST_LINE:
            if not skipping:
                yield rest
            rest, skipping = b"", True
    if rest and not skipping:
        yield rest


def _chunks(stream: Readable, seconds: float) -> Iterator[bytes | None]:
    """What can be read now, as soon as it can; read on a thread, so that the caller can look at other things."""
    ready: queue.Queue[bytes | OSError] = queue.Queue(CHUNKS)

    def read() -> None:
        try:
            while chunk := stream.read(CHUNK_BYTES):
                ready.put(chunk)
            ready.put(b"")
        except OSError as error:
            ready.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            chunk = ready.get(timeout=seconds)
        except queue.Empty:
            yield None
            continue
        if isinstance(chunk, OSError):
            raise chunk
        if not chunk:
            return
        yield chunk
