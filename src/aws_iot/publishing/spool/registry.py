"""SpoolRegistry: remembers the folders of the spools that this person has used."""

import json
from pathlib import Path

from aws_iot.files import exclusive, parsed, read, write_private
from aws_iot.publishing.spool.store import DATABASE


class SpoolRegistry:
    """A list of folders in a JSON file. A damaged file counts as empty."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, folder: Path) -> None:
        """Remember a folder, and forget those that are no longer spools. Raises `LocalError`."""
        folder = folder.absolute()
        if folder in self._read():
            return
        with exclusive(self._path.parent):
            folders = sorted({*self.folders(), folder})
            write_private(self._path, json.dumps([*map(str, folders)], indent=2).encode() + b"\n")

    def folders(self) -> list[Path]:
        """The remembered folders that still hold a spool, in alphabetical order. Raises `LocalError`."""
        return [folder for folder in self._read() if is_spool(folder)]

    def _read(self) -> list[Path]:
        stored = parsed(read(self._path))
        names = stored if isinstance(stored, list) else []
        return [Path(name) for name in names if isinstance(name, str)]


def is_spool(folder: Path) -> bool:
    """Whether the folder holds a spool."""
    return (folder / DATABASE).is_file()
