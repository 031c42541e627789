"""Secrets: saved passwords, refresh tokens and the like, in the system's keyring or in private files."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol

from aws_iot.config.profile import checked_key
from aws_iot.errors import LocalError
from aws_iot.files import delete, parsed, protect, read, write_private

Kind = Literal["password", "refresh-token", "device", "client-secret"]
KINDS: tuple[Kind, ...] = ("password", "refresh-token", "device", "client-secret")


class Keyring(Protocol):
    """The operating system's keyring. Every method raises `LocalError` if it fails."""

    def get(self, name: str) -> str | None:
        """The secret; None if there is none of that name."""
        ...

    def set(self, name: str, value: str) -> None:
        """Save the secret. It replaces one of the same name."""
        ...

    def remove(self, name: str) -> None:
        """Remove the secret, if there is one."""
        ...


class SecretStore:
    """The secrets of a person, one of each kind for a profile. Only the owner that it was saved for gets a secret.

    For each secret, a private file names the owner and where the value is: in this file, or in the keyring. So a
    command never waits for a keyring that does not have the secret. A damaged file counts as missing. Methods raise
    `LocalError` if the system refuses to read or write a file.
    """

    def __init__(
        self,
        folder: Path,
        *,
        keyring: Callable[[], Keyring | None],
        storage: str | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`keyring` finds the keyring; None if there is none. `report` gets a line when secrets first go to files.

        `storage` is where new secrets are saved: `file`, `keyring`, or None for the keyring if there is one. Secrets
        that are in the other one are still found.
        """
        self._storage = storage.lower() if storage else None
        if self._storage not in (None, "file", "keyring"):
            raise LocalError(
                f"AWS_IOT_SECRETS is '{storage}'", hint="Set it to file or keyring, or unset it."
            )
        self.folder = folder
        self._find_keyring = keyring
        self._report = report

    def get(self, kind: Kind, key: str, owner: str) -> str | None:
        """The owner's secret of this kind for the profile `key`; None if there is none."""
        held = self._note(kind, key) or {}
        if "value" in held:
            self.protect(self._path(kind, key))
        if held.get("owner") == owner and held.get("in") == "keyring":
            keyring = self._find_keyring()
            held = _parsed((keyring and keyring.get(self._name(kind, key))) or "{}")
        value = held.get("value") if held.get("owner") == owner else None
        return value if isinstance(value, str) else None

    def owner(self, kind: Kind, key: str) -> str | None:
        """The owner of the secret of this kind for the profile `key`; None if there is none. It reads only a file."""
        owner = (self._note(kind, key) or {}).get("owner")
        return owner if isinstance(owner, str) else None

    def set(self, kind: Kind, key: str, owner: str, value: str) -> None:
        """Save a secret, and replace the old one. Raises `LocalError` if it must go to the keyring, but cannot."""
        before = self._note(kind, key) or {}
        keyring = None if self._storage == "file" else self._find_keyring()
        if keyring:
            # First the note: else nothing would know that the keyring has the secret.
            self._write(kind, key, {"owner": owner, "in": "keyring"})
            try:
                keyring.set(self._name(kind, key), json.dumps({"owner": owner, "value": value}))
                return
            except LocalError:  # it is locked, or the secret is too long, as some tokens are for Windows
                if self._storage == "keyring":
                    raise
        elif self._storage == "keyring":
            raise LocalError(
                "this system has no keyring that can be used",
                hint="Set AWS_IOT_SECRETS=file to save secrets in files that only you can read.",
            )
        if before.get("in") == "keyring":
            with suppress(LocalError):
                self._remove_from_keyring(kind, key)
        self._report_files()
        self._write(kind, key, {"owner": owner, "in": "file", "value": value})

    def remove(self, kind: Kind, key: str) -> None:
        """Remove a secret, if there is one. Raises `LocalError` if it is in a keyring that cannot be used now."""
        note = self._note(kind, key)
        if note is None:
            return
        if note.get("in") != "file":  # in the keyring, or unknown
            self._remove_from_keyring(kind, key, must=note.get("in") == "keyring")
        delete(self._path(kind, key))

    def disown(self, kind: Kind, key: str) -> None:
        """Keep a secret that cannot be removed now from everybody. A later `remove` still finds it."""
        note = self._note(kind, key)
        if note is not None:
            self._write(kind, key, {name: value for name, value in note.items() if name != "owner"})

    def protect(self, file: Path) -> None:
        """Let only the owner read this file with secrets, and report if others could, as after copying it."""
        if protect(file):
            self._report(
                f"Other users could read {file}; now only you can. If in doubt, change your password."
            )

    def _remove_from_keyring(self, kind: Kind, key: str, *, must: bool = False) -> None:
        keyring = self._find_keyring()
        if keyring:
            keyring.remove(self._name(kind, key))
        elif must:
            raise LocalError(
                f"the {kind} of '{key}' is in a keyring, and the system has none now",
                hint="Run this again when the keyring can be used.",
            )

    def _note(self, kind: Kind, key: str) -> dict[str, Any] | None:
        """The owner, and where the value is; empty if the file is damaged, None if there is none."""
        data = read(self._path(kind, key))
        return None if data is None else _parsed(data)

    def _write(self, kind: Kind, key: str, note: dict[str, str]) -> None:
        write_private(self._path(kind, key), json.dumps(note).encode())

    def _report_files(self) -> None:
        reported = self.folder / "files-reported"
        if self._storage is None and read(reported) is None:
            self._report(
                f"No keyring can be used: secrets are saved in {self.folder}, in files that only you can read."
            )
            write_private(reported, b"")

    def _name(self, kind: Kind, key: str) -> str:
        return f"{self.folder}: {kind} of {key}"

    def _path(self, kind: Kind, key: str) -> Path:
        return self.folder / kind / f"{checked_key(key)}.json"


def _parsed(data: bytes | str) -> dict[str, Any]:
    found = parsed(data)
    return found if isinstance(found, dict) else {}
