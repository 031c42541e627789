"""Bookmark: a file that says how far an input was sent, so that another run can go on from there."""

import json
import sys
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path

from aws_iot.errors import LocalError
from aws_iot.files import delete, exclusive, read, write_private

MOST_REFUSED = 10_000
"""So many messages that were refused are remembered, to be tried again."""

ANOTHER_INPUT = "Give the input and the room that it was then, or remove the file that --resume names."


@dataclass(frozen=True, slots=True)
class Note:
    """How far an input came.

    The ids of its messages begin with `stream`. So many of them are `settled`, to which `fingerprint` belongs; of those
    the ones that were `refused` are to be tried again: their numbers, each with its fingerprint. The `replaceable` ones
    could not be sent at all, and belong to no fingerprint. All are for `room`, unless they say so themselves.
    """

    stream: str
    settled: int
    room: str | None
    fingerprint: int
    refused: Sequence[tuple[int, int]] = ()
    replaceable: Sequence[int] = ()


def fingerprint(before: int, room: str, payload: bytes) -> int:
    """Of an input up to this message, and `before` up to the last: to notice another input, not a forged one."""
    return zlib.crc32(
        payload, zlib.crc32(b"%s\n%d\n" % (room.encode(errors="replace"), len(payload)), before)
    )


class Bookmark:
    """The file. `word` is what is counted in the input: lines, or messages."""

    def __init__(self, path: Path, word: str = "line") -> None:
        self.path = path
        self._word = word
        self._note = Note("", 0, None, 0)
        self._fingerprint = 0  # of the input so far
        self._fingerprints = deque([(0, 0)])  # the same up to each message that may be noted next
        self._again: dict[int, int] = {}  # what earlier runs were refused, in order, with its fingerprint
        self._refused: dict[int, int] = {}  # what this one was refused
        self._replaceable: set[int] = set()
        self._most = sys.maxsize  # the number up to which at most it can be said what was refused

    @contextmanager
    def of(self, stream: str, room: str | None) -> Iterator[None]:
        """Go on from where the file says, else begin with `stream`; no other program may meanwhile.

        Raises `LocalError` for a file that is none of ours, or about another room.
        """
        with exclusive(self.path.parent, 0.0, f".{self.path.name}.lock", passing=True) as held:
            if not held:
                raise LocalError(f"{self.path}: another program goes on from there")
            self._note = self.load() or Note(stream, 0, room, 0)
            if self._note.room != room:
                raise LocalError(
                    f"{self.path}: is about {_named(self._note.room)}, not {_named(room)}", hint=ANOTHER_INPUT
                )
            self._again = dict(self._note.refused)
            self._replaceable = set(self._note.replaceable)
            yield

    @property
    def stream(self) -> str:
        """What the ids of the messages begin with: the same in each run."""
        return self._note.stream

    @property
    def skipped(self) -> int:
        """So many messages of the input were settled by earlier runs."""
        return self._note.settled

    def wants(self, number: int, room: str, payload: bytes | None) -> bool:
        """Whether this message, the next of the input, is to be sent; None is one that cannot be.

        In place of such a one there may be another the next time. Raises `LocalError` if the input is else not the
        one that an earlier run has sent.
        """
        if payload is None and len(self._replaceable) < MOST_REFUSED:
            self._replaceable.add(number)
        now = self._fingerprint
        if number not in self._replaceable:
            now = self._fingerprint = fingerprint(now, room, payload or b"")
        known = self._note.fingerprint if number == self.skipped else self._again.get(number, now)
        if now != known:
            raise LocalError(
                f"{self.path}: is about another input, up to {self._word} {number:,}", hint=ANOTHER_INPUT
            )
        if number <= self.skipped:
            self._fingerprints.clear()
        if number <= self._most:
            self._fingerprints.append((number, now))
        return number > self.skipped or number in self._again

    def number(self, place: int) -> int:
        """Which message of the input is the one at this place, from 1, among those that are wanted."""
        beyond = place - len(self._again)
        return self.skipped + beyond if beyond > 0 else [*self._again][place - 1]

    def refuse(self, number: int) -> None:
        """This message of the input was refused: the next run is to try it again."""
        if number in self._again:
            self._refused[number] = self._again[number]
        elif len(self._refused) < MOST_REFUSED:
            self._refused[number] = next(known for each, known in self._fingerprints if each == number)
        else:  # what follows is read again
            self._most = min(self._most, number - 1)

    def check_end(self, last: int) -> None:
        """Raises `LocalError` if an input that ends with this number cannot be the one that was sent before."""
        if last < self.skipped:
            raise LocalError(
                f"this input ends at {self._word} {last:,}, and {self.skipped:,} of it were sent before",
                hint=ANOTHER_INPUT,
            )

    def note(self, settled: int) -> None:
        """Write that so many of those wanted are acknowledged now, or were refused, which was said.

        Nothing is written before the input has been read up to where it was the last time.
        """
        reached = min(self.skipped + max(0, settled - len(self._again)), self._most)
        while len(self._fingerprints) > 1 and self._fingerprints[0][0] < reached:
            self._fingerprints.popleft()
        number, now = self._fingerprints[0]
        if number == reached:
            refused = dict([*self._again.items()][settled:]) | self._refused
            left = sorted(each for each in refused.items() if each[0] <= reached)  # the others are read again
            replaceable = sorted(one for one in self._replaceable if one <= reached)
            self._save(
                replace(self._note, settled=reached, fingerprint=now, refused=left, replaceable=replaceable)
            )

    def load(self) -> Note | None:
        """None if there is no such file. Raises `LocalError` if it is none of ours."""
        data = read(self.path)
        if data is None:
            return None
        try:
            note = Note(**json.loads(data))
            numbers = [note.settled, note.fingerprint, *note.replaceable, *chain(*note.refused)]
            if isinstance(note.stream, str) and all(isinstance(one, int) for one in numbers):
                dict(note.refused)
                return note
        except (ValueError, TypeError):
            pass
        raise LocalError(
            f"{self.path}: does not say how far a stream came", hint="Name another file, or remove it."
        )

    def _save(self, note: Note) -> None:
        write_private(self.path, json.dumps(asdict(note)).encode() + b"\n")

    def finish(self) -> bool:
        """All of the input is settled: whether the file is gone, since nothing is to be tried again."""
        return not self._refused and delete(self.path)


def _named(room: str | None) -> str:
    return "rooms that the lines name" if room is None else f"the room '{room}'"
