"""Schema: the file of a history, and how it is opened.

It is a SQLite database in WAL mode. Its tables:

- `journal` tells how many bytes of each journal (see `journal.py`) have been sorted in.
- `message` has a row for each message, in the order of arrival: `at` is the time of arrival in milliseconds since 1970,
  times 4096, plus a number that tells apart what arrived in the same millisecond. `text` is the text if the payload is
  `encode(text)`; otherwise it is NULL and `payload` has the bytes. If both are NULL, the message was deleted. `id`,
  `named` and `re` are explained in `ids.py`. `sent` is in milliseconds since 1970. Edits, deletions and reactions are
  messages with a `kind`.
- `room`, `sender` and `name` number these texts. `room` also has counts and the read marker (`read`, an `at`).
- `sighting` tells which writers (random numbers of programs) have seen a message that has no ID, so that each counts it
  once.
- `setting` has `identity`, whose history it is, the state of the index, and whether the log must be cleared.
- `words` is the full-text index of what is visible; `origin` holds tokens of the room, sender and name. It can be made
  again from the other tables, so it is not part of the migrations.

`PRAGMA user_version` is the number of the steps in `MIGRATIONS` that the file has been through.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from aws_iot.errors import LocalError
from aws_iot.files import exclusive, make_private, protect

BUSY_SECONDS = 10.0
"""How long to wait while another program writes."""

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        "CREATE TABLE journal (name TEXT PRIMARY KEY, sorted INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE room (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, messages INTEGER NOT NULL DEFAULT 0,"
        " unread INTEGER NOT NULL DEFAULT 0, last INTEGER NOT NULL DEFAULT 0, read INTEGER NOT NULL DEFAULT 0)",
        "CREATE TABLE sender (number INTEGER PRIMARY KEY, identity TEXT NOT NULL UNIQUE)",
        "CREATE TABLE name (number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
        "CREATE TABLE message (at INTEGER PRIMARY KEY, room INTEGER NOT NULL, sender INTEGER NOT NULL, name INTEGER,"
        " id BLOB NOT NULL, named INTEGER, sent INTEGER, qos INTEGER NOT NULL, retained INTEGER NOT NULL,"
        " text TEXT, payload BLOB, kind TEXT, re BLOB)",
        "CREATE UNIQUE INDEX message_id ON message (id, sender, named)",
        "CREATE INDEX message_room ON message (room)",
        "CREATE INDEX message_re ON message (re) WHERE re IS NOT NULL",
        "CREATE TABLE sighting (at INTEGER, writer INTEGER, PRIMARY KEY (at, writer)) WITHOUT ROWID",
        "CREATE TABLE setting (name TEXT PRIMARY KEY, value) WITHOUT ROWID",
    ),
)
"""The steps that lead to the current tables, in order. The file's `user_version` counts those that were done."""

_HEADER = b"SQLite format 3\0"

_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class HistoryTooNew(LocalError):
    """A newer version of this program has changed the file."""


class HistoryBusy(LocalError):
    """Another program writes, and has not finished in time."""


class HistoryDamaged(LocalError):
    """The file is not a database, or is damaged."""

    file: os.stat_result | None = None
    """The file that is damaged, if it is known: another program may replace it."""


class Connection(sqlite3.Connection):
    """A connection that knows which file it has opened: `check --repair`, or who finds damage, may replace that."""

    path: Path
    opened: os.stat_result

    def check_file(self) -> None:
        """Raise `HistoryBusy` if the file has been replaced, for what is written to the old one would be lost."""
        if not is_file(self.path, self.opened):
            raise HistoryBusy(f"{self.path}: another program has just replaced the history: try again")


def connect(path: Path, identity: str | None = None, seconds: float = BUSY_SECONDS) -> sqlite3.Connection:
    """Open the file to read and write, and bring it up to date. Create it if `identity`, whose it is, is given.

    Only its owner can read it. Raises `HistoryTooNew`, `HistoryDamaged`, or `LocalError` if the system refuses.
    """
    with translate_errors(path):
        if identity is not None:
            make_private(path.parent)
            with suppress(FileExistsError):  # -wal and -shm get the same mode as this file
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        protect(path)
        opened = path.stat()
        database = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=seconds,
            isolation_level=None,
            check_same_thread=False,
            factory=Connection,
        )
        database.path, database.opened = path, opened
        try:
            with translate_errors(path, database):
                _prepare(database, path, identity)
        except BaseException:
            database.close()
            raise
    return database


def _prepare(database: Connection, path: Path, identity: str | None) -> None:
    [done] = database.execute("PRAGMA user_version").fetchone()
    check_version(done, path)
    database.execute("PRAGMA synchronous = NORMAL")
    database.execute("PRAGMA secure_delete = ON")
    database.execute("PRAGMA cache_size = -16000")
    if done == len(MIGRATIONS):
        return
    with placing(path):
        database.check_file()
        database.execute("PRAGMA auto_vacuum = INCREMENTAL")  # it works only before the first table
        [mode] = database.execute("PRAGMA journal_mode = WAL").fetchone()
        if mode != "wal":
            raise LocalError(f"{path}: this file system cannot share a database among programs")
        migrate(database)
        if identity is not None:
            database.execute("INSERT OR IGNORE INTO setting VALUES ('identity', ?)", (identity,))


@contextmanager
def placing(path: Path) -> Iterator[None]:
    """Keep other programs from beginning or replacing the file. Raises `LocalError`."""
    with exclusive(path.parent, BUSY_SECONDS, f".{path.name}.lock") as held:
        if not held:
            raise HistoryBusy(f"{path}: another program has locked it for {BUSY_SECONDS:g} seconds")
        yield


def is_file(path: Path, known: os.stat_result) -> bool:
    """Whether this is the file that was here before."""
    try:
        return os.path.samestat(path.stat(), known)
    except OSError:
        return False


def migrate(database: sqlite3.Connection) -> None:
    """Do the steps that the file has not been through."""
    [done] = database.execute("PRAGMA user_version").fetchone()
    for number, step in enumerate(MIGRATIONS[done:], done + 1):
        with transaction(database):
            for statement in step:
                database.execute(statement)
            database.execute(f"PRAGMA user_version = {number}")


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open the file of somebody else, or on a medium that cannot be written. Raises as `connect`."""
    with translate_errors(path):
        for more in ("", "&immutable=1"):  # the latter if there is no `-shm` file and none can be made
            database = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=ro{more}", uri=True, isolation_level=None
            )
            try:
                [done] = database.execute("PRAGMA user_version").fetchone()
                check_version(done, path)
                if done == len(MIGRATIONS):
                    return database
                problem = None
            except Exception as error:  # noqa: BLE001 raised below, when the file is closed
                problem = error
            database.close()
            if problem and (more or not isinstance(problem, sqlite3.OperationalError)):
                raise problem
        raise LocalError(f"{path}: it is from an older version and cannot be changed")


def saved_rooms(path: Path) -> list[str]:
    """The rooms that have messages, in alphabetical order, at once: without what is not sorted in yet.

    Nothing is changed. Raises as `connect_to_read`.
    """
    with closing(connect_to_read(path)) as database, translate_errors(path):
        return [
            room for (room,) in database.execute("SELECT name FROM room WHERE messages > 0 ORDER BY name")
        ]


def check_version(done: int, path: Path) -> None:
    """Raise `HistoryTooNew` if the file has been through steps that this program does not know."""
    if done > len(MIGRATIONS):
        raise HistoryTooNew(
            f"{path}: a newer version of this program has changed it (step {done}; this one knows {len(MIGRATIONS)})",
            hint="Update aws-iot-cli.",
        )


def is_history(path: Path) -> bool:
    """Whether the file is a database, damaged or not."""
    try:
        with path.open("rb") as file:
            return file.read(len(_HEADER)) == _HEADER
    except OSError:
        return False


def set_aside(path: Path, now: datetime) -> Path:
    """Rename a damaged file, so that a new one can be begun; returns its new name. Raises `LocalError`."""
    aside = first = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}")
    number = 1
    while aside.exists():
        number += 1
        aside = first.with_name(f"{first.name}-{number}")
    move(path, aside)
    return aside


def begin_anew(damage: HistoryDamaged, path: Path, now: datetime) -> HistoryDamaged:
    """Set a damaged file aside, so that the next program begins a new one; returns the warning about it.

    If another program has done so meanwhile, it does nothing. Raises `LocalError` if it is not possible.
    """
    with placing(path):
        if damage.file is not None and not is_file(path, damage.file):
            return HistoryDamaged(f"{damage}: another program has begun a new history")
        aside = set_aside(path, now)
    return HistoryDamaged(f"{damage}: a new history begins, and the old file is now {aside}")


def move(path: Path, to: Path | None) -> None:
    """Rename a file, with those that SQLite keeps beside it, or remove them. Raises `LocalError`."""
    with translate_errors(path):
        for ending in ("-wal", "-shm", ""):
            with suppress(FileNotFoundError):
                one = path.with_name(path.name + ending)
                if to:
                    one.replace(to.with_name(to.name + ending))
                else:
                    one.unlink()


@contextmanager
def transaction(database: sqlite3.Connection) -> Iterator[None]:
    """All or nothing, even if Ctrl-C interrupts it."""
    try:
        database.execute("BEGIN IMMEDIATE")
        if isinstance(database, Connection):
            database.check_file()
        yield
        database.execute("COMMIT")
    finally:
        if database.in_transaction:
            database.execute("ROLLBACK")


def clear_log(database: sqlite3.Connection) -> None:
    """Leave no copy of what was erased in the log beside the file. If another program reads, note it for later."""
    [is_used, *_] = database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if is_used:
        database.execute("INSERT OR REPLACE INTO setting VALUES ('log', 1)")
    elif _is_log_noted(database):
        database.execute("DELETE FROM setting WHERE name = 'log'")


def clear_noted_log(database: sqlite3.Connection) -> None:
    """Do what `clear_log` has noted."""
    if _is_log_noted(database):
        clear_log(database)


def _is_log_noted(database: sqlite3.Connection) -> bool:
    return database.execute("SELECT 1 FROM setting WHERE name = 'log'").fetchone() is not None


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the error says that the file is damaged, not that it cannot be used now."""
    return _code(error) in _DAMAGED


def is_busy(error: sqlite3.Error) -> bool:
    """Whether another program uses the file, and has not finished in time."""
    return _code(error) in _BUSY


def is_refused(error: sqlite3.OperationalError) -> bool:
    """Whether the system or another program keeps us from writing; otherwise, the statement is wrong."""
    return _code(error) != sqlite3.SQLITE_ERROR


def _code(error: sqlite3.Error) -> int:
    """The primary result code; 0 if SQLite has reported none."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def translate_errors(path: Path, database: sqlite3.Connection | None = None) -> Iterator[None]:
    """Raise `LocalError` for what the system or SQLite reports, and `HistoryDamaged` for a damaged file."""
    try:
        yield
    except sqlite3.Error as error:
        if is_damage(error):
            damage = HistoryDamaged(
                f"{path}: the history is damaged: {error}",
                hint="To repair it: aws-iot history check --repair",
            )
            damage.file = database.opened if isinstance(database, Connection) else None
            raise damage from error
        if is_busy(error):
            raise HistoryBusy(f"{path}: the history cannot be used: {error}") from error
        raise LocalError(f"{path}: the history cannot be used: {error}") from error
    except OSError as error:
        raise LocalError(f"{path}: the history cannot be used: {error.strerror}") from error
