"""The plain form of the chat: what is announced, and when."""

from aws_iot.chat.model import events as on
from aws_iot.chat.model.reducer import update
from aws_iot.chat.model.state import LONGEST_WINDOW
from aws_iot.chat.plain.announcer import AT_ONCE, Announcer
from tests.unit.test_chat_reducer import message, opened, page


def numbers(lines: object) -> list[int]:
    """Which messages were announced."""
    assert isinstance(lines, list)
    return [int(line.rpartition(" ")[2]) for line in lines if "text " in line]


def test_older_messages_are_announced_without_a_gap_and_once() -> None:
    state, announcer = opened(), Announcer()
    state.rooms["lobby"].posts.clear()
    update(state, page(*range(100, 200)))
    assert numbers([*announcer.lines(state)]) == [*range(200 - AT_ONCE, 200)]
    heard: list[int] = []
    for _ in range(9):
        heard = numbers(announcer.older(state)) + heard
    assert heard == [*range(100, 200 - AT_ONCE)]
    assert announcer.older(state) == [], "they are being read"
    assert [*announcer.lines(state)] == []
    update(state, page(*range(90, 100), part=on.Part.OLDER))
    assert numbers([*announcer.lines(state)]) == [*range(90, 100)]
    assert announcer.older(state) == ["There are no older messages."]


def test_new_messages_are_announced_while_older_ones_wait() -> None:
    state, announcer = opened(), Announcer()
    assert [*announcer.lines(state)] == ["Room lobby."]
    update(state, on.Received([message(number) for number in range(30)]))
    assert numbers([*announcer.lines(state)]) == [*range(30)]
    update(state, on.Received([message(number) for number in range(30, 2 * LONGEST_WINDOW)]))
    heard = numbers([*announcer.lines(state)])
    assert heard == [*range(2 * LONGEST_WINDOW)][-len(heard) :]
    assert len(heard) > LONGEST_WINDOW / 2


def test_where_the_person_goes_is_announced() -> None:
    state, announcer = opened(), Announcer()
    update(state, page(*range(100)))
    assert len([*announcer.lines(state)]) == AT_ONCE + 1
    update(state, on.Went("lobby", ref="id-50"))
    assert numbers([*announcer.lines(state)]) == [*range(50, 60)]
    assert numbers(announcer.older(state)) == [*range(40, 50)]
    update(state, on.Received([message(100)]))
    assert numbers([*announcer.lines(state)]) == [100]
