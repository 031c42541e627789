"""The chat screen in this process, on the services in memory, with a pilot that presses its keys."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from textual.pilot import Pilot

from aws_iot.auth.login import SignInRequest
from aws_iot.auth.prompter import NoPrompter
from aws_iot.chat.connecting import Chatter
from aws_iot.chat.model.state import Link, State
from aws_iot.chat.run import build
from aws_iot.chat.screen.app import ChatApp
from aws_iot.chat.screen.composer import Composer
from aws_iot.chat.screen.conversation import Conversation
from aws_iot.chat.screen.panels import Lines
from aws_iot.chat.settings import load
from tests.fakes import POOL, FakeApp, FakeCloud
from tests.waiting import DEADLINE_SECONDS, POLL_SECONDS

PASSWORD = "Passw0rd"


@dataclass
class Chat:
    """A running chat screen."""

    screen: ChatApp
    pilot: Pilot[None]

    @property
    def state(self) -> State:
        return self.screen.state

    @property
    def conversation(self) -> str:
        """The messages that are on the screen."""
        return self.screen.query_one(Conversation).text

    @property
    def input(self) -> str:
        return self.screen.query_one(Composer).text

    def panel(self, name: str) -> str:
        """What a panel shows: `rooms`, `people`, `status` or `trouble`."""
        return self.screen.query_one(f"#{name}", Lines).text

    @property
    def rows(self) -> list[str]:
        """The whole screen, row by row."""
        top = self.screen.screen
        return [strip.text for strip in top._compositor.render_strips(top.size)]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Insert a text at once, as if it was typed; `press` takes a hundred times as long."""
        self.screen.query_one(Composer).insert_text(text)
        await self.pilot.pause()

    async def clear(self) -> None:
        """Remove what was typed."""
        self.screen.query_one(Composer).load("")
        await self.pilot.pause()

    async def enter(self, text: str) -> None:
        """Type a text, and press Enter."""
        await self.type(text)
        await self.press("enter")

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened."""
        async with asyncio.timeout(20):
            while not happened():
                await asyncio.sleep(POLL_SECONDS)
        await self.pilot.pause()

    async def until_shown(self, text: str) -> None:
        """Wait until a text is in the conversation."""
        try:
            await self.until(lambda: text in self.conversation)
        except TimeoutError:
            raise AssertionError(f"{text!r} is not in:\n{self.conversation}") from None

    async def until_online(self) -> None:
        await self.until(lambda: self.state.status.link is Link.ONLINE and bool(self.state.current))


@asynccontextmanager
async def chatting(
    app: FakeApp,
    cloud: FakeCloud,
    *rooms: str,
    size: tuple[int, int] = (80, 24),
    user: str = "alice",
    online: bool = True,
) -> AsyncIterator[Chat]:
    """The chat of a member, in these rooms."""
    if user not in cloud.accounts:
        cloud.member(user, PASSWORD)
    profile = app.config.profiles.load("default")
    request = SignInRequest(user, PASSWORD, is_explicit=True)
    person = app.auth.login(profile).sign_in(request, NoPrompter("default"))
    chatter = Chatter(profile, person.identity, user, person)
    screen, bridge = build(app, chatter, rooms, load(app.settings.folders.chat_settings), saves=True)
    assert isinstance(screen, ChatApp)
    try:
        async with screen.run_test(size=size) as pilot:
            chat = Chat(screen, pilot)
            await chat.until(lambda: bool(chat.state.current))
            if online:
                await chat.until_online()
            yield chat
    finally:
        bridge.close()


def run(test: Callable[[], Awaitable[Any]]) -> None:
    """Run an asynchronous test."""
    asyncio.run(asyncio.wait_for(_awaited(test), 2 * DEADLINE_SECONDS))


async def _awaited(test: Callable[[], Awaitable[Any]]) -> None:
    await test()


def say(
    cloud: FakeCloud, room: str, text: str, *, sender: str, properties: Sequence[tuple[str, str]] = ()
) -> None:
    """Somebody sends a message."""
    payload = json.dumps({"msg": text}).encode()  # in which half a character can be written
    cloud.deliver(f"{POOL}/{room}/{sender}", payload, tuple(properties))
