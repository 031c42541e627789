"""Announcer: what is new in the state, as lines. Nothing is announced twice."""

from collections.abc import Iterator, Sequence

from aws_iot.chat.model.changes import changes_of, described
from aws_iot.chat.model.posts import Post
from aws_iot.chat.model.state import Link, State, Status
from aws_iot.chat.model.threads import thread_of
from aws_iot.chat.plain.lines import in_lines, line
from aws_iot.chat.plain.reader import Reader
from aws_iot.chat.text.steady import one_line, steady
from aws_iot.text.labels import label

MOST_FOUND = 20
"""How many messages that a search has found are printed."""


class Announcer:
    """Compares the state with what was announced before."""

    def __init__(self) -> None:
        self.reader = Reader()
        self._status: Status | None = None
        self._notice = ""
        self._warnings: list[str] = []
        self._told: set[str] = set()
        """The IDs of changes of ended chats that were announced."""
        self._results: object = None
        self._versions: object = None

    def lines(self, state: State) -> Iterator[str]:
        """The lines for what has changed."""
        # An attempt to connect is no news while it may end as the one before.
        is_attempt = state.status.link is Link.CONNECTING and self._status is not None and self._status.what
        if state.status != self._status and not is_attempt:
            self._status = state.status
            yield from _status(state.status)
        before, self._warnings = self._warnings, [*state.warnings.values()]
        yield from (f"Warning: {steady(warning)}" for warning in self._warnings if warning not in before)
        if state.current in state.rooms and state.room.window.is_loaded:
            yield from self.reader.lines(state)
            yield from self._left(state)
        if state.notice != self._notice:
            self._notice = state.notice
            if state.notice:
                yield steady(state.notice)
        if state.look.results != self._results:
            self._results = state.look.results
            yield from _results(state)
        if state.look.versions is not self._versions:  # the same ones, if they are asked for again
            self._versions = state.look.versions
            yield from _versions(state)

    def _left(self, state: State) -> Iterator[str]:
        """What ended chats were to do to messages, and still waits."""
        for id_, change in changes_of(state, state.room):
            if id_ in state.sending.left - self._told:
                self._told.add(id_)
                yield f"Not sent yet: {steady(one_line(described(change)))}"


def thread(state: State, post: Post) -> Iterator[str]:
    """The messages of the thread of a post, so far as they were read."""
    posts = thread_of(state.room.posts, post)
    yield f"The thread has {len(posts)} messages:"
    yield from (line(state, one) for one in posts)


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
    hint = f" For words that only begin so: /find {steady(results.text)}*" if not found else ""
    return [f"{len(results.posts)} found.{hint}", *reversed(found)]


def _versions(state: State) -> Iterator[str]:
    if versions := state.look.versions:
        yield "Its texts, the first one first:"
        yield from (f"{number}. {in_lines(text)}" for number, text in enumerate(versions[1], 1))
