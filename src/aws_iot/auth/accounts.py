"""Accounts: what people can do with their accounts in a user pool, and the challenges of that pool."""

import re
from dataclasses import dataclass, field
from typing import Protocol

from aws_iot.auth.session import Device, RefreshToken, Session
from aws_iot.errors import CodeRefused, LocalError, PasswordTooWeak

ATTEMPTS = 3
"""How often a person may type a code, or a new password."""

_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")

REPEATABLE = (CodeRefused, PasswordTooWeak)
"""Rejections after which another answer may follow."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A question of the user pool that must be answered before it gives tokens.

    `wants` names the answer: `code`, `choice` (one of `choices`), `password` with the `attributes`, or
    `authenticator`. The last means the first code of an authenticator app that was given `secret`. `kind` is Cognito's
    name, such as SOFTWARE_TOKEN_MFA. `destination` is where a code was sent, as far as the pool discloses it.
    """

    kind: str
    username: str
    session: str = field(repr=False)
    wants: str
    choices: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    destination: str | None = None
    secret: str | None = field(default=None, repr=False)
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class ChallengeAnswer:
    """The answer to a challenge: a code, a choice or a new password, and the attributes that it wants."""

    value: str = field(repr=False)
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Where the user pool sent a confirmation code, as far as it discloses that: `a***@e***` by `EMAIL`."""

    destination: str | None
    medium: str | None


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """The second factors of an account, by Cognito's names such as SOFTWARE_TOKEN_MFA."""

    on: tuple[str, ...]
    preferred: str | None


class Account(Protocol):
    """The account of a signed-in person.

    Every method can raise `SessionEnded`, and the errors that the methods of `Accounts` can raise.
    """

    def change_password(self, old: str, new: str) -> None:
        """Raises `WrongPassword` for the old one, `PasswordTooWeak` for the new one."""
        ...

    def second_factors(self) -> SecondFactors:
        """The second factors that signing in requires."""
        ...

    def use_second_factor(self, kind: str | None) -> None:
        """Require this one from now on; None: require none.

        Raises `ServiceRefused` if the user pool does not offer it, or requires a second factor.
        """
        ...

    def new_authenticator(self) -> str:
        """A secret for an authenticator app, in base 32. It counts once a code from the app is confirmed."""
        ...

    def confirm_authenticator(self, code: str) -> None:
        """Raises `CodeRefused`."""
        ...

    def remember_device(self) -> None:
        """Skip the second factor on this device, if the user pool leaves that to its users."""
        ...

    def sign_out_everywhere(self) -> None:
        """Revoke every session of the user, on all devices."""
        ...

    def delete(self) -> None:
        """Delete the account permanently."""
        ...


class Accounts(Protocol):
    """The accounts of one user pool.

    Every method can raise `Unreachable`, and `ServiceRefused` for limits and invalid parameters.
    """

    def sign_up(self, username: str, password: str, email: str) -> CodeSent | None:
        """Create an account. None means that it needs no confirmation.

        Raises `UsernameTaken`, and `ServiceRefused` if the password breaks the user pool's policy.
        """
        ...

    def confirm(self, username: str, code: str) -> None:
        """Confirm an account. Its e-mail address is no longer an alias of an older account.

        Raises `CodeRefused`.
        """
        ...

    def resend_code(self, username: str) -> CodeSent:
        """Send a new confirmation code."""
        ...

    def sign_in(self, username: str, password: str, device: Device | None = None) -> Session | Challenge:
        """Prove the password without sending it (SRP). A `device` that the pool remembers can skip a challenge.

        Raises `SignInRefused`, of which `WrongPassword`, `AccountNotConfirmed`, `DeviceForgotten` and
        `ChallengeNotSupported` are kinds.
        """
        ...

    def are_same(self, one: str, other: str) -> bool:
        """Whether two names are of one user, as the user pool sees it: most pools ignore case.

        Raises `SignInRefused` if one of them cannot sign in.
        """
        ...

    def answer(self, challenge: Challenge, answer: ChallengeAnswer) -> Session | Challenge:
        """Answer a challenge. The result is the session, or the next challenge.

        Raises `CodeRefused` for a wrong code and `PasswordTooWeak` for a new password. Another answer may follow
        while the challenge is valid (three minutes unless an admin changed that). Raises `DeviceForgotten` and
        `SignInRefused`.
        """
        ...

    def refresh(self, token: RefreshToken) -> Session:
        """Get new tokens without the password. The session's refresh token may be a new one, and the old one void.

        Raises `SignInRefused`.
        """
        ...

    def revoke(self, token: RefreshToken) -> None:
        """Revoke a refresh token, and the access tokens that it got. Does nothing if it has expired."""
        ...

    def request_reset(self, username: str) -> CodeSent:
        """Send a code with which the owner can set a new password."""
        ...

    def reset(self, username: str, code: str, new_password: str) -> None:
        """Set a new password with a code. Raises `CodeRefused`, `PasswordTooWeak`."""
        ...

    def of(self, session: Session) -> Account:
        """The account of the session's owner."""
        ...


def checked_email(address: str) -> str:
    """The address, if it has the form of one. Raises `LocalError`."""
    if not _EMAIL.fullmatch(address):
        raise LocalError(f"'{address}' is not an e-mail address")
    return address
