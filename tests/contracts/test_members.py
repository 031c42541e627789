"""What an admin can do about members, with every `Members`.

AWS IoT Core can also report on a client and disconnect it. The local stack cannot, so `client_status` and `disconnect`
have no contract here.
"""

from collections.abc import Callable

import pytest

from aws_iot.errors import NotAccepted, NotFound
from tests.contracts.conftest import World


@pytest.fixture
def policy(admin: World) -> str:
    """The team's policy."""
    assert admin.profile.policy_name
    return admin.profile.policy_name


@pytest.fixture
def identity(admin: World, username: str) -> str:
    """The identity of a person who has signed in."""
    admin.account(username)
    return admin.credentials(username).identity


def test_an_accepted_identity_is_a_member_and_can_connect(
    admin: World, policy: str, identity: str, username: str
) -> None:
    assert identity not in admin.members.accepted(policy)
    for _ in range(2):
        admin.members.accept(identity, policy)
    assert admin.members.accepted(policy).count(identity) == 1
    assert admin.connect(admin.credentials(username))


@pytest.mark.parametrize("how", ["revoke", "detach"])
def test_a_revoked_identity_is_no_member_and_cannot_connect(
    admin: World, policy: str, identity: str, username: str, how: str
) -> None:
    admin.members.accept(identity, policy)
    getattr(admin.members, how)(identity, policy)
    assert identity not in admin.members.accepted(policy)
    with pytest.raises(NotAccepted):
        admin.connect(admin.credentials(username))


def test_revoking_tells_a_member_from_an_identity_with_other_policies(
    admin: World, policy: str, identity: str
) -> None:
    admin.members.accept(identity, policy)
    assert admin.members.revoke(identity, policy) is None
    assert admin.members.revoke(identity, policy) == []


def test_a_policy_that_does_not_exist_is_not_found(admin: World, identity: str) -> None:
    actions: list[Callable[[], object]] = [
        lambda: admin.members.accept(identity, "no-such-policy"),
        lambda: admin.members.revoke(identity, "no-such-policy"),
        lambda: admin.members.accepted("no-such-policy"),
    ]
    for action in actions:
        with pytest.raises(NotFound):
            action()


def test_an_identity_that_nobody_has_is_not_found(admin: World, identity: str) -> None:
    admin.members.check(identity)
    with pytest.raises(NotFound, match=admin.services.unknown_identity):
        admin.members.check(admin.services.unknown_identity)


def test_everybody_who_has_signed_in_is_listed(admin: World, identity: str) -> None:
    [found] = [one for one in admin.members.identities() if one.id == identity]
    assert found.created.tzinfo
