"""Dialogs: a question, the help, and the list of actions."""

from __future__ import annotations  # so that what only types need is not imported

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, ClassVar, Protocol, cast

from textual.app import ComposeResult
from textual.binding import Binding
from textual.command import DiscoveryHit, Hit, Hits, Provider
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.events import Click, Key
from textual.screen import ModalScreen
from textual.widgets import Static

from aws_iot.chat.entry.keys import ACTIONS, Action, key_name, keys_of
from aws_iot.chat.screen.drawing import PLAIN
from aws_iot.chat.screen.panels import OPEN, Lines
from aws_iot.chat.text.steady import cut, steady
from aws_iot.text.labels import label

if TYPE_CHECKING:
    from aws_iot.chat.model.state import State

_FIRST = 1e6
"""The score of a room whose name has what was typed. Those of actions are far below."""

_LARGEST = 76
_LEAST_HELP = 30
"""In fewer columns beside the keys, the help of an action would be hard to read. Then it is below them."""

_SIZE = f"width: 90%; max-width: {_LARGEST}; height: auto; max-height: 90%; border: solid ansi_blue; padding: 0 1;"


class Question(ModalScreen[bool]):
    """Asks whether to do something. Enter does it, Escape does not."""

    BINDINGS: ClassVar = [
        Binding("enter,y", "answer(True)", show=False),
        Binding("escape,n,ctrl+q", "answer(False)", show=False),
    ]
    DEFAULT_CSS = f"Question {{ align: center middle; }} Question Static {{ {_SIZE} }}"

    def __init__(self, text: str) -> None:
        super().__init__()
        self._text = text

    def compose(self) -> ComposeResult:
        """The question, for Textual."""
        yield Static(f"{self._text}\n\nEnter: yes   Esc: no", markup=False)

    def action_answer(self, answer: bool) -> None:
        """The person has answered."""
        self.dismiss(answer)


class Choice(ModalScreen[int | None]):
    """Offers a few things, of which the person chooses one by its number, by the arrows and Enter, or by a click."""

    BINDINGS: ClassVar = [
        Binding("escape,ctrl+q", "close", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("down", "move(1)", show=False),
        Binding("enter", "choose", show=False),
    ]
    DEFAULT_CSS = f"Choice {{ align: center middle; }} Choice Vertical {{ {_SIZE} }}"

    def __init__(self, question: str, choices: Sequence[str]) -> None:
        super().__init__()
        self._question, self._choices = question, choices
        self._at = 0
        self._list = Lines("choices")

    def compose(self) -> ComposeResult:
        """The list, for Textual."""
        with Vertical():
            yield Static(f"{self._question} Enter chooses, Esc closes.\n", markup=False)
            yield self._list

    def on_resize(self) -> None:
        """Draw the list as wide as it is."""
        self._list.styles.height = max(1, min(len(self._choices), self.app.size.height - 8))
        self.call_after_refresh(self._draw)

    @property
    def _first(self) -> int:
        height = max(1, self._list.size.height)
        return max(0, min(self._at - height // 2, len(self._choices) - height))

    def _draw(self) -> None:
        columns, first = self._list.size.width, self._first
        shown = [*enumerate(self._choices)][first : first + max(1, self._list.size.height)]
        self._list.show(
            [
                [(cut(f"{at + 1}. {steady(one)}", columns), OPEN if at == self._at else PLAIN)]
                for at, one in shown
            ]
        )

    def on_key(self, event: Key) -> None:
        """A number chooses at once."""
        if event.character and event.character in "123456789" and int(event.character) <= len(self._choices):
            self.dismiss(int(event.character) - 1)

    def on_click(self, event: Click) -> None:
        """Choose what was clicked."""
        if self._list.region.contains(event.screen_x, event.screen_y):
            self.dismiss(self._first + event.screen_y - self._list.region.y)

    def action_move(self, by: int) -> None:
        """To another one."""
        self._at = (self._at + by) % len(self._choices)
        self._draw()

    def action_choose(self) -> None:
        """The person has chosen."""
        self.dismiss(self._at)

    def action_close(self) -> None:
        """Choose nothing."""
        self.dismiss(None)


class Help(ModalScreen[None]):
    """The keys and commands."""

    BINDINGS: ClassVar = [Binding("escape,f1,q,enter,ctrl+q", "close", show=False)]
    DEFAULT_CSS = (
        f"Help {{ align: center middle; }} Help VerticalScroll {{ {_SIZE} }} Help Static {{ height: auto; }}"
    )

    def __init__(self, keys: Mapping[str, str]) -> None:
        """`keys` has the action of each key."""
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The text, for Textual."""
        with VerticalScroll():
            width = min(self.app.size.width * 9 // 10, _LARGEST)
            yield Static(
                help_text(self._keys, width - 6), markup=False
            )  # without border, padding and scroll bar

    def action_close(self) -> None:
        """Back to the chat."""
        self.dismiss(None)


def help_text(keys: Mapping[str, str], columns: int) -> str:
    """The keys and commands as text."""
    width = max(len(_how(action, keys)) for action in ACTIONS)
    lines = [
        "Enter sends. Shift+Enter, Alt+Enter, Ctrl+J, or a \\ at the end of the line begins a new line.",
        "Tab completes commands, rooms, names and :emoji. Up in an empty input brings back what you have entered.",
    ]
    for group, actions in groupby(ACTIONS, lambda action: action.group):
        lines += ["", group]
        for action in actions:
            lines += _entry(_how(action, keys), action.help, width, columns)
    lines += [
        "",
        "To copy with the mouse, hold Shift (on macOS Option or Fn) while you drag it.",
        "Esc closes this help.",
    ]
    return "\n".join(lines)


def _entry(how: str, what: str, width: int, columns: int) -> list[str]:
    from textwrap import wrap

    if columns - width - 4 < _LEAST_HELP:
        return [f"  {how}", *wrap(what, max(20, columns), initial_indent="    ", subsequent_indent="    ")]
    first, *rest = wrap(what, columns - width - 4)
    return [f"  {how.ljust(width)}  {first}", *(" " * (width + 4) + line for line in rest)]


def _how(action: Action, keys: Mapping[str, str]) -> str:
    slash = f"/{action.slash} {action.usage}".rstrip() if action.slash else ""
    return "  ".join(filter(None, [slash, *map(key_name, keys_of(action, keys))]))


class ListedChat(Protocol):
    """What the list needs of the chat."""

    keys: Mapping[str, str]
    """The action of each key."""

    @property
    def state(self) -> State:
        """What is drawn."""
        ...

    def open_room(self, room: str) -> None:
        """Open a room that the person has chosen from a list."""
        ...


class ActionProvider(Provider):
    """Offers the actions of the table, and the rooms that fit what is typed.

    An action that needs an argument puts its command into the input.
    """

    async def discover(self) -> Hits:
        """All actions, before anything is typed."""
        for action in ACTIONS:
            yield DiscoveryHit(
                self._title(action), partial(self.app.call_later, self._run, action), help=None
            )

    async def search(self, query: str) -> Hits:
        """Those that fit what was typed."""
        matcher = self.matcher(query)
        for action in ACTIONS:
            title = self._title(action)
            if (score := matcher.match(title)) > 0:
                yield Hit(score, matcher.highlight(title), partial(self.app.call_later, self._run, action))

        for room in self._chat.state.room_names():
            title = f"Open the room {steady(label(room, _LARGEST))}"  # not highlighted: that would read markup in it
            score, at = matcher.match(title), room.casefold().find(query.casefold())
            if at >= 0:
                score = _FIRST - at
            if score > 0:
                yield Hit(score, Content(title), partial(self.app.call_later, self._open, room))

    @property
    def _chat(self) -> ListedChat:
        return cast("ListedChat", self.app)

    async def _open(self, room: str) -> None:
        self._chat.open_room(room)

    async def _run(self, action: Action) -> None:
        await self.app.run_action(f"choose('{action.name}')")

    def _title(self, action: Action) -> str:
        slash = [f"/{action.slash}"] if action.slash else []
        keys = map(key_name, keys_of(action, self._chat.keys))
        how = ", ".join([*slash, *keys])
        return f"{action.help[0].upper()}{action.help[1:]}" + (f" ({how})" if how else "")
