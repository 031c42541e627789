"""Calls of a Cognito user pool: to which client, with whose hints, and its refusals in our words."""

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
    PasswordTooWeak,
    ProfileError,
    ServiceRefused,
    SessionEnded,
    SignInRefused,
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
        """What makes the calls."""
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
        """What the user pool answers; its refusals by `more`, else by what they always mean.

        The words USER and KEY in hints become what they are here. `once` is for what cannot be repeated: an
        account that was made by a call whose answer was lost is taken by the next.
        """
        with hints_for(self.profile, username):
            return self.service.call(operation, REFUSALS | (more or {}), once=once, **parameters)

    def client(self, username: str) -> dict[str, str]:
        """The app client, as calls of a user that is not signed in name it."""
        client = {"ClientId": self.profile.client_id}
        secret_hash = self.secret_hash(username)
        return client | ({"SecretHash": secret_hash} if secret_hash else {})

    def client_itself(self) -> dict[str, Any]:
        """The app client, as calls with a refresh token name it."""
        client = {"ClientId": self.profile.client_id}
        return client | ({"ClientSecret": self.client_secret} if self.client_secret else {})

    def secret_hash(self, username: str) -> str | None:
        """The proof that the caller knows the app client's secret; None where it has none.

        docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash
        """
        if self.client_secret is None:
            return None
        message = (username + self.profile.client_id).encode()
        return base64.b64encode(hmac.digest(self.client_secret.encode(), message, hashlib.sha256)).decode()


@contextmanager
def hints_for(profile: Profile, username: str) -> Iterator[None]:
    """Say USER and KEY in the hints of refusals as what they are here, so that commands can be copied."""
    try:
        yield
    except AwsIotError as error:
        if error.hint:
            here = {"USER": shlex.quote(username), "KEY": profile.key}
            # Whole words, in one pass: ALLOW_USER_SRP_AUTH stays, and so does what a user name holds.
            error.hint = re.sub(r"\b(USER|KEY)\b", lambda found: here[found[0]], error.hint)
        raise


def _not_authorized(message: str) -> AwsIotError:
    """NotAuthorizedException says many things, and only its message tells which."""
    if message == "Password attempts exceeded":
        return SignInRefused(
            "too many wrong passwords: the user pool takes none for a while",
            hint="Wait before the next try: it doubles the pause each time, up to about 15 minutes.",
        )
    if message.startswith("Access Token"):  # it has expired, or has been revoked
        return session_ended(message)
    if message.startswith("Incorrect username or password"):
        return WrongPassword("wrong user name or password")
    if "SECRET_HASH" in message or "secret hash" in message:
        return ProfileError(
            f"the user pool's app client has a secret: {message}",
            hint="Store it (you are asked for it): aws-iot config --client-secret -k KEY",
        )
    return SignInRefused(f"the user pool refuses: {message}")


def _invalid_parameter(message: str) -> AwsIotError:
    if "USER_SRP_AUTH is not enabled" in message:
        return ProfileError(
            "the user pool's app client does not allow sign-in by SRP",
            hint="Have an admin add ALLOW_USER_SRP_AUTH to the app client's authentication flows.",
        )
    if "secret hash was received" in message:
        return ProfileError(
            f"the user pool's app client has no secret: {message}",
            hint="Forget the one that is stored: aws-iot config --forget -k KEY",
        )
    return ServiceRefused(f"the user pool refuses: {message}")


# Codes and messages: botocore's model of cognito-idp, and the Cognito developer guide's pages on errors.
REFUSALS: Refusals = {
    "NotAuthorizedException": _not_authorized,
    "InvalidParameterException": _invalid_parameter,
    "ForbiddenException": lambda message: ServiceRefused(
        f"a firewall (AWS WAF) in front of the user pool refuses this: {message}",
        hint="Ask who runs the user pool which networks and clients it lets through.",
    ),
    "UserNotFoundException": lambda _: SignInRefused(
        "there is no such user in this user pool",
        hint="Make an account with: aws-iot signup -u USER -e EMAIL -k KEY",
    ),
    "UserNotConfirmedException": lambda _: AccountNotConfirmed(
        "this account is not confirmed yet",
        hint="Confirm it with the code that was mailed: aws-iot confirm -u USER -c CODE -k KEY"
        " (a new code: aws-iot confirm -u USER --resend -k KEY)",
    ),
    "PasswordResetRequiredException": lambda _: SignInRefused(
        "an admin has reset this account's password",
        hint="Set a new one: aws-iot password reset -u USER -k KEY",
    ),
    "UsernameExistsException": lambda message: ServiceRefused(
        f"this user name is taken: {message}",
        hint="Choose another, or confirm it if it is yours: aws-iot confirm -u USER -c CODE -k KEY",
    ),
    "InvalidPasswordException": lambda message: PasswordTooWeak(f"the password is too weak: {message}"),
    "PasswordHistoryPolicyViolationException": lambda message: PasswordTooWeak(
        f"the password was used before: {message}"
    ),
    "CodeMismatchException": lambda _: CodeRefused("this is not the code that was sent"),
    "ExpiredCodeException": lambda _: CodeRefused(
        "this code is not valid any more", hint="Have a new one sent: aws-iot confirm -u USER --resend -k KEY"
    ),
    "ResourceNotFoundException": lambda message: ProfileError(
        f"the user pool or its app client does not exist: {message}",
        hint="Check aws_user_pools_id and aws_user_pools_web_client_id in the profile: aws-iot config show -k KEY",
    ),
}


def session_ended(message: str) -> SessionEnded:
    """Its tokens were revoked or have ended, or its user was deleted."""
    return SessionEnded(
        f"the session has ended: {message}", hint="Sign in again: aws-iot login -u USER -k KEY"
    )


SESSION_REFUSALS: Refusals = {
    "NotAuthorizedException": session_ended,
    "RefreshTokenReuseException": session_ended,
    "UserNotFoundException": session_ended,
}
