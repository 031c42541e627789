"""Room mistakes: names of rooms that are probably not what a person meant, and what they probably meant."""

import re
from typing import NamedTuple

from aws_iot.errors import InvalidRoom
from aws_iot.messaging.topics import check_pattern, check_room


class Mistake(NamedTuple):
    """Why a room's name is probably a mistake, and the rooms, or patterns, that were probably meant."""

    why: str
    meant: tuple[str, ...]


def probable_mistake(pool: str, room: str, *, is_pattern: bool) -> Mistake | None:
    """What is probably wrong with the name of a room, or with a pattern; None if it looks right.

    Such a room may exist all the same, unless it cannot be part of a topic. `meant` has only rooms that can.
    """
    reasons: list[str] = []
    meant = [room]
    for find in (_topic, _blanks, _comma, _slashes, _asterisk, _hash):
        found = [find(name, is_pattern) for name in meant]
        reasons += [mistake.why for mistake in found if mistake]
        meant = [
            name
            for old, mistake in zip(meant, found, strict=True)
            for name in (mistake.meant if mistake else (old,))
        ]
    if not reasons:
        return None
    return Mistake(reasons[0], tuple(name for name in meant if _is_possible(pool, name, is_pattern)))


def _is_possible(pool: str, room: str, is_pattern: bool) -> bool:
    try:
        (check_pattern if is_pattern else check_room)(pool, room)
    except InvalidRoom:
        return False
    return True


def _topic(name: str, _is_pattern: bool) -> Mistake | None:
    if ":" not in name:  # as in most, and the patterns take long to compile
        return None
    from aws_iot.identities import IDENTITY  # here, for the same reason

    without_pool = re.sub(rf"^{IDENTITY}(/|$)", "", name)
    sender = IDENTITY if without_pool == name else rf"{IDENTITY}|\+"
    room = re.sub(rf"(^|/)({sender})$", "", without_pool)
    if room == name:
        return None
    return Mistake("it contains the ID of a pool or of a person, as a topic does", (room,) if room else ())


def _blanks(name: str, _is_pattern: bool) -> Mistake | None:
    room = name.strip()
    if room == name:
        return None
    return Mistake("the blank at its beginning or end is part of its name", (room,) if room else ())


def _comma(name: str, _is_pattern: bool) -> Mistake | None:
    if "," not in name:
        return None
    rooms = [room.strip() for room in name.split(",") if room.strip()]
    return Mistake("a comma does not separate rooms", tuple(rooms))


def _slashes(name: str, _is_pattern: bool) -> Mistake | None:
    room = re.sub("/{2,}", "/", name).strip("/")
    if room == name:
        return None
    return Mistake("every slash is part of its name", (room,) if room else ())


def _asterisk(name: str, is_pattern: bool) -> Mistake | None:
    if "*" not in name:
        return None
    if not is_pattern:
        room = name.replace("*", "").strip("/")
        return Mistake("'*' is not a wildcard, and a message goes to one room", (room,) if room else ())
    *outer, last = name.split("/")
    outer = ["+" if level == "*" else level for level in outer]
    if last in ("*", "**"):
        levels = [*outer, "+" if outer and last == "*" else "#"]
    elif last.endswith("*"):
        levels = [*outer, last.rstrip("*"), "#"]
    else:
        levels = [*outer, last]
    pattern = "/".join(levels)
    return Mistake("'*' is not a wildcard; '+' and '#' are", () if "*" in pattern else (pattern,))


def _hash(name: str, is_pattern: bool) -> Mistake | None:
    """Such as `#lobby`, as in other chats, or a pattern for `pub`."""
    levels = name.split("/")
    is_part = any(len(level) > 1 and "#" in level for level in levels)
    if not is_part and (is_pattern or not {"#", "+"} & {*levels}):
        return None
    if is_pattern and len(levels[-1]) > 1 and levels[-1].endswith("#"):
        return Mistake("'#' stands for whole levels", (f"{name.rstrip('#')}/#",))
    room = re.sub("/{2,}", "/", re.sub("[#+]", "", name)).strip("/")
    return Mistake("'#' and '+' cannot be part of a room's name", (room,) if room else ())
