"""Records of members: an IoT thing for each, named by its identity. All admins of the AWS account see them.

Limits: API version 2015-05-28, and docs.aws.amazon.com/general/latest/gr/iot-core.html. A thing without a type has at
most three attributes.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import quote, unquote

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.refusals import Refusals
from aws_iot.backend.members import MemberRecord
from aws_iot.errors import NotAuthorized, ServiceRefused

POOL = "identityPool"
ACCEPTED = "acceptedAt"
USERNAME = "userName"

MAX_VALUE = 800
"""The maximum length of an attribute's value."""

THINGS_PER_PAGE = 250
"""The maximum of ListThings."""

_MARKERS = ("nextToken", "nextToken")


class MemberRecords:
    """The records of the members of an identity pool. Methods raise `NotAuthorized` and `ServiceRefused`."""

    def __init__(self, iot: Service, pool: str, now: Callable[[], datetime], refusals: Refusals) -> None:
        self._iot = iot
        self._pool = pool
        self._now = now
        self._refusals = refusals

    def save(self, identity: str, username: str | None) -> str | None:
        """Store that an identity was accepted just now. Returns the permission that is missing for it."""
        named = {USERNAME: encoded(username)} if username else {}
        attributes = {POOL: self._pool, ACCEPTED: f"{self._now().astimezone(UTC):%FT%TZ}", **named}
        try:
            self._iot.call(
                "create_thing",
                {**self._refusals, "ResourceAlreadyExistsException": _Exists},
                thingName=identity,
                attributePayload={"attributes": attributes},
            )
        except NotAuthorized:
            return "iot:CreateThing"
        except _Exists:
            return self._add({POOL: self._pool, **named}, identity)
        return None

    def delete(self, identity: str) -> str | None:
        """Delete the record, if there is one. Returns the permission that is missing for it."""
        try:
            self._iot.call("delete_thing", self._refusals, thingName=identity)
        except NotAuthorized:
            return "iot:DeleteThing"
        return None

    def all(self) -> dict[str, MemberRecord]:
        """All records, by identity."""
        pages = self._iot.pages(
            "list_things",
            _MARKERS,
            self._refusals,
            attributeName=POOL,
            attributeValue=self._pool,
            maxResults=THINGS_PER_PAGE,
        )
        return {
            one["thingName"]: _record(one.get("attributes", {})) for page in pages for one in page["things"]
        }

    def _add(self, attributes: dict[str, str], identity: str) -> str | None:
        try:
            self._iot.call(
                "update_thing",
                self._refusals,
                thingName=identity,
                attributePayload={"attributes": attributes, "merge": True},
            )
        except NotAuthorized:
            return "iot:UpdateThing"
        return None


class _Exists(ServiceRefused):
    """A thing with this name, and with other attributes, exists."""


def encoded(username: str) -> str:
    """The user name in the characters that an attribute may have: others are `=` and two digits for each byte.

    Raises `ServiceRefused` if it would be too long.
    """
    value = quote(username, safe="@,:").replace("~", "%7E").replace("%", "=")
    if len(value) > MAX_VALUE:
        raise ServiceRefused(f"the user name is too long to be stored: '{username}'")
    return value


def decoded(value: str) -> str:
    """The user name that was encoded."""
    return unquote(re.sub("=([0-9A-Fa-f]{2})", r"%\1", value))


def _record(attributes: dict[str, str]) -> MemberRecord:
    accepted = None
    with suppress(ValueError):
        accepted = datetime.fromisoformat(attributes.get(ACCEPTED, ""))
    return MemberRecord(decoded(attributes.get(USERNAME, "")) or None, accepted)
