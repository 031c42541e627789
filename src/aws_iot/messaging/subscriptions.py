"""Subscriptions: which rooms a client receives, and the topic filters that stand for them."""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from aws_iot.errors import InvalidRoom
from aws_iot.messaging.connection import Connection
from aws_iot.messaging.durable import DurableSession
from aws_iot.messaging.topics import Located, covers, matches, room_and_sender, topic_filter

# AWS IoT Core message broker limits: docs.aws.amazon.com/general/latest/gr/iot-core.html
MAX_FILTERS_PER_SUBSCRIBE = 8
MAX_SUBSCRIPTIONS = 50


class Subscribed(NamedTuple):
    """What became of a durable session when its rooms were subscribed to."""

    left: Sequence[str] = ()
    """Rooms of the session that are no longer asked for. What waits there is delivered, but nothing later."""
    is_discarded: bool = False
    """Whether the broker has discarded the session, and with it the messages that it kept."""


class Subscriptions:
    """The rooms that one client has subscribed to."""

    def __init__(
        self, connection: Connection, pool: str, identity: str, durable: DurableSession | None
    ) -> None:
        self._connection = connection
        self._pool = pool
        self._identity = identity
        self._durable = durable
        self.rooms: list[str] = []
        """The rooms and patterns that were added and not removed."""
        self._filters: list[str] = []
        self._leaving: list[str] = []
        """Filters that a durable session had. What the broker has kept for them is still to come."""
        self._accepted = [topic_filter(pool, "#", identity)]
        self.locate = lru_cache(maxsize=1000)(self._locate)

    def add(self, rooms: Sequence[str]) -> Subscribed:
        """Subscribe to more rooms; see `Client.subscribe`."""
        is_first, rooms = not self.rooms, [*dict.fromkeys([*self.rooms, *rooms])]
        filters = self._filters_of(rooms)
        known = self._durable.rooms() if self._durable else []
        left = {room: topic_filter(self._pool, room, self._identity) for room in known if room not in rooms}
        if self._durable:
            # Before the broker knows: otherwise a room could be forgotten here that the broker remembers.
            self._durable.note([*rooms, *left])
        self._leaving += left.values()
        self._request(rooms, filters, left.values())
        return Subscribed(
            [room for room, narrow in left.items() if not any(covers(wide, narrow) for wide in filters)],
            is_discarded=bool(is_first and known and not self._connection.is_resumed),
        )

    def remove(self, rooms: Sequence[str]) -> None:
        """Unsubscribe from rooms, or patterns. A resumed session may have others than those that were added."""
        rest = [room for room in self.rooms if room not in rooms]
        filters = self._filters_of(rest)
        others = [topic_filter(self._pool, room, self._identity) for room in rooms if room not in self.rooms]
        self._request(rest, filters, [one for one in others if one not in filters])

    def _request(self, rooms: list[str], filters: list[str], more_to_leave: Iterable[str] = ()) -> None:
        # After each request, since the next one may be refused: the broker then still has what was granted before.
        for chunk in _chunks([f for f in filters if f not in self._filters]):
            self._connection.subscribe(chunk)
            self._set_filters([*self._filters, *chunk])
        for chunk in _chunks([*(f for f in self._filters if f not in filters), *more_to_leave]):
            self._connection.unsubscribe(chunk)
            self._set_filters([f for f in self._filters if f not in chunk])
        if self._durable:
            self._durable.note(rooms)
        self.rooms = rooms
        self._set_filters(filters)

    def _set_filters(self, filters: list[str]) -> None:
        self._filters, self._accepted = filters, [*filters, *self._leaving]
        self.locate.cache_clear()

    def _filters_of(self, rooms: Sequence[str]) -> list[str]:
        """The filters of these rooms, without those that others cover.

        A broker may deliver a message once for each filter that matches it: see `Copies`.
        """
        asked = [topic_filter(self._pool, room, self._identity) for room in rooms]
        filters = [f for f in asked if not any(f != other and covers(other, f) for other in asked)]
        if len(filters) > MAX_SUBSCRIPTIONS:
            raise InvalidRoom(
                f"{len(filters)} rooms are too many: AWS IoT Core allows {MAX_SUBSCRIPTIONS} on a connection"
            )
        return filters

    def _locate(self, topic: str) -> Located | None:
        """What a topic stands for; None for a topic that was not subscribed to."""
        if any(matches(topic, accepted) for accepted in self._accepted):
            filters = sum(matches(topic, one) for one in self._filters)
            return Located(*room_and_sender(self._pool, topic), filters)
        return None


def _chunks(filters: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(filters), MAX_FILTERS_PER_SUBSCRIBE):
        yield filters[start : start + MAX_FILTERS_PER_SUBSCRIBE]
