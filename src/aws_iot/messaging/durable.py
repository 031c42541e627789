"""Durable sessions: which rooms a broker keeps messages of for a client that is offline."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from aws_iot.config.profile import is_device
from aws_iot.errors import LocalError
from aws_iot.files import delete, names, parsed, read, write_private


def check_session_name(name: str) -> None:
    """Raise `LocalError` for a name that cannot be part of a client ID and of a file's name."""
    if not re.fullmatch("[A-Za-z0-9_-]{1,32}", name):
        raise LocalError(f"'{name}' cannot name a durable session: use 1 to 32 letters, digits, '-' and '_'")


class DurableSession:
    """This machine's record of the rooms of one session. A broker does not list a session's subscriptions.

    The record is only advice: it may be missing, or the session may have been used on another machine.
    """

    def __init__(self, folder: Path, name: str, identity: str) -> None:
        """`folder` holds the sessions of one profile. Raises `LocalError` for an invalid name."""
        check_session_name(name)
        # Names that differ only in case are two sessions, but would be one file on some systems. `con` is none there.
        file = re.sub("[A-Z]", lambda found: "=" + found[0].lower(), name)
        self._path = folder / f"{file}{'=' if is_device(file) else ''}.json"
        self._identity = identity

    def rooms(self) -> list[str]:
        """The rooms and patterns that the session may have; empty if this machine or identity has not used it.

        Raises `LocalError` for a file that cannot be read.
        """
        known = parsed(read(self._path))
        if not isinstance(known, dict) or known.get("identity") != self._identity:
            return []
        rooms = known.get("rooms")
        return [room for room in rooms if isinstance(room, str)] if isinstance(rooms, list) else []

    def note(self, rooms: Sequence[str]) -> None:
        """Record that the session may have these rooms from now on. Raises `LocalError`."""
        known = {"identity": self._identity, "rooms": [*rooms]}
        write_private(self._path, json.dumps(known).encode() + b"\n")


def forget_all(folder: Path) -> None:
    """Delete the records of all sessions of a profile. The broker discards the sessions later."""
    for name in names(folder):
        delete(folder / name)
