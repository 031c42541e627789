"""New passwords and codes: checked at once, and asked for again."""

import io
import os
import threading
from collections.abc import Iterable

import pytest

from aws_iot.auth.accounts import Account
from aws_iot.auth.passwords import (
    change_password,
    checked_code,
    checked_password,
    read_password,
    reset_password,
)
from aws_iot.auth.session import Session
from aws_iot.errors import AwsIotError, CodeRefused, LocalError, PasswordTooWeak, WrongPassword
from tests.fakes import RESET_CODE, FakeAccounts, FakeCloud

GOOD = "Passw0rd-2"


class Person:
    """`PasswordPrompter` with a person who types these answers."""

    def __init__(self, codes: Iterable[str], passwords: Iterable[str], old: Iterable[str] = ()) -> None:
        self._codes = iter(codes)
        self._old = iter(old)
        self._passwords = iter(passwords)
        self.rejections: list[str] = []

    def old_password(self) -> str:
        return next(self._old)

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


@pytest.fixture
def account(accounts: FakeAccounts) -> Account:
    """The account of Alice, who is signed in."""
    session = accounts.sign_in("alice", "Passw0rd")
    assert isinstance(session, Session)
    return accounts.of(session)


def test_of_a_change_only_what_was_rejected_is_asked_again(cloud: FakeCloud, account: Account) -> None:
    person = Person([], ["tooweak", GOOD], old=["wrong", "Passw0rd"])
    change_password(account, person)
    assert cloud.accounts["alice"].password == GOOD
    assert len(person.rejections) == 2


def test_what_was_given_for_a_change_is_not_asked_again(cloud: FakeCloud, account: Account) -> None:
    with pytest.raises(WrongPassword):
        change_password(account, Person([], [GOOD], old=["Passw0rd"]), old="wrong")
    with pytest.raises(PasswordTooWeak):
        change_password(account, Person([], [GOOD], old=["Passw0rd"]), new="tooweak")
    assert cloud.accounts["alice"].password == "Passw0rd"


def test_the_third_wrong_old_password_is_the_last(account: Account) -> None:
    with pytest.raises(WrongPassword):
        change_password(account, Person([], [GOOD], old=["a", "b", "c", "Passw0rd"]))


def test_a_password_that_no_user_pool_accepts_is_asked_again_and_does_not_count(
    cloud: FakeCloud, accounts: FakeAccounts
) -> None:
    person = Person(["000000", RESET_CODE], ["1", "12", "123", "1234", GOOD])
    reset_password(accounts, "alice", person)
    assert cloud.accounts["alice"].password == GOOD
    assert len(person.rejections) == 5


def test_a_changed_password_that_no_user_pool_accepts_is_asked_again(
    cloud: FakeCloud, account: Account
) -> None:
    person = Person([], ["1", "12", "123", GOOD], old=["Passw0rd"])
    change_password(account, person)
    assert cloud.accounts["alice"].password == GOOD
    assert all("6 or more" in rejection for rejection in person.rejections)
    assert len(person.rejections) == 3


class Pieces:
    """A stream that returns one piece at each read, and fails if it is read too far."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = [*pieces]

    def read(self, _: int, /) -> bytes:
        return self._pieces.pop(0)

    def fileno(self) -> int:
        raise io.UnsupportedOperation


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\r\nmore\n"])
@pytest.mark.parametrize("size", [3, 1000])
def test_a_password_is_the_first_line_in_any_encoding_of_text_files(
    encoding: str, end: str, size: int
) -> None:
    data = f"pässwörd ૊{end}".encode(encoding)  # a letter with the byte of a line break
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert read_password(Pieces(*pieces, b"")) == "pässwörd ૊"


def test_a_password_does_not_wait_for_more_lines() -> None:
    assert read_password(Pieces(b"pass", b"word\n")) == "password"


def test_a_password_is_read_from_a_non_blocking_pipe() -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    threading.Timer(0.05, os.write, (writing, b"password\n")).start()
    with io.FileIO(reading) as stream:
        assert read_password(stream) == "password"
    os.close(writing)


@pytest.mark.parametrize("data", [b"\0", b"x", "\ufeffx".encode("utf-16-le")])
def test_a_stream_without_lines_is_no_password(data: bytes) -> None:
    with pytest.raises(LocalError, match="its first line is too long"):
        read_password(Pieces(data * 40_000, data * 40_000))


@pytest.mark.parametrize("data", [b"\xff\n", "x\n".encode("utf-16-le")])
def test_a_password_in_another_encoding_is_an_error(data: bytes) -> None:
    with pytest.raises(UnicodeDecodeError):
        read_password(Pieces(data, b""))
