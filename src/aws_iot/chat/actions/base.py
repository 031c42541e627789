"""Actions: what those of every subject need."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING, NamedTuple, Protocol

from aws_iot.chat.model import events as on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aws_iot.chat.bridge import Bridge
    from aws_iot.chat.model.posts import Post


class Stage(Protocol):
    """What the screen does for actions."""

    def tell(self, text: str) -> None:
        """Tell the person something in the status line, for a while."""
        ...

    def keep_draft(self) -> None:
        """The state has what was typed so far."""
        ...

    def clear_draft(self) -> None:
        """Empty the input, so that what was there can be brought back."""
        ...

    def load_draft(self) -> None:
        """The input has the draft of the state."""
        ...

    def confirm(self, question: str, then: Callable[[], None]) -> None:
        """Ask a question, and call the function if the answer is yes."""
        ...

    def choose(self, question: str, choices: Sequence[str], then: Callable[[int], None]) -> None:
        """Let the person choose, and call the function with the index of the choice."""
        ...

    def search(self, text: str, room: str | None) -> None:
        """Let the person search, in a room or (None) in all, and go to what they choose."""
        ...

    def scroll(self, pages: int) -> None:
        """Scroll the conversation; upwards if negative."""
        ...

    def show_newest(self) -> None:
        """Go to the newest message."""
        ...

    def toggle_panel(self, name: str) -> None:
        """Hide or show a panel."""
        ...

    def show_thread(self, post: Post) -> None:
        """Show the replies in the thread of a message, or hide them."""
        ...

    def copy(self, text: str) -> None:
        """Give a text to the clipboard of the terminal."""
        ...

    def open_link(self, link: str) -> None:
        """Open a link in the browser."""
        ...

    def redraw(self) -> None:
        """Draw the whole screen again."""
        ...

    def show_help(self) -> None:
        """Show the keys and commands."""
        ...

    def show_palette(self) -> None:
        """Show the list of actions."""
        ...

    def edit_draft(self, edit: Callable[[str], str]) -> None:
        """Give the terminal to an editor, which changes the draft."""
        ...

    def stop(self) -> None:
        """Give the terminal back to the shell, until the shell continues the chat."""
        ...

    def quit(self) -> None:
        """End the chat."""
        ...


class Context(NamedTuple):
    """What actions use. `doubt` tells why the name of a room is probably wrong."""

    bridge: Bridge
    now: Callable[[], datetime]
    new_id: Callable[[], str]
    doubt: Callable[[str], str | None]


class Actions:
    """Turns what a person wants into events. Each method `do_…` gets what follows its slash command."""

    def __init__(self, app: Stage, context: Context) -> None:
        self.app = app
        self.bridge, self.now, self.new_id, self.doubt = context
        self.doubtful = ""
        """The name that was doubted last."""

    def send(self, text: str) -> None:
        """Send a text to the open room."""
        room = self.bridge.state.current
        if room:
            self.bridge.act(on.Submitted(room, text, self.new_id(), self.now()))
