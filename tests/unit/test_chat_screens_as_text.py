"""Whole screens of the chat, as text files in `screens/`. `make screens` writes them again: look at what changes."""

import os
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from aws_iot.chat.screen.dialogs import Help
from tests.chats import PASSWORD, Chat, chatting, run, say
from tests.fakes import FakeApp, FakeCloud, FakeUser
from tests.unit.test_output import HOSTILE

SCREENS = Path(__file__).parent / "screens"
RENEWS = bool(os.environ.get("RENEW_SCREENS"))
NOON = datetime(2026, 1, 31, 12, 0).astimezone()  # noon where the tests run

ALICE = "us-east-1:a11ce000-0ed5-4578-add0-985024739222"
BOB = "us-east-1:b0b00000-0ed5-4578-add0-985024739222"
MALLORY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"

Play = Callable[[Chat, FakeCloud], Awaitable[None]]


def _say(cloud: FakeCloud, number: int, text: str, room: str = "lobby", **more: str) -> None:
    properties = {"id": f"id-{number}", "name": "bob", **more}
    say(cloud, room, text, sender=BOB, properties=[*properties.items()])


async def conversation(chat: Chat, cloud: FakeCloud) -> None:
    """A reply, a thread, reactions, an edit, an unread room, a link, wide characters and a draft."""
    _say(cloud, 1, "Is staging down? https://status.example.com")
    _say(cloud, 2, "It is 重启中, I think 🎉", re="id-1")
    _say(cloud, 3, "👍", kind="react", re="id-2")
    _say(cloud, 4, "Is staging still down? https://status.example.com", kind="edit", re="id-1")
    _say(cloud, 5, "The backup is done.", room="ops")
    await chat.until_shown("· edited")
    await chat.until_shown("👍 1")
    await chat.until(lambda: chat.state.rooms["ops"].unread == 1)
    await chat.enter("Yes, alice said so.\n    it = indented()")
    await chat.until_shown("  Yes, alice")
    await chat.until(lambda: not chat.state.sending.waiting)
    await chat.type("half a message")


async def unread(chat: Chat, cloud: FakeCloud) -> None:
    """The line above what is new in a room that was not open."""
    _say(cloud, 1, "one", room="ops")
    await chat.until(lambda: chat.state.rooms["ops"].unread == 1)
    await chat.press("ctrl+n")
    await chat.until_shown("── new ──")
    await chat.until(lambda: chat.state.room.unread == 0)


async def hostile(chat: Chat, cloud: FakeCloud) -> None:
    """Messages that would leave their place, if they could."""
    chosen = [text for text in HOSTILE if any(ord(one) < 32 or ord(one) > 0x2000 for one in text)][:7]
    for number, text in enumerate(chosen):
        properties = [("id", f"id-{number}"), ("name", text)]
        say(cloud, "lobby", text, sender=MALLORY, properties=properties)
        await chat.until(partial(lambda number: len(chat.state.room.posts) == number + 1, number))


async def dialog(chat: Chat, cloud: FakeCloud) -> None:
    """The help."""
    await chat.press("f1")
    await chat.until(lambda: isinstance(chat.screen.screen, Help))


@pytest.mark.parametrize("size", [(80, 24), (40, 12)], ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("play", [conversation, unread, hostile, dialog], ids=lambda play: play.__name__)
def test_the_screen_looks_as_it_should(
    app: FakeApp, cloud: FakeCloud, play: Play, size: tuple[int, int]
) -> None:
    app.controls.now = lambda: NOON
    cloud.accounts["alice"] = FakeUser(PASSWORD, "alice@example.com", confirmed=True, identity=ALICE)
    cloud.members.add(ALICE)
    shown = ""

    async def test() -> None:
        nonlocal shown
        async with chatting(app, cloud, "lobby", "ops", size=size) as chat:
            await chat.until(lambda: chat.state.rooms["ops"].is_joined)
            await chat.until(lambda: len(chat.state.presence.told) == 2)
            for told in chat.state.presence.told.values():  # the others have had the time to answer
                told.is_answered, told.asked_at = True, told.asked_at - 100
            await play(chat, cloud)
            chat.screen.draw()
            await chat.pilot.pause()
            shown = "".join(f"{row.rstrip()}\n" for row in chat.rows)

    run(test)
    path = SCREENS / f"{play.__name__}-{size[0]}x{size[1]}.txt"
    if RENEWS:
        path.write_text(shown, encoding="utf-8")
    assert shown == path.read_text(encoding="utf-8"), "`make screens` writes it as it is now"
