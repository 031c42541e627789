"""Announcer: what is new in the state, as lines. Nothing is announced twice."""

from collections.abc import Iterator, Sequence

from aws_iot.chat.model.posts import Delivery, Key, Post
from aws_iot.chat.model.state import Link, State, Status
from aws_iot.chat.text.people import who
from aws_iot.chat.text.steady import kept_in_place, steady
from aws_iot.text.labels import label

AT_ONCE = 10
"""How many messages are announced when a room is opened, and when older or newer ones are asked for."""

MOST_KNOWN = 5_000
"""How many announced messages are remembered, so that changes of them are announced."""

NAME_COLUMNS = 40

MORE = "\n    | "
"""Begins the further lines of a message, so that none of them can pass for another message."""

MOST_FOUND = 20
"""How many messages that a search has found are printed."""


class Announcer:
    """Compares the state with what was announced before."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Key], Post] = {}
        self._room = ""
        self._first: Key | None = None
        """The oldest message of the open room that was announced. Those before it wait until they are asked for."""
        self._reveals = 0
        self._wants_older = self._was_elsewhere = False
        self._status: Status | None = None
        self._notice = ""
        self._warning = ""
        self._results: object = None

    def lines(self, state: State) -> Iterator[str]:
        """The lines for what has changed."""
        if state.status != self._status:
            self._status = state.status
            yield from _status(state.status)
        if state.warning != self._warning:
            self._warning = state.warning
            yield f"Warning: {steady(state.warning)}"
        if state.current in state.rooms and state.room.is_loaded:
            yield from self._posts(state)
        if state.notice != self._notice:
            self._notice = state.notice
            if state.notice:
                yield steady(state.notice)
        if state.look.results != self._results:
            self._results = state.look.results
            yield from _results(state)

    def _posts(self, state: State) -> Iterator[str]:
        room = state.room
        if self._room != room.name:
            self._room = room.name
            unread = f", {room.unread} unread" if room.unread else ""
            yield f"Room {steady(label(room.name))}{unread}."
            self._first = room.posts[-AT_ONCE:][0].key if room.posts else None
        keys = [post.key for post in room.posts]
        if state.look.reveals != self._reveals:
            self._reveals = state.look.reveals
            if not state.look.is_at_end and state.look.selected in keys:
                yield from self._from(state, keys.index(state.look.selected))
        at = keys.index(self._first) if self._first in keys else 0
        if self._first not in keys and self._was_elsewhere:  # and now the end of the room is read again
            at = max(0, len(keys) - AT_ONCE)
        self._first, self._was_elsewhere = keys[at] if keys else None, room.has_newer
        for post in room.posts[:at]:
            self._known.setdefault((room.name, post.key), post)
        if self._wants_older and at:
            yield from self.older(state)
        for post in room.posts:
            known = self._known.get((room.name, post.key))
            if known is not post:
                self._known[room.name, post.key] = post
                yield from _changes(state, known, post) if known else self._new(state, post)
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def older(self, state: State) -> list[str]:
        """The messages before those that were announced. If there are none, the next ones that are read will be."""
        room = state.room
        at = next((index for index, post in enumerate(room.posts) if post.key == self._first), 0)
        before = room.posts[max(0, at - AT_ONCE) : at]
        self._wants_older = not before and room.has_older
        if before:
            self._first = before[0].key
        elif not room.has_older:
            return ["There are no older messages."]
        return [line(state, post) for post in before]

    def _from(self, state: State, at: int) -> Iterator[str]:
        """The messages from the one that the person went to."""
        room = state.room
        for post in room.posts:
            self._known[room.name, post.key] = post
        self._first = room.posts[at].key
        yield from (line(state, post) for post in room.posts[at : at + AT_ONCE])

    def _new(self, state: State, post: Post) -> Iterator[str]:
        if post.delivery is Delivery.PENDING:  # the person has just typed it
            return
        if post.delivery is Delivery.FAILED:
            yield f"Not sent: {_text(post)} ({steady(post.why)}). To send it again: /resend"
            return
        yield line(state, post)


def line(state: State, post: Post) -> str:
    """A message on one line."""
    name = who(post.sender, state.name_of(post.sender, post.name), NAME_COLUMNS)
    marks = ["edited"] if post.is_edited else []
    marks += [f"{steady(label(one.text))} {len(one.senders)}" for one in post.reactions]
    if post.answered:
        answered = post.answered
        quote = steady(" ".join((answered.text or "").split()))[:40]
        to = who(answered.sender, answered.name, NAME_COLUMNS) if answered.sender else "an earlier message"
        marks.append(f"to {to} {label(quote)}" if quote else f"to {to}")
    about = f" ({'; '.join(marks)})" if marks else ""
    return f"{post.received.astimezone():%H:%M} {name}{about}: {_text(post)}"


def _text(post: Post) -> str:
    if post.is_deleted:
        return "(deleted)"
    return MORE.join(kept_in_place(steady(one)) for one in post.text.replace("\r\n", "\n").split("\n"))


def _changes(state: State, known: Post, post: Post) -> Iterator[str]:
    name = who(post.sender, state.name_of(post.sender, post.name), NAME_COLUMNS)
    if post.delivery is Delivery.FAILED and known.delivery is not Delivery.FAILED:
        yield f"Not sent: {_text(post)} ({steady(post.why)}). To send it again: /resend"
    elif post.is_deleted and not known.is_deleted:
        yield f"{name} deleted: {_text(known)}"
    elif post.is_edited and post.text != known.text:
        yield f"{name} edited: {_text(post)}"
    elif post.reactions != known.reactions:
        counts = ", ".join(f"{steady(label(one.text))} {len(one.senders)}" for one in post.reactions)
        yield f"Reactions to {_text(post).partition(MORE)[0][:40]}: {counts or 'none'}"


def _status(status: Status) -> Iterator[str]:
    if status.link is Link.ONLINE:
        yield "Online."
    elif status.what:
        yield steady(status.what)
        for hint in status.hint.splitlines():
            yield steady(hint)
    elif status.link is Link.CONNECTING:
        yield "Connecting."


def _results(state: State) -> Sequence[str]:
    results = state.look.results
    if results is None or results.is_running:
        return []
    if results.error:
        return [steady(results.error)]
    found = [
        f"{post.received.astimezone():%Y-%m-%d} [{steady(label(post.room))}] {line(state, post)}"
        for post in results.posts[:MOST_FOUND]
    ]
    return [f"{len(results.posts)} found.", *reversed(found)]
