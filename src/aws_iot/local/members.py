"""LocalMembers: people who can talk at once on the local stack: account, session, accepted identity, profile."""

from collections.abc import Callable
from contextlib import suppress

from aws_iot.auth.accounts import Accounts
from aws_iot.auth.login import Login, SignInRequest
from aws_iot.auth.profile_editor import ProfileEditor
from aws_iot.auth.prompter import NoPrompter
from aws_iot.auth.session_store import SessionStore
from aws_iot.auth.token_refresher import ActiveSession
from aws_iot.backend.members import Members
from aws_iot.config.profile import Profile
from aws_iot.errors import AccountNotConfirmed, LocalError, SignInRefused, UsernameTaken
from aws_iot.local.stack import CONFIRMATION_CODE

PASSWORD = "Passw0rd"  # noqa: S105 every user of the local stack may know it
"""The password of every member. It protects nothing: only programs on this machine reach the stack."""


class LocalMembers:
    """Adds members to a local stack that runs. Nothing that exists is created again."""

    def __init__(
        self,
        profile: Profile,
        editor: ProfileEditor,
        accounts: Callable[[Profile], Accounts],
        login: Callable[[Profile], Login],
        members: Members,
        sessions: SessionStore,
    ) -> None:
        """`profile` is the stack's own. `members` has the keys of its administrator."""
        self._profile = profile
        self._editor = editor
        self._accounts = accounts
        self._login = login
        self._members = members
        self._sessions = sessions

    def add(self, name: str, key: str | None = None) -> ActiveSession:
        """Make `name` a member, with a profile of that name, or else under `key`.

        Raises `WrongPassword` if the account exists with another password, and has no saved session.
        """
        key = key or name
        profile = self._profile._replace(key=key, username=name)
        accounts = self._accounts(profile)
        try:
            accounts.sign_up(name, PASSWORD, f"{name}@example.com")
            accounts.confirm(name, CONFIRMATION_CODE)
        except UsernameTaken:
            pass
        self._editor.replace(key, profile)
        try:
            person = self._sign_in(profile)
        except AccountNotConfirmed:
            accounts.confirm(name, CONFIRMATION_CODE)
            person = self._sign_in(profile)
        self._members.accept(person.identity, profile.policy_name or "", name)
        self._sessions.note_connected(key, person.identity)  # it could now
        return person

    def restore(self) -> None:
        """Give members their profiles back that a start with other accounts has replaced."""
        names = {record.username for record in self._members.records().values() if record.username}
        for name in sorted(names):
            with suppress(LocalError, SignInRefused):  # such as a name that cannot be a key; another password
                profile = self._editor.existing(name)
                is_own = profile and profile.local_stack == self._profile.local_stack
                if profile and is_own and profile.user_pool_id != self._profile.user_pool_id:
                    self.add(name)

    def _sign_in(self, profile: Profile) -> ActiveSession:
        request = SignInRequest(profile.username, PASSWORD)
        saved, login = self._sessions.load(profile), self._login(profile)
        if saved and saved.username == profile.username:
            return login.sign_in(request, NoPrompter(profile.key))
        return login.sign_in_with_password(request, NoPrompter(profile.key))
