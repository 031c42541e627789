"""A team, as an admin sees it: its members, the requests, and whom a name or a short identity stands for."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Self

from aws_iot.backend.members import MemberRecord, Members
from aws_iot.errors import InvalidIdentity, NotAuthorized, NotFound, ServiceRefused
from aws_iot.identities import (
    SHORT,
    IdentityPrefix,
    contains_uuid,
    identity_error,
    is_identity,
)

_NO_RECORD = MemberRecord(None, None)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Person:
    """An identity, the user name of its account and a time, if they are known.

    `since` is when it was accepted or, for one that is not, when it first signed in.
    """

    identity: str
    username: str | None = None
    since: datetime | None = None

    def named(self, username: str) -> Self:
        """The same person with this user name."""
        return replace(self, username=username)


class Team:
    """The identities that `policy` is attached to, and the others of the identity pool.

    Every method raises what `Members` raises.
    """

    def __init__(
        self,
        members: Members,
        policy: str,
        pool: str,
        known: Callable[[], Mapping[str, str]],
        command: Callable[[str], str],
    ) -> None:
        """`known` gives user names by identity, from another source than the AWS account.

        `command` makes a command for a hint: `aws-iot admin` and the given word, for this team.
        """
        self._members = members
        self._policy = policy
        self._pool = pool
        self._known = known
        self._command = command

    @cached_property
    def members(self) -> Sequence[Person]:
        """All members, the latest first; those of unknown times are last."""
        return _latest_first(map(self._person, self._accepted))

    @cached_property
    def requests(self) -> Sequence[Person]:
        """All who have signed in but are not members, the latest first."""
        return [one for one in self._signed_in if one.identity not in self._accepted]

    def is_member(self, identity: str) -> bool:
        """Whether it is known to be a member: the caller may not be allowed to look."""
        with suppress(NotAuthorized):
            return identity in self._accepted
        return False

    @property
    def lacks_names(self) -> bool:
        """Whether the caller may not read the names that are stored."""
        return self._records is None

    def identity(self, text: str) -> Person:
        """The one whom `text` means, out of all who have signed in.

        It is an identity, its beginning, `name~beginning`, or a user name. Raises `NotFound` if it is nobody,
        `ServiceRefused` with the candidates if it can be several, and `InvalidIdentity`. Nothing is read from AWS for
        a whole identity.
        """
        return self._find(text, lambda: self._signed_in, "anyone who has signed in", "requests")

    def member(self, text: str) -> Person:
        """The same, out of the members."""
        return self._find(text, lambda: self.members, "a member", "members")

    @cached_property
    def _accepted(self) -> Set[str]:
        return frozenset(self._members.accepted(self._policy))

    @cached_property
    def _signed_in(self) -> Sequence[Person]:
        found = [
            Person(one.id, self._person(one.id).username, one.created) for one in self._members.identities()
        ]
        return _latest_first(found)

    @cached_property
    def _records(self) -> Mapping[str, MemberRecord] | None:
        with suppress(NotAuthorized):
            return self._members.records()
        return None

    @cached_property
    def _names(self) -> Mapping[str, str]:
        return self._known()

    def _person(self, identity: str) -> Person:
        record = (self._records or {}).get(identity, _NO_RECORD)
        return Person(identity, record.username or self._names.get(identity), record.accepted)

    def _find(self, text: str, people: Callable[[], Sequence[Person]], who: str, command: str) -> Person:
        prefix = IdentityPrefix.parse(text)
        if is_identity(text) or (prefix is None and contains_uuid(text)):
            if wrong := identity_error(text, self._pool):
                raise InvalidIdentity(wrong)
            return Person(text, self._names.get(text))
        if prefix and prefix.lacks:
            raise InvalidIdentity(
                f"'{text}' is not a whole identity: it lacks {prefix.lacks}"
                f" character{'' if prefix.lacks == 1 else 's'} at its end",
                hint=f"Copy it again, or give only its first {SHORT} digits: {prefix.start[:SHORT]}",
            )
        found = [one for one in people() if one.username == text or (prefix and prefix.matches(one.identity))]
        listing = f"To list them: {self._command(command)}"
        if len(found) > 1:
            hint = "Type more of one of these:\n" + _lines(found)
            raise ServiceRefused(f"'{text}' can be any of {len(found)} people", hint=hint)
        if found:
            return found[0]
        if prefix is None:
            near = {one.username for one in people() if (one.username or "").casefold() == text.casefold()}
            hint = "\n".join([*(f"Did you mean {name}?" for name in sorted(filter(None, near))), listing])
            raise InvalidIdentity(f"'{text}' is not an identity, nor the user name of {who}", hint=hint)
        raise NotFound(f"no identity of {who} begins with '{prefix.start}'", hint=listing)


def _latest_first(people: Iterable[Person]) -> list[Person]:
    return sorted(people, key=lambda one: (one.since or _LONG_AGO, one.identity), reverse=True)


def _lines(people: Iterable[Person]) -> str:
    return "\n".join(f"  {one.identity}  {one.username or ''}".rstrip() for one in people)
