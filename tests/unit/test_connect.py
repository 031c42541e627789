"""Connecting: at once, or when an admin has accepted the identity."""

from collections.abc import Callable, Iterator
from itertools import chain, repeat

import pytest

from aws_iot.errors import NotAccepted, NothingArrived, TopicRefused, Unreachable
from aws_iot.messaging.connect import AcceptanceWait, acceptance_hint
from aws_iot.messaging.connection import Connection
from tests.fakes import FakeCloud, FakeConnection

REFUSED = NotAccepted("no admin has accepted the identity yet")
LOST = Unreachable("cannot reach the broker")


class Attempts:
    """Raises these errors, then connects. It records the pauses in between, and what was reported."""

    def __init__(self, *errors: Exception) -> None:
        self._errors: Iterator[Exception | None] = chain(errors, repeat(None))
        self.pauses: list[float] = []
        self.reports: list[NotAccepted] = []

    def __call__(self) -> Connection:
        if error := next(self._errors):
            raise error
        cloud = FakeCloud()
        cloud.members.add("alice")
        return FakeConnection(cloud, "alice")

    def wait(self) -> Connection:
        return AcceptanceWait(self.pauses.append, self.reports.append).connect(self)


def test_an_accepted_identity_connects_at_once() -> None:
    attempts = Attempts()
    assert attempts.wait()
    assert (attempts.pauses, attempts.reports) == ([], [])


def test_it_tries_until_an_admin_has_accepted_the_identity_and_reports_once() -> None:
    attempts = Attempts(*[REFUSED] * 7)
    assert attempts.wait()
    assert attempts.pauses == [5, 7.5, 11.25, 16.875, 25.3125, 30, 30]
    assert attempts.reports == [REFUSED]


def test_a_lost_network_ends_only_the_first_attempt() -> None:
    with pytest.raises(Unreachable):
        Attempts(LOST).wait()
    attempts = Attempts(REFUSED, LOST, REFUSED)
    assert attempts.wait()
    assert len(attempts.pauses) == 3


@pytest.mark.parametrize(
    ("seconds", "refusals", "pauses"),
    [(4.0, 9, [4]), (12.5, 9, [5, 7.5]), (20.0, 9, [5, 7.5, 7.5]), (20.0, 2, [5, 7.5])],
)
def test_the_wait_can_be_limited(seconds: float, refusals: int, pauses: list[float]) -> None:
    attempts = Attempts(*[REFUSED] * refusals)
    wait = AcceptanceWait(
        attempts.pauses.append, attempts.reports.append, seconds, clock=lambda: sum(attempts.pauses)
    )
    if refusals == 2:
        assert wait.connect(attempts)
        assert wait.left == 7.5
    else:
        with pytest.raises(
            NothingArrived, match=f"no admin has accepted the identity within {seconds:g} seconds"
        ):
            wait.connect(attempts)
    assert attempts.pauses == pauses


def test_a_limit_without_a_wait_is_left_whole() -> None:
    wait = AcceptanceWait(lambda _: None, lambda _: None, 3.0)
    assert wait.connect(Attempts())
    assert wait.left == 3.0


@pytest.mark.parametrize("before", [[], [REFUSED]])
def test_other_errors_end_the_wait(before: list[Exception]) -> None:
    error = TopicRefused("no")
    wait: Callable[[], Connection] = Attempts(*before, error).wait
    with pytest.raises(TopicRefused):
        wait()


def test_the_command_to_accept_a_person_asks_for_a_policy_that_the_profile_does_not_name() -> None:
    profile = FakeCloud().profile._replace(username="al b", policy_name="team")
    command = "Ask an admin to run: aws-iot admin accept us-east-1:1 --user 'al b'"
    assert acceptance_hint(profile, "us-east-1:1").splitlines()[0] == command
    of_npm_tool = profile._replace(policy_name=None)
    assert acceptance_hint(of_npm_tool, "us-east-1:1").splitlines()[0] == f"{command} --policy POLICY"


def test_an_admin_is_told_the_profile_that_has_the_credentials() -> None:
    profile = FakeCloud().profile._replace(key="local", policy_name=None, admin_credentials_file="keys")
    assert acceptance_hint(profile, "us-east-1:1").splitlines()[0] == (
        "Accept it yourself: aws-iot admin accept us-east-1:1 --policy POLICY -k local"
    )
