"""The input of `pub`: lines as they arrive, in the encodings that text files have."""

import io
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_iot.errors import AwsIotError, InvalidMessage, LocalError
from aws_iot.messaging.message import encode
from aws_iot.publishing.input import MAX_LINE_BYTES, read_message, read_messages
from aws_iot.publishing.request import InputOptions, PublishRequest
from aws_iot.streams import Readable
from tests.waiting import DEADLINE_SECONDS

POOL = "us-east-1:00000000-0000-0000-0000-00000000abcd"
LINES = InputOptions("lobby", lines=True)


class Endless:
    """A stream without an end. It records the threads that read it."""

    def __init__(self, piece: bytes = b"x\n") -> None:
        self.readers: set[threading.Thread] = set()
        self._piece = piece

    def read(self, size: int, /) -> bytes:
        self.readers.add(threading.current_thread())
        return self._piece * (size // len(self._piece))

    def fileno(self) -> int:
        raise io.UnsupportedOperation


class Pieces:
    """A stream that returns one piece at each read, as a slow pipe does."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [*pieces, b""]

    def read(self, _: int, /) -> bytes:
        return self._pieces.pop(0)

    def fileno(self) -> int:
        raise io.UnsupportedOperation


def payloads(stdin: Readable, options: InputOptions = LINES) -> list[bytes | type[AwsIotError] | None]:
    """What each line gives: a payload, a kind of error, or None for a blank line."""
    lines = [line for line in read_messages(PublishRequest(options, POOL, stdin=stdin)) if line]
    assert [line.number for line in lines] == [*range(1, len(lines) + 1)]
    return [type(line.payload) if isinstance(line.payload, AwsIotError) else line.payload for line in lines]


def test_lines_are_found_wherever_the_pieces_of_a_pipe_end() -> None:
    assert payloads(Pieces(b"o", b"ne\r", b"\ntwo\n", b"\n", b"thr", b"ee")) == [
        encode("one"),
        encode("two"),
        None,
        encode("three"),
    ]


def test_the_rest_of_a_line_that_is_too_long_is_skipped() -> None:
    long = b"x" * (MAX_LINE_BYTES + 1)
    assert payloads(Pieces(long, long, b"\nnext\n")) == [InvalidMessage, encode("next")]


@pytest.mark.parametrize("raw", [False, True])
def test_a_message_without_an_end_is_rejected_before_it_fills_the_memory(raw: bool) -> None:
    for options in (InputOptions("lobby", "-", raw=raw), InputOptions("lobby", file=Path("-"), raw=raw)):
        with pytest.raises(InvalidMessage, match="longer than 1,048,576 bytes: the limit is 131,072 bytes"):
            read_message(options, Endless())


def test_a_line_without_an_end_is_rejected_as_soon_as_it_is_too_long() -> None:
    lines = read_messages(PublishRequest(LINES, POOL, stdin=Endless(b"x")))
    line = next(line for line in lines if line)
    assert (line.number, str(line.payload)) == (
        1,
        "the message is longer than 1,048,576 bytes: the limit is 131,072 bytes",
    )
    assert next(lines) is None  # and nothing waits for its end


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("size", [1, 3, 1000])
def test_a_byte_order_mark_is_not_part_of_the_first_line(encoding: str, size: int) -> None:
    data = "first ☂ \U0001f44b\r\nsecond\r\n\r\nfourth".encode(encoding)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert payloads(Pieces(*pieces)) == [
        encode("first ☂ \U0001f44b"),
        encode("second"),
        None,
        encode("fourth"),
    ]


def test_big_endian_text_is_converted_too() -> None:
    data = "\ufefffirst\nsecond\n".encode("utf-16-be")
    assert payloads(Pieces(data)) == [encode("first"), encode("second")]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("options", [LINES, InputOptions(json_lines=True), InputOptions("lobby", "-")])
def test_utf_16_and_utf_32_without_a_byte_order_mark_are_rejected_as_a_whole(
    options: InputOptions, encoding: str
) -> None:
    stdin = Pieces("first\nsecond\n".encode(encoding))
    with pytest.raises(LocalError, match=r"standard input is UTF-.. without a byte order mark") as caught:
        payloads(stdin, options) if options.is_stream else read_message(options, stdin)
    assert "--raw" in (caught.value.hint or "")


def test_files_with_byte_order_marks_can_be_joined() -> None:
    one, two = ("\ufeffone\n", "\ufefftwo\n")
    assert payloads(Pieces((one + two).encode())) == [encode("one"), encode("two")]
    assert payloads(Pieces((one + two).encode("utf-16-le"))) == [encode("one"), encode("two")]


def test_a_byte_order_mark_in_a_message_that_was_typed_is_dropped_too() -> None:
    assert read_message(InputOptions("lobby", "\ufeffhello")) == encode("hello")
    assert read_message(InputOptions("lobby", "\ufeffhello", raw=True)) == "\ufeffhello".encode()


def test_half_a_character_makes_only_its_own_line_invalid() -> None:
    lone_surrogate = "\ufeffa\nb\ud800\nc\n".encode("utf-16-le", "surrogatepass")
    assert payloads(Pieces(lone_surrogate)) == [encode("a"), InvalidMessage, encode("c")]
    cut_off = "\ufeffa\nb".encode("utf-16-le")[:-1]
    assert payloads(Pieces(cut_off)) == [encode("a"), InvalidMessage]


def test_an_input_that_ends_within_a_byte_order_mark_is_not_valid() -> None:
    assert payloads(Pieces(b"\xef\xbb")) == [InvalidMessage]
    assert payloads(Pieces()) == []


def test_raw_bytes_keep_their_byte_order_mark() -> None:
    data = "\ufeffa".encode("utf-8")
    assert payloads(Pieces(data), InputOptions("lobby", lines=True, raw=True)) == [data]
    assert read_message(InputOptions("lobby", "-", raw=True), Pieces(data)) == data


def test_lines_of_json_may_begin_with_a_byte_order_mark() -> None:
    line = '\ufeff{"room": "ops", "text": "hi"}\r\n'
    options = InputOptions(json_lines=True)
    assert payloads(Pieces(line.encode()), options) == [encode("hi")]
    assert payloads(Pieces(line.encode("utf-16-le")), options) == [encode("hi")]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_single_message_may_be_in_any_of_the_encodings(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "message.txt"
    file.write_bytes("two\nlines ☂\r\n".encode(encoding))
    assert read_message(InputOptions("lobby", file=file)) == encode("two\nlines ☂")


@pytest.fixture
def non_blocking_pipe() -> Iterator[tuple[io.FileIO, int]]:
    """A non-blocking pipe as a stream to read, and the descriptor to write to."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    with io.FileIO(reading) as stream:
        yield stream, writing


def test_a_non_blocking_pipe_is_read_to_its_end(non_blocking_pipe: tuple[io.FileIO, int]) -> None:
    stream, writing = non_blocking_pipe
    found = []
    for line in read_messages(PublishRequest(LINES, POOL, stdin=stream)):
        found.append(line and line.payload)
        if line is None and writing:  # it has been empty for a while, and has not ended
            os.write(writing, b"one\ntwo\n")
            os.close(writing)
            writing = 0
    assert [payload for payload in found if payload] == [encode("one"), encode("two")]


def test_a_single_message_from_a_non_blocking_pipe_is_complete(
    non_blocking_pipe: tuple[io.FileIO, int],
) -> None:
    stream, writing = non_blocking_pipe
    assert stream.read(1) is None
    os.write(writing, b"hello\n")
    os.close(writing)
    assert read_message(InputOptions("lobby", "-"), stream) == encode("hello")


def test_a_file_that_cannot_be_read_is_a_local_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="missing: cannot be read"):
        read_message(InputOptions("lobby", file=tmp_path / "missing"))
    with pytest.raises(LocalError, match="cannot be read"):
        payloads(Pieces(), InputOptions("lobby", lines=True, file=tmp_path))


def test_standard_input_that_is_closed_is_a_local_error() -> None:
    with pytest.raises(LocalError, match="standard input is closed"):
        read_message(InputOptions("lobby", "-"))


def test_the_thread_that_reads_ends_if_the_lines_are_not_read_to_the_end() -> None:
    stream = Endless()
    lines = read_messages(PublishRequest(LINES, POOL, stdin=stream))
    assert next(line for line in lines if line).payload == encode("x")
    del lines
    [reader] = stream.readers
    reader.join(DEADLINE_SECONDS)
    assert not reader.is_alive()


def test_a_stream_that_was_closed_raises_in_the_thread_that_asks_for_lines(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with (tmp_path / "file").open("rb", buffering=0) as stream:
        pass
    with pytest.raises(ValueError, match="closed file"):
        payloads(stream)
