"""Index: the words of visible messages, in a full-text index of SQLite (FTS5).

It holds no text, and can be made again from the messages. Some Pythons come with a SQLite that lacks FTS5. Such a one
leaves the index alone and notes that it is out of date; the next program that has FTS5 then makes it again.
"""

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from aws_iot.history.file import rows
from aws_iot.history.tokens import prepare

VERSION = 1
"""Changes whenever the same message would get other tokens."""

_HASH_BYTES = 16 * 1024 * 1024
"""How much of the index is collected in memory before it is written. The default, 1 MiB, takes twice the time."""

_REBUILT_AT_ONCE = 10_000
"""Number of messages that are read at once to make the index again."""

_HAS_SECURE_DELETE = sqlite3.sqlite_version_info >= (3, 42)


class Indexed(NamedTuple):
    """A message as the index has it."""

    at: int
    text: str
    origin: str


def origin_tokens(room: int, sender: int, name: int | None) -> str:
    """What `room:` and `from:` search for."""
    return f"r{room} s{sender}" if name is None else f"r{room} s{sender} n{name}"


def is_available(database: sqlite3.Connection) -> bool:
    """Whether this Python's SQLite has FTS5."""
    return database.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is not None


def is_current(database: sqlite3.Connection) -> bool:
    """Whether the index has what this version would put in it."""
    found = database.execute("SELECT value FROM setting WHERE name = 'index'").fetchone()
    return found is not None and found[0] == VERSION


def mark(database: sqlite3.Connection, version: int) -> None:
    """Note which version made the index; 0 if it is out of date."""
    database.execute("INSERT OR REPLACE INTO setting VALUES ('index', ?)", (version,))


def create(database: sqlite3.Connection) -> None:
    """Make an empty index, in the current transaction."""
    database.execute("DROP TABLE IF EXISTS words")
    database.execute(
        "CREATE VIRTUAL TABLE words USING fts5(text, origin, content = '', columnsize = 0, tokenize = 'ascii')"
    )
    database.execute("INSERT INTO words (words, rank) VALUES ('hashsize', ?)", (_HASH_BYTES,))
    if _HAS_SECURE_DELETE:
        database.execute("INSERT INTO words (words, rank) VALUES ('secure-delete', 1)")
    mark(database, VERSION)


def add(database: sqlite3.Connection, messages: Iterable[Indexed]) -> None:
    """Add messages, which must be in the order of `at`: otherwise SQLite writes each by itself."""
    database.executemany(
        "INSERT INTO words (rowid, text, origin) VALUES (?, ?, ?)",
        ((at, prepare(text), origin) for at, text, origin in messages),
    )


def remove(database: sqlite3.Connection, messages: Iterable[Indexed]) -> None:
    """Remove messages, which must be exactly as they were added."""
    database.executemany(
        "INSERT INTO words (words, rowid, text, origin) VALUES ('delete', ?, ?, ?)",
        ((at, prepare(text), origin) for at, text, origin in messages),
    )


def purge(database: sqlite3.Connection, most: int | None = None) -> None:
    """Write the index again without what was removed, whose words an older SQLite leaves in the file until then.

    That takes a second for a million messages, so with more than `most`, it is only noted that it is necessary.
    """
    if _HAS_SECURE_DELETE:
        return
    [messages] = database.execute("SELECT ifnull(sum(messages), 0) FROM room").fetchone()
    if most is not None and messages > most:
        database.execute("INSERT OR REPLACE INTO setting VALUES ('purge', 1)")
        return
    database.execute("INSERT INTO words (words) VALUES ('optimize')")
    database.execute("DELETE FROM setting WHERE name = 'purge'")


def rebuild(database: sqlite3.Connection) -> None:
    """Make the index again from the messages, in the current transaction."""
    create(database)
    found = database.execute(f"SELECT {rows.COLUMNS} FROM message WHERE {rows.IS_SHOWN} ORDER BY at")
    while batch := found.fetchmany(_REBUILT_AT_ONCE):
        add(database, as_shown(database, map(rows.Row._make, batch)))


def as_shown(database: sqlite3.Connection, messages: Iterable[rows.Row]) -> list[Indexed]:
    """What the index has of these messages, which must be no events."""
    return [
        Indexed(row.at, rows.visible_of(database, row).text, origin_tokens(row.room, row.sender, row.name))
        for row in messages
        if not row.is_erased
    ]
