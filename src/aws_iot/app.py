"""App: picks what stands behind each seam, and imports it only then.

It makes parts; it decides nothing and prints nothing. Commands get it from Click's context, so
tests hand in another.
"""

from __future__ import annotations  # so that what only types need is not imported

import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_iot.config.paths import Folders

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_iot.auth.accounts import Accounts
    from aws_iot.auth.credentials import CredentialIssuer, Credentials
    from aws_iot.auth.login import Login
    from aws_iot.auth.prompter import Reporter
    from aws_iot.auth.session_store import SessionStore
    from aws_iot.backend.members import Members
    from aws_iot.backend.stack import Target
    from aws_iot.config.profile import Profile
    from aws_iot.config.profile_store import ProfileStore
    from aws_iot.config.secrets import Keyring, SecretStore
    from aws_iot.doctor.probes import Probes
    from aws_iot.local.stack import LocalStack, Provisioned
    from aws_iot.messaging.client import Client
    from aws_iot.messaging.connection import Connection
    from aws_iot.messaging.durable import DurableSession
    from aws_iot.policy.reader import PolicyReader
    from aws_iot.publishing.spool import Spool

TIMEOUT_SECONDS = 10.0
"""How long one step (a request, a connection, an acknowledgement) may take unless somebody says otherwise."""


class App:
    """The parts, with the services of the profile's endpoints behind them."""

    def __init__(
        self, config_folder: Path | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.folders = Folders(config_folder)
        self.now = now
        self.timeout = TIMEOUT_SECONDS
        self.report: Callable[[str], None] = lambda _: None
        self.pause: Callable[[float], None] = time.sleep

    def has_terminal(self) -> bool:
        """Whether somebody can be asked: at the terminal itself, whatever stdin and stdout are."""
        if sys.stdin is not None and sys.stdin.isatty():
            return True
        try:
            os.close(os.open("/dev/tty", os.O_RDWR))
        except OSError:
            return False
        return True

    @property
    def profiles(self) -> ProfileStore:
        """The stored profiles."""
        from aws_iot.config.profile_store import ProfileStore

        return ProfileStore(self.folders.profiles)

    @property
    def secrets(self) -> SecretStore:
        """Passwords, refresh tokens and the like. `AWS_IOT_SECRETS` says where: `file` or `keyring`."""
        from aws_iot.config.secrets import SecretStore

        place = os.environ.get("AWS_IOT_SECRETS")
        return SecretStore(self.folders.secrets, keyring=self._keyring, place=place, report=self.report)

    def spool(self, folder: Path, pool: str, speaker: str | None) -> Spool:
        """The messages of a user that wait in a folder, for an identity pool."""
        from aws_iot.publishing.spool import Spool

        return Spool(folder, pool, speaker)

    def _keyring(self) -> Keyring | None:
        from aws_iot.config import keyring

        return keyring.find()

    @property
    def sessions(self) -> SessionStore:
        """The saved sessions."""
        from aws_iot.auth.session_store import SessionStore

        return SessionStore(self.folders.sessions, self.folders.tokens, self.secrets)

    def accounts(self, profile: Profile) -> Accounts:
        """The accounts of the profile's user pool."""
        from aws_iot.aws.cognito.accounts import CognitoAccounts
        from aws_iot.aws.cognito.user_pool import UserPool

        return CognitoAccounts(UserPool(profile, self.now, self.timeout, self._client_secret(profile)))

    def _client_secret(self, profile: Profile) -> str | None:
        if not profile.client_has_secret:
            return None
        return self.secrets.get("client-secret", profile.key, profile.client_id)

    def issuer(self, profile: Profile) -> CredentialIssuer:
        """The profile's identity pool."""
        from aws_iot.aws.cognito.identity_pool import CognitoIdentityPool

        return CognitoIdentityPool(profile, self.now, self.timeout)

    def durable_session(self, profile: Profile, identity: str, name: str) -> DurableSession:
        """What is known here of the session that a broker keeps for an identity, under this name."""
        from aws_iot.messaging.durable import DurableSession

        return DurableSession(self.folders.durable_sessions(profile.key), name, identity)

    def forget_durable_sessions(self, key: str) -> None:
        """What is known of them under a profile; the broker forgets by itself."""
        from aws_iot.messaging.durable import forget_all

        forget_all(self.folders.durable_sessions(key))

    def connect(
        self,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        durable: str | None = None,
    ) -> Connection:
        """An open connection to the profile's broker, which keeps the session under the name `durable`."""
        from aws_iot.aws.iot.connection import IotCoreConnection

        return IotCoreConnection.open(profile, identity, credentials, self.now, self.timeout, durable)

    def connect_several(
        self, profile: Profile, identity: str, credentials: Callable[[], Credentials], count: int
    ) -> list[Connection]:
        """As `connect`, so many at once."""
        from aws_iot.aws.iot.connection import IotCoreConnection

        return [
            *IotCoreConnection.open_several(profile, identity, credentials, self.now, self.timeout, count)
        ]

    def probes(self, profile: Profile, *, live_session: bool = False) -> Probes:
        """The probes of doctor for the services of the profile; see `AwsProbes`."""
        from aws_iot.aws.doctor.probes import AwsProbes

        return AwsProbes(
            profile, self.now, self.timeout, self._client_secret(profile), live_session=live_session
        )

    def members(self, profile: Profile, aws_profile: str | None) -> Members:
        """Accepts and revokes members, for an admin."""
        from aws_iot.aws.admin.members import AwsMembers

        return AwsMembers(profile, self.now, self.timeout, aws_profile)

    def policy_reader(self, profile: Profile, aws_profile: str | None) -> PolicyReader:
        """Reads the policies of identities, for an admin."""
        from aws_iot.aws.admin.policy_reader import AwsPolicyReader

        return AwsPolicyReader(profile, self.now, self.timeout, aws_profile)

    def deployment_target(self, name: str, region: str | None, aws_profile: str | None) -> Target:
        """The AWS account and region for a stack, for an admin."""
        from aws_iot.aws.admin.target import AwsTarget

        return AwsTarget(name, region, self.now, self.timeout, aws_profile)

    def login(self, profile: Profile, reporter: Reporter | None = None) -> Login:
        """Signs people in with the profile. It imports and calls the services only if it must."""
        from aws_iot.auth.login import Login
        from aws_iot.auth.prompter import SilentReporter

        return Login(
            profile,
            self.sessions,
            self.secrets,
            lambda: self.accounts(profile),
            lambda: self.issuer(profile),
            self.now,
            patience=3 * self.timeout,  # a refresh takes two calls, and both may be slow
            reporter=reporter or SilentReporter(),
        )

    def client(
        self,
        profile: Profile,
        connection: Connection,
        identity: str,
        username: str,
        durable: str | None = None,
    ) -> Client:
        """The rooms of the profile's identity pool, over a connection of `identity`."""
        from aws_iot.messaging.client import Client

        return Client(
            connection,
            pool=profile.identity_pool_id,
            identity=identity,
            username=username,
            now=self.now,
            new_id=lambda: os.urandom(16).hex(),
            durable=self.durable_session(profile, identity, durable) if durable else None,
        )

    def local_stack(self, folder: Path, **settings: Any) -> LocalStack:
        """The local stack, which is deployed when it is entered; `settings` as in `local.engine.Settings`.

        Raises `NotInstalled`.
        """
        from aws_iot.local.extra import require_extra

        require_extra()
        from aws_iot.local.engine import Settings
        from aws_iot.local.stack import LocalStack

        return LocalStack(folder, self._provision, Settings(**settings))

    def _provision(self, stack: LocalStack) -> Provisioned:
        from dataclasses import replace

        from aws_iot.aws.admin.cloudformation import CloudFormationStack
        from aws_iot.aws.admin.iam import make_administrator
        from aws_iot.aws.base.admin_credentials import AccessKeys
        from aws_iot.aws.base.calls import Service
        from aws_iot.aws.base.clients import Address
        from aws_iot.backend import template
        from aws_iot.backend.outputs import profile_from_outputs
        from aws_iot.local.engine import REGION
        from aws_iot.local.stack import ADMINISTRATOR, STACK, Provisioned

        def service(name: str, who: AccessKeys) -> Service:
            return Service.signed(Address(name, REGION, stack.api_url), self.now, self.timeout, who)

        admin = make_administrator(service("iam", AccessKeys(stack.root_key, stack.root_key)), ADMINISTRATOR)
        stack_ = CloudFormationStack(service("cloudformation", admin), STACK)
        made = stack_.create(template.text(), {})
        profile = replace(
            profile_from_outputs(made.outputs, stack.endpoint),
            cognito_idp_url=stack.api_url,
            cognito_identity_url=stack.api_url,
            iot_url=stack.api_url,
            iam_url=stack.api_url,
            ca_bundle=str(stack.ca_file),
        )
        return Provisioned(profile, admin.access_key_id, admin.secret_access_key)
