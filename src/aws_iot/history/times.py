"""Times as people write them, in local time.

A text means a span: `yesterday` is a whole day, `14:00` a moment. So `--since yesterday` begins with that day, and
`--until yesterday` ends with it.

When clocks are set back, an hour comes twice. A time in it means both: it begins at the first and ends at the second.
When clocks are set forward, an hour is skipped. A time in it means the moment that many minutes after the change.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

from aws_iot.errors import LocalError

FORMS = (
    "30m, 2h, 3d or 1w ago; 14:00; today, yesterday or monday, also with a time; 2026-01-31, 2026-01-31 14:00, or"
    " 2026-01-31T14:00:00Z"
)
"""The forms of a time, for help and errors."""

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class InvalidTime(LocalError):
    """The text does not have the form of a time."""

    exit_code = 2


class Span(NamedTuple):
    """From the first moment, which is included, to the end, which is not, unless they are the same. In UTC."""

    start: datetime
    end: datetime


def parse(text: str, now: datetime) -> Span:
    """The span that a text means. `now` needs a time zone. Raises `InvalidTime`."""
    words = " ".join(text.lower().split())
    try:
        for form in (_now, _ago, _iso, _day_and_time):
            if found := form(words, now):
                return found
    except (ValueError, OverflowError, OSError):  # such as 2026-02-30, 25:00 or 99999999w
        pass
    raise InvalidTime(f"'{text}' is not a time: use {FORMS}")


def _now(words: str, now: datetime) -> Span | None:
    return Span(now.astimezone(UTC), now.astimezone(UTC)) if words == "now" else None


def _ago(words: str, now: datetime) -> Span | None:
    found = re.fullmatch(r"(\d+) ?(s|m|h|d|w)[a-z]*(?: ago)?", words)
    if not found or not _is_unit(words):
        return None
    number, unit = int(found[1]), found[2]
    if unit in "dw":  # the same time of day, whatever its distance in hours
        then = now.astimezone() - timedelta(**{_UNITS[unit]: number})
        return _moment(then.replace(tzinfo=None))
    start = now.astimezone(UTC) - timedelta(**{_UNITS[unit]: number})
    return Span(start, start)


def _is_unit(words: str) -> bool:
    unit = re.sub(r"[\d ]", "", words.removesuffix(" ago"))
    return any(unit in (short, name, name[:-1]) for short, name in _UNITS.items()) or unit in ("min", "mins")


def _iso(words: str, _: datetime) -> Span | None:
    if not re.match(r"\d{4}-", words) or re.fullmatch(r"\d{4}-\d\d-\d\d \d:.*", words):
        return None
    if re.fullmatch(r"\d{4}-\d\d-\d\d", words):
        return _day(date.fromisoformat(words))
    found = datetime.fromisoformat(words.upper())
    if found.tzinfo:
        return Span(found.astimezone(UTC), found.astimezone(UTC))
    return _moment(found)


def _day_and_time(words: str, now: datetime) -> Span | None:
    day_text, _, time_text = words.rpartition(" ")
    is_day_only = ":" not in time_text
    day = _day_of(words if is_day_only else day_text, now.astimezone().date())
    if day is None:
        return None
    if is_day_only:
        return _day(day) if words else None
    if not re.fullmatch(r"\d{1,2}:\d\d(:\d\d)?", time_text):
        return None
    time_of_day = time.fromisoformat(time_text.zfill(5 if time_text.count(":") == 1 else 8))
    span = _moment(datetime.combine(day, time_of_day))
    if not day_text and span.start > now:  # 14:00 in the morning is yesterday's
        return _moment(datetime.combine(day - timedelta(days=1), time_of_day))
    return span


def _day_of(words: str, today: date) -> date | None:
    """The date that a word means. A weekday is the last one, today included."""
    if words in ("", "today"):
        return today
    if words == "yesterday":
        return today - timedelta(days=1)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", words):
        return date.fromisoformat(words)
    name = words.removeprefix("last ")
    named = [number for number, day in enumerate(_DAYS) if name in (day, day[:3])]
    if not named:
        return None
    back = (today.weekday() - named[0]) % 7
    return today - timedelta(days=back or (7 if name != words else 0))


def _day(day: date) -> Span:
    return Span(
        _moment(datetime.combine(day, time())).start,
        _moment(datetime.combine(day + timedelta(days=1), time())).start,
    )


def _moment(local: datetime) -> Span:
    """The span of a local time without time zone: see the rules above."""
    first, second = sorted(local.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
    is_skipped = first.astimezone().replace(tzinfo=None, fold=0) != local
    return Span(second, second) if is_skipped else Span(first, second)
