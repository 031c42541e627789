"""Runs the chat screen: builds its parts, and ends them."""

from __future__ import annotations  # so that what only types need is not imported

import os
from functools import partial
from itertools import count
from typing import TYPE_CHECKING

from aws_iot.chat import garbage
from aws_iot.chat.actions.base import Context
from aws_iot.chat.bridge import Bridge, Parts
from aws_iot.chat.connecting import Chatter, Connector
from aws_iot.chat.model.presence import Presence
from aws_iot.chat.model.reducer import start
from aws_iot.chat.model.state import Me, State
from aws_iot.chat.parts.archive import Archive
from aws_iot.chat.parts.memory import Memory, Remembered
from aws_iot.chat.parts.outbox import Outbox
from aws_iot.chat.parts.receiver import Receiver
from aws_iot.errors import InvalidRoom
from aws_iot.messaging.composer import Composer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_iot.app import App
    from aws_iot.chat.model import effects as do
    from aws_iot.chat.plain.app import PlainChat
    from aws_iot.chat.screen.app import ChatApp
    from aws_iot.chat.settings import ChatSettings
    from aws_iot.publishing.spool.store import Spool

DRAWINGS_PER_SECOND = 120
"""The most that Textual is to draw. With its usual 60, what is typed just after a drawing waits for up to 33 ms."""

# What reads the history is imported by the thread that needs it, once the screen is there.


def run(app: App, chatter: Chatter, rooms: Sequence[str], settings: ChatSettings, *, saves: bool) -> State:
    """Chat until the person quits. Returns what the chat knew then.

    `rooms` are opened besides those of the last time. Without `saves`, nothing that arrives is saved in the history.
    Raises `LocalError` if the chat's own file cannot be read.
    """
    os.environ.setdefault("TEXTUAL_FPS", str(DRAWINGS_PER_SECOND))  # Textual reads it when it is imported
    screen, bridge = build(app, chatter, rooms, settings, saves=saves)
    garbage.begin()
    try:
        screen.run()
    finally:
        bridge.close()
    return bridge.state


def build(
    app: App, chatter: Chatter, rooms: Sequence[str], settings: ChatSettings, *, saves: bool
) -> tuple[ChatApp | PlainChat, Bridge]:
    """The screen, or its plain form, and the bridge to its threads, which its `close` ends."""
    folder = app.settings.folders.chat(chatter.profile.key)
    memory = Memory(folder / f"{chatter.identity.replace(':', '_')}.json")
    remembered = memory.load(with_drafts=not settings.plain)
    presence = Presence(settings.presence, os.urandom(4).hex())
    bridge = Bridge(
        State(Me(chatter.identity, chatter.username, keywords=settings.keywords), presence=presence)
    )
    effects = _start(bridge.state, rooms, remembered, app)
    parts = _parts(app, chatter, bridge, memory, saves=saves)

    def begin() -> None:
        bridge.connect(parts, screen.draw, screen.alert, screen.keep_draft)
        parts.archive.start()
        bridge.carry_out(effects)
        parts.archive.call(parts.outbox.start)  # after the first page: imports hold up the screen
        parts.archive.call(parts.receiver.start)

    stream, numbers = os.urandom(16).hex(), count(1)
    doubt = partial(_doubt, chatter.profile.identity_pool_id)
    context = Context(bridge, app.settings.now, lambda: f"{stream}-{next(numbers)}", doubt)
    screen: ChatApp | PlainChat
    if settings.plain:
        from aws_iot.chat.plain.app import PlainChat

        screen = PlainChat(context, begin)
    else:
        from aws_iot.chat.screen.app import ChatApp

        screen = ChatApp(context, begin, settings)
    return screen, bridge


def _parts(app: App, chatter: Chatter, bridge: Bridge, memory: Memory, *, saves: bool) -> Parts:
    profile, now = chatter.profile, app.settings.now
    folder = app.settings.folders.chat(profile.key) / "outbox"

    def open_spool() -> Spool:
        from aws_iot.publishing.spool.registry import SpoolRegistry
        from aws_iot.publishing.spool.store import Spool

        SpoolRegistry(app.settings.folders.spools).add(folder)
        return Spool(folder, profile.identity_pool_id, chatter.username, chat=os.urandom(8).hex())

    composer = Composer(profile.identity_pool_id, chatter.identity, bridge.state.name, now, str)
    outbox = Outbox(
        open_spool, composer, bridge.state.name, bridge.tell, lambda message: receiver.sent(message), now
    )
    recorder = partial(app.history.recorder, profile, chatter.identity, chatter.username) if saves else None
    connector = Connector(app, chatter, bridge.state)
    receiver = Receiver(connector.connect, recorder, outbox, bridge.tell, now, key=profile.key)
    archive = Archive(app.history.file(profile, chatter.identity), memory, bridge.tell, now, chatter.identity)
    return Parts(archive, outbox, receiver)


def _start(state: State, rooms: Sequence[str], remembered: Remembered, app: App) -> list[do.Effect]:
    state.me.nick = remembered.nick
    state.me.aliases, state.me.levels = dict(remembered.aliases), dict(remembered.levels)
    state.look.hidden = set(remembered.hidden)
    wanted = [*dict.fromkeys([*rooms, *remembered.rooms])]
    return start(state, wanted, remembered.drafts, remembered.failed, app.settings.now())


def _doubt(pool: str, room: str) -> str | None:
    """Why a room's name cannot be, or is probably a mistake; None if it looks right."""
    from aws_iot.messaging.room_mistakes import probable_mistake
    from aws_iot.messaging.topics import check_room

    try:
        check_room(pool, room)
    except InvalidRoom as error:
        return str(error)
    mistake = probable_mistake(pool, room, is_pattern=False)
    if mistake is None:
        return None
    meant = f" Did you mean {' or '.join(mistake.meant)}?" if mistake.meant else ""
    return f"Probably a mistake: {mistake.why}.{meant} To join it all the same, repeat the command."
