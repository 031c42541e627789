"""Client: publishes and receives messages over one connection, and drops duplicates."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache

from aws_iot.errors import InvalidMessage, InvalidRoom
from aws_iot.messaging.connection import Connection, Done, Event, Lost, Publication, Restored
from aws_iot.messaging.durable import DurableSession
from aws_iot.messaging.message import Message, Outgoing, encode, from_wire, to_properties
from aws_iot.messaging.topics import covers, matches, place, topic, topic_filter

# AWS IoT Core message broker limits: docs.aws.amazon.com/general/latest/gr/iot-core.html
MAX_PAYLOAD_BYTES = 128 * 1024
MAX_FILTERS_PER_SUBSCRIBE = 8
MAX_SUBSCRIPTIONS = 50

REMEMBERED_IDS = 10_000
"""Of so many messages back a second copy is noticed."""

EVENTS_AT_ONCE = 50
"""After so many events at the latest what was heard is dealt with. A broker sends 100 messages ahead."""

SAME_SECONDS = 0.0005
"""What comes within it came at the same time: times are told in milliseconds, and to write one takes a while."""

SLICE_SECONDS = 0.05
"""How often it is asked again whether what was heard has been dealt with."""


class Client:
    """The rooms of one identity pool, as one identity sees them over one connection."""

    def __init__(
        self,
        connection: Connection,
        *,
        pool: str,
        identity: str,
        name: str,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
    ) -> None:
        """`name` is what messages claim their sender to be called; `new_id` never gives the same id twice."""
        self._connection = connection
        self._pool = pool
        self._identity = identity
        self._name = name
        self._now = now
        self._new_id = new_id
        self._heard: OrderedDict[tuple[str, str], None] = OrderedDict()
        # An entry for each delivery of which the broker was not told yet; None where there was nothing to hear.
        self._untold: list[Message | Lost | Restored | None] = []
        self._filters = [topic_filter(pool, "#", identity)]
        self._place = lru_cache(maxsize=1000)(self._find_place)
        self._came, self._came_at = now(), -math.inf

    @property
    def is_resumed(self) -> bool:
        """Whether the broker has kept the session: what was said since somebody was here last is heard."""
        return self._connection.is_resumed

    @property
    def identity(self) -> str:
        """Who we are to the others."""
        return self._identity

    def publish(self, room: str, message: str | bytes, *, qos: int = 1, retain: bool = False) -> None:
        """Send a message, and return when the broker has acknowledged it.

        A `str` travels as `{"msg": …}`; `bytes` are the payload itself. Raises `InvalidRoom` and
        `InvalidMessage` before anything is sent, else what `Connection.publish` raises.
        """
        payload = checked_payload(message) if isinstance(message, str) else message
        self._connection.publish(self._publication(Outgoing(room, payload, self._new_id(), qos, retain)))

    def publish_nowait(self, message: Outgoing, done: Done) -> None:
        """As `publish`, without waiting: see `Connection.send`."""
        self._connection.send(self._publication(message), done)

    def _publication(self, message: Outgoing) -> Publication:
        where = topic(self._pool, message.room, self._identity)
        properties = to_properties(message.id, self._now(), self._name)
        return Publication(where, checked_size(message.payload), properties, message.qos, message.retain)

    def subscribe(self, rooms: Sequence[str], session: DurableSession | None = None) -> list[str]:
        """Hear these rooms, which may be patterns, or every room if none is named.

        In a session that the broker keeps, those of before that are left now are given, but for those that others
        cover: what waits from there is heard all the same, and nothing that is said there later. Raises `InvalidRoom`
        before anything is sent.
        """
        rooms = [*dict.fromkeys(rooms or "#")]
        asked = [topic_filter(self._pool, room, self._identity) for room in rooms]
        # A broker may deliver a message once for each filter that takes it.
        filters = [f for f in asked if not any(f != other and covers(other, f) for other in asked)]
        if len(filters) > MAX_SUBSCRIPTIONS:
            raise InvalidRoom(
                f"{len(filters)} rooms are too many: AWS IoT Core allows {MAX_SUBSCRIPTIONS} on a connection"
            )
        left = [room for room in (session.rooms() if session else []) if room not in rooms]
        left_filters = [topic_filter(self._pool, room, self._identity) for room in left]
        if session and left:
            # Before the broker knows: else one might be forgotten that it remembers.
            session.note([*rooms, *left])
        for chunk in _chunks(filters):
            self._connection.subscribe(chunk)
        for chunk in _chunks(left_filters):
            self._connection.unsubscribe(chunk)
        if session:
            session.note(rooms)
        self._filters = [*filters, *left_filters]
        self._place.cache_clear()
        covered = [any(covers(wide, one) for wide in filters) for one in left_filters]
        return [room for room, is_covered in zip(left, covered, strict=True) if not is_covered]

    def events(
        self,
        timeout: float | None = None,
        unsettled: Callable[[], Message | None] = lambda: None,
        at_once: int = EVENTS_AT_ONCE,
    ) -> Iterator[Message | Lost | Restored]:
        """What happens in the rooms that were entered, for `timeout` seconds in all.

        A message that the broker delivers twice is heard once: its id tells, within what its sender said.

        `unsettled` is called when nothing more is there to be heard at once, and after so many events (`at_once`)
        at the latest. It gives the first message that has not been dealt with. The broker is told of those before
        it, and delivers the rest again to whoever comes back (`Connection.acknowledge`). As long as there is one,
        it is called again soon.
        """
        ends = math.inf if timeout is None else time.monotonic() + timeout
        fresh = 0
        while True:
            event = self._connection.receive(0) if 0 < fresh < at_once else None
            if event is None:
                fresh = 0
                if self._untold:
                    self.acknowledge(unsettled())
                left = min(ends - time.monotonic(), SLICE_SECONDS if self._untold else math.inf)
                if left <= 0:
                    return
                event = self._connection.receive(None if left == math.inf else left)
            if event is None:
                if not self._untold:
                    return
                continue
            fresh += 1
            heard = self._take(event)
            if isinstance(event, Publication):
                self._untold.append(heard)
            if heard is not None:
                yield heard

    def connection_events(self) -> Iterator[Lost | Restored]:
        """What has happened to the connection since the last time, at once: for those who only speak.

        Raises what has ended the connection.
        """
        while (event := self._connection.receive(0)) is not None:
            if not isinstance(event, Publication):
                yield event

    def acknowledge(self, unsettled: Message | None = None) -> None:
        """Tell the broker that what was heard has been dealt with: all of it, or what came before `unsettled`."""
        done = len(self._untold)
        if unsettled:
            done = next((place for place, heard in enumerate(self._untold) if heard is unsettled), 0)
        if done:
            self._connection.acknowledge(done)
            del self._untold[:done]

    def _take(self, event: Event) -> Message | Lost | Restored | None:
        if not isinstance(event, Publication):
            return event
        found = self._place(event.topic)
        if found is None:
            return None
        room, sender = found
        if (at := time.monotonic()) - self._came_at >= SAME_SECONDS:
            self._came, self._came_at = self._now(), at
        message = from_wire(
            room, sender, event.payload, event.properties, self._came, event.qos, event.retain
        )
        return None if self._is_repeated(message) else message

    def _find_place(self, topic: str) -> tuple[str, str] | None:
        """None for a topic that was not asked for."""
        return place(self._pool, topic) if any(matches(topic, f) for f in self._filters) else None

    def _is_repeated(self, message: Message) -> bool:
        if not message.id:
            return False
        # Keyed by sender too: nobody can silence another person by using their ids first.
        known = (message.sender, message.id)
        if known in self._heard:
            return True
        self._heard[known] = None
        if len(self._heard) > REMEMBERED_IDS:
            self._heard.popitem(last=False)
        return False


def _chunks(filters: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(filters), MAX_FILTERS_PER_SUBSCRIBE):
        yield filters[start : start + MAX_FILTERS_PER_SUBSCRIBE]


def checked_payload(text: str) -> bytes:
    """The payload that says `text`. Raises `InvalidMessage`."""
    try:
        payload = encode(text)
    except UnicodeEncodeError:
        raise InvalidMessage("the message is not valid UTF-8") from None
    return checked_size(payload)


def checked_size(payload: bytes) -> bytes:
    """The payload, if it can be carried. Raises `InvalidMessage`."""
    if len(payload) > MAX_PAYLOAD_BYTES:
        raise InvalidMessage(
            f"the message is {len(payload):,} bytes on the wire: AWS IoT Core carries {MAX_PAYLOAD_BYTES:,} at most"
        )
    return payload
