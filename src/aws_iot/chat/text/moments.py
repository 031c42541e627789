"""Moments: spans of time in words, by the clock of this machine."""

from datetime import datetime


def are_on_one_day(since: datetime, until: datetime) -> bool:
    """Whether a span of time begins and ends on the same day, here."""
    return since.astimezone().date() == until.astimezone().date()


def between(since: datetime, until: datetime) -> str:
    """A span of time, as in "between 14:02 and 14:09"."""
    begin, end = _ends(since, until, "%Y-%m-%d %H:%M")
    return f"at {end}" if begin == end else f"between {begin} and {end}"


def span(since: datetime, until: datetime) -> str:
    """The same for a narrow screen, as in "14:02–14:09"."""
    begin, end = _ends(since, until, "%m-%d %H:%M")
    return end if begin == end else f"{begin}–{end}"


def _ends(since: datetime, until: datetime, with_date: str) -> tuple[str, str]:
    form = "%H:%M" if are_on_one_day(since, until) else with_date
    return f"{since.astimezone():{form}}", f"{until.astimezone():{form}}"
