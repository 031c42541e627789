"""What happens to rooms: found in the history, opened, joined, left."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.changes import changes_of
from aws_iot.chat.model.posts import Delivery
from aws_iot.chat.model.reducers import presence
from aws_iot.chat.model.reducers.reading import mark_if_read
from aws_iot.chat.model.reducers.sending import start_failed
from aws_iot.chat.model.state import Draft, Joining, Left, Link, Place, Reading, Room, State, Window
from aws_iot.chat.model.windows import read_last, shorten, split

Effects = list[do.Effect]

FIRST_ROOM = "lobby"
"""The room that is opened if you have none."""

TRYING = "Trying to connect."
"""A notice, until there is a connection."""

MOST_ROOMS = 50
"""AWS IoT Core allows so many subscriptions on a connection."""


def start(
    state: State,
    rooms: Sequence[str],
    drafts: Mapping[str, Draft],
    failed: Sequence[do.FailedMessage],
    now: datetime,
) -> Effects:
    """The first effects. Without `rooms`, those of the history are joined. `failed` was not sent by an earlier run."""
    state.presence.began = now
    state.left = {name: Left(draft) for name, draft in drafts.items()}
    for name in rooms:
        state.known_room(name)
    start_failed(state, failed, now)
    joins = [do.Join(name) for name in state.rooms]  # also those of what was not sent
    if not rooms:
        return [do.ReadRooms(), *joins]
    return [do.ReadRooms(), *joins, *open_room(state, rooms[0]), _save_rooms(state)]


def rooms_found(state: State, event: on.RoomsFound) -> Effects:
    """The rooms of the history: how much is unread. Without other rooms, they are joined."""
    effects: Effects = []
    if not state.current:
        by_age = sorted(event.rooms, key=lambda found: found.last, reverse=True)[:MOST_ROOMS]
        names = [found.room for found in by_age] or [FIRST_ROOM]
        for name in names:
            state.known_room(name)
            effects.append(do.Join(name))
        effects += [*open_room(state, names[0]), _save_rooms(state)]
    for found in event.rooms:
        room = state.rooms.get(found.room)
        if room and not room.window.is_loaded:
            room.unread = found.unread
        if room and found.unread and found.room != state.current:
            effects.append(do.ReadUnread(found.room))
    return effects


def status_changed(state: State, event: on.StatusChanged) -> Effects:
    """The connection: without one, no room is joined."""
    is_waiting = event.status.link not in (Link.ONLINE, Link.CONNECTING)
    state.status = replace(event.status, retry_at=state.status.retry_at if is_waiting else None)
    if event.status.link is not Link.ONLINE:
        for room in state.rooms.values():
            room.joining = Joining.ASKED
        presence.cut_off(state.presence)
    elif state.notice == TRYING:
        state.notice = ""
    return []


def retry_planned(state: State, event: on.RetryPlanned) -> Effects:
    """The status line tells how long that is."""
    state.status = replace(state.status, retry_at=event.at)
    return []


def reconnect_asked(state: State, _: on.ReconnectAsked) -> Effects:
    """At once, unless there is a connection."""
    if state.status.link is Link.ONLINE:
        state.notice = "The chat is online."
        return []
    state.notice = TRYING
    return [do.Reconnect()]


def rooms_joined(state: State, event: on.RoomsJoined) -> Effects:
    """The broker sends their messages."""
    for name in event.rooms:
        if name in state.rooms:
            state.rooms[name].joining = Joining.JOINED
    return []


def join_failed(state: State, event: on.JoinFailed) -> Effects:
    """The broker does not send its messages."""
    if room := state.rooms.get(event.room):
        room.joining = Joining.REFUSED
        state.notice = f"{event.room}: {event.why}"
    return []


def room_opened(state: State, event: on.RoomOpened) -> Effects:
    """Show a room, and join it if necessary."""
    if event.room == state.current:
        return []
    if event.at_end:
        state.known_room(event.room).place = None
    if event.room in state.rooms:
        return [*open_room(state, event.room), _save_rooms(state)]
    state.known_room(event.room)
    return [do.Join(event.room), *open_room(state, event.room), _save_rooms(state)]


def open_room(state: State, name: str) -> Effects:
    """Show a room that is known, where the person has left it."""
    enter_room(state, name)
    room = state.room
    state.look.is_at_end = room.place is None
    if room.place:
        return _return(state, room, room.place)
    if room.window.is_loaded:
        return mark_if_read(state)
    if room.window.reading is Reading.RUNNING:
        return []
    return [read_last(room)]


def enter_room(state: State, name: str) -> None:
    """Change to a room that is known. What of it is shown, is still to be decided."""
    if left := state.rooms.get(state.current):
        if not left.unread:
            left.unread_since = None
        _note_place(left)
        shorten(left, is_open=False, is_at_end=True)
    state.current, state.look.selected = name, None


def _note_place(room: Room) -> None:
    """Note where the history has the place in which the person reads, before the window is shortened."""
    if room.place and room.window.is_loaded:
        post = next((post for post in room.posts if post.key == room.place.key), None)
        room.place = room.place._replace(ref=post.ref, at=post.at) if post else None


def _return(state: State, room: Room, place: Place) -> Effects:
    """Show the place of a room. If the window does not have it, it is read; nothing else is shown until then."""
    if room.window.is_loaded and any(post.key == place.key for post in room.posts):
        state.look.returns += 1
        return []
    if room.window.reading is Reading.RETURNING:
        return []
    room.window = Window(split(room.posts)[1], reading=Reading.RETURNING)
    return [do.ReadAround(room.name, place.at, place.ref)]


def room_left(state: State, event: on.RoomLeft) -> Effects:
    """Leave a room, except the only one."""
    names = state.room_names()
    if event.room not in names:
        state.notice = f"You are not in {event.room}."
        return []
    if len(names) == 1:
        state.notice = "This is the only room: join another one first."
        return []
    mine = split(state.rooms[event.room].posts)[1]
    if any(post.delivery is not Delivery.ACKNOWLEDGED for post in mine):
        state.notice = f"A message of yours in {event.room} is not sent yet: /resend or /discard it first."
        return []
    if any(changes_of(state, state.rooms[event.room])):
        state.notice = f"A change of yours in {event.room} is not sent yet: /discard it first."
        return []
    at = names.index(event.room)
    effects: Effects = [*presence.left(state, event.room), do.Leave(event.room)]
    if event.room == state.current:
        effects += open_room(state, names[at - 1 if at else 1])
    left = state.rooms.pop(event.room)
    state.left[event.room] = Left(left.draft, left.gaps)
    return [*effects, _save_rooms(state)]


def _save_rooms(state: State) -> do.SaveRooms:
    return do.SaveRooms(tuple(state.rooms), state.current)
