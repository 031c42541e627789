"""Presence: who is here, as far as their chats have told, and what this chat has told them.

Times are seconds of a clock that never goes back. The reducer learns them from `Ticked`.
"""

import math
from dataclasses import dataclass, field
from datetime import datetime

from aws_iot.messaging.kinds import Sign

OFF, ON, TYPING = MODES = ("off", "on", "typing")
"""What a chat tells about its person: nothing, whether they are here, or also whether they are typing."""

IDLE_SECONDS = 15 * 60.0
"""Without a key for so long, a person is idle."""

BEAT_SECONDS = 3600.0
"""How often a chat tells a room again that it is there."""

LIFE_SECONDS = 2 * BEAT_SECONDS + 600
"""How long a sign counts. A will names one room only; in the others, a chat that crashed is forgotten after that."""

ASK_SECONDS = 600.0
"""How often a chat asks a room at the most who is there. A connection may be lost time and again."""

MOST_ANSWERS = 10
"""How many people of a room are to answer, on average, if more than so many are there."""

ANSWER_SECONDS = (3.0, 60.0)
"""Answers are spread over so many seconds at least and at most: one for each person who is there."""

LATE_SECONDS = 6.0
"""How much later answers may come: chats look every two seconds what is due, and messages take their time."""

DECISION_SECONDS = 30.0
"""How often a chat decides at the most whether to answer. So nobody can make others send much."""

TYPING_SECONDS = 10.0
"""How often a chat tells at the most that its person is typing."""

TYPING_SHOWN_SECONDS = 15.0
"""How long that is shown."""

MOST_TYPING = 10
"""In a room with more people than that, nobody tells that they are typing."""

QUIET_SECONDS = 24 * 3600.0
"""How long nothing is told in a room after a message of a program that would show it as a message."""

MOST_CHATS = 4
"""How many chats of one identity are remembered."""

MOST_SEEN = 1_000
"""How many chats of others are remembered."""

LONGEST_CHAT = 64
"""In characters, of what names a chat."""


@dataclass(slots=True)
class Activity:
    """Whether the person does something."""

    since_tick: bool = True
    """Whether they have pressed a key since the last tick."""
    at: float = -math.inf
    is_idle: bool = False


@dataclass(slots=True)
class Told:
    """What this chat has told a room, and was asked there."""

    sign: Sign | None = None
    """What the people there know, if anything."""
    at: float = -math.inf
    asked_at: float = -math.inf
    asks_again: bool = False
    """Whether to ask as soon as that is allowed: this chat was not there for a while."""
    is_answered: bool = False
    """Whether those who are there have had the time to tell, since the chat has asked."""
    is_asked: bool = False
    """Whether somebody has joined, and it is not decided yet whether to answer."""
    answers_at: float = math.inf
    decided_until: float = -math.inf
    """Those who join before this have to wait, unless an answer is still to come."""
    typing_at: float = -math.inf
    quiet_until: float = -math.inf


@dataclass(slots=True)
class Seen:
    """A chat of somebody else. `rooms` has until when it counts as being there, `typing` the same for typing."""

    name: str | None
    sign: Sign = Sign.ONLINE
    rooms: dict[str, float] = field(default_factory=dict)
    typing: dict[str, float] = field(default_factory=dict)


@dataclass(slots=True)
class Presence:
    """Who is here. `chat` names this chat, so that the end of another one of the same person is no end of this one."""

    mode: str = OFF
    chat: str = ""
    clock: float = -math.inf
    began: datetime | None = None
    """When the chat was started."""
    activity: Activity = field(default_factory=Activity)
    told: dict[str, Told] = field(default_factory=dict)
    seen: dict[tuple[str, str], Seen] = field(default_factory=dict)
    """The chats of others, by identity and what names the chat; heard last, comes last."""

    def here(self, room: str) -> dict[str, tuple[Sign, str | None]]:
        """The others in a room: what they do, and by which name. Of several chats, the busiest counts."""
        found: dict[str, tuple[Sign, str | None]] = {}
        for (identity, _), seen in self.seen.items():
            if room in seen.rooms:
                sign = Sign.TYPING if room in seen.typing else seen.sign
                known = found.get(identity)
                if known is None or _BUSY.index(sign) >= _BUSY.index(known[0]):
                    found[identity] = sign, seen.name
        return found

    @property
    def shown(self) -> object:
        """What is compared to know whether to draw it again."""
        return (
            self.activity.is_idle,
            [(*key, seen.sign, *seen.rooms, *seen.typing) for key, seen in self.seen.items()],
            [room for room, told in self.told.items() if told.is_answered],
        )

    def is_unknown(self, room: str) -> bool:
        """Whether it is still open who is here: the chat would show it, and has not had the answers."""
        told = self.told.get(room)
        return self.mode != OFF and not self.is_quiet(room) and not (told and told.is_answered)

    def answer_seconds(self, people: int) -> float:
        """Within how many seconds so many people answer."""
        least, most = ANSWER_SECONDS
        return min(max(least, people), most)

    def longest_wait(self, people: int) -> float:
        """Within how many seconds the last answer has come, even of a chat that has just answered others."""
        seconds = self.answer_seconds(people)
        return max(seconds, DECISION_SECONDS) + seconds + LATE_SECONDS

    def is_quiet(self, room: str) -> bool:
        """Whether the chat sends no signs to a room, because a member there would see them as messages."""
        told = self.told.get(room)
        return told is not None and self.clock < told.quiet_until

    def remember(self, identity: str, chat: str, seen: Seen) -> None:
        """Note what a chat has told, and forget others if they are too many."""
        self.seen.pop((identity, chat), None)
        self.seen[identity, chat] = seen
        if len(self.seen) > MOST_SEEN:
            del self.seen[next(iter(self.seen))]
        chats = [key for key in self.seen if key[0] == identity]
        for key in chats[:-MOST_CHATS]:
            del self.seen[key]

    def forget_old(self) -> None:
        """Forget the chats of which nothing was heard for too long."""
        for key, seen in [*self.seen.items()]:
            for until_by_room in (seen.rooms, seen.typing):
                for room in [room for room, until in until_by_room.items() if until <= self.clock]:
                    del until_by_room[room]
            if not seen.rooms:
                del self.seen[key]


_BUSY = (Sign.IDLE, Sign.ONLINE, Sign.TYPING)
