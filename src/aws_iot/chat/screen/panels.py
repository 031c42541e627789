"""Panels: the rooms, the people, what is wrong, and the status line."""

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import zip_longest

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message as TextualMessage
from textual.strip import Strip
from textual.widget import Widget

from aws_iot.chat.model.attention import NONE
from aws_iot.chat.model.people import Listed, people_of
from aws_iot.chat.model.state import Draft, Joining, Link, Room, State, Status
from aws_iot.chat.screen.drawing import DIM, PLAIN, name_style
from aws_iot.chat.text.people import who
from aws_iot.chat.text.steady import cut, one_line, steady, width_of, wrap
from aws_iot.messaging.kinds import EDIT, Sign
from aws_iot.text.labels import label
from aws_iot.text.visible import kept_in_place

GOOD = Style(color="green")
BAD = Style(color="red", bold=True)
WAITING = Style(color="yellow")
OPEN = Style(reverse=True)
UNREAD = Style(bold=True)

_SIGNS = {
    Link.ONLINE: ("● ", GOOD),
    Link.STARTING: ("○ ", WAITING),
    Link.CONNECTING: ("○ ", WAITING),
    Link.LOST: ("○ ", WAITING),
}

_SHORT = {
    Link.STARTING: "starting",
    Link.CONNECTING: "connecting",
    Link.ONLINE: "online",
    Link.LOST: "reconnecting",
    Link.OFFLINE: "offline, retrying",
    Link.NOT_ACCEPTED: "not accepted yet",
    Link.SIGNED_OUT: "signed out",
    Link.WRONG_CLOCK: "wrong clock",
    Link.TAKEN_OVER: "taken over",
    Link.REJECTED: "rejected",
}

_PRESENT = {
    Sign.ONLINE: ("● ", GOOD),
    Sign.TYPING: ("… ", GOOD),
    Sign.IDLE: ("○ ", WAITING),
    None: ("  ", PLAIN),
}

_TRYING = (Link.LOST, Link.OFFLINE)
"""Of which the short form ends with what is done again."""

SHORTEST_COUNTDOWN = 2.0
"""In seconds, of a pause that is counted down. That is how often the line is drawn."""

MOST_TROUBLE_LINES = 6
MOST_NOTICE_LINES = 6

NOTICE_SECONDS = 8.0

Parts = Sequence[tuple[str, Style]]


class Lines(Widget):
    """A widget of lines, each of texts with styles. Nothing in them is markup."""

    def __init__(self, id_: str) -> None:
        super().__init__(id=id_)
        self._shown: list[Parts] = []

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join("".join(text for text, _ in parts) for parts in self._shown)

    def show(self, lines: Sequence[Parts]) -> None:
        """Draw those of these lines that are not there already."""
        before, self._shown = self._shown, [*lines]
        for y, (old, new) in enumerate(zip_longest(before, self._shown)):
            if old != new:
                self.refresh(Region(0, y, self.outer_size.width, 1))

    def render_line(self, y: int) -> Strip:
        """A line of the screen, for Textual."""
        columns = self.size.width
        if y >= len(self._shown):
            return Strip.blank(columns)
        strip = Strip([Segment(text, style) for text, style in self._shown[y]])
        return strip.adjust_cell_length(columns)


class RoomList(Lines):
    """The rooms, with the numbers of unread messages; `✎` is a draft, and muted ones are dim. A click opens one."""

    DEFAULT_CSS = """
    RoomList { width: 18; padding: 0 1; border-right: solid ansi_bright_black; background: transparent; }
    """

    class Chosen(TextualMessage):
        """The person has clicked a room."""

        def __init__(self, room: str) -> None:
            super().__init__()
            self.room = room

    def __init__(self) -> None:
        super().__init__("rooms")
        self._names: list[str] = []

    def shows(self, room: str) -> bool:
        """Whether a room is on the screen."""
        return self.display and room in self._names

    def show_rooms(self, state: State) -> None:
        """Draw the rooms, so many as fit, with the open one among them."""
        names = state.room_names()
        height, columns = max(1, self.size.height), max(4, self.size.width)
        at = names.index(state.current) if state.current in names else 0
        first = max(0, min(at - height // 2, len(names) - height))
        self._names = names[first : first + height]
        self.show(
            [
                self._line(
                    state.rooms[name],
                    columns,
                    is_open=name == state.current,
                    is_muted=state.me.levels.get(name) == NONE,
                )
                for name in self._names
            ]
        )

    def _line(self, room: Room, columns: int, *, is_open: bool, is_muted: bool) -> Parts:
        mark = "@" if room.mentions else ""
        count = f" {mark}{room.unread if room.unread < 1000 else '999+'}" if room.unread else ""
        if room.draft != Draft() and not is_open:
            count = f" ✎{count}"
        name = kept_in_place(cut(steady(label(room.name)), columns - len(count)))
        style = PLAIN if room.is_joined and not is_muted else DIM
        style = OPEN if is_open else UNREAD if room.unread and not is_muted else style
        blank = " " * max(0, columns - width_of(name) - len(count))
        return [(name, style), (blank, style), (count, style)]

    def on_click(self, event: events.Click) -> None:
        """Open the room."""
        if 0 <= event.y < len(self._names):
            self.post_message(self.Chosen(self._names[event.y]))


class PeopleList(Lines):
    """Who is in the room: `●` online, `○` idle, `…` typing; then who has written there, with `?` until others tell."""

    DEFAULT_CSS = """
    PeopleList { width: 18; padding: 0; border-left: solid ansi_bright_black; background: transparent; }
    """

    def __init__(self) -> None:
        super().__init__("people")

    def show_people(self, state: State) -> None:
        """Draw the people of the open room."""
        columns, height = max(4, self.size.width), max(1, self.size.height)
        self.show([self._line(one, columns) for one in people_of(state, height)])

    def _line(self, one: Listed, columns: int) -> Parts:
        name = cut(who(one.identity, one.name, columns - 2), columns - 2)
        return [("? ", DIM) if one.is_unknown else _PRESENT[one.sign], (name, name_style(one.identity))]


class Trouble(Lines):
    """What is wrong with the connection, and what to do about it; nothing if all is well."""

    DEFAULT_CSS = "Trouble { height: auto; padding: 0 1; background: transparent; }"

    def __init__(self) -> None:
        super().__init__("trouble")

    def show_status(self, status: Status, warnings: Sequence[str], columns: int) -> None:
        """Draw the trouble."""
        lines: list[Parts] = []
        texts = [(status.what, BAD)] if status.what else []
        texts += [(line, PLAIN) for line in status.hint.splitlines()]
        texts += [(warning, WAITING) for warning in warnings]
        for text, style in texts:
            shown = steady(text)
            lines += [[(shown[start:end], style)] for start, end in wrap(shown, max(10, columns - 2))]
        lines = lines[:MOST_TROUBLE_LINES]
        self.display = bool(lines)
        self.styles.height = len(lines)
        self.show(lines)


class AimLine(Lines):
    """What the draft answers or replaces, above the input; nothing if it is a message of its own."""

    DEFAULT_CSS = "AimLine { height: 1; padding: 0 1; background: transparent; }"

    def __init__(self) -> None:
        super().__init__("aim")

    def show_aim(self, state: State, columns: int) -> None:
        """Draw the line."""
        aim = state.room.draft.aim
        self.display = aim is not None
        if aim:
            about = aim.about
            name = (
                who(about.sender, state.name_of(about.sender, about.name), 24)
                if about.sender
                else "a message"
            )
            what = "Edit" if aim.kind == EDIT else f"Reply to {name}"
            text = steady(one_line(about.text or ""))
            end = "  Esc: cancel"
            self.show([[(cut(f"{what}: {text}", columns - 2 - len(end)), WAITING), (end, DIM)]])


class StatusLine(Lines):
    """One line: the connection, the room, who you are, and what waits. A long notice has lines of its own above it."""

    DEFAULT_CSS = "StatusLine { height: 1; padding: 0 1; background: transparent; }"

    class Told(TextualMessage):
        """A notice was there for long enough."""

        def __init__(self, notice: str) -> None:
            super().__init__()
            self.notice = notice

    def __init__(self) -> None:
        super().__init__("status")
        self._notice = ""

    def _end_later(self, notice: str) -> None:
        if notice and notice != self._notice:
            self.set_timer(NOTICE_SECONDS, lambda: self.post_message(self.Told(notice)))
        self._notice = notice

    def show_state(self, state: State, columns: int, now: datetime, is_listed: Callable[[str], bool]) -> None:
        """Draw the line. What is least important is left out on a narrow screen.

        `is_listed` tells whether a room is in the list of rooms, with its unread messages.
        """
        self._end_later(state.notice)
        link = state.status.link
        sign, style = _SIGNS.get(link, ("✗ ", BAD))
        parts: list[tuple[str, Style]] = [(sign, style), (_link(state.status, now), style)]
        lines: list[Parts] = []
        if state.notice:
            notice = steady(state.notice)
            used = sum(width_of(text) for text, _ in parts) + 2
            if used + width_of(notice) > columns - 2:  # it is above the state, on lines of its own
                pieces = wrap(notice, max(10, columns - 2))
                if len(pieces) > MOST_NOTICE_LINES:
                    pieces = wrap(notice, max(10, columns - 4))[:MOST_NOTICE_LINES]
                    notice = f"{notice[: pieces[-1][1]]} …"
                    pieces[-1] = pieces[-1][0], len(notice)
                lines = [[(notice[start:end], WAITING)] for start, end in pieces]
            else:
                parts.append((f"  {notice}", WAITING))
        if lines or not state.notice:
            parts += self._parts(state, state.rooms.get(state.current), is_listed)
        lines.append(fitted(parts, columns - 2))
        self.styles.height = len(lines)
        self.show(lines)

    def _parts(self, state: State, room: Room | None, is_listed: Callable[[str], bool]) -> Parts:
        parts: list[tuple[str, Style]] = []
        if room:
            parts.append((f"  {kept_in_place(cut(steady(label(room.name)), 24))}", UNREAD))
            if room.joining is Joining.REFUSED:
                parts.append((" not joined", BAD))
            if state.look.is_new_above:
                parts.append(("  ↑ new: /unread", WAITING))
            if room.window.has_newer or not state.look.is_at_end:
                new = f" {room.unread} new" if room.unread else ""
                parts.append((f"  ↓{new}", WAITING))
            if room.failed:
                parts.append((f"  {len(room.failed)} not sent", BAD))
        if state.sending.waiting:
            parts.append((f"  {state.sending.waiting} waiting", WAITING))
        others = [one for one in state.rooms.values() if one is not room and one.unread]
        if unlisted := sum(one.unread for one in others if not is_listed(one.name)):
            parts.append((f"  {unlisted} unread", UNREAD))
        parts.append((f"  {who(state.me.identity, state.name, 30)}", DIM))
        parts.append(("  F1 help", DIM))
        return parts


def _link(status: Status, now: datetime) -> str:
    """The state of the connection, and how long the next attempt to connect is away if that is worth knowing."""
    short = _SHORT[status.link]
    seconds = (status.retry_at - now).total_seconds() if status.retry_at else 0.0
    if seconds < SHORTEST_COUNTDOWN:
        return short
    return (
        f"{short} in {seconds:.0f} s" if status.link in _TRYING else f"{short}, retrying in {seconds:.0f} s"
    )


def fitted(parts: Parts, columns: int) -> Parts:
    """As much of the texts as fits."""
    fitting: list[tuple[str, Style]] = []
    for text, style in parts:
        if columns <= 0:
            break
        shown = cut(text, columns)
        fitting.append((shown, style))
        columns -= width_of(shown)
    return fitting
