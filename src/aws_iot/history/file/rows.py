"""Rows: the messages as they are in the file, and what is visible of them."""

import sqlite3
from datetime import datetime
from typing import NamedTuple

from aws_iot.history.conversation import DELETE, EDIT, REACT, Change, Visible, is_event, visible
from aws_iot.history.file.ids import Packed, unpack
from aws_iot.history.file.record import milliseconds
from aws_iot.messaging.message import decode

PER_MILLISECOND = 4096
"""How many messages can arrive in a millisecond. More get the next one."""

COLUMNS = "at, room, sender, name, id, named, sent, qos, retained, text, payload, kind, re"

IS_SHOWN = "(kind IS NULL OR re IS NULL OR kind NOT IN ('edit', 'delete', 'react'))"
"""SQL for what `is_event` says is not an event."""


IS_OWN = (
    "(sender IS (SELECT number FROM sender WHERE identity ="
    " (SELECT value FROM setting WHERE setting.name = 'identity')))"
)
"""SQL for the messages of the identity whose history it is."""


def places(since: datetime | None, until: datetime | None) -> tuple[int, int]:
    """The first place of the messages since then, and the first one that is no longer before `until`."""
    return (
        milliseconds(since) * PER_MILLISECOND if since else 0,
        milliseconds(until) * PER_MILLISECOND if until else 1 << 62,
    )


def last_place(moment: datetime) -> int:
    """The last place of the messages of that millisecond."""
    return (milliseconds(moment) + 1) * PER_MILLISECOND - 1


class Row(NamedTuple):
    """A row of `message`, with the numbers of its room, sender and name."""

    at: int
    room: int
    sender: int
    name: int | None
    id: Packed
    named: int | None
    sent: int | None
    qos: int
    retained: int
    text: str | None
    payload: bytes | None
    kind: str | None
    re: Packed | None

    @property
    def is_event(self) -> bool:
        """Whether it changes another message, instead of being shown."""
        return is_event(self.kind, self.re)

    @property
    def is_erased(self) -> bool:
        """Whether it was deleted."""
        return self.text is None and self.payload is None

    @property
    def content(self) -> str:
        """Its text as it was sent; empty if it was deleted."""
        return self.text if self.text is not None else decode(self.payload or b"")


def select(database: sqlite3.Connection, where: str, *values: object) -> list[Row]:
    """The rows of `message` for which the SQL `where` is true."""
    found = database.execute(f"SELECT {COLUMNS} FROM message WHERE {where}", values)
    return [Row._make(row) for row in found]


def original(database: sqlite3.Connection, edit: Row) -> Row | None:
    """The message that an edit changes, if it is known. Edits of messages without ID do not count."""
    found = select(
        database, "id = ? AND sender = ? AND named = 0 AND room = ?", edit.re, edit.sender, edit.room
    )
    return found[0] if found and not found[0].is_event else None


def named_by_deletion(database: sqlite3.Connection, deletion: Row) -> list[Row]:
    """The messages that a deletion erases, erased already or not."""
    named = (deletion.re, deletion.sender, deletion.room)
    return select(
        database,
        "id = ? AND sender = ? AND named = 0 AND room = ? AND (kind IS NOT 'delete' OR re IS NULL)"
        " UNION ALL"
        f" SELECT {COLUMNS} FROM message WHERE re = ? AND sender = ? AND room = ? AND kind = '{EDIT}'",
        *named,
        *named,
    )


def is_named_by_deletion(database: sqlite3.Connection, row: Row) -> bool:
    """Whether a deletion that came before this message erases it."""
    wanted = (row.id, row.re) if row.kind == EDIT else (row.id, row.id)
    return (
        row.named is not None
        and not (row.kind == DELETE and row.re is not None)
        and database.execute(
            "SELECT 1 FROM message WHERE re IN (?, ?) AND sender = ? AND room = ? AND kind = 'delete'",
            (*wanted, row.sender, row.room),
        ).fetchone()
        is not None
    )


def changes(database: sqlite3.Connection, row: Row) -> list[Change]:
    """The edits of a message and the reactions to it."""
    found = database.execute(
        "SELECT kind, identity, text, payload, ifnull(sent, 0), id, at FROM message"
        " JOIN sender ON sender.number = message.sender WHERE re = ? AND room = ? AND kind IN (?, ?)"
        " AND (text IS NOT NULL OR payload IS NOT NULL)",
        (row.id, row.room, EDIT, REACT),
    ).fetchall()
    if not found:
        return []
    meant = found if row.named is not None else [one for one in found if _means(database, row, one[-1])]
    return [
        Change(kind, identity, text if text is not None else decode(payload), sent, unpack(id_))
        for kind, identity, text, payload, sent, id_, _ in meant
        if row.named is not None or kind == REACT
    ]


def _means(database: sqlite3.Connection, row: Row, at: int) -> bool:
    """Whether a reference that arrived then, to a message without ID, means this one and not another like it."""
    twin = "SELECT {} FROM message WHERE id = ? AND room = ? AND named IS NULL AND at <= ?"
    [newest] = database.execute(twin.format("max(at)"), (row.id, row.room, at)).fetchone()
    if newest is None:  # it arrived before every one of them
        [newest] = database.execute(twin.format("min(at)"), (row.id, row.room, 1 << 62)).fetchone()
    return bool(newest == row.at)


def visible_of(database: sqlite3.Connection, row: Row) -> Visible:
    """What is visible of a message that is not erased."""
    found = changes(database, row)
    if not found:
        return Visible(row.content, False, ())
    [identity] = database.execute("SELECT identity FROM sender WHERE number = ?", (row.sender,)).fetchone()
    return visible(identity, row.content, found)
