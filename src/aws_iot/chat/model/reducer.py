"""Reducer: applies an event to the state, and tells what is to be done. It waits for nothing, and has no other input.

A message of your own goes through these steps: `Submitted` adds it to the window as pending. `Acknowledged` follows
when the broker has it. When it comes back with `Received`, it takes its place among the others. `SendFailed` leaves it
in the window with the reason, until it is sent again or given up. `Withdrawn` makes it the draft again, if it was given
up before anybody could receive it.
"""

from collections.abc import Callable
from typing import Any

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.reducers import looking, presence, reading, rooms, sending
from aws_iot.chat.model.state import State

Effects = list[do.Effect]

start = rooms.start
farewells = presence.farewells


def update(state: State, event: on.Event) -> Effects:
    """Apply an event."""
    effects: Effects = []
    if _is_of_person(state, event):
        state.presence.activity.since_tick = True
        effects = reading.attended(state)
    return effects + _REDUCERS[type(event)](state, event)


_ACTIVE = {on.Pressed, on.Submitted, on.RoomOpened, on.Selected, on.Reacted, on.Deleted}


def _is_of_person(state: State, event: on.Event) -> bool:
    """Whether it is something that only a person does who is there."""
    if isinstance(event, on.Typed):  # the screen also tells what it has put into the input itself
        room = state.rooms.get(event.room)
        return room is not None and room.draft.text != event.text
    return type(event) in _ACTIVE


_REDUCERS: dict[type, Callable[[State, Any], Effects]] = {
    on.RoomsFound: rooms.rooms_found,
    on.StatusChanged: rooms.status_changed,
    on.RetryPlanned: rooms.retry_planned,
    on.ReconnectAsked: rooms.reconnect_asked,
    on.RoomsJoined: rooms.rooms_joined,
    on.JoinFailed: rooms.join_failed,
    on.RoomOpened: rooms.room_opened,
    on.RoomLeft: rooms.room_left,
    on.UnreadRead: reading.unread_read,
    on.PageRead: reading.page_read,
    on.PageFailed: reading.page_failed,
    on.PostRead: reading.post_read,
    on.Received: reading.received,
    on.Missed: reading.missed,
    on.Focused: reading.focused,
    on.Scrolled: reading.scrolled,
    on.Jumped: reading.jumped,
    on.Unsent: sending.unsent,
    on.Submitted: sending.submitted,
    on.Acknowledged: sending.acknowledged,
    on.SendFailed: sending.send_failed,
    on.Withdrawn: sending.withdrawn,
    on.Resent: sending.resent,
    on.Discarded: sending.discarded,
    on.Reacted: sending.reacted,
    on.Deleted: sending.deleted,
    on.Aimed: sending.aimed,
    on.Typed: sending.typed,
    on.Selected: looking.selected,
    on.Went: looking.went,
    on.WentToUnread: looking.went_to_unread,
    on.NotFound: looking.not_found,
    on.Searched: looking.searched,
    on.Found: looking.found,
    on.Folded: looking.folded,
    on.VersionsAsked: looking.versions_asked,
    on.VersionsRead: looking.versions_read,
    on.Aliased: looking.aliased,
    on.Renamed: looking.renamed,
    on.Exported: looking.exported,
    on.LevelSet: looking.level_set,
    on.Noticed: looking.noticed,
    on.Warned: looking.warned,
    on.Sensed: presence.sensed,
    on.Ticked: reading.ticked,
    on.AnnounceFailed: presence.announce_failed,
    on.PresenceSet: presence.presence_set,
    on.PanelToggled: looking.panel_toggled,
    on.Pressed: presence.pressed,
}
