"""PlainChat: reads lines, runs commands, and prints what happens."""

import asyncio
import sys
import threading
from collections.abc import Callable, Sequence
from typing import TextIO

from aws_iot.chat.actions.base import Context
from aws_iot.chat.actions.desk import Desk
from aws_iot.chat.entry.keys import ACTIONS, UnknownCommand, parse
from aws_iot.chat.model import events as on
from aws_iot.chat.model.effects import Notify
from aws_iot.chat.model.posts import Post
from aws_iot.chat.plain.announcer import Announcer, thread
from aws_iot.chat.plain.lines import in_lines
from aws_iot.chat.text.slashes import message_of
from aws_iot.chat.text.steady import steady


class PlainChat:
    """The same state and actions as the screen's, on a terminal that only shows lines."""

    def __init__(
        self,
        context: Context,
        begin: Callable[[], None],
        *,
        stdin: TextIO | None = None,
        write: Callable[[str], object] | None = None,
    ) -> None:
        """`begin` starts the threads. `write` prints a line."""
        self._bridge = context.bridge
        self._begin = begin
        self._input = threading.Thread(
            target=self._read, args=(stdin or sys.stdin,), name="input", daemon=True
        )
        self._done: asyncio.Future[None] | None = None
        self._write = write or print
        self._announcer = Announcer()
        self._put_back = 0
        self._question: Callable[[str], None] | None = None
        self._begun = ""
        """The lines of a message that goes on with the next one."""
        self._desk = Desk(self, context)

    def run(self) -> None:
        """Until the person quits, or the input ends."""
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._done = asyncio.get_running_loop().create_future()
        self._begin()
        self.tell("Type a message and press Enter. /help lists the commands.")
        self._begin_reading()
        await self._done

    def _begin_reading(self) -> None:
        """Read the first line once a room is open: it may be a message."""
        if self._done and self._bridge.state.current and self._input.ident is None:
            self._input.start()

    def _read(self, stdin: TextIO) -> None:
        assert self._done
        loop = self._done.get_loop()
        for line in stdin:
            loop.call_soon_threadsafe(self.enter, line.rstrip("\n"))
        loop.call_soon_threadsafe(self.quit)

    def draw(self) -> None:
        """Print what is new."""
        for line in self._announcer.lines(self._bridge.state):
            self._write(line)
        count, text = self._bridge.state.sending.put_back
        if count != self._put_back:
            self._put_back = count
            self._write("Taken back, to be entered again:" + in_lines(f"\n{text}"))
            self.load_draft()
        self._begin_reading()

    def alert(self, notification: Notify) -> None:
        """Tell about a message in another room."""
        self._write(f"{steady(notification.title)}: {steady(notification.text)}")

    def enter(self, line: str) -> None:
        """The person has entered a line."""
        self._bridge.carry_out_event(on.Pressed())
        if self._question:
            answer, self._question = self._question, None
            answer(line.strip())
            return
        line, self._begun = self._begun + line, ""
        if line.endswith("\\"):
            self._begun = f"{line[:-1]}\n"
            return
        try:
            command = parse(line)
        except UnknownCommand as error:
            self.tell(str(error))
            return
        if command:
            self._desk.run(command.action.name, command.argument)
        elif line.strip():
            self._desk.messages.send(message_of(line).rstrip())

    # -- what actions need

    def tell(self, text: str) -> None:
        """Print it. Nothing has to be removed later."""
        self._write(steady(text))

    def keep_draft(self) -> None:
        """The terminal has what is typed, until Enter."""

    def clear_draft(self) -> None:
        """The terminal has what is typed. No command leads here."""

    def load_draft(self) -> None:
        """What the next line answers or replaces is told instead."""
        room = self._bridge.state.rooms.get(self._bridge.state.current)
        aim = room.draft.aim if room else None
        if aim:
            what = "edits" if aim.kind else "replies to"
            self._write(f"Your next line {what}: {steady(aim.about.text or 'an earlier message')}")

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        """Ask, and take the next line for the answer."""
        self._question = lambda line: then() if line.lower() in ("y", "yes") else self.tell("Cancelled.")
        self._write(f"{' '.join(map(steady, question.split(chr(10))))} (y/n)")

    def choose(self, question: str, choices: Sequence[str], then: Callable[[int], None]) -> None:
        """Print what there is, and take the next line for the number."""

        def answered(line: str) -> None:
            if line.isdecimal() and 1 <= int(line) <= len(choices):
                then(int(line) - 1)
            else:
                self.tell("Cancelled.")

        self._question = answered
        for number, choice in enumerate(choices, 1):
            self._write(f"{number}. {steady(choice)}")
        self._write(f"{steady(question)} (1-{len(choices)})")

    def search(self, text: str, room: str | None) -> None:
        """Search, and print what is found."""
        if text:
            self._bridge.act(on.Searched(text, room))
        else:
            self.tell("Which words? /find WORDS or /search WORDS")

    def scroll(self, pages: int) -> None:
        """Print older or newer messages, and have more of them read if the window has no more."""
        state, reader = self._bridge.state, self._announcer.reader
        if state.current not in state.rooms:
            return
        for line in reader.older(state) if pages < 0 else reader.newer(state):
            self._write(line)
        is_at_end = pages > 0 and reader.is_at_end
        self._bridge.act(on.Scrolled(is_at_end, near_top=pages < 0, near_end=pages > 0))

    def show_newest(self) -> None:
        """Print the newest messages, unless they were printed already."""
        if self._announcer.reader.is_at_end:
            self.tell("The newest message was printed already.")
        self._bridge.act(on.Jumped())

    def show_thread(self, post: Post) -> None:
        """Print the messages of the thread: nothing is hidden here."""
        for line in thread(self._bridge.state, post):
            self._write(line)

    def toggle_panel(self, name: str) -> None:
        """There are no panels."""
        self.tell(f"There are no panels here. /{'rooms' if name == 'rooms' else 'who'} prints them.")

    def copy(self, text: str) -> None:
        """Print the whole text, to be copied. No line of it can pass for one of the chat."""
        self._write("The text:" + in_lines(f"\n{text}"))

    def open_link(self, link: str) -> None:
        """Open a link in the browser."""
        from aws_iot.chat.actions.browser import open_link

        open_link(link, lambda program: program(), lambda text: self._bridge.tell(on.Noticed(text)))

    def redraw(self) -> None:
        """Nothing that was printed is drawn again."""

    def show_help(self) -> None:
        """Print the commands."""
        for action in ACTIONS:
            if action.slash:
                self._write(f"{f'/{action.slash} {action.usage}'.rstrip()}: {action.help}")

    def show_palette(self) -> None:
        """The commands are the list."""
        self.show_help()

    def edit_draft(self, edit: Callable[[str], str]) -> None:
        """Write a message in the editor, and send it."""
        if text := edit(""):
            self._desk.messages.send(text)

    def stop(self) -> None:
        """The terminal does it at Ctrl+Z. No command leads here."""

    def quit(self) -> None:
        """End the chat."""
        if self._done and not self._done.done():
            self._done.set_result(None)
