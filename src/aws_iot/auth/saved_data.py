"""What is saved about people under a profile, removed when they or the profile go."""

from collections.abc import Callable
from functools import partial

from aws_iot.auth.session_store import SessionStore
from aws_iot.config.secrets import KINDS, SecretStore
from aws_iot.errors import LocalError


def remove_saved_data(
    sessions: SessionStore, secrets: SecretStore, key: str, username: str | None = None
) -> list[LocalError]:
    """Remove the profile's session and its secrets; with a `username` only the secrets of that user.

    The result has the errors of what could not be removed, such as a password in a keyring that is locked.
    """
    steps: list[Callable[[], object]] = [partial(sessions.remove, key)]
    for kind in KINDS:
        if username in (None, secrets.owner(kind, key)):
            steps.append(partial(secrets.remove, kind, key))
    errors = []
    for step in steps:
        try:
            step()
        except LocalError as error:
            errors.append(error)
    return errors
