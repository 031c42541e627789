"""The chat screen: what keys do, and what is on the screen. The services are in memory."""

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from textual import events

from aws_iot.chat.actions.base import Context
from aws_iot.chat.actions.browser import needs_terminal
from aws_iot.chat.actions.desk import NO_ROOM_YET
from aws_iot.chat.actions.editor import NoEditor, edited
from aws_iot.chat.bridge import Bridge, Parts
from aws_iot.chat.model import events as on
from aws_iot.chat.model.effects import Notify
from aws_iot.chat.model.posts import Delivery
from aws_iot.chat.model.reducer import update
from aws_iot.chat.model.state import Link, Me, Room, State, Status
from aws_iot.chat.parts.archive import Archive
from aws_iot.chat.parts.memory import Memory
from aws_iot.chat.parts.status import status_of
from aws_iot.chat.screen.alerts import Alerts
from aws_iot.chat.screen.app import ChatApp
from aws_iot.chat.screen.composer import LARGE_LINES, Composer
from aws_iot.chat.screen.conversation import Conversation
from aws_iot.chat.screen.dialogs import Choice, Help, Question, help_text
from aws_iot.chat.screen.panels import PeopleList, RoomList, StatusLine
from aws_iot.chat.settings import ChatSettings, load
from aws_iot.errors import (
    AccountReplaced,
    AwsIotError,
    LocalError,
    NotAccepted,
    ServiceRefused,
    SessionEnded,
    TakenOver,
    TopicRefused,
    Unreachable,
    WrongClock,
)
from aws_iot.messaging.connection import Lost, Restored
from aws_iot.messaging.kinds import PRESENCE
from aws_iot.messaging.message import encode
from tests.chats import Chat, chatting, run, say
from tests.fakes import FakeApp, FakeCloud
from tests.unit.test_output import HOSTILE

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)

BOB = "us-east-1:b0b00000-0ed5-4578-add0-985024739222"
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
MALLORY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"


def sent(cloud: FakeCloud) -> list[bytes]:
    return [payload for _, payload, more in cloud.published if ("kind", PRESENCE) not in more]


def test_enter_sends_and_other_keys_begin_a_line(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.press(
                *"one", "shift+enter", *"two", "alt+enter", *"three", "backslash", "enter", *"four"
            )
            assert sent(cloud) == []
            await chat.press("enter")
            assert chat.input == ""
            await chat.until(lambda: sent(cloud) == [encode("one\ntwo\nthree\nfour")])
            await chat.until_shown("four")
            await chat.until(lambda: chat.state.room.posts[-1].delivery is Delivery.ARRIVED)

    run(test)


def test_what_was_typed_can_be_undone_but_not_by_the_key_that_stops_programs(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.press("h", "i", "ctrl+z")
            assert chat.input == "hi"
            assert "cannot stop a program" in chat.panel("status")
            await chat.press("ctrl+underscore")
            assert chat.input == ""
            await chat.press("ctrl+y")
            assert chat.input == "hi"

    run(test)


def test_alt_enter_of_a_plain_terminal_begins_a_line() -> None:
    from textual._xterm_parser import XTermParser

    from aws_iot.chat.screen.legacy_keys import register

    register(["alt+a", "alt+down"])
    for written, key in (
        ("\x1b\r", "alt+enter"),
        ("\x1ba", "alt+a"),
        ("\r", "enter"),
        ("\x1b[1;3B", "alt+down"),
    ):
        found = [event.key for event in XTermParser().feed(written) if isinstance(event, events.Key)]
        assert found == [key]


def test_what_is_pasted_is_never_sent_and_much_of_it_asks_first(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            chat.screen.post_message(events.Paste("one\r\ntwo\rthree\n\x1b[2J"))
            await chat.until(lambda: "three" in chat.input)
            assert chat.input == "one\ntwo\nthree\n[2J"
            much = "line\n" * LARGE_LINES
            chat.screen.post_message(events.Paste(much))
            await chat.until(lambda: isinstance(chat.screen.screen, Question))
            await chat.press("escape")
            assert "line" not in chat.input
            chat.screen.post_message(events.Paste(much))
            await chat.until(lambda: isinstance(chat.screen.screen, Question))
            await chat.press("enter")
            await chat.until(lambda: "line" in chat.input)
            assert sent(cloud) == []

    run(test)


def test_messages_show_their_sender_once_and_names_by_identity(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            for sender in (BOB, BOB, MALLORY):
                say(cloud, "lobby", "hello", sender=sender, properties=[("name", "bob")])
            await chat.until_shown("bob~4f9fa251")
            shown = [line.split("  ")[0] for line in chat.conversation.splitlines() if "~" in line]
            assert shown == ["bob~b0b00000", "bob~4f9fa251"]
            you, *others = chat.panel("people").splitlines()
            assert you.startswith("● alice~")
            assert others == ["  bob~4f9fa251", "  bob~b0b00000"]

    run(test)


def test_each_message_shows_where_it_begins(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            for number, text in enumerate(("one\ntwo", "three", f"four {'long ' * 20}", "five")):
                say(cloud, "lobby", text, sender=BOB, properties=named(number))
            say(cloud, "lobby", "six", sender=BOB, properties=[*named(5), ("re", "id-1")])
            await chat.until_shown("six")
            rows = [line.rstrip() for line in chat.conversation.splitlines()]
            shown = rows[rows.index("  one") :]
            assert [line[:6] for line in shown] == [
                *("  one", "  two", "› thre", "› four", "  long", "  long", "› five"),
                *("┃ bob~", "  six"),
            ]
            await chat.press("alt+up")
            await chat.press("alt+up")
            await chat.until_shown("▌ five")

    run(test)


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_an_empty_room_tells_how_to_begin_until_there_is_a_message(
    app: FakeApp, cloud: FakeCloud, size: tuple[int, int]
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", size=size) as chat:
            await chat.until_shown("· Your history begins here.\n· Type a message, and press Enter.")
            say(cloud, "lobby", "hello", sender=BOB, properties=named(1))
            await chat.until_shown("hello")
            assert "begins here" not in chat.conversation
        async with chatting(app, cloud, "lobby", size=size) as chat:
            await chat.until_shown("hello")
            assert "begins here" not in chat.conversation

    run(test)


def _is_on(chat: Chat, text: str) -> bool:
    return any(text in row for row in chat.rows)


def _is_last(chat: Chat, text: str) -> bool:
    posts = chat.state.room.posts
    return bool(posts) and posts[-1].text == text


@pytest.mark.parametrize("size", [(80, 24), (40, 12)])
def test_nothing_in_a_message_can_leave_its_place(
    app: FakeApp, cloud: FakeCloud, size: tuple[int, int]
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", size=size) as chat:
            for hostile in HOSTILE:
                say(cloud, "lobby", hostile, sender=MALLORY, properties=[("name", hostile)])
                await chat.until(partial(_is_last, chat, hostile))
                chat.screen.draw()
                await chat.pilot.pause()
                for line in chat.conversation.splitlines():
                    is_frame = line.startswith(("──", "┃", "○", "·", "›")) or "~4f9fa251  " in line
                    assert is_frame or line.startswith("  "), line
                for row in chat.rows:
                    assert not any(ord(one) < 32 or 0x7F <= ord(one) < 0xA0 for one in row), row
            say(cloud, "[red]room[/]", "[bold]text[/bold] [@click=app.quit]x[/]", sender=MALLORY)
            await chat.enter("/join [red]room[/]")

    run(test)


def test_no_background_hides_the_text_of_a_light_or_dark_terminal(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            for number in range(40):  # the scroll bar is there
                say(cloud, "lobby", str(number), sender=BOB)
            await chat.until_shown("39")
            await chat.type("half a message")
            top = chat.screen.screen
            backgrounds = {
                segment.style.bgcolor.name
                for strip in top._compositor.render_strips(top.size)
                for segment in strip
                if segment.style and segment.style.bgcolor
            }
            assert backgrounds <= {"default"}

    run(test)


def test_a_draft_that_cannot_be_saved_at_the_end_is_told_of(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            folder = app.settings.folders.chat("default")
            await chat.until(lambda: any(folder.glob("*.json")))
            [file] = folder.glob("*.json")
            file.unlink()
            file.mkdir()
            await chat.type("a draft")
        assert chat.state.warnings["drafts"].endswith("drafts and read marks are not saved")

    run(test)


def test_drafts_survive_rooms_and_a_restart(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.type("half a ")
            await chat.press("ctrl+n")
            await chat.until(lambda: chat.state.current == "ops")
            assert chat.input == ""
            await chat.type("other")
            await chat.press("escape", "ctrl+p")
            assert chat.input == "half a "
        async with chatting(app, cloud) as chat:
            await chat.until(lambda: chat.state.current == "lobby")
            assert chat.input == "half a "
            await chat.press("ctrl+n")
            assert chat.input == "other"

    run(test)


def test_after_a_restart_an_edit_is_still_an_edit(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.enter("frist")
            await chat.until(lambda: chat.state.room.posts[-1].delivery is Delivery.ARRIVED)
            await chat.type("a draft")
            await chat.press("alt+e")
            await chat.type("!")
        async with chatting(app, cloud, "lobby") as chat:
            assert (chat.input, chat.panel("aim")[:11]) == ("frist!", "Edit: frist")
            await chat.press("enter")
            await chat.until_shown("  frist!\n· edited")
            assert chat.input == "a draft"
            [(_, ref)] = mine(cloud, "edit")
            assert ref == chat.state.room.posts[-1].id

    run(test)


def test_what_is_written_offline_is_kept_and_the_next_run_sends_it_as_soon_as_you_are_accepted(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        cloud.member("alice", "Passw0rd")
        members, cloud.members = cloud.members, set()
        async with chatting(app, cloud, "lobby", online=False) as chat:
            await chat.until(lambda: chat.state.status.link is Link.NOT_ACCEPTED)
            assert "An admin accepts it" in chat.panel("trouble")
            await chat.enter("later")
            await chat.until(lambda: chat.state.sending.waiting == 1)
            await chat.until_shown("○ later")
            assert "1 waiting" in chat.panel("status")
        async with chatting(app, cloud, "lobby", online=False) as chat:
            await chat.until(lambda: chat.state.status.link is Link.NOT_ACCEPTED)
            cloud.members = members
            await chat.until_online()
            assert chat.panel("trouble") == ""
            await chat.until(lambda: sent(cloud) == [encode("later")])
            await chat.until(lambda: [post.delivery for post in chat.state.room.posts] == [Delivery.ARRIVED])

    run(test)


def test_a_rejected_message_stays_says_why_and_can_be_sent_again(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        cloud.refuses_payload, cloud.refusal = encode("no"), ServiceRefused("the broker is not in the mood")
        async with chatting(app, cloud, "lobby") as chat:
            await chat.enter("no")
            await chat.until_shown("! not sent: the broker is not in the mood")
            assert "1 not sent" in chat.panel("status")
        async with chatting(app, cloud, "lobby") as chat:
            await chat.until_shown("! not sent: the broker is not in the mood")
            cloud.refuses_payload = None
            await chat.press("ctrl+r")
            await chat.until(lambda: sent(cloud) == [encode("no")])
            await chat.until(lambda: not chat.state.room.failed)
            cloud.refuses_payload, cloud.refusal = (
                encode("nono"),
                TopicRefused("not authorized to publish to a/b"),
            )
            await chat.enter("nono")
            await chat.until_shown("! not sent: a policy does not let you")
            await chat.type("typed since")
            await chat.press("alt+z")
            assert chat.input == "typed since\nnono"
            assert not chat.state.room.failed

    run(test)


def test_what_is_sent_right_before_the_end_is_sent_or_told_of_by_the_next_run(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.enter("bye")
        assert sent(cloud) == [encode("bye")]
        cloud.refuses_payload, cloud.refusal = encode("no"), ServiceRefused("not that")
        async with chatting(app, cloud, "lobby") as chat:
            await chat.enter("no")
        async with chatting(app, cloud, "lobby", online=False) as chat:
            await chat.until_shown("! not sent: not that")
            await chat.enter("at once")
        async with chatting(app, cloud, "lobby") as chat:
            await chat.until(lambda: encode("at once") in sent(cloud))

    run(test)


def test_an_export_that_fails_in_any_way_stops_nothing_else(
    app: FakeApp, cloud: FakeCloud, tmp_path: Path
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            say(cloud, "lobby", "half \ud83d", sender=BOB, properties=named(1))
            await chat.until_shown("half")
            await chat.enter("/export ~nobody-has-this-name/room.md")
            await chat.until(lambda: "Nothing was exported" in chat.panel("status"))
            for form in ("md", "csv", "jsonl"):
                path = tmp_path / f"room.{form}"
                await chat.enter(f"/export {path}")
                await chat.until(lambda name=path.name: name in chat.state.notice)  # type: ignore[misc]
                assert "half" in path.read_text()
            await chat.enter(f"/export {path}/room.md")
            await chat.until(
                lambda: chat.state.notice == f"Nothing was exported: {path}/room.md: Not a directory"
            )
            await chat.type("a draft")
        async with chatting(app, cloud, "lobby") as chat:
            assert chat.input == "a draft"

    run(test)


def test_the_status_line_tells_what_happens_to_the_connection(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            assert "online" in chat.panel("status")
            connection = cloud.connections[-1]
            connection.events.put(Lost("no network"))
            await chat.until(lambda: "reconnecting" in chat.panel("status"))
            assert "connection lost: no network" in chat.panel("trouble")
            connection.events.put(Restored(may_miss=True))
            await chat.until_shown("may be missing")
            await chat.until(lambda: "online" in chat.panel("status"))
            assert chat.panel("trouble") == ""
            connection.events.put(SessionEnded("the session has expired"))
            await chat.until(lambda: "signed out" in chat.panel("status"))
            assert "aws-iot login" in chat.panel("trouble")
            await chat.until_online()
            say(cloud, "lobby", "old words", sender=BOB)
            await chat.until_shown("old words")
            cloud.connections[-1].events.put(TakenOver("another program took over"))
            await chat.until(lambda: "taken over" in chat.panel("status"))
            assert "connects again" in chat.panel("trouble")
            await chat.enter("/find old")
            await chat.until(lambda: bool(chat.state.look.results and chat.state.look.results.posts))
            await chat.press("escape")
            await chat.until_online()

    run(test)


@pytest.mark.parametrize(
    ("error", "link", "hint"),
    [
        (NotAccepted("no", hint="Ask an admin to run: x"), Link.NOT_ACCEPTED, "Ask an admin"),
        (SessionEnded("it has expired"), Link.SIGNED_OUT, "aws-iot login -k team"),
        (WrongClock("an hour fast"), Link.WRONG_CLOCK, "Set the clock"),
        (TakenOver("by another"), Link.TAKEN_OVER, "connects again"),
        (ServiceRefused("a limit"), Link.OFFLINE, "aws-iot doctor -k team"),
        (
            AccountReplaced("restarted", hint="Run this command again."),
            Link.REJECTED,
            "Quit the chat (/quit)",
        ),
        (Unreachable("no network"), Link.OFFLINE, "aws-iot doctor -k team"),
        (LocalError("no such file"), Link.REJECTED, "aws-iot doctor -k team"),
    ],
)
def test_each_trouble_has_a_status_that_tells_what_to_do(error: AwsIotError, link: Link, hint: str) -> None:
    status = status_of(error, "team")
    assert status.link is link
    assert hint in status.hint
    line = StatusLine()
    line.show_state(State(Me("us-east-1:a11ce000", "alice"), status=status), 80, NOW, lambda _: True)
    assert len(line.text) > 3


def test_the_pause_before_the_next_attempt_is_counted_down_and_need_not_be_waited_for(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            connection = cloud.connections[-1]
            await chat.enter("/reconnect")
            await chat.until(lambda: "The chat is online." in chat.panel("status"))
            connection.next_attempt = time.monotonic() + 1000
            connection.events.put(Lost("no network"))
            await chat.until(lambda: "reconnecting in 9" in chat.panel("status"))
            await chat.enter("/reconnect")
            await chat.until_online()
            assert "reconnecting" not in chat.panel("status")
            assert "Trying to connect" not in chat.panel("status")

    run(test)


@pytest.mark.parametrize(
    ("link", "seconds", "shown"),
    [
        (Link.LOST, 17.4, "reconnecting in 17 s"),
        (Link.OFFLINE, 5, "offline, retrying in 5 s"),
        (Link.SIGNED_OUT, 30, "signed out, retrying in 30 s"),
        (Link.LOST, 1, "reconnecting"),
        (Link.LOST, -5, "reconnecting"),
    ],
)
def test_the_status_line_tells_when_the_chat_tries_again(link: Link, seconds: float, shown: str) -> None:
    state, line = State(Me("us-east-1:a11ce000", "alice")), StatusLine()
    update(state, on.StatusChanged(Status(link)))
    update(state, on.RetryPlanned(NOW + timedelta(seconds=seconds)))
    update(state, on.StatusChanged(Status(link, "the reason is known now")))
    line.show_state(state, 80, NOW, lambda _: True)
    assert f" {shown}  " in line.text
    update(state, on.StatusChanged(Status(Link.CONNECTING)))
    line.show_state(state, 80, NOW, lambda _: True)
    assert "connecting  " in line.text


def test_the_status_line_counts_the_unread_messages_of_rooms_that_the_list_does_not_show() -> None:
    rooms = {name: Room(name, unread=number) for number, name in enumerate(("open", "seen", "unseen"))}
    state = State(Me("us-east-1:a11ce000", "alice"), rooms, current="open")
    line = StatusLine()
    line.show_state(state, 80, NOW, {"open", "seen"}.__contains__)
    assert "  2 unread" in line.text
    line.show_state(state, 80, NOW, rooms.__contains__)
    assert "unread" not in line.text


def test_unread_messages_are_counted_until_the_screen_shows_them_with_the_focus(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.until(lambda: chat.state.rooms["ops"].is_joined)
            say(cloud, "ops", "look", sender=BOB)
            await chat.until(lambda: chat.panel("rooms").splitlines()[1].endswith("1"))
            await chat.enter("/rooms")
            assert "2 rooms: ops (1 unread), lobby" in chat.panel("status")
            await chat.press("ctrl+n")
            await chat.until(lambda: chat.state.room.unread == 0)
            chat.screen.post_message(events.AppBlur())
            await chat.until(lambda: not chat.state.look.is_focused)
            say(cloud, "ops", "nobody looks", sender=BOB)
            await chat.until(lambda: chat.panel("rooms").splitlines()[1].rstrip().endswith("1"))
            await chat.press("x")  # in a terminal that told nothing, but has the focus
            await chat.until(lambda: not chat.panel("rooms").splitlines()[1].rstrip().endswith("1"))
            await chat.clear()
            chat.screen.post_message(events.AppBlur())
            await chat.until(lambda: not chat.state.look.is_focused)
            say(cloud, "ops", "nobody looks again", sender=BOB)
            await chat.until_shown("nobody looks again")
            assert chat.state.room.unread == 1
            chat.screen.post_message(events.AppFocus())
            await chat.until(lambda: chat.state.room.unread == 0)
            assert not chat.panel("rooms").splitlines()[1].rstrip().endswith("1")
            await chat.enter("/mute")
            await chat.type("a draft")
            await chat.press("ctrl+p")
            await chat.until(lambda: chat.panel("rooms").splitlines()[1].rstrip().endswith("✎"))
            await chat.enter("/rooms")
            assert "2 rooms: lobby, ops (draft, muted)" in chat.panel("status")

    run(test)


def test_the_status_line_points_to_unread_messages_above_until_you_were_there(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.until(lambda: chat.state.rooms["ops"].is_joined)
            for number in range(60):
                say(cloud, "ops", f"number {number}", sender=BOB, properties=named(number))
            await chat.until(lambda: chat.state.rooms["ops"].unread == 60)
            await chat.press("ctrl+n")
            await chat.until_shown("number 59")
            await chat.until(lambda: "↑ new: /unread" in chat.panel("status"))
            await chat.enter("/unread")
            await chat.until_shown("── new ──")
            await chat.press("ctrl+end")
            await chat.until_shown("number 59")
            await chat.until(lambda: "↑" not in chat.panel("status"))

    run(test)


def test_the_history_is_read_page_by_page_and_nothing_moves_while_you_read(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", size=(80, 15)) as chat:
            for number in range(350):
                say(cloud, "lobby", f"message {number}", sender=BOB, properties=[("id", f"id-{number}")])
            await chat.until_shown("message 349")
        async with chatting(app, cloud, "lobby", size=(80, 15)) as chat:
            await chat.until_shown("message 349")
            for _ in range(60):
                await chat.press("pageup")
                await chat.pilot.pause(0.02)
                if "message 0" in chat.conversation.splitlines()[-1] or "message 3\n" in chat.conversation:
                    break
            await chat.until_shown("message 3\n")
            before = chat.conversation
            say(cloud, "lobby", "new one", sender=BOB)
            await chat.until(lambda: chat.state.room.unread == 1)
            assert chat.conversation == before
            assert "↓ 1 new" in chat.panel("status")
            await chat.press("ctrl+end")
            await chat.until_shown("new one")
            chat.screen.scroll(-1)
            chat.screen.draw()  # as if something had arrived in the same moment
            assert "new one" not in chat.conversation
            await chat.press("ctrl+end")
            await chat.until_shown("new one")
            await chat.until(lambda: chat.state.room.unread == 0)

    run(test)


def _shows(chat: Chat, conversation: str) -> bool:
    return chat.conversation == conversation


def test_a_room_is_opened_where_you_have_left_it(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops", size=(80, 15)) as chat:
            for number in range(400):
                say(cloud, "lobby", f"message {number}", sender=BOB, properties=named(number))
            await chat.until_shown("message 399")
            for pages in (
                1,
                25,
            ):  # the window of a room that is not open has what is a page above, but no more
                for _ in range(pages):
                    await chat.press("pageup")
                before = chat.conversation
                assert "message 399" not in before
                await chat.press("ctrl+n")
                assert chat.conversation != before
                say(cloud, "lobby", f"new {pages}", sender=BOB, properties=named(400 + pages))
                await chat.until(lambda: bool(chat.state.rooms["lobby"].unread))
                await chat.press("ctrl+p")
                await chat.until(partial(_shows, chat, before))
                assert chat.state.room.unread, "its end is not on the screen"
                await chat.press("ctrl+n", "alt+a")
                await chat.until_shown(f"new {pages}")
                await chat.press("ctrl+n", "ctrl+p")
                await chat.until_shown(f"new {pages}")

    run(test)


def test_a_page_up_counts_from_what_is_on_the_screen(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            for number in range(60):
                say(cloud, "lobby", f"message {number}", sender=BOB)
            await chat.until_shown("message 59")
            conversation = chat.screen.query_one(Conversation)
            end = conversation.scroll_offset.y
            chat.screen.scroll(-1)
            # A page of the history that is added now must not change where it leads.
            assert conversation.scroll_offset.y == end - (conversation.size.height - 1)

    run(test)


def test_the_screen_shows_what_has_changed_above_the_end(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:

            async def check() -> None:
                """What was drawn is what the conversation has there."""
                await chat.pilot.pause()
                drawn = "\n".join(chat.rows)
                assert all(line.strip() in drawn for line in chat.conversation.splitlines())

            for number in range(40):
                say(cloud, "lobby", f"message {number}", sender=BOB, properties=[("id", f"id-{number}")])
            await chat.until_shown("message 39")
            await check()
            await chat.press("pageup")
            await chat.until_shown("message 15")
            await check()
            edit = [("kind", "edit"), ("re", "id-15")]
            say(cloud, "lobby", "in other words", sender=BOB, properties=edit)
            await chat.until_shown("in other words")
            await check()
            say(cloud, "lobby", "below the screen", sender=BOB)
            await chat.until(lambda: chat.state.room.unread == 1)
            await check()
            await chat.press("ctrl+end")
            await chat.until_shown("below the screen")
            await check()

    run(test)


async def _columns_of_border(chat: Chat) -> set[int]:
    await chat.pilot.pause()
    return {row.index("│") for row in chat.rows if "│" in row}


def test_a_chat_of_any_size_follows_what_arrives_unless_you_read_above(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            for number in range(60):
                say(cloud, "lobby", f"message {number}.", sender=BOB)
            await chat.until_shown("message 59.")
            for size in ((80, 12), (34, 10), (100, 30), (40, 12), (80, 24)):
                await chat.pilot.resize_terminal(*size)
                await chat.until_shown("message 59.")
            say(cloud, "lobby", "and one more.", sender=BOB)
            await chat.until_shown("and one more.")
            await chat.press("pageup")
            top = chat.conversation.splitlines()[0]
            for size in ((80, 12), (100, 30), (80, 24)):
                await chat.pilot.resize_terminal(*size)
                await chat.until_shown(top)
            assert "and one more." not in chat.conversation

    run(test)


def test_panels_can_be_hidden_and_are_on_narrow_screens(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", size=(40, 12)) as chat:
            assert await _columns_of_border(chat) == set()
            assert "lobby" in chat.panel("status")
            await chat.enter("hello")
            await chat.until_shown("hello")
            await chat.press("f2")
            assert await _columns_of_border(chat) == {17}
            await chat.press("f3")  # both would leave no room for messages
            assert await _columns_of_border(chat) == {22}
            await chat.press("f3")
            assert await _columns_of_border(chat) == set()
        async with chatting(app, cloud, "lobby") as chat:
            assert await _columns_of_border(chat) == {17}
            await chat.press("f2", "f3")
            assert await _columns_of_border(chat) == set()
            assert not chat.screen.query_one(PeopleList).display

    run(test)


def test_a_panel_that_was_hidden_on_a_wide_screen_is_hidden_in_the_next_run(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.press("f3")
        async with chatting(app, cloud, "lobby") as chat:
            assert not chat.screen.query_one(PeopleList).display
            assert chat.screen.query_one(RoomList).display
        async with chatting(app, cloud, "lobby", size=(50, 20)) as chat:
            await chat.press("f3")  # only looks, on a narrow screen
            await chat.until(lambda: chat.screen.query_one(PeopleList).display)
            await chat.pilot.resize_terminal(100, 20)
            await chat.until(lambda: not chat.screen.query_one(PeopleList).display)
            await chat.press("f3")
        async with chatting(app, cloud, "lobby") as chat:
            await chat.until_online()
            assert chat.screen.query_one(PeopleList).display

    run(test)


def test_help_lists_keys_and_commands_and_a_typo_is_explained(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.press("f1")
            await chat.until(lambda: isinstance(chat.screen.screen, Help))
            assert any("Ctrl+N" in row for row in chat.rows)
            await chat.press("escape")
            await chat.enter("/jion ops")
            assert "Did you mean /join?" in chat.panel("status")
            assert chat.input == "/jion ops", "it can be corrected"
            assert sent(cloud) == []
            for _ in range(9):
                await chat.press("backspace")
            await chat.enter("//join is a command")
            await chat.until(lambda: sent(cloud) == [encode("/join is a command")])
            await chat.enter("/join ops,dev")
            assert chat.state.current == "lobby", "a probable mistake is named first"

    run(test)


def mine(cloud: FakeCloud, kind: str | None = None) -> list[tuple[bytes, str | None]]:
    """What was sent with this kind: payload, and the message that it refers to."""
    properties = [(payload, dict(found)) for _, payload, found in cloud.published]
    return [(payload, known.get("re")) for payload, known in properties if known.get("kind") == kind]


def named(number: int, name: str = "bob") -> list[tuple[str, str]]:
    return [("id", f"id-{number}"), ("name", name)]


def test_replies_quote_what_they_answer_and_lead_to_it(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            say(cloud, "lobby", "is it on?", sender=BOB, properties=named(1))
            await chat.until_shown("is it on?")
            await chat.press("alt+r")
            assert chat.panel("aim").startswith("Reply to bob~b0b00000: is it on?")
            await chat.enter("it is")
            await chat.until(lambda: mine(cloud) == [(encode("it is"), "id-1")])
            await chat.until_shown("┃ bob~b0b00000: is it on?\n  it is")
            assert not chat.state.room.draft.aim
            for number in range(2, 40):
                say(cloud, "lobby", f"message {number}", sender=BOB, properties=named(number))
            await chat.until_shown("message 39")
            assert "is it on?" not in chat.conversation
            say(cloud, "lobby", "indeed", sender=BOB, properties=[*named(40), ("re", "id-1")])
            await chat.until_shown("┃ bob~b0b00000: is it on?")
            await chat.press("alt+up", "alt+g")
            await chat.until_shown("▌ is it on?")
            await chat.press("ctrl+end")
            await chat.until_shown("indeed")

    run(test)


def test_a_thread_can_be_folded(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            say(cloud, "lobby", "question", sender=BOB, properties=named(1))
            await chat.until_shown("question")
            await chat.press("alt+t")
            assert "This message has no replies." in chat.panel("status")
            say(cloud, "lobby", "answer", sender=MALLORY, properties=[*named(2), ("re", "id-1")])
            say(cloud, "lobby", "answer to it", sender=BOB, properties=[*named(3), ("re", "id-2")])
            await chat.until_shown("answer to it")
            await chat.press("alt+t")
            await chat.until_shown("▸ 2 replies")
            assert "answer" not in chat.conversation
            await chat.press("alt+up", "alt+up")
            await chat.until_shown("▌ question")
            await chat.enter("/thread")
            await chat.until_shown("answer to it")

    run(test)


@pytest.mark.parametrize("how", ["reply", "search", "select"])
def test_what_a_folded_thread_hides_is_shown_when_you_go_there_or_add_to_it(
    app: FakeApp, cloud: FakeCloud, how: str
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            say(cloud, "lobby", "question", sender=BOB, properties=named(1))
            say(cloud, "lobby", "answer", sender=MALLORY, properties=[*named(2), ("re", "id-1")])
            await chat.until_shown("answer")
            await chat.press("alt+up", "alt+t")
            await chat.until_shown("▸ 1 reply")
            await chat.until_shown("▌ question")
            if how == "reply":
                await chat.enter("/reply mine")
                await chat.until_shown("  mine")
            elif how == "search":
                await chat.enter("/find answer")
                await chat.until(lambda: any("  answer" in row for row in chat.rows))
                await chat.press("enter")
            else:
                await chat.enter("/select 0")
            await chat.until_shown("answer")

    run(test)


@pytest.mark.parametrize("columns", [40, 60, 80])
def test_the_help_and_what_the_chat_tells_fit_the_screen(
    app: FakeApp, cloud: FakeCloud, columns: int
) -> None:
    assert max(map(len, help_text({}, columns).splitlines()[3:-2])) <= columns

    async def test() -> None:
        async with chatting(app, cloud, "lobby", size=(columns, 20)) as chat:
            await chat.enter("/goto nowhere")
            await chat.until(lambda: "today, yesterday" in " ".join(chat.panel("status").split()))
            assert "…" not in chat.panel("status").partition("●")[0]
            assert "● online" in chat.rows[-1]

    run(test)


def test_what_the_status_line_tells_ends_with_the_next_thing_that_you_do(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            for key in ("enter", "f3"):
                await chat.enter("/mute")
                await chat.until(lambda: "notifications" in chat.panel("status"))
                await chat.type("next" * (key == "enter"))
                assert "notifications" in chat.panel("status")
                await chat.press(key)
                await chat.until(lambda: "notifications" not in chat.panel("status"))

    run(test)


def test_your_messages_can_be_edited_and_deleted_and_those_of_others_cannot(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            say(cloud, "lobby", "not yours", sender=BOB, properties=named(1))
            await chat.enter("frist")
            await chat.until(
                lambda: chat.state.room.posts[-1].text == "frist" and not chat.state.sending.waiting
            )
            await chat.until(lambda: chat.state.room.posts[-1].delivery is Delivery.ARRIVED)
            await chat.type("a draft")
            await chat.press("alt+e")
            assert chat.input == "frist"
            assert chat.panel("aim").startswith("Edit: frist")
            for _ in range(5):
                await chat.press("backspace")
            await chat.enter("first")
            assert chat.input == "a draft", "it comes back"
            await chat.until_shown("  first\n· edited")
            await chat.press("alt+v")
            await chat.until_shown("· 1. frist")
            [(_, ref)] = mine(cloud, "edit")
            assert ref == chat.state.room.posts[-1].id
            await chat.press("alt+up", "alt+up")
            assert chat.state.selected_post
            assert chat.state.selected_post.text == "not yours"
            await chat.press("alt+e")
            assert "Only the sender" in chat.panel("status")
            await chat.press("escape", "alt+d")
            await chat.until(lambda: isinstance(chat.screen.screen, Question))
            await chat.press("enter")
            await chat.until_shown("(deleted)")
            assert mine(cloud, "delete") == [(encode("(message deleted)"), ref)]

    run(test)


def test_reactions_are_counted_and_a_second_time_takes_yours_back(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            say(cloud, "lobby", "nice", sender=BOB, properties=named(1))
            say(cloud, "lobby", "👍", sender=BOB, properties=[("id", "r"), ("kind", "react"), ("re", "id-1")])
            await chat.until_shown("· 👍 1")
            await chat.press("alt+l")
            await chat.until_shown("· 👍 2")
            await chat.press("alt+l")
            await chat.until_shown("· 👍 1")
            await chat.enter("/react " + 40 * "👍")
            assert "a reaction is" in chat.panel("status")
            for named_so, emoji in ((":heart:", "❤"), (":Red_Apple", "🍎"), ("❄", "❄"), (":)", '":)"')):
                await chat.enter(f"/react {named_so}")
                await chat.until_shown(f"{emoji} 1")
            for unknown in (":no such emoji:", "fier"):
                await chat.enter(f"/react {unknown}")
                assert f"There is no emoji named {unknown.strip(':')}." in chat.panel("status")

    run(test)


def test_without_messages_of_others_a_reaction_is_to_your_own(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.enter("/react")
            assert "There is no message." in chat.panel("status")
            await chat.enter("hello?")
            await chat.until(lambda: _is_last(chat, "hello?") and not chat.state.sending.waiting)
            await chat.until(lambda: chat.state.room.posts[-1].delivery is Delivery.ARRIVED)
            await chat.enter("/react")
            await chat.until_shown("· 👍 1")

    run(test)


def test_a_message_that_is_not_sent_yet_cannot_be_changed(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        cloud.member("alice", "Passw0rd")
        cloud.members.clear()
        async with chatting(app, cloud, "lobby", online=False) as chat:
            await chat.enter("hello?")
            for command in ("/react", "/edit", "/delete", "/reply"):
                await chat.enter(command)
                assert chat.state.notice == NOT_YET
            await chat.enter("/select 0")
            await chat.enter("/react")
            assert chat.state.notice == "This message is not sent yet: /discard takes it back."

    run(test)


NOT_YET = "Your last message is not sent yet: /discard takes it back."


def test_no_earlier_message_is_changed_while_your_last_one_is_not_sent(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.enter("first")
            await chat.until(lambda: chat.state.room.posts[-1].delivery is Delivery.ARRIVED)
        members, cloud.members = cloud.members, set()
        async with chatting(app, cloud, "lobby", online=False) as chat:
            await chat.until_shown("  first")
            await chat.enter("second")
            await chat.press("alt+e")
            assert (chat.input, chat.state.notice) == ("", NOT_YET)
            await chat.press("alt+d")
            assert chat.state.notice == NOT_YET
            assert "Delete this message" not in "\n".join(chat.rows)
            await chat.press("alt+up", "alt+up", "alt+e")
            assert chat.input == "first", "it was selected"
            cloud.members = members

    run(test)


def test_changes_that_wait_are_shown_below_their_message_and_can_be_taken_back(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.enter("frist")
            await chat.until(lambda: chat.state.room.posts[-1].delivery is Delivery.ARRIVED)
            say(cloud, "lobby", "hello", sender=BOB, properties=named(1))
            await chat.until_shown("hello")
        members, cloud.members = cloud.members, set()
        async with chatting(app, cloud, "lobby", online=False) as chat:
            await chat.until_shown("hello")
            await chat.enter("/edit first")
            await chat.until_shown("frist\n○ edit: first\n")
            await chat.enter("/react :heart:")
            await chat.until_shown("hello\n○ react ❤")
            await chat.press("ctrl+r")
            assert chat.state.notice == "2 changes wait for the connection."
        async with chatting(app, cloud, "lobby", online=False) as chat:
            await chat.until_shown("frist\n○ edit: first\n")
            await chat.until_shown("hello\n○ react ❤")
            await chat.enter("/discard")
            await chat.until(lambda: "react" not in chat.conversation)
            await chat.enter("/discard")
            await chat.until(lambda: chat.input == "first")
            assert chat.panel("aim").startswith("Edit: frist")
            assert "○" not in chat.conversation
            await chat.enter("!")
            await chat.until_shown("○ edit: first!")
            cloud.members = members
            await chat.until_online()
            await chat.until_shown("  first!\n· edited")
            assert "○" not in chat.conversation
            assert [payload for payload, _ in mine(cloud, "edit")] == [encode("first!")]
            assert not mine(cloud, "react")

    run(test)


def test_what_waits_for_the_connection_is_counted_and_taken_back_below_what_you_have_typed_since(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        cloud.member("alice", "Passw0rd")
        members, cloud.members = cloud.members, set()
        async with chatting(app, cloud, "lobby", "ops", online=False) as chat:
            await chat.enter("/resend")
            assert chat.state.notice == "Every message of this room was sent."
            await chat.enter("/discard")
            assert chat.state.notice == "Every message of this room was sent."
            await chat.enter("one")
            await chat.enter("/resend")
            assert chat.state.notice == "1 message waits for the connection."
            for text in ("two", "three"):
                await chat.enter(text)
            await chat.press("ctrl+r")
            assert chat.state.notice == "3 messages wait for the connection."
            await chat.enter("/discard")
            await chat.until(lambda: chat.input == "three")
            await chat.type(" and more")
            chat.screen._desk.run("discard")
            chat.screen._layout.composer.insert_text("!")  # before the answer, and not told yet
            await chat.until(lambda: "two" in chat.input)
            assert chat.input == "three and more!\ntwo"
            await chat.until(lambda: chat.state.sending.waiting == 1)
            assert "○ one" in chat.conversation
            assert "two" not in chat.conversation
        async with chatting(app, cloud, "lobby", "ops", online=False) as chat:
            assert chat.input == "three and more!\ntwo"
            await chat.clear()
            await chat.until_shown("○ one")
            await chat.enter("/discard")  # and it ends before the answer
        cloud.members = members
        async with chatting(app, cloud, "lobby", "ops") as chat:
            assert chat.input == "one"
            await chat.enter("!")
            await chat.until(lambda: sent(cloud) == [encode("one!")])

    run(test)


def test_search_finds_in_the_history_and_opens_a_message_among_its_neighbors(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.until(lambda: chat.state.rooms["ops"].is_joined)
            for number in range(300):
                text = f"number {number}" + (" needle" if number == 20 else "")
                say(cloud, "lobby", text, sender=BOB, properties=named(number))
            await chat.until_shown("number 299")
            await chat.press("ctrl+n")
            await chat.enter("/search needle")
            await chat.until(lambda: bool(chat.state.look.results and chat.state.look.results.posts))
            assert any("number 20 needle" in row for row in chat.rows)
            await chat.press("enter")
            await chat.until(lambda: chat.state.current == "lobby")
            await chat.until_shown("▌ number 20 needle")
            assert "number 21\n" in chat.conversation
            await chat.press("ctrl+f")
            await chat.pilot.pause()
            await chat.press(*"needl")
            await chat.until(lambda: any("number 20 needle" in row for row in chat.rows))
            await chat.press("space")  # now the word is finished
            await chat.until(lambda: any("Nothing was found." in row for row in chat.rows))
            await chat.press("escape")
            assert chat.state.look.results is None
            await chat.press("ctrl+f")  # what was typed last is offered, and goes with the first letter
            await chat.pilot.pause()
            assert any("needl " in row for row in chat.rows)
            await chat.press(*"29", "backspace", "0")
            await chat.until(lambda: any("number 20 needle" in row for row in chat.rows))
            await chat.press("escape")
            await chat.enter("/search")
            await chat.until(lambda: any("number 20 needle" in row for row in chat.rows))
            await chat.press("escape")
            await chat.press("ctrl+end")
            await chat.until_shown("number 299")
            await chat.enter("/goto yesterday")
            await chat.until_shown("number 1\n")
            await chat.enter("/goto nonsense")
            assert "is not a time" in chat.panel("status")

    run(test)


@pytest.mark.parametrize("columns", [40, 46, 60, 80, 120])
@pytest.mark.parametrize("command", ["/find needle", "/search needle"])
def test_each_result_of_a_search_shows_what_was_found(
    app: FakeApp, cloud: FakeCloud, columns: int, command: str
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "a-long-name-of-a-room", size=(columns, 14)) as chat:
            before = "many words before it, "
            for number, text in enumerate(
                ("needle", f"{before * 5} needle 針", f"{'大' * 90} 針 needle {before}")
            ):
                say(cloud, chat.state.current, text, sender=BOB, properties=named(number, "a long name"))
            await chat.until(lambda: len(chat.state.room.posts) == 3)
            await chat.enter(command)
            await chat.until(
                lambda: bool(chat.state.look.results and len(chat.state.look.results.posts) == 3)
            )
            assert sum("needle" in row and "~" in row for row in chat.rows) == 3, "\n".join(chat.rows)

    run(test)


def test_keys_lead_to_unread_messages_and_rooms(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.until(lambda: chat.state.rooms["ops"].is_joined)
            for number in range(300):
                say(cloud, "ops", f"number {number}", sender=BOB, properties=named(number))
            await chat.until(lambda: chat.state.rooms["ops"].unread == 300)
            await chat.press("alt+a")
            await chat.until_shown("number 299")
            await chat.press("alt+u")
            await chat.until_shown("── new ──")
            await chat.until_shown("▌ number 0\n")

    run(test)


def test_a_change_of_a_name_is_announced_once_and_an_alias_is_yours_alone(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            for number, name in enumerate(("bob", "robert", "robert")):
                say(cloud, "lobby", f"number {number}", sender=BOB, properties=named(number, name))
            await chat.until_shown("number 2")
            assert chat.conversation.count("── bob~b0b00000 is now robert ──") == 1
            await chat.enter("/alias b0b00000 Bobby")
            await chat.until_shown("Bobby~b0b00000")
            assert "Bobby~b0b" in chat.panel("people")
        async with chatting(app, cloud, "lobby") as chat:
            await chat.until_shown("Bobby~b0b00000")
            await chat.enter("/alias")
            assert "Your aliases: Bobby~b0b00000" in chat.panel("status")
            await chat.enter("/alias @Bobby")
            await chat.until_shown("robert~b0b00000")

    run(test)


def _open_with(browser: str, **environment: str) -> str:
    """What the chat tells when it opens a link with this browser."""
    # In a process of its own: Python reads BROWSER only once.
    program = (
        "open_link('https://example.com', lambda program: print('lent', flush=True) or program(), print)"
    )
    wait = "[one.join() for one in threading.enumerate() if one is not threading.current_thread()]"
    done = subprocess.run(
        [
            *(sys.executable, "-c"),
            f"import threading\nfrom aws_iot.chat.actions.browser import open_link\n{program}\n{wait}",
        ],
        env=os.environ | {"BROWSER": browser} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def program(path: Path, code: int) -> str:
    """A program that writes to the terminal, and ends with this code."""
    path.write_text(f"#!/bin/sh\necho noise\nexit {code}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.skipif(sys.platform == "win32", reason="the browsers are shell scripts")
def test_a_browser_has_the_terminal_only_if_it_needs_it(tmp_path: Path) -> None:
    lynx, firefox = program(tmp_path / "lynx", 1), program(tmp_path / "my-firefox", 0)
    assert _open_with(lynx, DISPLAY=":0") == (
        f"lent\nnoise\n{lynx} did not open the link. Set BROWSER to another browser, or copy the link.\n"
    )
    assert _open_with(firefox, DISPLAY=":0") == ""
    broken = program(tmp_path / "my-chrome", 1)
    assert _open_with(broken, DISPLAY=":0").startswith(f"{broken} did not open the link.")


def test_a_browser_that_nobody_knows_needs_the_terminal_if_there_is_no_desktop() -> None:
    assert needs_terminal("/opt/unknown", {}, "linux")
    assert not needs_terminal("/opt/unknown", {"WAYLAND_DISPLAY": "wayland-0"}, "linux")
    assert not needs_terminal("/opt/unknown", {}, "darwin")
    assert needs_terminal("/usr/bin/w3m", {"DISPLAY": ":0"}, "linux")


def test_links_open_only_after_a_question_that_shows_them(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            say(cloud, "lobby", "see https://example.com/x?y=1.", sender=BOB, properties=named(1))
            await chat.until_shown("https://example.com")
            await chat.press("alt+up", "enter")
            await chat.until(lambda: isinstance(chat.screen.screen, Question))
            assert any("https://example.com/x?y=1" in row and "y=1." not in row for row in chat.rows)
            await chat.press("escape")

    run(test)


def test_a_message_with_several_links_offers_them(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            text = "https://a.example/[b]one[/b]x https://a.example/[b]one[/b]x and https://bank.example@evil.example/"
            say(cloud, "lobby", text, sender=BOB, properties=named(1))
            await chat.until_shown("https://a.example")
            await chat.press("alt+o")
            await chat.until(lambda: isinstance(chat.screen.screen, Choice))
            await chat.until(lambda: any("1. https://a.example/[b]one[/b]x" in row for row in chat.rows))
            assert any("2. to evil.example: https://bank.example@evil.example/" in row for row in chat.rows)
            assert not any("3." in row for row in chat.rows)
            await chat.press("down", "enter")
            await chat.until(lambda: _is_on(chat, "This link leads to evil.example, not to bank.example."))
            await chat.press("escape")
            await chat.press("alt+up", "enter")
            await chat.until(lambda: isinstance(chat.screen.screen, Choice))
            await chat.press("1")
            await chat.until(lambda: _is_on(chat, "Open this link to a.example"))
            await chat.press("escape", "escape")
            say(cloud, "lobby", "no link", sender=BOB, properties=named(9))
            await chat.until_shown("no link")
            await chat.enter("/open 2")
            await chat.until(lambda: _is_on(chat, "leads to evil.example"))
            await chat.press("escape")
            await chat.enter("/open 3")
            assert chat.state.notice == "Which link? Use a number from 1 to 2, as in /open 1."
            await chat.press("alt+o", "escape", "x")
            assert chat.input == "x"
            say(cloud, "lobby", "https://alone.example", sender=BOB, properties=named(3))
            await chat.until_shown("https://alone.example")
            await chat.clear()
            await chat.enter("/open 2")
            assert chat.state.notice == "This message has only one link: /open opens it."
            many = " ".join(f"https://{number}.example" for number in range(1, 41))
            say(cloud, "lobby", many, sender=BOB, properties=named(2))
            await chat.until_shown("https://40.example")
            await chat.press("escape", "alt+o", "up")
            await chat.until(lambda: _is_on(chat, "40. https://40.example"))
            await chat.press("enter")
            await chat.until(lambda: _is_on(chat, "Open this link to 40.example"))

    run(test)


def test_tab_completes_commands_rooms_names_and_emoji(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops/night") as chat:
            say(cloud, "lobby", "hi", sender=BOB, properties=named(1, "Bob Smith"))
            await chat.until_shown("hi")
            for typed, completed in (
                ("/jo", "/join "),
                ("/join op", "/join ops/night"),
                ("bo", "Bob Smith: "),
                ("ask @bo", "ask @Bob Smith "),
                ("well :tad", "well 🎉"),
                ("nobody", "nobody"),
            ):
                await chat.type(typed)
                await chat.press("tab")
                assert chat.input == completed
                await chat.clear()
            await chat.type("/re")
            await chat.press("tab", "tab")
            assert chat.input == "/react ", "a second time shows the next one"

    run(test)


def test_up_brings_back_what_was_sent_and_never_replaces_a_draft(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            for text in ("one", "two", "/who"):
                await chat.enter(text)
            await chat.press("up")
            assert chat.input == "/who"
            await chat.press("up")
            assert chat.input == "two"
            await chat.press("up")
            assert chat.input == "one"
            await chat.press("down", "down", "down")
            assert chat.input == ""
            await chat.type("draft")
            await chat.press("up")
            assert chat.input == "draft"
            await chat.clear()
            await chat.enter("//not a command")
            await chat.press("up", "enter")
            await chat.until(lambda: sent(cloud)[-2:] == 2 * [encode("/not a command")])
        async with chatting(app, cloud, "lobby") as chat:
            await chat.until_shown("two")
            await chat.press("up", "up", "up")
            assert chat.input == "two", "of an earlier run"

    run(test)


def test_a_key_clears_the_input_and_up_or_undoing_brings_the_text_back(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.press("o", "n", "e", "shift+enter", "t", "w", "o", "alt+k")
            assert chat.input == chat.state.room.draft.text == ""
            await chat.press("ctrl+underscore")
            assert chat.input == "one\ntwo"
            await chat.press("alt+k", "alt+k", "up")
            assert chat.input == chat.state.room.draft.text == "one\ntwo"
            await chat.press("alt+k")
            await chat.enter("hello")
            await chat.press("up", "up")
            assert chat.input == "one\ntwo"
            assert sent(cloud) == [encode("hello")]

    run(test)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("F6", "f6"),
        ("Ctrl+N", "ctrl+n"),
        ("CTRL+N", "ctrl+n"),
        ("Alt+A", "alt+a"),
        ("alt+A", "alt+A"),
        ("Page Up", "pageup"),
        ("Alt+,", "alt+,"),
        ("Alt+Comma", "alt+,"),
        ("Shift+F6", "shift+f6"),
        ("Esc", "escape"),
    ],
)
def test_keys_can_be_written_in_any_case(tmp_path: Path, text: str, key: str) -> None:
    (tmp_path / "chat.json").write_text(json.dumps({"keys": {"copy": text}}))
    assert load(tmp_path / "chat.json").keys == {"copy": (key,)}


def test_keys_can_be_changed_and_the_help_shows_them(app: FakeApp, cloud: FakeCloud) -> None:
    path = app.settings.folders.chat_settings
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"keys": {"next-room": ["f5"], "discard": ["ctrl+q"], "previous-room": []}}')

    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.press("f5")
            assert chat.state.current == "ops"
            await chat.press("ctrl+n", "ctrl+p")
            assert chat.state.current == "ops"
            await chat.press("ctrl+q")  # no longer the key to quit
            assert "was sent" in chat.panel("status")
            await chat.press("f1")
            await chat.until(lambda: isinstance(chat.screen.screen, Help))
            assert any("F5" in row and "open the next room" in row for row in chat.rows)

    run(test)


def test_the_palette_runs_an_action_or_asks_for_its_argument(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.press("ctrl+k")
            await chat.until(lambda: any("List your rooms (/rooms)" in row for row in chat.rows))
            assert any("Open the next room (Ctrl+N, Alt+Right)" in row for row in chat.rows)
            await chat.press(*"join a room")
            await chat.until(lambda: not any("List your rooms (/rooms)" in row for row in chat.rows))
            await chat.press("enter")
            await chat.until(lambda: chat.input == "/join ")
            await chat.press("ctrl+k")
            await chat.until(lambda: any("List your rooms (/rooms)" in row for row in chat.rows))
            await chat.press(*"join a room")
            await chat.until(lambda: not any("List your rooms (/rooms)" in row for row in chat.rows))
            await chat.press("enter")
            await chat.until(lambda: "needs an empty input" in chat.state.notice)
            assert chat.input == "/join "

    run(test)


def test_who_lists_those_who_wrote_last_and_counts_the_others(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            for number in range(40):
                sender = f"us-east-1:{number:08x}-0ed5-4578-add0-985024739222"
                say(cloud, "lobby", "hello", sender=sender, properties=named(number))
            await chat.until(lambda: len(chat.state.room.people) == 40)
            await chat.enter("/who")
            notice = chat.state.notice
            assert "Have written here: bob~00000027, bob~00000026, " in notice
            assert ", bob~0000000a and 10 more" in notice

    run(test)


def test_the_palette_opens_a_room_and_its_name_can_do_nothing(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "[red]x[/]", "ops-north", "ops-south") as chat:
            for typed, title in (("[red", 'the room "[red]x[/]"'), ("opssouth", "the room ops-south")):
                await chat.press("escape", "ctrl+k")
                await chat.until(lambda: any("List your rooms (/rooms)" in row for row in chat.rows))
                await chat.press(*typed)
                await chat.until(partial(_is_on, chat, title))
            await chat.press("enter")
            await chat.until(lambda: chat.state.current == "ops-south")

    run(test)


def test_the_palette_offers_the_room_first_of_whose_name_a_part_was_typed(
    app: FakeApp, cloud: FakeCloud
) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "devops", "ops") as chat:
            await chat.press("ctrl+k")
            await chat.until(lambda: any("List your rooms (/rooms)" in row for row in chat.rows))
            await chat.press(*"op")  # also in "Open the next room"
            await chat.until(partial(_is_on, chat, "the room devops"))
            rooms = [row.strip(" │") for row in chat.rows if "Open " in row]
            assert rooms[:2] == ["Open the room ops", "Open the room devops"]
            await chat.press("enter")
            await chat.until(lambda: chat.state.current == "ops")

    run(test)


def test_a_long_list_tells_how_much_there_is_and_that_it_is_cut(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        rooms = [f"room-{number}" for number in range(60)]
        async with chatting(app, cloud, *rooms) as chat:
            say(cloud, "room-39", "hello", sender=BOB, properties=named(1))
            await chat.until(lambda: chat.state.rooms["room-39"].unread == 1)
            await chat.enter("/rooms")
            lines = chat.panel("status").splitlines()
            assert lines[0].startswith("60 rooms: room-39 (1 unread), room-0, ")
            assert lines[-2].endswith(" …")
            assert all(len(line) <= 78 for line in lines)

    run(test)


def test_what_happens_while_the_screen_ends_is_not_drawn(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            screen = chat.screen
        screen.draw()  # as the bridge does for an event or a tick that comes last

    run(test)


def test_ctrl_c_names_the_key_that_quits(app: FakeApp, cloud: FakeCloud) -> None:
    async def told() -> str:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.press("ctrl+c")
            return chat.state.notice

    async def test() -> None:
        assert await told() == "Ctrl+Q quits. What you have typed is kept."
        path = app.settings.folders.chat_settings
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text('{"keys": {"quit": ["f10"]}}')
        assert await told() == "F10 quits. What you have typed is kept."
        path.write_text('{"keys": {"quit": []}}')
        assert await told() == "/quit quits. What you have typed is kept."

    run(test)


def test_nothing_that_is_typed_before_the_first_room_is_open_is_lost(tmp_path: Path) -> None:
    async def test() -> None:
        bridge = Bridge(State(Me(BOB, "bob")))
        archive = Archive(tmp_path / "file", Memory(tmp_path / "me.json"), bridge.tell, lambda: NOON, BOB)
        parts = Parts(archive, *cast("tuple[Any, Any]", (None, None)))  # nothing is sent or received here
        screen = ChatApp(
            Context(bridge, lambda: NOON, str, lambda _: None),
            lambda: bridge.connect(parts, screen.draw, lambda _: None),
            ChatSettings(keys={"copy": ("ctrl+_",)}),
        )
        async with screen.run_test() as pilot:
            composer = screen.query_one(Composer)
            await pilot.press(*"hello", "enter", "alt+r", "ctrl+underscore", "ctrl+n", "alt+up", "escape")
            assert bridge.state.notice == NO_ROOM_YET
            update(bridge.state, on.RoomsFound([]))
            screen.draw()
            assert composer.text == bridge.state.room.draft.text == "hello"
            await pilot.press("ctrl+underscore")
            assert bridge.state.notice == "There is no message."

    run(test)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense", "not JSON"),
        ("[]", "a JSON object"),
        ('{"key": {}}', "did you mean 'keys'?"),
        ('{"keys": {"next-rom": "f5"}}', "did you mean 'next-room'?"),
        ('{"keys": {"next-room": 5}}', "must be a list of texts"),
        (
            '{"keys": {"next-room": "ctrl+zz"}}',
            "'ctrl\\+zz', for 'next-room', is not a key; .* as in ctrl\\+n",
        ),
        ('{"keys": {"next-room": "a"}}', "'a', for 'next-room', types a text; .* such as alt\\+a"),
        ('{"keys": {"copy": ["f9", "enter"]}}', "'enter', for 'copy', sends messages"),
        ('{"keys": {"copy": "f9", "quit": "f9"}}', "'f9' is the key of both 'copy' and 'quit'"),
        ('{"keys": {"copy": "alt+,", "quit": "alt+comma"}}', "'alt\\+,' is the key of both"),
        ('{"keys": {"copy": "full_stop"}}', "'\\.', for 'copy', types a text"),
        *(
            (f'{{"keys": {{"copy": "{key}"}}}}', f"for 'copy', {why}")
            for key, why in {
                "Up": "moves in the text",
                "shift+left": "moves in the text",
                "home": "moves in the text",
                "ctrl+u": "deletes to the beginning of the line",
                "Ctrl+W": "deletes words",
                "del": "deletes characters",
                "Return": "sends messages",
            }.items()
        ),
        ('{"bell": 1}', "must be true or false"),
        ('{"desktop": "loud"}', "must be one of"),
        ('{"presence": true}', "must be one of off, on, typing"),
    ],
)
def test_wrong_settings_are_explained(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "chat.json").write_text(text)
    with pytest.raises(LocalError, match=problem):
        load(tmp_path / "chat.json")


def test_a_message_can_be_written_in_an_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor.sh"
    editor.write_text('#!/bin/sh\necho "and more" >> "$1"\n')
    editor.chmod(0o700)
    monkeypatch.setenv("VISUAL", str(editor))
    assert edited("half") == "halfand more"
    monkeypatch.setenv("VISUAL", "false")
    with pytest.raises(NoEditor, match="as it was"):
        edited("half")
    monkeypatch.setenv("VISUAL", "/nowhere/editor")
    with pytest.raises(NoEditor, match="cannot be started"):
        edited("half")


def test_mentions_are_counted_and_the_bell_rings_as_each_room_is_set(app: FakeApp, cloud: FakeCloud) -> None:
    path = app.settings.folders.chat_settings
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"keywords": ["deploy"]}')

    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.until(lambda: chat.state.rooms["ops"].is_joined)
            for number, text in enumerate(("alicex and redeployed", "hi @Alice!", "we DEPLOY now")):
                say(cloud, "ops", text, sender=BOB, properties=named(number))
            await chat.until(lambda: chat.state.rooms["ops"].unread == 3)
            assert chat.state.rooms["ops"].mentions == 2
            assert chat.panel("rooms").splitlines()[1].endswith("@3")
            await chat.press("ctrl+n")
            await chat.until(lambda: chat.state.room.mentions == 0)  # when its page has been read
            await chat.enter("/mute")
            assert "no message" in chat.panel("status")
        async with chatting(app, cloud, "lobby", "ops") as chat:
            assert chat.state.me.levels == {"ops": "none"}

    run(test)


def test_a_mention_is_still_marked_after_a_restart(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.until(lambda: chat.state.rooms["ops"].is_joined)
            for number in range(90):
                say(
                    cloud, "ops", "Alice?" if number == 3 else "nothing", sender=BOB, properties=named(number)
                )
            await chat.until(lambda: chat.panel("rooms").splitlines()[1].endswith(" @90"))
        async with chatting(app, cloud, "lobby", "ops") as chat:
            await chat.until(lambda: chat.panel("rooms").splitlines()[1].endswith(" @90"))
            await chat.press("ctrl+n")
            await chat.until(lambda: "@" not in chat.panel("rooms"))

    run(test)


def test_notifications_are_harmless_and_a_flood_rings_once() -> None:
    written: list[str] = []
    rung: list[None] = []
    now = [100.0]
    settings = ChatSettings(desktop="osc777")
    alerts = Alerts(settings, lambda: rung.append(None), written.append, lambda: now[0])
    for _ in range(100):
        alerts.show(Notify("lobby", "bob;\x1b[2J", "\x07;run\x9d"))
    assert len(rung) == 1
    assert written == ["\x1b]777;notify;bob,\\x1b[2J;\\x07,run\\x9d\x1b\\"]
    now[0] += 10
    alerts.show(Notify("lobby", "bob", "hi"))
    assert len(rung) == 2


def test_what_is_copied_can_run_nothing_where_it_is_pasted(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            say(cloud, "lobby", "two\n\tlines\x1b[201~\rrm", sender=BOB)
            await chat.until_shown("lines")
            await chat.press("alt+c")
            assert chat.screen.clipboard == "two\n\tlines[201~\nrm"

    run(test)


def test_keys_are_handled_in_their_order_however_fast_they_come(app: FakeApp, cloud: FakeCloud) -> None:
    def keys(*names: str) -> list[events.Key]:
        return [events.Key(name, name if len(name) == 1 else None) for name in names]

    async def test() -> None:
        async with chatting(app, cloud, "lobby", "ops") as chat:
            for key in keys(*"abc", "backspace", "d", "home", "x", "ctrl+n", *"other", "ctrl+p", "end", "z"):
                chat.screen.post_message(key)
            await chat.until(lambda: chat.input == "xabdz")
            assert chat.state.current == "lobby"
            for key in keys("y", "ctrl+q"):
                chat.screen.post_message(key)
        async with chatting(app, cloud, "lobby") as chat:
            assert chat.input == "xabdzy"
            await chat.press("ctrl+n")
            assert chat.input == "other"

    run(test)


def test_you_can_have_another_name_and_export_a_room(app: FakeApp, cloud: FakeCloud, tmp_path: Path) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.enter("/nick Al")
            await chat.enter("hello")
            await chat.until_shown("Al~")
            await chat.until(lambda: chat.state.room.posts[-1].delivery is Delivery.ARRIVED)
            [(_, _, properties)] = cloud.published
            assert dict(properties)["name"] == "Al"
            await chat.enter(f"/export {tmp_path / 'lobby.md'}")
            await chat.until(lambda: "Exported lobby" in chat.state.notice)
            assert "hello" in (tmp_path / "lobby.md").read_text()
            await chat.enter(f"/export {tmp_path / 'lobby.md'}")
            await chat.until(lambda: "exists" in chat.state.notice)
            await chat.enter(f"/export {tmp_path / 'lobby.txt'}")
            assert "FILE.jsonl, FILE.md or FILE.csv" in chat.state.notice
        async with chatting(app, cloud, "lobby") as chat:
            assert "Al~" in chat.panel("status")
            await chat.enter("/nick")
            assert "the name alice" in chat.panel("status")

    run(test)


def test_what_a_dialog_covers_does_not_count_as_read(app: FakeApp, cloud: FakeCloud) -> None:
    async def test() -> None:
        async with chatting(app, cloud, "lobby") as chat:
            await chat.press("f1")
            say(cloud, "lobby", "hidden", sender=BOB, properties=named(1))
            await chat.until(lambda: chat.state.room.unread == 1)
            await chat.press("escape")
            await chat.until(lambda: chat.state.room.unread == 0)

    run(test)
