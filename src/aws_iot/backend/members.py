"""Members of the team: what an admin can do with identities and with the connections of clients.

`aws/admin/members.py` implements the protocol.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a person who has signed in. Cognito does not reveal which account it belongs to."""

    id: str
    created: datetime


@dataclass(frozen=True, slots=True)
class ClientStatus:
    """A client that is connected, or was until recently.

    `since` is when it connected or disconnected, `reason` why it disconnected, `filters` what it subscribes to.
    """

    client: str
    connected: bool
    since: datetime | None
    reason: str | None
    filters: Sequence[str]


class Members(Protocol):
    """Accepts and revokes identities, and manages connections.

    Every method raises `ServiceRefused`, `CredentialsRefused` or `NotAuthorized`.
    """

    def accept(self, identity: str, policy: str) -> None:
        """Attach `policy` to `identity`, unless it is already attached. Raises `NotFound` for a missing policy."""
        ...

    def check(self, identity: str) -> None:
        """Raise `NotFound` if no account of the profile's user pool has this identity.

        If the caller may not look, it may be one.
        """
        ...

    def revoke(self, identity: str, policy: str) -> Sequence[str] | None:
        """Detach `policy` from `identity`, and return None. If it was not attached, return the policies that are.

        Also returns None if the caller may not look. Raises `NotFound` if there is no such policy.
        """
        ...

    def detach(self, identity: str, policy: str) -> None:
        """Detach `policy` from a member."""
        ...

    def accepted(self, policy: str) -> list[str]:
        """The identities that `policy` is attached to. Raises `NotFound` if there is no such policy."""
        ...

    def identities(self) -> list[Identity]:
        """The identities of all people who have signed in, in no particular order."""
        ...

    def client_status(self, client: str) -> ClientStatus:
        """The status of one client ID; AWS IoT Core cannot list them. Raises `NotFound`."""
        ...

    def disconnect(self, client: str) -> None:
        """Close the connection of a client ID. The client can reconnect as long as its identity is accepted."""
        ...


_REGION = r"[a-z]{2,}(?:-[a-z]+)+-\d{1,2}"
_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_IDENTITY = re.compile(f"{_REGION}:{_UUID}", re.ASCII)


def identity_error(text: str, pool: str) -> str | None:
    """Why this is not an identity ID of the identity pool; None if it can be one. The pool's region begins both."""
    region = pool.partition(":")[0]
    if why := _malformed(text, region):
        return f"'{text}' is not an identity ID: {why}"
    if text.partition(":")[0] != region:
        return f"'{text}' is not an identity of this pool, which is in {region}"
    if text == pool:
        return f"'{text}' is the ID of the identity pool, not of an identity"
    return None


def _malformed(text: str, region: str) -> str | None:
    if _IDENTITY.fullmatch(text):
        return None
    bare = text.strip("'\"`,;. \t")
    if bare != text and _IDENTITY.fullmatch(bare):
        return f"remove the characters around it: {bare}"
    if _IDENTITY.fullmatch(text.lower()):
        return f"it has no upper-case letters: {text.lower()}"
    if re.fullmatch(_UUID, text, re.ASCII):
        return f"its region is missing: {region}:{text}"
    if begins := re.match(f"({_IDENTITY.pattern})-", text, re.ASCII):
        return f"it is a client ID; the identity is {begins[1]}"
    return f"it should look like {region}:4f9fa251-0ed5-4578-add0-985024739222"
