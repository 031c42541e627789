"""How the bridge takes what the threads tell to the state, and what they save."""

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from aws_iot.chat.bridge import Bridge, Parts, joined
from aws_iot.chat.garbage import IdleCollection
from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.effects import FailedMessage
from aws_iot.chat.model.posts import Answered
from aws_iot.chat.model.state import Aim, Draft, Me, State
from aws_iot.chat.parts.archive import Archive
from aws_iot.chat.parts.memory import Memory
from aws_iot.chat.parts.saver import Saver
from aws_iot.errors import LocalError
from aws_iot.history.saving.recorder import Recorder
from aws_iot.history.store import Filter, History
from aws_iot.messaging.message import Message
from tests.waiting import DEADLINE_SECONDS, POLL_SECONDS, wait_until

AT = datetime(2026, 11, 25, 12, tzinfo=UTC)


def message(text: str, room: str = "lobby") -> Message:
    return Message(room, "us-east-1:b0b", text, text.encode(), AT, text, None, "bob")


def test_messages_that_follow_one_another_are_one_event_and_nothing_changes_its_place() -> None:
    one, two, three, four = (
        message("one"),
        message("two", "ops"),
        message("three"),
        message("four"),
    )
    events: list[on.Event] = [
        on.Received([one, two]),
        on.Received([three]),
        on.Acknowledged("an-id"),
        on.Acknowledged("another"),
        on.Received([four]),
    ]
    assert [*joined(events)] == [
        on.Received([one, two, three]),
        on.Acknowledged("an-id"),
        on.Acknowledged("another"),
        on.Received([four]),
    ]
    assert [*joined([])] == []


def test_each_request_is_answered_if_the_history_cannot_be_read(tmp_path: Path) -> None:
    path, told = tmp_path / "file", list[on.Event]()
    path.mkdir()
    archive = Archive(path, Memory(tmp_path / "me.json"), told.append, lambda: AT, "us-east-1:b0b")
    archive.start()
    archive.read(do.ReadLast("lobby"))
    archive.read(do.ReadNext("ops", on.Part.OLDER, AT))
    archive.read(do.ReadAround("lobby", moment=AT))
    archive.read(do.ReadVersions("lobby", "ref"))
    archive.read(do.Search("word", None))
    archive.close()
    warned, *answers = told
    assert isinstance(warned, on.Warned)
    assert answers == [
        on.PageFailed("lobby"),
        on.PageFailed("ops"),
        *2 * [on.NotFound(warned.text)],
        on.Found("word", None, [], warned.text),
    ]


def test_what_cannot_be_saved_is_saved_later_and_nothing_is_missing(tmp_path: Path) -> None:
    folder, told = tmp_path / "folder", list[on.Event]()
    path = folder / "file"
    folder.touch()  # so that no file can be in it

    def recorder(warn: Callable[[LocalError], None]) -> Recorder:
        return Recorder(path, "us-east-1:b0b", warn, lambda: AT)

    def texts() -> list[str]:
        with History(path) as history:
            return [entry.message.text for entry in history.last(Filter(["lobby"]), 10)]

    with Saver(recorder, told.append, retry_seconds=0) as saver:
        saver.save([message("one")])
        [warned] = told
        assert isinstance(warned, on.Warned)
        assert warned.subject is on.Subject.MESSAGES
        saver.save([message("two")])
        folder.unlink()
        folder.mkdir()
        saver.save([])
        assert told[-2] == on.Warned("", on.Subject.MESSAGES)
        assert isinstance(told[-1], on.Noticed)
        saver.save([message("three")])
    assert texts() == ["one", "two", "three"]


def test_the_chat_tells_at_its_end_how_many_messages_are_lost(tmp_path: Path) -> None:
    folder, told = tmp_path / "folder", list[on.Event]()
    folder.touch()

    def recorder(warn: Callable[[LocalError], None]) -> Recorder:
        return Recorder(folder / "file", "us-east-1:b0b", warn, lambda: AT)

    with Saver(recorder, told.append, most_kept=1) as saver:
        saver.save([message("one"), message("two")])
    assert told[-1] == on.Warned("2 messages that were received are not in the history", on.Subject.MESSAGES)


@pytest.mark.parametrize("limit", [{"most_kept": 2}, {"most_kept_bytes": len("twothree")}])
def test_the_chat_tells_how_many_messages_could_not_be_kept_until_they_were_saved(
    tmp_path: Path, limit: dict[str, int]
) -> None:
    folder, told = tmp_path / "folder", list[on.Event]()
    folder.touch()

    def recorder(warn: Callable[[LocalError], None]) -> Recorder:
        return Recorder(folder / "file", "us-east-1:b0b", warn, lambda: AT)

    with Saver(recorder, told.append, retry_seconds=0, **limit) as saver:
        saver.save([message("one"), message("two"), message("three")])
        folder.unlink()
        folder.mkdir()
        saver.save([])
    assert told[-1] == on.Noticed("Messages are saved again, and 1 of them is missing.")
    with History(folder / "file") as history:
        assert [entry.message.text for entry in history.last(Filter(["lobby"]), 10)] == ["two", "three"]


def test_a_mark_that_could_not_be_saved_is_saved_later(tmp_path: Path) -> None:
    folder, told = tmp_path / "folder", list[on.Event]()
    path = folder / "file"
    path.mkdir(parents=True)  # which no history can be
    archive = Archive(path, Memory(tmp_path / "me.json"), told.append, lambda: AT, "us-east-1:b0b")
    archive.start()
    archive.mark_read(do.MarkRead("lobby", AT))
    wait_until(lambda: bool(told))
    path.rmdir()
    with Recorder(path, "us-east-1:b0b", lambda _: None, lambda: AT) as recorder:
        recorder.add(message("one"))
    with History(path) as history:
        archive.close()
        assert [room.unread for room in history.rooms()] == [0]


def test_the_chat_tells_that_drafts_are_saved_again(tmp_path: Path) -> None:
    folder, told = tmp_path / "folder", list[on.Event]()
    folder.touch()
    archive = Archive(tmp_path / "file", Memory(folder / "me.json"), told.append, lambda: AT, "us-east-1:b0b")
    archive.start()
    archive.remember(lambda memory: memory.note_draft("lobby", Draft("half a message")))
    wait_until(lambda: bool(told))
    folder.unlink()
    folder.mkdir()
    archive.close()
    warned, works = told
    assert isinstance(warned, on.Warned)
    assert warned.text.endswith("drafts and read marks are not saved")
    assert works == on.Warned("", on.Subject.DRAFTS)
    assert Memory(folder / "me.json").load().drafts == {"lobby": Draft("half a message")}


def test_two_chats_of_one_person_keep_what_the_other_has_saved(tmp_path: Path) -> None:
    def failed(id_: str) -> FailedMessage:
        return FailedMessage("lobby", "text", id_, "why", "ref", True)

    path = tmp_path / "me.json"
    one, other = Memory(path), Memory(path)
    aim = Aim("edit", Answered("ref", "us-east-1:b0b", None, "\ud83d"), "kept")
    for memory, room in ((one, "lobby"), (other, "ops")):
        memory.note_draft(room, Draft(room, aim))
        memory.note_failed((failed(room),))
        memory.save()
    assert Memory(path).load().failed == (failed("lobby"), failed("ops"))
    one.note_failed(())
    one.note_draft("lobby", Draft())
    one.save()
    one.close()
    other.close()
    found = Memory(path).load()
    assert (found.failed, [*found.drafts]) == ((failed("ops"),), ["ops"])
    assert found.drafts["ops"] == Draft("ops", aim)
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600


def test_what_a_thread_tells_is_drawn_in_the_context_of_the_screen() -> None:
    screen: ContextVar[str] = ContextVar("screen")
    bridge = Bridge(State(Me("us-east-1:4f9fa251", "alice")))
    drawn: list[tuple[str, str | None]] = []

    async def test() -> None:
        screen.set("this one")
        parts = cast("Parts", SimpleNamespace())
        bridge.connect(parts, lambda: drawn.append((bridge.state.notice, screen.get(None))), lambda _: None)
        threading.Thread(target=bridge.tell, args=(on.Noticed("from a thread"),)).start()
        async with asyncio.timeout(DEADLINE_SECONDS):
            while not drawn:
                await asyncio.sleep(POLL_SECONDS)

    asyncio.run(test())
    assert drawn == [("from a thread", "this one")]


def test_garbage_is_collected_at_most_once_a_minute_and_while_the_person_does_nothing() -> None:
    def collected() -> int:
        return int(gc.get_stats()[2]["collections"])

    idle, before = IdleCollection(), collected()
    for seconds in range(0, 59, 2):
        idle.tick(seconds, is_active=False)
    idle.tick(60, is_active=True)
    assert collected() == before
    for seconds in range(62, 120, 2):
        idle.tick(seconds, is_active=False)
    assert collected() == before + 1
