"""Input: reads the messages to send as they arrive, however long the input is."""

import codecs
import os
import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from aws_iot.deadline import POLL_SECONDS
from aws_iot.errors import AwsIotError, InvalidMessage, LocalError
from aws_iot.files import opened
from aws_iot.messaging.composer import MAX_PAYLOAD_BYTES, checked_payload, checked_size
from aws_iot.messaging.topics import check_room
from aws_iot.publishing.request import InputOptions, PublishRequest
from aws_iot.streams import BYTE_ORDER_MARKS, CHUNK_BYTES, MARK, Readable, encoding_of, read_some

CHUNKS_AHEAD = 4

MAX_LINE_BYTES = 8 * MAX_PAYLOAD_BYTES
"""A longer line or file cannot be a message in any form. The rest of it is skipped."""


PIPE_SECONDS = 3.0
"""How long to wait for a program that writes to a named pipe."""


class InputLine(NamedTuple):
    """A message of the input, with its number, from 1."""

    number: int
    room: str
    payload: bytes | AwsIotError | None
    """The payload; or why the message cannot be sent; or None for a blank line."""


def read_message(options: InputOptions, stdin: Readable | None = None) -> bytes:
    """The payload of a single message: the text in the options, or all of a file or of standard input.

    Raises `InvalidMessage`, and `LocalError` if the file cannot be read.
    """
    if not (options.source or options.reads_stdin):
        text = (options.message or "").removeprefix("" if options.raw else MARK)
        return checked_size(os.fsencode(text)) if options.raw else checked_payload(text)
    source = str(options.source or "standard input")
    with _opened(options.source, stdin) as stream, closing(_chunks(stream)) as chunks:
        data = _joined(chunks if options.raw else _as_utf8(chunks, source))
    if options.raw:
        return checked_size(data)
    try:
        return checked_payload(data.decode().removesuffix("\n").removesuffix("\r"))
    except UnicodeDecodeError as error:
        raise InvalidMessage(
            f"the message from {source} is not valid UTF-8", hint="To send bytes unchanged: --raw"
        ) from error


def _joined(chunks: Iterator[bytes | None]) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk or b""
        if len(data) > MAX_LINE_BYTES:
            raise _too_long()
    return bytes(data)


def _too_long() -> InvalidMessage:
    return InvalidMessage(
        f"the message is longer than {MAX_LINE_BYTES:,} bytes: the limit is {MAX_PAYLOAD_BYTES:,} bytes"
    )


def read_messages(request: PublishRequest) -> Iterator[InputLine | None]:
    """All messages of the input in order; None each time that nothing has arrived for `POLL_SECONDS`.

    Raises `InvalidRoom` for the request's own room. A line that names an invalid room has that error as its payload.
    """
    options = request.options
    if options.room is not None and options.has_messages:
        check_room(request.pool, options.room)
    if options.is_stream:
        yield from _parsed_lines(request)
    elif request.payload is not None:
        yield from _repetitions(options, request.payload)


def _repetitions(options: InputOptions, payload: bytes) -> Iterator[InputLine | None]:
    for number in range(1, options.repeat + 1):
        yield InputLine(number, options.room or "", payload)
        end = time.monotonic() + (options.interval if number < options.repeat else 0)
        while (left := end - time.monotonic()) > 0:
            time.sleep(min(left, POLL_SECONDS))
            yield None


def _parsed_lines(request: PublishRequest) -> Iterator[InputLine | None]:
    options, number = request.options, 0
    is_raw, parse = options.raw, _parser(request)
    source = str(options.source or "standard input")
    with _opened(options.source, request.stdin) as stream, closing(_chunks(stream)) as chunks:
        for line in _lines(chunks if is_raw else _as_utf8(chunks, source)):
            if line is None:
                yield None
                continue
            number += 1
            if len(line) > MAX_LINE_BYTES:
                yield InputLine(number, "", _too_long())
                continue
            line = line if is_raw else line.removeprefix(codecs.BOM_UTF8).removesuffix(b"\r")
            if not (is_raw or line.strip()):
                yield InputLine(number, "", None)
                continue
            try:
                room, payload = parse(line)
            except UnicodeDecodeError:
                yield InputLine(number, "", InvalidMessage("not valid UTF-8 (--raw sends bytes unchanged)"))
            except AwsIotError as error:
                yield InputLine(number, "", error)
            else:
                yield InputLine(number, room, payload)


def _parser(request: PublishRequest) -> Callable[[bytes], tuple[str, bytes]]:
    """What finds the room and the payload of a line. It raises `AwsIotError` and `UnicodeDecodeError`."""
    options, own_room = request.options, request.options.room or ""
    if options.json_lines:
        return _json_parser(request.pool, own_room)
    if options.raw:
        return lambda line: (own_room, checked_size(line))
    return lambda line: (own_room, checked_payload(line.decode()))


def _json_parser(pool: str, own_room: str) -> Callable[[bytes], tuple[str, bytes]]:
    from aws_iot.messaging.json_lines import from_line  # here, because only --json-lines needs it

    def from_json(line: bytes) -> tuple[str, bytes]:
        parsed = from_line(line)
        room = own_room or parsed.room
        if not room:
            raise InvalidMessage("no room: the line has none, and -r is missing")
        check_room(pool, room)
        return room, checked_size(parsed.payload)

    return from_json


@contextmanager
def _opened(file: Path | None, stdin: Readable | None) -> Iterator[Readable]:
    """The file, or standard input. Raises `LocalError`, even if reading fails inside the block."""
    try:
        if file:
            with opened(file, PIPE_SECONDS) as stream:
                yield stream
        elif stdin:
            yield stdin
        else:
            raise LocalError("standard input is closed")
    except OSError as error:
        raise LocalError(f"{file or 'standard input'}: cannot be read: {error.strerror}") from error


def _lines(chunks: Iterator[bytes | None]) -> Iterator[bytes | None]:
    """The lines without their line breaks; of a line over `MAX_LINE_BYTES`, only the beginning. Passes None on.

    While it skips the rest of such a line, it returns None from time to time: the line may never end.
    """
    rest, skipping = b"", False
    for chunk in chunks:
        if chunk is None:
            yield None
            continue
        *complete, rest = (rest + chunk).split(b"\n")
        for line in complete:
            if not skipping:
                yield line
            skipping = False
        if len(rest) > MAX_LINE_BYTES:
            if not skipping:
                yield rest
            rest, skipping = b"", True
            yield None
    if rest and not skipping:
        yield rest


def _as_utf8(chunks: Iterator[bytes | None], source: str) -> Iterator[bytes | None]:
    """Text as UTF-8 without the byte order mark that it may begin with. Passes None on.

    Raises `LocalError` for text that cannot be converted.
    """
    start = b""
    for chunk in chunks:
        start += chunk or b""
        if chunk is None or any(start != mark and mark.startswith(start) for mark in BYTE_ORDER_MARKS):
            yield None  # the mark may not be complete yet
        else:
            break
    try:
        mark, encoding = encoding_of(start)
    except UnicodeDecodeError as error:
        raise LocalError(
            f"{source} is {error.reason}",
            hint="Convert it to UTF-8 first. To send bytes unchanged: --raw",
        ) from error
    text = start.removeprefix(mark)
    if encoding == "utf-8":
        yield text
        yield from chunks
        return
    # Half a character becomes bytes that are not UTF-8 either, so only its line is rejected.
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    yield decoder.decode(text).encode(errors="surrogatepass")
    for chunk in chunks:
        yield None if chunk is None else decoder.decode(chunk).encode(errors="surrogatepass")
    if decoder.getstate()[0]:
        yield b"\xff"


def _chunks(stream: Readable) -> Generator[bytes | None]:
    """The input as it arrives; None each time that nothing has arrived for `POLL_SECONDS`.

    A thread reads, so that the caller can do other work. It ends soon after the caller closes the iterator, unless it
    waits for input.
    """
    ready: queue.Queue[bytes | OSError | ValueError] = queue.Queue(CHUNKS_AHEAD)
    stopping = threading.Event()

    def put(item: bytes | OSError | ValueError) -> None:
        is_waiting = True
        while is_waiting and not stopping.is_set():
            with suppress(queue.Full):
                ready.put(item, timeout=POLL_SECONDS)
                is_waiting = False

    def read() -> None:
        try:
            while not stopping.is_set() and (chunk := read_some(stream, CHUNK_BYTES)):
                put(chunk)
            put(b"")
        except (OSError, ValueError) as error:  # the latter if the stream was closed
            put(error)

    threading.Thread(target=read, daemon=True).start()
    try:
        while True:
            try:
                chunk = ready.get(timeout=POLL_SECONDS)
            except queue.Empty:
                yield None
                continue
            if isinstance(chunk, OSError | ValueError):
                raise chunk
            if not chunk:
                return
            yield chunk
    finally:
        stopping.set()
