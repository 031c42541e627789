"""Events: everything that can happen in the chat. Each has a reducer in `reducer.py`.

They are not frozen, which would take twice as long at start-up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from aws_iot.chat.model.posts import Key, Post
from aws_iot.chat.model.state import Place, Places, Status
from aws_iot.messaging.message import Message


class Part(Enum):
    """Which part of a room's history a page is."""

    LAST = "last"
    OLDER = "older"
    NEWER = "newer"
    AROUND = "around"


@dataclass(slots=True)
class RoomFound:
    """A room of the history: how many messages are unread, and when the last one arrived."""

    room: str
    unread: int
    last: datetime


@dataclass(slots=True)
class RoomsFound:
    """The rooms of the history were read."""

    rooms: Sequence[RoomFound]


@dataclass(slots=True)
class UnreadRead:
    """The newest unread messages of a room were read from the history. The window does not get them."""

    room: str
    posts: Sequence[Post]


@dataclass(slots=True)
class PageRead:
    """A page of a room was read from the history, oldest first.

    `is_end` tells that the history has nothing further in that direction. `unread` is how many of the room's messages
    are unread, if the page is the last. `target` is the post that was asked for, if the page is around one. `edge` is
    the time from which an older or newer page was asked for. If the window begins or ends elsewhere by now, the page
    does not belong there.
    """

    room: str
    part: Part
    posts: Sequence[Post]
    is_end: bool
    unread: int = 0
    unread_since: datetime | None = None
    target: Key | None = None
    has_newer: bool = False
    edge: datetime | None = None


@dataclass(slots=True)
class PageFailed:
    """A page of a room could not be read."""

    room: str


@dataclass(slots=True)
class PostRead:
    """A message was read again, because something has changed it."""

    post: Post


@dataclass(slots=True)
class NotFound:
    """What was asked for is not in the history; the text tells it."""

    text: str


@dataclass(slots=True)
class Found:
    """A search has ended: what it has found, the newest first, or why it could not. For `places`, see `Results`."""

    text: str
    room: str | None
    posts: Sequence[Post]
    error: str = ""
    places: Sequence[Places] = ()


@dataclass(slots=True)
class VersionsRead:
    """The texts that a message has had were read."""

    key: Key
    texts: Sequence[str]


@dataclass(slots=True)
class Received:
    """Messages arrived, and are saved."""

    messages: Sequence[Message]


@dataclass(slots=True)
class Missed:
    """What was sent to a room in this time may never arrive."""

    room: str
    since: datetime
    until: datetime


@dataclass(slots=True)
class Sensed:
    """Messages of the kind `presence` arrived. They are not saved."""

    messages: Sequence[Message]


@dataclass(slots=True)
class AnnounceFailed:
    """The broker does not let the person write in a room, or has ended the connection instead."""

    room: str


@dataclass(slots=True)
class Ticked:
    """Some seconds have passed. `at` is of a clock that never goes back, and `chance` random, from 0 up to 1."""

    at: float
    chance: float


@dataclass(slots=True)
class StatusChanged:
    """The connection has another state."""

    status: Status


@dataclass(slots=True)
class RetryPlanned:
    """When the next attempt to connect is made; None if none waits for its time."""

    at: datetime | None


@dataclass(slots=True)
class RoomsJoined:
    """The broker sends the messages of these rooms from now on."""

    rooms: Sequence[str]


@dataclass(slots=True)
class JoinFailed:
    """The broker does not send the messages of this room."""

    room: str
    why: str


@dataclass(slots=True)
class Unsent:
    """A message of an earlier run, or of another program, is still to be sent."""

    id: str
    room: str
    text: str
    at: datetime
    kind: str | None = None
    re: str | None = None


@dataclass(slots=True)
class Acknowledged:
    """The broker has acknowledged a message."""

    id: str


@dataclass(slots=True)
class SendFailed:
    """A message was not sent."""

    id: str
    why: str
    at: datetime


@dataclass(slots=True)
class Withdrawn:
    """A message that was not given to the broker is no longer sent. Its text becomes the draft."""

    id: str
    room: str
    text: str


class Subject(Enum):
    """What may not work for a while."""

    MESSAGES = "messages"
    DRAFTS = "drafts"
    HISTORY = "history"
    OUTBOX = "outbox"
    OTHER = "other"


@dataclass(slots=True)
class Warned:
    """Something does not work from now on, such as saving messages; an empty text tells that it works again."""

    text: str
    subject: Subject = Subject.OTHER


# -- what the person does


@dataclass(slots=True)
class Submitted:
    """The person sends a text to a room, with this ID, at this time."""

    room: str
    text: str
    id: str
    at: datetime


@dataclass(slots=True)
class Reacted:
    """The person reacts to the post, or takes that reaction back."""

    post: Post
    text: str
    id: str


@dataclass(slots=True)
class Deleted:
    """The person deletes a message of their own."""

    post: Post
    id: str


@dataclass(slots=True)
class Aimed:
    """The draft now answers or replaces a post, or (None) neither."""

    kind: str | None
    post: Post | None


@dataclass(slots=True)
class Selected:
    """The person has selected a post of the open room, or (None) none. `reveals`: it is to be on the screen."""

    key: Key | None
    reveals: bool = False


@dataclass(slots=True)
class Went:
    """The person goes to a post that may not be in the window, or to a moment."""

    room: str
    post: Post | None = None
    ref: str = ""
    moment: datetime | None = None


@dataclass(slots=True)
class WentToUnread:
    """The person goes to the first unread message of the open room."""


@dataclass(slots=True)
class Searched:
    """The person searches, in one room or (None) in all; an empty text ends the search."""

    text: str
    room: str | None


@dataclass(slots=True)
class Folded:
    """The person hides or shows the replies of the thread of a post."""

    post: Post


@dataclass(slots=True)
class VersionsAsked:
    """The person wants to see the earlier texts of a post."""

    post: Post


@dataclass(slots=True)
class ReconnectAsked:
    """The person does not want to wait for the next attempt to connect."""


@dataclass(slots=True)
class PanelToggled:
    """The person hides or shows a panel, on a screen that is wide enough for it or not."""

    panel: str
    is_wide: bool


@dataclass(slots=True)
class PresenceSet:
    """The person chooses what others learn about them: see `presence.MODES`."""

    mode: str


@dataclass(slots=True)
class Pressed:
    """The person has pressed a key that does something."""


@dataclass(slots=True)
class Renamed:
    """The person wants another name; an empty one is the user name."""

    name: str


@dataclass(slots=True)
class Exported:
    """The person wants the messages of a room in a file."""

    room: str
    path: str


@dataclass(slots=True)
class LevelSet:
    """The person chooses for which messages of a room they are told."""

    room: str
    level: str


@dataclass(slots=True)
class Aliased:
    """The person gives an identity a name of their own; an empty one takes it away."""

    identity: str
    name: str


@dataclass(slots=True)
class Resent:
    """The person sends a failed message again."""

    room: str
    id: str


@dataclass(slots=True)
class Discarded:
    """The person gives up a message that was not sent. `to_draft`: its text becomes the draft, to be edited.

    One that waits always becomes the draft, unless it may have been sent meanwhile.
    """

    room: str
    id: str
    to_draft: bool = False


@dataclass(slots=True)
class Typed:
    """The draft of a room has changed."""

    room: str
    text: str


@dataclass(slots=True)
class RoomOpened:
    """The person opens a room. If it is not known, it is joined first.

    It is shown where they have left it, or (`at_end`) its newest messages are.
    """

    room: str
    at_end: bool = False


@dataclass(slots=True)
class RoomLeft:
    """The person leaves a room."""

    room: str


@dataclass(slots=True)
class Focused:
    """The terminal got or lost the focus."""

    is_focused: bool


@dataclass(slots=True)
class Scrolled:
    """The person has scrolled: whether the last message is now on the screen, and whether the top or end is near.

    `new_above`: the line of unread messages is above the screen, and has not been on it yet. `place` is what is at the
    top of the screen.
    """

    is_at_end: bool
    near_top: bool = False
    near_end: bool = False
    new_above: bool = False
    place: Place | None = None


@dataclass(slots=True)
class Jumped:
    """The person wants to see the newest messages of the open room."""


@dataclass(slots=True)
class Noticed:
    """The chat tells the person something; an empty text removes it."""

    text: str


Event = (
    RoomsFound
    | UnreadRead
    | PageRead
    | PageFailed
    | PostRead
    | Received
    | Missed
    | StatusChanged
    | RetryPlanned
    | ReconnectAsked
    | RoomsJoined
    | JoinFailed
    | Unsent
    | Acknowledged
    | SendFailed
    | Withdrawn
    | Warned
    | Submitted
    | Resent
    | Discarded
    | NotFound
    | Found
    | VersionsRead
    | Reacted
    | Deleted
    | Aimed
    | Selected
    | Went
    | WentToUnread
    | Searched
    | Folded
    | VersionsAsked
    | Aliased
    | LevelSet
    | Renamed
    | Exported
    | Typed
    | RoomOpened
    | RoomLeft
    | Focused
    | Scrolled
    | Jumped
    | Noticed
    | Sensed
    | Ticked
    | AnnounceFailed
    | PresenceSet
    | PanelToggled
    | Pressed
)
