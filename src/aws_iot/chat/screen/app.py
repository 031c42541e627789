"""ChatApp: puts the widgets together, and turns keys, clicks and commands into events."""

from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from textual import events
from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal

from aws_iot.chat.bridge import Bridge
from aws_iot.chat.model import events as on
from aws_iot.chat.model.keys import ACTIONS, UnknownCommand, message_of, parse
from aws_iot.chat.model.posts import Delivery
from aws_iot.chat.model.state import State
from aws_iot.chat.screen.composer import Composer
from aws_iot.chat.screen.conversation import Conversation
from aws_iot.chat.screen.dialogs import Help, Question
from aws_iot.chat.screen.drawing import who
from aws_iot.chat.screen.legacy_keys import register
from aws_iot.chat.screen.panels import PeopleList, RoomList, StatusLine, Trouble

ROOMS_FROM_COLUMNS = 60
PEOPLE_FROM_COLUMNS = 80
"""On narrower screens, these panels are hidden unless you ask for them."""

NOTICE_SECONDS = 8.0


class ChatApp(App[None]):
    """The chat screen."""

    CSS = """
    Screen { layout: vertical; background: transparent; }
    Horizontal { height: 1fr; }
    """
    TITLE = "aws-iot chat"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar = [
        Binding(",".join(action.keys), f"run('{action.name}')", action.help, show=False, priority=True)
        for action in ACTIONS
        if action.keys
    ]

    def __init__(
        self,
        bridge: Bridge,
        begin: Callable[[], None],
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        doubt: Callable[[str], str | None],
    ) -> None:
        """`begin` starts the threads, once the screen is there. `doubt` tells why a room's name is probably wrong."""
        super().__init__()
        register(key for action in ACTIONS for key in action.keys)
        self.theme = "ansi-dark"  # the terminal's own colors, light or dark
        self._bridge = bridge
        self._begin = begin
        self._now = now
        self._new_id = new_id
        self._doubt = doubt
        self._doubtful = ""
        self._panels: dict[str, bool | None] = {"rooms": None, "people": None}
        self._room_shown = ""

    @property
    def state(self) -> State:
        """What is drawn."""
        return self._bridge.state

    def compose(self) -> ComposeResult:
        """The widgets, for Textual."""
        with Horizontal():
            yield RoomList()
            yield Conversation()
            yield PeopleList()
        yield Trouble()
        yield Composer(self._submit)
        yield StatusLine()

    def on_mount(self) -> None:
        """Draw what there is, and begin."""
        self._composer = self.query_one(Composer)
        self._composer.focus()
        self.draw()
        self.call_after_refresh(self._begin)

    def draw(self) -> None:
        """Draw the state."""
        state = self.state
        if state.current not in state.rooms:
            self.query_one(StatusLine).show_state(state, self.size.width)
            return
        room = state.room
        if self._room_shown != room.name:
            self._room_shown = room.name
            self._composer.load(room.draft)
        self.query_one(Conversation).show(room, self._now(), follow=state.is_at_end)
        self.query_one(RoomList).show_rooms(state)
        self.query_one(PeopleList).show_people(room)
        self.query_one(Trouble).show_status(state.status, self.size.width)
        self.query_one(StatusLine).show_state(state, self.size.width)

    # -- what Textual tells

    def on_resize(self, event: events.Resize) -> None:
        """Hide the panels on a narrow screen."""
        self._place_panels(event.size.width)
        self.call_after_refresh(self.draw)

    def on_app_focus(self, _: events.AppFocus) -> None:
        """The terminal has the focus."""
        self._bridge.act(on.Focused(True))

    def on_app_blur(self, _: events.AppBlur) -> None:
        """The terminal has lost the focus."""
        self._bridge.act(on.Focused(False))

    def on_conversation_scrolled(self, event: Conversation.Scrolled) -> None:
        """The person reads elsewhere."""
        before = self.state.is_at_end
        self._bridge.carry_out_event(on.Scrolled(event.is_at_end, event.near_top, event.near_end))
        if before != self.state.is_at_end:
            self.draw()

    def on_room_list_chosen(self, event: RoomList.Chosen) -> None:
        """The person has clicked a room."""
        self._open(event.room)

    def on_text_area_changed(self, _: Composer.Changed) -> None:
        """The draft has changed."""
        self._keep_draft()

    def _keep_draft(self) -> None:
        if self._room_shown:
            self._bridge.carry_out_event(on.Typed(self._room_shown, self._composer.text))

    def _submit(self, text: str) -> bool:
        """Send what was typed, or run the command; whether that worked."""
        if not text.strip() or not self.state.current:
            return False
        try:
            command = parse(text)
        except UnknownCommand as error:
            self.tell(str(error))
            return False
        if command is None:
            self._bridge.act(
                on.Submitted(self.state.current, message_of(text).rstrip(), self._new_id(), self._now())
            )
            return True
        self._composer.load("")  # first: the command may open another room, or change the text
        self._keep_draft()
        self.action_run(command.action.name, command.argument)
        return False

    def on_composer_large_paste(self, event: Composer.LargePaste) -> None:
        """Ask before much is inserted."""
        lines = event.text.count("\n") + 1
        question = (
            f"Insert {lines:,} line{'s' * (lines != 1)} ({len(event.text):,} characters) into the message?"
        )

        def answered(answer: bool | None) -> None:
            if answer:
                self._composer.insert_text(event.text)

        self.push_screen(Question(question), answered)

    # -- actions

    def action_run(self, name: str, argument: str = "") -> None:
        """Do what the table of actions names."""
        getattr(self, f"_{name.replace('-', '_')}")(argument)

    def tell(self, text: str) -> None:
        """Tell the person something in the status line, for a while."""
        self._bridge.act(on.Noticed(text))
        self.set_timer(NOTICE_SECONDS, lambda: self._forget(text))

    def _forget(self, text: str) -> None:
        if self.state.notice == text:
            self._bridge.act(on.Noticed(""))

    def _open(self, room: str) -> None:
        self._keep_draft()
        self._bridge.act(on.RoomOpened(room))

    def _join(self, argument: str) -> None:
        doubt = self._doubt(argument) if argument else "Which room? /join ROOM"
        if doubt and not (argument and argument == self._doubtful):
            self._doubtful = argument
            self.tell(doubt)
        else:
            self._open(argument)

    def _leave(self, argument: str) -> None:
        self._keep_draft()
        self._bridge.act(on.RoomLeft(argument or self.state.current))

    def _rooms(self, _: str) -> None:
        state = self.state
        self.tell(", ".join(f"{name} ({state.rooms[name].unread})" for name in state.room_names()))

    def _who(self, _: str) -> None:
        people = [*reversed(self.state.room.people.values())]
        self.tell(", ".join(who(one.identity, one.name, 30) for one in people) or "Nobody has written here.")

    def _me(self, argument: str) -> None:
        if not argument:
            self.tell("What do you do? /me TEXT")
        else:
            self._bridge.act(on.Submitted(self.state.current, f"*{argument}*", self._new_id(), self._now()))

    def _resend(self, _: str) -> None:
        failed = self.state.room.failed
        for post in failed:
            self._bridge.act(on.Resent(post.room, post.id or ""))
        if not failed:
            self.tell("Every message of this room was sent.")

    def _discard(self, _: str) -> None:
        failed = self.state.room.failed
        if failed:
            self._bridge.act(on.Discarded(failed[-1].room, failed[-1].id or "", to_draft=True))
            self._composer.load(self.state.room.draft)
        elif any(post.delivery is Delivery.PENDING for post in self.state.room.posts):
            self.tell("Your message is still being sent.")
        else:
            self.tell("Every message of this room was sent.")

    def _next_room(self, _: str) -> None:
        self._step(1)

    def _previous_room(self, _: str) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        names = self.state.room_names()
        if names:
            self._open(names[(names.index(self.state.current) + by) % len(names)])

    def _page_up(self, _: str) -> None:
        self.query_one(Conversation).scroll_page_up(animate=False)

    def _page_down(self, _: str) -> None:
        self.query_one(Conversation).scroll_page_down(animate=False)

    def _newest(self, _: str) -> None:
        self._bridge.act(on.Jumped())

    def _toggle_rooms(self, _: str) -> None:
        self._toggle("rooms")

    def _toggle_people(self, _: str) -> None:
        self._toggle("people")

    def _toggle(self, panel: str) -> None:
        self._panels[panel] = not self.query_one(f"#{panel}").display
        self._place_panels(self.size.width)
        self.call_after_refresh(self.draw)

    def _place_panels(self, columns: int) -> None:
        for panel, least in (("rooms", ROOMS_FROM_COLUMNS), ("people", PEOPLE_FROM_COLUMNS)):
            wanted = self._panels[panel]
            self.query_one(f"#{panel}").display = columns >= least if wanted is None else wanted

    def _help(self, _: str) -> None:
        self.push_screen(Help())

    def _quit(self, _: str) -> None:
        self.exit()

    def action_help_quit(self) -> None:
        """Ctrl+C, which copies in some terminals and ends programs in others, does neither here."""
        self.tell("Ctrl+Q quits. What you have typed is kept.")
