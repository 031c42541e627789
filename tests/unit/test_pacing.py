"""Pacing: one connection stays below the service's limits."""

import pytest

from aws_iot.publishing.pacing import Pacer


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_messages_are_spread_over_each_second() -> None:
    clock = Clock()
    pacer = Pacer(100, 0, clock)
    for _ in range(1000):
        clock.now += pacer.delay(10)
    assert clock.now == pytest.approx(9.99)


def test_large_messages_are_spread_by_their_bytes() -> None:
    clock = Clock()
    pacer = Pacer(100, 1000, clock)
    for _ in range(10):
        clock.now += pacer.delay(500)
    assert clock.now == pytest.approx(4.5)


def test_after_a_pause_a_fiftieth_of_a_second_can_be_made_up() -> None:
    clock = Clock()
    pacer = Pacer(100, 0, clock)
    clock.now = 1000.0
    sent = 0
    while pacer.delay(0) == 0:
        sent += 1
    assert sent in (2, 3)


def test_all_messages_can_be_held_back() -> None:
    clock = Clock()
    pacer = Pacer(100, 0, clock)
    clock.now = 1000.0
    pacer.hold(0.5)
    assert [pacer.delay(0), pacer.delay(0)] == pytest.approx([0.5, 0.51])


def test_without_limits_there_is_no_delay() -> None:
    pacer = Pacer(0, 0, Clock())
    assert {pacer.delay(10**9) for _ in range(100)} == {0.0}
