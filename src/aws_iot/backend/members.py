"""Members of the team: what an admin can do with identities and with the connections of clients.

`aws/admin/members.py` implements the protocol.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Identity:
    """The identity of a person who has signed in. Cognito does not reveal which account it belongs to."""

    id: str
    created: datetime


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """What is stored about a member in the AWS account: the user name, if it is known, and when it was accepted."""

    username: str | None
    accepted: datetime | None


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

    def accept(self, identity: str, policy: str, username: str | None = None) -> str | None:
        """Attach `policy` to `identity`, unless it is already attached, and store a record of it.

        An existing record is kept; a `username` replaces the one in it. Returns why it is not stored, such as a
        missing permission; None if it is stored. Raises `NotFound` for a missing policy, and `ServiceRefused` for a
        user name that cannot be stored, before anything is changed.
        """
        ...

    def check(self, identity: str) -> None:
        """Raise `NotFound` if no account of the profile's user pool has this identity.

        If the caller may not look, it may be one.
        """
        ...

    def revoke(self, identity: str, policy: str) -> str | None:
        """Detach `policy` from `identity`, and delete its record. Returns why it is not deleted, None if it is.

        The record stays if the identity also has the policy that the profile names: it is still a member. Raises
        `NotFound` if `policy` is not attached or does not exist. If the caller may not look, it may be attached.
        """
        ...

    def detach(self, identity: str, policy: str) -> str | None:
        """Detach `policy` from an identity that has it, and delete its record. Returns what `revoke` returns."""
        ...

    def accepted(self, policy: str) -> list[str]:
        """The identities that `policy` is attached to. Raises `NotFound` if there is no such policy."""
        ...

    def records(self) -> Mapping[str, MemberRecord]:
        """The records of all members of the identity pool that have one, by identity."""
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
