"""Setup: leads a person step by step to a profile in which they are signed in (`aws-iot init`)."""

from __future__ import annotations  # so that what only types need is not imported

import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from aws_iot.auth.accounts import ATTEMPTS, checked_email
from aws_iot.auth.login import SignInRequest
from aws_iot.auth.passwords import checked_code, checked_password
from aws_iot.auth.profile_editor import ProfileChange
from aws_iot.auth.prompter import PasswordOnce
from aws_iot.config.exports_files.reader import read_exports
from aws_iot.config.local_stack import require_replaceable, running_stacks
from aws_iot.config.profile import checked_key
from aws_iot.errors import (
    AccountNotConfirmed,
    AwsIotError,
    CodeRefused,
    EndpointMissing,
    LocalError,
    PasswordTooWeak,
    ProfileError,
    ServiceRefused,
    SignInRefused,
    StackRestarted,
    UsernameTaken,
    UserNotFound,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_iot.auth.accounts import Accounts, CodeSent
    from aws_iot.auth.login import Login
    from aws_iot.auth.profile_editor import ProfileEditor
    from aws_iot.auth.prompter import Prompter
    from aws_iot.auth.token_refresher import ActiveSession
    from aws_iot.config.profile import Profile
    from aws_iot.config.profile_store import ProfileStore

T = TypeVar("T")

_USERNAME = re.compile(r"[^\s\x00-\x1f\x7f]{1,128}")


class SetupPrompter(Protocol):
    """Asks for what the steps need. Every method may raise an error instead, such as for Ctrl-C."""

    def continues_with(self, profile: Profile) -> bool:
        """Whether to continue with this profile, which exists, instead of setting up another one."""
        ...

    def show_existing(self, profile: Profile) -> None:
        """Tell that the profile that the person has named exists, and is used."""
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

    def endpoint(self) -> str:
        """The IoT endpoint, if the exports file has none."""
        ...

    def show_note(self, text: str) -> None:
        """Tell the person something that needs no answer."""
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
    add_local_member: Callable[[Profile, str, str], ActiveSession]
    """Makes a person a member of a local stack, given by its own profile: the user name, and the key to save under."""


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
            if existing and self._continues_with(existing, is_named=key is not None):
                return self._continue(existing)
            is_free = not existing
        if self._ask.is_local():
            if is_damaged and key:
                self._services.editor.remove(key)
            return self._join_local_stack(key)
        pools = self._until_valid(self._pools)
        if not is_free:
            chosen = self._until_valid(self._new_key)
        elif is_damaged:
            self._services.editor.replace(chosen, pools)
        self._services.editor.change(chosen, ProfileChange(pools))
        return self._sign_in(self._services.profiles.load(chosen))

    def _continues_with(self, existing: Profile, *, is_named: bool) -> bool:
        if is_named:
            self._ask.show_existing(existing)
        return is_named or self._ask.continues_with(existing)

    def _continue(self, profile: Profile) -> SetUp:
        try:
            self._services.accounts(profile)  # a saved session is of no use if its local stack is not there
        except StackRestarted as error:
            folder = Path(profile.local_stack or "")
            stack = self._existing(folder.name)
            if not stack or stack.local_stack != str(folder) or stack.key == profile.key:
                raise
            self._ask.show_rejection(StackRestarted(f"{error}: it gets a new one"))
            person = self._services.add_local_member(stack, profile.username or profile.key, profile.key)
            return SetUp(self._services.profiles.load(profile.key), person)
        return self._sign_in(profile)

    def _existing(self, key: str) -> Profile | None:
        return self._services.editor.existing(key)

    def _pools(self) -> Profile:
        file = self._ask.exports_file()
        try:
            return read_exports(file, None, self._ask.show_note)
        except EndpointMissing:
            return self._until_valid(lambda: read_exports(file, self._ask.endpoint()))

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
        person = self._services.add_local_member(stack, name, name)
        return SetUp(self._services.profiles.load(name), person)

    def _sign_in(self, profile: Profile) -> SetUp:
        login, prompter = self._services.login(profile), self._services.sign_in_prompter(profile.key)
        if login.is_signed_in():
            return SetUp(profile, login.sign_in(SignInRequest(), prompter))
        if profile.is_unconfirmed and profile.username:
            return self._sign_in_unconfirmed(profile, profile.username)
        username = self._until_valid(lambda: _checked_username(self._ask.username(profile.username)))
        asking = PasswordOnce(prompter)
        if not self._ask.has_account(username):
            try:
                self._create_account(profile, username, asking)
            except UsernameTaken as error:
                self._ask.show_rejection(error)
                if not self._ask.is_own(username):
                    return self._sign_in(profile._replace(username=None))
        return self._sign_in_as(profile, username, asking)

    def _sign_in_as(self, profile: Profile, username: str, prompter: PasswordOnce) -> SetUp:
        """Sign in to an account that exists, and save the user name; confirm the account first if necessary."""
        login, request = self._services.login(profile), SignInRequest(username)
        try:
            person = login.sign_in_with_password(request, prompter)
        except UserNotFound as error:
            self._ask.show_rejection(error)
            return self._sign_in(profile._replace(username=None))
        except AccountNotConfirmed:
            self._save(profile, username, unconfirmed=True)
            self._confirm(profile, username, None)
            person = login.sign_in_with_password(request, prompter)
        self._save(profile, username, unconfirmed=False)
        return SetUp(self._services.profiles.load(profile.key), person)

    def _sign_in_unconfirmed(self, profile: Profile, username: str) -> SetUp:
        """Continue with the code of an account that an earlier run has created."""
        try:
            self._confirm(profile, username, None)
        except CodeRefused:
            raise
        except SignInRefused as error:  # it was confirmed or deleted in the meantime
            self._ask.show_rejection(error)
            self._save(profile, username, unconfirmed=False)
            return self._sign_in(self._services.profiles.load(profile.key))
        return self._sign_in_as(profile, username, PasswordOnce(self._services.sign_in_prompter(profile.key)))

    def _save(self, profile: Profile, username: str, *, unconfirmed: bool) -> None:
        change = ProfileChange(username=username, unconfirmed=unconfirmed)
        self._services.editor.change(profile.key, change)

    def _create_account(self, profile: Profile, username: str, prompter: PasswordOnce) -> None:
        """Create and confirm the account. `prompter` gets its password. Raises `UsernameTaken`."""
        accounts = self._services.accounts(profile)
        email = self._until_valid(lambda: checked_email(self._ask.email()))

        def sign_up() -> CodeSent | None:
            prompter.known = checked_password(self._ask.chosen_password(username))
            return accounts.sign_up(username, prompter.known, email)

        sent = self._until_valid(sign_up, PasswordTooWeak)
        self._save(profile, username, unconfirmed=sent is not None)
        if sent:
            self._confirm(profile, username, sent)
            self._save(profile, username, unconfirmed=False)

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
