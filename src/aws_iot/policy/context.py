"""The request that a policy decides: action, resource, and what is known about its condition keys."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any

SUB = "cognito-identity.amazonaws.com:sub"
AUD = "cognito-identity.amazonaws.com:aud"
AMR = "cognito-identity.amazonaws.com:amr"
CLIENT_ID = "iot:ClientId"
IS_ATTACHED = "iot:Connection.Thing.IsAttached"

# Keys that a request can have although they are not known here: an admin can attach an identity to a thing, too.
# All other keys have no value. docs.aws.amazon.com/iot/latest/developerguide/iot-policy-variables.html
_THING, _CERTIFICATE = "iot:connection.thing.", "iot:certificate."
_MAY_HAVE_A_VALUE = re.compile(rf"aws:.*|{_THING}.*|iot:(clientid|connectattributes|domainname)", re.DOTALL)

# A signed-in identity has this value, and the names of its providers:
# docs.aws.amazon.com/cognito/latest/developerguide/role-trust-and-permissions.html
_INCOMPLETE = {AMR: ("authenticated",)}

WHY_NO_VALUE = {
    "aws:username": "only IAM users have it, and members use a role",
    _CERTIFICATE: "members sign in to a pool, without a certificate",
    _THING: "the identity is not attached to a thing",
}
"""Why a key that begins like this has no value:
docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html"""

RESOURCE_KINDS = {
    "connect": "client",
    "publish": "topic",
    "receive": "topic",
    "retainpublish": "topic",
    "subscribe": "topicfilter",
}
"""The kind of resource of each action: docs.aws.amazon.com/iot/latest/developerguide/iot-action-resources.html"""


@dataclass(frozen=True, slots=True)
class Request:
    """An action, such as `iot:Publish`, on a resource (an ARN). The keys of `values` are in lower case."""

    action: str
    resource: str
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def resource_kind(self) -> str | None:
        """The kind of resource that the action needs, such as `topic`."""
        return RESOURCE_KINDS.get(self.action.partition(":")[2].lower())

    def lookup(self, key: str) -> tuple[Sequence[str], bool]:
        """The known values of a key, and whether these are all of its values."""
        key = key.lower()
        if key in self.values:
            return self.values[key], True
        if key in _INCOMPLETE:
            return _INCOMPLETE[key], False
        is_no_thing = key.startswith(_THING) and self.values.get(IS_ATTACHED.lower()) == ["false"]
        return (), is_no_thing or key == "aws:username" or not _MAY_HAVE_A_VALUE.fullmatch(key)


def identity_request(
    action: str,
    resource: str,
    *,
    identity: str,
    pool: str,
    client: str | None,
    more: Mapping[str, Sequence[str]] | None = None,
) -> Request:
    """The request of a signed-in identity of an identity pool.

    `client` is the client ID of its connection, None if that is unknown. `more` are the values of further keys.
    """
    values = (
        {SUB: [identity], AUD: [pool]}
        | ({CLIENT_ID: [client]} if client is not None else {})
        | dict(more or {})
    )
    return Request(action, resource, {key.lower(): value for key, value in values.items()})


def parse_time(text: str) -> datetime:
    """Read a time as conditions write it: ISO 8601 (UTC if it names no zone), or seconds since 1970."""
    if re.fullmatch(r"\d{9,}(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    time = datetime.fromisoformat(text)
    return time if time.tzinfo else time.replace(tzinfo=UTC)


_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "aws:sourceip": (ip_address, "an address, such as 203.0.113.7"),
    "aws:vpcsourceip": (ip_address, "an address, such as 10.0.0.7"),
    **dict.fromkeys(
        ("aws:currenttime", "aws:tokenissuetime", "aws:epochtime"),
        (parse_time, "a time, such as 2026-11-23T18:00:00Z"),
    ),
    "aws:multifactorauthage": (float, "a number of seconds"),
    **dict.fromkeys(
        ("aws:securetransport", "aws:multifactorauthpresent", "aws:viaawsservice", IS_ATTACHED.lower()),
        ({"true": True, "false": False}.__getitem__, "true or false"),
    ),
}
"""How to read the values of keys that have a type, and how to describe that type:
docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""


def expected_instead(key: str, value: str) -> str | None:
    """What a key needs instead of a value that it cannot have, in words; None if it can have the value."""
    read, expected = _READERS.get(key.lower(), (str, ""))
    try:
        read(value)
    except (ValueError, OverflowError, LookupError):
        return expected
    return None
