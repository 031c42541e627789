"""Owners: whose histories are in the folder of a profile, and in which files. It knows them without a session, too."""

import json
from pathlib import Path

from aws_iot.files import exclusive, parsed, read, write_private

_FILE = "users.json"


def history_file(folder: Path, identity: str) -> Path:
    """The file of an identity in the folder of a profile. A colon cannot be part of a name on Windows."""
    return folder / f"{identity.replace(':', '_')}.sqlite3"


def identity_of(path: Path) -> str:
    """Whose file this is, by its name."""
    return path.stem.replace("_", ":", 1)


def owners(folder: Path) -> dict[str, str]:
    """The identity of each user whose messages were saved; the user who came last is the last. Raises `LocalError`."""
    found = parsed(read(folder / _FILE))
    if not isinstance(found, dict):
        return {}
    return {name: identity for name, identity in found.items() if isinstance(identity, str)}


def note_owner(folder: Path, username: str, identity: str) -> None:
    """Record whose messages are saved from now on. Raises `LocalError`."""
    if [*owners(folder).items()][-1:] == [(username, identity)]:
        return
    with exclusive(folder):
        known = owners(folder)
        known.pop(username, None)
        write_private(folder / _FILE, json.dumps(known | {username: identity}).encode())
