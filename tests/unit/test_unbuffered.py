"""How `pub` reads standard input: the raw file of the stream, as Python opened it."""

import io
from typing import Any

from aws_iot.streams import unbuffered


class Console(io.RawIOBase):
    """Gives text as UTF-8, as Python's own file of the Windows console does. It has no bytes under a number."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks = ["grüß ".encode(), b"dich\n"]

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any) -> int:
        chunk = self._chunks.pop(0) if self._chunks else b""
        target[: len(chunk)] = chunk
        return len(chunk)


def test_the_text_of_a_console_is_read_as_utf_8_as_it_arrives() -> None:
    stream = unbuffered(io.TextIOWrapper(io.BufferedReader(Console()), encoding="cp850"))
    assert [stream.read(100), stream.read(100), stream.read(100)] == ["grüß ".encode(), b"dich\n", b""]


def test_a_stream_in_memory_is_read_directly() -> None:
    assert unbuffered(io.TextIOWrapper(io.BytesIO(b"hello"))).read(100) == b"hello"
