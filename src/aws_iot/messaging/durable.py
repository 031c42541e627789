"""Durable sessions: in which rooms a broker listens under a name, while nobody of that name is there."""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from aws_iot.files import delete, names, read, write_private


class DurableSession:
    """What this machine knows of one: a broker does not tell what it listens to.

    It is advice only: where there is none, or the session is another machine's, less can be told of it.
    """

    def __init__(self, folder: Path, name: str, identity: str) -> None:
        """`folder` is for the sessions of one profile."""
        # Names that differ in case alone are two sessions, and on some systems would be one file.
        self._path = folder / f"{re.sub('[A-Z]', lambda found: '=' + found[0].lower(), name)}.json"
        self._identity = identity

    def rooms(self) -> list[str]:
        """The rooms and patterns that may have been entered; none if nobody did from here, or as somebody else.

        Raises `LocalError` for a file that cannot be read.
        """
        try:
            known = json.loads(read(self._path) or b"{}")
            return [str(room) for room in known["rooms"]] if known["identity"] == self._identity else []
        except (ValueError, LookupError, TypeError):
            return []

    def note(self, rooms: Sequence[str]) -> None:
        """These may have been entered from now on. Raises `LocalError`."""
        known = {"identity": self._identity, "rooms": [*rooms]}
        write_private(self._path, json.dumps(known).encode() + b"\n")


def forget_all(folder: Path) -> None:
    """Of the sessions of a profile nothing is known any more."""
    for name in names(folder):
        delete(folder / name)
