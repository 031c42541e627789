"""Every failure that we expect, each with its exit code and what to do next.

AwsIotError
├── LocalError              3  a local file, profile, stream or setting is missing, unreadable or wrong
├── SignInRefused           4  sign-in failed: password, unconfirmed account, code or challenge
├── NotAuthorized           5  no admin has accepted the identity, or a policy denies the action
├── Unreachable             6  DNS, connection, certificate, clock, or no answer in time
├── ServiceRefused          7  the service rejected the request: limit, quota, invalid parameter
├── NothingCame             8  timed out waiting for messages
├── CommandFailed           9  a command run for a message failed
└── Indeterminate          10  the answer depends on something unknown
"""

from typing import ClassVar


class AwsIotError(Exception):
    """An expected failure: `str()` says what happened, `hint` what to do next.

    Neither may ever hold a secret: both are printed and logged as they are.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class LocalError(AwsIotError):
    """A local file, profile, stream or setting is missing, unreadable or wrong."""

    exit_code = 3


class ProfileError(LocalError):
    """The profile is missing, unreadable, or does not fit the services that it names."""


class ProfileNotFound(ProfileError):
    """No profile is stored under this key."""


class NotInstalled(LocalError):
    """A part of the program that is installed only when it is asked for."""


class SignInRefused(AwsIotError):
    """Sign-in failed: password, unconfirmed account, code or challenge."""

    exit_code = 4


class WrongPassword(SignInRefused):
    """The password is not the user's, or there is no such user: some user pools do not say which."""


class DeviceForgotten(SignInRefused):
    """The user pool does not know this machine any more, or does not believe that it is the one it knows."""


class AccountNotConfirmed(SignInRefused):
    """The account waits for the code that was mailed to its owner."""


class CodeRefused(SignInRefused):
    """The confirmation code is wrong or no longer valid."""


class SessionEnded(SignInRefused):
    """The session can be renewed no more: revoked, expired, or its account is gone."""


class ChallengeNotSupported(SignInRefused):
    """The user pool asks for a step that this program cannot do."""


class CredentialsRefused(SignInRefused):
    """The service does not take the credentials or tokens that were shown to it."""


class NotAuthorized(AwsIotError):
    """Not authorized: no admin has accepted the identity, or a policy denies the action."""

    exit_code = 5


class NotAccepted(NotAuthorized):
    """The broker refused the connection itself: as a rule, no IoT policy is attached to the identity."""


class TopicRefused(NotAuthorized):
    """Connected, but a policy refuses this topic."""


class Unreachable(AwsIotError):
    """Unreachable: DNS, connection, certificate, clock, or no answer in time."""

    exit_code = 6


class WrongClock(Unreachable):
    """This machine's clock is too far from the service's for a signature to be valid."""


class ServiceRefused(AwsIotError):
    """The service rejected the request: limit, quota, invalid parameter. Some limits are checked before sending."""

    exit_code = 7


class InvalidRoom(ServiceRefused):
    """No topic can be made of this room's name."""


class NotFound(ServiceRefused):
    """What was named is not there."""


class Busy(ServiceRefused):
    """The service takes no more at the moment, or failed inside: the same request may do later."""


class LimitReached(ServiceRefused):
    """A limit of the account or connection is reached for the moment: later it may be taken."""


class PasswordTooWeak(ServiceRefused):
    """A new password breaks the user pool's policy, or was used before."""


class InvalidMessage(ServiceRefused):
    """The message is not text, or larger than AWS IoT Core carries."""


class NothingCame(AwsIotError):
    """Timed out waiting for messages (`sub -W`)."""

    exit_code = 8


class CommandFailed(AwsIotError):
    """A command run for a message failed (`sub --exec`)."""

    exit_code = 9


class Indeterminate(AwsIotError):
    """The answer depends on something unknown (`doctor --policy`)."""

    exit_code = 10
