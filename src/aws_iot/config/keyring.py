"""The keyring of the operating system: the only importer of `keyring`."""

from collections.abc import Callable
from typing import TypeVar

import keyring
import keyring.backends.fail
import keyring.backends.null
from keyring.errors import PasswordDeleteError

from aws_iot.deadline import within
from aws_iot.errors import LocalError

SERVICE = "aws-iot-cli"
"""Under which the keyring shows what is ours."""

UNLOCK_SECONDS = 60.0
"""How long its owner may take to unlock it."""

T = TypeVar("T")


class SystemKeyring:
    """`secret_store.Keyring`: macOS' keychain, Windows' credential manager, or a Secret Service on Linux."""

    def get(self, name: str) -> str | None:
        return _told(lambda: keyring.get_password(SERVICE, name))

    def set(self, name: str, value: str) -> None:
        _told(lambda: keyring.set_password(SERVICE, name, value))

    def remove(self, name: str) -> None:
        def delete() -> None:
            try:
                keyring.delete_password(SERVICE, name)
            except PasswordDeleteError:  # there is none
                return

        _told(delete)


def find() -> SystemKeyring | None:
    """The keyring, if this system has one that keeps anything."""
    unusable = (keyring.backends.fail.Keyring, keyring.backends.null.Keyring)
    try:
        backend = keyring.get_keyring()
    except Exception:  # noqa: BLE001 a backend that is configured and cannot be loaded
        return None
    return None if isinstance(backend, unusable) else SystemKeyring()


def _told(work: Callable[[], T]) -> T:
    try:
        return within(UNLOCK_SECONDS, work, f"no answer in {UNLOCK_SECONDS:g} seconds")
    except Exception as error:
        raise LocalError(
            f"the keyring of this system cannot be used: {error}",
            hint="Unlock it, or set AWS_IOT_SECRETS=file to keep secrets in files that only you can read.",
        ) from error
