"""Layout: the widgets of the screen, and which of them are hidden."""

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size

from aws_iot.chat.model.events import Scrolled
from aws_iot.chat.model.state import Look, State
from aws_iot.chat.screen.composer import Composer
from aws_iot.chat.screen.conversation import Conversation
from aws_iot.chat.screen.panels import AimLine, PeopleList, RoomList, StatusLine, Trouble

ROOMS, PEOPLE = "rooms", "people"
"""The panels beside the messages."""

ROOMS_FROM_COLUMNS = 60
PEOPLE_FROM_COLUMNS = 80
"""On narrower screens, these panels are hidden unless you ask for them."""

LOW_ROWS = 16
"""On lower screens, no line separates the input from the messages."""


class Layout:
    """The widgets. They are not found by queries: those would look in the dialog that is open."""

    def __init__(self, composer: Composer, scrolled: Callable[[Scrolled], None]) -> None:
        """`scrolled` is that of `Conversation`."""
        self.composer = composer
        self._rooms = RoomList()
        self._conversation = Conversation(scrolled)
        self._people = PeopleList()
        self._trouble = Trouble()
        self._aim = AimLine()
        self._status = StatusLine()
        self._size = Size(0, 0)

    def compose(self) -> ComposeResult:
        """The widgets, for Textual."""
        with Horizontal(id="panels"):
            yield from (self._rooms, self._conversation, self._people)
        yield from (self._trouble, self._aim, self.composer, self._status)

    def show(self, state: State, columns: int, now: datetime) -> None:
        """Draw the state."""
        self._trouble.show_status(state.status, [*state.warnings.values()], columns)
        if state.current in state.rooms:
            self._aim.show_aim(state, columns)
            self._conversation.show(state, now)
            self._rooms.show_rooms(state)
            self._people.show_people(state)
        self._status.show_state(state, columns, now, self._rooms.shows)

    def resize(self, size: Size) -> None:
        """The screen has this size. What is on it, is for `place`."""
        self._size = size
        self.composer.set_class(size.height < LOW_ROWS, "low")

    def place(self, look: Look) -> bool:
        """Hide and show the panels; whether that has changed something."""
        is_changed = False
        for name in (ROOMS, PEOPLE):
            is_shown = look.shows(name, is_wide=self.is_wide_for(name))
            panel = self._rooms if name == ROOMS else self._people
            is_changed = is_changed or panel.display != is_shown
            panel.display = is_shown
        return is_changed

    def is_wide_for(self, panel: str) -> bool:
        """Whether the screen is wide enough for a panel, besides the messages."""
        return self._size.width >= (ROOMS_FROM_COLUMNS if panel == ROOMS else PEOPLE_FROM_COLUMNS)

    def scroll(self, pages: int) -> None:
        """Scroll the conversation; upwards if negative."""
        height = self._conversation.size.height
        # At once: a page of the history that is added before would have it scroll to what is elsewhere by then.
        self._conversation.scroll_relative(y=pages * max(1, height - 1), animate=False, immediate=True)
