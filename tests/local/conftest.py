"""What several tests on the local stack need besides it."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.messaging.client import Client
from aws_iot.messaging.connection import Connection
from tests.conftest import CommandLine
from tests.processes import PASSWORD, Person, Stack


@pytest.fixture(scope="module")
def speaker(stack: Stack) -> Iterator[Client]:
    """Somebody else in the rooms, in this process."""
    app, person = stack.app(), stack.person()
    credentials = app.auth.issuer(stack.profile).issue(stack.sign_in(person.username))
    connection: Connection = app.messaging.connect(stack.profile, person.identity, lambda: credentials)
    yield app.messaging.client(stack.profile, connection, person.identity, "bob")
    connection.close()


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    """A member."""
    return stack.person()


@pytest.fixture
def real(tmp_path: Path, stack: Stack, person: Person, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command in this process, with the real services; `default` is the profile of `person`."""
    unwanted = (
        "AWS_CA_BUNDLE",
        "REQUESTS_CA_BUNDLE",
        "AWS_IOT_CONFIG_DIR",
        "AWS_PROFILE",
        "HTTPS_PROXY",
        "NO_PROXY",
        "HTTP_PROXY",
    )
    for name in [name for name in os.environ if name.upper() in unwanted]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_IOT_SECRETS", "file")  # never the tester's own keyring
    app = App.in_folder(tmp_path / "config")
    app.config.profiles.change("default", lambda _: stack.profile._replace(username=person.username))
    app.config.secrets.set("password", "default", person.username, PASSWORD)
    return CommandLine(app)


@pytest.fixture
def room() -> str:
    """A room that no other test uses."""
    return f"room-{uuid.uuid4().hex[:8]}"
