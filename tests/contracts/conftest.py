"""Each contract runs twice: on the fakes, and on the real adapters against the local stack."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from aws_iot.app import App
from aws_iot.auth.accounts import Accounts
from aws_iot.auth.credentials import CredentialIssuer, Credentials
from aws_iot.auth.session import Session
from aws_iot.config.profile import Profile
from aws_iot.messaging.connection import Connection
from tests.fakes import CODE, FakeApp, FakeCloud
from tests.processes import PASSWORD, Stack, session_of, totp


@dataclass(frozen=True)
class Services:
    """What stands behind the three seams, and how an admin accepts somebody there."""

    app: App
    profile: Profile
    accounts: Accounts
    issuer: CredentialIssuer
    accept: Callable[[str], None]
    code_of: Callable[[str], str]


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

    def code_of(self, secret: str) -> str:
        """What an authenticator app with this secret shows now."""
        return self.services.code_of(secret)

    def account(self, username: str) -> None:
        """A confirmed account of that name."""
        self.accounts.sign_up(username, PASSWORD, f"{username}@example.com")
        self.accounts.confirm(username, "123456")

    def sign_in(self, username: str, password: str) -> Session:
        """A session of an account that nothing else is asked of."""
        return session_of(self.accounts, username, password)

    def credentials(self, username: str) -> Credentials:
        """Credentials of an account."""
        return self.issuer.issue(self.sign_in(username, PASSWORD))

    def connect(self, credentials: Credentials) -> Connection:
        """A connection, closed when the test ends."""
        connection = self.services.app.messaging.connect(
            self.profile, credentials.identity, lambda: credentials
        )
        self.opened.append(connection)
        return connection


@pytest.fixture(scope="session")
def real_services(stack: Stack) -> Services:
    """The real adapters on the local stack; their clients take a while to make."""
    app = stack.app()
    return Services(
        app,
        stack.profile,
        app.auth.accounts(stack.profile),
        app.auth.issuer(stack.profile),
        stack.accept,
        totp,
    )


@pytest.fixture(params=["fakes", "local stack"])
def world(request: pytest.FixtureRequest, app: FakeApp, cloud: FakeCloud) -> Iterator[World]:
    """The services, in memory or real."""
    if request.param == "fakes":
        accounts, issuer = app.auth.accounts(cloud.profile), app.auth.issuer(cloud.profile)
        world = World(Services(app, cloud.profile, accounts, issuer, cloud.members.add, lambda _: CODE))
    else:
        world = World(request.getfixturevalue("real_services"))
    yield world
    for connection in world.opened:
        connection.close()


@pytest.fixture
def username() -> str:
    """A name that no other test uses."""
    return f"user-{uuid.uuid4().hex[:8]}"
