"""What several tests on the local stack need besides it."""

import uuid
from collections.abc import Iterator

import pytest

from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Connection
from tests.processes import Stack


@pytest.fixture(scope="module")
def speaker(stack: Stack) -> Iterator[Client]:
    """Somebody else in the rooms, in this process."""
    app, person = stack.app(), stack.person()
    credentials = app.auth.issuer(stack.profile).issue(stack.sign_in(person.username))
    connection: Connection = app.messaging.connect(stack.profile, person.identity, lambda: credentials)
    yield app.messaging.client(stack.profile, connection, person.identity, "bob")
    connection.close()


@pytest.fixture
def room() -> str:
    """A room that no other test uses."""
    return f"room-{uuid.uuid4().hex[:8]}"
