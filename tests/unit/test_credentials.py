"""RefreshingCredentials are valid at every call."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from aws_iot.auth.credentials import REFRESH_BEFORE, Credentials, RefreshingCredentials
from aws_iot.auth.login import SignInRequest
from aws_iot.auth.session import RefreshToken, Session
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
    """Issues credentials that are valid for an hour, after it has raised the `refusals`."""

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


@pytest.mark.parametrize("left", [HOUR, REFRESH_BEFORE + SECOND, REFRESH_BEFORE])
def test_credentials_are_not_refreshed_too_early(left: timedelta) -> None:
    clock = Clock()
    pool = Pool(clock)
    refreshing = RefreshingCredentials(FIRST, pool, clock)
    clock.time = FIRST.expires - left
    assert refreshing.current() is FIRST
    assert pool.calls == 0


@pytest.mark.parametrize("left", [REFRESH_BEFORE - SECOND, SECOND, timedelta(0), -HOUR])
def test_credentials_are_refreshed_shortly_before_they_expire_and_after(left: timedelta) -> None:
    clock = Clock()
    refreshing = RefreshingCredentials(FIRST, Pool(clock), clock)
    clock.time = FIRST.expires - left
    assert refreshing.current() == keys("AKIA1", clock.time + HOUR)


def test_refreshed_credentials_are_used_until_they_expire() -> None:
    clock = Clock()
    refreshing = RefreshingCredentials(FIRST, Pool(clock), clock)
    given = []
    for _ in range(3):
        clock.time += HOUR
        given += [refreshing.current().access_key_id, refreshing.current().access_key_id]
    assert given == ["AKIA1", "AKIA1", "AKIA2", "AKIA2", "AKIA3", "AKIA3"]


def test_an_error_of_a_refresh_reaches_the_caller_and_the_next_call_tries_again() -> None:
    clock = Clock()
    pool = Pool(clock, Unreachable("no network"), Unreachable("still none"))
    refreshing = RefreshingCredentials(FIRST, pool, clock)
    clock.time += HOUR
    for told in ("no network", "still none"):
        with pytest.raises(Unreachable, match=told):
            refreshing.current()
    assert refreshing.current().access_key_id == "AKIA3"
    assert pool.calls == 3


def test_of_several_threads_one_refreshes() -> None:
    clock = Clock()
    pool = Pool(clock)
    given: list[Credentials] = []
    others = [threading.Thread(target=lambda: given.append(refreshing.current())) for _ in range(4)]

    def issue() -> Credentials:
        # Calls during a refresh: none returns or refreshes before it is done.
        for thread in others:
            if thread.ident is None:
                thread.start()
        others[-1].join(0.1)
        assert given == []
        return pool()

    refreshing = RefreshingCredentials(FIRST, issue, clock)
    clock.time += HOUR
    mine = refreshing.current()
    for thread in others:
        thread.join(DEADLINE_SECONDS)
    assert [one is mine for one in given] == [True] * 4
    assert pool.calls == 1


def test_secrets_are_not_in_the_repr_of_credentials() -> None:
    assert "secret" not in repr(FIRST)
    assert "AKIA0" in repr(FIRST)


def test_secrets_are_not_in_the_repr_of_a_session() -> None:
    session = Session("alice", "secret-id", "secret-access", RefreshToken("alice", "secret-refresh"), START)
    assert "secret" not in repr(session)
    assert "alice" in repr(session)


def test_secrets_are_not_in_the_repr_of_a_sign_in_request() -> None:
    request = SignInRequest("alice", "secret-password", answers={"code": "secret-code"})
    assert "secret" not in repr(request)
    assert "alice" in repr(request)
