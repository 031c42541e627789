"""Bridge: where threads and asyncio meet. It owns the state.

Events of the threads wait in a list until the loop takes all of them at once, at most twenty times a second. So the
screen is drawn once for many messages, and keys never wait behind them.
"""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextvars import copy_context
from itertools import groupby
from typing import NamedTuple, cast

from aws_iot.chat.garbage import IdleCollection
from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.reducer import Effects, farewells, update
from aws_iot.chat.model.state import State
from aws_iot.chat.parts.archive import Archive
from aws_iot.chat.parts.outbox import Outbox
from aws_iot.chat.parts.receiver import Receiver

FRAME_SECONDS = 1 / 20
"""The shortest time between two drawings of what the threads tell. Keys are drawn at once."""

MOST_SHARE = 0.1
"""The share of the time that is to be spent on that, so that keys have the rest."""

LONGEST_SECONDS = 0.25
"""The longest time between two drawings. Without it, what waits in a flood would grow without limit."""


TICK_SECONDS = 2.0
"""How often the state learns the time."""

_CHANCES = random.SystemRandom()


class Parts(NamedTuple):
    """What works on threads of its own."""

    archive: Archive
    outbox: Outbox
    receiver: Receiver


class Bridge:
    """Takes events to the state, and effects to the threads. `tell` is for any thread, the others for the loop's."""

    def __init__(self, state: State) -> None:
        self.state = state
        self._events: list[on.Event] = []
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._changed: Callable[[], None] = lambda: None
        self._keep_draft: Callable[[], None] = lambda: None
        self._next_at = 0.0
        self._parts: Parts | None = None
        self._garbage = IdleCollection()
        self._context = copy_context()
        """That of the screen, which Textual needs to draw. The threads have others."""

    def connect(
        self,
        parts: Parts,
        changed: Callable[[], None],
        notify: Callable[[do.Notify], None],
        keep_draft: Callable[[], None] = lambda: None,
    ) -> None:
        """The parts that do what follows from events. Called on the loop, once.

        `changed` draws the state, and `notify` shows a notification. `keep_draft` tells the state what was typed so
        far, before something changes the draft.
        """
        self._keep_draft = keep_draft
        self._notify = notify
        self._parts = parts
        self._changed = changed
        self._context = copy_context()
        self._tick()
        with self._lock:
            self._loop = asyncio.get_running_loop()
            is_late = bool(self._events)
        if is_late:
            self._loop.call_soon(self._schedule)

    def tell(self, event: on.Event) -> None:
        """Something has happened on a thread."""
        with self._lock:
            self._events.append(event)
            loop = self._loop if len(self._events) == 1 else None
        if loop and not loop.is_closed():
            loop.call_soon_threadsafe(self._schedule, context=self._context)

    @property
    def is_behind(self) -> bool:
        """Whether events of the threads wait to be applied."""
        with self._lock:
            return bool(self._events)

    def act(self, event: on.Event) -> None:
        """The person has done something: draw what follows."""
        self.carry_out_event(event)
        self._changed()

    def carry_out_event(self, event: on.Event) -> None:
        """The same without drawing, for what the person sees already."""
        self.carry_out(update(self.state, event))

    def carry_out(self, effects: Effects) -> None:
        """Have the parts do this."""
        for effect in effects:
            self._carry_out(effect)

    def close(self) -> None:
        """End the threads. What was typed and received is saved."""
        with self._lock:
            self._loop = None
        if not self._parts:  # the screen was never there
            return
        self._parts.archive.finish()  # it starts the others: what they are to save may still wait for that
        self.carry_out(farewells(self.state))
        self._parts.outbox.finish()
        self._parts.receiver.close()
        self._parts.outbox.close()
        for event in self._events:
            if isinstance(event, on.SendFailed | on.Withdrawn | on.Acknowledged):  # which is nowhere else
                self.carry_out_event(event)
        self._parts.archive.close()
        for event in self._events:
            if isinstance(event, on.Warned):  # of which the person is told at the end
                self.carry_out_event(event)

    def _tick(self) -> None:
        now, before = time.monotonic(), self.state.presence.shown
        self._garbage.tick(now, is_active=self.state.presence.activity.since_tick)
        self.carry_out_event(on.Ticked(now, _CHANCES.random()))
        if before != self.state.presence.shown or self.state.status.retry_at:  # which is counted down
            self._changed()
        asyncio.get_running_loop().call_later(TICK_SECONDS, self._tick)

    def _schedule(self) -> None:
        assert self._loop
        self._loop.call_later(max(0.0, self._next_at - time.monotonic()), self._drain)

    def _drain(self) -> None:
        with self._lock:
            events, self._events = self._events, []
        began = time.monotonic()
        for event in joined(events):
            if isinstance(event, on.Withdrawn):
                self._keep_draft()
            self.carry_out(update(self.state, event))
        self._changed()
        took = time.monotonic() - began
        self._next_at = began + max(FRAME_SECONDS, min(took / MOST_SHARE, LONGEST_SECONDS))

    def _carry_out(self, effect: do.Effect) -> None:
        parts = self._parts
        assert parts
        match effect:
            case do.Send():
                parts.outbox.send(effect)
            case do.Withdraw(id_):
                parts.outbox.withdraw(id_)
            case do.Announce():
                parts.outbox.announce(effect, self.state.presence.chat)
            case do.Join(room):
                parts.receiver.join(room)
            case do.Leave(room):
                parts.receiver.leave(room)
            case do.Reconnect():
                parts.receiver.reconnect()
            case do.MarkRead():
                parts.archive.mark_read(effect)
            case do.SaveDraft(room, draft):
                parts.archive.remember(lambda memory: memory.note_draft(room, draft))
            case do.SaveRooms(rooms, current):
                parts.archive.remember(lambda memory: memory.note_rooms(rooms, current))
            case do.SaveFailed(messages):
                parts.archive.remember(lambda memory: memory.note_failed(messages))
            case do.SaveAliases(aliases):
                parts.archive.remember(lambda memory: memory.note_aliases(aliases))
            case do.SaveHidden(panels):
                parts.archive.remember(lambda memory: memory.note_hidden(panels))
            case do.SaveLevels(levels):
                parts.archive.remember(lambda memory: memory.note_levels(levels))
            case do.Rename(name):
                parts.outbox.rename(name)
                parts.archive.remember(lambda memory: memory.note_nick(name))
            case do.Export():
                parts.archive.export(effect)
            case do.Notify():
                self._notify(effect)
            case do.TakeBack():
                parts.archive.take_back(effect, parts.outbox.send)
            case _:
                parts.archive.read(effect)


def joined(events: Iterable[on.Event]) -> Iterator[on.Event]:
    """The events, with messages that follow one another in one: applying each takes as long as the window is."""
    for is_received, found in groupby(events, lambda event: isinstance(event, on.Received)):
        if is_received:
            yield on.Received([message for event in found for message in cast("on.Received", event).messages])
        else:
            yield from found
