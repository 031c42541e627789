"""The rules of the chat, without a screen: whatever happens in any order, nothing is lost or shown twice."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.changes import to_discard
from aws_iot.chat.model.posts import Answered, Delivery, Post, post_of
from aws_iot.chat.model.reducer import Effects, start, update
from aws_iot.chat.model.state import (
    LONGEST_BROWSED,
    LONGEST_WINDOW,
    PAGE,
    SHORTEST_WINDOW,
    Draft,
    Link,
    Me,
    Place,
    Room,
    State,
    Status,
)
from aws_iot.chat.model.threads import folding
from aws_iot.history.conversation import Reaction
from aws_iot.messaging.kinds import EDIT
from aws_iot.messaging.message import Message

ME, BOB = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222", "us-east-1:b0b00000-0ed5-4578-add0-985024739222"
CAROL = "us-east-1:ca401000-0ed5-4578-add0-985024739222"
BEGAN = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def message(number: int, *, sender: str = BOB, room: str = "lobby", **more: Any) -> Message:
    return Message(
        room, sender, f"text {number}", b"", at(number), f"id-{number}", at(number), "bob"
    )._replace(**more)


def page(*numbers: int, room: str = "lobby", part: on.Part = on.Part.LAST, unread: int = 0) -> on.PageRead:
    posts = [post_of(message(number, room=room)) for number in numbers]
    # An older page was asked for from the message after it.
    edge = at(numbers[-1] + 1) if part is on.Part.OLDER else None
    return on.PageRead(room, part, posts, is_end=len(posts) < PAGE, unread=unread, edge=edge)


def opened(*rooms: str) -> State:
    """The state of somebody who looks at the first room, which is empty."""
    state = State(Me(ME, "alice"))
    start(state, rooms or ("lobby",), {}, (), BEGAN)
    for room in state.rooms:
        update(state, on.PageRead(room, on.Part.LAST, [], is_end=True))
    return state


def texts(state: State, room: str = "lobby") -> list[str]:
    return [post.text for post in state.rooms[room].posts]


def test_without_rooms_those_of_the_history_are_joined_and_the_latest_is_opened() -> None:
    state = State(Me(ME, "alice"))
    assert start(state, (), {}, (), BEGAN) == [do.ReadRooms()]
    effects = update(state, on.RoomsFound([on.RoomFound("a", 2, at(1)), on.RoomFound("b", 3, at(2))]))
    assert state.current == "b"
    assert {effect.room for effect in effects if isinstance(effect, do.Join)} == {"a", "b"}
    assert state.rooms["a"].unread == 2


def test_without_any_history_the_lobby_is_opened() -> None:
    state = State(Me(ME, "alice"))
    start(state, (), {}, (), BEGAN)
    update(state, on.RoomsFound([]))
    assert state.current == "lobby"


def test_what_arrives_while_a_page_is_read_is_shown_once_and_in_order() -> None:
    state = State(Me(ME, "alice"))
    start(state, ("lobby",), {}, (), BEGAN)
    update(state, on.Received([message(3), message(4)]))
    update(state, page(1, 2, 3, unread=0))
    assert texts(state) == ["text 1", "text 2", "text 3", "text 4"]


def test_a_message_of_your_own_is_pending_until_it_is_acknowledged_and_shown_once_when_it_returns() -> None:
    state = opened()
    effects = update(state, on.Submitted("lobby", "hello", "mine-1", at(1)))
    assert do.Send("lobby", "hello", "mine-1") in effects
    assert state.sending.waiting == 1
    update(state, on.Acknowledged("mine-1"))
    assert [post.delivery for post in state.room.posts] == [Delivery.ACKNOWLEDGED]
    assert state.sending.waiting == 0
    update(state, on.Received([message(2, sender=ME, id="mine-1", text="hello")]))
    assert [(post.text, post.delivery) for post in state.room.posts] == [("hello", Delivery.ARRIVED)]


def test_a_failed_message_stays_with_its_reason_and_can_be_sent_again_or_edited() -> None:
    state = opened()
    update(state, on.Submitted("lobby", "hello", "mine-1", at(1)))
    [saved] = update(state, on.SendFailed("mine-1", "it is too long", at(3)))
    assert saved == do.SaveFailed((do.FailedMessage("lobby", "hello", "mine-1", "it is too long"),))
    assert state.room.failed[0].why == "it is too long"
    effects = update(state, on.Resent("lobby", "mine-1"))
    assert effects == [do.Send("lobby", "hello", "mine-1"), do.SaveFailed(())]
    update(state, on.SendFailed("mine-1", "again", at(4)))
    update(state, on.Discarded("lobby", "mine-1", to_draft=True))
    assert state.room.posts == []
    assert state.room.draft.text == "hello"


def test_a_message_that_waits_becomes_the_draft_only_once_nothing_can_send_it() -> None:
    state = opened()
    update(state, on.Received([message(1)]))
    update(state, on.Aimed(None, state.room.posts[0]))
    update(state, on.Submitted("lobby", "/yes", "mine-1", at(1)))
    assert update(state, on.Discarded("lobby", "mine-1", to_draft=True)) == [do.Withdraw("mine-1")]
    assert (state.sending.waiting, state.room.draft) == (1, Draft())
    [saved] = update(state, on.Withdrawn("mine-1", "lobby", "/yes"))
    assert saved == do.SaveDraft("lobby", state.room.draft)
    assert (state.sending.waiting, texts(state), state.room.draft.text) == (0, ["text 1"], "//yes")
    assert state.room.draft.aim
    assert state.room.draft.aim.about.id == "id-1"


def offline() -> State:
    """Without a connection, in a room with one message of the person and one of Bob."""
    state = opened("lobby", "ops")
    update(state, on.Received([message(1, sender=ME), message(2)]))
    update(state, on.StatusChanged(Status(Link.OFFLINE)))
    return state


def test_the_last_thing_that_waits_is_discarded_first_or_that_of_the_selected_message() -> None:
    state = offline()
    mine, theirs = state.room.posts
    update(state, on.Reacted(theirs, "👍", "c-1"))
    update(state, on.Submitted("lobby", "hello", "c-2", at(3)))
    update(state, on.Deleted(mine, "c-3"))
    order = []
    for _ in range(3):
        id_ = to_discard(state)
        assert id_
        order.append(id_)
        assert update(state, on.Discarded("lobby", id_, to_draft=True)) == [do.Withdraw(id_)]
        update(state, on.Withdrawn(id_, "lobby", "hello"))
    assert order == ["c-3", "c-2", "c-1"]
    assert (state.notice, state.room.draft.text) == ("The reaction was taken back.", "hello")
    assert (state.sending.waiting, to_discard(state)) == (0, None)
    update(state, on.Reacted(theirs, "👍", "c-4"))
    update(state, on.Submitted("lobby", "hello", "c-5", at(4)))
    update(state, on.Selected(theirs.key))
    assert to_discard(state) == "c-4"


def test_an_edit_that_waits_is_edited_further_and_becomes_the_draft_when_it_is_taken_back() -> None:
    state = offline()
    mine = state.room.posts[0]
    update(state, on.Aimed(EDIT, mine))
    update(state, on.Submitted("lobby", "better", "c-1", at(3)))
    update(state, on.Typed("lobby", "a draft"))
    update(state, on.Aimed(EDIT, mine))
    assert state.room.draft.text == "better"
    assert do.Send("lobby", mine.text, "c-2", EDIT, "id-1") in update(
        state, on.Submitted("lobby", mine.text, "c-2", at(4))
    )
    update(state, on.Withdrawn("c-2", "lobby", mine.text))
    update(state, on.Aimed(None, None))
    [_] = update(state, on.Withdrawn("c-1", "lobby", "better"))
    assert state.room.draft.aim
    assert (state.room.draft.text, state.room.draft.aim.about.id) == ("better", "id-1")
    assert state.room.draft.aim.kept == "a draft"


def test_a_reaction_that_waits_is_taken_back_by_the_same_reaction() -> None:
    state = offline()
    theirs = state.room.posts[1]
    update(state, on.Reacted(theirs, "👍", "c-1"))
    assert update(state, on.Reacted(theirs, "👍", "c-2")) == [do.Withdraw("c-1")]
    update(state, on.Withdrawn("c-1", "lobby", "👍"))
    assert state.sending.waiting == 0
    reacted = replace(theirs, reactions=(Reaction("👍", (ME,)),))
    update(state, on.PostRead(reacted))
    assert update(state, on.Reacted(reacted, "👍", "c-3")) == [do.TakeBack("lobby", theirs.ref, "👍", "c-3")]
    update(state, on.Withdrawn("c-3", "lobby", "(message deleted)"))
    assert state.notice == "The reaction stays."


def test_a_room_in_which_a_change_waits_is_not_left() -> None:
    state = offline()
    update(state, on.Reacted(state.room.posts[1], "👍", "c-1"))
    assert update(state, on.RoomLeft("lobby")) == []
    assert "/discard it first" in state.notice


def test_what_is_taken_back_while_you_edit_is_no_part_of_the_edit() -> None:
    state = opened()
    update(state, on.Submitted("lobby", "new", "mine-1", at(1)))
    update(state, on.Received([message(1, sender=ME)]))
    update(state, on.Aimed(EDIT, state.room.posts[0]))
    update(state, on.Withdrawn("mine-1", "lobby", "new"))
    assert state.room.draft.text == "text 1"
    update(state, on.Submitted("lobby", "better", "mine-2", at(2)))
    assert state.room.draft == Draft("new")


def test_nobody_can_have_a_message_of_yours_vanish_by_sending_one_with_its_id() -> None:
    state = opened()
    for number in (1, 2):
        update(state, on.Submitted("lobby", f"mine {number}", f"mine-{number}", at(number)))
    update(state, on.SendFailed("mine-2", "no", at(3)))
    update(state, on.Received([message(1, id="mine-1"), message(2, id="mine-2")]))
    update(state, on.PageRead("lobby", on.Part.LAST, state.room.posts[:2], is_end=True))
    assert texts(state) == ["text 1", "text 2", "mine 1", "mine 2"]
    update(state, on.Discarded("lobby", "mine-2", to_draft=True))
    update(state, on.Withdrawn("mine-1", "lobby", "mine 1"))
    assert (texts(state), state.room.draft.text) == (["text 1", "text 2"], "mine 2\nmine 1")


def test_a_message_that_has_come_back_is_no_failed_one_whatever_happens_to_its_second_copy() -> None:
    state = opened()
    update(state, on.Submitted("lobby", "hello", "mine-1", at(1)))
    update(state, on.Received([message(1, sender=ME, id="mine-1", text="hello"), message(2)]))
    update(state, on.SendFailed("mine-1", "you may not write here any more", at(3)))
    assert [post.delivery for post in state.room.posts] == 2 * [Delivery.ARRIVED]


def reading_in(state: State, *numbers: int) -> None:
    """The person reads these messages, with newer ones below the screen."""
    posts = [post_of(message(number)) for number in numbers]
    around = on.PageRead("lobby", on.Part.AROUND, posts, is_end=False, has_newer=True, target=posts[0].key)
    update(state, on.Went("lobby", moment=at(0)))
    update(state, around)
    update(state, on.Scrolled(False, place=Place(posts[1].key, 1)))


def test_a_room_is_read_again_where_the_person_has_left_it() -> None:
    state = opened("lobby", "ops")
    reading_in(state, 1, 2, 3)
    update(state, on.RoomOpened("ops"))
    assert state.look.is_at_end
    effects = update(state, on.RoomOpened("lobby"))
    assert do.ReadAround("lobby", None, "id-2") in effects
    update(state, on.Scrolled(is_at_end=True))  # the screen is empty for a moment
    update(state, on.Received([message(9)]))
    assert state.room.unread == 1
    posts = [post_of(message(number)) for number in (1, 2, 3)]
    update(
        state, on.PageRead("lobby", on.Part.AROUND, posts, is_end=False, has_newer=True, target=posts[1].key)
    )
    assert (state.look.is_at_end, state.look.selected, state.look.returns) == (False, None, 1)
    assert state.room.place
    assert state.room.place[:2] == (posts[1].key, 1)
    assert state.room.unread == 1


def test_a_room_that_is_left_and_opened_again_at_once_is_read_once() -> None:
    state = opened("lobby", "ops")
    reading_in(state, 1, 2, 3)
    for room in ("ops", "lobby", "ops"):
        update(state, on.RoomOpened(room))
    assert not [one for one in update(state, on.RoomOpened("lobby")) if isinstance(one, do.ReadAround)]
    assert update(state, page(0, part=on.Part.OLDER)) == [], "it was asked for before"
    posts = [post_of(message(number)) for number in (1, 2, 3)]
    update(
        state, on.PageRead("lobby", on.Part.AROUND, posts, is_end=False, has_newer=True, target=posts[1].key)
    )
    assert (state.look.selected, state.look.returns) == (None, 1)


def test_a_place_that_is_not_in_the_history_is_the_end() -> None:
    state = opened("lobby", "ops")
    reading_in(state, 1, 2, 3)
    update(state, on.RoomOpened("ops"))
    update(state, on.RoomOpened("lobby"))
    assert update(state, on.NotFound("it is not there")) == [do.ReadLast("lobby")]
    assert (state.notice, state.look.is_at_end, state.room.place) == ("", True, None)


def test_going_to_a_message_in_another_room_does_not_mark_its_end_as_read() -> None:
    state = opened("lobby", "ops")
    update(state, on.Received([message(1, room="ops"), message(2, room="ops")]))
    effects = update(state, on.Went("ops", state.rooms["ops"].posts[0]))
    assert not [effect for effect in effects if isinstance(effect, do.MarkRead)]
    assert state.room.unread == 2


def test_unread_messages_of_earlier_runs_that_mention_you_mark_their_room() -> None:
    state = State(Me(ME, "alice"))
    start(state, ("lobby", "ops", "den"), {}, (), BEGAN)
    effects = update(state, on.RoomsFound([on.RoomFound(room, 2, at(1)) for room in ("lobby", "ops", "den")]))
    assert effects == [do.ReadUnread("ops"), do.ReadUnread("den")]
    mine = Answered("mine-1", ME, "alice", "text")
    for room, post in (
        ("ops", post_of(message(1, room="ops", text="@Alice?"))),
        ("den", replace(post_of(message(1, room="den")), answered=mine)),
    ):
        update(state, on.UnreadRead(room, [post, post_of(message(2, room=room))]))
        assert state.rooms[room].mentions == 1
    update(state, on.Received([message(3, room="ops", text="alice!")]))
    update(state, on.RoomOpened("ops"))
    update(state, page(1, 2, 3, room="ops", unread=3))
    update(state, on.UnreadRead("ops", [post_of(message(1, room="ops", text="alice"))]))
    assert state.rooms["ops"].mentions == 0, "it was read meanwhile"


def test_failed_messages_of_the_last_run_are_shown_again() -> None:
    state = State(Me(ME, "alice"))
    effects = start(state, ("lobby",), {}, [do.FailedMessage("ops", "hello", "old-1", "denied")], BEGAN)
    assert do.Join("ops") in effects
    assert [post.why for post in state.rooms["ops"].failed] == ["denied"]
    assert state.sending.waiting == 0


def test_what_an_ended_chat_has_left_in_another_room_has_it_joined() -> None:
    state = opened()
    left = on.Unsent("old-1", "ops", "hello", at(1)), on.Unsent("old-2", "den", "👍", at(2), "react", "id-1")
    assert [update(state, one) for one in (*left, *left)] == [[do.Join("ops")], [do.Join("den")], [], []]
    assert (texts(state, "ops"), state.sending.waiting) == (["hello"], 2)


def test_an_edit_that_failed_stays_and_is_never_sent_as_a_message() -> None:
    state = opened()
    update(state, on.Received([message(1, sender=ME)]))
    update(state, on.Aimed(EDIT, state.room.posts[0]))
    update(state, on.Submitted("lobby", "better", "edit-1", at(2)))
    [saved] = update(state, on.SendFailed("edit-1", "no", at(3)))
    assert saved == do.SaveFailed((do.FailedMessage("lobby", "better", "edit-1", "no", "id-1", True),))
    update(state, on.Typed("lobby", "something else"))
    again = State(Me(ME, "alice"))
    start(again, ("lobby",), {"lobby": state.room.draft}, saved.messages, BEGAN)
    for one in (state, again):
        [sent, _] = update(one, on.Resent("lobby", "edit-1"))
        assert sent == do.Send("lobby", "better", "edit-1", EDIT, "id-1")
        assert "better" not in texts(one)
        update(one, on.SendFailed("edit-1", "no", at(4)))
        update(one, on.Discarded("lobby", "edit-1", to_draft=True))
        assert one.room.draft.text == "better"
        [sent, _] = update(one, on.Submitted("lobby", "best", "edit-2", at(5)))
        assert sent == do.Send("lobby", "best", "edit-2", EDIT, "id-1")
        assert one.room.draft == Draft("something else")


def test_a_reply_that_failed_is_still_a_reply_in_the_next_run() -> None:
    state = opened()
    update(state, on.Received([message(1)]))
    update(state, on.Aimed(None, state.room.posts[0]))
    update(state, on.Submitted("lobby", "yes", "mine-1", at(2)))
    [saved] = update(state, on.SendFailed("mine-1", "no", at(3)))
    again = State(Me(ME, "alice"))
    assert isinstance(saved, do.SaveFailed)
    start(again, ("lobby",), {}, saved.messages, BEGAN)
    assert do.Send("lobby", "yes", "mine-1", re="id-1") in update(again, on.Resent("lobby", "mine-1"))


def test_your_reaction_is_taken_back_in_whatever_style_you_have_sent_it() -> None:
    state = opened()
    update(state, on.Received([message(1)]))
    post = replace(state.room.posts[0], reactions=(Reaction("❤\ufe0f", (BOB, ME)), Reaction("👍", (BOB,))))
    assert update(state, on.Reacted(post, "❤", "a")) == [do.TakeBack("lobby", "id-1", "❤", "a")]
    assert update(state, on.Reacted(post, "👍", "b")) == [do.Send("lobby", "👍", "b", "react", "id-1")]


def test_a_room_is_read_only_while_its_end_is_on_a_screen_that_has_the_focus() -> None:
    state = opened()
    assert update(state, on.Received([message(1)])) == [do.MarkRead("lobby", at(1))]
    update(state, on.Focused(False))
    assert update(state, on.Received([message(2)])) == []
    assert (state.room.unread, state.room.unread_since) == (1, at(2))
    assert update(state, on.Focused(True)) == [do.MarkRead("lobby", at(2))]
    assert state.room.unread == 0
    assert state.room.unread_since is not None, "the line stays until the room is left"
    update(state, on.Scrolled(is_at_end=False))
    assert update(state, on.Received([message(3)])) == []
    assert state.room.unread == 1
    assert update(state, on.Scrolled(is_at_end=True)) == [do.MarkRead("lobby", at(3))]


def test_your_own_messages_are_never_unread() -> None:
    state = opened()
    update(state, on.Focused(False))
    update(state, on.Received([message(1, sender=ME)]))
    assert state.room.unread == 0


def test_the_line_is_above_the_first_unread_message_even_if_the_window_does_not_have_it() -> None:
    state = State(Me(ME, "alice"))
    start(state, ("lobby",), {}, (), BEGAN)
    update(state, on.Focused(False))
    last = page(*range(200, 300))
    update(
        state, on.PageRead("lobby", on.Part.LAST, last.posts, is_end=False, unread=150, unread_since=at(150))
    )
    assert (state.room.unread, state.room.unread_since) == (150, at(150))
    assert update(state, on.WentToUnread()) == [do.ReadAround("lobby", moment=at(150))]
    around = [post_of(message(number)) for number in range(100, 200)]
    update(
        state,
        on.PageRead("lobby", on.Part.AROUND, around, is_end=False, target=around[50].key, has_newer=True),
    )
    assert state.look.selected == around[50].key
    assert state.room.window.has_newer
    assert not state.look.is_at_end
    assert state.room.unread == 150, "its end was not on the screen"


def test_the_first_unread_message_is_found_again_after_it_was_read_from_the_history() -> None:
    state = opened("lobby", "ops")
    moments = [at(number + 0.0005678) for number in range(3 * PAGE)]
    update(state, on.Received([message(n, room="ops", received=now) for n, now in enumerate(moments)]))
    update(state, on.RoomOpened("ops"))
    [saved] = update(state, on.WentToUnread())
    assert saved == do.ReadAround("ops", moment=at(0))
    as_saved = [post_of(message(number, room="ops", received=at(number))) for number in range(PAGE)]
    update(state, on.PageRead("ops", on.Part.AROUND, as_saved, is_end=True, target=as_saved[0].key))
    update(state, on.Jumped())
    update(state, on.WentToUnread())
    assert state.look.selected == as_saved[0].key


def test_an_answer_shows_what_it_answers_at_once_but_not_if_two_messages_have_that_id() -> None:
    state = opened()
    update(state, on.Received([message(1)]))
    assert update(state, on.Received([message(2, re="id-1")])) == [do.MarkRead("lobby", at(2))]
    assert state.room.posts[-1].answered == Answered("id-1", BOB, "bob", "text 1")
    update(state, on.Received([message(3, sender=CAROL, id="id-1")]))
    assert do.ReadPost("lobby", "id-4") in update(state, on.Received([message(4, re="id-1")]))
    assert state.room.posts[-1].answered == Answered("id-1", "", None, None)


def test_a_new_reply_unfolds_its_thread() -> None:
    state = opened()
    update(state, on.Received([message(1), message(2, re="id-1")]))
    update(state, on.Folded(state.room.posts[0]))
    assert folding(state.room.posts, state.look.folded).hidden["id-1"] == 1
    update(state, on.Received([message(3, re="id-2")]))
    assert len(folding(state.room.posts, state.look.folded).shown) == 3


def test_mentions_count_as_unread_also_in_the_open_room_while_its_end_is_not_shown() -> None:
    state = opened()
    update(state, on.Received([message(1)]))
    update(state, on.Scrolled(is_at_end=False))
    assert update(state, on.Received([message(2, text="alice?")])) == [], "they are in that room"
    assert (state.room.unread, state.room.mentions) == (1, 1)
    update(state, on.Scrolled(is_at_end=True))
    assert (state.room.unread, state.room.mentions) == (0, 0)


def test_who_types_or_sends_has_the_focus_even_if_the_terminal_did_not_tell() -> None:
    state = opened()
    update(state, on.Focused(False))
    update(state, on.Received([message(1)]))
    assert update(state, on.Typed("lobby", "")) == [], "the screen has put the draft into the input"
    assert state.room.unread == 1
    assert do.MarkRead("lobby", at(1)) in update(state, on.Typed("lobby", "h"))
    assert (state.room.unread, state.look.is_focused) == (0, True)


def test_a_change_without_a_connection_tells_when_it_is_sent() -> None:
    state = opened()
    update(state, on.Received([message(1)]))
    update(state, on.StatusChanged(Status(Link.LOST)))
    update(state, on.Reacted(state.room.posts[0], "👍", "mine-1"))
    assert state.notice == "The reaction is sent when there is a connection."
    update(state, on.StatusChanged(Status(Link.ONLINE)))
    state.notice = ""
    update(state, on.Reacted(state.room.posts[0], "🎉", "mine-2"))
    assert state.notice == ""


def test_an_edit_that_changes_nothing_is_not_sent() -> None:
    state = opened()
    update(state, on.Received([message(1, sender=ME)]))
    update(state, on.Aimed(EDIT, state.room.posts[0]))
    effects = update(state, on.Submitted("lobby", "text 1", "edit-1", at(2)))
    assert effects == [do.SaveDraft("lobby", Draft())]
    assert state.notice == "Nothing was changed."


def test_a_message_that_begins_with_a_slash_is_edited_as_it_is_typed() -> None:
    state = opened()
    update(state, on.Received([message(1, sender=ME, text="/quit")]))
    update(state, on.Aimed(EDIT, state.room.posts[0]))
    assert state.room.draft.text == "//quit", "not a command"
    update(state, on.Aimed(None, None))
    update(state, on.Submitted("lobby", "/leave", "mine-1", at(2)))
    update(state, on.SendFailed("mine-1", "it is too long", at(3)))
    update(state, on.Discarded("lobby", "mine-1", to_draft=True))
    assert state.room.draft.text == "//leave"


def test_a_draft_belongs_to_its_room_and_is_saved_at_each_change() -> None:
    state = opened("lobby", "ops")
    assert update(state, on.Typed("lobby", "hel")) == [do.SaveDraft("lobby", Draft("hel"))]
    assert update(state, on.Typed("lobby", "hel")) == []
    update(state, on.RoomOpened("ops"))
    assert (state.room.draft.text, state.rooms["lobby"].draft.text) == ("", "hel")
    effects = update(state, on.Submitted("lobby", "hello", "mine-1", at(1)))
    assert do.SaveDraft("lobby", Draft()) in effects


def test_older_messages_are_read_when_the_top_is_near_and_newer_ones_again_at_the_end() -> None:
    state = opened()
    update(state, page(*range(2 * PAGE, 3 * PAGE)))
    [wanted] = update(state, on.Scrolled(is_at_end=False, near_top=True))
    assert wanted == do.ReadNext("lobby", on.Part.OLDER, at(2 * PAGE), overlap=1)
    assert update(state, on.Scrolled(is_at_end=False, near_top=True)) == [], "one page at a time"
    update(state, page(*range(PAGE, 2 * PAGE), part=on.Part.OLDER))
    assert texts(state) == [f"text {number}" for number in range(PAGE, 3 * PAGE)]
    for first in range(-LONGEST_BROWSED, PAGE, PAGE)[::-1]:
        update(state, on.Scrolled(is_at_end=False, near_top=True))
        update(state, page(*range(first, first + PAGE), part=on.Part.OLDER))
    assert len(state.room.posts) == LONGEST_BROWSED
    assert state.room.window.has_newer
    before = [*state.room.posts]
    update(state, on.Received([message(999)]))
    assert state.room.posts == before, "there is a gap before what arrives now"
    [wanted] = update(state, on.Scrolled(is_at_end=True, near_end=True))
    assert isinstance(wanted, do.ReadNext)
    assert wanted.part is on.Part.NEWER
    assert not state.look.is_at_end
    assert update(state, on.Jumped()) == [do.ReadLast("lobby")]
    update(state, page(*range(900, 1000)))
    assert texts(state)[-1] == "text 999"
    assert not state.room.window.has_newer


def test_a_page_that_could_not_be_read_is_read_again_but_not_at_each_drawing() -> None:
    state = State(Me(ME, "alice"))
    start(state, ("lobby",), {}, (), BEGAN)
    at_top = on.Scrolled(is_at_end=True, near_top=True)
    for wanted in (do.ReadLast("lobby"), do.ReadNext("lobby", on.Part.OLDER, at(1), overlap=1)):
        update(state, on.PageFailed("lobby"))
        assert update(state, at_top) == []
        assert wanted in [*update(state, on.Ticked(1.0, 0.5)), *update(state, at_top)]
        assert update(state, at_top) == [], "it is being read"
        update(state, on.PageFailed("lobby"))
        update(state, on.Received([message(1)]))
        assert texts(state) == ["text 1"]


def test_a_room_that_was_left_while_a_page_was_read_is_read_again() -> None:
    for comes_back_first in (True, False):
        state = opened("lobby", "ops")
        around = [post_of(message(number)) for number in range(PAGE)]
        update(state, on.Went("lobby", ref="id-50"))
        update(
            state,
            on.PageRead("lobby", on.Part.AROUND, around, False, target=around[50].key, has_newer=True),
        )
        [asked] = update(state, on.Scrolled(is_at_end=False, near_end=True))
        assert isinstance(asked, do.ReadNext)
        late = on.PageRead("lobby", on.Part.NEWER, [post_of(message(PAGE))], True, edge=at(PAGE - 1))
        update(state, on.RoomOpened("ops"))
        events = [late, on.RoomOpened("lobby")]
        effects = [*map(partial(update, state), reversed(events) if comes_back_first else events)]
        assert do.ReadLast("lobby") in effects[1]
        update(state, page(PAGE - 1, PAGE))
        assert texts(state) == [f"text {PAGE - 1}", f"text {PAGE}"]


def test_a_place_in_another_room_is_no_place_in_the_window_when_that_room_is_opened_again() -> None:
    state = opened("lobby", "ops")
    update(state, on.Went("lobby", ref="id-50"))
    update(state, on.RoomOpened("ops"))
    around = [post_of(message(number)) for number in range(PAGE)]
    update(state, on.PageRead("lobby", on.Part.AROUND, around, False, target=around[50].key, has_newer=True))
    assert do.ReadLast("lobby") in update(state, on.RoomOpened("lobby"))


def test_a_message_of_a_room_that_was_never_open_is_shown_among_its_neighbors() -> None:
    state = State(Me(ME, "alice"))
    start(state, ("lobby", "ops"), {}, (), BEGAN)
    update(state, on.Received([message(50, room="ops")]))
    found = state.rooms["ops"].posts[0]
    assert do.ReadAround("ops", None, "id-50") in update(state, on.Went("ops", found))
    around = [post_of(message(number, room="ops")) for number in range(40, 60)]
    update(state, on.PageRead("ops", on.Part.AROUND, around, True, target=found.key))
    assert texts(state, "ops") == [post.text for post in around]
    assert state.selected_post == found


def test_an_edit_deletion_or_reaction_is_no_message_and_has_the_message_read_again() -> None:
    state = opened()
    update(state, on.Received([message(1)]))
    effects = update(state, on.Received([message(2, kind="edit", re="id-1")]))
    assert effects == [do.ReadPost("lobby", "id-1")]
    assert texts(state) == ["text 1"]
    assert update(state, on.Received([message(3, kind="delete", re="id-unknown")])) == [
        do.ReadTarget("lobby", "id-unknown")
    ], "it may be a reaction"


def test_leaving_a_room_opens_another_one() -> None:
    state = opened("lobby", "ops")
    effects = update(state, on.RoomLeft("lobby"))
    assert do.Leave("lobby") in effects
    assert (state.current, [*state.rooms]) == ("ops", ["ops"])
    assert update(state, on.RoomLeft("ops")) == []
    assert state.notice


def test_leaving_a_room_loses_neither_its_draft_nor_what_is_not_sent() -> None:
    state = opened("lobby", "ops")
    update(state, on.Typed("lobby", "half a"))
    update(state, on.RoomLeft("lobby"))
    update(state, on.RoomOpened("lobby"))
    assert state.room.draft == Draft("half a")
    update(state, on.Submitted("lobby", "half a message", "mine-1", at(1)))
    assert update(state, on.RoomLeft("lobby")) == []
    assert "not sent" in state.notice
    update(state, on.Acknowledged("mine-1"))
    assert do.Leave("lobby") in update(state, on.RoomLeft("lobby"))


def test_memory_stays_flat_however_much_arrives() -> None:
    state = opened("lobby", "ops")
    for room, most in (("lobby", LONGEST_WINDOW), ("ops", SHORTEST_WINDOW)):
        for first in range(0, 5_000, 50):
            update(state, on.Received([message(n, room=room) for n in range(first, first + 50)]))
        assert len(state.rooms[room].posts) <= most + SHORTEST_WINDOW
        assert texts(state, room)[-1] == "text 4999"
    assert state.rooms["ops"].unread == 5_000


def test_no_room_counts_as_joined_without_a_connection() -> None:
    state = opened()
    update(state, on.StatusChanged(Status(Link.ONLINE)))
    update(state, on.RoomsJoined(["lobby"]))
    assert state.room.is_joined
    update(state, on.StatusChanged(Status(Link.LOST, "connection lost")))
    assert not state.room.is_joined


# -- any order of events

ROOMS = ("lobby", "ops")
READING = do.ReadLast | do.ReadNext | do.ReadAround
NOT_SENT = {Delivery.PENDING, Delivery.FAILED}


class World:
    """A broker and a history that know every message, beside the state under test."""

    def __init__(self) -> None:
        self.state = opened(*ROOMS)
        self.saved: dict[str, list[Post]] = {room: [] for room in ROOMS}
        self.sent: dict[str, tuple[str, str]] = {}
        self.waiting: list[do.Effect] = []
        self.answers: list[on.Event] = []
        self.number = 0
        self.published: set[str] = set()
        self.withdrawing: list[str] = []
        self.told: list[on.Event] = []
        self.drafts: dict[str, list[str]] = {room: [] for room in ROOMS}
        """The texts that became the draft again."""

    def act(self, event: on.Event) -> None:
        self.waiting += self.carry_out(update(self.state, event))

    def carry_out(self, effects: Effects) -> Effects:
        for effect in effects:
            if isinstance(effect, do.Send):
                self.sent[effect.id] = effect.room, effect.text
            if isinstance(effect, do.Withdraw):
                self.withdrawing.append(effect.id)
        return [effect for effect in effects if isinstance(effect, READING)]

    def arrive(self, room: str, sender: str, id_: str | None = None) -> None:
        self.number += 1
        new = message(self.number, room=room, sender=sender)
        if id_:
            new = new._replace(id=id_, text=self.sent[id_][1])
        self.saved[room].append(post_of(new))
        self.act(on.Received([new]))

    def submit(self, room: str) -> None:
        self.number += 1
        self.drafts[room] = []
        self.act(on.Submitted(room, f"mine {self.number}", f"mine-{self.number}", at(self.number)))

    def on_the_way(self, index: int) -> str | None:
        """A message of your own that the broker has."""
        saved = {post.id for posts in self.saved.values() for post in posts}
        gone = {told.id for told in self.told if isinstance(told, on.Withdrawn | on.SendFailed)}
        failed = {post.id for room in self.state.rooms.values() for post in room.failed}
        possible = [id_ for id_ in self.sent if id_ not in saved | gone | failed]
        if index >= len(possible):
            return None
        self.published.add(possible[index])
        return possible[index]

    def discard(self, room: str) -> None:
        """The person takes back the last message that is not sent."""
        mine = [post for post in self.state.rooms[room].posts if post.delivery in NOT_SENT]
        if mine:
            post = mine[-1]
            if post.delivery is Delivery.FAILED:
                self.drafts[room].append(self.sent.pop(post.id or "")[1])
            self.act(on.Discarded(room, post.id or "", to_draft=True))

    def withdraw(self) -> None:
        """The outbox answers the oldest request to send a message no longer."""
        if self.withdrawing and (id_ := self.withdrawing.pop(0)) not in self.published:
            self.published.add(id_)  # as one that waits no longer
            self.told.append(on.Withdrawn(id_, *self.sent[id_]))

    def tell(self) -> None:
        """The oldest answer of the outbox arrives."""
        if self.told:
            told = self.told.pop(0)
            if isinstance(told, on.Withdrawn):
                self.drafts[told.room].append(self.sent.pop(told.id)[1])
            self.act(told)

    def flood(self, room: str, count: int) -> None:
        moment = at(self.number + 1)  # in one millisecond
        new = [message(self.number + index, room=room, received=moment) for index in range(1, count + 1)]
        self.number += count
        self.saved[room] += map(post_of, new)
        self.act(on.Received(new))

    def answer(self) -> None:
        """The archive's answer to the oldest request arrives."""
        if not self.answers:
            self.read()
        if self.answers:
            self.act(self.answers.pop(0))

    def read(self) -> None:
        """The archive reads what the oldest request wants. What is saved later is not in its answer."""
        if not self.waiting:
            return
        wanted = self.waiting.pop(0)
        assert isinstance(wanted, READING)
        saved = [replace(post, at=place) for place, post in enumerate(self.saved[wanted.room], 1)]
        match wanted:
            case do.ReadLast(room):
                page = on.PageRead(room, on.Part.LAST, saved[-PAGE:], is_end=len(saved) < PAGE)
            case do.ReadNext(room, on.Part.OLDER, edge, overlap, place):
                count = PAGE if place else PAGE + overlap
                older = saved[: place - 1] if place else [post for post in saved if post.received <= edge]
                page = on.PageRead(room, wanted.part, older[-count:], len(older) < count, edge=edge)
            case do.ReadNext(room, _, edge, overlap, place):
                count = PAGE if place else PAGE + overlap
                newer = saved[place:] if place else [post for post in saved if post.received >= edge]
                page = on.PageRead(room, wanted.part, newer[:count], len(newer) < count, edge=edge)
            case do.ReadAround(room, _, ref) if all(post.ref != ref for post in saved):
                self.answers.append(on.NotFound("it was never sent"))
                return
            case do.ReadAround(room, _, ref):
                [index] = [index for index, post in enumerate(saved) if post.ref == ref]
                first, end = max(0, index - PAGE // 2), index + PAGE // 2 + 1
                page = on.PageRead(
                    room, on.Part.AROUND, saved[first:end], not first, target=saved[index].key,
                    has_newer=end < len(saved),
                )  # fmt: skip
        self.answers.append(page)

    def fail(self) -> None:
        """The archive cannot answer the oldest request."""
        if self.waiting:
            wanted = self.waiting.pop(0)
            assert isinstance(wanted, READING)
            around = isinstance(wanted, do.ReadAround)
            self.answers.append(on.NotFound("broken") if around else on.PageFailed(wanted.room))

    def check(self) -> None:
        asked = [effect.room for effect in self.waiting if isinstance(effect, READING)]
        asked += [one.room for one in self.answers if isinstance(one, on.PageRead | on.PageFailed)]
        is_answered = any(isinstance(one, on.NotFound) for one in self.answers)
        assert self.state.room.window.is_loaded or self.state.current in asked or is_answered, (
            "nobody reads it"
        )
        for name, room in self.state.rooms.items():
            arrived = [post for post in room.posts if post.delivery is Delivery.ARRIVED]
            unsent = [post for post in room.posts if post.delivery is not Delivery.ARRIVED]
            assert room.posts == arrived + unsent
            assert len({post.key for post in room.posts}) == len(room.posts), "shown twice"
            if room.window.is_loaded and arrived:
                keys = [post.key for post in self.saved[name]]
                first = keys.index(arrived[0].key)
                assert [post.key for post in arrived] == keys[first : first + len(arrived)], "a gap"
                if not room.window.has_newer:
                    assert arrived[-1].key == keys[-1], "the newest is missing"
            saved = {post.id for post in self.saved[name]}
            expected = [id_ for id_, (where, _) in self.sent.items() if where == name and id_ not in saved]
            assert [post.id for post in unsent] == expected, "a message of your own is lost"
            assert room.unread >= 0
            assert room.draft.text.splitlines() == self.drafts[name], "a text is lost, or there twice"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("arrive"), st.sampled_from(ROOMS), st.sampled_from([ME, BOB])),
        st.tuples(st.just("flood"), st.sampled_from(ROOMS), st.integers(1, 700)),
        st.tuples(st.just("submit"), st.sampled_from(ROOMS)),
        st.tuples(st.just("echo"), st.integers(0, 5)),
        st.tuples(st.just("acknowledge"), st.integers(0, 5)),
        st.tuples(st.just("reject"), st.integers(0, 5)),
        st.tuples(st.just("discard"), st.sampled_from(ROOMS)),
        st.tuples(st.just("withdraw")),
        st.tuples(st.just("tell")),
        st.tuples(st.just("open"), st.sampled_from(ROOMS)),
        st.tuples(st.just("read")),
        st.tuples(st.just("answer")),
        st.tuples(st.just("fail")),
        st.tuples(st.just("tick")),
        st.tuples(st.just("scroll"), st.booleans(), st.booleans(), st.booleans()),
        st.tuples(st.just("focus"), st.booleans()),
        st.tuples(st.just("jump")),
        st.tuples(st.just("go"), st.integers(0, 700)),
    ),
    max_size=60,
)


FAR_AWAY = [("flood", "lobby", 700), ("go", 10), ("answer",)]


@given(STEPS)
@example([*FAR_AWAY, ("jump",), ("read",), ("arrive", "lobby", BOB), ("answer",)])
@example([*FAR_AWAY, ("go", 690), ("read",), ("arrive", "lobby", BOB), ("answer",)])
@example([("flood", "lobby", 140), ("go", 20), ("answer",), ("scroll", False, False, True), ("read",),
    ("arrive", "lobby", BOB), ("answer",)])  # fmt: skip
@example([*FAR_AWAY, ("jump",), ("read",), ("flood", "lobby", 1_200), ("answer",)])
@example([*FAR_AWAY, ("submit", "lobby"), ("read",), ("echo", 0), ("answer",)])
@example([*FAR_AWAY, ("scroll", False, False, False), ("open", "ops"), ("open", "lobby"), ("read",),
    ("arrive", "lobby", BOB), ("open", "ops"), ("answer",), ("open", "lobby"), ("fail",), ("answer",)])  # fmt: skip
@example(
    [("submit", "lobby"), ("discard", "lobby"), ("withdraw",), ("discard", "lobby"), ("tell",), ("withdraw",)]
)
@example([("submit", "lobby"), ("discard", "lobby"), ("acknowledge", 0), ("withdraw",), ("tell",)])
@example([("submit", "lobby"), ("reject", 0), ("tell",), ("discard", "lobby")])
@settings(max_examples=120, deadline=None)
def test_whatever_happens_nothing_is_lost_or_shown_twice(steps: list[tuple[object, ...]]) -> None:
    world = World()
    for step in steps:
        match step:
            case ("arrive", str(room), str(sender)):
                world.arrive(room, sender)
            case ("flood", str(room), int(count)):
                world.flood(room, count)
            case ("submit", str(room)):
                world.submit(room)
            case ("echo", int(index)):
                if id_ := world.on_the_way(index):
                    world.arrive(world.sent[id_][0], ME, id_)
            case ("acknowledge", int(index)):
                if id_ := world.on_the_way(index):
                    world.told.append(on.Acknowledged(id_))
            case ("reject", int(index)):
                if (id_ := world.on_the_way(index)) and on.Acknowledged(id_) not in world.told:
                    world.told.append(on.SendFailed(id_, "no", at(world.number)))
            case ("discard", str(room)):
                world.discard(room)
            case ("withdraw",):
                world.withdraw()
            case ("tell",):
                world.tell()
            case ("open", str(room)):
                world.act(on.RoomOpened(room))
            case ("fail",):
                world.fail()
            case ("tick",):
                world.act(on.Ticked(float(world.number), 0.5))
            case ("read",):
                world.read()
            case ("answer",):
                world.answer()
            case ("scroll", bool(is_at_end), bool(near_top), bool(near_end)):
                posts = world.state.room.posts
                place = Place(posts[len(posts) // 2].key, 0) if posts and not is_at_end else None
                world.act(on.Scrolled(is_at_end, near_top, near_end, place=place))
            case ("focus", bool(is_focused)):
                world.act(on.Focused(is_focused))
            case ("jump",):
                world.act(on.Jumped())
            case ("go", int(index)):
                if index < len(posts := world.saved[world.state.current]):
                    world.act(on.Went(world.state.current, ref=posts[index].ref))
        world.check()


def test_a_room_that_is_not_known_appears_when_a_message_arrives_there() -> None:
    state = opened()
    update(state, on.Received([message(1, room="ops")]))
    assert state.rooms["ops"].unread == 1
    assert isinstance(state.rooms["ops"], Room)


def test_the_person_is_told_of_mentions_elsewhere_but_never_of_the_room_they_look_at() -> None:
    state = opened("lobby", "ops")
    state.me.keywords = ("deploy",)

    def told(room: str, *given: str) -> list[str]:
        state.rooms[room].window.posts = []
        messages = [message(index, room=room, text=text) for index, text in enumerate(given)]
        effects = update(state, on.Received(messages))
        return [effect.title for effect in effects if isinstance(effect, do.Notify)]

    assert told("ops", "hello", "hi alice", "deploy it") == ["bob~b0b00000 in ops (and 1 more)"]
    assert told("ops", "hello") == []
    assert told("lobby", "hi alice") == []
    update(state, on.Focused(False))
    assert told("lobby", "hi alice") == ["bob~b0b00000 in lobby"]
    update(state, on.LevelSet("ops", "all"))
    assert told("ops", "hello") == ["bob~b0b00000 in ops"]
    update(state, on.LevelSet("ops", "none"))
    assert told("ops", "hi alice") == []


def test_an_answer_to_a_message_of_yours_is_a_mention() -> None:
    state = opened("lobby", "ops")
    update(state, on.Received([message(1, sender=ME, room="ops"), message(2, room="ops")]))
    update(state, on.Received([message(3, room="ops", re="id-2")]))
    assert state.rooms["ops"].mentions == 0
    update(state, on.Received([message(4, room="ops", re="id-1")]))
    assert state.rooms["ops"].mentions == 1


def test_an_answer_to_a_message_of_yours_is_a_mention_also_if_only_the_history_has_yours() -> None:
    state = opened("lobby", "ops")
    [asked] = update(state, on.Received([message(1, room="ops", re="old")]))
    assert asked == do.ReadPost("ops", "id-1")
    read = replace(state.rooms["ops"].posts[0], answered=Answered("old", ME, "alice", "my text"))
    [told] = update(state, on.PostRead(read))
    assert isinstance(told, do.Notify)
    assert state.rooms["ops"].mentions == 1
    assert update(state, on.PostRead(replace(read, is_edited=True))) == []
    assert state.rooms["ops"].mentions == 1, "it counts once"
    update(state, on.Received([message(2, room="ops", re="other")]))
    other = Answered("other", BOB, "bob", "text")
    assert update(state, on.PostRead(replace(state.rooms["ops"].posts[1], answered=other))) == []
    assert state.rooms["ops"].mentions == 1


def test_no_name_makes_a_notification_look_like_a_line_of_the_chat() -> None:
    state = opened("lobby", "12:00 al: hi")
    [*effects] = update(
        state, on.Received([message(1, room="12:00 al: hi", name="Warning: x", text="alice")])
    )
    [told] = [effect for effect in effects if isinstance(effect, do.Notify)]
    assert told.title == '"Warning: x"~b0b00000 in "12:00 al: hi"'
