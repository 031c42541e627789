"""Passwords and codes: read from a stream, checked before the user pool sees them, and asked for again."""

from collections.abc import Callable
from typing import Protocol

from aws_iot.auth.accounts import ATTEMPTS, REPEATABLE, Account, Accounts
from aws_iot.errors import AwsIotError, CodeRefused, LocalError, PasswordTooWeak, WrongPassword
from aws_iot.streams import Readable, encoding_of, read_some

# docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html, and botocore's PasswordType
SHORTEST_PASSWORD = 6
LONGEST_PASSWORD = 256

LONGEST_LINE_BYTES = 64 * 1024
"""The longest line that is read as a password. A longer one is of another file, such as a device that never ends."""


def read_password(stream: Readable) -> str:
    """The first line of a stream, such as a file with a password; empty if it has none.

    Raises `LocalError` for a line that is too long, and `UnicodeDecodeError`.
    """
    data, is_wide = b"", False
    # In UTF-16, the byte of a line break is also a part of other characters.
    while (b"\n" not in data or is_wide) and (more := read_some(stream, LONGEST_LINE_BYTES)):
        data += more
        is_wide = encoding_of(data)[1] != "utf-8"
        if len(data) > LONGEST_LINE_BYTES and (is_wide or b"\n" not in data):
            raise LocalError("standard input holds no password: its first line is too long")
    mark, encoding = encoding_of(data)
    text = data.removeprefix(mark)
    line = text if is_wide else text.partition(b"\n")[0]
    return line.decode(encoding).partition("\n")[0].removesuffix("\r")


def checked_password(password: str) -> str:
    """A new password, if some user pool could accept it. Raises `PasswordTooWeak`."""
    reason = None
    if len(password) < SHORTEST_PASSWORD:
        reason = (
            f"it has {len(password)} characters, and every user pool requires {SHORTEST_PASSWORD} or more"
        )
    elif len(password) > LONGEST_PASSWORD:
        reason = f"it has {len(password)} characters, and the limit is {LONGEST_PASSWORD}"
    elif password != password.strip():
        reason = "it cannot begin or end with a blank"
    if reason:
        raise PasswordTooWeak(f"the password is too weak: {reason}")
    return password


def typed_password(ask: Callable[[], str], show_rejection: Callable[[AwsIotError], None]) -> str:
    """The new password that `ask` returns. As long as no user pool could accept it, show why and ask again."""
    while True:
        try:
            return checked_password(ask())
        except PasswordTooWeak as error:
            show_rejection(error)


def checked_code(code: str) -> str:
    """A code as the user pool expects it: without blanks. Raises `CodeRefused` if it cannot be one."""
    digits = "".join(code.split())
    if not (digits.isascii() and digits.isdecimal()):
        raise CodeRefused(f"'{code}' is not a code: a code has only digits, such as 123456")
    return digits


class PasswordPrompter(Protocol):
    """Asks the person who sets a new password. Every method may raise an error instead."""

    def old_password(self) -> str:
        """The password that counts now."""
        ...

    def code(self) -> str:
        """The code from the e-mail or text message."""
        ...

    def new_password(self) -> str:
        """The new password."""
        ...

    def show_rejection(self, error: AwsIotError) -> None:
        """Show why the last answer was rejected. The same question follows."""
        ...


def reset_password(
    accounts: Accounts, username: str, prompter: PasswordPrompter, new_password: str | None = None
) -> None:
    """Set a new password with a code that was sent. It asks again for a rejected answer, `ATTEMPTS` times in all.

    A password that no user pool could accept does not count: nothing was sent.

    Raises `CodeRefused`, `PasswordTooWeak`, and what the prompter raises.
    """
    code: str | None = None
    for left in reversed(range(ATTEMPTS)):
        try:
            code = code or checked_code(prompter.code())
            new_password = new_password or typed_password(prompter.new_password, prompter.show_rejection)
            accounts.reset(username, code, new_password)
        except REPEATABLE as error:
            if not left:
                raise
            prompter.show_rejection(error)
            if isinstance(error, CodeRefused):
                code = None
            else:
                new_password = None
        else:
            return


def change_password(
    account: Account, prompter: PasswordPrompter, old: str | None = None, new: str | None = None
) -> None:
    """Change the password of a signed-in person. It asks for what is not given, and again for a rejected answer.

    It asks `ATTEMPTS` times in all, except for new passwords that no user pool could accept.

    Raises `WrongPassword` for the old one, `PasswordTooWeak`, and what the prompter raises.
    """
    typed_old, typed_new = old, new
    for left in reversed(range(ATTEMPTS)):
        typed_old = typed_old or prompter.old_password()
        typed_new = typed_new or typed_password(prompter.new_password, prompter.show_rejection)
        try:
            account.change_password(typed_old, typed_new)
        except (WrongPassword, PasswordTooWeak) as error:
            is_given = old if isinstance(error, WrongPassword) else new
            if is_given or not left:
                raise
            prompter.show_rejection(error)
            if isinstance(error, WrongPassword):
                typed_old = None
            else:
                typed_new = None
        else:
            return
