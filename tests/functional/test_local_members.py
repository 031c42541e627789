"""Members of the local stack, with the services in memory: each can talk at once, and nothing is created twice."""

import pytest

from aws_iot.auth.login import SignInRequest
from aws_iot.auth.profile_editor import ProfileEditor
from aws_iot.auth.prompter import NoPrompter
from aws_iot.errors import WrongPassword
from aws_iot.local.members import PASSWORD, LocalMembers
from tests.fakes import FakeApp, FakeCloud, FakeUser


@pytest.fixture
def members(app: FakeApp, cloud: FakeCloud) -> LocalMembers:
    """Adds members to the services in memory."""
    editor = ProfileEditor(app.config.profiles, app.config.secrets, app.auth.sessions)
    admin = app.admin.members(cloud.profile, None)
    return LocalMembers(cloud.profile, editor, app.auth.accounts, app.auth.login, admin, app.auth.sessions)


def test_a_member_has_an_account_a_session_an_accepted_identity_and_a_profile(
    members: LocalMembers, app: FakeApp, cloud: FakeCloud
) -> None:
    person = members.add("alice")
    profile = app.config.profiles.load("alice")
    saved = app.auth.sessions.load(profile)
    assert cloud.accounts["alice"].confirmed
    assert profile.username == "alice"
    assert saved
    assert saved.identity == person.identity
    assert cloud.members == {person.identity}


def test_a_second_time_nothing_is_created(members: LocalMembers, app: FakeApp, cloud: FakeCloud) -> None:
    before = members.add("alice")
    account, profile = cloud.accounts["alice"], app.config.profiles.load("alice")
    session = app.auth.sessions.load(profile)
    assert members.add("alice").identity == before.identity
    assert cloud.accounts == {"alice": account}
    assert app.config.profiles.load("alice") == profile
    assert app.auth.sessions.load(profile) == session


def test_an_account_that_waits_for_its_code_is_confirmed(members: LocalMembers, cloud: FakeCloud) -> None:
    cloud.accounts["alice"] = FakeUser(PASSWORD, "alice@example.com")
    members.add("alice")
    assert cloud.accounts["alice"].confirmed


def test_a_member_who_has_changed_the_password_stays_signed_in(
    members: LocalMembers, app: FakeApp, cloud: FakeCloud
) -> None:
    person = members.add("alice")
    cloud.accounts["alice"].password = "another one"
    assert members.add("alice").identity == person.identity
    app.auth.sessions.remove("alice")
    with pytest.raises(WrongPassword):
        members.add("alice")


def test_a_member_gets_the_session_of_the_profile_back(
    members: LocalMembers, app: FakeApp, cloud: FakeCloud
) -> None:
    members.add("alice")
    cloud.member("bob", PASSWORD)
    bob = SignInRequest("bob", PASSWORD)
    app.auth.login(app.config.profiles.load("alice")).sign_in_with_password(bob, NoPrompter("alice"))
    members.add("alice")
    saved = app.auth.sessions.load(app.config.profiles.load("alice"))
    assert saved
    assert saved.username == "alice"


def test_the_data_of_an_earlier_stack_is_not_taken_for_the_new_one(
    members: LocalMembers, app: FakeApp, cloud: FakeCloud
) -> None:
    members.add("alice")
    old = app.config.profiles.load("alice")._replace(user_pool_id="us-east-1_OLD")
    app.config.profiles.change("alice", lambda _: old)
    cloud.accounts.clear()
    person = members.add("alice")
    assert person.identity == cloud.accounts["alice"].identity
    assert app.config.profiles.load("alice").user_pool_id == cloud.profile.user_pool_id


@pytest.mark.parametrize(
    ("other_stack", "password", "is_restored"),
    [(False, None, True), (True, None, False), (False, "another one", False)],
)
def test_members_get_the_profiles_back_that_another_start_has_replaced(
    members: LocalMembers,
    app: FakeApp,
    cloud: FakeCloud,
    other_stack: bool,
    password: str | None,
    is_restored: bool,
) -> None:
    person = members.add("alice")
    stack = "/another" if other_stack else None  # the stack in memory has no folder
    old = app.config.profiles.load("alice")._replace(user_pool_id="us-east-1_OLD", local_stack=stack)
    app.config.profiles.change("alice", lambda _: old)
    app.auth.sessions.remove("alice")
    cloud.accounts["alice"].password = password or PASSWORD
    members.restore()
    saved = app.auth.sessions.load(app.config.profiles.load("alice"))
    assert (saved and saved.identity) == (person.identity if is_restored else None)
    assert (app.config.profiles.load("alice") == old) == other_stack
