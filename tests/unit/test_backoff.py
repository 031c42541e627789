"""Backoff: the delays between attempts."""

from itertools import islice

from aws_iot.backoff import Backoff


def test_each_delay_is_longer_by_the_factor_up_to_the_maximum() -> None:
    assert [*islice(Backoff(2, 1.5, 8), 6)] == [2, 3, 4.5, 6.75, 8, 8]


def test_a_factor_of_one_keeps_the_delay() -> None:
    assert [*islice(Backoff(0.1, 1, 30), 3)] == [0.1, 0.1, 0.1]


def test_a_first_delay_above_the_maximum_is_cut() -> None:
    assert Backoff(60, 2, 30).delay(0) == 30


def test_any_number_of_retries_has_a_delay() -> None:
    delays = Backoff(0.5, 2, 30)
    assert [delays.delay(retry) for retry in (5, 6, 1_000, 10**9)] == [16, 30, 30, 30]
