"""ChatApp: puts the widgets together, and turns keys, clicks and commands into events."""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from textual import events
from textual.app import App, ComposeResult
from textual.command import Provider
from textual.geometry import Size
from textual.screen import ModalScreen

from aws_iot.chat.actions.base import Context
from aws_iot.chat.actions.desk import NO_ROOM_YET, Desk
from aws_iot.chat.entry.completion import command_line, complete
from aws_iot.chat.entry.keys import UnknownCommand, bindings, key_name, parse, written
from aws_iot.chat.entry.recall import Recall
from aws_iot.chat.model import events as on
from aws_iot.chat.model.effects import Notify
from aws_iot.chat.model.posts import Post
from aws_iot.chat.model.state import State
from aws_iot.chat.screen.alerts import Alerts
from aws_iot.chat.screen.composer import Composer, clean
from aws_iot.chat.screen.conversation import Conversation
from aws_iot.chat.screen.layout import Layout
from aws_iot.chat.screen.legacy_keys import register
from aws_iot.chat.screen.panels import RoomList, StatusLine
from aws_iot.chat.settings import ChatSettings
from aws_iot.chat.text.slashes import below, message_of, typed_form

Answer = TypeVar("Answer")

NO_KEY = "f24"
"""No keyboard has it. Textual knows no binding without a key."""


# Dialogs are imported when they are opened: the first screen would wait for them.


def _palette() -> type[Provider]:
    from aws_iot.chat.screen.dialogs import ActionProvider

    return ActionProvider


class ChatApp(App[None]):
    """The chat screen."""

    CSS = """
    Screen { layout: vertical; background: transparent; }
    #panels { height: 1fr; }
    """
    TITLE = "aws-iot chat"
    COMMANDS: ClassVar = {_palette}
    COMMAND_PALETTE_BINDING = NO_KEY  # ours is in the table

    def __init__(self, context: Context, begin: Callable[[], None], settings: ChatSettings) -> None:
        """`begin` starts the threads, once the screen is there."""
        super().__init__(ansi_color=True)  # the terminal's own colors, light or dark; none with NO_COLOR
        self.keys = bindings(settings.keys)
        """The action of each key."""
        register(self.keys)
        self._bindings.key_to_bindings.pop("ctrl+q", None)  # Textual's own, which would win over the table
        self._recall = Recall()
        self._began = context.now()
        self._alerts = Alerts(settings, self.bell, self._write)
        self.theme = "ansi-dark"
        self._bridge = context.bridge
        self._begin = begin
        self._now = context.now
        self._desk = Desk(self, context)
        self._shown = "", 0
        """The room whose draft is in the input, and how often a message had become a draft by then."""
        self._layout = Layout(
            Composer(self.run_key, self._submit, lambda line: complete(line, self.state), self._recalled),
            self._scrolled,
        )

    @property
    def state(self) -> State:
        """What is drawn."""
        return self._bridge.state

    def compose(self) -> ComposeResult:
        """The widgets, for Textual."""
        return self._layout.compose()

    def on_mount(self) -> None:
        """Draw what there is, and begin."""
        self._layout.composer.focus()
        self.app_resume_signal.subscribe(self, lambda _: self.redraw())
        self.draw()
        self.call_after_refresh(self._begin)

    def redraw(self) -> None:
        """The terminal has lost what was on it: another program, or the shell, had it in between."""
        self.screen.refresh(layout=True)

    def _recalled(self, by: int, text: str) -> str | None:
        state = self.state
        if not state.current:
            return None
        mine = (post for post in state.room.posts if post.sender == state.me.identity and not post.is_deleted)
        earlier = [typed_form(post.text) for post in mine if post.received < self._began]
        return self._recall.step(by, text, state.current, earlier)

    def draw(self) -> None:
        """Draw the state."""
        if not self.screen_stack:  # the chat ends, and something has happened meanwhile
            return
        state = self.state
        if isinstance(self.screen, ModalScreen):
            self._draw_dialog(self.screen)
        shown = state.current, state.sending.put_back[0]
        if state.current in state.rooms and self._shown != shown:
            typed = "" if self._shown[0] else self._layout.composer.text  # before the first room was open
            self._shown = shown
            if typed:
                self._layout.composer.load(below((state.room.draft.text, typed)))
                self.keep_draft()
            else:
                self.load_draft()
        if self._layout.place(state.look):
            self.call_after_refresh(self.draw)
        self._layout.show(state, self.size.width, self._now())

    def _draw_dialog(self, dialog: ModalScreen[Any]) -> None:
        from aws_iot.chat.screen.search import SearchScreen

        if isinstance(dialog, SearchScreen):
            dialog.show_state(self.state)

    def clear_draft(self) -> None:
        """Empty the input. Up brings the text back, and so does undoing."""
        if text := self._layout.composer.text:
            self._recall.note(self.state.current, text)
            self._layout.composer.clear()

    def load_draft(self) -> None:
        self._layout.composer.load(self.state.room.draft.text)

    # -- what Textual tells

    def on_resize(self, event: events.Resize) -> None:
        """Draw the state in the new size."""
        self._correct(event.size)
        self._layout.resize(event.size)
        self._layout.place(self.state.look)
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

    def _scrolled(self, event: on.Scrolled) -> None:
        """The person reads elsewhere."""
        look = self.state.look
        before = look.is_at_end, look.is_new_above
        self._bridge.carry_out_event(event)
        if before != (look.is_at_end, look.is_new_above):
            self.draw()

    def on_conversation_chosen(self, event: Conversation.Chosen) -> None:
        """The person has clicked a message, or a quote."""
        if event.ref:
            self._bridge.act(on.Went(self.state.current, ref=event.ref))
        else:
            self._bridge.act(on.Selected(event.key))

    def on_conversation_link_chosen(self, event: Conversation.LinkChosen) -> None:
        """The person has clicked a link."""
        self._desk.messages.ask_to_open(event.link)

    def on_room_list_chosen(self, event: RoomList.Chosen) -> None:
        """The person has clicked a room."""
        self.open_room(event.room)

    def open_room(self, room: str) -> None:
        """Open a room that the person has chosen from a list."""
        self._desk.rooms.open(room)

    def on_text_area_changed(self, _: Composer.Changed) -> None:
        """The draft has changed."""
        self.keep_draft()

    def keep_draft(self) -> None:
        room, _ = self._shown
        if room:
            had_focus = self.state.look.is_focused
            self._bridge.carry_out_event(on.Typed(room, self._layout.composer.text))
            if had_focus != self.state.look.is_focused:  # the room is read now
                self.draw()

    def _submit(self, text: str) -> None:
        """Send what was typed, or run the command."""
        if not self.state.current:
            self.tell(NO_ROOM_YET)
            return
        if not text.strip():
            self._desk.messages.enter_selected()
            return
        self._bridge.carry_out_event(on.Noticed(""))
        self._recall.note(self.state.current, text)
        try:
            command = parse(text)
        except UnknownCommand as error:
            self.tell(str(error))
            return
        if command is None:
            self._desk.messages.send(message_of(text).rstrip())
            self.load_draft()  # at once: what is typed next must not be lost
        else:
            self._layout.composer.load("")  # first: the command may open another room, or change the text
            self.keep_draft()
            self._desk.run(command.action.name, command.argument)

    def on_composer_large_paste(self, event: Composer.LargePaste) -> None:
        """Ask before much is inserted."""
        lines = len(event.text.splitlines())
        question = (
            f"Insert {lines:,} line{'s' * (lines != 1)} ({len(event.text):,} characters) into the message?"
        )

        self.confirm(question, lambda: self._layout.composer.insert_text(event.text))

    def alert(self, notification: Notify) -> None:
        """Tell about a message elsewhere."""
        if problem := self._alerts.show(notification):
            self.tell(problem)

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

    def choose(self, question: str, choices: Sequence[str], then: Callable[[int], None]) -> None:
        """Let the person choose, and call the function with the index of the choice."""
        from aws_iot.chat.screen.dialogs import Choice

        self._show(Choice(question, choices), lambda at: None if at is None else then(at))

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

        self._show(SearchScreen(text, room, search, self.state.look.sought), chosen)

    def scroll(self, pages: int) -> None:
        """Scroll the conversation; upwards if negative."""
        self._layout.scroll(pages)

    def show_newest(self) -> None:
        """Go to the newest message."""
        self._bridge.act(on.Jumped())

    def toggle_panel(self, name: str) -> None:
        """Hide or show a panel."""
        self._bridge.act(on.PanelToggled(name, self._layout.is_wide_for(name)))

    def show_thread(self, post: Post) -> None:
        """Show the replies in the thread of a message, or hide them."""
        self._bridge.act(on.Folded(post))

    def copy(self, text: str) -> None:
        """Give a text to the clipboard of the terminal, without what would control the program that it is pasted to."""
        self.copy_to_clipboard(clean(text))

    def open_link(self, link: str) -> None:
        """Open a link in the browser."""
        from aws_iot.chat.actions.browser import open_link

        open_link(link, self._lend_terminal, lambda text: self._bridge.tell(on.Noticed(text)))

    def show_help(self) -> None:
        """Show the keys and commands."""
        from aws_iot.chat.screen.dialogs import Help

        self._show(Help(self.keys), lambda _: None)

    def show_palette(self) -> None:
        """Show the list of actions."""
        self.action_command_palette()

    def edit_draft(self, edit: Callable[[str], str]) -> None:
        """Give the terminal to an editor, which changes the draft."""
        self._layout.composer.load(self._lend_terminal(lambda: edit(self._layout.composer.text)))
        self.keep_draft()

    def _lend_terminal(self, program: Callable[[], Answer]) -> Answer:
        """Give the terminal to a program until it ends."""
        failure = None
        with self.suspend():  # an exception would leave the terminal to the program
            try:
                answer = program()
            except Exception as error:  # noqa: BLE001 it is raised below
                failure = error
        if failure:
            raise failure
        return answer

    def stop(self) -> None:
        """Give the terminal back to the shell, until the shell continues the chat.

        Textual's own handler would stop the chat even if no shell could continue it. The system does not.
        """
        if self.is_headless or not hasattr(signal, "SIGTSTP"):
            self.tell("This terminal cannot stop a program and continue it.")
            return
        self.keep_draft()
        with self.suspend():
            handler = signal.signal(signal.SIGTSTP, signal.SIG_DFL)
            os.killpg(0, signal.SIGTSTP)  # and what has started the chat, as the terminal itself would
            signal.signal(signal.SIGTSTP, handler)

    def quit(self) -> None:
        """End the chat."""
        self.keep_draft()
        self.exit()

    # -- actions

    def action_choose(self, name: str) -> None:
        """Do what was chosen in the palette. If it needs an argument, that is still to be typed."""
        line = command_line(name)
        if line and self._layout.composer.text:
            self.tell(
                f"A command needs an empty input. Send or remove your draft, then type {line.rstrip()}."
            )
        elif line:
            self._layout.composer.insert_text(line)
        else:
            self._desk.run(name)

    def run_key(self, key: str) -> bool:
        """Do what a key means, unless a dialog is open; whether it means something."""
        name = self.keys.get(written(key))
        if name is None or isinstance(self.screen, ModalScreen):
            return False
        self._bridge.carry_out_event(on.Pressed())
        self._bridge.carry_out_event(on.Noticed(""))  # of what was done before
        self._desk.run(name)
        return True

    def on_key(self, event: events.Key) -> None:
        """A key that no widget has taken."""
        if self.run_key(event.key):
            event.stop()

    def tell(self, text: str) -> None:
        """Tell the person something in the status line, for a while."""
        self._bridge.act(on.Noticed(text))

    def on_status_line_told(self, event: StatusLine.Told) -> None:
        """A notice was there for long enough."""
        if self.state.notice == event.notice:
            self._bridge.act(on.Noticed(""))

    def action_help_quit(self) -> None:
        """Ctrl+C, which copies in some terminals and ends programs in others, does neither here."""
        key = next((key for key, name in self.keys.items() if name == "quit"), None)
        self.tell(f"{key_name(key) if key else '/quit'} quits. What you have typed is kept.")
