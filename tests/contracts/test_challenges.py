"""What every `Accounts` does when the user pool asks for more than the password."""

import pytest

from aws_iot.auth.accounts import Challenge, ChallengeAnswer
from aws_iot.auth.session import Session
from aws_iot.errors import CodeRefused
from tests.contracts.conftest import World
from tests.processes import PASSWORD

TEMPORARY = "Temp0rary"


def asked(world: World, username: str, password: str) -> Challenge:
    """What the user pool asks for at a sign-in."""
    challenge = world.accounts.sign_in(username, password)
    assert isinstance(challenge, Challenge)
    return challenge


def test_a_person_replaces_the_temporary_password_of_an_admin(world: World, username: str) -> None:
    world.services.invite(username, TEMPORARY)
    challenge = asked(world, username, TEMPORARY)
    assert (challenge.kind, challenge.wants) == ("NEW_PASSWORD_REQUIRED", "password")
    session = world.accounts.answer(challenge, ChallengeAnswer(PASSWORD))
    assert isinstance(session, Session)
    assert session.username == username
    assert world.sign_in(username, PASSWORD)


def test_with_a_second_factor_a_sign_in_needs_a_code(world: World, username: str) -> None:
    world.account(username)
    account = world.accounts.of(world.sign_in(username, PASSWORD))
    secret = account.new_authenticator()
    account.confirm_authenticator(world.services.code_of(secret))
    account.use_second_factor("SOFTWARE_TOKEN_MFA")
    challenge = asked(world, username, PASSWORD)
    assert (challenge.kind, challenge.wants) == ("SOFTWARE_TOKEN_MFA", "code")
    with pytest.raises(CodeRefused):
        world.accounts.answer(challenge, ChallengeAnswer("000000"))
    assert isinstance(
        world.accounts.answer(challenge, ChallengeAnswer(world.services.code_of(secret))), Session
    )
    account.use_second_factor(None)
    assert world.sign_in(username, PASSWORD)
