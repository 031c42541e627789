"""Session: a person signed in with a profile, and what can be done with accounts."""

import json
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from aws_iot.errors import ProfileError
from aws_iot.files import delete, read, write_private
from aws_iot.profile import checked_key


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in; the tokens live until `expires`, as a rule for an hour."""

    username: str
    id_token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires: datetime


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a user pool asks before it gives tokens.

    `wants` names what an answer must hold: `code`, `choice` (one of `choices`), or `password` and the
    attributes in `attributes`. `kind` is Cognito's own name for it, such as SOFTWARE_TOKEN_MFA.
    `destination` is where a code was sent, as far as the pool says.
    """

    kind: str
    username: str
    session: str = field(repr=False)
    wants: str
    choices: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    destination: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A person's answer to a challenge: the code, the choice or the new password, and attributes."""

    value: str = field(repr=False)
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Where the user pool sent a confirmation code, as far as it says: `a***@e***` by `EMAIL`."""

    destination: str | None
    medium: str | None


class Accounts(Protocol):
    """The accounts of one user pool.

    Every method can raise `Unreachable`, and `ServiceRefused` for limits and invalid parameters.
    """

    def sign_up(self, username: str, password: str, email: str) -> CodeSent | None:
        """Make an account. None: it needs no confirmation.

        Raises `ServiceRefused` when the name is taken or the password breaks the pool's policy.
        """
        ...

    def confirm(self, username: str, code: str) -> None:
        """Confirm an account; its e-mail address stops being an alias of any older account.

        Raises `CodeRefused`.
        """
        ...

    def resend_code(self, username: str) -> CodeSent:
        """Have a new confirmation code sent."""
        ...

    def sign_in(self, username: str, password: str) -> Session | Challenge:
        """Prove the password without sending it (SRP).

        Raises `SignInRefused`, of which `AccountNotConfirmed` and `ChallengeNotSupported` are kinds.
        """
        ...

    def answer(self, challenge: Challenge, answer: Answer) -> Session | Challenge:
        """What follows the answer to a challenge.

        Raises `CodeRefused` for a wrong code, after which another can be tried as long as the
        challenge lives (three minutes, unless an admin changed it); `ServiceRefused` for a new
        password that breaks the policy; `SignInRefused`.
        """
        ...

    def renew(self, session: Session) -> Session:
        """New tokens for a session, without the password. Raises `SignInRefused`."""
        ...

    def request_reset(self, username: str) -> CodeSent:
        """Have a code sent that lets its owner set a new password."""
        ...

    def reset(self, username: str, code: str, new_password: str) -> None:
        """Set a new password by a code. Raises `CodeRefused`, `ServiceRefused` for a password that is too weak."""
        ...

    def change_password(self, session: Session, old: str, new: str) -> None:
        """Raises `SignInRefused` for a wrong old password, `ServiceRefused` for a new one that is too weak."""
        ...

    def sign_out(self, session: Session, *, everywhere: bool) -> None:
        """Revoke the session's tokens, or (`everywhere`) those of every session of the user.

        Fine if they have ended already.
        """
        ...


class PresetPasswords:
    """The passwords that people preset with `config -p`: private files, one a profile.

    Each serves only the user it was preset with. Methods raise `ProfileError` for files that the
    system does not let them use.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, key: str, username: str) -> str | None:
        """The password of `username` under this profile; None where none is preset."""
        path = self._path(key)
        data = read(path)
        if data is None:
            return None
        try:
            stored = json.loads(data)
            password = stored["password"] if stored["username"] == username else None
        except (ValueError, LookupError, TypeError) as error:
            raise ProfileError(
                f"{path}: is damaged", hint=f"Preset it anew: aws-iot config -p PASS -k {key}"
            ) from error
        return password if isinstance(password, str) else None

    def set(self, key: str, username: str, password: str) -> None:
        """Keep the password of a user under this profile."""
        write_private(self._path(key), json.dumps({"username": username, "password": password}).encode())

    def remove(self, key: str) -> None:
        """Forget it; fine if there is none."""
        delete(self._path(key))

    def _path(self, key: str) -> Path:
        return self.folder / f"{checked_key(key)}.json"
