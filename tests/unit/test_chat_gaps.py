"""Where the conversation tells that messages may be missing."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws_iot.chat.model import events as on
from aws_iot.chat.model.gaps import MOST_GAPS, Gap, places
from aws_iot.chat.model.posts import Delivery, post_of
from aws_iot.chat.model.reducer import update
from aws_iot.chat.model.state import State
from aws_iot.chat.plain.announcer import Announcer
from aws_iot.chat.screen.drawing import Drawing, View
from aws_iot.chat.text.moments import between, span
from tests.unit.test_chat_reducer import BEGAN, at, message, opened, page

NOON = datetime(2026, 11, 27, 12).astimezone()
"""By the clock of this machine."""


def missed(since: float, until: float, room: str = "lobby") -> on.Missed:
    return on.Missed(room, at(since), at(until))


def drawn(state: State, columns: int = 60) -> list[str]:
    """The lines of the open room, without names, days and times."""
    lines = [line.text for line in Drawing().lines(state.room, columns, BEGAN, View.of(state))]
    return [line.strip("─ ›") for line in lines if "missing" in line or "text " in line]


def heard(state: State, announcer: Announcer) -> list[str]:
    """The same of what the plain form prints."""
    lines = [line.rpartition(": ")[2] for line in announcer.lines(state)]
    return [line for line in lines if "missing" in line or "text " in line]


def words(since: float, until: float) -> str:
    return f"essages {between(at(since), at(until))} may be missing"


def test_a_gap_has_a_line_between_what_arrived_before_and_after_it() -> None:
    state, announcer = opened("lobby", "ops"), Announcer()
    update(state, on.Received([message(1), message(2)]))
    assert heard(state, announcer) == ["text 1", "text 2"]
    update(state, missed(60, 480))
    assert drawn(state) == ["text 1", "text 2", f"m{words(60, 480)}"]
    assert heard(state, announcer) == [f"M{words(60, 480)}."]
    update(state, on.Received([message(480), message(481)]))
    assert drawn(state) == ["text 1", "text 2", f"m{words(60, 480)}", "text 480", "text 481"]
    assert heard(state, announcer) == ["text 480", "text 481"], "nothing is announced twice"
    assert state.rooms["ops"].gaps == ()


def test_what_arrives_in_the_millisecond_in_which_a_gap_ends_is_after_it() -> None:
    state, moment = opened(), at(10) + timedelta(microseconds=700)
    update(state, on.Missed("lobby", at(5), moment))
    update(state, on.Received([message(10, received=moment)]))
    assert drawn(state) == [f"m{words(5, 10)}", "text 10"]


def test_your_own_messages_that_have_not_come_back_are_after_the_gap() -> None:
    state = opened()
    update(state, on.Received([message(1)]))
    update(state, on.Submitted("lobby", "text of mine", "mine-1", at(100)))
    update(state, missed(60, 480))
    assert drawn(state) == ["text 1", f"m{words(60, 480)}", "○ text of mine"]


def test_gaps_without_a_message_in_between_are_one() -> None:
    state, announcer = opened(), Announcer()
    update(state, on.Received([message(1)]))
    for since in (60, 600, 1200):
        update(state, missed(since, since + 60))
    assert drawn(state) == ["text 1", f"m{words(60, 1260)}"]
    assert heard(state, announcer) == ["text 1", f"M{words(60, 1260)}."]
    update(state, on.Received([message(1300)]))
    update(state, missed(1800, 2400))
    assert drawn(state) == ["text 1", f"m{words(60, 1260)}", "text 1300", f"m{words(1800, 2400)}"]


def test_the_line_is_still_there_when_you_were_in_another_room_or_have_left_and_joined_again() -> None:
    state = opened("lobby", "ops")
    update(state, on.Received([message(1)]))
    update(state, missed(60, 480))
    update(state, on.RoomOpened("ops"))
    update(state, on.RoomOpened("lobby"))
    assert drawn(state) == ["text 1", f"m{words(60, 480)}"]
    update(state, on.RoomLeft("lobby"))
    update(state, on.RoomOpened("lobby"))
    update(state, page(1, 500))
    assert drawn(state) == ["text 1", f"m{words(60, 480)}", "text 500"]


def test_a_gap_of_a_part_that_is_not_in_memory_has_no_line() -> None:
    posts = [post_of(message(number)) for number in (10, 20)]
    gaps = [Gap(at(1), at(5)), Gap(at(12), at(15)), Gap(at(25), at(30))]
    assert places(gaps, posts, has_older=True, has_newer=True) == {1: gaps[1]}
    assert places(gaps, posts, has_older=False, has_newer=True) == {0: gaps[0], 1: gaps[1]}
    assert places(gaps, posts, has_older=True, has_newer=False) == {1: gaps[1], 2: gaps[2]}
    assert places(gaps, [], has_older=False, has_newer=False) == {0: Gap(at(1), at(30))}
    assert places([], posts, has_older=False, has_newer=False) == {}


def test_older_and_newer_messages_are_printed_with_the_gaps_between_them() -> None:
    state, announcer = opened(), Announcer()
    state.room.posts.clear()
    update(state, on.Missed("lobby", at(150), at(160)))
    update(state, page(*range(100, 150), *range(160, 200)))
    assert len(heard(state, announcer)) == 10
    pages = [announcer.reader.older(state) for _ in range(4)]
    missing = [[line for line in lines if "missing" in line] for lines in pages]
    assert missing == [[], [], [f"M{words(150, 160)}."], []]
    assert pages[2][0] == missing[2][0], "it is before text 160"


def test_only_so_many_gaps_are_remembered() -> None:
    state = opened()
    for number in range(2 * MOST_GAPS):
        update(state, missed(number, number + 0.5))
    assert len(state.room.gaps) == MOST_GAPS
    assert state.room.gaps[-1].until == at(2 * MOST_GAPS - 0.5)


@pytest.mark.parametrize(
    ("since", "until", "long", "short"),
    [
        (NOON, NOON + timedelta(minutes=7), "between 12:00 and 12:07", "12:00–12:07"),
        (NOON, NOON + timedelta(seconds=7), "at 12:00", "12:00"),
        (
            NOON - timedelta(days=1),
            NOON,
            "between 2026-11-26 12:00 and 2026-11-27 12:00",
            "11-26 12:00–11-27 12:00",
        ),
    ],
)
def test_a_gap_tells_its_days_if_it_has_several(
    since: datetime, until: datetime, long: str, short: str
) -> None:
    assert (between(since, until), span(since, until)) == (long, short)


def test_on_a_narrow_screen_the_line_is_short_but_whole() -> None:
    state = opened()
    update(state, on.Missed("lobby", NOON, NOON + timedelta(minutes=7)))
    assert drawn(state, 52) == ["messages between 12:00 and 12:07 may be missing"]
    assert drawn(state, 41) == ["12:00–12:07: messages may be missing"]
    assert drawn(state, 37) == ["may be missing: 12:00–12:07"]
    update(state, on.Missed("lobby", NOON, NOON + timedelta(days=1)))
    assert drawn(state, 46) == ["may be missing: 11-27 12:00–11-28 12:00"]


def test_a_gap_that_ends_on_a_later_day_is_below_the_line_of_that_day() -> None:
    state = opened()
    update(state, on.Received([message(1, received=NOON - timedelta(days=1))]))
    update(state, on.Missed("lobby", NOON, NOON + timedelta(minutes=7)))
    lines = [line.text.strip("─ ") for line in Drawing().lines(state.room, 60, NOON, View.of(state))]
    assert lines[-2:] == ["Today", "messages between 12:00 and 12:07 may be missing"]


def test_no_unsent_message_hides_a_gap_after_it_has_come_back() -> None:
    state = opened()
    update(state, on.Submitted("lobby", "text of mine", "mine-1", at(100)))
    update(state, missed(60, 480))
    update(state, on.Received([message(500, id="mine-1", sender=state.me.identity)]))
    assert state.room.posts[0].delivery is Delivery.ARRIVED
    assert drawn(state) == [f"m{words(60, 480)}", "text 500"]


@given(
    st.lists(st.integers(0, 100), unique=True),
    st.lists(st.tuples(st.integers(0, 100), st.integers(0, 10)), max_size=10),
)
def test_each_gap_is_between_what_arrived_before_and_after_its_end(
    arrived: list[int], spans: list[tuple[int, int]]
) -> None:
    posts = [post_of(message(number)) for number in sorted(arrived)]
    gaps = [Gap(at(since), at(since + seconds)) for since, seconds in spans]
    found = places(gaps, posts, has_older=False, has_newer=False)
    for index, shown in found.items():
        assert all(post.received < shown.until for post in posts[:index])
    for gap in gaps:
        index = sum(post.received < gap.until for post in posts)
        assert found[index].since <= gap.since
        assert found[index].until >= gap.until
