"""What the local stack checks of AWS signatures before the engine verifies them: for what, and for how long."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

GATEWAY_SERVICE = "iotdevicegateway"
ALGORITHM = "AWS4-HMAC-SHA256"

NAMES = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature")
"""The parameters of a signed URL, each once."""

LONGEST = timedelta(minutes=5)
"""How long AWS accepts the signature of a WebSocket. `X-Amz-Expires` can only shorten that.

AWS does not document it. In public bug reports, URLs that were signed for longer failed after 10 minutes.
"""

MOST_EXPIRES_SECONDS = 604_800
"""The maximum of `X-Amz-Expires`: a week."""

SIGNED_BY = re.compile(ALGORITHM + r" Credential=([^/]+)/\d+/([^/]+)/([^/]+)/")

OWNERS = {
    "AWSCognitoIdentityProviderService.": "cognito-idp",
    "AWSCognitoIdentityService.": "cognito-identity",
}
"""The services whose calls `X-Amz-Target` names."""


def opens_broker(query_string: str, region: str, now: datetime) -> bool:
    """Whether a signed URL is for the broker in this region, and still valid.

    The engine verifies the signature itself, the session token and its expiry.
    """
    query = parse_qs(query_string, keep_blank_values=True)
    if any(len(query.get(name, ())) != 1 for name in NAMES):
        return False
    _, day, *scope = query["X-Amz-Credential"][0].split("/")
    signed = _time(query["X-Amz-Date"][0])
    valid = _validity(query.get("X-Amz-Expires"))
    return (
        query["X-Amz-Algorithm"] == [ALGORITHM]
        and scope == [region, GATEWAY_SERVICE, "aws4_request"]
        and "host" in query["X-Amz-SignedHeaders"][0].split(";")
        and signed is not None
        and valid is not None
        and f"{signed:%Y%m%d}" == day
        and signed - LONGEST <= now <= signed + valid
    )


def _time(text: str) -> datetime | None:
    if not re.fullmatch(r"\d{8}T\d{6}Z", text):
        return None
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def _validity(expires: list[str] | None) -> timedelta | None:
    """How long a signature is valid; None if `X-Amz-Expires` is not a number that AWS accepts."""
    if expires is None:
        return LONGEST
    if len(expires) != 1 or not re.fullmatch(r"\d{1,6}", expires[0]):
        return None
    seconds = int(expires[0])
    return min(LONGEST, timedelta(seconds=seconds)) if 1 <= seconds <= MOST_EXPIRES_SECONDS else None


def signed_for(headers: Mapping[str, str]) -> tuple[str, str, str] | None:
    """The key ID, the region and the service that a request's `Authorization` names."""
    found = SIGNED_BY.match(headers.get("authorization", ""))
    return (found[1], found[2], found[3]) if found else None


def wrong_scope(headers: Mapping[str, str], region: str) -> str | None:
    """The message of AWS for a request that is signed for another region or service; None if it is not."""
    if (signed := signed_for(headers)) is None:
        return None
    _, signed_region, signed_service = signed
    if signed_region != region:
        return f"Credential should be scoped to a valid region, not '{signed_region}'."
    target = headers.get("x-amz-target", "")
    owner = next((owner for prefix, owner in OWNERS.items() if target.startswith(prefix)), signed_service)
    if signed_service != owner:
        return f"Credential should be scoped to correct service: '{owner}'."
    return None
