"""Secrets: what must outlive a command and nobody else may read, in the system's keyring or in private files."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, Protocol

from aws_iot.config.profile import checked_key
from aws_iot.errors import LocalError
from aws_iot.files import delete, read, write_private

Kind = Literal["password", "refresh-token", "device", "client-secret"]
KINDS: tuple[Kind, ...] = ("password", "refresh-token", "device", "client-secret")


class Keyring(Protocol):
    """The keyring of the operating system. Every method raises `LocalError` where it fails."""

    def get(self, name: str) -> str | None:
        """None if there is nothing of that name."""
        ...

    def set(self, name: str, value: str) -> None:
        """Keep it, in place of what is there."""
        ...

    def remove(self, name: str) -> None:
        """Fine if there is nothing."""
        ...


class SecretStore:
    """The secrets of a person, one of each kind a profile. Each serves only the owner it was stored for.

    A private file a secret says whose it is and where: in the file itself, or in the keyring. So nothing
    waits for a keyring that holds nothing of it. What is damaged counts as not there. Methods raise
    `LocalError` for files that the system does not let them use.
    """

    def __init__(
        self,
        folder: Path,
        *,
        keyring: Callable[[], Keyring | None],
        place: str | None = None,
        tell: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`keyring` finds it, None where none is usable. `place` is where secrets go: `file`, `keyring`, or None,
        whichever can be. They are found wherever they are.

        `tell` is told, once, that secrets go to files.
        """
        self._place = place.lower() if place else None
        if self._place not in (None, "file", "keyring"):
            raise LocalError(f"AWS_IOT_SECRETS is '{place}'", hint="Set it to file or keyring, or unset it.")
        self.folder = folder
        self._find_keyring = keyring
        self._tell = tell

    def get(self, kind: Kind, key: str, owner: str) -> str | None:
        """The owner's secret of this kind under the profile `key`; None where there is none."""
        held = self._note(kind, key) or {}
        if held.get("owner") == owner and held.get("in") == "keyring":
            keyring = self._find_keyring()
            held = _parsed((keyring and keyring.get(self._name(kind, key))) or "{}")
        value = held.get("value") if held.get("owner") == owner else None
        return value if isinstance(value, str) else None

    def owner(self, kind: Kind, key: str) -> str | None:
        """Whose secret of this kind is kept under the profile `key`, as far as is known here."""
        owner = (self._note(kind, key) or {}).get("owner")
        return owner if isinstance(owner, str) else None

    def set(self, kind: Kind, key: str, owner: str, value: str) -> None:
        """Keep it, in place of what is there. Raises `LocalError` if it must be the keyring and cannot."""
        before = self._note(kind, key) or {}
        keyring = None if self._place == "file" else self._find_keyring()
        if keyring:
            self._write(
                kind, key, {"owner": owner, "in": "keyring"}
            )  # first: of what is there, something must know
            try:
                keyring.set(self._name(kind, key), json.dumps({"owner": owner, "value": value}))
                return
            except LocalError:  # locked, or the secret is too long for it, as Windows' is for some tokens
                if self._place == "keyring":
                    raise
        elif self._place == "keyring":
            raise LocalError(
                "this system has no keyring that can be used",
                hint="Set AWS_IOT_SECRETS=file to keep secrets in files that only you can read.",
            )
        if before.get("in") == "keyring":
            with suppress(LocalError):
                self._out_of_keyring(kind, key)
        self._tell_of_files()
        self._write(kind, key, {"owner": owner, "in": "file", "value": value})

    def remove(self, kind: Kind, key: str) -> None:
        """Forget it; fine if there is none.

        Raises `LocalError` if it is in a keyring that cannot be used now: it can be removed later.
        """
        note = self._note(kind, key)
        if note is None:
            return
        if note.get("in") != "file":  # in the keyring, or nobody knows
            self._out_of_keyring(kind, key, must=note.get("in") == "keyring")
        delete(self._path(kind, key))

    def _out_of_keyring(self, kind: Kind, key: str, *, must: bool = False) -> None:
        keyring = self._find_keyring()
        if keyring:
            keyring.remove(self._name(kind, key))
        elif must:
            raise LocalError(
                f"the {kind} of '{key}' is in a keyring that cannot be found now",
                hint="Run this again where the keyring can be used.",
            )

    def _note(self, kind: Kind, key: str) -> dict[str, Any] | None:
        """Whose it is and where; empty if that is damaged, None if there is nothing."""
        data = read(self._path(kind, key))
        return None if data is None else _parsed(data)

    def _write(self, kind: Kind, key: str, note: dict[str, str]) -> None:
        write_private(self._path(kind, key), json.dumps(note).encode())

    def _tell_of_files(self) -> None:
        told = self.folder / "told"
        if self._place is None and read(told) is None:
            self._tell(
                f"No keyring of this system can be used: secrets are kept in {self.folder},"
                " in files that only you can read."
            )
            write_private(told, b"")

    def _name(self, kind: Kind, key: str) -> str:
        return f"{self.folder}: {kind} of {key}"

    def _path(self, kind: Kind, key: str) -> Path:
        return self.folder / kind / f"{checked_key(key)}.json"


def _parsed(data: bytes | str) -> dict[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
