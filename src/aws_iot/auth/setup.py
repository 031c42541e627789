"""Setup: leads a person step by step to a profile in which they are signed in (`aws-iot init`)."""

from __future__ import annotations  # so that what only types need is not imported

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from aws_iot.auth.accounts import ATTEMPTS
from aws_iot.auth.login import SignInRequest
from aws_iot.auth.passwords import checked_code, checked_password
from aws_iot.auth.profile_editor import ProfileChange
from aws_iot.config.exports_files import read_exports
from aws_iot.config.local_stack import require_replaceable, running_stacks
from aws_iot.config.profile import checked_key
from aws_iot.errors import (
    AccountNotConfirmed,
    AwsIotError,
    CodeRefused,
    LocalError,
    PasswordTooWeak,
    ProfileError,
    ServiceRefused,
    UsernameTaken,
    UserNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aws_iot.auth.accounts import Accounts, CodeSent
    from aws_iot.auth.login import Login
    from aws_iot.auth.profile_editor import ProfileEditor
    from aws_iot.auth.prompter import Prompter
    from aws_iot.auth.token_refresher import ActiveSession
    from aws_iot.config.profile import Profile
    from aws_iot.config.profile_store import ProfileStore

T = TypeVar("T")

_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,128}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+\.[^\s@.]+")


class SetupPrompter(Protocol):
    """Asks for what the steps need. Every method may raise an error instead, such as for Ctrl-C."""

    def continues_with(self, profile: Profile) -> bool:
        """Whether to continue with this profile, which exists, instead of setting up another one."""
        ...

    def replaces_damaged(self, key: str, error: ProfileError) -> bool:
        """Whether to replace this profile, which cannot be read, instead of setting up another one."""
        ...

    def new_key(self) -> str:
        """A name for the new profile."""
        ...

    def is_local(self) -> bool:
        """Whether to use the local stack instead of a team's AWS resources."""
        ...

    def local_stack_started(self) -> None:
        """Return when the person has started a local stack; none is running now."""
        ...

    def exports_file(self) -> Path:
        """The team's exports file."""
        ...

    def username(self, preset: str | None) -> str:
        """The name of the account; `preset` is that of the profile."""
        ...

    def has_account(self, username: str) -> bool:
        """Whether the person already has this account."""
        ...

    def is_own(self, username: str) -> bool:
        """Whether an account that exists belongs to this person."""
        ...

    def email(self) -> str:
        """The person's e-mail address."""
        ...

    def chosen_password(self, username: str) -> str:
        """A password for a new account."""
        ...

    def code(self, username: str, sent: CodeSent | None) -> str:
        """The confirmation code; empty to get a new one. `sent` tells where it was sent, if it was just sent."""
        ...

    def show_rejection(self, error: AwsIotError) -> None:
        """Show why the last answer was rejected. The same question follows."""
        ...


class SetupServices(NamedTuple):
    """What the steps use."""

    profiles: ProfileStore
    editor: ProfileEditor
    local_stacks: Path
    """The folder with the folders of local stacks."""
    accounts: Callable[[Profile], Accounts]
    login: Callable[[Profile], Login]
    sign_in_prompter: Callable[[str], Prompter]
    """Asks during sign-in with the profile of this key."""
    add_local_member: Callable[[Profile, str], ActiveSession]
    """Makes a person of this name a member of a local stack, given by its own profile; the profile gets the name."""


class SetUp(NamedTuple):
    """The result: the profile, and the person who is signed in with it."""

    profile: Profile
    person: ActiveSession


class Setup:
    """The steps. What a step has done is saved at once, so that after an interruption the next run continues there."""

    def __init__(self, services: SetupServices, prompter: SetupPrompter) -> None:
        self._services = services
        self._ask = prompter

    def run(self, key: str | None) -> SetUp:
        """Take every step that is still to take. Without a `key`, it is the default profile, or one that is asked for.

        Raises what a service raises, unless another answer can help.
        """
        chosen = key or self._services.profiles.default_key()
        is_damaged = False
        try:
            existing = self._existing(chosen)
        except ProfileError as error:
            is_damaged, is_free = True, self._ask.replaces_damaged(chosen, error)
            key = key if is_free else None
        else:
            if existing and (key or self._ask.continues_with(existing)):
                return self._sign_in(existing)
            is_free = not existing
        if self._ask.is_local():
            if is_damaged and key:
                self._services.editor.remove(key)
            return self._join_local_stack(key)
        pools = self._until_valid(lambda: read_exports(self._ask.exports_file(), None, lambda _: None))
        if not is_free:
            chosen = self._until_valid(self._new_key)
        elif is_damaged:
            self._services.editor.replace(chosen, pools)
        self._services.editor.change(chosen, ProfileChange(pools))
        return self._sign_in(self._services.profiles.load(chosen))

    def _existing(self, key: str) -> Profile | None:
        return self._services.editor.existing(key)

    def _new_key(self) -> str:
        key = checked_key(self._ask.new_key())
        if self._existing(key):
            raise LocalError(f"the profile '{key}' exists")
        return key

    def _join_local_stack(self, key: str | None) -> SetUp:
        while not (running := running_stacks(self._services.local_stacks)):
            self._ask.local_stack_started()
        stack = self._services.profiles.load(running[0])

        def checked(name: str) -> str:
            if checked_key(name) == stack.key:
                raise LocalError(f"'{name}' is the profile of the local stack itself")
            require_replaceable(self._existing(name), stack.local_stack or "")
            return name

        # The profile of a member has the member's name.
        name = checked(key) if key else self._until_valid(lambda: checked(self._ask.username(None)))
        person = self._services.add_local_member(stack, name)
        return SetUp(self._services.profiles.load(name), person)

    def _sign_in(self, profile: Profile) -> SetUp:
        login = self._services.login(profile)
        if login.is_signed_in():
            return SetUp(profile, login.sign_in(SignInRequest(), self._prompter(profile)))
        username = self._until_valid(lambda: _checked_username(self._ask.username(profile.username)))
        self._services.editor.change(profile.key, ProfileChange(username=username))
        profile = profile._replace(username=username)
        password = None
        if not self._ask.has_account(username):
            try:
                password = self._create_account(profile, username)
            except UsernameTaken as error:
                self._ask.show_rejection(error)
                if not self._ask.is_own(username):
                    return self._sign_in(profile._replace(username=None))
        request = SignInRequest(username, password)
        try:
            person = login.sign_in_with_password(request, self._prompter(profile))
        except UserNotFound as error:
            self._ask.show_rejection(error)
            return self._sign_in(profile._replace(username=None))
        except AccountNotConfirmed:
            self._confirm(profile, username, None)
            person = login.sign_in_with_password(request, self._prompter(profile))
        return SetUp(profile, person)

    def _prompter(self, profile: Profile) -> Prompter:
        return self._services.sign_in_prompter(profile.key)

    def _create_account(self, profile: Profile, username: str) -> str:
        """Create and confirm the account; its password. Raises `UsernameTaken`."""
        accounts = self._services.accounts(profile)
        email = self._until_valid(lambda: _checked_email(self._ask.email()))

        def sign_up() -> tuple[str, CodeSent | None]:
            password = checked_password(self._ask.chosen_password(username))
            return password, accounts.sign_up(username, password, email)

        password, sent = self._until_valid(sign_up, PasswordTooWeak)
        if sent:
            self._confirm(profile, username, sent)
        return password

    def _confirm(self, profile: Profile, username: str, sent: CodeSent | None) -> None:
        accounts = self._services.accounts(profile)
        failures = 0
        while True:
            code = self._ask.code(username, sent)
            try:
                if code:
                    return accounts.confirm(username, checked_code(code))
                sent = accounts.resend_code(username)
            except (CodeRefused, ServiceRefused) as error:
                failures += 1
                if failures == ATTEMPTS:
                    raise
                self._ask.show_rejection(error)
                sent = None

    def _until_valid(self, answer: Callable[[], T], rejection: type[AwsIotError] = LocalError) -> T:
        """What `answer` returns. As long as it raises a `rejection`, show that and ask again."""
        while True:
            try:
                return answer()
            except rejection as error:
                self._ask.show_rejection(error)


def _checked_username(name: str) -> str:
    if not _USERNAME.fullmatch(name):
        raise LocalError("a user name has no spaces, and at most 128 characters")
    return name


def _checked_email(address: str) -> str:
    if not _EMAIL.fullmatch(address):
        raise LocalError(f"'{address}' is not an e-mail address")
    return address
