"""Reducer: applies an event to the state, and tells what is to be done. It waits for nothing, and has no other input.

A message of your own goes through these steps: `Submitted` adds it to the window as pending. `Acknowledged` follows
when the broker has it. When it comes back with `Received`, it takes its place among the others. `SendFailed` leaves it
in the window with the reason, until it is sent again or given up.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.posts import Delivery, Post, post_of
from aws_iot.chat.model.state import Link, Room, State
from aws_iot.chat.model.windows import (
    add_arrived,
    change,
    first_of_unread,
    merge_page,
    remove,
    same_moment,
    shorten,
    split,
)
from aws_iot.history.conversation import is_event

Effects = list[do.Effect]

FIRST_ROOM = "lobby"
"""The room that is opened if you have none."""

MOST_ROOMS = 50
"""AWS IoT Core allows so many subscriptions on a connection."""


def update(state: State, event: on.Event) -> Effects:
    """Apply an event."""
    return _REDUCERS[type(event)](state, event)


def start(
    state: State,
    rooms: Sequence[str],
    drafts: Mapping[str, str],
    failed: Sequence[do.FailedMessage],
    now: datetime,
) -> Effects:
    """The first effects. Without `rooms`, those of the history are joined. `failed` was not sent by an earlier run."""
    for name in (*rooms, *(one.room for one in failed)):
        state.rooms.setdefault(name, Room(name))
    for one in failed:
        _append_pending(state, state.rooms[one.room], one.text, one.id, now)
        change(state.rooms[one.room], one.id, delivery=Delivery.FAILED, why=one.why)
    for name, text in drafts.items():
        if name in state.rooms:
            state.rooms[name].draft = text
    if not rooms:
        return [do.ReadRooms()]
    _count_waiting(state)
    opened = _open(state, rooms[0])
    return [do.ReadRooms(), *(do.Join(name) for name in rooms), *opened, _save_rooms(state)]


def _rooms_found(state: State, event: on.RoomsFound) -> Effects:
    effects: Effects = []
    if not state.current:
        by_age = sorted(event.rooms, key=lambda found: found.last, reverse=True)[:MOST_ROOMS]
        names = [found.room for found in by_age] or [FIRST_ROOM]
        for name in names:
            state.rooms[name] = Room(name)
            effects.append(do.Join(name))
        effects += [*_open(state, names[0]), _save_rooms(state)]
    for found in event.rooms:
        room = state.rooms.get(found.room)
        if room and not room.is_loaded:
            room.unread, room.last = found.unread, found.last
    return effects


def _page_read(state: State, event: on.PageRead) -> Effects:
    room = state.rooms.get(event.room)
    if room is None:
        return []
    was_loaded = room.is_loaded and not room.has_newer
    merge_page(room, event)
    room.is_loaded, room.is_loading = True, False
    if event.part is on.Part.LAST and not was_loaded:
        on_page = {post.key for post in event.posts}
        later = sum(
            post.sender != state.identity and post.key not in on_page for post in split(room.posts)[0]
        )
        room.unread = event.unread + later
        room.first_unread = first_of_unread(split(room.posts)[0], state.identity, room.unread)
    return _mark_if_read(state)


def _post_read(state: State, event: on.PostRead) -> Effects:
    room = state.rooms.get(event.post.room)
    if room:
        for index, post in enumerate(room.posts):
            if post.key == event.post.key and post.delivery is Delivery.ARRIVED:
                room.posts[index] = event.post
    return []


def _received(state: State, event: on.Received) -> Effects:
    effects: Effects = []
    for name, messages in groupby(event.messages, lambda message: message.room):
        room = state.rooms.setdefault(name, Room(name, is_joined=True))
        posts: list[Post] = []
        changed: dict[str, None] = {}
        for message in messages:
            if not is_event(message.kind, message.re):
                posts.append(post_of(message))
            elif message.re:
                changed[message.re] = None
        if posts:
            effects += _arrived(state, room, posts)
        known = {post.id for post in room.posts} if changed else set()
        effects += [do.ReadPost(name, id_) for id_ in changed if id_ in known]
        effects += [do.ReadPost(name, post.id) for post in posts if post.answered and post.id]
    return effects


def _arrived(state: State, room: Room, posts: Sequence[Post]) -> Effects:
    before = {post.key for post in room.posts if post.delivery is Delivery.ARRIVED}
    add_arrived(room, posts)
    room.last = posts[-1].received
    new = [post for post in posts if post.sender != state.identity and post.key not in before]
    is_open = room.name == state.current
    if new and not (is_open and _is_reading(state)):
        if not room.unread:
            room.first_unread = new[0].key
        room.unread += len(new)
    shorten(room, is_open=is_open, is_at_end=state.is_at_end)
    _count_waiting(state)
    return _mark_if_read(state, is_new=True) if is_open else []


def _is_reading(state: State) -> bool:
    """Whether what arrives in the open room is read at once."""
    room = state.room
    return state.is_focused and state.is_at_end and room.is_loaded and not room.has_newer


def _mark_if_read(state: State, *, is_new: bool = False) -> Effects:
    if state.current not in state.rooms or not _is_reading(state):
        return []
    room = state.room
    saved, _ = split(room.posts)
    if not saved or not (room.unread or is_new):
        return []
    room.unread = 0
    return [do.MarkRead(room.name, saved[-1].received)]


def _status_changed(state: State, event: on.StatusChanged) -> Effects:
    state.status = event.status
    if event.status.link is not Link.ONLINE:
        for room in state.rooms.values():
            room.is_joined = False
    return []


def _rooms_joined(state: State, event: on.RoomsJoined) -> Effects:
    for name in event.rooms:
        if name in state.rooms:
            state.rooms[name].is_joined, state.rooms[name].why_not_joined = True, ""
    return []


def _join_failed(state: State, event: on.JoinFailed) -> Effects:
    if room := state.rooms.get(event.room):
        room.is_joined, room.why_not_joined = False, event.why
        state.notice = f"{event.room}: {event.why}"
    return []


def _unsent(state: State, event: on.Unsent) -> Effects:
    room = state.rooms.setdefault(event.room, Room(event.room))
    if all(post.id != event.id for post in room.posts):
        _append_pending(state, room, event.text, event.id, event.at)
    return []


def _submitted(state: State, event: on.Submitted) -> Effects:
    room = state.rooms[event.room]
    _append_pending(state, room, event.text, event.id, event.at)
    room.draft, room.first_unread = "", None
    effects: Effects = [do.Send(event.room, event.text, event.id), do.SaveDraft(event.room, "")]
    if event.room == state.current:
        effects += _to_end(state)
    return effects


def _append_pending(state: State, room: Room, text: str, id_: str, at: datetime) -> None:
    room.posts.append(
        Post(room.name, state.identity, state.username, text, at, id_, delivery=Delivery.PENDING)
    )
    _count_waiting(state)


def _acknowledged(state: State, event: on.Acknowledged) -> Effects:
    for room in state.rooms.values():
        for index, post in enumerate(room.posts):
            if post.id == event.id and post.delivery is Delivery.PENDING:
                room.posts[index] = _with(post, Delivery.ACKNOWLEDGED)
    _count_waiting(state)
    return []


def _send_failed(state: State, event: on.SendFailed) -> Effects:
    for room in state.rooms.values():
        for index, post in enumerate(room.posts):
            if post.id == event.id and post.delivery is Delivery.PENDING:
                room.posts[index] = _with(post, Delivery.FAILED, event.why)
    _count_waiting(state)
    return [_save_failed(state)]


def _resent(state: State, event: on.Resent) -> Effects:
    room = state.rooms[event.room]
    post = change(room, event.id, delivery=Delivery.PENDING, why="")
    _count_waiting(state)
    return [do.Send(room.name, post.text, event.id), _save_failed(state)] if post else []


def _discarded(state: State, event: on.Discarded) -> Effects:
    room = state.rooms[event.room]
    post = remove(room, event.id)
    if post is None:
        return []
    effects: Effects = [_save_failed(state)]
    if event.to_draft:
        room.draft = f"{room.draft}\n{post.text}" if room.draft else post.text
        effects.append(do.SaveDraft(room.name, room.draft))
    return effects


def _save_failed(state: State) -> do.SaveFailed:
    return do.SaveFailed(
        tuple(
            do.FailedMessage(post.room, post.text, post.id or "", post.why)
            for room in state.rooms.values()
            for post in room.failed
        )
    )


def _with(post: Post, delivery: Delivery, why: str = "") -> Post:
    return replace(post, delivery=delivery, why=why)


def _count_waiting(state: State) -> None:
    state.waiting = sum(
        post.delivery is Delivery.PENDING for room in state.rooms.values() for post in split(room.posts)[1]
    )


def _typed(state: State, event: on.Typed) -> Effects:
    room = state.rooms.get(event.room)
    if room is None or room.draft == event.text:
        return []
    room.draft = event.text
    return [do.SaveDraft(event.room, event.text)]


def _room_opened(state: State, event: on.RoomOpened) -> Effects:
    if event.room == state.current:
        return []
    if event.room in state.rooms:
        return [*_open(state, event.room), _save_rooms(state)]
    state.rooms[event.room] = Room(event.room)
    return [do.Join(event.room), *_open(state, event.room), _save_rooms(state)]


def _open(state: State, name: str) -> Effects:
    if left := state.rooms.get(state.current):
        if not left.unread:
            left.first_unread = None
        shorten(left, is_open=False, is_at_end=True)
    state.current, state.is_at_end = name, True
    room = state.room
    if room.is_loaded:
        return _mark_if_read(state)
    if room.is_loading:
        return []
    room.is_loading = True
    return [do.ReadLast(name)]


def _room_left(state: State, event: on.RoomLeft) -> Effects:
    names = state.room_names()
    if event.room not in names or len(names) == 1:
        state.notice = "This is the only room: join another one first."
        return []
    at = names.index(event.room)
    effects: Effects = [do.Leave(event.room)]
    if event.room == state.current:
        effects += _open(state, names[at - 1 if at else 1])
    del state.rooms[event.room]
    return [*effects, _save_rooms(state)]


def _save_rooms(state: State) -> do.SaveRooms:
    return do.SaveRooms(tuple(state.rooms), state.current)


def _focused(state: State, event: on.Focused) -> Effects:
    state.is_focused = event.is_focused
    return _mark_if_read(state)


def _scrolled(state: State, event: on.Scrolled) -> Effects:
    room = state.rooms.get(state.current)
    if room is None:
        return []
    state.is_at_end = event.is_at_end and not room.has_newer
    effects = _mark_if_read(state)
    saved, _ = split(room.posts)
    if room.is_loading or not room.is_loaded or not saved:
        return effects
    if event.near_top and room.has_older:
        room.is_loading = True
        return [*effects, do.ReadOlder(room.name, saved[0].received, same_moment(saved))]
    if event.near_end and room.has_newer:
        room.is_loading = True
        return [*effects, do.ReadNewer(room.name, saved[-1].received, same_moment(saved[::-1]))]
    return effects


def _jumped(state: State, _: on.Jumped) -> Effects:
    return [*_to_end(state), *_mark_if_read(state)]


def _to_end(state: State) -> Effects:
    room = state.room
    state.is_at_end = True
    if room.has_newer:
        room.is_loading = True
        return [do.ReadLast(room.name)]
    shorten(room, is_open=True, is_at_end=True)
    return []


def _noticed(state: State, event: on.Noticed) -> Effects:
    state.notice = event.text
    return []


def _warned(state: State, event: on.Warned) -> Effects:
    state.warning = event.text
    return []


_REDUCERS: dict[type, Callable[[State, Any], Effects]] = {
    on.RoomsFound: _rooms_found,
    on.PageRead: _page_read,
    on.PostRead: _post_read,
    on.Received: _received,
    on.StatusChanged: _status_changed,
    on.RoomsJoined: _rooms_joined,
    on.JoinFailed: _join_failed,
    on.Unsent: _unsent,
    on.Acknowledged: _acknowledged,
    on.SendFailed: _send_failed,
    on.Warned: _warned,
    on.Submitted: _submitted,
    on.Resent: _resent,
    on.Discarded: _discarded,
    on.Typed: _typed,
    on.RoomOpened: _room_opened,
    on.RoomLeft: _room_left,
    on.Focused: _focused,
    on.Scrolled: _scrolled,
    on.Jumped: _jumped,
    on.Noticed: _noticed,
}
