"""Maintenance: deletes parts of a history, and limits its age and size."""

import sqlite3
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from aws_iot.config.profile import Profile
from aws_iot.errors import LocalError
from aws_iot.history.conversation import EDIT
from aws_iot.history.file import index, rows
from aws_iot.history.file.intake import PURGED_AT_ONCE
from aws_iot.history.file.record import moment
from aws_iot.history.file.rows import IS_SHOWN, PER_MILLISECOND, Row
from aws_iot.history.file.schema import HistoryDamaged, clear_log, transaction, translate_errors
from aws_iot.history.store import Filter, History

DELETED_AT_ONCE = 1_000
"""Number of messages that one transaction deletes, so that programs that save never wait long."""

EMPTIED_AT_ONCE = 1_000_000
"""Number of messages up to which all are deleted in one transaction. That takes two seconds."""

FREED_AT_ONCE = 2_000
"""Number of pages that one statement gives back to the system, so that programs that save never wait long."""

DELETED_BY_LIMITS = 10_000
"""Number of messages that `apply_limits` deletes at the most. That takes about a second."""

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


def delete(history: History, wanted: Filter, report: Callable[[int], None] = lambda _: None) -> int:
    """Delete messages from this machine, with their edits and reactions; returns how many messages that were.

    `report` gets the number of those that are deleted so far.
    """
    with translate_errors(history.path):
        deleted = 0
        if wanted == Filter() and history.count(wanted) <= EMPTIED_AT_ONCE:
            deleted = _delete_everything(history.database)
        while batch := history.rows(wanted, DELETED_AT_ONCE):
            deleted += _delete(history.database, batch)
            report(deleted)
        compact(history)
    return deleted


def apply_limits(history: History, profile: Profile, now: datetime) -> int:
    """Delete what exceeds the limits of the profile; returns how many messages were deleted.

    If nothing does, which is usual, this takes an instant. Otherwise it deletes up to `DELETED_BY_LIMITS` messages, and
    the next call goes on. It does nothing if the file cannot be changed now.
    """
    age = timedelta(days=profile.history_days) if profile.history_days else None
    size = profile.history_megabytes * 1_000_000 if profile.history_megabytes else None
    try:
        return limit(history, now, age, size, DELETED_BY_LIMITS)
    except HistoryDamaged:
        raise
    except LocalError:  # another program writes, or nobody can
        return 0


def limit(
    history: History,
    now: datetime,
    age: timedelta | None = None,
    size: int | None = None,
    most: int = 1 << 62,
) -> int:
    """Delete the messages that are older than `age`, and the oldest if the file has more than `size` bytes.

    Returns how many messages were deleted: `most` at the most, and some more if these had edits.
    """
    deleted = 0
    with translate_errors(history.path):
        if age is not None:
            deleted = _delete_first(history, Filter(until=now - age), most)
        for _ in range(_ATTEMPTS):
            excess = 1 - size / _size(history.database) if size is not None else 0
            [saved] = (
                history.database.execute("SELECT count(*) FROM message").fetchone() if excess > 0 else [0]
            )
            if not saved or deleted >= most:
                break
            deleted += _delete_first(history, Filter(), min(int(saved * excess) + 1, most - deleted))
            _shrink(history.database)
        if deleted:
            _shrink(history.database)
    return deleted


def _delete_first(history: History, wanted: Filter, most: int) -> int:
    """Delete so many of the oldest messages; returns how many there were, without events."""
    deleted = 0
    while most > 0 and (batch := history.rows(wanted, min(most, DELETED_AT_ONCE))):
        most -= len(batch)
        deleted += _delete(history.database, batch)
    return deleted


def _shrink(database: sqlite3.Connection) -> None:
    """Give free space back to the system."""
    with transaction(database):
        if index.is_available(database) and index.is_current(database):
            index.purge(database, PURGED_AT_ONCE)
    _free(database)


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
        _free(database)


def _free(database: sqlite3.Connection) -> None:
    """Give free pages back, a few at a time, and leave no copy of what they had in the log."""
    [free] = database.execute("PRAGMA freelist_count").fetchone()
    for _ in range(0, free, FREED_AT_ONCE):
        database.executescript(
            f"PRAGMA incremental_vacuum({FREED_AT_ONCE})"
        )  # `execute` would free a single page
    clear_log(database)


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
            index.remove(database, index.as_shown(database, [*shown, *left.values()]))
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
            index.add(database, index.as_shown(database, [left[at] for at in sorted(left)]))
    return len(shown)


def _delete_everything(database: sqlite3.Connection) -> int:
    """Delete all messages in one transaction, which takes far less time; returns how many are no events."""
    with transaction(database):
        [messages] = database.execute("SELECT ifnull(sum(messages), 0) FROM room").fetchone()
        database.execute("DELETE FROM message")
        database.execute("DELETE FROM sighting")
        database.execute("UPDATE room SET messages = 0, unread = 0, last = 0")
        if index.is_available(database):
            index.create(database)
    return int(messages)


def _uncount(database: sqlite3.Connection, shown: Sequence[Row]) -> None:
    database.executemany(
        "UPDATE room SET messages = messages - 1, unread = unread - (? > read AND"
        " NOT EXISTS (SELECT 1 FROM setting JOIN sender ON identity = value WHERE setting.name = 'identity'"
        " AND sender.number = ?)) WHERE number = ?",
        [(row.at, row.sender, row.room) for row in shown],
    )
