"""Rooms: which of them the broker was asked for, and since when others receive nothing."""

from __future__ import annotations  # so that what only types need is not imported

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple

from aws_iot.chat.model import events as on
from aws_iot.errors import AwsIotError, Unreachable
from aws_iot.messaging.connection import TEMPORARY_SESSION_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aws_iot.messaging.client import Client
    from aws_iot.messaging.connection import Connection

    Tell = Callable[[on.Event], None]

PAUSE = timedelta(seconds=10)
"""If the program did nothing for so long, the machine was asleep, or the program was stopped."""

KEPT = timedelta(seconds=TEMPORARY_SESSION_SECONDS)
"""How long the broker surely keeps the session without a connection."""

NOTICED = timedelta(seconds=90)
"""How long after a pause the loss of a connection counts as its consequence: twice as long as noticing it takes."""


class Line(NamedTuple):
    """A client, and the connection that it uses."""

    client: Client
    connection: Connection


class Rooms:
    """The rooms to receive, on one line after another. One thread uses it, except for `line`."""

    def __init__(self, tell: Tell, now: Callable[[], datetime]) -> None:
        self._tell = tell
        self._absences = _Absences(tell, now)
        self._wanted: dict[str, None] = {}
        self._joined: set[str] = set()
        self._refused: set[str] = set()
        self._left: dict[str, None] = {}
        """Those that the broker may still have among the subscriptions of the session."""
        self.line: Line | None = None
        """What is connected now, or was, and tries to be again."""
        self.is_online = False

    def attach(self, line: Line) -> None:
        """There is a new connection. What was sent meanwhile arrives only if the broker has kept the session."""
        self.line, self.is_online = line, True
        self._joined, self._refused = set(), set()
        self._absences.connected()
        if not line.connection.is_resumed:
            self._left.clear()
            self._absences.all_are_lost()

    def detach(self) -> None:
        """The connection has ended for good."""
        self._absences.begin(self._joined)
        if self.line and self.line.connection.may_miss:
            self._absences.all_are_lost()
        self.line, self.is_online = None, False

    def lost(self, silent: float) -> None:
        """The connection is lost for now. For `silent` seconds, nothing has arrived."""
        self.is_online = False
        self._absences.begin(self._joined, silent)

    def restored(self, *, may_miss: bool) -> None:
        """It is back, with all its rooms."""
        self.is_online = True
        if may_miss:
            self._absences.all_are_lost()
        self._absences.end(self._joined)
        self.tell_joined()

    def beat(self) -> None:
        """The program runs. Called often."""
        self._absences.beat()

    def add(self, room: str) -> None:
        """Receive this room from now on."""
        self._wanted[room] = None
        self._refused.discard(room)
        self._left.pop(room, None)

    def remove(self, room: str) -> None:
        """Receive it no longer. Without a connection, the broker learns that later: nobody waits for that here."""
        self._wanted.pop(room, None)
        if room in self._joined or self._absences.has(room):
            self._left[room] = None
        self._joined.discard(room)
        self._absences.forget(room)

    def update(self) -> None:
        """Leave and subscribe to what is still to be left and subscribed to, if there is a connection."""
        if self.line and self.is_online:
            self._unsubscribe(self.line.client)
            self._subscribe(self.line.client)

    def _unsubscribe(self, client: Client) -> None:
        if not self._left:
            return
        try:
            client.unsubscribe(*self._left)
        except Unreachable:
            raise  # the next connection leaves them
        except AwsIotError:  # what still arrives from there is not shown
            pass
        self._left.clear()

    def _subscribe(self, client: Client) -> None:
        """Ask the broker for the rooms that are still missing; for each alone if it refuses one of them."""
        missing = [room for room in self._wanted if room not in self._joined and room not in self._refused]
        if not missing:
            return
        try:
            client.subscribe(*missing)
        except Unreachable:
            raise
        except AwsIotError as error:
            if len(missing) == 1:
                self._have_refused(missing[0], error)
            else:
                for room in missing:
                    self._subscribe_alone(client, room)
            return
        self._have_joined(missing)

    def _subscribe_alone(self, client: Client, room: str) -> None:
        try:
            client.subscribe(room)
        except Unreachable:
            raise
        except AwsIotError as error:
            self._have_refused(room, error)
        else:
            self._have_joined([room])

    def _have_refused(self, room: str, error: AwsIotError) -> None:
        self._refused.add(room)
        self._absences.are_lost([room])  # if the broker has kept anything, it is not shown
        self._tell(on.JoinFailed(room, str(error)))

    def _have_joined(self, rooms: list[str]) -> None:
        self._joined.update(rooms)
        self._absences.end(rooms)
        self._tell(on.RoomsJoined(rooms))

    def tell_joined(self) -> None:
        """Tell again which rooms are joined."""
        if self._joined:
            self._tell(on.RoomsJoined(sorted(self._joined)))


@dataclass(slots=True)
class _Absence:
    since: datetime
    is_lost: bool = False
    """Whether the broker has not kept what was sent meanwhile."""


class _Absences:
    """Since when which rooms receive nothing."""

    def __init__(self, tell: Tell, now: Callable[[], datetime]) -> None:
        self._tell = tell
        self._now = now
        self._absences: dict[str, _Absence] = {}
        self._ran_at = now()
        self._pause: tuple[datetime, datetime] | None = None

    def beat(self) -> None:
        now = self._now()
        if now - self._ran_at > PAUSE:
            before = self._pause
            is_same = (
                before is not None and self._ran_at - before[1] < NOTICED
            )  # awake for a moment in between
            self._pause = (before[0] if before and is_same else self._ran_at), now
        self._ran_at = now

    def connected(self) -> None:
        """A new connection is there. Connecting takes long at times, which is no sleep."""
        self._ran_at, self._pause = self._now(), None

    def begin(self, rooms: Iterable[str], silent: float = 0.0) -> None:
        """These rooms receive nothing from now on, or did not while the machine was asleep before."""
        self.beat()
        since = self._ran_at - timedelta(seconds=silent)
        if self._pause and self._ran_at - self._pause[1] < NOTICED:
            since = min(since, self._pause[0])
        for room in rooms:
            self._absences.setdefault(room, _Absence(since))

    def all_are_lost(self) -> None:
        """What was sent until now does not arrive."""
        self.are_lost(self._absences)

    def are_lost(self, rooms: Iterable[str]) -> None:
        """What was sent to these rooms until now does not arrive."""
        for room in rooms:
            if absence := self._absences.get(room):
                absence.is_lost = True

    def end(self, rooms: Iterable[str]) -> None:
        """These rooms receive messages again.

        A session that a broker knows after more than `KEPT` may be of an attempt that got no answer.
        """
        now = self._now()
        for room in rooms:
            absence = self._absences.pop(room, None)
            if absence and (absence.is_lost or now - absence.since > KEPT):
                self._tell(on.Missed(room, absence.since, now))

    def has(self, room: str) -> bool:
        return room in self._absences

    def forget(self, room: str) -> None:
        """The person has left the room."""
        self._absences.pop(room, None)
