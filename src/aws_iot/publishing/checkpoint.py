"""Checkpoint: a file that records how far an input was sent, so that the next run continues there."""

import json
import re
import sys
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

from aws_iot.errors import LocalError
from aws_iot.files import delete, exclusive, parsed, read, write_private

MAX_REJECTED = 10_000
"""Number of rejected messages that are remembered for the next run."""

WRONG_INPUT_HINT = "Use the same input and room as before, or remove the file that --resume names."


@dataclass(frozen=True, slots=True)
class CheckpointRecord:
    """The content of the file: how far an input was sent.

    `stream` begins the IDs of its messages. The first `settled` messages are done, and `fingerprint` identifies them.
    `refused` are those that were rejected and will be retried: pairs of number and fingerprint. The messages in
    `replaceable` could not be sent at all, so no fingerprint includes them. `room` is None if each line names its own.
    """

    stream: str
    settled: int
    room: str | None
    fingerprint: int
    refused: Sequence[tuple[int, int]] = ()
    replaceable: Sequence[int] = ()


def fingerprint(before: int, room: str, payload: bytes) -> int:
    """The fingerprint of an input up to this message; `before` is the one up to the message before.

    It detects that the wrong input was given. It does not detect a forged one.
    """
    return zlib.crc32(
        payload, zlib.crc32(b"%s\n%d\n" % (room.encode(errors="replace"), len(payload)), before)
    )


class Checkpoint:
    """The file, and the position in the input of this run. `unit` is what the input counts: lines or messages."""

    def __init__(self, path: Path, unit: str = "line") -> None:
        self.path = path
        self._unit = unit
        self._record = CheckpointRecord("", 0, None, 0)
        self._fingerprint = 0  # of the input so far
        self._fingerprints = deque([(0, 0)])  # by number: of each message that `save` may need next
        # Fingerprints by number, in order: of messages that were rejected in earlier runs, and in this one.
        self._retried: dict[int, int] = {}
        self._rejected: dict[int, int] = {}
        self._replaceable: set[int] = set()
        self._last_recordable = sys.maxsize  # beyond this number, not all rejections could be remembered

    @contextmanager
    def open(self, stream: str, room: str | None) -> Iterator[None]:
        """Read the file and lock it against other programs. A new checkpoint gets the ID `stream`.

        Raises `LocalError` if the file is not a checkpoint or belongs to another room, or if another program has it.
        """
        with exclusive(self.path.parent, 0.0, f".{self.path.name}.lock", temporary=True) as held:
            if not held:
                raise LocalError(f"{self.path}: another program is using this checkpoint")
            self._record = self.load() or CheckpointRecord(stream, 0, room, 0)
            if self._record.room != room:
                raise LocalError(
                    f"{self.path}: this checkpoint is for {_named(self._record.room)}, not for {_named(room)}",
                    hint=WRONG_INPUT_HINT,
                )
            self._retried = dict(self._record.refused)
            self._replaceable = set(self._record.replaceable)
            yield

    @property
    def stream(self) -> str:
        """The beginning of the messages' IDs: the same in each run."""
        return self._record.stream

    @property
    def skipped(self) -> int:
        """Number of messages that earlier runs settled."""
        return self._record.settled

    def wants(self, number: int, room: str, payload: bytes | None) -> bool:
        """Whether to send this message, the next of the input. `payload` is None if it cannot be sent.

        A message that cannot be sent may be corrected before the next run. Any other difference from the input of
        earlier runs raises `LocalError`.
        """
        if payload is None and len(self._replaceable) < MAX_REJECTED:
            self._replaceable.add(number)
        now = self._fingerprint
        if number not in self._replaceable:
            now = self._fingerprint = fingerprint(now, room, payload or b"")
        expected = self._record.fingerprint if number == self.skipped else self._retried.get(number, now)
        if now != expected:
            raise LocalError(
                f"{self.path}: this checkpoint is for another input, which differs in {self._unit} {number:,}"
                " or before",
                hint=WRONG_INPUT_HINT,
            )
        if number <= self.skipped:
            self._fingerprints.clear()
        if number <= self._last_recordable:
            self._fingerprints.append((number, now))
        return number > self.skipped or number in self._retried

    def number(self, position: int) -> int:
        """The number in the input of the message at this position, from 1, among those to send."""
        beyond = position - len(self._retried)
        return self.skipped + beyond if beyond > 0 else [*self._retried][position - 1]

    def reject(self, number: int) -> None:
        """Remember for the next run that this message was rejected."""
        if number in self._retried:
            self._rejected[number] = self._retried[number]
        elif len(self._rejected) < MAX_REJECTED:
            self._rejected[number] = next(known for each, known in self._fingerprints if each == number)
        else:  # the next run reads the input again from here
            self._last_recordable = min(self._last_recordable, number - 1)

    def check_end(self, last: int) -> None:
        """Raises `LocalError` if an input that ends at this number is shorter than the one before."""
        if last < self.skipped:
            raise LocalError(
                f"the input ends at {self._unit} {last:,}, but earlier runs reached {self._unit} {self.skipped:,}",
                hint=WRONG_INPUT_HINT,
            )

    def save(self, settled: int) -> None:
        """Record that the first `settled` messages of those to send are acknowledged, or reported as rejected.

        Writes nothing until the input was read as far as in the run before.
        """
        reached = min(self.skipped + max(0, settled - len(self._retried)), self._last_recordable)
        while len(self._fingerprints) > 1 and self._fingerprints[0][0] < reached:
            self._fingerprints.popleft()
        number, now = self._fingerprints[0]
        if number == reached:
            rejected = dict([*self._retried.items()][settled:]) | self._rejected
            left = sorted(
                each for each in rejected.items() if each[0] <= reached
            )  # the next run reads the others
            replaceable = sorted(one for one in self._replaceable if one <= reached)
            self._write(
                replace(self._record, settled=reached, fingerprint=now, refused=left, replaceable=replaceable)
            )

    def load(self) -> CheckpointRecord | None:
        """The file's content; None if there is no file. Raises `LocalError` if it is not a checkpoint."""
        data = read(self.path)
        if data is None:
            return None
        try:
            record = CheckpointRecord(**parsed(data))
            numbers = [record.settled, record.fingerprint, *record.replaceable, *chain(*record.refused)]
            if (
                isinstance(record.stream, str)
                and re.fullmatch("[!-~]+", record.stream)
                and isinstance(record.room, str | None)
                and all(isinstance(one, int) and one >= 0 for one in numbers)
            ):
                dict(record.refused)
                return record
        except (ValueError, TypeError):
            pass
        raise LocalError(f"{self.path} is not a checkpoint", hint="Name another file, or remove this one.")

    def _write(self, record: CheckpointRecord) -> None:
        write_private(self.path, json.dumps(asdict(record)).encode() + b"\n")

    def finish(self) -> bool:
        """The whole input is settled. Whether that removed the file: it stays if messages are to be retried."""
        return not self._rejected and delete(self.path)


def _named(room: str | None) -> str:
    return "rooms that the lines name" if room is None else f"the room '{room}'"
