"""App: builds the parts of the program, and imports each service only when it is needed.

It builds parts, but decides and prints nothing. Commands get it from Click's context, so that tests can pass
another one.
"""

from __future__ import annotations  # so that what only types need is not imported

import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from aws_iot.config.paths import Folders
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from aws_iot.auth.accounts import Accounts
    from aws_iot.auth.credentials import CredentialIssuer, Credentials
    from aws_iot.auth.login import Login
    from aws_iot.auth.prompter import Prompter, SignInReporter
    from aws_iot.auth.session_store import SessionStore
    from aws_iot.auth.setup import Setup, SetupPrompter
    from aws_iot.backend.members import Members
    from aws_iot.backend.stack import Target
    from aws_iot.config.known_names import KnownNames
    from aws_iot.config.profile import Profile
    from aws_iot.config.profile_store import ProfileStore
    from aws_iot.config.secrets import Keyring, SecretStore
    from aws_iot.doctor.probes import Probes
    from aws_iot.history.saving.recorder import Recorder
    from aws_iot.local.members import LocalMembers
    from aws_iot.local.stack import LocalStack, Provisioned
    from aws_iot.messaging.client import Client
    from aws_iot.messaging.composer import SentSaver
    from aws_iot.messaging.connection import Connection, Publication
    from aws_iot.policy.reader import PolicyReader

TIMEOUT_SECONDS = 10.0
"""Default time limit of one step: a request, a connection, an acknowledgement."""


def has_terminal() -> bool:
    """Whether a person can be asked at a terminal, even if stdin and stdout are pipes."""
    if sys.stdin is not None and sys.stdin.isatty():
        return True
    try:
        os.close(os.open("/dev/tty", os.O_RDWR))
    except OSError:
        return False
    return True


def _now() -> datetime:
    return datetime.now(UTC)


def _ignore(_: str) -> None:
    pass


class Settings(NamedTuple):
    """What the parts depend on."""

    folders: Folders
    timeout: float = TIMEOUT_SECONDS
    """Time limit of one step, in seconds."""
    now: Callable[[], datetime] = _now
    pause: Callable[[float], None] = time.sleep
    """Waits for a number of seconds."""
    report: Callable[[str], None] = _ignore
    """Gets status messages of parts that have no reporter of their own."""
    has_terminal: Callable[[], bool] = has_terminal


class App:
    """A builder for each package, all with the same settings. The services are those of a profile's endpoints."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings(Folders())
        self.config = ConfigBuilder(self.settings)
        self.auth = AuthBuilder(self.settings, self.config)
        self.messaging = MessagingBuilder(self.settings, self.config)
        self.history = HistoryBuilder(self.settings, self.auth)
        self.doctor = DoctorBuilder(self.settings, self.config)
        self.admin = AdminBuilder(self.settings, self.config)
        self.local = LocalBuilder(self.settings, self.config, self.auth)

    def setup(self, prompter: SetupPrompter, sign_in_prompter: Callable[[str], Prompter]) -> Setup:
        """Leads a person to a profile in which they are signed in."""
        from aws_iot.auth.profile_editor import ProfileEditor
        from aws_iot.auth.setup import Setup, SetupServices

        profiles = self.config.profiles
        services = SetupServices(
            profiles,
            ProfileEditor(profiles, self.config.secrets, self.auth.sessions),
            self.settings.folders.local_stacks,
            self.auth.accounts,
            self.auth.login,
            sign_in_prompter,
            lambda stack, name, key: self.local.members(stack).add(name, key),
        )
        return Setup(services, prompter)

    @classmethod
    def in_folder(cls, folder: Path, **settings: Any) -> Self:
        """An app that saves everything in one folder. `settings` are fields of `Settings`."""
        return cls(Settings(Folders(folder), **settings))

    def replace(self, **settings: Any) -> Self:
        """The same app with other settings."""
        return type(self)(self.settings._replace(**settings))


class ConfigBuilder:
    """Builds the stores of what a person has set up."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @property
    def profiles(self) -> ProfileStore:
        """The saved profiles."""
        from aws_iot.config.profile_store import ProfileStore

        return ProfileStore(self._settings.folders.profiles)

    def known_names(self, key: str) -> KnownNames:
        """The names that shells complete for the profile `key`."""
        from aws_iot.config.known_names import KnownNames

        return KnownNames(self._settings.folders.known_names(key))

    @property
    def secrets(self) -> SecretStore:
        """Passwords, refresh tokens and the like. `AWS_IOT_SECRETS` decides where: `file` or `keyring`."""
        from aws_iot.config.secrets import SecretStore

        storage = os.environ.get("AWS_IOT_SECRETS")
        settings = self._settings
        return SecretStore(
            settings.folders.secrets, keyring=self._keyring, storage=storage, report=settings.report
        )

    def client_secret(self, profile: Profile) -> str | None:
        """The secret of the profile's app client, if it has one."""
        if not profile.client_has_secret:
            return None
        return self.secrets.get("client-secret", profile.key, profile.client_id)

    def require_stack(self, profile: Profile) -> None:
        """Raise `StackNotRunning` or `ProfileError` if the profile is of a local stack that cannot serve it."""
        if profile.local_stack:
            from aws_iot.config.local_stack import check_stack

            check_stack(profile)

    def _keyring(self) -> Keyring | None:
        from aws_iot.config import keyring

        return keyring.find()


class AuthBuilder:
    """Builds what signs a person in."""

    def __init__(self, settings: Settings, config: ConfigBuilder) -> None:
        self._settings = settings
        self._config = config

    @property
    def sessions(self) -> SessionStore:
        """The saved sessions."""
        from aws_iot.auth.session_store import SessionStore

        folders = self._settings.folders
        return SessionStore(folders.sessions, folders.tokens, self._config.secrets)

    def accounts(self, profile: Profile) -> Accounts:
        """The accounts of the profile's user pool."""
        from aws_iot.aws.cognito.accounts import CognitoAccounts
        from aws_iot.aws.cognito.user_pool import UserPool

        self._config.require_stack(profile)
        now, timeout = self._settings.now, self._settings.timeout
        return CognitoAccounts(UserPool(profile, now, timeout, self._config.client_secret(profile)))

    def issuer(self, profile: Profile) -> CredentialIssuer:
        """The profile's identity pool."""
        from aws_iot.aws.cognito.identity_pool import CognitoIdentityPool

        self._config.require_stack(profile)
        return CognitoIdentityPool(profile, self._settings.now, self._settings.timeout)

    def login(self, profile: Profile, reporter: SignInReporter | None = None) -> Login:
        """Signs people in with the profile. It imports and calls the services only if it must."""
        from aws_iot.auth.login import Login
        from aws_iot.auth.prompter import SilentReporter

        return Login(
            profile,
            self.sessions,
            self._config.secrets,
            lambda: self.accounts(profile),
            lambda: self.issuer(profile),
            self._settings.now,
            patience=3 * self._settings.timeout,  # a refresh takes two calls, and both may be slow
            reporter=reporter or SilentReporter(),
        )


class MessagingBuilder:
    """Builds connections, and clients that use them."""

    def __init__(self, settings: Settings, config: ConfigBuilder) -> None:
        self._settings = settings
        self._config = config

    def connect(
        self,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        durable: str | None = None,
        will: Publication | None = None,
        *,
        is_temporary: bool = False,
    ) -> Connection:
        """An open connection to the profile's broker. For the session and `will`, see `IotCoreConnection.open`."""
        from aws_iot.aws.iot.connection import IotCoreConnection

        self._config.require_stack(profile)
        now, timeout = self._settings.now, self._settings.timeout
        return IotCoreConnection.open(
            profile, identity, credentials, now, timeout, durable, will, is_temporary=is_temporary
        )

    def connect_several(
        self,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        count: int,
        meanwhile: Callable[[], object] = lambda: None,
    ) -> list[Connection]:
        """Several connections, opened at the same time. It calls `meanwhile` while they are being opened."""
        from aws_iot.aws.iot.connection import IotCoreConnection

        self._config.require_stack(profile)
        now, timeout = self._settings.now, self._settings.timeout
        return [
            *IotCoreConnection.open_several(profile, identity, credentials, now, timeout, count, meanwhile)
        ]

    def client(
        self,
        profile: Profile,
        connection: Connection,
        identity: str,
        username: str,
        durable: str | None = None,
        sent_saver: SentSaver | None = None,
        *,
        presence: bool = False,
    ) -> Client:
        """A client for the rooms of the profile's identity pool; `durable` is the session of the connection."""
        from aws_iot.messaging.client import Client

        settings = self.client_settings(profile, identity, username, durable)
        return Client(connection, **settings, sent_saver=sent_saver, presence=presence)

    def client_settings(
        self, profile: Profile, identity: str, username: str, durable: str | None
    ) -> dict[str, Any]:
        """What a `Client` needs besides its connection."""
        from aws_iot.messaging.durable import DurableSession

        folder = self._settings.folders.durable_sessions(profile.key)
        stream, numbers = os.urandom(16).hex(), count(1)
        return {
            "pool": profile.identity_pool_id,
            "identity": identity,
            "username": username,
            "now": self._settings.now,
            "new_id": lambda: f"{stream}-{next(numbers)}",  # receivers remember a number in one bit
            "durable": DurableSession(folder, durable, identity) if durable else None,
        }

    def forget_durable_sessions(self, key: str) -> None:
        """Delete the records of a profile's durable sessions. The broker discards the sessions later."""
        from aws_iot.messaging.durable import forget_all

        forget_all(self._settings.folders.durable_sessions(key))


class HistoryBuilder:
    """Builds what saves messages on this machine, and knows where."""

    def __init__(self, settings: Settings, auth: AuthBuilder) -> None:
        self._settings = settings
        self._auth = auth

    def file(self, profile: Profile, identity: str) -> Path:
        """The file of an identity, which may not exist yet. Raises `LocalError` for a profile that is not saved."""
        from aws_iot.history.saving.owners import history_file

        if not profile.key:
            raise LocalError("a profile without a key has no history: save it first, with `aws-iot config`")
        return history_file(self._settings.folders.history(profile.key), identity)

    def identity_of(self, profile: Profile, username: str) -> str | None:
        """The identity of a user who is signed in or whose messages were saved. It is known without a network."""
        from aws_iot.history.saving.owners import owners

        # The pools of a profile can change. Its signed-in user then has another identity than before.
        saved = self._auth.sessions.load(profile)
        if saved and saved.username == username:
            return saved.identity
        return owners(self._settings.folders.history(profile.key)).get(username)

    def recorder(
        self,
        profile: Profile,
        identity: str,
        username: str,
        warn: Callable[[LocalError], None],
        *,
        is_safe: bool = False,
    ) -> Recorder:
        """What saves the messages of a person; for the rest, see `Recorder`."""
        from aws_iot.history.saving.owners import note_owner
        from aws_iot.history.saving.recorder import Recorder

        path, now = self.file(profile, identity), self._settings.now
        with suppress(LocalError):  # the recorder warns if the folder cannot be written
            note_owner(path.parent, username, identity)

        def tidy() -> None:
            from aws_iot.history.store import History
            from aws_iot.history.upkeep.maintenance import apply_limits

            with History(path) as history:
                apply_limits(history, profile, now())

        has_limits = profile.history_days or profile.history_megabytes
        return Recorder(path, identity, warn, now, is_safe=is_safe, tidy=tidy if has_limits else None)


class DoctorBuilder:
    """Builds what `aws-iot doctor` checks with."""

    def __init__(self, settings: Settings, config: ConfigBuilder) -> None:
        self._settings = settings
        self._config = config

    def probes(self, profile: Profile, *, live_session: bool = False) -> Probes:
        """The probes for the services of the profile; see `AwsProbes`."""
        from aws_iot.aws.doctor.probes import AwsProbes

        now, timeout = self._settings.now, self._settings.timeout
        secret = self._config.client_secret(profile)
        return AwsProbes(profile, now, timeout, secret, live_session=live_session)


class AdminBuilder:
    """Builds what an admin works with. `aws_profile` names the profile in `~/.aws` with the admin's credentials."""

    def __init__(self, settings: Settings, config: ConfigBuilder) -> None:
        self._settings = settings
        self._config = config

    def members(self, profile: Profile, aws_profile: str | None) -> Members:
        """Accepts and revokes members."""
        from aws_iot.aws.admin.members import AwsMembers

        self._config.require_stack(profile)
        return AwsMembers(profile, self._settings.now, self._settings.timeout, aws_profile)

    def policy_reader(self, profile: Profile, aws_profile: str | None) -> PolicyReader:
        """Reads the policies of identities."""
        from aws_iot.aws.admin.policy_reader import AwsPolicyReader

        self._config.require_stack(profile)
        return AwsPolicyReader(profile, self._settings.now, self._settings.timeout, aws_profile)

    def deployment_target(
        self, name: str, region: str | None, aws_profile: str | None, profile: Profile | None = None
    ) -> Target:
        """The AWS account and region for the stack of this name, or of a `profile`."""
        from aws_iot.aws.admin.target import AwsTarget

        if profile:
            self._config.require_stack(profile)
        return AwsTarget(name, region, self._settings.now, self._settings.timeout, aws_profile, profile)


class LocalBuilder:
    """Builds the local stack."""

    def __init__(self, settings: Settings, config: ConfigBuilder, auth: AuthBuilder) -> None:
        self._settings = settings
        self._config = config
        self._auth = auth

    def stack(self, folder: Path, **settings: Any) -> LocalStack:
        """The local stack, which is deployed when it is entered; `settings` as in `local.engine.EngineSettings`.

        Raises `NotInstalled`.
        """
        from aws_iot.local.extra import require_extra

        require_extra()
        from aws_iot.local.engine import EngineSettings
        from aws_iot.local.stack import LocalStack

        return LocalStack(folder, self._provision, EngineSettings(**settings))

    def members(self, profile: Profile) -> LocalMembers:
        """Adds members to a running local stack, given by its own profile. Raises `NotInstalled`."""
        from aws_iot.local.extra import require_extra

        require_extra()
        from aws_iot.auth.profile_editor import ProfileEditor
        from aws_iot.aws.admin.members import AwsMembers
        from aws_iot.local.members import LocalMembers

        now, timeout = self._settings.now, self._settings.timeout
        sessions = self._auth.sessions
        editor = ProfileEditor(self._config.profiles, self._config.secrets, sessions)
        admin = AwsMembers(profile, now, timeout, None)  # with the credentials that the profile names
        return LocalMembers(profile, editor, self._auth.accounts, self._auth.login, admin, sessions)

    def _provision(self, stack: LocalStack) -> Provisioned:
        from aws_iot.aws.admin.cloudformation import CloudFormationStack
        from aws_iot.aws.admin.iam import make_administrator
        from aws_iot.aws.base.admin_credentials import AccessKeys
        from aws_iot.aws.base.calls import Service
        from aws_iot.aws.base.clients import Address
        from aws_iot.backend import template
        from aws_iot.backend.outputs import profile_from_outputs
        from aws_iot.local.engine import REGION
        from aws_iot.local.stack import ADMINISTRATOR, STACK, Provisioned

        now, timeout = self._settings.now, self._settings.timeout

        def service(name: str, who: AccessKeys) -> Service:
            return Service.signed(Address(name, REGION, stack.api_url), now, timeout, who)

        admin = make_administrator(service("iam", AccessKeys(stack.root_key, stack.root_key)), ADMINISTRATOR)
        deployed = CloudFormationStack(service("cloudformation", admin), STACK).create(template.text(), {})
        profile = profile_from_outputs(deployed.outputs, stack.endpoint)._replace(
            cognito_idp_url=stack.api_url,
            cognito_identity_url=stack.api_url,
            iot_url=stack.api_url,
            iam_url=stack.api_url,
            cloudformation_url=stack.api_url,
            ca_bundle=str(stack.ca_file),
        )
        return Provisioned(profile, admin.access_key_id, admin.secret_access_key)
