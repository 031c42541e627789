"""Session: a person signed in with a profile, and what can be done with accounts."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Device:
    """This machine, as a user pool that remembers devices knows it."""

    key: str
    group: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Session:
    """A person signed in; the tokens live until `expires`, as a rule for an hour.

    `device` is what the user pool knows this machine as, where it knows machines.
    """

    username: str
    id_token: str = field(repr=False)
    access_token: str = field(repr=False)
    refresh_token: str | None = field(repr=False)
    expires: datetime
    device: Device | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a user pool asks before it gives tokens.

    `wants` names what an answer must hold: `code`, `choice` (one of `choices`), `password` and the
    attributes in `attributes`, or `authenticator`: the first code of an authenticator app that has been given
    `secret`. `kind` is Cognito's own name for it, such as SOFTWARE_TOKEN_MFA. `destination` is where a code
    was sent, as far as the pool says. `device` is this machine, if the user pool knows it.
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
class Answer:
    """A person's answer to a challenge: the code, the choice or the new password, and attributes."""

    value: str = field(repr=False)
    attributes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class CodeSent:
    """Where the user pool sent a confirmation code, as far as it says: `a***@e***` by `EMAIL`."""

    destination: str | None
    medium: str | None


@dataclass(frozen=True, slots=True)
class SecondFactors:
    """What an account asks besides the password, by Cognito's names such as SOFTWARE_TOKEN_MFA."""

    on: tuple[str, ...]
    preferred: str | None


class Account(Protocol):
    """The account of somebody who is signed in.

    Every method can raise `SessionEnded`, and what those of `Accounts` can.
    """

    def change_password(self, old: str, new: str) -> None:
        """Raises `WrongPassword` for the old one, `PasswordTooWeak` for the new one."""
        ...

    def second_factors(self) -> SecondFactors:
        """What the account asks besides the password."""
        ...

    def use_second_factor(self, kind: str | None) -> None:
        """Ask for this one from now on; None: for none.

        Raises `ServiceRefused` where the user pool does not have it, or does not do without.
        """
        ...

    def new_authenticator(self) -> str:
        """The secret for an authenticator app, in base 32, which serves once a code of it is confirmed."""
        ...

    def confirm_authenticator(self, code: str) -> None:
        """Raises `CodeRefused`."""
        ...

    def remember_device(self) -> None:
        """Let this machine stand in for the second factor, where the user pool leaves that to its users."""
        ...

    def revoke(self) -> None:
        """End this session, and what was renewed from it. Fine if it has ended already."""
        ...

    def end_all(self) -> None:
        """End every session of the user, on all devices."""
        ...

    def delete(self) -> None:
        """Delete the account for good."""
        ...


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

    def sign_in(self, username: str, password: str, device: Device | None = None) -> Session | Challenge:
        """Prove the password without sending it (SRP); a `device` that the pool remembers spares a challenge.

        Raises `SignInRefused`, of which `WrongPassword`, `AccountNotConfirmed`, `DeviceForgotten` and
        `ChallengeNotSupported` are kinds.
        """
        ...

    def answer(self, challenge: Challenge, answer: Answer) -> Session | Challenge:
        """What follows the answer to a challenge.

        Raises `CodeRefused` for a wrong code, after which another can be tried as long as the
        challenge lives (three minutes, unless an admin changed it); `PasswordTooWeak` for a new
        password, likewise; `DeviceForgotten`; `SignInRefused`.
        """
        ...

    def renew(self, session: Session) -> Session:
        """New tokens for a session, without the password. Raises `SignInRefused`."""
        ...

    def request_reset(self, username: str) -> CodeSent:
        """Have a code sent that lets its owner set a new password."""
        ...

    def reset(self, username: str, code: str, new_password: str) -> None:
        """Set a new password by a code. Raises `CodeRefused`, `PasswordTooWeak`."""
        ...

    def of(self, session: Session) -> Account:
        """The account that the session is of."""
        ...
