"""Who is here: what chats tell each other, when, and how often."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.people import people_of
from aws_iot.chat.model.posts import post_of
from aws_iot.chat.model.presence import (
    ANSWER_SECONDS,
    ASK_SECONDS,
    BEAT_SECONDS,
    DECISION_SECONDS,
    IDLE_SECONDS,
    LATE_SECONDS,
    LIFE_SECONDS,
    MOST_ANSWERS,
    MOST_CHATS,
    MOST_SEEN,
    QUIET_SECONDS,
    TYPING_SECONDS,
    TYPING_SHOWN_SECONDS,
    Presence,
)
from aws_iot.chat.model.reducer import farewells, update
from aws_iot.chat.model.state import Link, State, Status
from aws_iot.messaging.kinds import PRESENCE, Sign
from aws_iot.messaging.message import decode
from tests.chats import Chat, chatting, run, say
from tests.fakes import POOL, FakeApp, FakeCloud
from tests.unit.test_chat_reducer import BEGAN, BOB, ME, message, opened

CAROL = "us-east-1:ca401000-0ed5-4578-add0-985024739222"
NOW = 1_000_000.0
ONLINE = on.StatusChanged(Status(Link.ONLINE))


def chat(*rooms: str, mode: str = "on") -> State:
    """A chat that is online in these rooms, and has told nothing yet."""
    state = opened(*rooms)
    state.presence = Presence(mode, "mine", clock=NOW)
    update(state, ONLINE)
    update(state, on.RoomsJoined([*state.rooms]))
    return state


def tick(state: State, at: float, chance: float = 0.0) -> list[tuple[str, Sign]]:
    """What is told so many seconds later."""
    effects = update(state, on.Ticked(NOW + at, chance))
    return [(effect.room, effect.sign) for effect in effects if isinstance(effect, do.Announce)]


def sign(
    one: Sign, *, sender: str = BOB, chat: str = "theirs", room: str = "lobby", **more: Any
) -> on.Sensed:
    told = message(1, sender=sender, room=room, kind=PRESENCE, text=one.value, re=chat, **more)
    return on.Sensed([told])


def signs(state: State) -> dict[str, Sign | None]:
    return {one.identity: one.sign for one in people_of(state)}


def press(state: State) -> None:
    update(state, on.Pressed())


def test_a_room_is_told_once_that_you_have_joined_and_then_once_an_hour() -> None:
    state = chat("lobby", "ops")
    assert tick(state, 0) == [("lobby", Sign.JOINED), ("ops", Sign.JOINED)]
    for at in range(0, int(BEAT_SECONDS), 60):
        press(state)
        assert tick(state, at) == []
    assert tick(state, BEAT_SECONDS) == [("lobby", Sign.ONLINE), ("ops", Sign.ONLINE)]


def test_whether_others_are_here_is_unknown_until_they_have_had_the_time_to_answer() -> None:
    def unknown(state: State) -> list[str]:
        return [one.identity for one in people_of(state) if one.is_unknown]

    state = chat()
    update(state, on.Received([message(1), message(2, sender=CAROL)]))
    update(state, on.StatusChanged(Status(Link.CONNECTING)))
    assert unknown(state) == [CAROL, BOB]
    update(state, ONLINE)
    update(state, on.RoomsJoined(["lobby"]))
    assert tick(state, 0) == [("lobby", Sign.JOINED)]
    tick(state, 2)
    update(state, sign(Sign.ONLINE))
    assert unknown(state) == [CAROL]
    before = state.presence.shown
    tick(state, ANSWER_SECONDS[0] + LATE_SECONDS)
    assert unknown(state) == [CAROL], (
        "her chat may have answered somebody just before, and then answers later"
    )
    tick(state, DECISION_SECONDS + ANSWER_SECONDS[0] + LATE_SECONDS)
    assert unknown(state) == []
    assert state.presence.shown != before, "it is drawn again"
    update(state, on.StatusChanged(Status(Link.LOST)))
    assert unknown(state) == [BOB, CAROL], "without a connection, nobody tells that they leave"
    state = chat(mode="off")
    update(state, on.Received([message(1)]))
    assert unknown(state) == []


def test_nothing_is_told_before_a_room_is_joined_or_without_a_connection_or_if_presence_is_off() -> None:
    state = opened()
    state.presence = Presence("on", "mine")
    update(state, on.RoomsJoined(["lobby"]))
    assert tick(state, 0) == []
    state = chat(mode="off")
    update(state, sign(Sign.JOINED))
    assert tick(state, 0) == tick(state, BEAT_SECONDS) == []
    assert farewells(state) == []
    assert signs(state) == {}


def test_a_connection_that_is_lost_time_and_again_does_not_ask_time_and_again() -> None:
    state = chat()
    told = []
    for at in range(0, int(ASK_SECONDS) + 60, 60):
        press(state)
        told += tick(state, at)
        update(state, on.StatusChanged(Status(Link.LOST)))
        assert tick(state, at + 2) == []
        update(state, ONLINE)
        update(state, on.RoomsJoined(["lobby"]))
    assert [one for _, one in told] == [Sign.JOINED, *[Sign.ONLINE] * 9, Sign.JOINED]


def test_who_joins_is_answered_once_after_a_while_and_several_with_one_message() -> None:
    state = chat()
    tick(state, 0)
    update(state, sign(Sign.JOINED))
    assert tick(state, 2, chance=0.5) == []
    update(state, sign(Sign.JOINED, sender=CAROL))
    assert tick(state, 4) == [("lobby", Sign.ONLINE)]
    assert tick(state, 6) == tick(state, 60) == []


def test_who_joins_right_after_an_answer_gets_the_next_one() -> None:
    state = chat()
    tick(state, 0)
    update(state, sign(Sign.JOINED))
    tick(state, 2)
    update(state, sign(Sign.JOINED, sender=CAROL))
    assert tick(state, 4) == []
    assert tick(state, 2 + DECISION_SECONDS) == [("lobby", Sign.ONLINE)]


def test_in_a_large_room_a_few_answer() -> None:
    answers = 0
    for number in range(100):
        state = chat()
        tick(state, 0)
        for other in range(99):
            update(state, sign(Sign.ONLINE, sender=f"id-{other}"))
        update(state, sign(Sign.JOINED))
        answers += len(tick(state, 2, number / 100)) + len(tick(state, 100))
    assert answers == MOST_ANSWERS


def test_idle_is_told_in_the_open_room_and_so_is_the_next_key() -> None:
    state = chat("lobby", "ops")
    tick(state, 0)
    assert tick(state, IDLE_SECONDS - 1) == []
    assert tick(state, IDLE_SECONDS) == [("lobby", Sign.IDLE)]
    assert signs(state) == {ME: Sign.IDLE}
    assert tick(state, IDLE_SECONDS + 2) == []
    update(state, on.Typed("lobby", "h"))
    assert tick(state, IDLE_SECONDS + 4) == [("lobby", Sign.ONLINE)]
    assert signs(state) == {ME: Sign.ONLINE}


def test_a_room_that_was_told_that_you_are_idle_learns_better_when_you_open_it() -> None:
    state = chat("lobby", "ops")
    tick(state, 0)
    tick(state, IDLE_SECONDS)
    update(state, on.RoomOpened("ops"))
    assert tick(state, IDLE_SECONDS + 2) == []
    update(state, on.RoomOpened("lobby"))
    assert tick(state, IDLE_SECONDS + 4) == [("lobby", Sign.ONLINE)]


def test_typing_is_told_seldom_and_only_to_people_who_know_presence() -> None:
    state = chat(mode="typing")
    tick(state, 0)
    assert typing(state, "h") == []
    update(state, sign(Sign.ONLINE))
    assert typing(state, "/he") == typing(state, " ") == []
    assert typing(state, "he") == [do.Announce("lobby", Sign.TYPING)]
    assert typing(state, "hel") == []
    tick(state, TYPING_SECONDS)
    assert typing(state, "hell") == [do.Announce("lobby", Sign.TYPING)]
    for other in range(20):
        update(state, sign(Sign.ONLINE, sender=f"id-{other}"))
    tick(state, 2 * TYPING_SECONDS)
    assert typing(state, "hello") == []


def typing(state: State, text: str) -> list[do.Effect]:
    return [one for one in update(state, on.Typed("lobby", text)) if isinstance(one, do.Announce)]


def test_typing_is_not_told_unless_you_want_it() -> None:
    state = chat()
    tick(state, 0)
    update(state, sign(Sign.ONLINE))
    assert typing(state, "h") == []


def test_who_types_is_shown_as_typing_until_they_write_or_stop() -> None:
    state = chat()
    tick(state, 0)
    update(state, sign(Sign.TYPING))
    assert signs(state)[BOB] is Sign.TYPING
    update(state, on.Received([message(2)]))
    assert signs(state)[BOB] is Sign.ONLINE
    update(state, sign(Sign.TYPING))
    tick(state, TYPING_SHOWN_SECONDS)
    assert signs(state)[BOB] is Sign.ONLINE


def test_people_are_listed_by_what_they_do_and_who_has_only_written_last() -> None:
    state = chat()
    tick(state, 0)
    update(state, on.Received([message(2, sender="us-east-1:written", name="dave")]))
    update(state, sign(Sign.IDLE))
    update(state, sign(Sign.ONLINE, sender=CAROL))
    assert [(one.name, one.sign) for one in people_of(state)] == [
        ("alice", Sign.ONLINE),
        ("bob", Sign.ONLINE),
        ("bob", Sign.IDLE),
        ("dave", None),
    ]
    update(state, on.Received([message(3)]))
    assert signs(state)[BOB] is Sign.ONLINE, "who writes is not idle"


def test_who_leaves_a_room_is_still_in_others_and_who_goes_offline_is_nowhere() -> None:
    state = chat("lobby", "ops")
    for room in ("lobby", "ops"):
        update(state, sign(Sign.ONLINE, room=room))
    update(state, sign(Sign.LEFT))
    assert not state.presence.here("lobby")
    assert state.presence.here("ops")
    update(state, sign(Sign.OFFLINE))
    assert not state.presence.here("ops")


def test_who_comes_back_to_a_room_sees_whom_it_knew_and_asks_again_as_soon_as_that_is_allowed() -> None:
    state = chat("lobby", "ops")
    assert ("lobby", Sign.JOINED) in tick(state, 0)
    update(state, sign(Sign.ONLINE))
    update(state, on.RoomLeft("lobby"))
    update(state, on.RoomOpened("lobby"))
    update(state, on.RoomsJoined(["lobby"]))
    assert tick(state, 1) == [("lobby", Sign.ONLINE)]
    assert state.presence.here("lobby")
    update(state, on.Pressed())
    assert tick(state, ASK_SECONDS) == [("lobby", Sign.JOINED)]
    assert state.presence.here("lobby"), "the answers are still on their way"
    tick(state, ASK_SECONDS + 61)
    assert not state.presence.here("lobby"), "nobody has answered"


def test_the_end_of_one_chat_is_not_the_end_of_another_one_of_the_same_person() -> None:
    state = chat()
    update(state, sign(Sign.ONLINE, chat="before"))
    update(state, sign(Sign.JOINED, chat="after"))
    update(state, sign(Sign.OFFLINE, chat="before"))  # a will may come late
    assert state.presence.here("lobby")


def test_who_is_not_heard_for_long_is_gone() -> None:
    state = chat()
    tick(state, 0)
    update(state, sign(Sign.ONLINE))
    press(state)
    tick(state, LIFE_SECONDS - 1)
    assert BOB in signs(state)
    tick(state, LIFE_SECONDS)
    assert BOB not in signs(state)


def test_a_room_in_which_another_program_writes_learns_nothing_for_a_day() -> None:
    state = chat()
    update(state, on.Received([message(1, id=None)]))
    assert tick(state, 2) == []
    press(state)
    assert tick(state, QUIET_SECONDS) == [("lobby", Sign.JOINED)]


@pytest.mark.parametrize(("days", "told"), [(0.9, []), (1.1, [("lobby", Sign.JOINED)])])
def test_the_history_tells_too_that_another_program_is_used(days: float, told: list[Any]) -> None:
    state = chat()
    state.presence.began = BEGAN
    post = post_of(message(int(-days * 86_400), id=None))
    update(state, on.PageRead("lobby", on.Part.LAST, [post], is_end=True))
    assert tick(state, 2) == told


def test_leaving_a_room_and_quitting_are_told_where_you_are_known() -> None:
    state = chat("lobby", "ops", "far")
    tick(state, 0)
    effects = update(state, on.RoomLeft("ops"))
    assert effects[:2] == [do.Announce("ops", Sign.LEFT), do.Leave("ops")]
    update(state, on.RoomOpened("new"))
    assert farewells(state) == [do.Announce("lobby", Sign.OFFLINE), do.Announce("far", Sign.OFFLINE)]
    assert farewells(state) == []


def test_presence_can_be_turned_off_and_on() -> None:
    state = chat()
    tick(state, 0)
    update(state, sign(Sign.ONLINE))
    assert update(state, on.PresenceSet("off")) == [do.Announce("lobby", Sign.OFFLINE)]
    assert signs(state) == {}
    assert tick(state, ASK_SECONDS) == []
    update(state, on.PresenceSet("on"))
    press(state)
    assert tick(state, ASK_SECONDS + 2) == [("lobby", Sign.JOINED)]


@pytest.mark.parametrize(
    "ignored",
    [
        sign(Sign.ONLINE, sender=ME, chat="elsewhere"),
        sign(Sign.ONLINE, retained=True),
        sign(Sign.ONLINE, room="unknown"),
        sign(Sign.ONLINE, chat="x" * 1_000),
        on.Sensed([message(1, kind=PRESENCE, text="(admin)", re="theirs")]),
    ],
)
def test_other_signs_are_ignored(ignored: on.Sensed) -> None:
    state = chat()
    update(state, ignored)
    assert state.presence.seen == {}


def test_signs_are_no_messages() -> None:
    state = chat()
    for one in Sign:
        update(state, sign(one))
    assert (state.room.posts, state.room.unread, state.room.people) == ([], 0, {})


def test_nobody_can_fill_the_memory() -> None:
    state = chat()
    for number in range(MOST_CHATS + 5):
        update(state, sign(Sign.ONLINE, chat=f"chat {number}"))
    assert len(state.presence.seen) == MOST_CHATS
    for number in range(MOST_SEEN + 5):
        update(state, sign(Sign.ONLINE, sender=f"id-{number}"))
    assert len(state.presence.seen) == MOST_SEEN


things = st.one_of(
    st.builds(
        sign,
        st.sampled_from(Sign),
        sender=st.sampled_from([BOB, CAROL, ME]),
        chat=st.sampled_from(["one", "two"]),
        room=st.sampled_from(["lobby", "ops"]),
    ),
    st.builds(lambda text: on.Typed("lobby", text), st.text(max_size=3)),
    st.builds(on.RoomOpened, st.sampled_from(["lobby", "ops"])),
    st.builds(on.RoomLeft, st.sampled_from(["lobby", "ops"])),
    st.builds(lambda link: on.StatusChanged(Status(link)), st.sampled_from([Link.ONLINE, Link.LOST])),
    st.builds(on.RoomsJoined, st.sampled_from([["lobby"], ["ops"], ["lobby", "ops"]])),
    st.builds(on.PresenceSet, st.sampled_from(["off", "on", "typing"])),
    st.just(on.Pressed()),
    st.tuples(st.integers(0, 1_000), st.floats(0, 1, exclude_max=True)),
)


@settings(max_examples=200, deadline=None)
@given(happenings=st.lists(things, max_size=60))
def test_whatever_happens_a_tick_tells_a_room_one_thing_and_asks_seldom(happenings: list[Any]) -> None:
    state, seconds = chat("lobby", "ops", mode="typing"), 0
    asked: dict[str, float] = {}
    for event in happenings:
        mode, link = state.presence.mode, state.status.link
        if isinstance(event, tuple):
            seconds += event[0]
            told = tick(state, seconds, event[1])
            assert len({room for room, _ in told}) == len(told)
            for room in [room for room, one in told if one is Sign.JOINED]:
                assert seconds - asked.get(room, -ASK_SECONDS) >= ASK_SECONDS
                asked[room] = seconds
        else:
            told = [(one.room, one.sign) for one in update(state, event) if isinstance(one, do.Announce)]
        if told:
            assert link is Link.ONLINE
            assert mode != "off"
        if state.current in state.rooms:
            listed = people_of(state)
            assert len({one.identity for one in listed}) == len(listed)


# -- on the screen


def tell(cloud: FakeCloud, one: Sign, *, sender: str = BOB, name: str = "bob") -> None:
    say(
        cloud, "lobby", one.value, sender=sender, properties=[("name", name), ("kind", PRESENCE), ("re", "x")]
    )


def told(cloud: FakeCloud) -> list[str]:
    return [decode(payload) for _, payload, more in cloud.published if ("kind", PRESENCE) in more]


def people(chat: Chat) -> list[str]:
    return [line.partition("~")[0] for line in chat.panel("people").splitlines()]


def test_the_panel_shows_who_does_what_and_nothing_of_it_is_a_message(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops", size=(100, 24)) as chat:
            await chat.until(lambda: told(cloud) == ["(joined)"] * 2)
            await chat.until(lambda: people(chat) == ["● alice"])
            for one, shown in (
                (Sign.JOINED, "● bob"),
                (Sign.TYPING, "… bob"),
                (Sign.IDLE, "○ bob"),
            ):
                tell(cloud, one)
                await chat.until(lambda shown=shown: shown in people(chat))  # type: ignore[misc]
            tell(cloud, Sign.ONLINE, sender=CAROL, name="carol")
            await chat.until(lambda: people(chat) == ["● alice", "● carol", "○ bob"])
            await chat.enter("/who")
            assert "Online: alice~" in chat.state.notice
            assert "carol~ca401000. Idle: bob~b0b00000" in chat.state.notice
            assert "not known" not in chat.state.notice
            await chat.enter("/alias carol Caz")
            await chat.until(lambda: people(chat) == ["● alice", "● Caz", "○ bob"])
            await chat.type("caz")
            await chat.press("tab")
            assert chat.input == "carol: ", "the name that carol knows"
            tell(cloud, Sign.OFFLINE)
            await chat.until(lambda: people(chat) == ["● alice", "● Caz"])
            assert chat.state.room.posts == []
            assert chat.state.room.unread == 0
            await chat.clear()
            say(cloud, "lobby", "hello", sender=BOB, properties=[("id", "1"), ("name", "bob")])
            await chat.until(lambda: len(chat.state.room.posts) == 1)
        cloud.members.clear()
        async with chatting(app, cloud, "lobby", size=(100, 24), online=False) as chat:
            await chat.until(lambda: people(chat) == ["? bob"])
            await chat.enter("/who")
            assert chat.state.notice == (
                "Have written here: bob~b0b00000. Who of them is here is not known yet."
            )

    run(test)


def test_the_command_tells_the_mode_and_changes_it(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.until(lambda: told(cloud) == ["(joined)"])
            for line, notice in (
                ("/presence", "Presence is on."),
                ("/presence maybe", "Use one of: /presence off, /presence on, /presence typing"),
                ("/presence typing", "Until you quit, others learn whether you are here or typing."),
                ("/presence off", "Until you quit, others learn nothing about you."),
                ("/presence", "Presence is off."),
            ):
                await chat.enter(line)
                assert chat.state.notice.startswith(notice)
            await chat.until(lambda: told(cloud) == ["(joined)", "(offline)"])
            await chat.until(lambda: people(chat) == [])
            await chat.enter("/presence on")
            say(cloud, "lobby", "from another program", sender=BOB)
            await chat.until_shown("from another program")
            await chat.enter("/presence")
            assert chat.state.notice.startswith("Presence is on, but this room learns nothing")

    run(test)


def test_the_end_is_told_and_the_broker_has_a_will_for_a_crash(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.until(lambda: told(cloud) == ["(joined)"] * 2)
            will = cloud.connections[-1].will
            assert will
            assert will.topic == f"{POOL}/lobby/{chat.state.me.identity}"
            assert decode(will.payload) == "(offline)"
            assert dict(will.properties)["re"] == chat.state.presence.chat
        assert told(cloud) == ["(joined)", "(joined)", "(offline)", "(offline)"]

    run(test)


def test_a_room_in_which_you_may_not_write_gets_no_will(app: FakeApp, cloud: FakeCloud) -> None:
    cloud.closed_rooms.add("lobby")

    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            assert cloud.connections[-1].will is None
            await chat.until(lambda: told(cloud) == ["(joined)"])
            await chat.until(lambda: chat.state.presence.is_quiet("lobby"))
            assert not chat.state.presence.is_quiet("ops")
        assert told(cloud) == ["(joined)", "(offline)"]

    run(test)


def test_presence_can_be_off_for_all_chats(app: FakeApp, cloud: FakeCloud) -> None:
    path = app.settings.folders.chat_settings
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"presence": "off"}')

    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            update(chat.state, on.Ticked(NOW, 0))
            tell(cloud, Sign.JOINED)
            await chat.enter("hello")
            await chat.until_shown("hello")
            assert cloud.connections[-1].will is None
            await chat.until(lambda: people(chat) == ["  alice"])
        assert told(cloud) == []

    run(test)
