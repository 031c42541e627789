"""ChatApp: puts the widgets together, and turns keys, clicks and commands into events."""

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, TypeVar

from textual import events
from textual.app import App, ComposeResult
from textual.command import Provider
from textual.containers import Horizontal
from textual.geometry import Size
from textual.screen import ModalScreen
from textual.widget import Widget

from aws_iot.chat.actions.look import LookActions
from aws_iot.chat.actions.messages import MessageActions
from aws_iot.chat.actions.rooms import RoomActions
from aws_iot.chat.bridge import Bridge
from aws_iot.chat.model import events as on
from aws_iot.chat.model.completion import command_line, complete
from aws_iot.chat.model.effects import Notify
from aws_iot.chat.model.keys import ACTIONS, UnknownCommand, keys_of, message_of, parse
from aws_iot.chat.model.posts import Post
from aws_iot.chat.model.state import State
from aws_iot.chat.screen.alerts import Alerts
from aws_iot.chat.screen.composer import Composer
from aws_iot.chat.screen.conversation import Conversation
from aws_iot.chat.screen.legacy_keys import register
from aws_iot.chat.screen.panels import (
    PEOPLE_FROM_COLUMNS,
    ROOMS_FROM_COLUMNS,
    AimLine,
    PeopleList,
    RoomList,
    StatusLine,
    Trouble,
)
from aws_iot.chat.screen.recall import Recall
from aws_iot.chat.settings import ChatSettings

Answer = TypeVar("Answer")

NO_KEY = "f24"
"""No keyboard has it. Textual knows no binding without a key."""

LOW_ROWS = 16
"""On lower screens, no line separates the input from the messages."""

NOTICE_SECONDS = 8.0


# Dialogs are imported when they are opened: the first screen would wait for them.


def _palette() -> type[Provider]:
    from aws_iot.chat.screen.palette import ActionProvider

    return ActionProvider


class Widgets(NamedTuple):
    """The widgets of the screen. They are not found by queries: those would look in the dialog that is open."""

    rooms: RoomList
    conversation: Conversation
    people: PeopleList
    trouble: Trouble
    aim: AimLine
    composer: Composer
    status: StatusLine


class ChatApp(App[None]):
    """The chat screen."""

    CSS = """
    Screen { layout: vertical; background: transparent; }
    #panels { height: 1fr; }
    """
    TITLE = "aws-iot chat"
    COMMANDS: ClassVar = {_palette}
    COMMAND_PALETTE_BINDING = NO_KEY  # ours is in the table

    def __init__(
        self,
        bridge: Bridge,
        begin: Callable[[], None],
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        doubt: Callable[[str], str | None],
        settings: ChatSettings,
    ) -> None:
        """`begin` starts the threads, once the screen is there. `doubt` tells why a room's name is probably wrong."""
        super().__init__(ansi_color=True)  # the terminal's own colors, light or dark; none with NO_COLOR
        register(key for action in ACTIONS for key in keys_of(action, settings.keys))
        self._settings = settings
        self._keys = {key: action.name for action in ACTIONS for key in keys_of(action, settings.keys)}
        self._bindings.key_to_bindings.pop("ctrl+q", None)  # Textual's own, which would win over the table
        self._recall = Recall()
        self._alerts = Alerts(settings, self.bell, self._write)
        self.theme = "ansi-dark"
        self._bridge = bridge
        self._begin = begin
        self._now = now
        self._new_id = new_id
        parts = self, bridge, now, new_id, doubt
        self._actions = RoomActions(*parts), MessageActions(*parts), LookActions(*parts)
        self._panels: dict[str, bool | None] = {"rooms": None, "people": None}
        self._room_shown = ""
        self._notice = ""
        composer = Composer(
            self.run_key, self._submit, lambda line: complete(line, self.state), self._recalled
        )
        self._widgets = Widgets(
            RoomList(), Conversation(), PeopleList(), Trouble(), AimLine(), composer, StatusLine()
        )

    @property
    def state(self) -> State:
        """What is drawn."""
        return self._bridge.state

    def compose(self) -> ComposeResult:
        """The widgets, for Textual."""
        with Horizontal(id="panels"):
            yield from self._widgets[:3]
        yield from self._widgets[3:]

    def on_mount(self) -> None:
        """Draw what there is, and begin."""
        self._widgets.composer.focus()
        self.draw()
        self.call_after_refresh(self._begin)

    def _recalled(self, by: int, text: str) -> str | None:
        state = self.state
        if not state.current:
            return None
        sent = [
            post.text for post in state.room.posts if post.sender == state.identity and not post.is_deleted
        ]
        return self._recall.step(by, text, sent)

    def draw(self) -> None:
        """Draw the state."""
        state = self.state
        self._forget_later(state.notice)
        self._widgets.status.show_state(state, self.size.width)
        self._widgets.trouble.show_status(state.status, state.warning, self.size.width)
        if isinstance(self.screen, ModalScreen):
            self._draw_dialog(self.screen)
        if state.current not in state.rooms:
            return
        room = state.room
        if self._room_shown != room.name:
            self._room_shown = room.name
            self.load_draft()
        self._widgets.aim.show_aim(state, self.size.width)
        self._widgets.conversation.show(state, self._now())
        self._widgets.rooms.show_rooms(state)
        self._widgets.people.show_people(state)

    def _draw_dialog(self, dialog: ModalScreen[Any]) -> None:
        from aws_iot.chat.screen.search import SearchScreen

        if isinstance(dialog, SearchScreen):
            dialog.show_state(self.state)

    def load_draft(self) -> None:
        self._widgets.composer.load(self.state.room.draft)

    # -- what Textual tells

    def on_resize(self, event: events.Resize) -> None:
        """Hide the panels on a narrow screen."""
        self._correct(event.size)
        self._place_panels(event.size.width)
        self._widgets.composer.set_class(event.size.height < LOW_ROWS, "low")
        self.call_after_refresh(self.draw)

    def _correct(self, told: Size) -> None:
        """Ask the terminal again for its size.

        Textual reads it in a signal handler. A second signal can interrupt that handler, and then the older size comes
        last. The loop, which nothing interrupts, gets the newest. Textual also believes COLUMNS and LINES, which shells
        may export and then never change.
        """
        if self.is_headless or not sys.__stdout__:
            return
        with suppress(OSError):
            size = Size(*os.get_terminal_size(sys.__stdout__.fileno()))
            if size != told and all(size):
                self.post_message(events.Resize(size, size))

    def on_app_focus(self, _: events.AppFocus) -> None:
        """The terminal has the focus."""
        self._bridge.act(on.Focused(not isinstance(self.screen, ModalScreen)))

    def on_app_blur(self, _: events.AppBlur) -> None:
        """The terminal has lost the focus."""
        self._bridge.act(on.Focused(False))

    def on_conversation_scrolled(self, event: Conversation.Scrolled) -> None:
        """The person reads elsewhere."""
        before = self.state.is_at_end
        self._bridge.carry_out_event(on.Scrolled(event.is_at_end, event.near_top, event.near_end))
        if before != self.state.is_at_end:
            self.draw()

    def on_conversation_chosen(self, event: Conversation.Chosen) -> None:
        """The person has clicked a message, or a quote."""
        if event.ref:
            self._bridge.act(on.Went(self.state.current, ref=event.ref))
        else:
            self._bridge.act(on.Selected(event.key))

    def on_conversation_link_chosen(self, event: Conversation.LinkChosen) -> None:
        """The person has clicked a link."""
        self._actions[1].ask_to_open(event.link)

    def on_room_list_chosen(self, event: RoomList.Chosen) -> None:
        """The person has clicked a room."""
        self._actions[0].open(event.room)

    def on_text_area_changed(self, _: Composer.Changed) -> None:
        """The draft has changed."""
        self.keep_draft()

    def keep_draft(self) -> None:
        if self._room_shown:
            self._bridge.carry_out_event(on.Typed(self._room_shown, self._widgets.composer.text))

    def _submit(self, text: str) -> bool:
        """Send what was typed, or run the command; whether that worked."""
        if not self.state.current:
            return False
        if not text.strip():
            self._actions[1].enter_selected()
            return False
        self._bridge.carry_out_event(on.Noticed(""))
        try:
            command = parse(text)
        except UnknownCommand as error:
            self.tell(str(error))
            return False
        if command is None:
            self.send(message_of(text).rstrip())
            self.load_draft()  # at once: what is typed next must not be lost
            return False
        self._widgets.composer.load("")  # first: the command may open another room, or change the text
        self.keep_draft()
        self.action_run(command.action.name, command.argument)
        return False

    def on_composer_large_paste(self, event: Composer.LargePaste) -> None:
        """Ask before much is inserted."""
        lines = event.text.count("\n") + 1
        question = (
            f"Insert {lines:,} line{'s' * (lines != 1)} ({len(event.text):,} characters) into the message?"
        )

        self.confirm(question, lambda: self._widgets.composer.insert_text(event.text))

    def send(self, text: str) -> None:
        self._bridge.act(on.Submitted(self.state.current, text, self._new_id(), self._now()))

    def alert(self, notification: Notify) -> None:
        """Tell about a message elsewhere."""
        self._alerts.show(notification)

    def _write(self, sequence: str) -> None:
        if self._driver:
            self._driver.write(sequence)

    # -- what actions need

    def _show(self, dialog: ModalScreen[Answer], answered: Callable[[Answer | None], None]) -> None:
        """Show a dialog. What it covers does not count as read."""

        def closed(answer: Answer | None) -> None:
            self._bridge.act(on.Focused(self.app_focus))
            answered(answer)

        self._bridge.carry_out_event(on.Focused(False))
        self.push_screen(dialog, closed)

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        """Ask a question, and call the function if the answer is yes."""
        from aws_iot.chat.screen.dialogs import Question

        self._show(Question(question), lambda answer: then() if answer else None)

    def search(self, text: str, room: str | None) -> None:
        """Let the person search, and go to what they choose."""
        from aws_iot.chat.screen.search import SearchScreen

        def chosen(post: Post | None) -> None:
            self._bridge.act(on.Searched("", None))
            if post:
                self.keep_draft()
                self._bridge.act(on.Went(post.room, post))

        def search(text: str, room: str | None) -> None:
            self._bridge.act(on.Searched(text, room))

        self._show(SearchScreen(text, room, search), chosen)

    def scroll(self, pages: int) -> None:
        """Scroll the conversation; upwards if negative."""
        height = self._widgets.conversation.size.height
        # At once: a page of the history that is added before would have it scroll to what is elsewhere by then.
        self._widgets.conversation.scroll_relative(
            y=pages * max(1, height - 1), animate=False, immediate=True
        )

    def toggle_panel(self, name: str) -> None:
        """Hide or show a panel."""
        self._panels[name] = not self._panel(name).display
        self._place_panels(self.size.width)
        self.call_after_refresh(self.draw)

    def copy(self, text: str) -> None:
        """Give a text to the clipboard of the terminal."""
        self.copy_to_clipboard(text)

    def open_link(self, link: str) -> None:
        """Open a link in the browser, without waiting for it."""
        import webbrowser

        self.run_worker(lambda: webbrowser.open(link), thread=True)

    def show_help(self) -> None:
        """Show the keys and commands."""
        from aws_iot.chat.screen.dialogs import Help

        self._show(Help(self._settings.keys), lambda _: None)

    def show_palette(self) -> None:
        """Show the list of actions."""
        self.action_command_palette()

    def edit_draft(self, edit: Callable[[str], str]) -> None:
        """Give the terminal to an editor, which changes the draft."""
        with self.suspend():
            text = edit(self._widgets.composer.text)
        self._widgets.composer.load(text)
        self.keep_draft()

    def quit(self) -> None:
        """End the chat."""
        self.exit()

    # -- actions

    def action_choose(self, name: str) -> None:
        """Do what was chosen in the palette. If it needs an argument, that is still to be typed."""
        if line := command_line(name):
            self._widgets.composer.insert_text(line)
        else:
            self.action_run(name)

    def run_key(self, key: str) -> bool:
        """Do what a key means, unless a dialog is open; whether it means something."""
        name = self._keys.get(key)
        if name is None or isinstance(self.screen, ModalScreen):
            return False
        self._bridge.carry_out_event(on.Pressed())
        self._bridge.carry_out_event(on.Noticed(""))  # of what was done before
        self.action_run(name)
        return True

    def on_key(self, event: events.Key) -> None:
        """A key that no widget has taken."""
        if self.run_key(event.key):
            event.stop()

    def action_run(self, name: str, argument: str = "") -> None:
        """Do what the table of actions names."""
        method = f"do_{name.replace('-', '_')}"
        next(getattr(one, method) for one in self._actions if hasattr(one, method))(argument)

    def tell(self, text: str) -> None:
        """Tell the person something in the status line, for a while."""
        self._bridge.act(on.Noticed(text))

    def _forget_later(self, notice: str) -> None:
        if notice and notice != self._notice:
            self.set_timer(NOTICE_SECONDS, lambda: self._forget(notice))
        self._notice = notice

    def _forget(self, text: str) -> None:
        if self.state.notice == text:
            self._bridge.act(on.Noticed(""))

    def _place_panels(self, columns: int) -> None:
        for panel, least in (("rooms", ROOMS_FROM_COLUMNS), ("people", PEOPLE_FROM_COLUMNS)):
            wanted = self._panels[panel]
            self._panel(panel).display = columns >= least if wanted is None else wanted

    def _panel(self, name: str) -> Widget:
        return self._widgets.rooms if name == "rooms" else self._widgets.people

    def action_help_quit(self) -> None:
        """Ctrl+C, which copies in some terminals and ends programs in others, does neither here."""
        self.tell("Ctrl+Q quits. What you have typed is kept.")
