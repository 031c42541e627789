"""Topics: the MQTT names of rooms, their limits, and the filters that match them."""

from functools import lru_cache
from itertools import zip_longest

from aws_iot.errors import InvalidRoom

# AWS IoT Core message broker limits: docs.aws.amazon.com/general/latest/gr/iot-core.html
MAX_TOPIC_BYTES = 256
MAX_TOPIC_SLASHES = 7


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
    return covers(topic_filter, topic)


def covers(wider: str, narrower: str) -> bool:
    """Whether a filter takes every topic that another filter, or a topic, takes."""
    for wide, narrow in zip_longest(wider.split("/"), narrower.split("/")):
        if wide == "#":
            return narrow is not None
        if narrow is None or (wide != narrow and (wide != "+" or narrow == "#")):
            return False
    return True


def room_and_sender(pool: str, topic: str) -> tuple[str, str]:
    """The room and the sender that a topic of the pool names."""
    room, _, sender = topic.removeprefix(f"{pool}/").rpartition("/")
    return room, sender
