"""Each refusal of AWS becomes one of our errors, by its code; for a few the message decides."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.network_errors import clock_fault
from aws_iot.aws.base.refusals import Refusals
from aws_iot.aws.cognito.accounts import _CONFIRM_REFUSALS
from aws_iot.aws.cognito.identity_pool import _IDENTITY_REFUSALS
from aws_iot.aws.cognito.user_pool import REFUSALS, SESSION_REFUSALS, hints_for
from aws_iot.errors import (
    AccountNotConfirmed,
    AwsIotError,
    Busy,
    CodeRefused,
    CredentialsRefused,
    LimitReached,
    NotAuthorized,
    PasswordTooWeak,
    ProfileError,
    ServiceRefused,
    SessionEnded,
    SignInRefused,
    Unreachable,
    UsernameTaken,
    UserNotFound,
    WrongClock,
    WrongPassword,
)
from tests.fakes import FakeCloud

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CLIENT: Any = SimpleNamespace(
    meta=SimpleNamespace(endpoint_url="https://cognito-idp.us-east-1.amazonaws.com")
)


def translate(error: Exception, refusals: Refusals) -> AwsIotError:
    """The error that it becomes."""

    def fail() -> None:
        raise error

    with pytest.raises(AwsIotError) as caught:
        Service(CLIENT, lambda: NOW, timeout=5).within(refusals, fail)
    assert caught.value.__cause__ is error
    return caught.value


def refusal(code: str, message: str = "", date: str | None = None) -> ClientError:
    """A refusal as botocore raises it."""
    headers = {"date": date} if date else {}
    return ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPHeaders": headers}},
        "InitiateAuth",
    )


@pytest.mark.parametrize(
    ("code", "message", "kind", "words"),
    [
        (
            "NotAuthorizedException",
            "Incorrect username or password.",
            WrongPassword,
            "wrong user name or password",
        ),
        ("NotAuthorizedException", "Password attempts exceeded", SignInRefused, "too many wrong passwords"),
        ("NotAuthorizedException", "User is disabled.", SignInRefused, "User is disabled."),
        ("NotAuthorizedException", "Unable to verify secret hash for client x", ProfileError, "has a secret"),
        ("UserNotFoundException", "User does not exist.", UserNotFound, "no such user"),
        ("UserNotConfirmedException", "User is not confirmed.", AccountNotConfirmed, "not confirmed"),
        ("PasswordResetRequiredException", "Password reset required", SignInRefused, "reset"),
        ("UsernameExistsException", "User already exists", UsernameTaken, "taken"),
        ("InvalidPasswordException", "Password not long enough", PasswordTooWeak, "not long enough"),
        ("CodeMismatchException", "Invalid verification code", CodeRefused, "not the code"),
        ("ExpiredCodeException", "Invalid code provided", CodeRefused, "wrong or has expired"),
        ("ResourceNotFoundException", "User pool client x does not exist.", ProfileError, "does not exist"),
        ("InvalidParameterException", "USER_SRP_AUTH is not enabled for the client.", ProfileError, "SRP"),
        (
            "InvalidParameterException",
            "Invalid email address format.",
            ServiceRefused,
            "Invalid email address",
        ),
        ("LimitExceededException", "Attempt limit exceeded", LimitReached, "too many attempts"),
        ("TooManyFailedAttemptsException", "Too many failed attempts", LimitReached, "too many wrong codes"),
        ("TooManyRequestsException", "Rate exceeded", Busy, "throttling"),
        ("AccessDeniedException", "User x is not authorized", NotAuthorized, "not authorized"),
        (
            "SomethingNewException",
            "never seen before",
            ServiceRefused,
            "SomethingNewException: never seen before",
        ),
    ],
)
def test_a_refusal_of_the_user_pool_becomes_our_error(
    code: str, message: str, kind: type[AwsIotError], words: str
) -> None:
    error = translate(refusal(code, message), REFUSALS)
    assert type(error) is kind
    assert words in str(error)


@pytest.mark.parametrize(
    ("refusals", "code", "kind"),
    [
        (_CONFIRM_REFUSALS, "NotAuthorizedException", SignInRefused),
        (SESSION_REFUSALS, "NotAuthorizedException", SessionEnded),
        (_IDENTITY_REFUSALS, "NotAuthorizedException", CredentialsRefused),
        (_IDENTITY_REFUSALS, "ResourceNotFoundException", ProfileError),
        (_IDENTITY_REFUSALS, "InvalidIdentityPoolConfigurationException", ProfileError),
        (_IDENTITY_REFUSALS, "TooManyRequestsException", Busy),
    ],
)
def test_a_code_can_mean_different_errors_for_different_calls(
    refusals: Refusals, code: str, kind: type[AwsIotError]
) -> None:
    assert type(translate(refusal(code, "why"), refusals)) is kind


@pytest.mark.parametrize(("hour", "words"), [(2, "60 minutes fast"), (4, "60 minutes slow")])
def test_a_proof_made_at_the_wrong_time_is_not_a_wrong_password(hour: int, words: str) -> None:
    date = format_datetime(NOW.replace(hour=hour), usegmt=True)
    error = translate(refusal("NotAuthorizedException", "Incorrect username or password.", date), REFUSALS)
    assert type(error) is WrongClock
    assert words in str(error)


@pytest.mark.parametrize("date", [None, "", "yesterday", format_datetime(NOW, usegmt=True)])
def test_a_clock_that_is_right_or_unknown_is_not_blamed(date: str | None) -> None:
    assert clock_fault(date, NOW) is None


def untrusted() -> Exception:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = "self-signed certificate"
    return error


@pytest.mark.parametrize(
    ("cause", "words"),
    [
        (ConnectionRefusedError, "the connection was refused: nothing listens there"),
        (TimeoutError, "no answer in time"),
        (ConnectionResetError, "the connection was cut"),
        (untrusted, "its certificate is not trusted (self-signed certificate)"),
        (lambda: ValueError("?"), "the connection failed"),
    ],
)
def test_the_error_names_the_cause_of_a_network_failure(cause: Callable[[], Exception], words: str) -> None:
    error = translate(EndpointConnectionError(endpoint_url="https://x", error=cause()), {})
    assert type(error) is Unreachable
    assert str(error) == f"cannot reach cognito-idp.us-east-1.amazonaws.com: {words}"


def test_a_timeout_of_botocore_means_no_answer_in_time() -> None:
    error = ConnectTimeoutError(endpoint_url="https://x", error=TimeoutError())
    assert "no answer in time" in str(translate(error, {}))


def test_an_error_of_botocore_itself_is_reported() -> None:
    assert type(translate(BotoCoreError(), {})) is ServiceRefused


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        ("aws-iot confirm -u USER -k KEY", "aws-iot confirm -u 'a KEY' -k team"),
        ("add ALLOW_USER_SRP_AUTH to it", "add ALLOW_USER_SRP_AUTH to it"),
        (None, None),
    ],
)
def test_hints_name_the_user_and_the_profile(hint: str | None, told: str | None) -> None:
    profile = FakeCloud().profile._replace(key="team")
    with pytest.raises(SignInRefused) as caught, hints_for(profile, "a KEY"):
        raise SignInRefused("no", hint=hint)
    assert caught.value.hint == told
