"""A keyring for tests, in the way in which `keyring` takes one: by PYTHON_KEYRING_BACKEND."""

import os
from pathlib import Path
from urllib.parse import quote

from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked, PasswordDeleteError


class FolderKeyring(KeyringBackend):
    """Keeps each secret in a file of the folder that TEST_KEYRING names; it is locked if there is none."""

    priority = 1.0

    def get_password(self, service: str, username: str) -> str | None:
        path = self._path(service, username)
        return path.read_text() if path.exists() else None

    def set_password(self, service: str, username: str, password: str) -> None:
        self._path(service, username).write_text(password)

    def delete_password(self, service: str, username: str) -> None:
        try:
            self._path(service, username).unlink()
        except FileNotFoundError as error:
            raise PasswordDeleteError("not found") from error

    def _path(self, service: str, username: str) -> Path:
        folder = Path(os.environ["TEST_KEYRING"])
        if not folder.is_dir():
            raise KeyringLocked("the folder is not there")
        return folder / quote(f"{service} {username}", safe="")[-200:]
