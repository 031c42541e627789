"""Your own messages: drafts, what is on its way, and what was not sent."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.changes import last_unsent, text_of, waiting_reaction
from aws_iot.chat.model.posts import Answered, Delivery, Post, answered_by
from aws_iot.chat.model.reducers import presence
from aws_iot.chat.model.state import Aim, Change, Draft, Link, Room, State
from aws_iot.chat.model.threads import unfold
from aws_iot.chat.model.windows import change, read_last, remove, shorten, split, unsent_post
from aws_iot.chat.text.slashes import below, typed_form
from aws_iot.messaging.kinds import DELETE, DELETED_TEXT, EDIT, REACT, are_same_reaction

Effects = list[do.Effect]


def unsent(state: State, event: on.Unsent) -> Effects:
    """An ended chat has left it, perhaps in a room that this one does not have."""
    effects: Effects = [] if event.room in state.rooms else [do.Join(event.room)]
    room = state.known_room(event.room)
    state.sending.left.add(event.id)
    if event.kind:
        _note_change(state, event.id, Change(event.kind, event.room, event.text, event.re or ""))
    elif all(post.id != event.id for post in room.posts):
        append_pending(state, room, event.text, event.id, event.at, _unread_quote(event.re))
    count_waiting(state)
    return effects


def _unread_quote(ref: str | None) -> Answered | None:
    return Answered(ref, "", None, None) if ref else None


def submitted(state: State, event: on.Submitted) -> Effects:
    """The draft is sent: as a message, an answer or the new text of a message."""
    room = state.rooms[event.room]
    aim = room.draft.aim
    room.draft = Draft(aim.kept if aim else "")
    saved = do.SaveDraft(event.room, room.draft)
    if aim and aim.kind == EDIT:
        if event.text == aim.about.text:
            state.notice = "Nothing was changed."
            return [saved]
        return [_send_change(state, event.id, Change(EDIT, room.name, event.text, aim.about.id)), saved]
    room.unread_since = None
    append_pending(state, room, event.text, event.id, event.at, aim.about if aim else None)
    unfold(room.posts, room.posts[-1], state.look.folded)
    re = aim.about.id if aim else None
    effects: Effects = [do.Send(event.room, event.text, event.id, re=re), saved]
    if event.room == state.current:
        effects += to_end(state)
    return effects


def _note_change(state: State, id_: str, change: Change) -> None:
    state.sending.changes[id_] = change._replace(after=last_unsent(state.rooms[change.room]))
    count_waiting(state)


def _send_change(state: State, id_: str, change: Change) -> do.Send:
    _note_change(state, id_, change)
    if state.status.link is not Link.ONLINE:
        state.notice = f"{_CALLED.get(change.kind, 'The change')} is sent when there is a connection."
    return do.Send(change.room, change.text, id_, change.kind, change.about)


def start_failed(state: State, messages: Sequence[do.FailedMessage], now: datetime) -> None:
    """Show again what an earlier run could not send."""
    for one in messages:
        about = _unread_quote(one.about)
        add_failed(state, one, now, None if one.is_edit else about, about if one.is_edit else None)


def add_failed(
    state: State,
    message: do.FailedMessage,
    now: datetime,
    answered: Answered | None,
    replaces: Answered | None,
) -> None:
    """Show a message or an edit that was not sent."""
    room = state.known_room(message.room)
    append_pending(state, room, message.text, message.id, now, answered)
    change(room, message.id, delivery=Delivery.FAILED, why=message.why, replaces=replaces)
    count_waiting(state)


def to_end(state: State) -> Effects:
    room = state.room
    state.look.is_at_end, state.look.selected, room.place = True, None, None
    if room.window.has_newer:
        return [read_last(room)]
    shorten(room, is_open=True, is_at_end=True)
    return []


def append_pending(
    state: State, room: Room, text: str, id_: str, at: datetime, answered: Answered | None = None
) -> None:
    """Show a message that is on its way."""
    room.posts.append(
        Post(
            room.name,
            state.me.identity,
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
    state.sending.changes.pop(event.id, None)
    count_waiting(state)
    return []


def send_failed(state: State, event: on.SendFailed) -> Effects:
    """It was not sent. A message or an edit stays; another change is only told of."""
    if changed := state.sending.changes.pop(event.id, None):
        if changed.kind == EDIT:
            about = _unread_quote(changed.about)
            message = do.FailedMessage(changed.room, changed.text, event.id, event.why, changed.about, True)
            add_failed(state, message, event.at, None, about)
        else:
            state.notice = f"{_CALLED.get(changed.kind, 'The change')} was not sent: {event.why}"
    for room in state.rooms.values():
        change(room, event.id, delivery=Delivery.FAILED, why=event.why)
    count_waiting(state)
    return [_save_failed(state)]


_CALLED = {EDIT: "The edit", DELETE: "The deletion", REACT: "The reaction"}


def resent(state: State, event: on.Resent) -> Effects:
    """Once more."""
    room = state.rooms[event.room]
    post = change(room, event.id, delivery=Delivery.PENDING, why="")
    if post is None:
        return []
    if post.replaces:
        remove(room, event.id)
        sent = _send_change(state, event.id, Change(EDIT, room.name, post.text, post.replaces.id))
    else:
        count_waiting(state)
        sent = do.Send(room.name, post.text, event.id, re=post.answered.id if post.answered else None)
    return [sent, _save_failed(state)]


def discarded(state: State, event: on.Discarded) -> Effects:
    """It is given up, or becomes the draft. One that waits is first taken from what sends it."""
    room = state.rooms[event.room]
    if event.id in state.sending.changes:
        return [do.Withdraw(event.id)]
    post = unsent_post(room, event.id)
    if post is None or post.delivery is Delivery.ACKNOWLEDGED:
        return []
    if post.delivery is Delivery.PENDING:
        return [do.Withdraw(event.id)]
    remove(room, event.id)
    effects: Effects = [_save_failed(state)]
    if event.to_draft:
        effects.append(_put_back(state, room, post.text, post.answered, post.replaces))
    return effects


def withdrawn(state: State, event: on.Withdrawn) -> Effects:
    """It will not be sent. A message or an edit becomes the draft."""
    room = state.known_room(event.room)
    post = remove(room, event.id)
    changed = state.sending.changes.pop(event.id, None)
    count_waiting(state)
    if changed is None:
        return [_put_back(state, room, post.text if post else event.text, post.answered if post else None)]
    if changed.kind == EDIT:
        known = next((one for one in room.posts if one.ref == changed.about), None)
        replaces = answered_by(known) if known else _unread_quote(changed.about)
        return [_put_back(state, room, changed.text, None, replaces)]
    what = _CALLED.get(changed.kind, "The change")
    stays = changed.kind == DELETE and changed.text != DELETED_TEXT
    state.notice = "The reaction stays." if stays else f"{what} was taken back."
    return []


def _put_back(
    state: State, room: Room, text: str, answered: Answered | None, replaces: Answered | None = None
) -> do.SaveDraft:
    """The text becomes the draft: with what it answers or replaces, below what is there."""
    before = room.draft
    is_edit = before.aim is not None and before.aim.kind == EDIT
    if before.aim and is_edit:  # it is no part of the other message's new text
        room.draft = replace(before, aim=replace(before.aim, kept=below((before.aim.kept, typed_form(text)))))
    elif replaces:
        room.draft = Draft(typed_form(text), Aim(EDIT, replaces, before.text))
    else:
        aim = Aim(None, answered) if answered and not before.text else None
        room.draft = Draft(below((before.text, typed_form(text))), before.aim or aim)
    state.sending.put_back = state.sending.put_back[0] + 1, text
    return do.SaveDraft(room.name, room.draft)


def reacted(state: State, event: on.Reacted) -> Effects:
    """A reaction, or taking it back."""
    post = event.post
    if state.status.link is not Link.ONLINE and (waiting := waiting_reaction(state, post, event.text)):
        return [do.Withdraw(waiting)]
    mine = any(
        are_same_reaction(one.text, event.text) and state.me.identity in one.senders for one in post.reactions
    )
    if not mine:
        return [_send_change(state, event.id, Change(REACT, post.room, event.text, post.ref))]
    _note_change(state, event.id, Change(DELETE, post.room, event.text, post.ref))
    return [do.TakeBack(post.room, post.ref, event.text, event.id)]


def deleted(state: State, event: on.Deleted) -> Effects:
    """A deletion. Receivers check that it is of the sender, and so does what sends it."""
    return [_send_change(state, event.id, Change(DELETE, event.post.room, DELETED_TEXT, event.post.ref))]


def aimed(state: State, event: on.Aimed) -> Effects:
    """The draft gets a purpose, or loses it. What was typed before an edit comes back after it."""
    room = state.room
    before = room.draft.aim
    text = before.kept if before and before.kind == EDIT else room.draft.text
    post = event.post
    if post is None:
        room.draft = Draft(text)
    else:
        is_edit = event.kind == EDIT
        current = text_of(state, post) if is_edit else post.text
        about = answered_by(replace(post, text=current))
        room.draft = Draft(
            typed_form(current) if is_edit else text, Aim(event.kind, about, text if is_edit else "")
        )
    return [do.SaveDraft(room.name, room.draft)]


def typed(state: State, event: on.Typed) -> Effects:
    """The draft has changed."""
    room = state.rooms.get(event.room)
    if room is None or room.draft.text == event.text:
        return []
    room.draft = replace(room.draft, text=event.text)
    return [do.SaveDraft(event.room, room.draft), *presence.typing(state, event.room, event.text)]


def _save_failed(state: State) -> do.SaveFailed:
    return do.SaveFailed(
        tuple(_failed_message(post) for room in state.rooms.values() for post in room.failed)
    )


def _failed_message(post: Post) -> do.FailedMessage:
    about = post.replaces or post.answered
    return do.FailedMessage(
        post.room, post.text, post.id or "", post.why, about.id if about else "", post.replaces is not None
    )


def count_waiting(state: State) -> None:
    """How many of your messages are not acknowledged."""
    pending = sum(
        post.delivery is Delivery.PENDING for room in state.rooms.values() for post in split(room.posts)[1]
    )
    state.sending.waiting = pending + len(state.sending.changes)
