"""Conversation: the messages of the open room. It scrolls, and tells when it is at an end."""

from collections.abc import Callable
from datetime import datetime

from textual.events import Click, Resize
from textual.geometry import Size
from textual.message import Message as TextualMessage
from textual.scroll_view import ScrollView
from textual.strip import Strip

from aws_iot.chat.model.events import Scrolled
from aws_iot.chat.model.posts import Key
from aws_iot.chat.model.state import Look, Place, Room, State
from aws_iot.chat.screen.drawing import Drawing, Line, View

NEAR_SCREENS = 5
"""How near to an end of the window the next page is read, so that Page Up never has to wait for it."""


class Conversation(ScrollView, can_focus=False):
    """Draws a room. At its end it follows what arrives; otherwise what you read stays where it is."""

    DEFAULT_CSS = """
    Conversation { width: 1fr; height: 1fr; padding: 0 1; overflow-x: hidden; overflow-y: scroll;
                   scrollbar-size-vertical: 1; background: transparent;
                   scrollbar-background: ansi_default; scrollbar-background-hover: ansi_default;
                   scrollbar-background-active: ansi_default; scrollbar-color: ansi_bright_black;
                   scrollbar-color-hover: ansi_default; scrollbar-color-active: ansi_default; }
    """

    class Chosen(TextualMessage):
        """The person has clicked a message, or the quote of one."""

        def __init__(self, key: Key | None, ref: str = "") -> None:
            super().__init__()
            self.key, self.ref = key, ref

    class LinkChosen(TextualMessage):
        """The person has clicked a link."""

        def __init__(self, link: str) -> None:
            super().__init__()
            self.link = link

    def __init__(self, scrolled: Callable[[Scrolled], None]) -> None:
        """`scrolled` is called when the person has scrolled, or the screen has another size.

        At once: the state alone decides whether the end is followed, and so it must know before the next drawing.
        """
        super().__init__()
        self._scrolled = scrolled
        self._is_drawing = False
        self._view = View()
        self._reveals = self._returns = 0
        self._drawing = Drawing()
        self._lines: list[Line] = []
        self._room: Room | None = None
        self._now: datetime | None = None
        self._look = Look()
        self._laid_out = Size(0, 0)

    @property
    def text(self) -> str:
        """What is on the screen, for tests and for copying."""
        return "\n".join(line.text for line in self._on_screen)

    @property
    def _on_screen(self) -> list[Line]:
        top = self.scroll_offset.y
        return self._lines[top : top + self.size.height]

    def show(self, state: State, now: datetime) -> None:
        """Draw the open room: its end, what was read before, or the selected message if it is to be shown.

        Only if what is on the screen has changed. A page that is added above it has not: drawing the same lines again
        would take longer than adding the page, and a key might wait for it.
        """
        before = self._on_screen
        self._is_drawing = True
        self._show(state, now)
        self._is_drawing = False
        if not _are_same(before, self._on_screen):
            self.refresh()
        self._tell()

    def _show(self, state: State, now: datetime) -> None:
        self._look = state.look
        room, follow, view = state.room, state.look.is_at_end, View.of(state)
        reveals, self._reveals = state.look.reveals != self._reveals, state.look.reveals
        returns, self._returns = state.look.returns != self._returns, state.look.returns
        is_other = self._room is None or self._room is not room
        anchor = None if is_other else self._anchor()
        self._room, self._now, self._view = room, now, view
        columns = self._columns
        if not columns:
            return
        lines = self._drawing.lines(room, columns, now, view)
        if not is_other and _are_same(lines, self._lines):
            if reveals:
                self._reveal(state.look.selected)
            elif follow:
                self._to_end()
            return
        self._lines = lines
        self._resize(columns)
        if returns and room.place:
            self._to_end()  # if the place is in a thread that is hidden by now
            self._restore(room.place)
        elif reveals:
            self._reveal(state.look.selected)
        elif follow:
            self._to_end()
        elif anchor:
            self._restore(anchor)

    def _resize(self, columns: int) -> None:
        """There are other lines to scroll through.

        Not by `self.virtual_size = …`, which would place and draw every widget of the screen anew.
        """
        self.set_reactive(Conversation.virtual_size, Size(columns, len(self._lines)))
        self.vertical_scrollbar.window_virtual_size = len(self._lines)
        if self.scroll_offset.y > self.max_scroll_y:
            self._to_end()

    def _reveal(self, key: Key | None) -> None:
        """Bring a message to the screen, a third from the top, unless it is there."""
        found = [index for index, line in enumerate(self._lines) if line.key == key]
        top, height = self.scroll_offset.y, self.size.height
        if key and found and not (top <= found[0] and found[-1] < top + height):
            self.scroll_to(y=max(0, found[0] - height // 3), animate=False, force=True, immediate=True)

    def on_click(self, event: Click) -> None:
        """Select a message, open a link, or go to what a reply answers."""
        meta = event.style.meta
        if link := meta.get("link"):
            self.post_message(self.LinkChosen(str(link)))
        elif ref := meta.get("ref"):
            self.post_message(self.Chosen(None, str(ref)))
        else:
            index = self.scroll_offset.y + event.y - max(0, self.size.height - len(self._lines))
            if 0 <= index < len(self._lines):
                self.post_message(self.Chosen(self._lines[index].key))

    @property
    def _columns(self) -> int:
        return max(0, self.size.width - 1)

    def _anchor(self) -> Place | None:
        """The message at the top of the screen, and how many lines of it are above."""
        top = self.scroll_offset.y
        for index in range(top, len(self._lines)):
            key = self._lines[index].key
            if key is not None:
                first = index
                while first and self._lines[first - 1].key == key:
                    first -= 1
                return Place(key, top - first)
        return None

    def _restore(self, anchor: Place) -> None:
        for index, line in enumerate(self._lines):
            if line.key == anchor.key:
                self.scroll_to(y=index + anchor.lines, animate=False, force=True, immediate=True)
                return

    def _to_end(self) -> None:
        self.scroll_to(y=len(self._lines), animate=False, force=True, immediate=True)

    def render_line(self, y: int) -> Strip:
        """A line of the screen, for Textual."""
        index = self.scroll_offset.y + y
        columns = self.size.width
        # Few messages are at the bottom, beside the input.
        index -= max(0, self.size.height - len(self._lines))
        if not 0 <= index < len(self._lines):
            return Strip.blank(columns)
        return Strip(self._lines[index].segments).adjust_cell_length(columns)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Tell the others. While a state is drawn, `show` decides whether the lines have to be drawn again."""
        if self._is_drawing:
            self.vertical_scrollbar.position = new_value
        else:
            super().watch_scroll_y(old_value, new_value)
            self._tell()

    def on_resize(self, _: Resize) -> None:
        """Wrap the lines anew."""
        self._laid_out = self.size
        if self._room and self._now:
            self._is_drawing = True
            anchor = self._anchor()
            self._lines = self._drawing.lines(self._room, self._columns, self._now, self._view)
            self._resize(self._columns)
            if self._look.is_at_end:
                self._to_end()
            elif anchor:
                self._restore(anchor)
            self._is_drawing = False
            self.refresh()
        self._tell()

    def _tell(self) -> None:
        top, height = self.scroll_offset.y, self.size.height
        if not height or self.size != self._laid_out:  # on_resize will tell, when the lines fit the new size
            return
        is_at_end = top + height >= len(self._lines)
        near = NEAR_SCREENS * height
        is_near = top + height >= len(self._lines) - near
        place = None if is_at_end else self._anchor()
        new_above = self._drawing.is_new_above(top, height)
        self._scrolled(Scrolled(is_at_end, top <= near, is_near, new_above, place))


def _are_same(lines: list[Line], others: list[Line]) -> bool:
    return len(lines) == len(others) and all(map(_is_same, lines, others))


def _is_same(line: Line, other: Line) -> bool:
    return line is other or (line.key is None and other.key is None and line.text == other.text)
