"""Numbers: the rooms, senders and names of a file, which each have a number there."""

import sqlite3

from aws_iot.history.file.ids import clean


class Numbers:
    """Finds the numbers of texts, and gives numbers to new ones, in the current transaction."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        self._version: int | None = None
        self.rooms: dict[str, int] = {}
        self.senders: dict[str, int] = {}
        self.names: dict[str, int] = {}

    def refresh(self) -> None:
        """Forget what another program may have changed."""
        [version] = self._database.execute("PRAGMA data_version").fetchone()
        if version != self._version:
            self.forget()
            self._version = version

    def forget(self) -> None:
        """Forget what a transaction may have undone."""
        self._version = None
        self.rooms, self.senders, self.names = {}, {}, {}

    def room(self, name: str) -> int:
        """The number of a room."""
        return self._number(self.rooms, "room", "name", name)

    def sender(self, identity: str) -> int:
        """The number of a sender."""
        return self._number(self.senders, "sender", "identity", identity)

    def name(self, name: str) -> int:
        """The number of a name."""
        return self._number(self.names, "name", "name", name)

    def _number(self, known: dict[str, int], table: str, column: str, text: str) -> int:
        value = clean(text)
        self._database.execute(f"INSERT OR IGNORE INTO {table} ({column}) VALUES (?)", (value,))
        [number] = self._database.execute(
            f"SELECT number FROM {table} WHERE {column} = ?",
            (value,),
        ).fetchone()
        known[text] = number
        return int(number)
