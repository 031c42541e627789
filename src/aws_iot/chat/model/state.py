"""State: everything that the chat shows, and nothing that it does not need to show it.

Only a window of each room's messages is in memory. The rest is in the history.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from aws_iot.chat.model.gaps import Gap, places
from aws_iot.chat.model.posts import Answered, Delivery, Key, Post
from aws_iot.chat.model.presence import Presence

PAGE = 100
"""How many messages are read from the history at once."""

LONGEST_WINDOW = 500
"""How many messages of the open room are in memory at the most, while its newest are shown."""

LONGEST_BROWSED = 1_500
"""The same while you read older ones."""

MOST_LATE = 1_000
"""How many messages may arrive while a page is read."""

SHORTEST_WINDOW = 100
"""How many messages of a room that is not open stay in memory."""

MOST_PEOPLE = 500
"""How many people of a room are remembered."""


class Link(Enum):
    """The state of the connection."""

    STARTING = "starting"
    CONNECTING = "connecting"
    ONLINE = "online"
    LOST = "lost"
    OFFLINE = "offline"
    NOT_ACCEPTED = "not accepted"
    SIGNED_OUT = "signed out"
    WRONG_CLOCK = "wrong clock"
    TAKEN_OVER = "taken over"
    REJECTED = "rejected"


class Joining(Enum):
    """Whether the broker sends the messages of a room."""

    ASKED = "asked"
    JOINED = "joined"
    REFUSED = "refused"


class Reading(Enum):
    """Whether a page of a room is read from the history. After a failure, it is tried again at the next tick."""

    IDLE = "idle"
    RUNNING = "running"
    RETURNING = "returning"
    """The page around the place where the person has left the room."""
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Status:
    """The connection: its state, what happened, and what you can do about it."""

    link: Link
    what: str = ""
    hint: str = ""
    retry_at: datetime | None = field(default=None, compare=False)
    """When the next attempt to connect is made, if one waits for its time."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has written in a room, by the name that they used last."""

    identity: str
    name: str | None
    last: datetime


@dataclass(frozen=True, slots=True)
class Aim:
    """The message that the draft answers (`kind` is None) or replaces (`edit`). `kept` is the text from before."""

    kind: str | None
    about: Answered
    kept: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is being written in a room. Without an aim, it is a message of its own."""

    text: str = ""
    aim: Aim | None = None


class Place(NamedTuple):
    """Where the person reads: the message at the top of the screen, and how many of its lines are above.

    `ref` and `at` are those of `Post`, once the room is no longer open.
    """

    key: Key
    lines: int
    ref: str = ""
    at: int | None = None


class Change(NamedTuple):
    """An edit, deletion or reaction of your own. `about` is the message that it changes, by `ref`.

    `text` is the new text or the reaction, also if that is deleted. `after` is the ID of the last message of yours in
    the room that was not sent by then.
    """

    kind: str
    room: str
    text: str
    about: str
    after: str | None = None


Places = Sequence[tuple[int, int]]
"""Where something is in a text: starts and ends, in order."""


@dataclass(frozen=True, slots=True)
class Results:
    """A search: in one room or (None) in all, what it has found, the newest first, or why it could not.

    `places` tells for each post where the words are in its text, put on one line.
    """

    text: str
    room: str | None
    posts: tuple[Post, ...] = ()
    error: str = ""
    is_running: bool = True
    places: tuple[Places, ...] = ()


@dataclass(slots=True)
class Window:
    """The messages of a room that are in memory: oldest first, your unsent messages last.

    `has_older` and `has_newer` tell that the history has messages before or after the window. While `has_newer`, what
    arrives is not added, but is in `late`: a page that reaches to the end may have been read before it arrived.
    """

    posts: list[Post] = field(default_factory=list)
    has_older: bool = True
    has_newer: bool = False
    is_loaded: bool = False
    reading: Reading = Reading.IDLE
    late: deque[Post] = field(default_factory=lambda: deque(maxlen=MOST_LATE))

    @property
    def has_end(self) -> bool:
        """Whether it reaches to the newest message, so that what arrives is added."""
        return self.is_loaded and not self.has_newer

    @property
    def is_whole(self) -> bool:
        """Whether the room has no other messages, as far as the history knows."""
        return self.has_end and not self.has_older


@dataclass(slots=True)
class Left:
    """What is remembered of a room that was left, or not joined yet."""

    draft: Draft = Draft()
    gaps: tuple[Gap, ...] = ()


@dataclass(slots=True)
class Room:
    """A room, and what of it the person has seen, written and joined."""

    name: str
    window: Window = field(default_factory=Window)
    unread: int = 0
    mentions: int = 0
    """How many of the unread messages mention you."""
    unread_since: datetime | None = None
    """When the first unread message arrived. The line of unread messages is above it, until you leave the room."""
    draft: Draft = Draft()
    gaps: tuple[Gap, ...] = ()
    """Where messages may be missing; the latest is the last. Each has a line among the messages."""
    joining: Joining = Joining.ASKED
    people: dict[str, Person] = field(default_factory=dict)
    place: Place | None = None
    """Where the person reads or has read; None at the end. The room is opened there."""

    @property
    def posts(self) -> list[Post]:
        """The messages that are in memory."""
        return self.window.posts

    @property
    def is_empty(self) -> bool:
        """Whether it has no messages, as far as anybody knows here."""
        return not self.posts and self.window.is_whole

    @property
    def is_joined(self) -> bool:
        """Whether the broker sends its messages."""
        return self.joining is Joining.JOINED

    def gaps_among(self, posts: Sequence[Post]) -> Mapping[int, Gap]:
        """The gaps among these posts of the window: see `places`."""
        return places(self.gaps, posts, has_older=self.window.has_older, has_newer=self.window.has_newer)

    @property
    def failed(self) -> list[Post]:
        """Your messages that were not sent."""
        return [post for post in self.posts if post.delivery is Delivery.FAILED]


@dataclass(slots=True)
class Me:
    """The person who chats, and what they have chosen for themselves."""

    identity: str
    username: str
    nick: str = ""
    """The name that travels with their messages, if it is not their user name."""
    keywords: tuple[str, ...] = ()
    """Words besides their name that call for their attention."""
    levels: dict[str, str] = field(default_factory=dict)
    """For which messages of a room they are told, if not for mentions; see `attention.py`."""
    aliases: dict[str, str] = field(default_factory=dict)
    """Their own names for identities."""


@dataclass(slots=True)
class Look:
    """What the person looks at."""

    is_focused: bool = True
    """Whether the terminal has the focus, as far as it tells."""
    is_at_end: bool = True
    """Whether the last message of the open room is on the screen."""
    is_new_above: bool = False
    """Whether the person should go up to the first unread message."""
    selected: Key | None = None
    """The post of the open room that commands are about."""
    reveals: int = 0
    """How often the selected post was to be brought to the screen."""
    returns: int = 0
    """How often the screen was to show the place of the open room."""
    folded: set[str] = field(default_factory=set)
    """The first messages of threads whose replies are hidden, by `ref`."""
    results: Results | None = None
    sought: str = ""
    """What was searched for last."""
    versions: tuple[Key, tuple[str, ...]] | None = None
    """The texts that a message has had."""
    hidden: set[str] = field(default_factory=set)
    """The panels that the person has hidden, on screens that are wide enough for them."""
    shown: set[str] = field(default_factory=set)
    """Those that they have shown on narrower screens, in this run."""

    def shows(self, panel: str, *, is_wide: bool) -> bool:
        """Whether a panel is on the screen. `is_wide`: the screen is wide enough for it."""
        return panel not in self.hidden if is_wide else panel in self.shown


@dataclass(slots=True)
class Sending:
    """What of your own is not acknowledged: how many messages, and each edit, deletion and reaction by its ID."""

    waiting: int = 0
    changes: dict[str, Change] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)
    """The IDs of what ended chats have left. Nobody has typed it here."""
    put_back: tuple[int, str] = 0, ""
    """How often a message became the draft again, and the text of the last one."""


@dataclass(slots=True)
class State:
    """The chat of one person."""

    me: Me
    rooms: dict[str, Room] = field(default_factory=dict)
    left: dict[str, Left] = field(default_factory=dict)
    """What is remembered of rooms that are not among `rooms`."""
    current: str = ""
    status: Status = Status(Link.STARTING)
    notice: str = ""
    """What the chat tells you for a while, or until you do something else."""
    warnings: dict[str, str] = field(default_factory=dict)
    """What does not work, by its subject, such as that messages are not saved."""
    look: Look = field(default_factory=Look)
    sending: Sending = field(default_factory=Sending)
    presence: Presence = field(default_factory=Presence)
    """Who is here, and what they know of you."""

    @property
    def room(self) -> Room:
        """The open room."""
        return self.rooms[self.current]

    @property
    def selected_post(self) -> Post | None:
        """The selected post, if it is in the window."""
        if self.look.selected is None or self.current not in self.rooms:
            return None
        return next((post for post in self.room.posts if post.key == self.look.selected), None)

    @property
    def name(self) -> str:
        """The name that travels with your messages."""
        return self.me.nick or self.me.username

    def known_room(self, name: str) -> Room:
        """The room of this name. If it is new, it has the draft that was begun there before, and its gaps."""
        if name not in self.rooms:
            left = self.left.pop(name, Left())
            self.rooms[name] = Room(name, draft=left.draft, gaps=left.gaps)
        return self.rooms[name]

    def name_of(self, identity: str, claimed: str | None) -> str | None:
        """What somebody is called here: by your alias, or by the name that they claim."""
        return self.me.aliases.get(identity, claimed)

    def room_names(self) -> list[str]:
        """The rooms as they are listed: in alphabetical order."""
        return sorted(self.rooms, key=lambda name: (name.casefold(), name))
