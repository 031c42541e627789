"""Reserve: disk space that a spool sets aside, so that its messages can be removed when they have filled the disk."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

RESERVE_BYTES = 4 * 1024 * 1024
"""Its usual size. On a small disk, it is a quarter of what is free."""

LEAST_BYTES = 64 * 1024
"""Less would not help."""

NAME = "reserve"
"""The name of the file in the folder of a spool."""


class Reserve:
    """A file whose only purpose is its size. It is missing if there is no space for it, or it was needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / NAME

    @property
    def size(self) -> int:
        """Its size in bytes; 0 if it is missing."""
        try:
            return self._path.stat().st_size
        except OSError:
            return 0

    def fill(self) -> None:
        """Create it if it is missing, and if there is space for it."""
        if self.size:
            return
        with suppress(OSError):  # it can be created the next time
            size = min(RESERVE_BYTES, shutil.disk_usage(self._folder).free // 4)
            if size >= LEAST_BYTES:
                self._create(size)

    def _create(self, size: int) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(handle, 0, size)
            else:
                with os.fdopen(os.dup(handle), "wb") as file:
                    file.write(bytes(size))
        except OSError:
            self.release()
            raise
        finally:
            os.close(handle)

    def release(self) -> None:
        """Delete it, so that its space can be used."""
        with suppress(OSError):
            self._path.unlink()
