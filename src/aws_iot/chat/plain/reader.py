"""Reader: which messages of the open room are printed, and when. None is skipped, whichever way the person reads."""

from collections.abc import Iterator, Sequence

from aws_iot.chat.model.gaps import Gap
from aws_iot.chat.model.posts import Delivery, Key, Post
from aws_iot.chat.model.state import Room, State
from aws_iot.chat.model.windows import split
from aws_iot.chat.plain.lines import changes, line, missing, not_sent
from aws_iot.chat.text.steady import steady
from aws_iot.text.labels import label

AT_ONCE = 10
"""How many messages are printed when a room is opened, and when older or newer ones are asked for."""

MOST_KNOWN = 5_000
"""How many messages are remembered, so that changes of them are printed."""


class Reader:
    """Where the person is in the open room: what was printed, and what waits until they ask for it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, Key], Post] = {}
        self._room = ""
        self._first: Key | None = None
        """The oldest message that was printed. Those before it wait."""
        self._last: Key | None = None
        """The newest one that was printed, if the person reads elsewhere than at the end. Those after it wait."""
        self._reveals = 0
        self._wants_older = self._wants_newer = self._was_elsewhere = False
        self._told: set[tuple[str, Gap]] = set()
        """The gaps that were printed."""

    @property
    def is_at_end(self) -> bool:
        """Whether no newer messages wait."""
        return self._last is None

    def lines(self, state: State) -> Iterator[str]:
        """The lines for what has changed."""
        room = state.room
        if self._room != room.name:
            yield from self._opened(room)
        keys = [post.key for post in room.posts]
        if state.look.reveals != self._reveals:
            self._reveals = state.look.reveals
            if not state.look.is_at_end and state.look.selected in keys:
                yield from self._went_to(state, keys.index(state.look.selected))
        is_lost = self._last is not None and self._last not in keys
        at = self._place(room, keys)
        if is_lost and state.look.is_at_end and not room.window.has_newer:
            at = max(0, len(keys) - AT_ONCE)
            yield from self._went_to(state, at)
        for post in room.posts[:at]:
            self._known.setdefault((room.name, post.key), post)
        if self._wants_older and at:
            yield from self.older(state)
        if self._last and state.look.is_at_end and not room.window.has_newer:
            yield from self._went_to_end(state)
        waits, self._was_elsewhere = self._last is not None and self._was_elsewhere, room.window.has_newer
        gaps = room.gaps_among(room.posts)
        for index, post in enumerate(room.posts):
            if index in gaps and index >= at and not waits:
                yield from self._missing(room, gaps[index])
            known = self._known.get((room.name, post.key))
            if known is not post:
                self._known[room.name, post.key] = post
                if known:
                    yield from changes(state, known, post)
                elif not waits:
                    yield from _new(state, post)
        if len(room.posts) in gaps and not waits:
            yield from self._missing(room, gaps[len(room.posts)])
        if self._wants_newer:
            yield from self.newer(state)
        while len(self._known) > MOST_KNOWN:
            del self._known[next(iter(self._known))]

    def _opened(self, room: Room) -> Iterator[str]:
        self._room = room.name
        unread = f", {room.unread} unread" if room.unread else ""
        begins = " Your history of it begins here." if room.is_empty else ""
        yield f"Room {steady(label(room.name))}{unread}.{begins}"
        self._first, self._last = room.posts[-AT_ONCE:][0].key if room.posts else None, None
        self._wants_older = self._wants_newer = False

    def _place(self, room: Room, keys: Sequence[Key]) -> int:
        """The place of the first message that was printed in the window, which may be another one by now."""
        if self._last not in keys:
            self._last = None
        at = keys.index(self._first) if self._first in keys else 0
        is_late = (
            self._first is None and room.window.has_older
        )  # the end could not be read when it was opened
        is_again = self._first not in keys and self._was_elsewhere and self._last is None
        if is_late or is_again:
            at = max(0, len(keys) - AT_ONCE)
        self._first = keys[at] if keys else None
        return at

    def older(self, state: State) -> list[str]:
        """The messages before those that were printed. If there are none, the next ones that are read will be."""
        room = state.room
        at = next((index for index, post in enumerate(room.posts) if post.key == self._first), 0)
        first = max(0, at - AT_ONCE)
        before = room.posts[first:at]
        self._wants_older = not before and room.window.has_older
        if before:
            self._first = before[0].key
        elif not room.window.has_older:
            return ["There are no older messages."]
        return [*self._page(state, first, at)]

    def newer(self, state: State) -> list[str]:
        """The messages after those that were printed. If there are none, the next ones that are read will be."""
        room = state.room
        saved, at = self._waiting(room)
        after = saved[at : at + AT_ONCE]
        self._wants_newer = not after and room.window.has_newer
        self._stop_at(saved, at + len(after), room)
        if not after and not room.window.has_newer:
            return ["There are no newer messages."]
        return [*self._page(state, at, at + len(after))]

    def _waiting(self, room: Room) -> tuple[Sequence[Post], int]:
        """The saved messages of the window, and the place of the first one that waits."""
        saved = split(room.posts)[0]
        at = next((index + 1 for index, post in enumerate(saved) if post.key == self._last), len(saved))
        return saved, at

    def _stop_at(self, saved: Sequence[Post], end: int, room: Room) -> None:
        is_end = end >= len(saved) and not room.window.has_newer
        self._last = None if is_end or not end else saved[end - 1].key

    def _went_to(self, state: State, at: int) -> Iterator[str]:
        """The messages from the one that the person went to."""
        room = state.room
        for post in room.posts:
            self._known[room.name, post.key] = post
        self._first = room.posts[at].key
        self._wants_older = self._wants_newer = False
        self._stop_at(split(room.posts)[0], at + AT_ONCE, room)
        yield from self._page(state, at, min(at + AT_ONCE, len(room.posts)))

    def _went_to_end(self, state: State) -> Iterator[str]:
        """The last ones of those that wait."""
        saved, at = self._waiting(state.room)
        self._last = None
        yield from self._page(state, max(at, len(saved) - AT_ONCE), len(saved))

    def _page(self, state: State, first: int, end: int) -> Iterator[str]:
        """These messages of the window, and the gaps between them."""
        room, posts = state.room, state.room.posts
        gaps, arrived = room.gaps_among(posts), len(split(posts)[0])
        for index in range(first, end + 1):
            if index in gaps and (index < end or index == arrived):
                self._told.add((room.name, gaps[index]))
                yield missing(gaps[index])
            if index < end:
                yield line(state, posts[index])

    def _missing(self, room: Room, gap: Gap) -> Iterator[str]:
        """The line of a gap, unless it was printed."""
        if (room.name, gap) not in self._told:
            self._told.add((room.name, gap))
            yield missing(gap)


def _new(state: State, post: Post) -> Iterator[str]:
    is_typed = post.delivery is Delivery.PENDING and post.id not in state.sending.left
    if post.delivery is Delivery.FAILED:
        yield not_sent(post)
    elif not is_typed:  # just before, by the person
        yield line(state, post)
