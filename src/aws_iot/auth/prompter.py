"""Prompter and SignInReporter: how sign-in asks a person, and reports to them, at a terminal or on a screen."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING, NoReturn, Protocol

from aws_iot.errors import AwsIotError, SignInRefused, WrongPassword

if TYPE_CHECKING:
    from aws_iot.auth.accounts import Challenge


class Prompter(Protocol):
    """Asks the person who signs in. Every method may raise an error instead."""

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked."""
        ...

    def username(self) -> str:
        """The user name, if nothing else tells it."""
        ...

    def password(self, username: str) -> str:
        """The password of `username`."""
        ...

    def code(self, challenge: Challenge) -> str:
        """The code that the user pool has sent, or that an app shows."""
        ...

    def choice(self, challenge: Challenge) -> str:
        """One of the challenge's `choices`."""
        ...

    def new_password(self, challenge: Challenge, *, again: bool) -> str:
        """A new password in place of an admin's. `again`: the last one was rejected."""
        ...

    def authenticator_code(self, challenge: Challenge, *, again: bool) -> str:
        """The first code of an authenticator app, after the person has added the challenge's secret to it."""
        ...

    def attribute(self, name: str) -> str:
        """An attribute that the user pool requires, such as `nickname`."""
        ...

    def show_rejection(self, error: AwsIotError) -> None:
        """Show why the last answer was rejected. The same question follows."""
        ...


class NoPrompter:
    """Refuses to ask: for programs, and for commands that other programs run."""

    is_interactive = False

    def __init__(self, key: str) -> None:
        """`key` names the profile, for hints."""
        self._key = key

    def username(self) -> NoReturn:
        raise not_signed_in(self._key)

    def password(self, username: str) -> NoReturn:
        import shlex  # here, because it is seldom needed

        raise SignInRefused(
            f"{username} is not signed in",
            hint=f"Sign in: aws-iot login -u {shlex.quote(username)} -k {self._key}",
        )

    def code(self, _: Challenge) -> NoReturn:
        self._refuse("a code")

    def choice(self, _: Challenge) -> NoReturn:
        self._refuse("a choice of the second factor")

    def new_password(self, _: Challenge, *, again: bool) -> NoReturn:  # noqa: ARG002 the Protocol's
        self._refuse("a new password")

    def authenticator_code(self, _: Challenge, *, again: bool) -> NoReturn:  # noqa: ARG002 the Protocol's
        self._refuse("an authenticator app to be set up")

    def attribute(self, name: str) -> NoReturn:
        self._refuse(f"your {name}")

    def show_rejection(self, error: AwsIotError) -> NoReturn:
        raise error

    def _refuse(self, what: str) -> NoReturn:
        raise SignInRefused(
            f"the user pool asks for {what}, but prompts are off",
            hint=f"Sign in first: aws-iot login -k {self._key}",
        )


class PasswordOnce:
    """A prompter that remembers the password, and asks for it again only after it was rejected."""

    def __init__(self, prompter: Prompter) -> None:
        self.known: str | None = None
        """The password, if the person has typed it before."""
        self._ask = prompter
        self.is_interactive = prompter.is_interactive
        self.username = prompter.username
        self.code = prompter.code
        self.choice = prompter.choice
        self.new_password = prompter.new_password
        self.authenticator_code = prompter.authenticator_code
        self.attribute = prompter.attribute

    def password(self, username: str) -> str:
        """The password that is known, or else the one that the person types."""
        self.known = self.known or self._ask.password(username)
        return self.known

    def show_rejection(self, error: AwsIotError) -> None:
        """Show why the last answer was rejected. The same question follows."""
        if isinstance(error, WrongPassword):
            self.known = None
        self._ask.show_rejection(error)


class SignInReporter(Protocol):
    """Receives what happens during sign-in."""

    def session_expired(self, error: SignInRefused) -> None:
        """The saved session cannot be refreshed: a password follows."""
        ...

    def keyring_unusable(self, error: AwsIotError) -> None:
        """A preset password may be in the keyring, which cannot be used: the person is asked for it."""
        ...

    def preset_password_removed(self, key: str) -> None:
        """The preset password was changed, so it is removed from the profile `key`."""
        ...

    def old_password_stays(self, key: str, error: AwsIotError) -> None:
        """The preset password of the profile `key` was changed, but the old one cannot be removed."""
        ...

    def session_not_saved(self, error: AwsIotError) -> None:
        """The session works, but cannot be saved, so that the next command signs in again."""
        ...


class SilentReporter:
    """Reports nothing."""

    def session_expired(self, error: SignInRefused) -> None:
        pass

    def keyring_unusable(self, error: AwsIotError) -> None:
        pass

    def preset_password_removed(self, key: str) -> None:
        pass

    def old_password_stays(self, key: str, error: AwsIotError) -> None:
        pass

    def session_not_saved(self, error: AwsIotError) -> None:
        pass


def not_signed_in(key: str) -> SignInRefused:
    """The error if no session is saved for the profile."""
    return SignInRefused(f"not signed in with the profile '{key}'", hint=f"Sign in: aws-iot login -k {key}")
