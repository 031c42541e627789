"""How much memory the chat takes after many messages: prints MiB after a tenth of them, and after all.

    python benchmarks/chat_memory.py COUNT

They go through the bridge, the reducer and the screen, as those of a broker do.
"""

import asyncio
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, cast

import psutil

from aws_iot.chat.actions.base import Context
from aws_iot.chat.bridge import Bridge, Parts
from aws_iot.chat.model import events as on
from aws_iot.chat.model.reducer import start
from aws_iot.chat.model.state import Link, Me, State, Status
from aws_iot.chat.screen.app import ChatApp
from aws_iot.chat.settings import ChatSettings
from aws_iot.messaging.message import Message, encode

BATCH = 50
ROOMS = ("lobby", "ops")


class Idle:
    """Stands for the threads, which have nothing to do here."""

    def __getattr__(self, name: str) -> Callable[..., None]:
        return lambda *_: None


def now() -> datetime:
    return datetime.now(UTC)


def made(number: int) -> Message:
    """A message from one of fifty people, two of three in the open room."""
    text = f"message {number} of a flood that goes on and on"
    sender = f"us-east-1:{number % 50:08x}-0ed5-4578-add0-985024739222"
    room = ROOMS[number % 3 == 0]
    return Message(room, sender, text, encode(text), now(), f"{number:032x}", None, "bob")


async def drained(bridge: Bridge) -> None:
    """Wait until the screen's loop has taken everything. No broker sends a million messages at once."""
    while bridge.is_behind:
        await asyncio.sleep(0.001)


async def main(count: int) -> None:
    state = State(Me("us-east-1:ffffffff-0ed5-4578-add0-985024739222", "alice"))
    bridge = Bridge(state)
    start(state, ROOMS, {}, (), now())
    for room in state.rooms.values():
        room.window.is_loaded = True
    idle = cast("Any", Idle())

    def begin() -> None:
        bridge.connect(Parts(idle, idle, idle), screen.draw, screen.alert)

    screen = ChatApp(Context(bridge, now, str, lambda _: None), begin, ChatSettings())
    async with screen.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        bridge.tell(on.StatusChanged(Status(Link.ONLINE)))
        used = []
        for first in range(0, count, BATCH):
            bridge.tell(on.Received([made(number) for number in range(first, first + BATCH)]))
            if first % (100 * BATCH) == 0:
                await drained(bridge)
            if first == count // 10 // BATCH * BATCH:
                used.append(psutil.Process().memory_info().rss / 2**20)
        await drained(bridge)
        await pilot.pause()
        used.append(psutil.Process().memory_info().rss / 2**20)
        newest = [room.posts[-1].text for room in state.rooms.values()]
        assert any(text.startswith(f"message {count - 1} ") for text in newest), newest
    print(*used)


asyncio.run(main(int(sys.argv[1])))
