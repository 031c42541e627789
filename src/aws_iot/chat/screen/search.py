"""SearchScreen: a search in the history, and what it has found. Enter opens a message among its neighbors."""

import re
from collections.abc import Callable, Iterator
from typing import ClassVar

from rich.style import Style
from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input

from aws_iot.chat.model.posts import Post
from aws_iot.chat.model.state import Places, State
from aws_iot.chat.screen.drawing import DIM, ERROR, PLAIN, name_style
from aws_iot.chat.screen.panels import OPEN, Lines, Parts, fitted
from aws_iot.chat.text.people import who
from aws_iot.chat.text.steady import cut, one_line, steady, width_of
from aws_iot.text.labels import label
from aws_iot.text.visible import kept_in_place

TYPING_SECONDS = 0.2
"""How long the person must pause before what they have typed is searched for."""


BEFORE = 15
"""How many columns before what was found are shown, if the text does not fit from its beginning."""

LEAST_TEXT = 18
"""If there are fewer columns beside time, room and sender, these are shortened: what was found must be shown."""

FOUND = Style(color="yellow", bold=True)


class SearchScreen(ModalScreen[Post | None]):
    """A line to type in, and the results, the newest first."""

    BINDINGS: ClassVar = [
        Binding("escape,ctrl+q", "close", show=False),
        Binding("up", "move(-1)", show=False, priority=True),
        Binding("down", "move(1)", show=False, priority=True),
        Binding("pageup", "move(-10)", show=False, priority=True),
        Binding("pagedown", "move(10)", show=False, priority=True),
    ]
    DEFAULT_CSS = """
    SearchScreen { align: center middle; }
    SearchScreen Vertical { width: 95%; height: 90%; border: solid ansi_blue; padding: 0 1; }
    SearchScreen Input, SearchScreen Input:focus { border: none; height: 1; padding: 0; background: transparent; }
    SearchScreen #where { height: 1; }
    SearchScreen #found { height: 1fr; margin-top: 1; }
    """

    def __init__(
        self, text: str, room: str | None, search: Callable[[str, str | None], None], last: str = ""
    ) -> None:
        """`search` begins a search in a room, or (None) in all. Its results come with `show_state`.

        `last` is what was searched for last. Without a text, it is offered: what is typed replaces it.
        """
        super().__init__()
        self._room, self._search = room, search
        self._text = text or last.removesuffix("*")
        self._is_offered = not text
        self._posts: tuple[Post, ...] = ()
        self._at = 0
        self._timer: Timer | None = None
        self._state: State | None = None

    def compose(self) -> ComposeResult:
        """The widgets, for Textual."""
        with Vertical():
            yield Lines("where")
            yield Input(self._text, placeholder='words, "a phrase", from:alice, after:yesterday')
            yield Lines("found")

    def on_mount(self) -> None:
        """Search at once for what was given with the command."""
        self.query_one(Input).cursor_blink = False
        where = f"in {cut(steady(label(self._room)), 20)}" if self._room else "in all rooms"
        self.query_one("#where", Lines).show([[(f"Enter opens, Esc closes. Search {where}", DIM)]])
        if self._text:
            self._search(_unfinished(self._text) if self._is_offered else self._text, self._room)

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        if self._timer:
            self._timer.stop()
        self._timer = self.set_timer(
            TYPING_SECONDS, lambda: self._search(_unfinished(event.value), self._room)
        )

    @on(Input.Submitted)
    def _entered(self, _: Input.Submitted) -> None:
        if self._posts:
            self.dismiss(self._posts[self._at])

    def on_click(self, event: events.Click) -> None:
        """Open the message that was clicked."""
        found = self.query_one("#found", Lines)
        index = self._first + event.screen_y - found.region.y
        if found.region.contains(event.screen_x, event.screen_y) and index < len(self._posts):
            self.dismiss(self._posts[index])

    def action_move(self, by: int) -> None:
        """To another result."""
        self._at = max(0, min(self._at + by, len(self._posts) - 1))
        self._draw()

    def action_close(self) -> None:
        """Open nothing."""
        self.dismiss(None)

    def show_state(self, state: State) -> None:
        """Draw the results."""
        self._state = state
        results = state.look.results
        if results is None or results.posts != self._posts:
            self._at = 0
        self._posts = results.posts if results else ()
        self._draw()

    @property
    def _first(self) -> int:
        height = max(1, self.query_one("#found", Lines).size.height)
        return max(0, min(self._at - height // 2, len(self._posts) - height))

    def _draw(self) -> None:
        if not self.is_mounted or self._state is None:
            return
        found = self.query_one("#found", Lines)
        results = self._state.look.results
        if results is None:
            lines: list[Parts] = []
        elif results.error:
            lines = [[(cut(steady(results.error), found.size.width), ERROR)]]
        elif not results.posts:
            lines = [[("Searching …" if results.is_running else "Nothing was found.", DIM)]]
        else:
            first = self._first
            shown = self._posts[first : first + max(1, found.size.height)]
            lines = [
                self._line(post, places, found.size.width, index == self._at)
                for index, (post, places) in enumerate(
                    zip(shown, results.places[first:], strict=False), first
                )
            ]
        found.show(lines)

    def _line(self, post: Post, places: Places, columns: int, is_chosen: bool) -> Parts:
        about = self._about(post, columns)
        text = _excerpt(one_line(post.text), places, columns - sum(width_of(part) for part, _ in about))
        return [
            (part, style + OPEN if is_chosen else style) for part, style in fitted([*about, *text], columns)
        ]

    def _about(self, post: Post, columns: int) -> Parts:
        """When, where and by whom it was sent, as far as that leaves room for the text."""
        received = post.received.astimezone()
        for time, room, name in (
            (f"{received:%Y-%m-%d %H:%M} ", 14, 20),
            (f"{received:%m-%d %H:%M} ", 10, 15),
        ):
            parts = self._parts(post, time, room, name)
            if columns - sum(width_of(part) for part, _ in parts) >= LEAST_TEXT:
                return parts
        return self._parts(post, f"{received:%m-%d} " if self._room else "", 6, 10)

    def _parts(self, post: Post, time: str, widest_room: int, widest_name: int) -> Parts:
        assert self._state
        name = self._state.name_of(post.sender, post.name)
        sender = cut(who(post.sender, name, widest_name), widest_name)
        room = "" if self._room else f"{kept_in_place(cut(steady(label(post.room)), widest_room))} "
        return [(time, DIM), (room, PLAIN), (sender, name_style(post.sender)), ("  ", PLAIN)]


def _excerpt(text: str, places: Places, columns: int) -> Iterator[tuple[str, Style]]:
    """A text with what was found in it: from its beginning if that fits, otherwise from shortly before it on."""
    at = 0
    if places and width_of(steady(text[: places[0][1]])) > columns:
        start, end = places[0]
        before = max(0, min(BEFORE, (columns - 2 - width_of(steady(text[start:end]))) // 2))
        at = start
        while at and width_of(steady(text[at - 1 : start])) <= before:
            at -= 1
        yield "… ", DIM
    for start, end in places:
        yield kept_in_place(steady(text[at:start])), PLAIN
        yield kept_in_place(steady(text[start:end])), FOUND
        at = end
    yield kept_in_place(steady(text[at:])), PLAIN


def _unfinished(text: str) -> str:
    """A search that is being typed: its last word may go on."""
    return f"{text}*" if re.search(r"(?:^|[\s-])(?!OR$)\w+$", text) and not text.count('"') % 2 else text
