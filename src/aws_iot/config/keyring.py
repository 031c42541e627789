"""The operating system's keyring. Only this module imports `keyring`."""

from collections.abc import Callable
from typing import TypeVar

import keyring
import keyring.backends.fail
import keyring.backends.null
from keyring.errors import PasswordDeleteError

from aws_iot.deadline import in_seconds, within
from aws_iot.errors import LocalError

SERVICE = "aws-iot-cli"
"""The name under which the keyring shows our secrets."""

UNLOCK_SECONDS = 60.0
"""How long the owner may take to unlock it."""

T = TypeVar("T")


class SystemKeyring:
    """`secrets.Keyring`: the keychain of macOS, the credential manager of Windows, or a Secret Service on Linux."""

    def get(self, name: str) -> str | None:
        return _translate_errors(lambda: keyring.get_password(SERVICE, name))

    def set(self, name: str, value: str) -> None:
        _translate_errors(lambda: keyring.set_password(SERVICE, name, value))

    def remove(self, name: str) -> None:
        def delete() -> None:
            try:
                keyring.delete_password(SERVICE, name)
            except PasswordDeleteError:  # there is no such secret
                return

        _translate_errors(delete)


def find() -> SystemKeyring | None:
    """The keyring; None if this system has none that can save a secret."""
    unusable = (keyring.backends.fail.Keyring, keyring.backends.null.Keyring)
    try:
        backend = keyring.get_keyring()
    except Exception:  # noqa: BLE001 the configured backend cannot be loaded
        return None
    return None if isinstance(backend, unusable) else SystemKeyring()


def _translate_errors(work: Callable[[], T]) -> T:
    try:
        return within(UNLOCK_SECONDS, work, f"no answer in {in_seconds(UNLOCK_SECONDS)}")
    except Exception as error:
        raise LocalError(
            f"the system's keyring cannot be used: {error}",
            hint="Unlock it, or set AWS_IOT_SECRETS=file to save secrets in files that only you can read.",
        ) from error
