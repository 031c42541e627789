"""Several programs that find the same session ending renew it once."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws_iot.auth.login import SignIn
from aws_iot.auth.session import Answer, Challenge, Session
from aws_iot.auth.session_store import Kept, SessionCache
from aws_iot.config.profile import Profile
from aws_iot.config.secrets import SecretStore
from aws_iot.errors import AwsIotError
from tests.fakes import FakeAccounts, FakeCloud, FakeIssuer

PROGRAMS = 8


def nobody(challenge: Challenge, _: AwsIotError | None) -> Answer:
    raise AssertionError(challenge)


class CountingAccounts(FakeAccounts):
    """Counts renewals."""

    renewals = 0

    def renew(self, session: Session) -> Session:
        CountingAccounts.renewals += 1
        return super().renew(session)


def test_of_several_programs_that_find_a_session_ending_one_renews_it(tmp_path: Path) -> None:
    cloud = FakeCloud()
    cloud.member("alice", "Passw0rd")
    profile = replace(cloud.profile, key="team")
    secrets = SecretStore(tmp_path / "secrets", keyring=lambda: None)
    accounts, issuer = CountingAccounts(cloud), FakeIssuer(cloud)

    def program() -> SignIn:
        return SignIn(
            profile,
            SessionCache(tmp_path / "records", tmp_path / "cache", secrets),
            lambda: accounts,
            lambda: issuer,
            lambda: datetime.now(UTC),
            10,
        )

    first = program().by_password("alice", "Passw0rd", nobody)
    ending = replace(first.credentials, expires=datetime.now(UTC) + timedelta(minutes=1))
    program().keep(Kept(first.session, ending))

    found: list[Kept | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(program().kept("alice"))) for _ in range(PROGRAMS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert CountingAccounts.renewals == 1
    assert len({kept.session.id_token for kept in found if kept}) == 1
    assert len(found) == PROGRAMS


class Meanwhile(FakeAccounts):
    """While a session is renewed, something else happens."""

    happens: Callable[[], object] = staticmethod(lambda: None)

    def renew(self, session: Session) -> Session:
        renewed = super().renew(session)
        self.happens()
        return renewed


@pytest.fixture
def cloud() -> FakeCloud:
    cloud = FakeCloud()
    for name in ("alice", "bob"):
        cloud.member(name, "Passw0rd")
    return cloud


def world(tmp_path: Path, cloud: FakeCloud) -> tuple[Meanwhile, SessionCache, Profile, Callable[[], SignIn]]:
    profile = replace(cloud.profile, key="team")
    secrets = SecretStore(tmp_path / "secrets", keyring=lambda: None)
    cache = SessionCache(tmp_path / "records", tmp_path / "cache", secrets)
    accounts, issuer = Meanwhile(cloud), FakeIssuer(cloud)

    def program() -> SignIn:
        return SignIn(profile, cache, lambda: accounts, lambda: issuer, lambda: datetime.now(UTC), 10)

    return accounts, cache, profile, program


def about_to_end(kept: Kept) -> Kept:
    ending = replace(kept.credentials, expires=datetime.now(UTC) + timedelta(minutes=1))
    return replace(kept, credentials=ending)


def test_who_signs_out_while_another_program_renews_stays_signed_out(
    tmp_path: Path, cloud: FakeCloud
) -> None:
    accounts, cache, profile, program = world(tmp_path, cloud)
    program().keep(about_to_end(program().by_password("alice", "Passw0rd", nobody)))
    accounts.happens = lambda: program().end(everywhere=False)
    assert program().kept("alice") is None
    assert cache.load(profile) is None
    assert cache.left_over("team") is None


def test_who_signs_in_while_another_s_session_is_renewed_stays_signed_in(
    tmp_path: Path, cloud: FakeCloud
) -> None:
    accounts, cache, profile, program = world(tmp_path, cloud)
    program().keep(about_to_end(program().by_password("alice", "Passw0rd", nobody)))
    bob = program().by_password("bob", "Passw0rd", nobody)
    accounts.happens = lambda: program().keep(bob)
    assert program().kept("alice") is None
    kept = cache.load(profile)
    assert kept
    assert kept.session.username == "bob"
    assert cache.whole(profile, kept).session.refresh_token == bob.session.refresh_token


def test_a_session_of_a_program_s_own_outlives_the_one_that_is_kept(tmp_path: Path, cloud: FakeCloud) -> None:
    _, _, _, program = world(tmp_path, cloud)
    program().keep(program().by_password("alice", "Passw0rd", nobody))
    own = program().by_password("alice", "Passw0rd", nobody)
    keys = program().credentials(about_to_end(own))
    program().end(everywhere=False)
    assert keys.current().expires > datetime.now(UTC) + timedelta(minutes=30)


def test_what_is_left_of_a_session_that_is_known_no_more_is_revoked(tmp_path: Path, cloud: FakeCloud) -> None:
    _, _, _, program = world(tmp_path, cloud)
    kept = program().by_password("alice", "Passw0rd", nobody)
    program().keep(kept)
    (tmp_path / "records" / "team.json").write_text("damaged")
    assert program().end(everywhere=False)
    assert kept.session.refresh_token not in cloud.tokens
    assert not program().end(everywhere=False)
