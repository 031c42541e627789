"""Credentials are valid whenever they are asked for."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from aws_iot.auth.credentials import RENEW_BEFORE, Credentials, RenewingCredentials
from aws_iot.auth.session import Session
from aws_iot.errors import Unreachable
from tests.waiting import DEADLINE_SECONDS

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


class Clock:
    """A clock that stands still until it is set."""

    def __init__(self) -> None:
        self.time = START

    def __call__(self) -> datetime:
        return self.time


class Pool:
    """Gives keys that live for an hour; raises what `refusals` holds first."""

    def __init__(self, clock: Clock, *refusals: Exception) -> None:
        self.calls = 0
        self._clock = clock
        self._refusals = list(refusals)

    def __call__(self) -> Credentials:
        self.calls += 1
        if self._refusals:
            raise self._refusals.pop(0)
        return keys(f"AKIA{self.calls}", self._clock() + HOUR)


def keys(access_key_id: str, expires: datetime) -> Credentials:
    return Credentials("us-east-1:4f9fa251", access_key_id, "secret-key", "secret-token", expires)


FIRST = keys("AKIA0", START + HOUR)


@pytest.mark.parametrize("left", [HOUR, RENEW_BEFORE + SECOND, RENEW_BEFORE])
def test_credentials_are_not_renewed_earlier_than_needed(left: timedelta) -> None:
    clock = Clock()
    pool = Pool(clock)
    renewing = RenewingCredentials(FIRST, pool, clock)
    clock.time = FIRST.expires - left
    assert renewing.current() is FIRST
    assert pool.calls == 0


@pytest.mark.parametrize("left", [RENEW_BEFORE - SECOND, SECOND, timedelta(0), -HOUR])
def test_credentials_are_renewed_shortly_before_they_end_and_when_they_have_ended(left: timedelta) -> None:
    clock = Clock()
    renewing = RenewingCredentials(FIRST, Pool(clock), clock)
    clock.time = FIRST.expires - left
    assert renewing.current() == keys("AKIA1", clock.time + HOUR)


def test_renewed_credentials_are_kept_until_they_end_in_turn() -> None:
    clock = Clock()
    renewing = RenewingCredentials(FIRST, Pool(clock), clock)
    given = []
    for _ in range(3):
        clock.time += HOUR
        given += [renewing.current().access_key_id, renewing.current().access_key_id]
    assert given == ["AKIA1", "AKIA1", "AKIA2", "AKIA2", "AKIA3", "AKIA3"]


def test_what_renewing_raises_reaches_the_caller_and_the_next_call_tries_again() -> None:
    clock = Clock()
    pool = Pool(clock, Unreachable("no network"), Unreachable("still none"))
    renewing = RenewingCredentials(FIRST, pool, clock)
    clock.time += HOUR
    for told in ("no network", "still none"):
        with pytest.raises(Unreachable, match=told):
            renewing.current()
    assert renewing.current().access_key_id == "AKIA3"
    assert pool.calls == 3


def test_of_several_threads_that_find_credentials_ending_one_renews() -> None:
    clock = Clock()
    pool = Pool(clock)
    given: list[Credentials] = []
    others = [threading.Thread(target=lambda: given.append(renewing.current())) for _ in range(4)]

    def issue() -> Credentials:
        # Those who come while one renews: nobody gets an answer, or renews too, before it is done.
        for thread in others:
            if thread.ident is None:
                thread.start()
        others[-1].join(0.1)
        assert given == []
        return pool()

    renewing = RenewingCredentials(FIRST, issue, clock)
    clock.time += HOUR
    mine = renewing.current()
    for thread in others:
        thread.join(DEADLINE_SECONDS)
    assert [one is mine for one in given] == [True] * 4
    assert pool.calls == 1


def test_secrets_are_not_in_the_repr_of_credentials() -> None:
    assert "secret" not in repr(FIRST)
    assert "AKIA0" in repr(FIRST)


def test_secrets_are_not_in_the_repr_of_a_session() -> None:
    session = Session("alice", "secret-id", "secret-access", "secret-refresh", START)
    assert "secret" not in repr(session)
    assert "alice" in repr(session)
