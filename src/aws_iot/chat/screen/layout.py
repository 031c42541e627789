"""Layout: the widgets of the screen, and which of them are hidden."""

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.geometry import Size
from textual.widget import Widget

from aws_iot.chat.model.events import Scrolled
from aws_iot.chat.model.state import State
from aws_iot.chat.screen.composer import Composer
from aws_iot.chat.screen.conversation import Conversation
from aws_iot.chat.screen.panels import AimLine, PeopleList, RoomList, StatusLine, Trouble

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
        self._wanted: dict[str, bool] = {}
        """Which panels the person has hidden or shown."""

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

    def place(self, size: Size) -> None:
        """Hide the panels on a narrow screen."""
        for name, least in (("rooms", ROOMS_FROM_COLUMNS), ("people", PEOPLE_FROM_COLUMNS)):
            self._panel(name).display = self._wanted.get(name, size.width >= least)
        self.composer.set_class(size.height < LOW_ROWS, "low")

    def toggle(self, name: str, size: Size) -> None:
        """Hide or show a panel."""
        self._wanted[name] = not self._panel(name).display
        self.place(size)

    def _panel(self, name: str) -> Widget:
        return self._rooms if name == "rooms" else self._people

    def scroll(self, pages: int) -> None:
        """Scroll the conversation; upwards if negative."""
        height = self._conversation.size.height
        # At once: a page of the history that is added before would have it scroll to what is elsewhere by then.
        self._conversation.scroll_relative(y=pages * max(1, height - 1), animate=False, immediate=True)
