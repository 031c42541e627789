"""What several unit tests share."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from aws_iot.auth.credentials import Credentials
from aws_iot.messaging.client import Client
from aws_iot.publishing.publisher import Connect
from tests.fakes import FakeApp, FakeCloud


@pytest.fixture
def connect(app: FakeApp, cloud: FakeCloud) -> Connect:
    """Connects as Alice, a member."""
    identity, profile = cloud.member("alice", "Passw0rd"), app.config.profiles.load("default")

    def credentials() -> Credentials:
        raise AssertionError("a connection in memory needs none")

    @contextmanager
    def connect(_: bool) -> Iterator[list[Client]]:
        connection = app.messaging.connect(profile, identity, credentials)
        yield [app.messaging.client(profile, connection, identity, "alice")]
        connection.close()

    return connect
