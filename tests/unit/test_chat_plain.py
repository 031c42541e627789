"""The plain form of the chat: what is announced, and when."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from io import StringIO

from aws_iot.chat.actions.base import Context
from aws_iot.chat.bridge import Bridge
from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.posts import Answered, post_of
from aws_iot.chat.model.reducer import Effects, start, update
from aws_iot.chat.model.state import LONGEST_WINDOW, PAGE, Link, Me, Reading, State, Status
from aws_iot.chat.plain.announcer import Announcer, thread
from aws_iot.chat.plain.app import PlainChat
from aws_iot.chat.plain.reader import AT_ONCE
from aws_iot.identities import short_identity
from tests.unit.test_chat_reducer import BEGAN, ME, message, opened, page


def plain_chat(
    bridge: Bridge, lines: list[str], begin: Callable[[], None] = lambda: None, stdin: StringIO | None = None
) -> PlainChat:
    """A plain chat that prints to `lines`."""
    context = Context(bridge, lambda: BEGAN, str, lambda _: None)
    return PlainChat(context, begin, stdin=stdin or StringIO(), write=lines.append)


def numbers(lines: object) -> list[int]:
    """Which messages were announced."""
    assert isinstance(lines, list)
    return [int(line.rpartition(" ")[2]) for line in lines if "text " in line]


def test_what_an_ended_chat_has_left_is_announced_once_but_not_what_was_just_typed() -> None:
    state, announcer = opened("lobby", "ops"), Announcer()
    update(state, on.Received([message(1)]))
    assert len([*announcer.lines(state)]) == 2
    for one in (
        on.Unsent("a", "lobby", "left here", BEGAN),
        on.Unsent("b", "lobby", "👍", BEGAN, "react", "id-1"),
        on.Unsent("c", "ops", "elsewhere", BEGAN),
        on.Submitted("lobby", "typed", "d", BEGAN),
    ):
        update(state, one)
    time = f"{BEGAN.astimezone():%H:%M}"
    name = f"alice~{short_identity(ME)}"
    assert [*announcer.lines(state)] == [
        f"{time} {name} (not sent yet): left here",
        "Not sent yet: react 👍",
    ]
    for id_ in ("a", "b", "d"):
        update(state, on.Acknowledged(id_))
    assert [*announcer.lines(state)] == []
    update(state, on.RoomOpened("ops"))
    assert [*announcer.lines(state)] == ["Room ops.", f"{time} {name} (not sent yet): elsewhere"]


def test_what_is_wrong_with_the_connection_is_announced_once_however_often_it_is_tried_again() -> None:
    state, announcer = opened(), Announcer()
    heard: list[str] = []
    connecting, refused = Status(Link.CONNECTING), Status(Link.OFFLINE, "refused", "do this")
    online, lost = Status(Link.ONLINE), Status(Link.LOST, "lost")
    for status in (
        connecting,
        refused,
        connecting,
        refused,
        connecting,
        lost,
        connecting,
        online,
        connecting,
    ):
        update(state, on.StatusChanged(status))
        heard += announcer.lines(state)
    assert [line for line in heard if not line.startswith("Room")] == [
        *("Connecting.", "refused", "do this", "lost", "Online.", "Connecting.")
    ]


def test_older_messages_are_announced_without_a_gap_and_once() -> None:
    state, announcer = opened(), Announcer()
    state.rooms["lobby"].posts.clear()
    update(state, page(*range(100, 200)))
    assert numbers([*announcer.lines(state)]) == [*range(200 - AT_ONCE, 200)]
    heard: list[int] = []
    for _ in range(9):
        heard = numbers(announcer.reader.older(state)) + heard
    assert heard == [*range(100, 200 - AT_ONCE)]
    assert announcer.reader.older(state) == [], "they are being read"
    assert [*announcer.lines(state)] == []
    update(state, page(*range(90, 100), part=on.Part.OLDER))
    assert numbers([*announcer.lines(state)]) == [*range(90, 100)]
    assert announcer.reader.older(state) == ["There are no older messages."]


def test_new_messages_are_announced_while_older_ones_wait() -> None:
    state, announcer = opened(), Announcer()
    assert [*announcer.lines(state)] == ["Room lobby. Your history of it begins here."]
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
    assert numbers(announcer.reader.older(state)) == [*range(40, 50)]
    update(state, on.Received([message(100)]))
    assert numbers([*announcer.lines(state)]) == [100]


def around(first: int, target: int, end: int, *, has_newer: bool) -> on.PageRead:
    """The page of the history around a message."""
    posts = [post_of(message(number)) for number in range(first, end)]
    key = post_of(message(target)).key
    return on.PageRead("lobby", on.Part.AROUND, posts, is_end=False, target=key, has_newer=has_newer)


def newer_page(first: int, end: int, *, is_end: bool) -> on.PageRead:
    posts = [post_of(message(number)) for number in range(first, end)]
    return on.PageRead("lobby", on.Part.NEWER, posts, is_end=is_end, edge=message(first - 1).received)


def newer(state: State, announcer: Announcer) -> list[str]:
    """What `/newer` prints, and what is printed right after it."""
    lines = announcer.reader.newer(state)
    update(state, on.Scrolled(announcer.reader.is_at_end, near_end=True))
    return [*lines, *announcer.lines(state)]


def test_newer_messages_are_announced_without_a_gap_after_you_went_to_one() -> None:
    state, announcer = opened(), Announcer()
    update(state, page(*range(900, 1000)))
    assert len([*announcer.lines(state)]) == AT_ONCE + 1
    update(state, around(50, 100, 151, has_newer=True))
    assert numbers([*announcer.lines(state)]) == [*range(100, 110)]
    heard: list[int] = []
    for _ in range(4):
        heard += numbers(newer(state, announcer))
    heard += numbers(newer(state, announcer))
    assert heard == [*range(110, 151)]
    assert newer(state, announcer) == [], "they are being read"
    assert state.room.window.reading is Reading.RUNNING
    update(state, newer_page(151, 175, is_end=True))
    assert numbers([*announcer.lines(state)]) == [*range(151, 161)]
    assert numbers(newer(state, announcer)) == [*range(161, 171)]
    was_at_end = state.look.is_at_end
    assert numbers(newer(state, announcer)) == [*range(171, 175)]
    assert (was_at_end, state.look.is_at_end) == (False, True), "the room is not read while some wait"
    assert newer(state, announcer) == ["There are no newer messages."]
    update(state, on.Received([message(175)]))
    assert numbers([*announcer.lines(state)]) == [175]


def test_the_newest_messages_are_announced_when_you_go_there_from_elsewhere() -> None:
    state, announcer = opened(), Announcer()
    update(state, page(*range(100)))
    assert len([*announcer.lines(state)]) == AT_ONCE + 1
    update(state, on.Went("lobby", ref="id-50"))
    assert numbers([*announcer.lines(state)]) == [*range(50, 60)]
    update(state, on.Jumped())
    assert numbers([*announcer.lines(state)]) == [*range(90, 100)]
    update(state, on.Received([message(100)]))
    assert numbers([*announcer.lines(state)]) == [100]


def test_the_newest_messages_are_announced_again_if_the_place_before_is_not_among_them() -> None:
    state, announcer = opened(), Announcer()
    update(state, page(*range(80, 180)))
    assert numbers([*announcer.lines(state)]) == [*range(170, 180)]
    update(state, around(0, 50, 101, has_newer=True))
    assert numbers([*announcer.lines(state)]) == [*range(50, 60)]
    update(state, on.Jumped())
    assert [*announcer.lines(state)] == [], "they are being read"
    update(state, page(*range(80, 180)))
    assert numbers([*announcer.lines(state)]) == [*range(170, 180)]
    update(state, on.Received([message(180)]))
    assert numbers([*announcer.lines(state)]) == [180]


def test_what_could_not_be_read_at_first_is_announced_as_when_a_room_is_opened() -> None:
    state, announcer = State(Me(ME, "alice")), Announcer()
    start(state, ("lobby",), {}, (), BEGAN)
    update(state, on.PageFailed("lobby"))
    assert [*announcer.lines(state)] == ["Room lobby."]
    assert do.ReadLast("lobby") in update(state, on.Ticked(1.0, 0.5))
    update(state, page(*range(PAGE)))
    assert numbers([*announcer.lines(state)]) == [*range(PAGE - AT_ONCE, PAGE)]


def test_a_thread_and_earlier_texts_are_printed_on_demand() -> None:
    state, announcer = opened(), Announcer()
    first, other, reply = (post_of(message(number)) for number in range(3))
    reply = replace(reply, answered=Answered("id-0", first.sender, "bob", first.text))
    update(state, on.PageRead("lobby", on.Part.LAST, [first, other, reply], is_end=True))
    assert len([*announcer.lines(state)]) == 4
    count, *lines = thread(state, reply)
    assert count == "The thread has 2 messages:"
    assert numbers(lines) == [0, 2]
    for _ in range(2):
        update(state, on.VersionsRead(first.key, ["one\ntwo", "three"]))
        assert [*announcer.lines(state)] == [
            "Its texts, the first one first:",
            *("1. one\n    | two", "2. three"),
        ]


def test_going_to_the_newest_message_tells_if_it_was_printed_already() -> None:
    class WithoutParts(Bridge):
        def carry_out(self, effects: Effects) -> None:
            """Nobody reads pages or saves marks."""

    state, lines = opened(), list[str]()
    screen = plain_chat(WithoutParts(state), lines)
    update(state, page(*range(100)))
    screen.draw()
    lines.clear()
    screen.enter("/newest")
    assert lines == ["The newest message was printed already."]
    update(state, on.Went("lobby", ref="id-50"))
    screen.draw()
    lines.clear()
    screen.enter("/newest")
    screen.draw()
    assert numbers(lines) == [*range(90, 100)]
    assert len(lines) == 10


def test_a_message_that_is_taken_back_is_printed_with_what_the_next_line_replies_to() -> None:
    bridge, lines = Bridge(opened()), list[str]()
    screen = plain_chat(bridge, lines)
    update(bridge.state, on.Received([message(1)]))
    update(bridge.state, on.Aimed(None, bridge.state.room.posts[0]))
    update(bridge.state, on.Submitted("lobby", "one\ntwo", "mine-1", BEGAN))
    screen.draw()
    lines.clear()
    update(bridge.state, on.Withdrawn("mine-1", "lobby", "one\ntwo"))
    screen.draw()
    screen.draw()
    assert lines == [
        "Taken back, to be entered again:\n    | one\n    | two",
        "Your next line replies to: text 1",
    ]


def test_of_several_links_the_next_line_chooses_one() -> None:
    bridge, lines = Bridge(opened()), list[str]()
    screen = plain_chat(bridge, lines)
    update(bridge.state, on.Received([message(1, text="https://a.example https://b@c.example")]))
    for line in ("/open", "2", "n", "/open 1", "n", "/open", "3"):
        screen.enter(line)
    listed = ["1. https://a.example", "2. to c.example: https://b@c.example", "Which link? (1-2)"]
    assert lines == [
        *listed,
        "This link leads to c.example, not to b. Open it all the same?  https://b@c.example (y/n)",
        "Cancelled.",
        "Open this link to a.example in your browser?  https://a.example (y/n)",
        "Cancelled.",
        *listed,
        "Cancelled.",
    ]


def test_the_first_line_waits_until_a_room_is_open() -> None:
    bridge, lines = Bridge(State(Me(ME, "alice"))), list[str]()

    def open_rooms() -> None:
        update(bridge.state, on.RoomsFound([]))
        screen.draw()

    def begin() -> None:
        screen.draw()
        asyncio.get_running_loop().call_soon(open_rooms)

    screen = plain_chat(bridge, lines, begin, StringIO("/rooms\n"))
    screen.run()
    assert lines[-1] == "lobby"
