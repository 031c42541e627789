"""Histories for tests: messages of a few people, and what is visible of them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aws_iot.errors import LocalError
from aws_iot.history.file.intake import sort_in as sorted_in
from aws_iot.history.file.schema import connect
from aws_iot.history.saving.recorder import Recorder
from aws_iot.history.store import Entry, Filter, History
from aws_iot.messaging.message import Message, encode, from_wire

ALICE = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
BOB = "us-east-1:b0b00000-0ed5-4578-add0-985024739222"
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
NAMES = {ALICE: "alice", BOB: "bob"}


def message(
    text: str,
    id_: str | None = None,
    *,
    sender: str = BOB,
    room: str = "lobby",
    at: float = 0,
    sent: float | None = None,
    kind: str | None = None,
    re: str | None = None,
    retained: bool = False,
) -> Message:
    """A message that arrives `at` seconds after `NOW`. Without an ID, it is from the npm tool."""
    known = [("id", id_), ("name", NAMES.get(sender)), ("kind", kind), ("re", re)] if id_ else []
    if sent is not None:
        known.append(("sent", (NOW + timedelta(seconds=sent)).isoformat()))
    properties = [(key, value) for key, value in known if value is not None]
    return from_wire(room, sender, encode(text), properties, NOW + timedelta(seconds=at), 1, retained)


def fail(problem: LocalError) -> None:
    """The warning of a recorder that must not warn."""
    raise AssertionError(str(problem))


def recorder(path: Path, identity: str = ALICE) -> Recorder:
    """A recorder of Alice that must not warn."""
    return Recorder(path, identity, fail, lambda: NOW)


def save(path: Path, *messages: Message) -> None:
    """Save messages as one program does that receives each by itself, and sort them in."""
    with recorder(path) as recording:
        for one in messages:
            recording.add(one)
            recording.flush()
    sort_in(path)


def sort_in(path: Path) -> None:
    """Sort in what was saved."""
    database = connect(path, ALICE)
    for _ in sorted_in(database, path):
        pass
    database.close()


def entries(path: Path, *rooms: str) -> list[Entry]:
    """Everything that is visible, oldest first."""
    with History(path) as history:
        return list(history.all(Filter(rooms)))


def texts(found: Iterable[Entry]) -> list[str]:
    """The texts of messages."""
    return [entry.message.text for entry in found]
