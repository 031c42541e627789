"""Streams of bytes: waiting for non-blocking ones, and the encodings that text has."""

import codecs
import io
from typing import Any, Protocol, TextIO

CHUNK_BYTES = 64 * 1024
"""How many bytes are read at once."""

BYTE_ORDER_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32-le",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""How text from Windows programs may begin, and the encoding that follows."""


MARK = "\ufeff"
"""A byte order mark, decoded. Files that were joined have it also within the text, at the start of a line."""


class Readable(Protocol):
    """A stream of bytes, such as an unbuffered file, that returns what it has instead of waiting for `size` bytes."""

    def read(self, size: int, /) -> bytes | None:
        """Up to `size` bytes, empty at the end; None if the stream is non-blocking and has nothing now."""
        ...

    def fileno(self) -> int: ...


class WaitingStream(io.RawIOBase):
    """A raw stream that waits until its file is ready, even if that is non-blocking, and that writes everything.

    A file is non-blocking for all programs that share it. So another program, such as Node.js, may make a terminal or
    a pipe non-blocking at any time.

    Whoever buffers what is written uses `WaitingWriter`.
    """

    def __init__(self, raw: Any, first: bytes = b"") -> None:
        """`raw` is an unbuffered file. `first` is what was already read from it."""
        super().__init__()
        self._raw = raw
        self._first = first

    @property
    def name(self) -> Any:
        """The name of the file, or its number, as other streams have it."""
        return self._raw.name

    def readable(self) -> bool:
        return bool(self._raw.readable())

    def writable(self) -> bool:
        return bool(self._raw.writable())

    def fileno(self) -> int:
        return int(self._raw.fileno())

    def isatty(self) -> bool:
        return bool(self._raw.isatty())

    def readinto(self, target: Any, /) -> int:
        if self._first:
            size = min(len(target), len(self._first))
            target[:size], self._first = self._first[:size], self._first[size:]
            return size
        while (count := self._raw.readinto(target)) is None:
            _wait([self._raw], [])
        return int(count)

    def write(self, data: Any, /) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            count = self._raw.write(rest)
            if count is None:
                _wait([], [self._raw])
            else:
                rest = rest[count:]
        return size


class WaitingWriter(io.BufferedWriter):
    """A buffer for a raw file that waits until the file is ready, even if that is non-blocking.

    A signal's handler may raise at any time. What was written is not in the buffer then, so nobody writes it again.
    Above a raw stream in Python, such as `WaitingStream`, that would not be true: the handler may raise there when the
    bytes are written, but not yet counted.
    """

    def write(self, data: Any, /) -> int:
        rest = memoryview(data).cast("B")
        size = len(rest)
        while rest:
            try:
                rest = rest[super().write(rest) :]
            except BlockingIOError as error:
                rest = rest[error.characters_written :]
                _wait([], [self])
        return size

    def flush(self) -> None:
        while True:
            try:
                return super().flush()
            except BlockingIOError:
                _wait([], [self])


def unbuffered(stream: TextIO) -> Readable:
    """The bytes of a text stream without a buffer, so that a thread can wait there while the program exits.

    It is the stream's own raw file, which is UTF-8 on the Windows console too. Opened again by its number, the console
    gives bytes of its code page. A stream in memory, as in tests, has no raw file, and neither has one without a buffer
    (PYTHONUNBUFFERED).
    """
    raw: Readable = getattr(stream.buffer, "raw", stream.buffer)
    return raw


def read_some(stream: Readable, size: int) -> bytes:
    """Up to `size` bytes of what has arrived, empty at the end. It waits for a non-blocking stream."""
    while (data := stream.read(size)) is None:
        _wait([stream], [])
    return data


def read_up_to(stream: Readable, size: int) -> bytes:
    """The first `size` bytes of a stream, fewer only if it ends before. It waits for them."""
    data = bytearray()
    while len(data) < size and (more := read_some(stream, min(size - len(data), CHUNK_BYTES))):
        data += more
    return bytes(data)


def _wait(reading: list[Any], writing: list[Any]) -> None:
    """Return when a stream is ready. Ctrl-C interrupts."""
    import select  # here: most streams never need it

    select.select(reading, writing, [])


def encoding_of(start: bytes) -> tuple[bytes, str]:
    """The byte order mark with which text begins, empty if there is none, and the encoding of the text after it.

    Raises `UnicodeDecodeError` for UTF-16 and UTF-32 without a mark: as UTF-8, that would be full of NUL characters.
    """
    mark = next((one for one in BYTE_ORDER_MARKS if start.startswith(one)), b"")
    if not mark and len(start) > 3 and any(start[:4]) and b"\0\0" in (start[:2], start[2:4]):
        raise UnicodeDecodeError("utf-8", start[:4], 0, 4, "UTF-32 without a byte order mark")
    if not mark and len(start) > 1 and (start[0] == 0) != (start[1] == 0):
        raise UnicodeDecodeError("utf-8", start[:2], 0, 2, "UTF-16 without a byte order mark")
    return mark, BYTE_ORDER_MARKS.get(mark, "utf-8")


def decoded(data: bytes) -> str:
    """The text of a whole file, without a byte order mark. Raises `UnicodeDecodeError`."""
    mark, encoding = encoding_of(data)
    return data[len(mark) :].decode(encoding)
