"""Windows: how posts get into the part of a room that is in memory, and out of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import takewhile

from aws_iot.chat.model import effects as do
from aws_iot.chat.model.events import PageRead, Part
from aws_iot.chat.model.posts import Delivery, Post
from aws_iot.chat.model.state import (
    LONGEST_BROWSED,
    LONGEST_WINDOW,
    MOST_LATE,
    MOST_PEOPLE,
    SHORTEST_WINDOW,
    Person,
    Reading,
    Room,
    Window,
)
from aws_iot.history.file.record import milliseconds


def split(posts: Sequence[Post]) -> tuple[list[Post], list[Post]]:
    """The posts that are in the history, and those that are not: your own that have not come back."""
    end = len(posts)
    while end and posts[end - 1].delivery is not Delivery.ARRIVED:
        end -= 1
    return [*posts[:end]], [*posts[end:]]


def add_arrived(room: Room, arrived: Sequence[Post]) -> None:
    """Add posts that have just arrived. Your own ones are no longer to be sent."""
    note_people(room, arrived)
    saved, unsent = split(room.posts)
    unsent = _others(unsent, arrived)
    if room.window.has_newer:
        room.window.late.extend(arrived)
    else:
        saved += _others(arrived, saved)
    room.window.posts = saved + unsent


def _others(posts: Iterable[Post], known: Iterable[Post]) -> list[Post]:
    """Those posts that are not among the known ones, each once."""
    keys = {post.key for post in known}
    found = []
    for post in posts:
        if post.key not in keys:
            keys.add(post.key)
            found.append(post)
    return found


def merge_page(room: Room, page: PageRead) -> bool:
    """Add a page of the history to the window, or replace the window by it; whether the page belongs there."""
    note_people(room, page.posts)
    window = room.window
    saved, unsent = split(window.posts)
    if _is_stale(page, saved):
        return False
    unsent = _others(unsent, page.posts)
    if page.part in (Part.LAST, Part.AROUND):
        arrived = [*window.late] if window.has_newer else saved
        saved = [*page.posts]
        window.has_older, window.has_newer = not page.is_end, page.has_newer
        if not page.has_newer:
            _reach_end(window, saved, arrived)
    elif page.part is Part.OLDER:
        older = _others(page.posts, saved)
        saved = older + saved
        window.has_older = bool(older) and not page.is_end
        if len(saved) > LONGEST_BROWSED:
            window.late.extend(saved[LONGEST_BROWSED:])
            del saved[LONGEST_BROWSED:]
            window.has_newer = True
    else:
        newer = _others(page.posts, saved)
        saved += newer
        window.has_newer = bool(newer) and not page.is_end
        if not window.has_newer:
            _reach_end(window, saved, [*window.late])
        if len(saved) > LONGEST_BROWSED:
            del saved[:-LONGEST_BROWSED]
            window.has_older = True
    window.posts = saved + unsent
    return True


def _reach_end(window: Window, saved: list[Post], arrived: Sequence[Post]) -> None:
    """Add what has arrived after the end of a page, up to which the window now reaches."""
    end = saved[-1].received if saved else None
    later = [post for post in _others(arrived, saved) if end is None or post.received >= end]
    if len(later) == MOST_LATE:  # those before the first of them are unknown
        window.has_newer = True
    else:
        saved += later
        window.late.clear()


def _is_stale(page: PageRead, saved: Sequence[Post]) -> bool:
    """Whether another page has replaced the window since this one was asked for."""
    if page.part in (Part.LAST, Part.AROUND):
        return False
    return not saved or page.edge != saved[0 if page.part is Part.OLDER else -1].received


def read_last(room: Room) -> do.ReadLast:
    """Have the last page of a room read. Until then, nobody else asks for a page."""
    room.window.reading = Reading.RUNNING
    return do.ReadLast(room.name)


def shorten(room: Room, *, is_open: bool, is_at_end: bool) -> None:
    """Forget what is not shown and is in the history anyway."""
    saved, unsent = split(room.posts)
    if room.window.has_newer:
        if not is_open:
            room.window = Window(unsent, reading=room.window.reading)
        return
    most = (LONGEST_WINDOW if is_at_end else LONGEST_BROWSED) if is_open else SHORTEST_WINDOW
    if len(saved) > most + SHORTEST_WINDOW:  # seldom, but then many
        room.window.posts, room.window.has_older = saved[-most:] + unsent, True


def change(room: Room, id_: str, **values: object) -> Post | None:
    """Change the unsent post with this ID. Returns the new one; None if there is none."""
    index = _index_of_unsent(room, id_)
    if index is None:
        return None
    room.posts[index] = replace(room.posts[index], **values)  # type: ignore[arg-type]  # fields of Post
    return room.posts[index]


def remove(room: Room, id_: str) -> Post | None:
    """Remove the unsent post with this ID, and return it; None if there is none."""
    index = _index_of_unsent(room, id_)
    return None if index is None else room.posts.pop(index)


def unsent_post(room: Room, id_: str) -> Post | None:
    """Your own post with this ID, if it has not come back."""
    index = _index_of_unsent(room, id_)
    return None if index is None else room.posts[index]


def _index_of_unsent(room: Room, id_: str) -> int | None:
    """Others may send any ID, also that of a post of yours."""
    for index in range(len(room.posts) - 1, -1, -1):
        if room.posts[index].delivery is Delivery.ARRIVED:
            break
        if room.posts[index].id == id_:
            return index
    return None


def same_moment(posts: Sequence[Post]) -> int:
    """How many posts at the beginning arrived in the same millisecond."""
    moment = milliseconds(posts[0].received)
    return sum(1 for _ in takewhile(lambda post: milliseconds(post.received) == moment, posts))


def note_people(room: Room, posts: Sequence[Post]) -> None:
    """Remember who has written."""
    for post in posts:
        known = room.people.get(post.sender)
        if known is None or known.last <= post.received:
            room.people.pop(post.sender, None)  # the one who wrote last is the last
            room.people[post.sender] = Person(post.sender, post.name, post.received)
    while len(room.people) > MOST_PEOPLE:
        del room.people[next(iter(room.people))]
