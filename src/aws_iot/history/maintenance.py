"""Maintenance: deletes parts of a history, and limits its age and size."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from aws_iot.history.conversation import EDIT
from aws_iot.history.file import index, rows
from aws_iot.history.file.index import Indexed, origin_tokens
from aws_iot.history.file.record import moment
from aws_iot.history.file.rows import IS_SHOWN, PER_MILLISECOND, Row
from aws_iot.history.file.schema import transaction, translate_errors
from aws_iot.history.store import Filter, History

DELETED_AT_ONCE = 1_000
"""Number of messages that one transaction deletes, so that programs that save never wait long."""

_ATTEMPTS = 5
"""How often to delete the oldest messages of a history that is too large. One is usually enough."""


class Stats(NamedTuple):
    """What a history has. `first` and `last` are None if it is empty; `unread` and `messages` are of all rooms."""

    messages: int
    unread: int
    rooms: int
    senders: int
    first: datetime | None
    last: datetime | None
    bytes: int


def stats(history: History) -> Stats:
    """Count what a history has. Its size is without the free space that SQLite will use again."""
    database = history.database
    with translate_errors(history.path):
        messages, unread, rooms_ = database.execute(
            "SELECT ifnull(sum(messages), 0), ifnull(sum(unread), 0), count(*) FROM room WHERE messages > 0"
        ).fetchone()
        [senders] = database.execute("SELECT count(*) FROM sender").fetchone()
        first, last = database.execute(f"SELECT min(at), max(at) FROM message WHERE {IS_SHOWN}").fetchone()
        size = _size(database)
    oldest, newest = (None if at is None else moment(at // PER_MILLISECOND) for at in (first, last))
    return Stats(messages, unread, rooms_, senders, oldest, newest, size)


def delete(history: History, wanted: Filter) -> int:
    """Delete messages from this machine, with their edits and reactions; returns how many messages that were."""
    with translate_errors(history.path):
        deleted = 0
        while batch := history.rows(wanted, DELETED_AT_ONCE):
            deleted += _delete(history.database, batch)
        compact(history)
    return deleted


def limit(history: History, now: datetime, age: timedelta | None = None, size: int | None = None) -> int:
    """Delete the messages that are older than `age`, and the oldest if the file has more than `size` bytes.

    Returns how many messages were deleted.
    """
    deleted = delete(history, Filter(until=now - age)) if age is not None else 0
    with translate_errors(history.path):
        for _ in range(_ATTEMPTS):
            excess = 1 - size / _size(history.database) if size is not None else 0
            [saved] = history.database.execute("SELECT count(*) FROM message").fetchone()
            if excess <= 0 or not saved:
                break
            left = int(saved * excess) + 1
            while left > 0 and (batch := history.rows(Filter(), min(left, DELETED_AT_ONCE))):
                left -= len(batch)
                deleted += _delete(history.database, batch)
            compact(history)
    return deleted


def compact(history: History) -> None:
    """Give free space back to the system, and leave nothing of what was deleted in the file."""
    database = history.database
    with translate_errors(history.path):
        with transaction(database):
            for table in ("room", "sender", "name"):
                database.execute(
                    f"DELETE FROM {table} WHERE number NOT IN (SELECT DISTINCT {table} FROM message"
                    f" WHERE {table} IS NOT NULL)"
                )
            if index.is_available(database) and index.is_current(database):
                index.purge(database)
        database.executescript("PRAGMA incremental_vacuum")  # `execute` would free a single page
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _size(database: sqlite3.Connection) -> int:
    [pages], [free], [page] = (
        database.execute(f"PRAGMA {name}").fetchone()
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * page)


def _delete(database: sqlite3.Connection, batch: Sequence[Row]) -> int:
    """Delete messages, and what refers to them, in one transaction; returns how many are no events."""
    with transaction(database):
        doomed = {row.at: row for row in batch}
        for row in batch:
            if row.named is not None and not row.is_event:
                changing = rows.select(
                    database, "re = ? AND room = ? AND kind IN ('edit', 'react')", row.id, row.room
                )
                doomed |= {change.at: change for change in changing}
        has_index = index.is_available(database) and index.is_current(database)
        shown = [row for row in doomed.values() if not row.is_event]
        left = {
            edited.at: edited
            for row in doomed.values()
            if row.kind == EDIT and row.re is not None and (edited := rows.original(database, row))
            if edited.at not in doomed and not edited.is_erased
        }
        if has_index:
            index.remove(database, _indexed(database, [*shown, *left.values()]))
        places = [(at,) for at in doomed]
        _uncount(database, shown)
        database.executemany("DELETE FROM message WHERE at = ?", places)
        database.executemany("DELETE FROM sighting WHERE at = ?", places)
        database.executemany(
            "UPDATE room SET last = (SELECT ifnull(max(at), 0) FROM message WHERE room = room.number"
            f" AND {IS_SHOWN}) WHERE number = ?",
            [(room,) for room in {row.room for row in shown}],
        )
        if has_index:
            index.add(database, _indexed(database, [left[at] for at in sorted(left)]))
    return len(shown)


def _indexed(database: sqlite3.Connection, shown: Sequence[Row]) -> list[Indexed]:
    return [
        Indexed(row.at, rows.visible_of(database, row).text, origin_tokens(row.room, row.sender, row.name))
        for row in shown
        if not row.is_erased
    ]


def _uncount(database: sqlite3.Connection, shown: Sequence[Row]) -> None:
    database.executemany(
        "UPDATE room SET messages = messages - 1, unread = unread - (? > read AND"
        " NOT EXISTS (SELECT 1 FROM setting JOIN sender ON identity = value WHERE setting.name = 'identity'"
        " AND sender.number = ?)) WHERE number = ?",
        [(row.at, row.sender, row.room) for row in shown],
    )
