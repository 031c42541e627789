"""What every `PolicyReader` reads about an identity.

Only AWS itself has TestAuthorization, so `aws_verdicts` has no contract here.
"""

from aws_iot.policy.access import Principal, decide_access, questions
from tests.contracts.conftest import World


def verdicts(world: World, identity: str) -> tuple[list[str], dict[str, str]]:
    """The policies attached to an identity, and what follows from all layers for a room."""
    layers, account = world.policy_reader.read(identity)
    assert account
    assert len(account) == 12
    pool = world.profile.identity_pool_id
    principal = Principal(identity, pool, identity, world.profile.iot_region, account)
    found = [decide_access(question, principal, layers) for question in questions(principal, room="lobby")]
    *_, attached = layers
    assert attached.name == "IoT"
    return [one.name for one in attached.documents], {one.question.action: one.verdict.name for one in found}


ACTIONS = ["iot:Connect", "iot:Subscribe", "iot:Receive", "iot:Publish"]


def test_the_policies_of_a_member_allow_everything_in_a_room(admin: World, username: str) -> None:
    admin.account(username)
    identity = admin.credentials(username).identity
    admin.services.accept(identity)
    assert verdicts(admin, identity) == ([admin.profile.policy_name], dict.fromkeys(ACTIONS, "ALLOWED"))


def test_without_an_attached_policy_nothing_is_allowed(admin: World, username: str) -> None:
    admin.account(username)
    identity = admin.credentials(username).identity
    assert verdicts(admin, identity) == ([], dict.fromkeys(ACTIONS, "REFUSED"))
