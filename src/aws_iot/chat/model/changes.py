"""Changes: your edits, deletions and reactions that are not acknowledged, and what `/discard` takes back."""

from collections.abc import Iterator, Mapping

from aws_iot.chat.model.posts import Delivery, Post
from aws_iot.chat.model.state import Change, Room, State
from aws_iot.messaging.kinds import DELETE, DELETED_TEXT, EDIT, REACT, are_same_reaction

NOT_SENT = {Delivery.PENDING, Delivery.FAILED}
"""Those of your messages that nobody can have seen, as far as is known."""


def changes_of(state: State, room: Room, ref: str | None = None) -> Iterator[tuple[str, Change]]:
    """The changes in a room that wait, or only those of one message, by ID; the oldest first."""
    for id_, change in state.sending.changes.items():
        if change.room == room.name and ref in (None, change.about):
            yield id_, change


def by_message(state: State, room: Room) -> Mapping[str, tuple[str, ...]]:
    """What is to happen to the messages of a room, by `ref`."""
    found: dict[str, tuple[str, ...]] = {}
    for _, change in changes_of(state, room):
        found[change.about] = (*found.get(change.about, ()), described(change))
    return found


def described(change: Change) -> str:
    """What a change is to do, for the line below the message."""
    if change.kind == DELETE:
        return "delete" if change.text == DELETED_TEXT else f"take back {change.text}"
    return f"edit: {change.text}" if change.kind == EDIT else f"react {change.text}"


def text_of(state: State, post: Post) -> str:
    """The text of a message of yours, as soon as everything is sent."""
    edits = [one.text for _, one in changes_of(state, state.rooms[post.room], post.ref) if one.kind == EDIT]
    return edits[-1] if edits else post.text


def waiting_reaction(state: State, post: Post, text: str) -> str | None:
    """The ID of what waits to add this reaction to a message, or to take it back."""
    for id_, change in changes_of(state, state.rooms[post.room], post.ref):
        if change.kind in (REACT, DELETE) and are_same_reaction(change.text, text):
            return id_
    return None


def last_unsent(room: Room) -> str | None:
    """The ID of your last message in a room that is not sent."""
    return next((post.id for post in reversed(room.posts) if post.delivery in NOT_SENT), None)


def to_discard(state: State) -> str | None:
    """The ID of the message or change that `/discard` means: that of the selected message, or else the last one."""
    room, selected = state.room, state.selected_post
    if selected and selected.delivery in NOT_SENT:
        return selected.id
    if selected and (ids := [id_ for id_, _ in changes_of(state, room, selected.ref)]):
        return ids[-1]
    message, changes = last_unsent(room), [*changes_of(state, room)]
    is_change_last = message is None or (changes and changes[-1][1].after == message)
    return changes[-1][0] if changes and is_change_last else message
