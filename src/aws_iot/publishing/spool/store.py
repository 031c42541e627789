"""Spool: unsent messages in a folder, so that a crash or an outage loses none.

They are in `spool.sqlite3`, a SQLite database with two tables:

- `waiting` has a row for each unsent message, in the order of `number`. `pool` is the identity pool, `room` the room,
  `payload` the bytes to send, and `id` the message's ID. `qos` is 0 or 1, `retain` is 0 or 1, and `speaker` is the
  user who sends it, or NULL until that is known. `kind` and `re` are those of a message that refers to another one, or
  NULL. `added` is when it was saved, in seconds since 1970, or NULL if an
  older version of this program saved it. `published` is 1 if a chat has given it to the broker, otherwise 0, or NULL if
  that is unknown. Other programs do not note it. `chat` is the chat that has added it, or NULL if it was no chat. While
  that chat runs, no other program sends the message.
- `refused` has a row for each rejected message, until the program that added it has read it, for a day at most. `id`
  is the message's ID, `why` the error's text, `exit_code` its exit code, and `at` when it was rejected, in seconds
  since 1970.

The folder also has a `reserve` of disk space (see `Reserve`), and the locks of the programs that send.

`PRAGMA user_version` is the number of the steps in `MIGRATIONS` that the file has been through.
"""

import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self, TypeVar

from aws_iot.deadline import in_seconds
from aws_iot.errors import AwsIotError, LocalError, ServiceRefused, TopicRefused
from aws_iot.files import exclusive, is_locked, names
from aws_iot.limits import file_size_limit
from aws_iot.messaging.message import Outgoing
from aws_iot.publishing.spool.reserve import Reserve

BATCH_MESSAGES = 500
"""Number of messages that are read from the file at once."""

CLAIMED_MESSAGES = 8
"""Number of messages that get their user in one step. SQLite writes each of them anew, which the reserve limits."""

BUSY_SECONDS = 10.0
"""How long to wait while another program writes."""

REJECTION_SECONDS = 24 * 3600.0
"""How long a rejection is kept for the program that added the message."""

CHECKPOINT_PAGES = 1000
"""After how many changed pages SQLite writes them from its log to the database, at most. This is its own default."""

PAGE_BYTES = 4096

COMPACT_BYTES = 1024 * 1024
"""A database of this size is made smaller when it has no messages any more."""

_NO_SPACE = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN}
"""How SQLite reports that a file cannot grow, or that there is no space for a new one."""

T = TypeVar("T")

_SENDING = ".sending-"
"""Begins the names of the locks that senders hold."""

_CHAT = f"{_SENDING}chat-"
"""Begins the names of the locks that chats hold."""

MIGRATIONS = (
    "CREATE TABLE IF NOT EXISTS waiting (number INTEGER PRIMARY KEY AUTOINCREMENT, pool TEXT NOT NULL,"
    " room TEXT NOT NULL, payload BLOB NOT NULL, id TEXT NOT NULL UNIQUE, qos INTEGER NOT NULL,"
    " retain INTEGER NOT NULL)",
    "ALTER TABLE waiting ADD COLUMN speaker TEXT",
    "CREATE TABLE refused (id TEXT PRIMARY KEY, why TEXT NOT NULL, at REAL NOT NULL)",
    "ALTER TABLE refused ADD COLUMN exit_code INTEGER",
    "ALTER TABLE waiting ADD COLUMN added REAL",
    "ALTER TABLE waiting ADD COLUMN kind TEXT",
    "ALTER TABLE waiting ADD COLUMN re TEXT",
    "ALTER TABLE waiting ADD COLUMN published INTEGER",
    "ALTER TABLE waiting ADD COLUMN chat TEXT",
)
"""The steps that lead to the current tables, in order. The file's `user_version` counts those that were done."""


DATABASE = "spool.sqlite3"
"""The name of the file in the folder of a spool."""


class SpoolInUse(LocalError):
    """A program is sending from the spool."""


class Waiting(NamedTuple):
    """The unsent messages of one user for one identity pool. `oldest` is in seconds since 1970, if it is known."""

    pool: str
    username: str | None
    messages: int
    oldest: float | None
    rooms: tuple[str, ...]


class Spool:
    """The unsent messages of one user in one folder, in the order in which they were added.

    Several programs may add messages at once, each thread with its own `Spool`; one program at a time sends: see
    `sending`. When `add` returns, the message survives the end of the process, but a power failure may lose the last
    few. Every method raises `LocalError` if the folder cannot be used.
    """

    def __init__(self, folder: Path, pool: str, username: str | None, chat: str | None = None) -> None:
        """`pool` is the identity pool of the messages, and `username` the user who sends them.

        If the user is not known yet, None: the messages then belong to the first user who sends (see `sending`).
        Messages of other users and pools stay in the folder untouched.

        `chat` is the name of a chat, which no other one has had. It sends what it adds itself: until it closes the
        spool or ends, other programs do not find these messages in `unsent`.
        """
        self.folder = folder
        self._owner = pool, username
        self._chat = chat
        self._ended: set[str | None] = {None}
        """Chats that do not run any more, and no chat."""
        self._reserve = Reserve(folder)
        self._resources = ExitStack()

    def __enter__(self) -> Self:
        path = self.folder / DATABASE
        with _translate_errors(self.folder), exclusive(self.folder, BUSY_SECONDS) as held:
            if not held:
                raise LocalError(
                    f"{self.folder}: another program has locked it for {in_seconds(BUSY_SECONDS)}"
                )
            # Only a new file is opened here. Closing an existing one would release the locks that SQLite holds for
            # another thread of this process (sqlite.org/howtocorrupt.html, 2.2). Others would think it unused.
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
            self._database = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
            with ExitStack() as unless_it_works:
                unless_it_works.callback(self._database.close)
                self._reserve.fill()
                self._with_reserve(self._set_up)
                if self._chat:
                    lock = exclusive(self.folder, BUSY_SECONDS, f"{_CHAT}{self._chat}", temporary=True)
                    unless_it_works.enter_context(lock)
                self._resources.push(unless_it_works.pop_all())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._resources.close()

    def _set_up(self) -> None:
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        # Some systems' SQLite fills what is deleted with zeros. Deleting long messages would take as much space again.
        self._database.execute("PRAGMA secure_delete = OFF")
        # On a full disk, the reserve has to suffice for what is in the log, which may be twice as long by then.
        pages = min(CHECKPOINT_PAGES, self._reserve.size * 2 // 5 // PAGE_BYTES) or CHECKPOINT_PAGES
        if limit := file_size_limit():  # `ulimit -f`: both files have to stay below it
            pages = min(pages, limit // 3 // PAGE_BYTES)
            self._database.execute(f"PRAGMA max_page_count = {max(1, limit * 9 // 10 // PAGE_BYTES)}")
        self._database.execute(f"PRAGMA wal_autocheckpoint = {max(1, pages)}")
        [done] = self._database.execute("PRAGMA user_version").fetchone()
        for number, migration in enumerate(MIGRATIONS[done:], done + 1):
            with self._transaction():
                self._database.execute(migration)
                self._database.execute(f"PRAGMA user_version = {number}")
        self._database.execute("DELETE FROM refused WHERE at < ?", (time.time() - REJECTION_SECONDS,))

    def _with_reserve(self, work: Callable[[], T]) -> T:
        """The result of `work`, which must be done even if the disk is full. It may use the reserve."""
        try:
            return work()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF not in _NO_SPACE:  # the lowest byte is the kind of error
                raise
            self._reserve.release()
            self._database.execute("PRAGMA wal_checkpoint(PASSIVE)")  # the log can then be overwritten
            return work()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing, even if Ctrl-C interrupts it."""
        try:
            self._database.execute("BEGIN IMMEDIATE")
            yield
            self._database.execute("COMMIT")
        finally:
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")

    def _change(self, *steps: tuple[str, Iterable[Sequence[object]]]) -> int:
        """Execute each statement with each of its rows, all or nothing, even if the disk is full.

        Returns how many rows the first statement has changed.
        """
        prepared = [(statement, [*rows]) for statement, rows in steps]

        def execute() -> int:
            with self._transaction():
                changed, *_ = [self._database.executemany(*step).rowcount for step in prepared]
            return changed

        with _translate_errors(self.folder):
            return self._with_reserve(execute)

    @contextmanager
    def sending(self) -> Iterator[bool]:
        """Try to become the only program that sends this user's messages; whether that worked.

        If so, it holds until the end of the block, and messages without a user now belong to this one.
        """
        owner_id = zlib.crc32(repr(self._owner).encode(errors="replace"))
        with exclusive(self.folder, 0.0, f"{_SENDING}{owner_id:08x}") as is_only_sender:
            if is_only_sender:
                self._claim()
            yield is_only_sender

    def _claim(self) -> None:
        """Give the messages without a user to this one, and tidy up after chats that have crashed."""
        for lock in [name for name in names(self.folder) if name.startswith(_CHAT)]:
            with exclusive(self.folder, 0.0, lock, temporary=True):
                pass
        pool, username = self._owner
        with _translate_errors(self.folder):
            unclaimed = self._database.execute(
                "SELECT number FROM waiting WHERE speaker IS NULL AND pool = ?", (pool,)
            ).fetchall()
        for at in range(0, len(unclaimed), CLAIMED_MESSAGES):
            rows = [(username, number) for (number,) in unclaimed[at : at + CLAIMED_MESSAGES]]
            self._change(("UPDATE waiting SET speaker = ? WHERE number = ?", rows))

    def count(self, stream: str = "", after: int = 0) -> int:
        """How many messages are unsent; only those whose IDs begin with `stream` and whose numbers exceed `after`."""
        with _translate_errors(self.folder):
            [unsent] = self._database.execute(
                "SELECT count(*) FROM waiting WHERE pool = ? AND speaker IS ? AND id >= ? AND id < ? AND number > ?",
                (*self._owner, stream, f"{stream}~", after),
            ).fetchone()
        return int(unsent)

    def first(self) -> int:
        """The number of the oldest unsent message; 0 if there is none."""
        with _translate_errors(self.folder):
            [first] = self._database.execute(
                "SELECT ifnull(min(number), 0) FROM waiting WHERE pool = ? AND speaker IS ?", self._owner
            ).fetchone()
        return int(first)

    def last(self) -> int:
        """The number of the newest unsent message of any user; 0 if there is none. Newer messages exceed it."""
        with _translate_errors(self.folder):
            [last] = self._database.execute("SELECT ifnull(max(number), 0) FROM waiting").fetchone()
        return int(last)

    def others(self) -> list[tuple[str, str | None, int]]:
        """Unsent messages of other users and pools: pool, user, and how many."""
        with _translate_errors(self.folder):
            return self._database.execute(
                "SELECT pool, speaker, count(*) FROM waiting WHERE NOT (pool = ? AND (speaker IS NULL OR speaker IS ?))"
                " GROUP BY 1, 2 ORDER BY 1, 2",
                self._owner,
            ).fetchall()

    def waiting(self) -> list[Waiting]:
        """The unsent messages of every user and pool."""
        with _translate_errors(self.folder):
            rows = self._database.execute(
                "SELECT pool, speaker, room, count(*), min(added), count(added) FROM waiting"
                " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"
            ).fetchall()
        found = []
        for (pool, username), group in groupby(rows, key=lambda row: row[:2]):
            rooms, counts, oldest, dated = zip(*(row[2:] for row in group), strict=True)
            is_dated = sum(dated) == sum(counts)
            found.append(Waiting(pool, username, sum(counts), min(oldest) if is_dated else None, rooms))
        return found

    def clear(self) -> int:
        """Delete the unsent messages of every user and pool; returns how many. Raises `SpoolInUse`."""
        with ExitStack() as locks:
            for lock in names(self.folder):
                if lock.startswith(_SENDING) and not locks.enter_context(exclusive(self.folder, 0.0, lock)):
                    raise SpoolInUse(
                        f"{self.folder}: a program is sending its messages",
                        hint="Stop it first, with Ctrl-C.",
                    )
            deleted = self._change(("DELETE FROM waiting", [()]), ("DELETE FROM refused", [()]))
            self._compact()  # what is deleted would stay in the file until it is overwritten
        return deleted

    def compact(self) -> None:
        """Give back the disk space of many messages, if none is left."""
        with _translate_errors(self.folder):
            [is_empty] = self._database.execute("SELECT NOT EXISTS (SELECT 1 FROM waiting)").fetchone()
            [pages] = self._database.execute("PRAGMA page_count").fetchone()
            if not is_empty or (pages * PAGE_BYTES < COMPACT_BYTES and self._reserve.size):
                return
        self._compact()
        self._reserve.fill()

    def _compact(self) -> None:
        with _translate_errors(self.folder):
            self._with_reserve(lambda: self._database.execute("VACUUM"))
            self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def add(self, message: Outgoing) -> None:
        """Save a message until it is removed. An ID that is already there is not added again."""
        with _translate_errors(self.folder):
            self._database.execute(
                "INSERT OR IGNORE INTO waiting (pool, speaker, room, payload, id, qos, retain, kind, re, added,"
                " published, chat) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?)",
                (*self._owner, *message, time.time(), self._chat),
            )

    def remove(self, ids: Iterable[str]) -> None:
        """Remove messages that are acknowledged or will not be retried."""
        self._change(("DELETE FROM waiting WHERE id = ?", ((one,) for one in ids)))

    def reject(self, message_id: str, error: AwsIotError) -> None:
        """Remove a message that was rejected, and keep the reason for the program that added it."""
        self._change(
            ("DELETE FROM waiting WHERE id = ?", [(message_id,)]),
            (
                "INSERT OR REPLACE INTO refused (id, why, at, exit_code) VALUES (?, ?, ?, ?)",
                [(message_id, str(error), time.time(), error.exit_code)],
            ),
        )

    def note_published(self, message_id: str) -> None:
        """Note that a message is given to the broker now."""
        self._change(("UPDATE waiting SET published = 1 WHERE id = ?", [(message_id,)]))

    def withdraw(self, message_id: str) -> bool:
        """Remove a message, unless a program may have given it to the broker; whether there was one."""
        return self._change(("DELETE FROM waiting WHERE id = ? AND published = 0", [(message_id,)])) > 0

    def take_rejections(self, stream: str) -> list[tuple[str, AwsIotError]]:
        """The rejected messages whose IDs begin with `stream`: IDs and reasons, each returned only once."""
        with _translate_errors(self.folder):
            found = self._database.execute(
                "SELECT id, why, exit_code FROM refused WHERE id >= ? AND id < ?", (stream, f"{stream}~")
            ).fetchall()
            self._database.executemany("DELETE FROM refused WHERE id = ?", [(row[0],) for row in found])
        return [
            (message_id, (TopicRefused if exit_code == TopicRefused.exit_code else ServiceRefused)(why))
            for message_id, why, exit_code in found
        ]

    def unsent(self, after: int = 0, until: int | None = None) -> list[tuple[int, Outgoing]]:
        """The oldest unsent messages with their numbers, at most `BATCH_MESSAGES`, without those of running chats.

        The numbers exceed `after`, and `until` is the highest.
        """
        running: set[str] = set()
        while True:
            rows = self._unsent(after, until, running)
            chats = {row[-1] for row in rows} - self._ended
            if not chats:
                break
            # One that has ended may have removed its messages just before, so they are read again. None starts anew.
            for chat in chats:
                known = running if is_locked(self.folder, f"{_CHAT}{chat}") else self._ended
                known.add(chat)
        return [
            (number, Outgoing(room, payload, message_id, qos, bool(retain), kind, re))
            for number, room, payload, message_id, qos, retain, kind, re, _ in rows
        ]

    def _unsent(self, after: int, until: int | None, running: Iterable[str]) -> list[tuple[Any, ...]]:
        chats = "".join(f"/{name}/" for name in running)
        with _translate_errors(self.folder):
            return self._database.execute(
                "SELECT number, room, payload, id, qos, retain, kind, re, chat FROM waiting"
                " WHERE pool = ? AND speaker IS ? AND number > ? AND number <= ifnull(?, number)"
                " AND (chat IS NULL OR NOT instr(?, '/' || chat || '/')) ORDER BY number LIMIT ?",
                (*self._owner, after, until, chats, BATCH_MESSAGES),
            ).fetchall()


@contextmanager
def _translate_errors(folder: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise LocalError(f"{folder}: the spool cannot be used: {error}") from error
