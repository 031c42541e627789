"""The contract of `Accounts`."""

from datetime import UTC, datetime, timedelta

import pytest

from aws_iot.auth.accounts import SecondFactors
from aws_iot.auth.session import RefreshToken, Session
from aws_iot.errors import (
    AccountNotConfirmed,
    CodeRefused,
    ServiceRefused,
    SessionEnded,
    SignInRefused,
    UsernameTaken,
    UserNotFound,
    WrongPassword,
)
from tests.contracts.conftest import World
from tests.fakes import RESET_CODE
from tests.processes import PASSWORD


def token_of(session: Session) -> RefreshToken:
    assert session.refresh_token
    return session.refresh_token


def test_sign_up_returns_where_the_code_was_sent(world: World, username: str) -> None:
    sent = world.accounts.sign_up(username, PASSWORD, "a@example.com")
    assert sent
    assert sent.destination
    assert sent.medium == "EMAIL"


def test_a_confirmed_account_can_sign_in(world: World, username: str) -> None:
    world.account(username)
    session = world.sign_in(username, PASSWORD)
    assert session.username == username
    assert timedelta(minutes=50) < session.expires - datetime.now(UTC) <= timedelta(hours=1)


def test_an_account_that_is_not_confirmed_cannot_sign_in(world: World, username: str) -> None:
    world.accounts.sign_up(username, PASSWORD, "a@example.com")
    with pytest.raises(AccountNotConfirmed):
        world.sign_in(username, PASSWORD)


def test_a_wrong_password_is_rejected(world: World, username: str) -> None:
    world.account(username)
    with pytest.raises(WrongPassword, match="wrong user name or password"):
        world.sign_in(username, PASSWORD + "x")


def test_an_unknown_user_is_rejected(world: World, username: str) -> None:
    with pytest.raises(UserNotFound):
        world.sign_in(username, PASSWORD)


def test_a_name_that_is_taken_is_rejected(world: World, username: str) -> None:
    world.account(username)
    with pytest.raises(UsernameTaken):
        world.accounts.sign_up(username, PASSWORD, "b@example.com")


def test_case_does_not_matter_in_a_user_name(world: World, username: str) -> None:
    world.account(username)
    other = username.upper()
    with pytest.raises(UsernameTaken):
        world.accounts.sign_up(other, PASSWORD, "b@example.com")
    for name in (other, username.title()):
        assert world.sign_in(name, PASSWORD).id_token
        assert world.accounts.are_same(username, name)
    with pytest.raises(WrongPassword):
        world.sign_in(other, PASSWORD.upper())


def test_a_name_in_another_case_has_the_same_identity(world: World, username: str) -> None:
    first = username.title()
    world.account(first)
    session = world.sign_in(username, PASSWORD)
    assert world.issuer.identify(session) == world.issuer.identify(world.sign_in(first, PASSWORD))


def test_different_users_are_not_the_same(world: World, username: str) -> None:
    world.account(username)
    world.account(f"{username}-2")
    assert not world.accounts.are_same(username, f"{username}-2")
    with pytest.raises(UserNotFound):
        world.accounts.are_same(username, f"{username}-3")


def test_a_password_that_breaks_the_policy_is_rejected(world: World, username: str) -> None:
    with pytest.raises(ServiceRefused, match="password"):
        world.accounts.sign_up(username, "short", "a@example.com")


def test_after_a_wrong_code_the_right_one_still_works(world: World, username: str) -> None:
    world.accounts.sign_up(username, PASSWORD, "a@example.com")
    with pytest.raises(CodeRefused):
        world.accounts.confirm(username, "000000")
    world.accounts.confirm(username, "123456")
    assert world.sign_in(username, PASSWORD)


def test_an_account_can_be_confirmed_only_once(world: World, username: str) -> None:
    world.account(username)
    with pytest.raises(SignInRefused, match="already confirmed"):
        world.accounts.confirm(username, "123456")


def test_a_resent_code_works(world: World, username: str) -> None:
    world.accounts.sign_up(username, PASSWORD, "a@example.com")
    assert world.accounts.resend_code(username).destination
    world.accounts.confirm(username, "123456")
    assert world.sign_in(username, PASSWORD)


def test_an_address_moves_to_the_account_that_confirms_it_last(world: World, username: str) -> None:
    address = f"{username}@example.com"
    world.account(username)
    second = f"{username}-2"
    world.accounts.sign_up(second, PASSWORD + "2", address.title())
    world.accounts.confirm(second, "123456")
    assert world.sign_in(address, PASSWORD + "2")
    assert world.sign_in(address.upper(), PASSWORD + "2")


def test_a_session_is_refreshed_without_the_password(world: World, username: str) -> None:
    world.account(username)
    first = world.sign_in(username, PASSWORD)
    refreshed = world.accounts.refresh(token_of(first))
    assert refreshed.username == username
    assert token_of(refreshed)
    assert world.issuer.issue(refreshed).identity == world.issuer.issue(first).identity


def test_a_revoked_session_cannot_be_refreshed(world: World, username: str) -> None:
    world.account(username)
    session, other = (world.sign_in(username, PASSWORD) for _ in range(2))
    world.accounts.revoke(token_of(session))
    with pytest.raises(SessionEnded):
        world.accounts.refresh(token_of(session))
    assert world.accounts.refresh(token_of(other))


def test_signing_out_everywhere_revokes_every_session(world: World, username: str) -> None:
    world.account(username)
    session, other = (world.sign_in(username, PASSWORD) for _ in range(2))
    world.accounts.of(session).sign_out_everywhere()
    for ended in (session, other):
        with pytest.raises(SessionEnded):
            world.accounts.refresh(token_of(ended))


def test_a_refresh_token_can_be_revoked_twice(world: World, username: str) -> None:
    world.account(username)
    session = world.sign_in(username, PASSWORD)
    world.accounts.revoke(token_of(session))
    world.accounts.revoke(token_of(session))
    with pytest.raises(SessionEnded):
        world.accounts.refresh(token_of(session))


def test_a_revoked_session_cannot_revoke_the_others(world: World, username: str) -> None:
    world.account(username)
    session = world.sign_in(username, PASSWORD)
    world.accounts.of(session).sign_out_everywhere()
    with pytest.raises(SessionEnded):
        world.accounts.of(session).sign_out_everywhere()


def test_a_code_resets_a_forgotten_password(world: World, username: str) -> None:
    world.account(username)
    assert world.accounts.request_reset(username).destination
    with pytest.raises(CodeRefused):
        world.accounts.reset(username, "000000", PASSWORD + "2")
    with pytest.raises(ServiceRefused, match="too weak"):
        world.accounts.reset(username, RESET_CODE, "short")
    world.accounts.reset(username, RESET_CODE, PASSWORD + "2")
    assert world.sign_in(username, PASSWORD + "2")
    with pytest.raises(SignInRefused):
        world.sign_in(username, PASSWORD)


def test_changing_a_password_requires_the_old_one(world: World, username: str) -> None:
    world.account(username)
    session = world.sign_in(username, PASSWORD)
    with pytest.raises(SignInRefused):
        world.accounts.of(session).change_password("wrong-Passw0rd", PASSWORD + "2")
    with pytest.raises(ServiceRefused, match="too weak"):
        world.accounts.of(session).change_password(PASSWORD, "short")
    world.accounts.of(session).change_password(PASSWORD, PASSWORD + "2")
    assert world.sign_in(username, PASSWORD + "2")


def test_an_authenticator_app_is_set_up_with_a_code_from_it(world: World, username: str) -> None:
    world.account(username)
    account = world.accounts.of(world.sign_in(username, PASSWORD))
    assert account.second_factors() == SecondFactors((), None)
    secret = account.new_authenticator()
    with pytest.raises(CodeRefused):
        account.confirm_authenticator("000000")
    account.confirm_authenticator(world.services.code_of(secret))
    account.use_second_factor("SOFTWARE_TOKEN_MFA")
    assert account.second_factors() == SecondFactors(("SOFTWARE_TOKEN_MFA",), "SOFTWARE_TOKEN_MFA")
    account.use_second_factor(None)
    assert account.second_factors() == SecondFactors((), None)


def test_a_deleted_account_does_not_exist(world: World, username: str) -> None:
    world.account(username)
    session = world.sign_in(username, PASSWORD)
    world.accounts.of(session).delete()
    with pytest.raises(SignInRefused, match="no such user"):
        world.sign_in(username, PASSWORD)
    with pytest.raises(SessionEnded):
        world.accounts.refresh(token_of(session))
    with pytest.raises(SessionEnded):
        world.accounts.of(session).second_factors()
