"""Taker: takes messages in, within one transaction: each once, with what it changes."""

import sqlite3

from aws_iot.history.conversation import DELETE, EDIT, EVENTS
from aws_iot.history.file import index, rows
from aws_iot.history.file.ids import clean, derive, pack, pack_reference
from aws_iot.history.file.index import Indexed, origin_tokens
from aws_iot.history.file.numbers import Numbers
from aws_iot.history.file.record import Record
from aws_iot.history.file.rows import PER_MILLISECOND, Row
from aws_iot.messaging.message import decode, encode

MATCH_MILLISECONDS = 5_000
"""Programs that receive the same message without ID do so within this time."""

_INSERT = f"INSERT OR IGNORE INTO message ({rows.COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Taker:
    """Takes messages in. Call `finish` before the transaction ends."""

    def __init__(self, database: sqlite3.Connection, numbers: Numbers) -> None:
        self._database = database
        self._execute = database.execute
        self._numbers = numbers
        [self._last] = self._execute("SELECT ifnull(max(at), 0) FROM message").fetchone()
        found = self._execute("SELECT 1 FROM message WHERE re IS NOT NULL LIMIT 1").fetchone()
        self._has_references = found is not None
        self._counts = _Counts(database)
        self._to_add: dict[int, Indexed] = {}
        self._to_remove: list[Indexed] = []
        self.has_erased = False

    def take(self, record: Record, writer: int) -> bool:
        """Take a message in that this writer has seen; whether it is new."""
        room, sender, name, payload, received, id_, sent, qos, retained, kind, re, known_text = record
        numbers = self._numbers
        room_number = numbers.rooms.get(room) or numbers.room(room)
        sender_number = numbers.senders.get(sender) or numbers.sender(sender)
        name_number = None if name is None else numbers.names.get(name) or numbers.name(name)
        if id_:
            packed, named = pack(id_), 0
        else:
            packed, named = derive(room, sender, payload), None
            if self._is_seen(packed, sender_number, record, writer):
                return False
        shown = decode(payload) if known_text is None else known_text
        text, exact = (shown, None) if _is_usual(shown, payload) else (None, payload)
        reference = pack_reference(re) if re else None
        kind = clean(kind) if kind else None
        at = self._place(received)
        values = (
            at,
            room_number,
            sender_number,
            name_number,
            packed,
            named,
            sent,
            qos,
            retained,
            text,
            exact,
            kind,
            reference,
        )
        edited = self._find_edited(Row._make(values)) if kind == EDIT and reference is not None else None
        if not self._execute(_INSERT, values).rowcount:
            return False
        self._last = max(at, self._last)
        if named is None:
            self._execute("INSERT OR IGNORE INTO sighting VALUES (?, ?)", (at, writer))
        if reference is None or kind not in EVENTS:
            self._counts.add(room_number, sender, at)
        self._has_references = self._has_references or reference is not None
        if self._has_references:
            self._relate(Row._make(values), edited)
        else:
            self._to_add[at] = Indexed(at, shown, origin_tokens(room_number, sender_number, name_number))
        return True

    def finish(self, *, has_index: bool) -> None:
        """Bring the index and the counts up to date."""
        if has_index:
            index.remove(self._database, self._to_remove)
            index.add(self._database, [self._to_add[at] for at in sorted(self._to_add)])
        self._counts.write()

    def _is_seen(self, packed: bytes, sender: int, record: Record, writer: int) -> bool:
        """Whether a message without ID is one that others have seen, and this writer has not.

        A retained message comes again to everybody who subscribes, so it may be any earlier one.
        """
        if record.retained:
            found = self._execute(
                "SELECT 1 FROM message WHERE id = ? AND sender = ? AND named IS NULL LIMIT 1",
                (packed, sender),
            )
            return found.fetchone() is not None
        at = record.received * PER_MILLISECOND
        reach = MATCH_MILLISECONDS * PER_MILLISECOND
        found = self._execute(
            "SELECT at FROM message WHERE id = ? AND sender = ? AND named IS NULL AND at BETWEEN ? AND ?"
            " AND NOT EXISTS (SELECT 1 FROM sighting WHERE sighting.at = message.at AND writer = ?)"
            " ORDER BY abs(at / 4096 - ? / 4096), at LIMIT 1",
            (packed, sender, at - reach, at + reach, writer, at),
        )
        if nearest := found.fetchone():
            self._execute("INSERT INTO sighting VALUES (?, ?)", (nearest[0], writer))
            return True
        return False

    def _place(self, received: int) -> int:
        """A free `at` for a message that arrived then."""
        at = max(received, 0) * PER_MILLISECOND
        if at > self._last:
            return at
        while True:
            [last] = self._execute(
                "SELECT max(at) FROM message WHERE at >= ? AND at < ?", (at, at + PER_MILLISECOND)
            ).fetchone()
            if last is None:
                return at
            if last + 1 < at + PER_MILLISECOND:
                return int(last) + 1
            at += PER_MILLISECOND

    def _find_edited(self, edit: Row) -> tuple[Row, str] | None:
        """The message that an edit changes, and what has been visible of it so far."""
        found = rows.original(self._database, edit)
        if found is None:
            return None
        return found, "" if found.is_erased else rows.visible_of(self._database, found).text

    def _relate(self, row: Row, edited: tuple[Row, str] | None) -> None:
        """Do what the message changes, and what earlier ones changed in it."""
        if rows.is_named_by_deletion(self._database, row) or (edited and edited[0].is_erased):
            self._erase(row)
        elif not row.is_event:
            self._index(row, rows.visible_of(self._database, row).text)
        elif row.kind == DELETE:
            self._delete(row)
        elif edited:
            self._index_again(*edited)

    def _delete(self, deletion: Row) -> None:
        for row in rows.named_by_deletion(self._database, deletion):
            if row.is_erased:
                continue
            edited = rows.original(self._database, row) if row.kind == EDIT and row.re is not None else None
            shown = edited or row
            is_indexed = not shown.is_event and not shown.is_erased
            before = rows.visible_of(self._database, shown).text if is_indexed else ""
            self._erase(row)
            if edited and is_indexed:
                self._index_again(edited, before)
            elif is_indexed:
                self._unindex(row, before)

    def _erase(self, row: Row) -> None:
        self._execute("UPDATE message SET text = NULL, payload = NULL WHERE at = ?", (row.at,))
        self.has_erased = True

    def _index_again(self, row: Row, before: str) -> None:
        after = rows.visible_of(self._database, row).text
        if after != before:
            self._unindex(row, before)
            self._index(row, after)

    def _index(self, row: Row, text: str) -> None:
        self._to_add[row.at] = Indexed(row.at, text, origin_tokens(row.room, row.sender, row.name))

    def _unindex(self, row: Row, text: str) -> None:
        if self._to_add.pop(row.at, None) is None:
            self._to_remove.append(Indexed(row.at, text, origin_tokens(row.room, row.sender, row.name)))


class _Counts:
    """What a transaction adds to the counts of rooms."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._rooms: dict[int, list[int]] = {}  # messages, unread, last, read
        found = database.execute("SELECT value FROM setting WHERE name = 'identity'").fetchone()
        self._own = found[0] if found else None

    def add(self, room: int, sender: str, at: int) -> None:
        """Count a message. Your own are never unread."""
        counts = self._rooms.get(room) or self._start(room)
        counts[0] += 1
        if sender != self._own and at > counts[3]:
            counts[1] += 1
        if at > counts[2]:
            counts[2] = at

    def _start(self, room: int) -> list[int]:
        [read] = self._database.execute("SELECT read FROM room WHERE number = ?", (room,)).fetchone()
        self._rooms[room] = counts = [0, 0, 0, read]
        return counts

    def write(self) -> None:
        """Add everything to the file."""
        self._database.executemany(
            "UPDATE room SET messages = messages + ?, unread = unread + ?, last = max(last, ?) WHERE number = ?",
            [(*counts[:3], room) for room, counts in self._rooms.items()],
        )


def _is_usual(text: str, payload: bytes) -> bool:
    """Whether the payload is `encode(text)`, so that only one of them must be saved."""
    if payload == f'{{"msg":"{text}"}}'.encode(errors="replace"):
        return True  # true of most, and faster
    try:
        return payload == encode(text)
    except UnicodeEncodeError:  # half a character
        return False
