"""Refusals: an error code of an AWS service becomes one of our errors."""

from collections.abc import Callable
from datetime import datetime

from botocore.exceptions import ClientError

from aws_iot.aws.base.network_errors import clock_fault
from aws_iot.errors import AwsIotError, Busy, CredentialsRefused, NotAuthorized, ServiceRefused

Refusals = dict[str, Callable[[str], AwsIotError]]
"""What makes our error, by the service's error code. It is called with the service's own message."""

THROTTLED = ("TooManyRequestsException", "ThrottlingException", "Throttling", "RequestLimitExceeded")
"""The codes of a call that the service did not carry out because it was too busy."""


def translate(error: ClientError, refusals: Refusals, now: Callable[[], datetime]) -> AwsIotError:
    """Our error for `error`: by the codes in `refusals`, else by those that mean the same for every service."""
    code, message = error.response["Error"].get("Code", ""), error.response["Error"].get("Message", "")
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    if code in _MAYBE_CLOCK and (fault := clock_fault(headers.get("date"), now())):
        return fault
    if make := refusals.get(code) or _EVERYWHERE.get(code):
        return make(message)
    kind = Busy if is_server_error(error) else ServiceRefused
    return kind(f"AWS rejected {error.operation_name}: {code}: {message}")


def is_server_error(error: ClientError) -> bool:
    """Whether the service failed (an HTTP status of 500 or more), rather than rejected the request."""
    return bool(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500)


# A signature or an SRP proof made at the wrong time looks like a wrong one.
_MAYBE_CLOCK = {
    "NotAuthorizedException",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
    "InvalidSignatureException",
    "ForbiddenException",
}


def _throttled(_: str) -> AwsIotError:
    return Busy("AWS is throttling requests; try again in a minute")


def _rejected(message: str) -> AwsIotError:
    return CredentialsRefused(
        f"AWS rejected these credentials: {message}",
        hint="To use others, choose an AWS profile with --aws-profile NAME.\n"
        "To see whose they are: aws sts get-caller-identity",
    )


def _not_allowed(message: str) -> AwsIotError:
    return NotAuthorized(f"your AWS credentials do not allow this: {message}")


def _expired(message: str) -> AwsIotError:
    return CredentialsRefused(
        f"these AWS credentials have expired: {message}",
        hint="To use others, choose an AWS profile with --aws-profile NAME.\n"
        "To get new ones, if you use IAM Identity Center: aws sso login",
    )


_EVERYWHERE: Refusals = {
    **dict.fromkeys(THROTTLED, _throttled),
    "LimitExceededException": lambda message: ServiceRefused(f"an AWS limit is reached: {message}"),
    "AccessDenied": _not_allowed,  # the code in CloudFormation's query protocol
    "AccessDeniedException": _not_allowed,
    "ExpiredToken": _expired,
    "ExpiredTokenException": _expired,
    "ForbiddenException": _rejected,
    "IncompleteSignature": _rejected,
    "InvalidAccessKeyId": _rejected,
    "InvalidClientTokenId": _rejected,
    "InvalidSignatureException": _rejected,
    "MissingAuthenticationToken": _rejected,
    "MissingAuthenticationTokenException": _rejected,
    "SignatureDoesNotMatch": _rejected,
    "UnrecognizedClientException": _rejected,
}
