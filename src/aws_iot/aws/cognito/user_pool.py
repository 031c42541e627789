"""Calls of a Cognito user pool, with the app client's secret, hints, and our errors for its refusals."""

import base64
import hashlib
import hmac
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.aws.base.refusals import Refusals
from aws_iot.config.profile import Profile
from aws_iot.errors import (
    AccountNotConfirmed,
    AwsIotError,
    CodeRefused,
    LimitReached,
    PasswordTooWeak,
    ProfileError,
    ServiceRefused,
    SessionEnded,
    SignInRefused,
    UsernameTaken,
    UserNotFound,
    WrongPassword,
)


class UserPool:
    """The calls of the profile's user pool, all unsigned; `timeout` is in seconds, for each."""

    def __init__(
        self,
        profile: Profile,
        now: Callable[[], datetime],
        timeout: float,
        client_secret: str | None = None,
    ) -> None:
        self.profile = profile
        self.client_secret = client_secret
        self.now = now
        self._timeout = timeout
        self._address = Address(
            "cognito-idp", profile.user_pool_region, profile.cognito_idp_url, profile.ca_bundle
        )

    @cached_property
    def service(self) -> Service:
        """The service that makes the calls."""
        return Service.unsigned(self._address, self.now, self._timeout)

    def call(
        self,
        username: str,
        operation: str,
        more: Refusals | None = None,
        /,
        *,
        once: bool = False,
        **parameters: Any,
    ) -> Any:
        """The user pool's answer. Raises by `more`, else by what a refusal always means.

        USER and KEY in hints are replaced by the user and the profile. `once` is for calls that must not be repeated.
        If a call creates an account and its answer is lost, a retry finds the name taken.
        """
        with hints_for(self.profile, username):
            return self.service.call(operation, REFUSALS | (more or {}), once=once, **parameters)

    def client(self, username: str) -> dict[str, str]:
        """The app client, as parameters of calls for a user who is not signed in."""
        client = {"ClientId": self.profile.client_id}
        secret_hash = self.secret_hash(username)
        return client | ({"SecretHash": secret_hash} if secret_hash else {})

    def client_itself(self) -> dict[str, Any]:
        """The app client, as parameters of calls with a refresh token."""
        client = {"ClientId": self.profile.client_id}
        return client | ({"ClientSecret": self.client_secret} if self.client_secret else {})

    def secret_hash(self, username: str) -> str | None:
        """The proof that the caller knows the app client's secret; None if it has none.

        docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash
        """
        if self.client_secret is None:
            return None
        message = (username + self.profile.client_id).encode()
        return base64.b64encode(hmac.digest(self.client_secret.encode(), message, hashlib.sha256)).decode()


@contextmanager
def hints_for(profile: Profile, username: str) -> Iterator[None]:
    """Replace USER and KEY in the hints of errors, so that a person can paste the commands."""
    try:
        yield
    except AwsIotError as error:
        if error.hint:
            values = {"USER": shlex.quote(username), "KEY": profile.key}
            # Whole words, in one pass: neither ALLOW_USER_SRP_AUTH nor a user name with KEY in it changes.
            error.hint = re.sub(r"\b(USER|KEY)\b", lambda found: values[found[0]], error.hint)
        raise


def _not_authorized(message: str) -> AwsIotError:
    """NotAuthorizedException has many causes. Only its message distinguishes them."""
    if message == "Password attempts exceeded":
        return SignInRefused(
            "too many wrong passwords: the user pool accepts none for now",
            hint="Wait before you try again. The wait doubles each time, up to about 15 minutes.",
        )
    if message.startswith("Access Token"):  # it has expired, or has been revoked
        return session_invalid(message)
    if message.startswith("Incorrect username or password"):
        return WrongPassword("wrong user name or password")
    if "SECRET_HASH" in message or "secret hash" in message:
        return ProfileError(
            f"the user pool's app client has a secret: {message}",
            hint="Save it (the command prompts for it): aws-iot config --client-secret -k KEY",
        )
    return SignInRefused(f"the user pool rejected this: {message}")


def _invalid_parameter(message: str) -> AwsIotError:
    if "USER_SRP_AUTH is not enabled" in message:
        return ProfileError(
            "the user pool's app client does not allow sign-in with SRP",
            hint="Have an admin add ALLOW_USER_SRP_AUTH to the app client's authentication flows.",
        )
    if "secret hash was received" in message:
        return ProfileError(
            f"the user pool's app client has no secret: {message}",
            hint="Remove the saved one: aws-iot config --forget -k KEY",
        )
    return ServiceRefused(f"the user pool rejected this: {message}")


# Codes and messages: botocore's model of cognito-idp, and the Cognito developer guide's pages on errors.
REFUSALS: Refusals = {
    "NotAuthorizedException": _not_authorized,
    "InvalidParameterException": _invalid_parameter,
    "ForbiddenException": lambda message: ServiceRefused(
        f"a firewall (AWS WAF) in front of the user pool blocked this: {message}",
        hint="Ask the admin of the user pool which networks and clients it allows.",
    ),
    "UserNotFoundException": lambda _: UserNotFound(
        "there is no such user in this user pool",
        hint="Create an account: aws-iot signup -u USER -e EMAIL -k KEY",
    ),
    "UserNotConfirmedException": lambda _: AccountNotConfirmed(
        "this account is not confirmed yet",
        hint="Confirm it with the code from the e-mail: aws-iot confirm -u USER -c CODE -k KEY\n"
        "To get a new code: aws-iot confirm -u USER --resend -k KEY",
    ),
    "PasswordResetRequiredException": lambda _: SignInRefused(
        "an admin has reset this account's password",
        hint="Set a new one: aws-iot password reset -u USER -k KEY",
    ),
    "UsernameExistsException": lambda message: UsernameTaken(
        f"this user name is taken: {message.rstrip('.')}",
        hint="Choose another, or sign in if it is yours: aws-iot login -u USER -k KEY",
    ),
    "InvalidPasswordException": lambda message: PasswordTooWeak(f"the password is too weak: {message}"),
    "PasswordHistoryPolicyViolationException": lambda message: PasswordTooWeak(
        f"the password was used before: {message}"
    ),
    "LimitExceededException": lambda message: LimitReached(
        f"too many attempts: the user pool accepts none for now ({message})",
        hint="Wait before you try again. For codes, that can take up to an hour.",
    ),
    "TooManyFailedAttemptsException": lambda message: LimitReached(
        f"too many wrong codes: the user pool accepts none for now ({message})",
        hint="Wait before you try again. That can take up to an hour.",
    ),
    "CodeMismatchException": lambda _: CodeRefused("this is not the code that was sent"),
    "ExpiredCodeException": lambda _: CodeRefused(
        "this code is wrong or has expired", hint="Get a new one: aws-iot confirm -u USER --resend -k KEY"
    ),
    "ResourceNotFoundException": lambda message: ProfileError(
        f"the user pool or its app client does not exist: {message}",
        hint="Check aws_user_pools_id and aws_user_pools_web_client_id in the profile: aws-iot config show -k KEY",
    ),
}


def session_invalid(message: str) -> SessionEnded:
    """The error for tokens that were revoked or have expired, or whose user was deleted."""
    return SessionEnded(
        f"the session is no longer valid: {message}", hint="Sign in again: aws-iot login -u USER -k KEY"
    )


SESSION_REFUSALS: Refusals = {
    "NotAuthorizedException": session_invalid,
    "RefreshTokenReuseException": session_invalid,
    "UserNotFoundException": session_invalid,
}
