"""boto3 clients that wait only as long as we say, and their failures in our words."""

import os
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
import botocore.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.exceptions import ConnectionError as BotoConnectionError

from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    NotAuthorized,
    ProfileError,
    ServiceRefused,
    Unreachable,
    WrongClock,
)

ATTEMPTS = 2
"""How often a request is sent before we give up; throttling and dropped connections are worth a second try."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""AWS refuses signatures that are older or newer than this; some services allow 15 minutes."""


def unsigned(service: str, region: str, url: str | None, ca_bundle: str | None, timeout: float) -> Any:
    """A client for the calls that need no AWS credentials; it looks for none, nor at `AWS_PROFILE`.

    `url` None means AWS's own address, or the one in `AWS_ENDPOINT_URL…`. `timeout` is in seconds,
    for the whole call. An UNSIGNED client alone still fails when `AWS_PROFILE` names no profile.
    """
    without_profile = botocore.session.Session(session_vars={"profile": (None, None, None, None)})
    return _client(
        boto3.Session(botocore_session=without_profile), service, region, url, ca_bundle, timeout, UNSIGNED
    )


def signed(
    service: str, region: str, url: str | None, ca_bundle: str | None, timeout: float, aws_profile: str | None
) -> Any:
    """A client that signs with the AWS credentials of whoever runs it: the usual chain, or `aws_profile`."""
    try:
        return _client(
            boto3.Session(profile_name=aws_profile), service, region, url, ca_bundle, timeout, None
        )
    except ProfileNotFound as error:
        raise ProfileError(
            f"{error}", hint="Name one that ~/.aws/config has, or unset AWS_PROFILE."
        ) from error


def _client(
    session: boto3.Session,
    service: str,
    region: str,
    url: str | None,
    ca: str | None,
    timeout: float,
    signature: Any,
) -> Any:
    config = Config(
        signature_version=signature,
        connect_timeout=timeout / ATTEMPTS,
        read_timeout=timeout / ATTEMPTS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        user_agent_extra="aws-iot-cli",
    )
    return session.client(service, region_name=region, endpoint_url=url, config=config, verify=ca)


Refusals = dict[str, Callable[[str], AwsIotError]]
"""From a service's error codes to our errors, given the service's own message."""


@contextmanager
def translated(client: Any, refusals: Refusals, now: Callable[[], datetime]) -> Iterator[None]:
    """Raise what happens in the block as one of our errors: by `refusals`, else by what kind of trouble it is."""
    try:
        yield
    except ClientError as error:
        raise _refusal(error, refusals, now) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise CredentialsRefused(
            "this command needs AWS credentials of your own, and found none",
            hint="Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or name a profile with --aws-profile.",
        ) from error
    except (HTTPClientError, BotoConnectionError) as error:  # the two bases of failures on the way there
        host = urlsplit(client.meta.endpoint_url).netloc
        raise Unreachable(f"cannot reach {host}: {why_unreachable(error)}") from error
    except BotoCoreError as error:
        raise ServiceRefused(str(error)) from error


def _refusal(error: ClientError, refusals: Refusals, now: Callable[[], datetime]) -> AwsIotError:
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if code in _MAYBE_CLOCK and (wrong := clock_fault(headers.get("date"), now())):
        return wrong
    make = refusals.get(code) or _ANYWHERE.get(code)
    return make(message) if make else ServiceRefused(f"{error.operation_name} was refused: {code}: {message}")


# A signature or an SRP proof made at the wrong time looks like a wrong one.
_MAYBE_CLOCK = {
    "NotAuthorizedException",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "ForbiddenException",
}

_ANYWHERE: Refusals = {
    "TooManyRequestsException": lambda _: ServiceRefused(
        "AWS takes no more requests at the moment: try again in a minute"
    ),
    "ThrottlingException": lambda _: ServiceRefused(
        "AWS takes no more requests at the moment: try again in a minute"
    ),
    "LimitExceededException": lambda message: ServiceRefused(f"a limit of AWS is reached: {message}"),
    "AccessDeniedException": lambda message: NotAuthorized(
        f"your AWS credentials do not allow this: {message}"
    ),
    "UnrecognizedClientException": lambda message: CredentialsRefused(
        f"AWS does not take these credentials: {message}"
    ),
    "InvalidClientTokenId": lambda message: CredentialsRefused(
        f"AWS does not take these credentials: {message}"
    ),
    "ExpiredTokenException": lambda message: CredentialsRefused(
        f"these AWS credentials have ended: {message}"
    ),
}


def clock_fault(date_header: str | None, now: datetime) -> WrongClock | None:
    """What a service's `Date` header says of our clock, if that is enough to spoil a signature."""
    try:
        theirs = parsedate_to_datetime(date_header) if date_header else None
    except ValueError:
        return None
    if theirs is None or abs(now - theirs) <= CLOCK_TOLERANCE:
        return None
    minutes = round((now - theirs).total_seconds() / 60)
    return WrongClock(
        f"this machine's clock is {abs(minutes)} minutes {'fast' if minutes > 0 else 'slow'}: "
        f"it says {now.astimezone(UTC):%H:%M} UTC, the service {theirs.astimezone(UTC):%H:%M} UTC",
        hint="Set the clock, then try again: AWS refuses what is signed at the wrong time.",
    )


def why_unreachable(error: BaseException | None) -> str:
    """The trouble at the bottom of a chain of exceptions, in words."""
    while error is not None:
        for kind, words in _TROUBLES:
            if isinstance(error, kind):
                detail = (
                    f" ({error.verify_message})" if isinstance(error, ssl.SSLCertVerificationError) else ""
                )
                return words + detail
        inner = getattr(error, "kwargs", {}).get("error") or getattr(error, "reason", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return "the connection failed"


_TROUBLES: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "there is no host of that name (or no network)"),
    (ConnectionRefusedError, "the connection was refused: nothing listens there"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "it does not speak TLS as expected"),
    (TimeoutError, "no answer in time"),
    (ConnectionError, "the connection was cut"),
)


def system_ca_bundle() -> str | None:
    """What `AWS_CA_BUNDLE` says; botocore reads it by itself, awscrt and `ssl` do not."""
    return os.environ.get("AWS_CA_BUNDLE") or None
