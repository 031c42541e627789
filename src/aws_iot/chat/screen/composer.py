"""Composer: where the person types. Enter sends, but never a pasted line break."""

import re
from collections.abc import Callable
from typing import ClassVar

from textual import events
from textual.binding import Binding
from textual.message import Message as TextualMessage
from textual.widgets import TextArea

from aws_iot.chat.entry.completion import Completion

LARGE_LINES = 20
LARGE_CHARACTERS = 4_000
"""A paste of more lines or characters asks first."""

NEWLINE_KEYS = ("shift+enter", "alt+enter", "ctrl+j", "ctrl+enter")

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Composer(TextArea):
    """A text of several lines. It is as high as it needs to be, up to a third of the screen."""

    DEFAULT_CSS = """
    Composer, Composer:focus { height: auto; max-height: 8; min-height: 1; padding: 0 1; background: transparent;
                               border: none; border-top: solid ansi_bright_black; }
    Composer.low, Composer.low:focus { border: none; }
    Composer .text-area--cursor { color: ansi_default !important;
                                   background: ansi_default !important; text-style: reverse; }
    """

    BINDINGS: ClassVar = [Binding("ctrl+underscore", "undo")]  # Ctrl+Z, Textual's key, stops the chat

    class LargePaste(TextualMessage):
        """The person has pasted much. It is not inserted yet."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(
        self,
        run_key: Callable[[str], bool],
        submit: Callable[[str], None],
        complete: Callable[[str], Completion],
        recall: Callable[[int, str], str | None],
    ) -> None:
        """`run_key` does what a key means to the chat, and returns whether it means something.

        `submit` gets the text when the person presses Enter, and empties the input at once if it is done with it.

        `complete` gets the line up to the cursor when they press Tab. `recall` gets 1 for Up and -1 for Down, and
        returns what was sent before.
        """
        self._run_key = run_key
        self._submit = submit
        self._complete = complete
        self._recall = recall
        self._cycle: tuple[Completion, int] | None = None
        super().__init__(soft_wrap=True, tab_behavior="focus", highlight_cursor_line=False)
        self.cursor_blink = False  # a terminal that redraws twice a second is never idle

    def load(self, text: str) -> None:
        """Replace the text, without an undo across rooms; the cursor is at its end."""
        if (text := clean(text)) != self.text:
            self.load_text(text)
            self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        """Every key is handled here, one after another.

        Textual would run bindings only after the event has bubbled up. By then, the next keys may have been inserted:
        a quick "abc", Backspace, "d" would become "abc".
        """
        if self._run_key(event.key):
            event.stop()
            event.prevent_default()
        elif event.key in NEWLINE_KEYS:
            event.stop()
            event.prevent_default()
            self.insert("\n")
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self._enter()
        elif event.key == "tab":
            event.stop()
            event.prevent_default()
            self._tab()
        elif event.key in ("up", "down") and self._recalled(1 if event.key == "up" else -1):
            event.stop()
            event.prevent_default()
        elif event.key == "ctrl+c" and not self.selected_text:
            pass  # the chat tells how to quit
        elif bindings := self._bindings.key_to_bindings.get(event.key):
            event.stop()
            event.prevent_default()
            await self.run_action(bindings[0].action)
        else:
            await super()._on_key(event)

    def _recalled(self, by: int) -> bool:
        """Show what was sent before, if the cursor is at that edge of the text; whether there is something."""
        row, _ = self.cursor_location
        if row != (0 if by > 0 else self.document.line_count - 1):
            return False
        text = self._recall(by, self.text)
        if text is None:
            return False
        self.load(text)
        return True

    def _tab(self) -> None:
        """Complete the word before the cursor; the next Tab shows the next candidate."""
        row, column = self.cursor_location
        line = self.document.get_line(row)[:column]
        found, at = self._cycle or (Completion(0, ()), 0)
        if found.candidates and line[found.start :] == found.candidates[at]:
            at = (at + 1) % len(found.candidates)
        else:
            found, at = self._complete(line), 0
        if found.candidates:
            self._cycle = found, at
            result = self.replace(found.candidates[at], (row, found.start), (row, column))
            self.move_cursor(result.end_location)

    def _enter(self) -> None:
        row, column = self.cursor_location
        if column and self.document.get_line(row)[column - 1] == "\\":
            self.replace("\n", (row, column - 1), (row, column))
            return
        self._submit(self.text)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        text = clean(event.text)
        if text.count("\n") >= LARGE_LINES or len(text) > LARGE_CHARACTERS:
            self.post_message(self.LargePaste(text))
        else:
            self.insert_text(text)

    def insert_text(self, text: str) -> None:
        """Insert at the cursor, in place of what is selected."""
        if result := self._replace_via_keyboard(text, *self.selection):
            self.move_cursor(result.end_location)


def clean(text: str) -> str:
    """A pasted text with line breaks of one kind, and without what could control a terminal."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
