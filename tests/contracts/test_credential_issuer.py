"""What every `CredentialIssuer` has to do."""

from datetime import UTC, datetime, timedelta

import pytest

from aws_iot.errors import CredentialsRefused
from tests.contracts.conftest import World
from tests.processes import PASSWORD


def test_credentials_last_an_hour(world: World, username: str) -> None:
    world.account(username)
    credentials = world.issuer.issue(world.sign_in(username, PASSWORD))
    assert timedelta(minutes=50) < credentials.expires - datetime.now(UTC) <= timedelta(hours=1)
    assert credentials.access_key_id
    assert credentials.secret_access_key
    assert credentials.session_token


def test_a_person_has_the_same_identity_at_every_sign_in(world: World, username: str) -> None:
    world.account(username)
    assert world.credentials(username).identity == world.credentials(username).identity


def test_two_people_have_two_identities(world: World, username: str) -> None:
    world.account(username)
    world.account(f"{username}-2")
    assert world.credentials(username).identity != world.credentials(f"{username}-2").identity


def test_an_altered_token_is_rejected(world: World, username: str) -> None:
    world.account(username)
    session = world.sign_in(username, PASSWORD)
    with pytest.raises(CredentialsRefused):
        world.issuer.issue(session._replace(id_token=session.id_token[:-8] + "AAAAAAAA"))


def test_an_access_token_is_rejected(world: World, username: str) -> None:
    world.account(username)
    session = world.sign_in(username, PASSWORD)
    with pytest.raises(CredentialsRefused):
        world.issuer.issue(session._replace(id_token=session.access_token))


def test_a_known_identity_saves_looking_it_up(world: World, username: str) -> None:
    world.account(username)
    session = world.sign_in(username, PASSWORD)
    first = world.issuer.issue(session)
    assert world.issuer.issue(session, first.identity).identity == first.identity
