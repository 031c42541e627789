"""Archive: reads the history and writes the chat's own file, on a thread, so that no disk holds up the screen."""

from __future__ import annotations  # so that what only types need is not imported

import queue
import threading
import time
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from aws_iot.chat.model import events as on
from aws_iot.chat.model.effects import MarkRead, ReadLast, ReadNewer, ReadOlder, ReadPost, ReadRooms
from aws_iot.chat.model.posts import Answered, Post, milliseconds
from aws_iot.chat.model.state import PAGE
from aws_iot.chat.parts.memory import Memory
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from aws_iot.history.store import Entry, History

# The history and its database are imported on the thread: the screen would wait for them.

SAVE_SECONDS = 0.2
"""How long a change of a draft may wait to be saved, so that not every key writes a file."""

MARK_SECONDS = 0.5
"""The same for the mark up to where a room was read."""

_NEXT = timedelta(milliseconds=1)

Reading = ReadRooms | ReadLast | ReadOlder | ReadNewer | ReadPost


class Archive:
    """Reads and writes files. Any thread may call its methods."""

    def __init__(self, path: Path, memory: Memory, tell: Callable[[on.Event], None]) -> None:
        """`path` is the file of the history."""
        self._path = path
        self._memory = memory
        self._tell = tell
        self._requests: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self._marks: dict[str, datetime] = {}
        self._due: float | None = None
        self._is_warned = False

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def read(self, wanted: Reading) -> None:
        """Read something. The answer is an event."""
        self._requests.put(lambda: self._read(wanted))

    def call(self, function: Callable[[], None]) -> None:
        """Call something once everything before is done."""
        self._requests.put(function)

    def mark_read(self, mark: MarkRead) -> None:
        """Save up to where a room was read."""
        self._requests.put(
            lambda: self._later(MARK_SECONDS, lambda: self._marks.update({mark.room: mark.until}))
        )

    def remember(self, change: Callable[[Memory], None]) -> None:
        """Save a change of the chat's own file."""
        self._requests.put(lambda: self._later(SAVE_SECONDS, lambda: change(self._memory)))

    def close(self, seconds: float = 5.0) -> None:
        """Save everything, and end."""
        self._requests.put(None)
        if self._thread.ident is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        while True:
            try:
                request = self._requests.get(
                    timeout=None if self._due is None else max(0.0, self._due - time.monotonic())
                )
            except queue.Empty:
                self._save()
                continue
            if request is None:
                self._save()
                return
            request()

    def _later(self, seconds: float, note: Callable[[], None]) -> None:
        note()
        due = time.monotonic() + seconds
        self._due = due if self._due is None else min(self._due, due)

    def _save(self) -> None:
        self._due = None
        try:
            self._memory.save()
            if self._marks:
                self._save_marks()
        except LocalError as error:
            self._warn(f"{error}; drafts and read marks are not saved")

    def _save_marks(self) -> None:
        marks, self._marks = self._marks, {}
        if not self._path.exists():
            return
        from aws_iot.history.file.rows import PER_MILLISECOND
        from aws_iot.history.store import History

        with History(self._path) as history:
            for room, until in marks.items():
                # The last place of that millisecond.
                history.mark_read(room, (milliseconds(until) + 1) * PER_MILLISECOND - 1)

    def _warn(self, text: str) -> None:
        if not self._is_warned:
            self._is_warned = True
            self._tell(on.Warned(text))

    def _read(self, wanted: Reading) -> None:
        from aws_iot.history.store import History, UnknownMessage

        if self._marks:
            self._save()  # what is counted depends on it
        try:
            with History(self._path) as history:
                event = _answer(history, wanted)
        except UnknownMessage:
            return
        except LocalError as error:
            self._warn(str(error))
            if isinstance(wanted, ReadLast):
                self._tell(on.PageRead(wanted.room, on.Part.LAST, [], is_end=True))
            elif isinstance(wanted, ReadRooms):
                self._tell(on.RoomsFound([]))
            return
        self._tell(event)


def _answer(history: History, wanted: Reading) -> on.Event:
    from aws_iot.history.store import Filter

    if isinstance(wanted, ReadRooms):
        return on.RoomsFound([on.RoomFound(one.room, one.unread, one.last) for one in history.rooms()])
    if isinstance(wanted, ReadPost):
        return on.PostRead(post_of_entry(history.find(wanted.id, wanted.room)))
    if isinstance(wanted, ReadLast):
        found = history.last(Filter([wanted.room]), PAGE)
        unread = sum(one.unread for one in history.rooms() if one.room == wanted.room)
        return on.PageRead(wanted.room, on.Part.LAST, _posts(found), len(found) < PAGE, unread)
    count = PAGE + wanted.overlap
    if isinstance(wanted, ReadOlder):
        found = history.last(Filter([wanted.room], until=wanted.before + _NEXT), count)
        return on.PageRead(wanted.room, on.Part.OLDER, _posts(found), len(found) < count)
    found = history.first(Filter([wanted.room], since=wanted.since), count)
    return on.PageRead(wanted.room, on.Part.NEWER, _posts(found), len(found) < count)


def _posts(entries: Sequence[Entry]) -> list[Post]:
    return [*map(post_of_entry, entries)]


def post_of_entry(entry: Entry) -> Post:
    """The post of a message of the history."""
    message, quote = entry.message, entry.reply_to
    answered = Answered(message.re, "", None, None) if message.re else None
    if quote:
        answered = Answered(quote.id, quote.sender, quote.name, quote.text)
    return Post(
        message.room,
        message.sender,
        message.name,
        message.text,
        message.received,
        message.id,
        entry.at,
        is_edited=entry.is_edited,
        is_deleted=entry.is_deleted,
        reactions=entry.reactions,
        answered=answered,
    )
