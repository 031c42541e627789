"""Acknowledgements: given in any order, passed to the broker in the order of delivery."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.messaging.deliveries import Acknowledgements


def acknowledgements(deliveries: int) -> tuple[Acknowledgements, list[int]]:
    passed: list[int] = []
    given = Acknowledgements(passed.append)
    given.delivered = deliveries
    return given, passed


@pytest.mark.parametrize(
    ("acks", "passed"),
    [
        ([1, 2, 3], [1, 1, 1]),
        ([2, 1, 3], [2, 1]),
        ([3, 2, 1], [3]),
        ([2, 3], []),
        ([1, 1, 2, 1], [1, 1]),
    ],
)
def test_an_acknowledgement_waits_for_those_of_earlier_deliveries(acks: list[int], passed: list[int]) -> None:
    given, told = acknowledgements(3)
    for number in acks:
        given.ack(number)
    assert told == passed
    assert given.are_due == (sum(passed) < 3)


@pytest.mark.parametrize(
    ("before", "multiple", "after", "passed"),
    [
        ([], 3, [], [3]),
        ([2, 4], 3, [], [4]),
        ([1, 2], 1, [], [1, 1]),
        ([2], 1, [], [2]),
        ([3], 2, [4], [3, 1]),
    ],
)
def test_one_acknowledgement_can_include_all_earlier_deliveries(
    before: list[int], multiple: int, after: list[int], passed: list[int]
) -> None:
    given, told = acknowledgements(4)
    for number in before:
        given.ack(number)
    given.ack(multiple, multiple=True)
    for number in after:
        given.ack(number)
    assert told == passed


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.permutations(range(1, 9)), st.sets(st.integers(1, 8)))
def test_nothing_is_passed_too_early_too_late_or_twice(order: list[int], multiple: set[int]) -> None:
    given, told = acknowledgements(8)
    acknowledged: set[int] = set()
    for number in order:
        acknowledged |= set(range(1, number + 1)) if number in multiple else {number}
        given.ack(number, multiple=number in multiple)
        in_order = next((n - 1 for n in range(1, 10) if n not in acknowledged), 8)
        assert sum(told) == in_order
    assert not given.are_due
