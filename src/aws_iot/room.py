"""Rooms: topics and their limits; saying and hearing; duplicates dropped."""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from itertools import zip_longest

from aws_iot.connection import Connection, Done, Event, Lost, Publication, Restored
from aws_iot.durable import DurableSession
from aws_iot.errors import InvalidMessage, InvalidRoom
from aws_iot.message import Message, Outgoing, encode, from_wire, to_properties

# AWS IoT Core message broker limits: docs.aws.amazon.com/general/latest/gr/iot-core.html
MAX_TOPIC_BYTES = 256
MAX_TOPIC_SLASHES = 7
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


@lru_cache
def topic(pool: str, room: str, identity: str) -> str:
    """Where `identity` speaks in `room`: `<pool>/<room>/<identity>`.

    Raises `InvalidRoom` where AWS IoT Core would end the connection over the topic.
    """
    if not room:
        raise InvalidRoom("a room needs a name")
    if any(wildcard in room for wildcard in "+#"):
        raise InvalidRoom(f"the room '{room}' holds a wildcard: '+' and '#' cannot be part of a room's name")
    if any(_is_forbidden(ord(character)) for character in room):
        raise InvalidRoom("the room's name holds a character that MQTT forbids, such as a tab or line break")
    whole = f"{pool}/{room}/{identity}"
    if whole.count("/") > MAX_TOPIC_SLASHES:
        raise InvalidRoom(
            f"the room '{room}' has more than {MAX_TOPIC_SLASHES - 2} slashes, which AWS IoT Core refuses"
        )
    try:
        excess = len(whole.encode()) - MAX_TOPIC_BYTES
    except UnicodeEncodeError:
        raise InvalidRoom("the room's name is not valid UTF-8") from None
    if excess > 0:
        length = len(room.encode())
        raise InvalidRoom(
            f"the room's name is {length} bytes long, and can be {length - excess} here:"
            f" AWS IoT Core takes topics of {MAX_TOPIC_BYTES} bytes, of which the pool and you need the rest"
        )
    return whole


def check_room(pool: str, room: str) -> None:
    """Raises `InvalidRoom` if `topic` would, before it is known who speaks.

    The pool's id stands in for the identity: both are a region and a UUID.
    """
    topic(pool, room, pool)


def _is_forbidden(code: int) -> bool:
    """Controls and non-characters: MQTT 5, section 1.5.4, and what awscrt refuses by it."""
    return code < 0x20 or 0x7F <= code <= 0x9F or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def check_topic(name: str) -> None:
    """Raises `InvalidRoom` for a topic, or a pattern of topics, that AWS IoT Core does not take, wherever it is."""
    # `$aws/rules/<name>/` (Basic Ingest) does not count: docs.aws.amazon.com/general/latest/gr/iot-core.html
    counted = name.split("/", 3)[-1] if name.startswith("$aws/rules/") else name
    if not name or any(_is_forbidden(ord(character)) for character in name):
        raise InvalidRoom("AWS IoT Core takes no topic that is empty, or holds a control character")
    if (slashes := counted.count("/")) > MAX_TOPIC_SLASHES:
        raise InvalidRoom(
            f"AWS IoT Core refuses a topic of {slashes} slashes: {MAX_TOPIC_SLASHES} are the most"
        )
    if (size := len(counted.encode(errors="replace"))) > MAX_TOPIC_BYTES:
        raise InvalidRoom(f"AWS IoT Core refuses a topic of {size} bytes: {MAX_TOPIC_BYTES} are the most")


def check_pattern(pool: str, pattern: str) -> None:
    """Raises `InvalidRoom` if `topic_filter` would, before it is known who listens."""
    topic_filter(pool, pattern, pool)


def topic_filter(pool: str, pattern: str, identity: str) -> str:
    """What to subscribe to, to hear everybody in the rooms of a pattern.

    A pattern is a room, in which `+` can stand for a level (`ops/+`), and `#` at the end for this room
    and all within it (`ops/#`); `#` alone is every room. Raises `InvalidRoom` for a room in which
    `identity` could not speak.
    """
    *outer, last = levels = pattern.split("/")
    if any(level not in ("+", "#") and ("+" in level or "#" in level) for level in levels):
        raise InvalidRoom(f"in '{pattern}' a wildcard is part of a name: '+' and '#' stand for whole levels")
    if "#" in outer:
        raise InvalidRoom(f"in '{pattern}' something follows '#', which can only be last")
    if last == "#":
        levels = outer
    if levels:
        topic(pool, "/".join("x" if level == "+" else level for level in levels), identity)
    return f"{pool}/{pattern}" if last == "#" else f"{pool}/{pattern}/+"


def matches(topic: str, topic_filter: str) -> bool:
    """Whether a filter takes a topic, as AWS IoT Core does: `a/#` takes `a/b`, and not `a` itself."""
    return _covers(topic_filter, topic)


def _covers(wider: str, narrower: str) -> bool:
    """Whether a filter takes every topic that another filter, or a topic, takes."""
    for wide, narrow in zip_longest(wider.split("/"), narrower.split("/")):
        if wide == "#":
            return narrow is not None
        if narrow is None or (wide != narrow and (wide != "+" or narrow == "#")):
            return False
    return True


def place(pool: str, topic: str) -> tuple[str, str]:
    """The room and the sender that a topic of the pool names."""
    room, _, sender = topic.removeprefix(f"{pool}/").rpartition("/")
    return room, sender


class Rooms:
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

    def say(self, room: str, text: str) -> None:
        """Return when the broker has acknowledged it.

        Raises `InvalidRoom` and `InvalidMessage` before anything is sent, else what
        `Connection.publish` raises.
        """
        self.publish(room, checked_payload(text))

    def publish(self, room: str, payload: bytes, *, qos: int = 1, retain: bool = False) -> None:
        """As `say`, with a payload that may be anything at all."""
        self._connection.publish(self._publication(Outgoing(room, payload, self._new_id(), qos, retain)))

    def hand_over(self, message: Outgoing, done: Done) -> None:
        """As `publish`, without waiting: see `Connection.send`."""
        self._connection.send(self._publication(message), done)

    def _publication(self, message: Outgoing) -> Publication:
        where = topic(self._pool, message.room, self._identity)
        properties = to_properties(message.id, self._now(), self._name)
        return Publication(where, checked_size(message.payload), properties, message.qos, message.retain)

    def enter(self, rooms: Sequence[str], session: DurableSession | None = None) -> list[str]:
        """Hear these rooms, which may be patterns, or every room if none is named.

        In a session that the broker keeps, those of before that are left now are given, but for those that others
        cover: what waits from there is heard all the same, and nothing that is said there later. Raises `InvalidRoom`
        before anything is sent.
        """
        rooms = [*dict.fromkeys(rooms or "#")]
        asked = [topic_filter(self._pool, room, self._identity) for room in rooms]
        # A broker may deliver a message once for each filter that takes it.
        filters = [f for f in asked if not any(f != other and _covers(other, f) for other in asked)]
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
        covered = [any(_covers(wide, one) for wide in filters) for one in left_filters]
        return [room for room, is_covered in zip(left, covered, strict=True) if not is_covered]

    def hear(
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

    def what_happened(self) -> Iterator[Lost | Restored]:
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
