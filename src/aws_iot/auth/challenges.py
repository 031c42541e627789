"""Challenges: what a user pool asks for in addition to the password."""

from dataclasses import dataclass, field

from aws_iot.auth.session import Device
from aws_iot.errors import CodeRefused, PasswordTooWeak

ATTEMPTS = 3
"""How often a person may type a code, or a new password."""

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
