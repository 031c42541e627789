"""Several programs that find the same session ending renew it once."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aws_iot.errors import AwsIotError
from aws_iot.kept import Kept, SessionCache, SignIn
from aws_iot.secret_store import SecretStore
from aws_iot.session import Answer, Challenge, Session
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
