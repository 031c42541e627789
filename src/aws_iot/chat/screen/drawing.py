"""Drawing: the lines of a room's messages.

The first two columns are the gutter. Only the chat writes there, and a sender's line begins there. What people write
begins after it, so no message can imitate a sender, a mark of the chat, or another message. A message begins below the
line of its sender, below a quote, or at a mark.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Self

from rich.segment import Segment
from rich.style import Style

from aws_iot.chat.model.attention import words_of
from aws_iot.chat.model.changes import by_message
from aws_iot.chat.model.gaps import Gap
from aws_iot.chat.model.posts import Answered, Delivery, Key, Post
from aws_iot.chat.model.state import MOST_PEOPLE, SHORTEST_WINDOW, Room, State
from aws_iot.chat.model.threads import folding
from aws_iot.chat.text.moments import are_on_one_day, between, span
from aws_iot.chat.text.people import who
from aws_iot.chat.text.pieces import MOST_LINES, Piece, pieces_of
from aws_iot.chat.text.steady import cut, one_line, steady, width_of
from aws_iot.identities import number_of
from aws_iot.text.labels import label
from aws_iot.text.visible import kept_in_place

GUTTER = 2

GROUP_MINUTES = timedelta(minutes=5)
"""Messages of one sender within this time have one line with the name."""

NOTHING_YET = "Your history begins here.\nType a message, and press Enter."

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
MENTION = Style(color="yellow", bold=True)
SELECTED = Style(color="blue", bold=True)
GAP = Style(color="yellow")

GAP_FRAME = 5
"""How many columns frame the text of a line, such as that of a gap: what is before it, and a blank with a dash."""


@dataclass(slots=True)
class Line:
    """A line of the conversation, and the message that it belongs to.

    It has no strip before it is on the screen: a strip is made of a dozen objects, and few lines are ever shown. It is
    not frozen, which would take longer for thousands of them.
    """

    segments: list[Segment]
    key: Key | None = None

    @property
    def text(self) -> str:
        return "".join(segment.text for segment in self.segments)


@lru_cache(maxsize=MOST_PEOPLE)
def name_style(identity: str) -> Style:
    """The style of an identity, the same on every machine. The name that it claims does not matter."""
    return NAME_STYLES[number_of(identity) % len(NAME_STYLES)]


@dataclass(frozen=True, slots=True)
class View:
    """What, besides the messages, decides how they look."""

    identity: str = ""
    words: re.Pattern[str] | None = None
    selected: Key | None = None
    folded: frozenset[str] = frozenset()
    aliases: Mapping[str, str] = field(default_factory=dict)
    versions: tuple[Key, tuple[str, ...]] | None = None
    changes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What waits to be done to messages, by `ref`."""

    @classmethod
    def of(cls, state: State) -> Self:
        """The view of a state."""
        return cls(
            state.me.identity,
            words_of(state),
            state.look.selected,
            frozenset(state.look.folded),
            dict(state.me.aliases),
            state.look.versions,
            by_message(state, state.room),
        )


class Drawing:
    """Makes the lines of a room. Those of a message are kept while nothing changes that they show."""

    def __init__(self) -> None:
        self._new: tuple[int, str, datetime | None] | None = None
        """Where the line of unread messages is, in which room, and since when it has unread messages."""
        self._seen: tuple[str, datetime | None] | None = None
        """The room and time of such a line that was on the screen."""
        self._columns = 0
        self._view = View()
        self._known: dict[Key, tuple[Post, tuple[object, ...], list[Line]]] = {}

    def lines(self, room: Room, columns: int, now: datetime, view: View) -> list[Line]:
        """All lines of the window of a room."""
        if columns != self._columns or view.aliases != self._view.aliases:
            self._columns, self._known = columns, {}
        self._view = view
        shown, hidden = folding(room.posts, view.folded)
        names: dict[str, str | None] = {}
        lines: list[Line] = []
        before: Post | None = None
        day: date | None = None
        is_marked = room.unread_since is None
        self._new = None
        gaps = room.gaps_among(shown)
        for index, post in enumerate(shown):
            gap = gaps.get(index)
            if gap:
                day = self._gap(lines, gap, day, now)
            key, day_before, day = post.key, day, _day_of(post.received)
            starts = day != day_before or gap is not None
            if day != day_before:
                lines.append(self._rule(_date(day, now), DIM))
            if not is_marked and self._is_unread(post, room.unread_since):
                is_marked = starts = True
                self._new = len(lines), room.name, room.unread_since
                lines.append(self._rule("new", UNREAD))
            if names.get(post.sender, post.name) != post.name:
                starts = True
                lines.append(self._renamed(post, names[post.sender]))
            names[post.sender] = post.name
            starts = starts or before is None or not _continues(before, post)
            waiting = view.changes.get(post.ref, ())
            looks = (starts, key == view.selected, hidden[post.ref], self._versions(key, post), waiting)
            entry = self._known.get(key)
            if entry is None or entry[0] is not post or entry[1] != looks:
                entry = self._known[key] = (post, looks, [*self._post(post, *looks)])
            lines += entry[2]
            before = post
        if last := gaps.get(len(shown)):
            self._gap(lines, last, day, now)
        self._forget(shown)
        return lines if lines or not room.is_empty else self._hint()

    def _gap(self, lines: list[Line], gap: Gap, day: date | None, now: datetime) -> date | None:
        """Add the line of a gap, below that of its day. If it has several, it names them itself."""
        if are_on_one_day(*gap) and day != (own := _day_of(gap.until)):
            day = own
            lines.append(self._rule(_date(day, now), DIM))
        forms = (
            f"messages {between(*gap)} may be missing",
            f"{span(*gap)}: messages may be missing",
            short := f"may be missing: {span(*gap)}",
        )
        fitting = (form for form in forms if width_of(form) <= self._columns - GAP_FRAME)
        lines.append(self._rule(next(fitting, short), GAP))
        return day

    def _hint(self) -> list[Line]:
        texts = _lines_of(NOTHING_YET, self._columns - GUTTER)
        return [self._line([("· ", DIM), (text, DIM)], None) for text in texts]

    def is_new_above(self, top: int, height: int) -> bool:
        """Whether the line of unread messages is above the lines that are on the screen, and was never among them."""
        if self._new is None:
            return False
        at = self._new[0]
        if top <= at < top + height:
            self._seen = self._new[1:]
        return at < top and self._new[1:] != self._seen

    def _forget(self, shown: Sequence[Post]) -> None:
        """Forget posts that have left the window, many at once: it takes as long as the window is."""
        if len(self._known) > len(shown) + SHORTEST_WINDOW:
            keys = {post.key for post in shown}
            self._known = {key: entry for key, entry in self._known.items() if key in keys}

    def _is_unread(self, post: Post, since: datetime | None) -> bool:
        return since is not None and post.received >= since and post.sender != self._view.identity

    def _versions(self, key: Key, post: Post) -> tuple[str, ...]:
        versions = self._view.versions
        return versions[1][:-1] if versions and versions[0] == key and post.is_edited else ()

    def _rule(self, text: str, style: Style) -> Line:
        left = f"── {text} "
        rule = left + "─" * max(0, self._columns - width_of(left))
        return Line([Segment(cut(rule, self._columns), style)])

    def _renamed(self, post: Post, before: str | None) -> Line:
        old, new = who(post.sender, before, 24), kept_in_place(steady(label(post.name or "", 24)))
        return self._rule(f"{old} is now {new}", DIM)

    def _post(
        self,
        post: Post,
        starts: bool,
        is_selected: bool,
        replies: int,
        versions: Sequence[str],
        waiting: Sequence[str],
    ) -> Iterable[Line]:
        key = post.key
        if starts:
            name = who(
                post.sender, self._view.aliases.get(post.sender, post.name), min(40, self._columns - 7)
            )
            yield self._line([(name, name_style(post.sender)), (f"  {_time(post.received)}", DIM)], key)
        if post.answered:
            ref = Style(dim=True, meta={"ref": post.answered.id})
            yield self._line([("┃ ", DIM), (self._quote(post.answered), ref)], key)
        text_gutter = ("▌ ", SELECTED) if is_selected else ("  ", PLAIN)
        begins_here = not (starts or post.answered or is_selected)
        gutter = {Delivery.PENDING: ("○ ", DIM), Delivery.FAILED: ("! ", ERROR)}.get(
            post.delivery, ("› ", DIM) if begins_here else text_gutter
        )
        style = DIM if post.is_deleted or post.delivery is Delivery.PENDING else PLAIN
        for piece in _pieces(post, self._columns - GUTTER):
            yield self._line([gutter, *self._styled(post, piece, style)], key)
            gutter = text_gutter
        for number, text in enumerate(versions, 1):
            for line in _lines_of(f"{number}. {text}", self._columns - GUTTER)[:MOST_LINES]:
                yield self._line([("· ", DIM), (line, DIM)], key)
        if post.is_edited or post.reactions:
            yield self._line([("· ", DIM), (cut(_marks(post), self._columns - GUTTER), DIM)], key)
        for text in waiting:
            shown = kept_in_place(cut(steady(one_line(text)), self._columns - GUTTER))
            yield self._line([("○ ", DIM), (shown, DIM)], key)
        if replies:
            count = "1 reply" if replies == 1 else f"{replies} replies"
            yield self._line([("▸ ", DIM), (count, DIM)], key)
        if post.delivery is Delivery.FAILED:
            for text in _lines_of(
                f"{'edit ' if post.replaces else ''}not sent: {post.why}", self._columns - GUTTER
            ):
                yield self._line([("! ", ERROR), (text, ERROR)], key)

    def _styled(self, post: Post, piece: Piece, style: Style) -> list[tuple[str, Style]]:
        """The text with links, and with what calls for your attention if others have written it."""
        parts = _linked(piece, style)
        if self._view.words is None or post.sender == self._view.identity:
            return parts
        styled: list[tuple[str, Style]] = []
        for part, look in parts:
            end = 0
            for found in self._view.words.finditer(part):
                styled += [(part[end : found.start()], look), (found[0], look + MENTION)]
                end = found.end()
            styled.append((part[end:], look))
        return styled

    def _quote(self, answered: Answered) -> str:
        if not answered.sender:
            return cut("an earlier message, which is not in the history", self._columns - GUTTER)
        name = who(answered.sender, self._view.aliases.get(answered.sender, answered.name), 24)
        text = "(deleted)" if answered.text is None else steady(one_line(answered.text))
        return kept_in_place(cut(f"{name}: {text}", self._columns - GUTTER))

    def _line(self, parts: Sequence[tuple[str, Style]], key: Key | None) -> Line:
        return Line([Segment(text, style) for text, style in parts], key)


def _linked(piece: Piece, style: Style) -> list[tuple[str, Style]]:
    if not piece.links:
        return [(piece.text, style)]
    parts, at = [], 0
    for start, end, link in piece.links:
        look = style + Style(underline=True, meta={"link": link})
        parts += [(piece.text[at:start], style), (piece.text[start:end], look)]
        at = end
    return [*parts, (piece.text[at:], style)]


def _pieces(post: Post, columns: int) -> list[Piece]:
    if post.is_deleted:
        return [Piece("(deleted)")]
    pieces = pieces_of(post.text, columns)
    if len(pieces) > MOST_LINES:
        more = len(pieces) - MOST_LINES + 1
        return [*pieces[: MOST_LINES - 1], Piece(f"… {more:,} more lines; /copy copies all")]
    return pieces


def _lines_of(text: str, columns: int) -> list[str]:
    return [piece.text for piece in pieces_of(text, columns)]


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


@lru_cache(maxsize=4_000)
def _day_of(moment: datetime) -> date:
    return moment.astimezone().date()


def _date(day: date, now: datetime) -> str:
    today = now.astimezone().date()
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A} {day.day} {day:%B %Y}"


def _time(moment: datetime) -> str:
    local = moment.astimezone()
    return f"{local.hour:02}:{local.minute:02}"
