"""Every expected failure, with its exit code.

AwsIotError
├── LocalError              3  a local file, profile, stream or setting is missing, unreadable or wrong
├── SignInRefused           4  not signed in, or sign-in failed: password, unconfirmed account, code, challenge
├── NotAuthorized           5  no admin has accepted the identity, a policy denies the action, or it is not your message
├── Unreachable             6  DNS, connection, certificate, clock, or no answer in time
├── ServiceRefused          7  the service rejected the request: limit, quota, invalid parameter
│   ├── InvalidIdentity     2  nobody is called so, and it has not the form of an identity
│   └── InvalidRoom         2  the room's name cannot be part of a topic
├── NothingArrived          8  timed out waiting for messages
├── CommandFailed           9  a command run for a message failed
└── Indeterminate          10  the answer depends on something unknown
"""

from typing import ClassVar


class AwsIotError(Exception):
    """An expected failure. `str()` tells what failed and why, `hint` what to do about it.

    Neither may ever contain a secret: both are printed and logged.
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


class EndpointMissing(ProfileError):
    """An exports file has everything except the IoT endpoint, as those of Amplify."""


class StackRestarted(ProfileError):
    """The local stack of the profile was restarted, with other accounts."""


class AccountReplaced(StackRestarted):
    """The profile already has a new account there, which a command that runs does not know."""


class ProfileNotFound(ProfileError):
    """There is no profile of this name."""


class NotInstalled(LocalError):
    """An optional part of the program is not installed."""


class SignInRefused(AwsIotError):
    """Not signed in, or sign-in failed: password, unconfirmed account, code or challenge."""

    exit_code = 4


class WrongPassword(SignInRefused):
    """The password is wrong, or there is no such user: some user pools do not tell which."""


class UserNotFound(SignInRefused):
    """There is no such user. Many user pools say `WrongPassword` instead."""


class DeviceForgotten(SignInRefused):
    """The user pool no longer knows this device, or does not recognize it."""


class AccountNotConfirmed(SignInRefused):
    """The account has not been confirmed with the code that was sent to its owner."""


class CodeRefused(SignInRefused):
    """The code is wrong or has expired."""


class SessionEnded(SignInRefused):
    """The session cannot be refreshed: it was revoked, has expired, or its account was deleted."""


class ChallengeNotSupported(SignInRefused):
    """The user pool requires a step that this program does not support."""


class CredentialsRefused(SignInRefused):
    """The service rejected the credentials or tokens."""


class NotAuthorized(AwsIotError):
    """Not authorized: no admin has accepted the identity, a policy denies the action, or it is not your message."""

    exit_code = 5


class NotAccepted(NotAuthorized):
    """The broker rejected the connection: usually, no admin has attached an IoT policy to the identity."""


class TopicRefused(NotAuthorized):
    """A policy denies this topic."""


class Unreachable(AwsIotError):
    """Unreachable: DNS, connection, certificate, clock, or no answer in time."""

    exit_code = 6


class StackNotRunning(Unreachable):
    """The local stack of the profile does not run."""


class TakenOver(Unreachable):
    """Another connection uses the same client ID, so that the broker has ended this one."""


class WrongClock(Unreachable):
    """This machine's clock differs too much from the service's for a signature to be valid."""


class ServiceRefused(AwsIotError):
    """The service rejected the request: limit, quota, invalid parameter. Some limits are checked before sending."""

    exit_code = 7


class InvalidRoom(ServiceRefused):
    """The room's name cannot be part of a topic. This is known before anything is sent."""

    exit_code = 2


class InvalidIdentity(ServiceRefused):
    """The text does not have the form of an identity, and no one has this user name."""

    exit_code = 2


class NotFound(ServiceRefused):
    """The named thing does not exist."""


class Busy(ServiceRefused):
    """The service throttles requests, or failed internally. The same request may succeed later."""


class LimitReached(ServiceRefused):
    """A limit of the AWS account or connection is reached for now. The request may succeed later."""


class UsernameTaken(ServiceRefused):
    """The user pool has an account of this name."""


class PasswordTooWeak(ServiceRefused):
    """A new password does not meet the user pool's policy, or was used before."""


class InvalidMessage(ServiceRefused):
    """The message is not text, or is larger than AWS IoT Core allows."""


class NothingArrived(AwsIotError):
    """Timed out waiting for messages, or for an admin (`sub -W`)."""

    exit_code = 8


class CommandFailed(AwsIotError):
    """A command run for a message failed (`sub --exec`)."""

    exit_code = 9


class Indeterminate(AwsIotError):
    """The answer depends on something unknown (`policy`)."""

    exit_code = 10
