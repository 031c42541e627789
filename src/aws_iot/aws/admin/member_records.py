"""Records of members: an IoT thing for each, named by its identity. All admins of the AWS account see them.

Limits: API version 2015-05-28, and docs.aws.amazon.com/general/latest/gr/iot-core.html. A thing without a type has at
most three attributes.
"""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, unquote

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.refusals import Refusals
from aws_iot.backend.members import MemberRecord
from aws_iot.errors import NotAuthorized, NotFound, ServiceRefused

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
        """Store that an identity was accepted just now. Returns why it was not stored, None if it was."""
        named = {USERNAME: encoded(username)} if username else {}
        return _refusal(lambda: self._create_or_add(identity, {POOL: self._pool, **named}))

    def delete(self, identity: str) -> str | None:
        """Delete the record, if there is one. Returns why it was not deleted, None if it was."""
        return _refusal(lambda: self._delete(identity))

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

    def _create_or_add(self, identity: str, known: dict[str, str]) -> None:
        attributes = {**known, ACCEPTED: f"{self._now().astimezone(UTC):%FT%TZ}"}
        try:
            self._call("create_thing", thingName=identity, attributePayload={"attributes": attributes})
        except _Exists:
            if not self._is_record(identity):
                raise ServiceRefused(f"another thing in AWS IoT has the name {identity}") from None
            self._call(
                "update_thing", thingName=identity, attributePayload={"attributes": known, "merge": True}
            )

    def _delete(self, identity: str) -> None:
        with suppress(NotFound):
            if self._is_record(identity):
                self._call("delete_thing", thingName=identity)

    def _is_record(self, identity: str) -> bool:
        """Whether the thing with this name is a record of the pool. Others may use such a name, too."""
        found = self._call("describe_thing", thingName=identity)
        return bool(found.get("attributes", {}).get(POOL) == self._pool)

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        refusals = {**self._refusals, "ResourceAlreadyExistsException": _Exists}
        try:
            return self._iot.call(operation, refusals, **parameters)
        except NotAuthorized:
            permission = "".join(map(str.title, operation.split("_")))
            raise NotAuthorized(f"your AWS credentials do not allow iot:{permission}") from None


def _refusal(change: Callable[[], None]) -> str | None:
    """Why AWS refused the change. Only a record is missing then: the policy is already attached or detached."""
    try:
        change()
    except (NotAuthorized, ServiceRefused) as error:
        return str(error)
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
