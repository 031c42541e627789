"""Archive: reads the history and writes the chat's own file, on a thread, so that no disk holds up the screen."""

from __future__ import annotations  # so that what only types need is not imported

import os
import queue
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.posts import Answered, Post, post_of
from aws_iot.chat.model.state import PAGE
from aws_iot.chat.parts.guard import carry_out
from aws_iot.chat.parts.memory import Memory
from aws_iot.chat.text.steady import one_line
from aws_iot.config.paths import expanded
from aws_iot.errors import LocalError
from aws_iot.messaging.kinds import DELETE, DELETED_TEXT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aws_iot.history.store import Entry, Filter, History

# The history and its database are imported on the thread: the screen would wait for them.

SAVE_SECONDS = 0.2
"""How long a change of a draft may wait to be saved, so that not every key writes a file."""

MARK_SECONDS = 0.5
"""The same for the mark up to where a room was read."""

RETRY_SECONDS = 2.0
"""When to try again what could not be saved, such as on a full disk."""

MOST_UNREAD = 100
"""How many unread messages of a room are looked through for what mentions the person: the newest."""

_NEXT = timedelta(milliseconds=1)

MOST_RESULTS = 200
"""How many messages a search finds at the most: the newest."""

Reading = (
    do.ReadRooms
    | do.ReadLast
    | do.ReadUnread
    | do.ReadNext
    | do.ReadPost
    | do.ReadTarget
    | do.ReadAround
    | do.ReadVersions
    | do.Search
)


class Archive:
    """Reads and writes files. Any thread may call its methods."""

    def __init__(
        self,
        path: Path,
        memory: Memory,
        tell: Callable[[on.Event], None],
        now: Callable[[], datetime],
        identity: str,
    ) -> None:
        """`path` is the file of the history of the identity."""
        self._now = now
        self._identity = identity
        self._path = path
        self._tell = tell
        self._requests: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="archive", daemon=True)
        self._unsaved = _Unsaved(path, memory, self._warn)
        self._warnings: dict[on.Subject, str] = {}
        self._exports: list[threading.Thread] = []

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def read(self, wanted: Reading) -> None:
        """Read something. The answer is an event."""
        self._requests.put(lambda: self._read(wanted))

    def call(self, function: Callable[[], None]) -> None:
        """Call something once everything before is done."""
        self._requests.put(function)

    def finish(self, seconds: float = 5.0) -> None:
        """Wait until everything before is done, but not for long."""
        if self._thread.is_alive():
            done = threading.Event()
            self.call(done.set)
            done.wait(seconds)

    def mark_read(self, mark: do.MarkRead) -> None:
        """Save up to where a room was read."""
        self._requests.put(lambda: self._unsaved.mark_read(mark))

    def remember(self, change: Callable[[Memory], None]) -> None:
        """Save a change of the chat's own file."""
        self._requests.put(lambda: self._unsaved.remember(change))

    def export(self, wanted: do.Export) -> None:
        """Write the messages of a room to a new file, in the form that its name tells.

        On a thread of its own: a large room takes long, and drafts are saved meanwhile.
        """
        self._exports = [one for one in self._exports if one.is_alive()]
        thread = threading.Thread(
            target=lambda: carry_out(lambda: self._export(wanted), self._tell), name="export", daemon=True
        )
        self._exports.append(thread)
        thread.start()

    def _export(self, wanted: do.Export) -> None:
        from aws_iot.history.store import History
        from aws_iot.history.upkeep.transfer import to_csv, to_json_lines, to_markdown

        forms = {".md": to_markdown, ".csv": to_csv}
        try:
            path = expanded(Path(wanted.path))
            form = forms.get(path.suffix.lower(), to_json_lines)
            with (
                History(self._path) as history,
                open(
                    path, "x", encoding="utf-8", errors="backslashreplace", newline="\n", opener=_private
                ) as file,
            ):
                file.writelines(f"{line}\n" for line in form(history, _of(wanted.room)))
        except FileExistsError:
            self._tell(on.Noticed(f"{wanted.path} exists: choose another file."))
        except (OSError, ValueError, RuntimeError, LocalError) as error:
            why = f"{wanted.path}: {error.strerror or error}" if isinstance(error, OSError) else error
            self._tell(on.Noticed(f"Nothing was exported: {why}"))
        else:
            self._tell(on.Noticed(f"Exported {wanted.room} to {path}."))

    def take_back(self, wanted: do.TakeBack, send: Callable[[do.Send], None]) -> None:
        """Look up your own reactions that count as this one, and have them deleted."""
        self._requests.put(lambda: self._take_back(wanted, send))

    def _take_back(self, wanted: do.TakeBack, send: Callable[[do.Send], None]) -> None:
        from aws_iot.history.details import own_reactions
        from aws_iot.history.store import History

        reactions: list[str] = []
        with suppress(LocalError), History(self._path) as history:
            entry = history.find(wanted.ref, wanted.room)
            reactions = own_reactions(history, entry, self._identity, wanted.text)
        for number, reaction in enumerate(reactions):  # of several programs of the person, perhaps
            id_ = f"{wanted.id}.{number}" if number else wanted.id
            send(do.Send(wanted.room, DELETED_TEXT, id_, DELETE, reaction))
        if not reactions:
            self._tell(on.SendFailed(wanted.id, "your reaction is not in the history", self._now()))

    def close(self, seconds: float = 5.0) -> None:
        """Save everything, and end."""
        self._requests.put(None)
        if self._thread.ident is not None:
            self._thread.join(seconds)
        for export in self._exports:
            export.join(seconds)

    def _run(self) -> None:
        while True:
            try:
                request = self._requests.get(timeout=self._unsaved.delay())
            except queue.Empty:
                request = self._unsaved.save
            carry_out(request or self._unsaved.save, self._tell)
            if request is None:
                self._unsaved.close()
                return

    def _warn(self, subject: on.Subject, text: str) -> None:
        """Tell once what does not work, and once that it works again."""
        if text != self._warnings.get(subject, ""):
            self._warnings[subject] = text
            self._tell(on.Warned(text, subject))

    def _read(self, wanted: Reading) -> None:
        from aws_iot.history.store import History

        if self._unsaved.has_marks:
            self._unsaved.save()  # what is counted depends on it
        try:
            with History(self._path) as history:
                event = _answer(history, wanted, self._now)
        except LocalError as error:
            event = _failure(wanted, error)
            if not isinstance(wanted, do.Search):
                self._warn(on.Subject.HISTORY, str(error))
        else:
            self._warn(on.Subject.HISTORY, "")
        if event:
            self._tell(event)


class _Unsaved:
    """What is to be saved soon: the chat's own file, and up to where rooms were read."""

    def __init__(self, path: Path, memory: Memory, warn: Callable[[on.Subject, str], None]) -> None:
        self._path = path
        self._memory = memory
        self._warn = warn
        self._marks: dict[str, datetime] = {}
        self._due: float | None = None

    @property
    def has_marks(self) -> bool:
        return bool(self._marks)

    def delay(self) -> float | None:
        """The seconds until it is time to save; None if there is nothing to save."""
        return None if self._due is None else max(0.0, self._due - time.monotonic())

    def remember(self, change: Callable[[Memory], None]) -> None:
        change(self._memory)
        self._save_in(SAVE_SECONDS)

    def mark_read(self, mark: do.MarkRead) -> None:
        self._marks[mark.room] = mark.until
        self._save_in(MARK_SECONDS)

    def save(self) -> None:
        self._due = None
        try:
            self._memory.save()
            if self._marks:
                self._save_marks()
        except LocalError as error:
            self._warn(on.Subject.DRAFTS, f"{error}; drafts and read marks are not saved")
            self._save_in(RETRY_SECONDS)
        else:
            self._warn(on.Subject.DRAFTS, "")

    def close(self) -> None:
        self._memory.close()

    def _save_in(self, seconds: float) -> None:
        due = time.monotonic() + seconds
        self._due = due if self._due is None else min(self._due, due)

    def _save_marks(self) -> None:
        if not self._path.exists():  # what arrived may be in its journal only
            return
        from aws_iot.history.file.rows import last_place
        from aws_iot.history.store import History

        with History(self._path) as history:
            for room, until in self._marks.items():
                history.mark_read(room, last_place(until))
        self._marks = {}  # if that failed, they are tried again


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _failure(wanted: Reading, error: LocalError) -> on.Event | None:
    """What to show instead if the history cannot be read."""
    match wanted:
        case do.ReadRooms():
            return on.RoomsFound([])
        case do.ReadLast(room) | do.ReadNext(room):
            return on.PageFailed(room)
        case do.ReadAround() | do.ReadVersions():
            return on.NotFound(str(error))
        case do.Search(text, room):
            return on.Found(text, room, [], str(error))
        case _:
            return None


def _answer(history: History, wanted: Reading, now: Callable[[], datetime]) -> on.Event | None:
    from aws_iot.history.details import first_unread, last_unread

    match wanted:
        case do.ReadRooms():
            return on.RoomsFound([on.RoomFound(one.room, one.unread, one.last) for one in history.rooms()])
        case do.ReadLast(room):
            found = history.last(_of(room), PAGE)
            unread = sum(one.unread for one in history.rooms() if one.room == room)
            since = first_unread(history, room) if unread else None
            return on.PageRead(room, on.Part.LAST, _posts(found), len(found) < PAGE, unread, since)
        case do.ReadUnread(room):
            return on.UnreadRead(room, _posts(last_unread(history, room, MOST_UNREAD)))
        case do.ReadNext():
            return _next(history, wanted)
        case do.ReadAround():
            return _around(history, wanted)
        case do.Search(text, room):
            return _found(history, text, room, now())
        case _:
            return _detail(history, wanted)


def _next(history: History, wanted: do.ReadNext) -> on.Event:
    room, part, edge, overlap, at = wanted.room, wanted.part, wanted.edge, wanted.overlap, wanted.at
    is_older = part is on.Part.OLDER
    count = PAGE if at else PAGE + overlap
    if at:
        found = history.around(at, count)[0 if is_older else 1]
    elif is_older:
        found = history.last(_of(room, until=edge + _NEXT), count)
    else:
        found = history.first(_of(room, since=edge), count)
    return on.PageRead(room, part, _posts(found), is_end=len(found) < count, edge=edge)


def _around(history: History, wanted: do.ReadAround) -> on.Event:
    from aws_iot.history.store import UnknownMessage

    room, half = wanted.room, PAGE // 2
    if wanted.moment:
        target = next(iter(history.first(_of(room, since=wanted.moment), 1)), None)
    else:
        try:
            [target] = history.at([wanted.at]) if wanted.at else [history.find(wanted.ref, room)]
        except (UnknownMessage, ValueError):
            return on.NotFound("This message is not in the history.")
    if target is None:
        return on.NotFound("There is no message at that time or later.")
    before, after = history.around(target.at, half)
    posts = _posts([*before, target, *after])
    return on.PageRead(
        room,
        on.Part.AROUND,
        posts,
        is_end=len(before) < half,
        target=post_of_entry(target).key,
        has_newer=len(after) == half,
    )


def _found(history: History, text: str, room: str | None, now: datetime) -> on.Event:
    from aws_iot.history.search import parse_search, search

    wanted = parse_search(text, now)
    posts = _posts(search(history, wanted, MOST_RESULTS, rooms=[room] if room else ()))[::-1]
    return on.Found(text, room, posts, places=[wanted.highlights(one_line(post.text)) for post in posts])


def _detail(history: History, wanted: Reading) -> on.Event | None:
    from aws_iot.history.details import versions
    from aws_iot.history.store import UnknownMessage

    try:
        match wanted:
            case do.ReadPost(room, ref):
                return on.PostRead(post_of_entry(history.find(ref, room)))
            case do.ReadTarget(room, ref):
                changed = history.find(ref, room, with_events=True).message
                return on.PostRead(post_of_entry(history.find(changed.re, room))) if changed.re else None
            case do.ReadVersions(room, ref):
                entry = history.find(ref, room)
                return on.VersionsRead(post_of_entry(entry).key, versions(history, entry))
    except UnknownMessage:
        pass  # it was deleted meanwhile, or never arrived here
    return None


def _of(room: str, since: datetime | None = None, until: datetime | None = None) -> Filter:
    from aws_iot.history.store import Filter

    return Filter([room], since=since, until=until)


def _posts(entries: Sequence[Entry]) -> list[Post]:
    return [*map(post_of_entry, entries)]


def post_of_entry(entry: Entry) -> Post:
    """The post of a message of the history."""
    post, quote = post_of(entry.message, entry.id), entry.reply_to
    return replace(
        post,
        at=entry.at,
        is_edited=entry.is_edited,
        is_deleted=entry.is_deleted,
        reactions=entry.reactions,
        answered=Answered(quote.id, quote.sender, quote.name, quote.text) if quote else post.answered,
    )
