"""KnownNames: the rooms and members that commands of a profile have met. Shells complete their names.

Losing the file costs nothing else, so an error about it is never raised.
"""

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from aws_iot.errors import LocalError
from aws_iot.files import delete, parsed, read, write_private

MOST = 100
"""How many names of a kind are kept: the last that were met."""


class KnownNames:
    """The names that one profile knows, in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rooms(self) -> list[str]:
        """The rooms and patterns that messages were sent to or received from, in alphabetical order."""
        return sorted(self._load("rooms"))

    def members(self) -> list[str]:
        """Members as `bob~4f9fa251`, as far as this machine has met them, in alphabetical order."""
        return sorted(self._load("members"))

    def add_rooms(self, rooms: Iterable[str]) -> None:
        """Remember rooms that exist. Writes only if one of them is new."""
        known = self._load("rooms")
        if new := [room for room in dict.fromkeys(rooms) if room not in known]:
            self._save([*known, *new], self._load("members"))

    def replace_members(self, members: Iterable[str]) -> None:
        """Remember the members of the team, in place of those that were known."""
        now = list(dict.fromkeys(members))
        if now != self._load("members"):
            self._save(self._load("rooms"), now)

    def add_member(self, member: str) -> None:
        """Remember a member, in place of another name of the same identity."""
        self.replace_members([*self._others(member), member])

    def remove_member(self, member: str) -> None:
        """Forget a member, under each name of the identity."""
        self.replace_members(self._others(member))

    def _others(self, member: str) -> list[str]:
        return [one for one in self._load("members") if _identity(one) != _identity(member)]

    def forget(self) -> None:
        """Delete all."""
        with suppress(LocalError):
            delete(self._path)

    def _load(self, kind: str) -> list[str]:
        try:
            stored = parsed(read(self._path))
        except LocalError:
            return []
        names = stored.get(kind) if isinstance(stored, dict) else None
        return [one for one in names if isinstance(one, str)] if isinstance(names, list) else []

    def _save(self, rooms: list[str], members: list[str]) -> None:
        stored = {"rooms": rooms[-MOST:], "members": members[-MOST:]}
        with suppress(LocalError):
            write_private(self._path, json.dumps(stored).encode())


def _identity(member: str) -> str:
    """The short identity of `bob~4f9fa251`, or of a member without a name."""
    return member.rpartition("~")[2]
