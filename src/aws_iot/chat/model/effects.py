"""Effects: what is to be done after an event. The threads in `parts` do it.

They are not frozen, which would take twice as long at start-up.
"""

from dataclasses import dataclass
from datetime import datetime

from aws_iot.chat.model.events import Part
from aws_iot.chat.model.state import Draft
from aws_iot.messaging.kinds import Sign


@dataclass(slots=True)
class ReadRooms:
    """Read which rooms the history has."""


@dataclass(slots=True)
class ReadLast:
    """Read the last page of a room."""

    room: str


@dataclass(slots=True)
class ReadUnread:
    """Read the unread messages of a room, to know whether they mention the person."""

    room: str


@dataclass(slots=True)
class ReadNext:
    """Read the older or newer page that follows a message, by its place in the history if that is known.

    Otherwise by its time (`edge`): so many messages of that millisecond are there already.
    """

    room: str
    part: Part
    edge: datetime
    overlap: int = 0
    at: int | None = None


@dataclass(slots=True)
class ReadPost:
    """Read a message again."""

    room: str
    id: str


@dataclass(slots=True)
class ReadTarget:
    """Read the message again to which the reaction or edit with this ID belongs."""

    room: str
    ref: str


@dataclass(slots=True)
class ReadAround:
    """Read the page around a message, by its place in the history or its ID, or around a moment."""

    room: str
    at: int | None = None
    ref: str = ""
    moment: datetime | None = None


@dataclass(slots=True)
class ReadVersions:
    """Read the texts that a message has had."""

    room: str
    ref: str


@dataclass(slots=True)
class Search:
    """Search, in one room or (None) in all."""

    text: str
    room: str | None


@dataclass(slots=True)
class TakeBack:
    """Delete the reactions of your own that count as this text, the first one by a message with this ID."""

    room: str
    ref: str
    text: str
    id: str


@dataclass(slots=True)
class Notify:
    """Tell the person about a message, by the bell and the desktop as they have set it."""

    room: str
    title: str
    text: str


@dataclass(slots=True)
class Rename:
    """Send under this name from now on, and save it."""

    name: str


@dataclass(slots=True)
class Export:
    """Write the messages of a room to a new file."""

    room: str
    path: str


@dataclass(slots=True)
class SaveLevels:
    """Save for which messages of which rooms the person is told."""

    levels: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class SaveHidden:
    """Save which panels the person has hidden."""

    panels: tuple[str, ...]


@dataclass(slots=True)
class SaveAliases:
    """Save your own names for identities."""

    aliases: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class MarkRead:
    """Everything in the room up to this time was read."""

    room: str
    until: datetime


@dataclass(slots=True)
class Send:
    """Save a message, and send it as soon as there is a connection. For `kind` and `re`, see `Message`."""

    room: str
    text: str
    id: str
    kind: str | None = None
    re: str | None = None


@dataclass(slots=True)
class Withdraw:
    """Send a message no longer, if nobody has given it to the broker."""

    id: str


@dataclass(slots=True)
class Announce:
    """Tell a room about the person, if there is a connection. It is not saved.

    The first one on a connection shows whether the person may write there.
    """

    room: str
    sign: Sign
    is_first: bool = False


@dataclass(slots=True)
class Join:
    """Receive the messages of a room."""

    room: str


@dataclass(slots=True)
class Leave:
    """Receive them no longer."""

    room: str


@dataclass(slots=True)
class Reconnect:
    """Try at once to connect again."""


@dataclass(slots=True)
class SaveDraft:
    """Save what was not sent yet."""

    room: str
    draft: Draft


@dataclass(slots=True)
class SaveRooms:
    """Save which rooms to join next time, and which one is open."""

    rooms: tuple[str, ...]
    current: str


@dataclass(slots=True)
class FailedMessage:
    """A message that was not sent, and why. `about` is the one that it answers or replaces, if any, by `ref`."""

    room: str
    text: str
    id: str
    why: str
    about: str = ""
    is_edit: bool = False


@dataclass(slots=True)
class SaveFailed:
    """Save the messages that were not sent, so that they survive the end of the program."""

    messages: tuple[FailedMessage, ...]


Effect = (
    ReadRooms
    | ReadLast
    | ReadUnread
    | ReadNext
    | ReadPost
    | MarkRead
    | Send
    | Withdraw
    | Join
    | Leave
    | Reconnect
    | SaveDraft
    | SaveRooms
    | SaveFailed
    | ReadAround
    | ReadTarget
    | ReadVersions
    | Search
    | TakeBack
    | SaveAliases
    | SaveHidden
    | SaveLevels
    | Rename
    | Export
    | Notify
    | Announce
)
