"""LocalMembers: people who can talk at once on the local stack: account, session, accepted identity, profile."""

from collections.abc import Callable

from aws_iot.auth.accounts import Accounts
from aws_iot.auth.login import Login, SignInRequest
from aws_iot.auth.profile_editor import ProfileEditor
from aws_iot.auth.prompter import NoPrompter
from aws_iot.auth.session_store import SessionStore
from aws_iot.auth.token_refresher import ActiveSession
from aws_iot.backend.members import Members
from aws_iot.config.profile import Profile
from aws_iot.errors import AccountNotConfirmed, UsernameTaken
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

    def add(self, name: str) -> ActiveSession:
        """Make `name` a member, with a profile of that name.

        Raises `WrongPassword` if the account exists with another password, and has no saved session.
        """
        profile = self._profile._replace(key=name, username=name)
        accounts = self._accounts(profile)
        try:
            accounts.sign_up(name, PASSWORD, f"{name}@example.com")
            accounts.confirm(name, CONFIRMATION_CODE)
        except UsernameTaken:
            pass
        self._editor.replace(name, profile)
        try:
            person = self._sign_in(profile)
        except AccountNotConfirmed:
            accounts.confirm(name, CONFIRMATION_CODE)
            person = self._sign_in(profile)
        self._members.accept(person.identity, profile.policy_name or "", name)
        self._sessions.note_connected(name, person.identity)  # it could now
        return person

    def _sign_in(self, profile: Profile) -> ActiveSession:
        request = SignInRequest(profile.username, PASSWORD)
        saved, login = self._sessions.load(profile), self._login(profile)
        if saved and saved.username == profile.username:
            return login.sign_in(request, NoPrompter(profile.key))
        return login.sign_in_with_password(request, NoPrompter(profile.key))
