"""History: reads what was saved, newest last, with edits, deletions, reactions and replies as they stand."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from aws_iot.errors import LocalError
from aws_iot.history.conversation import Reaction
from aws_iot.history.file import ids, rows
from aws_iot.history.file.journal import journals
from aws_iot.history.file.record import moment
from aws_iot.history.file.rows import COLUMNS, IS_OWN, IS_SHOWN, PER_MILLISECOND, Row
from aws_iot.history.file.schema import (
    connect,
    connect_to_read,
    is_refused,
    migrate,
    transaction,
    translate_errors,
)
from aws_iot.history.saving.owners import identity_of
from aws_iot.identities import IdentityPrefix
from aws_iot.messaging.message import Message, encode
from aws_iot.messaging.topics import matches

LEAST_OF_ID = 8
"""How many characters of an ID are shown at least."""

MOST_ALIKE = 100
"""Number of IDs with the same beginning from which on whole ones are shown."""

READ_BUSY_SECONDS = 1.0
"""How long a reader waits for programs that write. After that, it does without what they have not sorted in."""


@dataclass(frozen=True, slots=True)
class Quote:
    """The message that another one refers to, as it stands. `text` is None if it was deleted."""

    id: str
    sender: str
    name: str | None
    text: str | None
    received: datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """A message as it stands. `message.text` and `message.payload` are those of the last edit.

    `at` is its place in the history: the later a message arrived, the higher. `id` is `message.id`, or one that is
    derived for a message that has none. A deleted message has an empty text. `reply_to` is None if the message
    is no reply, or answers a message that is not in the history.
    """

    at: int
    id: str
    message: Message
    is_edited: bool = False
    is_deleted: bool = False
    reactions: tuple[Reaction, ...] = ()
    reply_to: Quote | None = None


class RoomSummary(NamedTuple):
    """A room: how many messages it has, how many you have not read, and when the last one arrived."""

    room: str
    messages: int
    unread: int
    last: datetime


class Ambiguous(LocalError):
    """Several messages have IDs that begin so."""


class UnknownMessage(LocalError):
    """No message of the history has this ID."""


@dataclass(frozen=True)
class Filter:
    """Which messages to read. Rooms may be patterns; none means every room, and so with senders.

    A sender is a name, whatever its case, or an identity or its beginning. `since` is included, `until` is not.
    """

    rooms: Sequence[str] = ()
    senders: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None


class History:
    """The history of an identity. One thread uses it, as a context manager.

    It waits a second at most for programs that write. Every method raises `LocalError` if the file cannot be read.
    """

    def __init__(self, path: Path, *, only_reads: bool = False) -> None:
        """`path` is the file of the identity: see `history_file`. If it does not exist, the history is empty.

        With `only_reads`, it begins at once, without what programs have saved and not sorted in yet.
        """
        self.path = path
        self._only_reads = only_reads
        self.database: sqlite3.Connection

    def __enter__(self) -> Self:
        with translate_errors(self.path):
            self.database = connect_to_read(self.path) if self._only_reads else self._open()
        try:
            if not self._only_reads:
                with translate_errors(self.path, self.database):
                    self._try_to_sort_in()
        except BaseException:
            self.database.close()
            raise
        return self

    def _open(self) -> sqlite3.Connection:
        is_new = not _exists(self.path)
        if is_new and not journals(self.path):
            return _empty()
        try:
            identity = identity_of(self.path) if is_new else None
            return connect(self.path, identity, READ_BUSY_SECONDS)
        except LocalError as error:
            if not isinstance(error.__cause__, sqlite3.OperationalError | OSError):
                raise
            return connect_to_read(self.path)

    def _try_to_sort_in(self) -> None:
        """Do without what programs have saved if another one writes for long, or if the file cannot be changed."""
        try:
            self.sort_in()
        except LocalError:
            pass
        except sqlite3.OperationalError as error:
            if not is_refused(error):
                raise

    def sort_in(self) -> None:
        """Take in what programs have saved. Raises `sqlite3.Error`, and `LocalError` if a journal cannot be read."""
        if journals(self.path):
            from aws_iot.history.file.intake import sort_in  # here: usually everything is sorted in

            for _ in sort_in(self.database, self.path):
                pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()

    def last(self, wanted: Filter, count: int) -> list[Entry]:
        """The last messages, oldest first."""
        return [*self._entries(reversed([*islice(self._newest_first(wanted), count)]))]

    def first(self, wanted: Filter, count: int) -> list[Entry]:
        """The first messages, oldest first."""
        return [*islice(self.all(wanted), count)]

    def all(self, wanted: Filter) -> Iterator[Entry]:
        """All messages, oldest first. What arrives meanwhile is not among them."""
        return self._entries(self._select(wanted, "at"))

    def originals(self, wanted: Filter) -> Iterator[Message]:
        """All messages as they arrived, with edits, deletions and reactions as messages of their own, oldest first."""
        return (message for message, _ in self.as_received(wanted))

    def as_received(self, wanted: Filter) -> Iterator[tuple[Message, bool]]:
        """The same, each with whether it was deleted since. Its text and payload are then empty."""
        reader = _Reader(self.database)
        with translate_errors(self.path):
            for row in self._select(wanted, "at", "1"):
                payload = row.payload if row.payload is not None else _payload(row.content)
                yield reader.message(row, row.content, payload), row.is_erased

    def around(self, at: int, count: int) -> tuple[list[Entry], list[Entry]]:
        """So many messages of the same room before and after the one at this place, oldest first."""
        with translate_errors(self.path):
            before, after = (
                rows.select(
                    self.database,
                    f"room = (SELECT room FROM message WHERE at = ?) AND at {side} ? AND {IS_SHOWN}"
                    f" ORDER BY at {order} LIMIT ?",
                    at,
                    at,
                    count,
                )
                for side, order in (("<", "DESC"), (">", "ASC"))
            )
        return [*self._entries(reversed(before))], [*self._entries(after)]

    def at(self, places: Sequence[int]) -> list[Entry]:
        """The messages at these places, in their order."""
        with translate_errors(self.path):
            found = [row for at in places for row in rows.select(self.database, "at = ?", at)]
        return [*self._entries(found)]

    def find(self, beginning: str, room: str | None = None, *, with_events: bool = False) -> Entry:
        """The message whose ID begins so, in this room or in any; of messages without ID, the newest.

        `with_events`: edits, deletions and reactions count, too.

        Raises `UnknownMessage` or `Ambiguous`.
        """
        found: dict[ids.Packed, Row] = {}
        with translate_errors(self.path):
            for low, high in ids.ranges(beginning):
                for row in rows.select(
                    self.database,
                    "id >= ? AND id < ? AND (? IS NULL OR room = (SELECT number FROM room WHERE name = ?))"
                    f" AND {'1' if with_events else IS_SHOWN} ORDER BY id, at DESC LIMIT 100",
                    low,
                    high,
                    room,
                    room,
                ):
                    found.setdefault(row.id, row)
        exact = [row for row in found.values() if ids.unpack(row.id) == beginning]
        [*chosen] = exact or found.values()
        where = f" in {room}" if room else ""
        if not chosen:
            raise UnknownMessage(f"no message{where} has an ID that begins with '{beginning}'")
        if len(chosen) > 1:
            raise Ambiguous(
                f"several messages{where} have IDs that begin with '{beginning}': type more of it"
            )
        return next(self._entries(chosen))

    def shortened(self, id_: str) -> str:
        """As much of the ID of a message as `find` needs, but at least `LEAST_OF_ID` characters."""
        others: set[str] = set()
        with translate_errors(self.path):
            for low, high in ids.ranges(id_[:LEAST_OF_ID]):
                query = "SELECT DISTINCT id FROM message WHERE id >= ? AND id < ? LIMIT ?"
                found = self.database.execute(query, (low, high, MOST_ALIKE)).fetchall()
                if len(found) == MOST_ALIKE:
                    return id_
                others |= {ids.unpack(packed) for (packed,) in found}
        others.discard(id_)
        length = LEAST_OF_ID
        while length < len(id_) and any(other.startswith(id_[:length]) for other in others):
            length += 1
        return id_[:length]

    def own_last(self, identity: str, room: str | None = None) -> Entry:
        """The latest message of this identity that is not deleted, in this room or in any. Raises `UnknownMessage`."""
        with translate_errors(self.path):
            found = rows.select(
                self.database,
                "sender = (SELECT number FROM sender WHERE identity = ?) AND named = 0"
                " AND (? IS NULL OR room = (SELECT number FROM room WHERE name = ?))"
                f" AND (text IS NOT NULL OR payload IS NOT NULL) AND {IS_SHOWN} ORDER BY at DESC LIMIT 1",
                identity,
                room,
                room,
            )
        if not found:
            raise UnknownMessage(f"the history has no message of yours{f' in {room}' if room else ''}")
        return next(self._entries(found))

    def rooms(self) -> list[RoomSummary]:
        """The rooms that have messages, in alphabetical order."""
        with translate_errors(self.path):
            found = self.database.execute(
                "SELECT name, messages, unread, last FROM room WHERE messages > 0 ORDER BY name"
            )
            return [
                RoomSummary(name, messages, unread, moment(last // PER_MILLISECOND))
                for name, messages, unread, last in found
            ]

    def mark_read(self, room: str, until: int | None = None) -> None:
        """You have read the room, up to this place or to its end."""
        with translate_errors(self.path), transaction(self.database):
            self.database.execute(
                "UPDATE room SET read = max(read, ifnull(?, last)) WHERE name = ?", (until, room)
            )
            self.database.execute(
                "UPDATE room SET unread = (SELECT count(*) FROM message WHERE room = room.number AND at > room.read"
                f" AND NOT {IS_OWN} AND {IS_SHOWN}) WHERE name = ?",
                (room,),
            )

    def room_numbers(self, patterns: Sequence[str]) -> list[int]:
        """The numbers of the rooms that match a pattern, in which `+` and `#` have their usual meaning."""
        with translate_errors(self.path):
            known = self.database.execute("SELECT number, name FROM room ORDER BY name").fetchall()
        return [
            number
            for number, name in known
            if any(name == pattern or matches(f"{name}/x", _filter(pattern)) for pattern in patterns)
        ]

    def sender_numbers(self, who: str) -> tuple[list[int], list[int]]:
        """The numbers of the senders that an identity or its beginning means, and those of the names."""
        prefix = IdentityPrefix.parse(who)
        with translate_errors(self.path):
            senders = self.database.execute("SELECT number, identity FROM sender").fetchall()
            names = self.database.execute("SELECT number, name FROM name").fetchall()
        return (
            [
                number
                for number, identity in senders
                if identity == who or (prefix and prefix.matches(identity))
            ],
            [number for number, name in names if name.casefold() == who.casefold()],
        )

    def rows(self, wanted: Filter, count: int) -> list[Row]:
        """The first rows of the file, with those of events, to delete them."""
        return [*islice(self._select(wanted, "at", "1"), count)]

    def _newest_first(self, wanted: Filter) -> Iterator[Row]:
        return self._select(wanted, "at DESC")

    def count(self, wanted: Filter) -> int:
        """How many messages there are."""
        with translate_errors(self.path):
            return sum(
                self.database.execute(f"SELECT count(*) FROM message WHERE {condition}", values).fetchone()[0]
                for condition, values in self._conditions(wanted, IS_SHOWN)
            )

    def _select(self, wanted: Filter, order: str, shown: str = IS_SHOWN) -> Iterator[Row]:
        with translate_errors(self.path):
            found = [
                map(
                    Row._make,
                    self.database.execute(
                        f"SELECT {COLUMNS} FROM message WHERE {condition} ORDER BY {order}", values
                    ),
                )
                for condition, values in self._conditions(wanted, shown)
            ]
            if len(found) == 1:
                yield from found[0]
                return
            from heapq import merge

            yield from merge(*found, key=_place, reverse=order != "at")

    def _conditions(self, wanted: Filter, shown: str) -> list[tuple[str, list[int]]]:
        """SQL for the messages, with its values; one for each room if not all rooms are wanted."""
        of_senders, senders = self._of_senders(wanted.senders)
        condition = f"at >= ? AND at < ? AND {shown}{of_senders}"
        values = [*rows.places(wanted.since, wanted.until), *senders]
        if not wanted.rooms:
            return [(condition, values)]
        return [(f"{condition} AND room = ?", [*values, room]) for room in self.room_numbers(wanted.rooms)]

    def _of_senders(self, senders: Sequence[str]) -> tuple[str, list[int]]:
        if not senders:
            return "", []
        numbers: list[int] = []
        conditions = []
        for who in senders:
            for column, found in zip(("sender", "name"), self.sender_numbers(who), strict=True):
                conditions.append(f"{column} IN ({', '.join('?' * len(found))})")
                numbers += found
        return f" AND ({' OR '.join(conditions)})", numbers

    def _entries(self, found: "Iterator[Row] | Sequence[Row]") -> Iterator[Entry]:
        with translate_errors(self.path):
            yield from map(_Reader(self.database).entry, found)


def _empty() -> sqlite3.Connection:
    database = sqlite3.connect(":memory:", isolation_level=None)
    migrate(database)
    return database


def _exists(path: Path) -> bool:
    """Whether the file exists. Raises `OSError` if the system does not say: its history may not be empty."""
    try:
        path.stat()
    except FileNotFoundError:
        return False
    return True


def _payload(text: str) -> bytes:
    return encode(ids.clean(text))


def _place(row: Row) -> int:
    return row.at


def _filter(pattern: str) -> str:
    """The MQTT filter of a pattern, for the topics `room/x`."""
    return pattern if pattern.endswith("#") else f"{pattern}/+"


class _Reader:
    """Makes entries of rows."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._rooms: dict[int, str] = {}
        self._senders: dict[int, str] = {}
        self._names: dict[int, str] = {}

    def entry(self, row: Row) -> Entry:
        """The message as it stands."""
        seen = None if row.is_erased else rows.visible_of(self._database, row)
        reply_to = self._quote(row) if row.re is not None else None
        id_ = ids.unpack(row.id)
        if seen is None:
            return Entry(row.at, id_, self.message(row, "", b""), is_deleted=True, reply_to=reply_to)
        is_own_payload = row.payload is not None and not seen.is_edited
        payload = row.payload if is_own_payload else _payload(seen.text)
        message = self.message(row, seen.text, payload or b"")
        return Entry(row.at, id_, message, seen.is_edited, reactions=seen.reactions, reply_to=reply_to)

    def message(self, row: Row, text: str, payload: bytes) -> Message:
        """The message with this text."""
        return Message(
            self._room(row.room),
            self._sender(row.sender),
            text,
            payload,
            moment(row.at // PER_MILLISECOND),
            None if row.named is None else ids.unpack(row.id),
            None if row.sent is None else moment(row.sent),
            self._name(row.name),
            row.qos,
            bool(row.retained),
            row.kind,
            None if row.re is None else ids.unpack(row.re),
        )

    def _quote(self, row: Row) -> Quote | None:
        # Of several messages without ID that are alike, the newest that came before the reply.
        found = rows.select(
            self._database,
            f"id = ? AND room = ? AND {IS_SHOWN} ORDER BY at > ?, at DESC LIMIT 1",
            row.re,
            row.room,
            row.at,
        )
        if not found:
            return None
        [quoted] = found
        text = None if quoted.is_erased else rows.visible_of(self._database, quoted).text
        return Quote(
            ids.unpack(quoted.id),
            self._sender(quoted.sender),
            self._name(quoted.name),
            text,
            moment(quoted.at // PER_MILLISECOND),
        )

    def _room(self, number: int) -> str:
        return self._text(self._rooms, number, "SELECT name FROM room WHERE number = ?")

    def _sender(self, number: int) -> str:
        return self._text(self._senders, number, "SELECT identity FROM sender WHERE number = ?")

    def _name(self, number: int | None) -> str | None:
        return (
            None
            if number is None
            else self._text(self._names, number, "SELECT name FROM name WHERE number = ?")
        )

    def _text(self, known: dict[int, str], number: int, query: str) -> str:
        text = known.get(number)
        if text is None:
            found = self._database.execute(query, (number,)).fetchone()
            text = known[number] = found[0] if found else ""
        return text
