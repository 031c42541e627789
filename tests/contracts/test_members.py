"""The contract of `Members`, except for connections, which the local stack does not manage."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

import pytest

from aws_iot.backend.members import Members
from aws_iot.errors import NotFound
from tests.fakes import FakeApp, FakeCloud, FakeUser
from tests.processes import Stack

UNKNOWN = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"


@dataclass(frozen=True)
class Team:
    """Members, their policy, another one, and how a person signs in for the first time.

    `take_name` names a thing like an identity; it returns whether that thing is unchanged.
    """

    members: Members
    policy: str
    other_policy: str
    new_identity: Callable[[], str]
    take_name: Callable[[str], Callable[[], bool]]


@pytest.fixture(params=["fakes", "local stack"])
def team(
    request: pytest.FixtureRequest, app: FakeApp, cloud: FakeCloud, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Team]:
    """A team, in memory or on the local stack."""
    if request.param == "fakes":

        def sign_in() -> str:
            user = FakeUser("Passw0rd", "x@example.com", confirmed=True)
            cloud.accounts[uuid.uuid4().hex] = user
            return user.identity

        def take_name(identity: str) -> Callable[[], bool]:
            cloud.other_things.add(identity)
            return lambda: identity not in cloud.records

        cloud.other_policies.add("other")
        members: Members = app.admin.members(cloud.profile, None)
        yield Team(members, cloud.profile.policy_name or "", "other", sign_in, take_name)
        return
    stack: Stack = request.getfixturevalue("stack")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", stack.admin_env["AWS_SHARED_CREDENTIALS_FILE"])
    members = stack.app().admin.members(stack.profile, None)
    iot = stack.client("iot")
    other = f"other-{uuid.uuid4().hex[:8]}"
    iot.create_policy(policyName=other, policyDocument='{"Version": "2012-10-17", "Statement": []}')

    def create_thing(identity: str) -> Callable[[], bool]:
        attributes = {"identityPool": "another", "owner": "x"}
        iot.create_thing(thingName=identity, attributePayload={"attributes": attributes})
        return lambda: bool(iot.describe_thing(thingName=identity)["attributes"] == attributes)

    def new_identity() -> str:
        return stack.person(accepted=False).identity

    yield Team(members, stack.profile.policy_name or "", other, new_identity, create_thing)
    iot.delete_policy(policyName=other)


def test_an_accepted_identity_is_a_member_until_it_is_revoked(team: Team) -> None:
    identity = team.new_identity()
    assert identity not in team.members.accepted(team.policy)
    for _ in range(2):
        team.members.accept(identity, team.policy)
        assert team.members.accepted(team.policy).count(identity) == 1
    assert team.members.revoke(identity, team.policy) is None
    assert identity not in team.members.accepted(team.policy)


def test_revoking_an_identity_that_is_not_a_member_is_an_error(team: Team) -> None:
    with pytest.raises(NotFound, match=r"is not a member .*: it has no policy"):
        team.members.revoke(team.new_identity(), team.policy)


def test_the_user_name_and_time_of_a_member_are_stored_until_it_is_revoked(team: Team) -> None:
    alice, bob = team.new_identity(), team.new_identity()
    assert team.members.accept(alice, team.policy, "alice, ~100% émigrée=") is None
    team.members.accept(bob, team.policy)
    found = team.members.records()
    assert (found[alice].username, found[bob].username) == ("alice, ~100% émigrée=", None)
    accepted = found[alice].accepted
    assert accepted
    assert accepted.utcoffset() is not None
    assert team.members.revoke(alice, team.policy) is None
    assert alice not in team.members.records()
    team.members.detach(bob, team.policy)
    assert bob not in team.members.records()


def test_accepting_again_adds_a_name_but_keeps_what_is_stored(team: Team) -> None:
    identity = team.new_identity()
    team.members.accept(identity, team.policy)
    before = team.members.records()[identity]
    team.members.accept(identity, team.policy, "bob")
    team.members.accept(identity, team.policy)
    after = team.members.records()[identity]
    assert (after.username, after.accepted) == ("bob", before.accepted)


def test_another_thing_with_the_name_of_an_identity_is_left_alone(team: Team) -> None:
    identity = team.new_identity()
    is_unchanged = team.take_name(identity)
    assert "another thing" in (team.members.accept(identity, team.policy, "bob") or "")
    assert identity in team.members.accepted(team.policy)
    assert team.members.revoke(identity, team.policy) is None
    assert is_unchanged()


def test_a_member_who_loses_another_policy_keeps_the_name(team: Team) -> None:
    alice, bob = team.new_identity(), team.new_identity()
    for policy in (team.policy, team.other_policy):
        team.members.accept(alice, policy, "alice")
    team.members.accept(bob, team.other_policy, "bob")
    for identity in (alice, bob):
        assert team.members.revoke(identity, team.other_policy) is None
    assert team.members.accepted(team.other_policy) == []
    assert team.members.accepted(team.policy).count(alice) == 1
    assert team.members.records()[alice].username == "alice"
    assert bob not in team.members.records()
    team.members.revoke(alice, team.policy)
    assert alice not in team.members.records()


def test_detaching_revokes_a_member(team: Team) -> None:
    identity = team.new_identity()
    team.members.accept(identity, team.policy)
    team.members.detach(identity, team.policy)
    assert identity not in team.members.accepted(team.policy)


def test_a_missing_policy_is_not_found(team: Team) -> None:
    identity = team.new_identity()
    with pytest.raises(NotFound):
        team.members.accept(identity, "missing")
    with pytest.raises(NotFound):
        team.members.revoke(identity, "missing")
    with pytest.raises(NotFound):
        team.members.accepted("missing")


def test_only_identities_that_exist_pass_the_check(team: Team) -> None:
    team.members.check(team.new_identity())
    with pytest.raises(NotFound, match=f"the identity {UNKNOWN} does not exist"):
        team.members.check(UNKNOWN)


def test_people_who_have_signed_in_are_listed_with_the_time(team: Team) -> None:
    identities = [team.new_identity() for _ in range(2)]
    found = {one.id: one.created for one in team.members.identities()}
    assert {*identities} <= {*found}
    assert all(created.utcoffset() is not None for created in found.values())
    assert found[identities[1]] - found[identities[0]] >= timedelta(0)
