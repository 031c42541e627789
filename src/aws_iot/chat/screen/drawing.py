"""Drawing: the lines of a room's messages.

The first two columns are the gutter. Only the chat writes there, and a sender's line begins there. What people write
begins after it, so no message can imitate a sender, a mark of the chat, or another message.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from aws_iot.chat.model.posts import Delivery, Key, Post
from aws_iot.chat.model.state import Room
from aws_iot.chat.screen.steady import cut, kept_in_place, steady, width_of, wrap
from aws_iot.identities import short_identity
from aws_iot.text.labels import label

GUTTER = 2

GROUP_MINUTES = timedelta(minutes=5)
"""Messages of one sender within this time have one line with the name."""

MOST_LINES = 200
"""A longer message is cut on the screen."""

NAME_STYLES = tuple(
    Style(color=color, bold=True)
    for color in (
        "green",
        "yellow",
        "blue",
        "magenta",
        "cyan",
        "bright_green",
        "bright_blue",
        "bright_magenta",
    )
)
"""Not red, which means an error."""

PLAIN = Style()
DIM = Style(dim=True)
ERROR = Style(color="red", bold=True)
UNREAD = Style(color="red", bold=True)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the conversation, and the message that it belongs to."""

    strip: Strip
    key: Key | None = None


def name_style(identity: str) -> Style:
    """The style of an identity, the same on every machine. The name that it claims does not matter."""
    short = short_identity(identity)
    number = int(short, 16) if short else sum(identity.encode(errors="replace"))
    return NAME_STYLES[number % len(NAME_STYLES)]


def who(identity: str, name: str | None, columns: int) -> str:
    """The sender: the claimed name, `~`, and the start of the identity, in so many columns if possible."""
    short = short_identity(identity) or cut(label(identity), 16)
    shown = label(name, max(4, columns - len(short) - 1)) if name else ""
    return f"{kept_in_place(steady(shown))}~{short}"


class Drawing:
    """Makes the lines of a room. Those of a message are kept while neither it nor the width changes."""

    def __init__(self) -> None:
        self._columns = 0
        self._known: dict[Key, tuple[Post, bool, list[Line]]] = {}

    def lines(self, room: Room, columns: int, now: datetime) -> list[Line]:
        """All lines of the window of a room."""
        if columns != self._columns:
            self._columns, self._known = columns, {}
        known, self._known = self._known, {}
        lines: list[Line] = []
        before: Post | None = None
        for post in room.posts:
            is_new_day = before is None or _day(before) != _day(post)
            if is_new_day:
                lines.append(self._rule(_date(_day(post), now), DIM))
            is_first_unread = post.key == room.first_unread
            if is_first_unread:
                lines.append(self._rule("new", UNREAD))
            begins = is_new_day or is_first_unread or before is None or not _continues(before, post)
            entry = known.get(post.key)
            if entry is None or entry[0] is not post or entry[1] != begins:
                entry = (post, begins, [*self._post(post, begins=begins)])
            self._known[post.key] = entry
            lines += entry[2]
            before = post
        return lines

    def _rule(self, text: str, style: Style) -> Line:
        left = f"── {text} "
        return Line(
            Strip([Segment(cut(left + "─" * max(0, self._columns - width_of(left)), self._columns), style)])
        )

    def _post(self, post: Post, *, begins: bool) -> Iterable[Line]:
        key = post.key
        if begins:
            yield self._line(
                [(self._who(post), name_style(post.sender)), (f"  {_time(post.received)}", DIM)], key
            )
        if post.answered:
            yield self._line([("┃ ", DIM), (self._quote(post), DIM)], key)
        gutter = {Delivery.PENDING: ("○ ", DIM), Delivery.FAILED: ("! ", ERROR)}.get(
            post.delivery, ("  ", PLAIN)
        )
        for text in _texts(post, self._columns - GUTTER):
            style = DIM if post.is_deleted or post.delivery is Delivery.PENDING else PLAIN
            yield self._line([gutter, (text, style)], key)
            gutter = ("  ", PLAIN)
        if post.is_edited or post.reactions:
            yield self._line([("· ", DIM), (_marks(post), DIM)], key)
        if post.delivery is Delivery.FAILED:
            for text in _lines_of(f"not sent: {post.why}", self._columns - GUTTER):
                yield self._line([("! ", ERROR), (text, ERROR)], key)

    def _who(self, post: Post) -> str:
        return who(post.sender, post.name, min(40, self._columns - 7))

    def _quote(self, post: Post) -> str:
        answered = post.answered
        assert answered
        if not answered.sender:
            return cut("an earlier message, which is not in the history", self._columns - GUTTER)
        name = who(answered.sender, answered.name, 24)
        text = "(deleted)" if answered.text is None else steady(" ".join(answered.text.split()))
        return kept_in_place(cut(f"{name}: {text}", self._columns - GUTTER))

    def _line(self, parts: Sequence[tuple[str, Style]], key: Key | None) -> Line:
        return Line(Strip([Segment(text, style) for text, style in parts]), key)


def _texts(post: Post, columns: int) -> list[str]:
    if post.is_deleted:
        return ["(deleted)"]
    lines = _lines_of(post.text, columns)
    if len(lines) > MOST_LINES:
        return [*lines[: MOST_LINES - 1], f"… {len(lines) - MOST_LINES + 1:,} more lines"]
    return lines


def _lines_of(text: str, columns: int) -> list[str]:
    found = []
    for paragraph in text.replace("\r\n", "\n").rstrip("\n").split("\n"):
        shown = steady(paragraph)
        found += [kept_in_place(shown[start:end]) for start, end in wrap(shown, max(4, columns))]
        if len(found) > 10 * MOST_LINES:
            break
    return found


def _marks(post: Post) -> str:
    marks = ["edited"] if post.is_edited else []
    marks += [f"{kept_in_place(steady(label(one.text, 20)))} {len(one.senders)}" for one in post.reactions]
    return "  ".join(marks)


def _continues(before: Post, post: Post) -> bool:
    return (
        before.sender == post.sender
        and before.name == post.name
        and post.received - before.received < GROUP_MINUTES
    )


def _day(post: Post) -> date:
    return post.received.astimezone().date()


def _date(day: date, now: datetime) -> str:
    today = now.astimezone().date()
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A} {day.day} {day:%B %Y}"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone():%H:%M}"
