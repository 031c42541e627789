"""Repair: checks the file of a history, and makes a new one of what can still be read."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from aws_iot.errors import LocalError
from aws_iot.history.file import index
from aws_iot.history.file.rows import IS_OWN, IS_SHOWN, PER_MILLISECOND
from aws_iot.history.file.schema import (
    BUSY_SECONDS,
    check_version,
    connect,
    is_busy,
    move,
    placing,
    set_aside,
    transaction,
    translate_errors,
)
from aws_iot.history.store import Filter, History
from aws_iot.history.upkeep.transfer import Imported, import_lines, to_json_lines

LOST_MILLISECONDS = 60_000
"""Around a damaged place, messages that arrived within this time may be lost."""

MOST_FAILURES = 5_000
"""Number of damaged places in a table after which the rest of it is given up."""

MOST_PROBLEMS = 10
"""Number of problems that are named. More do not help."""

_COUNTS = (
    f"SELECT number, (SELECT count(*) FROM message WHERE room = room.number AND {IS_SHOWN}),"
    f" (SELECT count(*) FROM message WHERE room = room.number AND at > room.read AND NOT {IS_OWN} AND {IS_SHOWN}),"
    f" (SELECT ifnull(max(at), 0) FROM message WHERE room = room.number AND {IS_SHOWN}) FROM room"
)


class Repaired(NamedTuple):
    """What a repair has saved, and where the old file is now."""

    messages: int
    aside: Path


def check(path: Path) -> list[str]:
    """What is wrong with the file; empty if nothing is. Raises `LocalError` if it cannot be read at all."""
    try:
        with closing(connect(path)) as database, translate_errors(path):
            return _problems(database)
    except LocalError as error:
        if isinstance(error.__cause__, sqlite3.DatabaseError) and not isinstance(
            error.__cause__, sqlite3.OperationalError
        ):
            return [str(error.__cause__)]
        raise


def _problems(database: sqlite3.Connection) -> list[str]:
    told = [line for (text,) in database.execute("PRAGMA integrity_check(10)") for line in text.splitlines()]
    if told != ["ok"]:
        return [line for line in told if not line.startswith("***")][:MOST_PROBLEMS]
    found = []
    if index.is_available(database) and index.is_current(database):
        try:
            database.execute("INSERT INTO words (words) VALUES ('integrity-check')")
        except sqlite3.DatabaseError as error:
            found.append(f"the search index is damaged: {error}")
    counted = database.execute("SELECT number, messages, unread, last FROM room").fetchall()
    if counted != database.execute(_COUNTS).fetchall():
        found.append("the counts of rooms are wrong")
    return found


def recover(damaged: Path, path: Path, identity: str) -> Imported:
    """Add what can be read in a file that was set aside to the history in `path`. Raises `LocalError`."""
    with (
        translate_errors(damaged),
        TemporaryDirectory(dir=path.parent) as folder,
        closing(sqlite3.connect(damaged, isolation_level=None)) as old,
    ):
        new = Path(folder, "recovered")
        with closing(connect(new, identity)) as database:
            _copy(old, database)
        with History(new) as history:
            return import_lines(path, identity, to_json_lines(history, Filter()))


def repair(path: Path, now: datetime, seconds: float = BUSY_SECONDS) -> Repaired:
    """Make a new file of what can be read, and set the old one aside. Raises `LocalError`.

    It waits so many seconds for a program that writes.

    A program that saves meanwhile goes on in the new file.
    """
    new, aside = path.with_name(f"{path.name}.new"), None
    with placing(path):
        with (
            translate_errors(path),
            closing(sqlite3.connect(path, timeout=seconds, isolation_level=None)) as old,
        ):
            identity = _begin(old, path)
            move(new, None)
            with closing(connect(new, identity)) as database:
                saved = _copy(old, database)
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            if (
                os.name == "posix"
            ):  # now, or who waits saves into the old one; Windows cannot rename an open file
                aside = set_aside(path, now)
        aside = aside or set_aside(path, now)
        move(new, path)
    return Repaired(saved, aside)


def _begin(old: sqlite3.Connection, path: Path) -> str:
    """Keep others from saving into a file that is about to be replaced; whose it is, if that can be read."""
    try:
        check_version(old.execute("PRAGMA user_version").fetchone()[0], path)
        old.execute("BEGIN IMMEDIATE")
        found = old.execute("SELECT value FROM setting WHERE name = 'identity'").fetchone()
    except sqlite3.DatabaseError as error:
        if is_busy(error):
            raise
        return ""
    return found[0] if found else ""


def _copy(old: sqlite3.Connection, new: sqlite3.Connection) -> int:
    with transaction(new):
        for table, key in (
            ("room", "number"),
            ("sender", "number"),
            ("name", "number"),
            ("message", "at"),
        ):
            width = len(new.execute(f"PRAGMA table_info({table})").fetchall())
            new.executemany(
                f"INSERT OR IGNORE INTO {table} VALUES ({', '.join('?' * width)})",
                (row for row in _salvage(old, table, key) if len(row) == width),
            )
        with suppress(sqlite3.DatabaseError):
            new.executemany("INSERT INTO journal VALUES (?, ?)", old.execute("SELECT * FROM journal"))
        for table, column in (("room", "name"), ("sender", "identity"), ("name", "name")):
            new.execute(
                f"INSERT INTO {table} (number, {column}) SELECT DISTINCT {table}, 'unknown-' || {table} FROM message"
                f" WHERE {table} IS NOT NULL AND {table} NOT IN (SELECT number FROM {table})"
            )
        counts = new.execute(_COUNTS).fetchall()
        new.executemany(
            "UPDATE room SET messages = ?, unread = ?, last = ? WHERE number = ?",
            [(*values, number) for number, *values in counts],
        )
        if index.is_available(new):
            index.rebuild(new)
    return sum(messages for _, messages, *_ in counts)


def _salvage(database: sqlite3.Connection, table: str, key: str) -> Iterator[tuple[object, ...]]:
    """The rows that can be read, by searching on both sides of each that cannot."""
    narrowest = LOST_MILLISECONDS * PER_MILLISECOND if table == "message" else 1
    ranges = [(0, 1 << 62)]
    failures = 0
    while ranges and failures < MOST_FAILURES:
        low, high = ranges.pop()
        try:
            for row in database.execute(
                f"SELECT * FROM {table} WHERE {key} BETWEEN ? AND ? ORDER BY {key}", (low, high)
            ):
                yield row
                low = row[0] + 1
        except sqlite3.DatabaseError:
            failures += 1
            if high - low >= narrowest and low < high:
                middle = (low + high) // 2
                ranges += [(middle + 1, high), (low, middle)]
