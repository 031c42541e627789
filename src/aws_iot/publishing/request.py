"""PublishRequest: which messages to send, from which input, and how."""

from pathlib import Path
from typing import NamedTuple

from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.pacing import PUBLISHES_PER_SECOND
from aws_iot.streams import Readable


class InputOptions(NamedTuple):
    """Where the messages come from, and their form: one text, one file, or a message on each line.

    `room` is for lines that name none. `interval` is in seconds between repetitions.
    """

    room: str | None = None
    message: str | None = None
    lines: bool = False
    json_lines: bool = False
    file: Path | None = None
    raw: bool = False
    repeat: int = 1
    interval: float = 0.0

    @property
    def is_stream(self) -> bool:
        """Whether each line of the input is a message."""
        return self.lines or self.json_lines

    @property
    def has_messages(self) -> bool:
        """Whether there is anything to send; if not, a spool's saved messages are sent."""
        return self.is_stream or self.message is not None or self.file is not None

    @property
    def source(self) -> Path | None:
        """The file to read, if there is one; `-` means standard input."""
        return None if self.file == Path("-") else self.file

    @property
    def reads_stdin(self) -> bool:
        """Whether standard input is the source of the messages."""
        return not self.source and (self.message == "-" or self.is_stream or self.file is not None)


class PublishRequest(NamedTuple):
    """The messages to send, to the rooms of the identity pool `pool`, and how.

    `payload` is for options that name a single message. `rate` is in messages a second for each connection, 0 for
    no limit. `stdin` is read if `options.reads_stdin`, and `is_interactive` means that a person types it. Every
    message has this `kind` and `re`: see `Message`.
    """

    options: InputOptions
    pool: str
    payload: bytes | None = None
    stdin: Readable | None = None
    is_interactive: bool = False
    qos: int = 1
    retain: bool = False
    rate: float = PUBLISHES_PER_SECOND
    kind: str | None = None
    re: str | None = None

    @property
    def is_single(self) -> bool:
        """Whether there is exactly one message, known before anything is sent."""
        return self.payload is not None and self.options.repeat == 1

    def outgoing(self, stream: str, number: int, room: str, payload: bytes) -> Outgoing:
        """The message with this number in the input. `stream` begins the IDs of all messages of a run."""
        return Outgoing(room, payload, f"{stream}-{number}", self.qos, self.retain, self.kind, self.re)
