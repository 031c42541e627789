"""Times as people write them, in local time, also on the days on which clocks change."""

from datetime import UTC, datetime, timedelta

import pytest

from aws_iot.history.times import InvalidTime, parse

pytestmark = pytest.mark.usefixtures("berlin")

NOW = datetime(2026, 3, 31, 8, tzinfo=UTC)  # Tuesday, 10:00 in Berlin; clocks were set forward on Sunday


def span(text: str, now: datetime = NOW) -> tuple[str, str]:
    start, end = parse(text, now)
    assert start.tzinfo is end.tzinfo is UTC
    return f"{start:%m-%d %H:%M}", f"{end:%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", "03-31 08:00"),
        ("30s", "03-31 07:59"),
        ("30m", "03-31 07:30"),
        ("30 minutes ago", "03-31 07:30"),
        ("2h", "03-31 06:00"),
        ("1 hour", "03-31 07:00"),
        ("48h", "03-29 08:00"),
        ("2d", "03-29 08:00"),
        ("3d", "03-28 09:00"),  # the same time of day, 73 hours ago
        ("1w", "03-24 09:00"),
        ("9:30", "03-31 07:30"),
        ("09:30:15", "03-31 07:30"),
        ("14:00", "03-30 12:00"),  # it has not been 14:00 today
        ("today 14:00", "03-31 12:00"),
        ("Yesterday 14:00", "03-30 12:00"),
        ("monday 9:00", "03-30 07:00"),
        ("sat 9:00", "03-28 08:00"),
        ("2026-03-28 9:00", "03-28 08:00"),
        ("2026-03-28 09:00", "03-28 08:00"),
        ("2026-03-28T09:00", "03-28 08:00"),
        ("2026-03-28T09:00:00.5Z", "03-28 09:00"),
        ("2026-03-28t09:00z", "03-28 09:00"),
        ("2026-03-28 09:00+05:00", "03-28 04:00"),
        ("2026-03-29 02:30", "03-29 01:30"),  # skipped: 30 minutes after the change
    ],
)
def test_a_moment(text: str, moment: str) -> None:
    assert span(text) == (moment, moment)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("today", "03-30 22:00", "03-31 22:00"),
        ("yesterday", "03-29 22:00", "03-30 22:00"),
        ("tuesday", "03-30 22:00", "03-31 22:00"),
        ("last tuesday", "03-23 23:00", "03-24 23:00"),
        ("sunday", "03-28 23:00", "03-29 22:00"),  # a day of 23 hours
        ("2026-03-29", "03-28 23:00", "03-29 22:00"),
        ("2026-10-25", "10-24 22:00", "10-25 23:00"),  # a day of 25 hours
        ("2026-10-25 02:30", "10-25 00:30", "10-25 01:30"),  # it comes twice
    ],
)
def test_a_day_or_an_hour_that_comes_twice_has_a_start_and_an_end(text: str, start: str, end: str) -> None:
    assert span(text) == (start, end)


def test_a_time_with_seconds_that_is_still_to_come_today_is_yesterdays() -> None:
    assert span("9:30:15", NOW - timedelta(hours=2)) == ("03-30 07:30", "03-30 07:30")


@pytest.mark.parametrize(
    "text",
    ["", " ", "soon", "2x", "h", "-2h", "2hours30", "25:00", "12:60", "2026-02-30", "2026-13-01", "2026-1-1", "14",
     "yesterday noon", "mon tue", "99999999999w", "9999999999999999999999h", "2026-03-28T", "0000-01-01", "２ｈ"],
)  # fmt: skip
def test_an_error_lists_the_forms(text: str) -> None:
    with pytest.raises(InvalidTime, match="is not a time: use 30m, 2h"):
        parse(text, NOW)
