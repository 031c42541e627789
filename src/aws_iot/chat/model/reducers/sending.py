"""Your own messages: drafts, what is on its way, and what was not sent."""

from dataclasses import replace
from datetime import datetime

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.posts import Answered, Delivery, Post
from aws_iot.chat.model.reducers import presence
from aws_iot.chat.model.state import Aim, Room, State
from aws_iot.chat.model.threads import unfold
from aws_iot.chat.model.windows import change, remove, shorten, split
from aws_iot.messaging.kinds import DELETE, DELETED_TEXT, EDIT, REACT

Effects = list[do.Effect]


def unsent(state: State, event: on.Unsent) -> Effects:
    """An earlier run has left it."""
    room = state.rooms.setdefault(event.room, Room(event.room))
    if event.kind:
        state.changes[event.id] = event.kind, event.room, event.text
    elif all(post.id != event.id for post in room.posts):
        append_pending(state, room, event.text, event.id, event.at, _unread_quote(event.re))
    count_waiting(state)
    return []


def _unread_quote(ref: str | None) -> Answered | None:
    return Answered(ref, "", None, None) if ref else None


def submitted(state: State, event: on.Submitted) -> Effects:
    """The draft is sent: as a message, an answer or the new text of a message."""
    room = state.rooms[event.room]
    aim, room.aim = room.aim, None
    room.draft = aim.kept if aim else ""
    saved = do.SaveDraft(event.room, room.draft)
    if aim and aim.kind == EDIT:
        state.changes[event.id] = EDIT, room.name, event.text
        count_waiting(state)
        return [do.Send(event.room, event.text, event.id, EDIT, aim.post.ref), saved]
    room.unread_since = None
    answered = Answered(aim.post.ref, aim.post.sender, aim.post.name, aim.post.text) if aim else None
    append_pending(state, room, event.text, event.id, event.at, answered)
    unfold(room.posts, room.posts[-1], state.folded)
    effects: Effects = [do.Send(event.room, event.text, event.id, re=aim.post.ref if aim else None), saved]
    if event.room == state.current:
        effects += to_end(state)
    return effects


def to_end(state: State) -> Effects:
    room = state.room
    state.is_at_end, state.selected = True, None
    if room.has_newer:
        room.is_loading = True
        return [do.ReadLast(room.name)]
    shorten(room, is_open=True, is_at_end=True)
    return []


def append_pending(
    state: State, room: Room, text: str, id_: str, at: datetime, answered: Answered | None = None
) -> None:
    """Show a message that is on its way."""
    room.posts.append(
        Post(
            room.name,
            state.identity,
            state.name,
            text,
            at,
            id_,
            id_,
            delivery=Delivery.PENDING,
            answered=answered,
        )
    )
    count_waiting(state)


def acknowledged(state: State, event: on.Acknowledged) -> Effects:
    """The broker has it."""
    for room in state.rooms.values():
        for index, post in enumerate(room.posts):
            if post.id == event.id and post.delivery is Delivery.PENDING:
                room.posts[index] = replace(post, delivery=Delivery.ACKNOWLEDGED)
    state.changes.pop(event.id, None)
    count_waiting(state)
    return []


def send_failed(state: State, event: on.SendFailed) -> Effects:
    """It was not sent. A message stays; the text of an edit becomes the draft again."""
    if changed := state.changes.pop(event.id, None):
        count_waiting(state)
        return _change_failed(state, *changed, event.why)
    for room in state.rooms.values():
        for index, post in enumerate(room.posts):
            if post.id == event.id and post.delivery is Delivery.PENDING:
                room.posts[index] = replace(post, delivery=Delivery.FAILED, why=event.why)
    count_waiting(state)
    return [_save_failed(state)]


_CALLED = {EDIT: "the edit", DELETE: "the deletion", REACT: "the reaction"}


def _change_failed(state: State, kind: str, name: str, text: str, why: str) -> Effects:
    state.notice = f"{_CALLED.get(kind, kind)} was not sent: {why}"
    room = state.rooms.get(name)
    if kind != EDIT or room is None or room.draft:
        return []
    room.draft = text
    return [do.SaveDraft(name, text)]


def resent(state: State, event: on.Resent) -> Effects:
    """Once more."""
    room = state.rooms[event.room]
    post = change(room, event.id, delivery=Delivery.PENDING, why="")
    count_waiting(state)
    if post is None:
        return []
    re = post.answered.id if post.answered else None
    return [do.Send(room.name, post.text, event.id, re=re), _save_failed(state)]


def discarded(state: State, event: on.Discarded) -> Effects:
    """It is given up, or becomes the draft."""
    room = state.rooms[event.room]
    post = remove(room, event.id)
    if post is None:
        return []
    effects: Effects = [_save_failed(state)]
    if event.to_draft:
        room.draft = f"{room.draft}\n{post.text}" if room.draft else post.text
        effects.append(do.SaveDraft(room.name, room.draft))
    return effects


def reacted(state: State, event: on.Reacted) -> Effects:
    """A reaction, or taking it back."""
    post = event.post
    mine = any(one.text == event.text and state.identity in one.senders for one in post.reactions)
    state.changes[event.id] = (DELETE if mine else REACT), post.room, event.text
    count_waiting(state)
    if mine:
        return [do.TakeBack(post.room, post.ref, event.text, event.id)]
    return [do.Send(post.room, event.text, event.id, REACT, post.ref)]


def deleted(state: State, event: on.Deleted) -> Effects:
    """A deletion. Receivers check that it is of the sender, and so does what sends it."""
    state.changes[event.id] = DELETE, event.post.room, DELETED_TEXT
    count_waiting(state)
    return [do.Send(event.post.room, DELETED_TEXT, event.id, DELETE, event.post.ref)]


def aimed(state: State, event: on.Aimed) -> Effects:
    """The draft gets a purpose, or loses it. What was typed before an edit comes back after it."""
    room = state.room
    before, room.aim = room.aim, None
    if before and before.kind == EDIT:
        room.draft = before.kept
    if event.post:
        kept = room.draft if event.kind == EDIT else ""
        room.aim = Aim(event.kind, event.post, kept)
        if event.kind == EDIT:
            room.draft = event.post.text
    return [] if event.kind == EDIT else [do.SaveDraft(room.name, room.draft)]


def typed(state: State, event: on.Typed) -> Effects:
    """The draft has changed. While a message is edited, the draft from before is saved with its new text."""
    room = state.rooms.get(event.room)
    if room is None or room.draft == event.text:
        return []
    room.draft = event.text
    kept = room.aim.kept if room.aim else ""
    saved = do.SaveDraft(event.room, f"{kept}\n{event.text}" if kept else event.text)
    return [saved, *presence.typing(state, event.room, event.text)]


def _save_failed(state: State) -> do.SaveFailed:
    return do.SaveFailed(
        tuple(
            do.FailedMessage(post.room, post.text, post.id or "", post.why)
            for room in state.rooms.values()
            for post in room.failed
        )
    )


def count_waiting(state: State) -> None:
    """How many of your messages are not acknowledged."""
    pending = sum(
        post.delivery is Delivery.PENDING for room in state.rooms.values() for post in split(room.posts)[1]
    )
    state.waiting = pending + len(state.changes)
