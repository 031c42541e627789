"""Composer: where the person types. Enter sends, but never a pasted line break."""

import re
from collections.abc import Callable

from textual import events
from textual.message import Message as TextualMessage
from textual.widgets import TextArea

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
    """

    class LargePaste(TextualMessage):
        """The person has pasted much. It is not inserted yet."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, submit: Callable[[str], bool]) -> None:
        """`submit` gets the text when the person presses Enter, and returns whether it is done with it."""
        self._submit = submit
        super().__init__(soft_wrap=True, tab_behavior="focus", highlight_cursor_line=False)
        self.cursor_blink = False  # a terminal that redraws twice a second is never idle

    def load(self, text: str) -> None:
        """Replace the text, without an undo across rooms; the cursor is at its end."""
        if text != self.text:
            self.load_text(text)
            self.move_cursor(self.document.end)

    async def _on_key(self, event: events.Key) -> None:
        if event.key in NEWLINE_KEYS:
            event.stop()
            event.prevent_default()
            self.insert("\n")
        elif event.key == "enter":
            event.stop()
            event.prevent_default()
            self._enter()
        elif event.key != "tab":
            await super()._on_key(event)

    def _enter(self) -> None:
        row, column = self.cursor_location
        if column and self.document.get_line(row)[column - 1] == "\\":
            self.replace("\n", (row, column - 1), (row, column))
            return
        if self._submit(self.text):
            self.load("")  # at once: what is typed next must not be lost

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
