"""Topics: the MQTT names of rooms, their limits, and the filters that match them."""

from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from aws_iot.errors import InvalidRoom

# AWS IoT Core message broker limits: docs.aws.amazon.com/general/latest/gr/iot-core.html
MAX_TOPIC_BYTES = 256
MAX_TOPIC_SLASHES = 7


class Located(NamedTuple):
    """What the topic of a message stands for."""

    room: str
    sender: str
    filters: int = 1
    """How many filters that were subscribed to match it."""


@lru_cache
def topic(pool: str, room: str, identity: str) -> str:
    """The topic under which `identity` publishes to `room`: `<pool>/<room>/<identity>`.

    Raises `InvalidRoom` for a topic over which AWS IoT Core would close the connection.
    """
    if not room:
        raise InvalidRoom("a room needs a name")
    if any(wildcard in room for wildcard in "+#"):
        bare = room.removeprefix("#")  # as other chat programs write rooms
        meant = f"; did you mean '{bare}'?" if bare and not any(wildcard in bare for wildcard in "+#") else ""
        raise InvalidRoom(
            f"the room '{room}' contains a wildcard: '+' and '#' cannot be part of a room's name{meant}"
        )
    if any(_is_forbidden(ord(character)) for character in room):
        raise InvalidRoom(
            "the room's name contains a character that MQTT forbids, such as a tab or line break"
        )
    whole = f"{pool}/{room}/{identity}"
    if whole.count("/") > MAX_TOPIC_SLASHES:
        raise InvalidRoom(
            f"the room '{room}' has more than {MAX_TOPIC_SLASHES - 2} slashes, which AWS IoT Core rejects"
        )
    try:
        excess = len(whole.encode()) - MAX_TOPIC_BYTES
    except UnicodeEncodeError:
        raise InvalidRoom("the room's name is not valid UTF-8") from None
    if excess > 0:
        length = len(room.encode())
        raise InvalidRoom(
            f"the room's name is {length} bytes long, and can have {length - excess} here:"
            f" AWS IoT Core allows topics of {MAX_TOPIC_BYTES} bytes, and the pool and your identity need the rest"
        )
    return whole


def check_room(pool: str, room: str) -> None:
    """Raise `InvalidRoom` if `topic` would, before the identity is known.

    The pool's ID stands in for the identity: both are a region and a UUID.
    """
    topic(pool, room, pool)


def _is_forbidden(code: int) -> bool:
    """Whether it is a control or non-character: MQTT 5, section 1.5.4, and awscrt rejects the same."""
    return code < 0x20 or 0x7F <= code <= 0x9F or 0xFDD0 <= code <= 0xFDEF or code & 0xFFFE == 0xFFFE


def check_topic(name: str) -> None:
    """Raise `InvalidRoom` for a topic or filter that AWS IoT Core rejects, in a pool or anywhere else."""
    # `$aws/rules/<name>/` (Basic Ingest) does not count: docs.aws.amazon.com/general/latest/gr/iot-core.html
    counted = name.split("/", 3)[-1] if name.startswith("$aws/rules/") else name
    if not name or any(_is_forbidden(ord(character)) for character in name):
        raise InvalidRoom("AWS IoT Core rejects a topic that is empty or contains a control character")
    if (slashes := counted.count("/")) > MAX_TOPIC_SLASHES:
        raise InvalidRoom(
            f"AWS IoT Core rejects a topic with {slashes} slashes: the limit is {MAX_TOPIC_SLASHES}"
        )
    if (size := len(counted.encode(errors="replace"))) > MAX_TOPIC_BYTES:
        raise InvalidRoom(f"AWS IoT Core rejects a topic of {size} bytes: the limit is {MAX_TOPIC_BYTES}")


def check_wildcards(pattern: str) -> None:
    """Raise `InvalidRoom` if a wildcard is part of a name, or if something follows `#`."""
    *outer, last = pattern.split("/")
    if any(level not in ("+", "#") and ("+" in level or "#" in level) for level in (*outer, last)):
        raise InvalidRoom(f"in '{pattern}', a wildcard is part of a name: '+' and '#' stand for whole levels")
    if "#" in outer:
        raise InvalidRoom(f"in '{pattern}', something follows '#', which can only be last")


def is_pattern(name: str) -> bool:
    """Whether a room, or a topic, stands for several."""
    return "+" in name or "#" in name


def check_pattern(pool: str, pattern: str) -> None:
    """Raise `InvalidRoom` if `topic_filter` would, before the identity is known."""
    topic_filter(pool, pattern, pool)


def topic_filter(pool: str, pattern: str, identity: str) -> str:
    """The filter that matches every sender in the rooms of a pattern.

    A pattern is a room in which `+` stands for one level (`ops/+`). At the end, `#` stands for the room and
    every room below it (`ops/#`); `#` alone is every room. Raises `InvalidRoom` for a room that `identity`
    could not publish to.
    """
    check_wildcards(pattern)
    *outer, last = levels = pattern.split("/")
    if last == "#":
        levels = outer
    if levels:
        topic(pool, "/".join("x" if level == "+" else level for level in levels), identity)
    return f"{pool}/{pattern}" if last == "#" else f"{pool}/{pattern}/+"


def matches(topic: str, topic_filter: str) -> bool:
    """Whether a filter matches a topic, as AWS IoT Core does it: `a/#` matches `a/b`, but not `a` itself."""
    return covers(topic_filter, topic)


def covers(wider: str, narrower: str) -> bool:
    """Whether a filter matches a topic, or every topic that another filter matches."""
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
