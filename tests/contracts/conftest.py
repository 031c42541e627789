"""Each contract runs twice: on the fakes, and on the real adapters against the local stack."""

import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from aws_iot.app import App
from aws_iot.auth.accounts import Accounts
from aws_iot.auth.credentials import CredentialIssuer, Credentials
from aws_iot.auth.session import Session
from aws_iot.config.profile import Profile
from aws_iot.doctor.probes import Probes
from aws_iot.messaging.connection import Connection, Publication
from aws_iot.policy.reader import PolicyReader
from tests.fakes import CODE, FakeApp, FakeCloud
from tests.processes import PASSWORD, Stack, session_of, totp


@dataclass(frozen=True)
class Services:
    """The services, and what only their owner can do there.

    `accept` makes an identity a member. `session_of` signs in if the test is not about that. `code_of` is what an
    authenticator app with this secret shows now. `invite` creates an account as an admin does, with a temporary
    password.
    """

    app: App
    profile: Profile
    accounts: Accounts
    issuer: CredentialIssuer
    accept: Callable[[str], None]
    session_of: Callable[[str], Session]
    code_of: Callable[[str], str]
    invite: Callable[[str, str], None]


@dataclass(frozen=True)
class World:
    """One set of services, and the connections that a test opened there."""

    services: Services
    opened: list[Connection] = field(default_factory=list)

    @property
    def profile(self) -> Profile:
        return self.services.profile

    @property
    def accounts(self) -> Accounts:
        return self.services.accounts

    @property
    def issuer(self) -> CredentialIssuer:
        return self.services.issuer

    @property
    def policy_reader(self) -> PolicyReader:
        return self.services.app.admin.policy_reader(self.profile, None)

    @property
    def probes(self) -> Probes:
        return self.services.app.doctor.probes(self.profile)

    def account(self, username: str) -> None:
        """A confirmed account of that name."""
        self.accounts.sign_up(username, PASSWORD, f"{username}@example.com")
        self.accounts.confirm(username, "123456")

    def sign_in(self, username: str, password: str) -> Session:
        """A session of an account that nothing else is asked of."""
        return session_of(self.accounts, username, password)

    def credentials(self, username: str) -> Credentials:
        """Credentials of an account."""
        return self.issuer.issue(self.services.session_of(username))

    def connect(
        self,
        credentials: Credentials,
        durable: str | None = None,
        will: Publication | None = None,
        *,
        is_temporary: bool = False,
    ) -> Connection:
        """A connection, closed when the test ends."""
        connection = self.services.app.messaging.connect(
            self.profile, credentials.identity, lambda: credentials, durable, will, is_temporary=is_temporary
        )
        self.opened.append(connection)
        return connection


@pytest.fixture(scope="session")
def real_services(stack: Stack) -> Services:
    """The real adapters on the local stack; their clients take a while to make."""
    app = stack.app()

    def invite(username: str, password: str) -> None:
        stack.user_pool.admin_create_user(
            UserPoolId=stack.profile.user_pool_id,
            Username=username,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
        )

    return Services(
        app,
        stack.profile,
        app.auth.accounts(stack.profile),
        app.auth.issuer(stack.profile),
        stack.accept,
        stack.sign_in,
        totp,
        invite,
    )


@pytest.fixture(params=["fakes", "local stack"])
def world(request: pytest.FixtureRequest, app: FakeApp, cloud: FakeCloud) -> Iterator[World]:
    """The services, in memory or real."""
    if request.param == "fakes":
        accounts = app.auth.accounts(cloud.profile)
        services = Services(
            app,
            cloud.profile,
            accounts,
            app.auth.issuer(cloud.profile),
            cloud.members.add,
            lambda username: session_of(accounts, username),
            lambda _: CODE,
            cloud.invite,
        )
        world = World(services)
    else:
        world = World(request.getfixturevalue("real_services"))
    yield world
    for connection in world.opened:
        connection.close()


@pytest.fixture
def admin(world: World, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> World:
    """The same, where this process has the AWS credentials and settings of an admin of the local stack."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in stack.account_env.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    return world


@pytest.fixture
def username() -> str:
    """A name that no other test uses."""
    return f"user-{uuid.uuid4().hex[:8]}"
