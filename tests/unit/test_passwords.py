"""New passwords and codes: checked at once, and asked for again."""

from collections.abc import Iterable

import pytest

from aws_iot.auth.passwords import checked_code, checked_password, reset_password
from aws_iot.errors import AwsIotError, CodeRefused, PasswordTooWeak
from tests.fakes import RESET_CODE, FakeAccounts, FakeCloud

GOOD = "Passw0rd-2"


class Person:
    """`ResetPrompter` with a person who types these answers."""

    def __init__(self, codes: Iterable[str], passwords: Iterable[str]) -> None:
        self._codes = iter(codes)
        self._passwords = iter(passwords)
        self.rejections: list[str] = []

    def code(self) -> str:
        return next(self._codes)

    def new_password(self) -> str:
        return next(self._passwords)

    def show_rejection(self, error: AwsIotError) -> None:
        self.rejections.append(str(error))


@pytest.fixture
def accounts(cloud: FakeCloud) -> FakeAccounts:
    """A user pool with Alice."""
    cloud.member("alice", "Passw0rd")
    return FakeAccounts(cloud)


@pytest.mark.parametrize("password", ["12345", "", " Passw0rd", "Passw0rd ", "x" * 257])
def test_a_password_that_no_user_pool_accepts_is_rejected_at_once(password: str) -> None:
    with pytest.raises(PasswordTooWeak):
        checked_password(password)


@pytest.mark.parametrize("password", ["123456", "two words", "x" * 256, "пароль"])
def test_a_password_that_some_user_pool_may_accept_is_not(password: str) -> None:
    assert checked_password(password) == password


@pytest.mark.parametrize("code", ["123456", " 123456\n", "123 456"])
def test_a_code_may_be_typed_with_blanks(code: str) -> None:
    assert checked_code(code) == "123456"


@pytest.mark.parametrize("code", ["CODE", "", "12345x", "１２３４５６"])
def test_what_cannot_be_a_code_is_rejected_at_once(code: str) -> None:
    with pytest.raises(CodeRefused, match="only digits"):
        checked_code(code)


def test_what_was_rejected_is_asked_again_and_nothing_else(cloud: FakeCloud, accounts: FakeAccounts) -> None:
    person = Person(["000000", RESET_CODE], ["tooweak", GOOD])
    reset_password(accounts, "alice", person)
    assert cloud.accounts["alice"].password == GOOD
    assert person.rejections == [
        "this is not the code that was sent",
        "the password is too weak: not long enough",
    ]


def test_a_given_password_is_not_asked_for(cloud: FakeCloud, accounts: FakeAccounts) -> None:
    reset_password(accounts, "alice", Person([RESET_CODE], []), GOOD)
    assert cloud.accounts["alice"].password == GOOD


def test_the_third_wrong_answer_is_the_last(accounts: FakeAccounts) -> None:
    person = Person(["x", "000000", "000001", RESET_CODE], [GOOD])
    with pytest.raises(CodeRefused, match="not the code"):
        reset_password(accounts, "alice", person)
    assert len(person.rejections) == 2
