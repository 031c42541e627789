"""What arrives, what is read from the history, and what counts as read."""

from collections.abc import Sequence
from itertools import groupby

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.attention import ALL, calls, notify
from aws_iot.chat.model.gaps import MOST_GAPS, Gap
from aws_iot.chat.model.posts import Delivery, Key, Post, post_of
from aws_iot.chat.model.reducers import presence
from aws_iot.chat.model.reducers.sending import count_waiting, to_end
from aws_iot.chat.model.state import Joining, Reading, Room, State
from aws_iot.chat.model.threads import quoting_known, unfold
from aws_iot.chat.model.windows import add_arrived, merge_page, read_last, same_moment, shorten, split
from aws_iot.history.conversation import is_event

Effects = list[do.Effect]


def page_read(state: State, event: on.PageRead) -> Effects:
    """A page of the history joins the window, or replaces it."""
    room = state.rooms.get(event.room)
    if room is None:
        return []
    was_loaded, is_return = room.window.has_end, room.window.reading is Reading.RETURNING
    if not merge_page(room, event):
        if is_return:
            return []
        room.window.reading = Reading.IDLE
        # The person has left the room and returned: its window has no messages of the history.
        return [] if room.window.is_loaded or room.name != state.current else [read_last(room)]
    if event.part is on.Part.LAST:
        presence.has_read(state.presence, room.name, event.posts)
    room.window.is_loaded, room.window.reading = True, Reading.IDLE
    if event.part is on.Part.LAST and not was_loaded:
        on_page = {post.key for post in event.posts}
        later = [
            post
            for post in split(room.posts)[0]
            if post.sender != state.me.identity and post.key not in on_page
        ]
        room.unread = event.unread + len(later)
        if event.unread_since:
            room.unread_since = event.unread_since
        elif later:
            room.unread_since = later[0].received
    if event.part is on.Part.AROUND and event.room == state.current:
        state.look.is_at_end = False
        if is_return:
            state.look.returns += 1
        else:
            _reveal(state, event.target)
    if event.room != state.current:
        shorten(room, is_open=False, is_at_end=True)
    return mark_if_read(state)


def _reveal(state: State, target: Key | None) -> None:
    state.look.selected = target
    if state.selected_post:
        unfold(state.room.posts, state.selected_post, state.look.folded)
    state.look.reveals += 1


def unread_read(state: State, event: on.UnreadRead) -> Effects:
    """What mentions you among the unread messages of earlier runs. Some of it may have arrived meanwhile."""
    room = state.rooms.get(event.room)
    if room and room.unread:
        room.mentions = max(room.mentions, sum(calls(state, post) for post in event.posts))
    return []


def page_failed(state: State, event: on.PageFailed) -> Effects:
    """A page could not be read. What arrives is shown all the same."""
    if room := state.rooms.get(event.room):
        room.window.is_loaded, room.window.reading = True, Reading.FAILED
    return []


def ticked(state: State, event: on.Ticked) -> Effects:
    """What could not be read may be tried again. At once would be too often: the screen asks at each drawing.

    It asks for what follows the messages that are there. If there are none, the last page is read again.
    """
    effects: Effects = []
    for room in state.rooms.values():
        if room.window.reading is Reading.FAILED:
            room.window.reading = Reading.IDLE
            if not split(room.posts)[0]:
                effects.append(read_last(room))
    return [*effects, *presence.ticked(state, event)]


def post_read(state: State, event: on.PostRead) -> Effects:
    """A message was edited, deleted, reacted to, or its quote was read."""
    effects: Effects = []
    room = state.rooms.get(event.post.room)
    if room:
        for index, post in enumerate(room.posts):
            if post.key == event.post.key and post.delivery is Delivery.ARRIVED:
                room.posts[index] = event.post
                effects += _answer_known(state, room, post, event.post)
    return effects


def _answer_known(state: State, room: Room, before: Post, post: Post) -> Effects:
    """An unread message turns out to answer one of yours, which the window did not have."""
    is_unread = room.unread and room.unread_since and post.received >= room.unread_since
    is_of_other = post.sender != state.me.identity
    if not (is_unread and is_of_other and calls(state, post)) or calls(state, before):
        return []
    room.mentions += 1
    if (
        before.is_retained or state.me.levels.get(room.name) == ALL
    ):  # then the person was told when it arrived
        return []
    return notify(state, room, [post])


def received(state: State, event: on.Received) -> Effects:
    """Messages arrived. What changes other messages has those read again."""
    presence.wrote(state.presence, event.messages)
    effects: Effects = []
    for name, messages in groupby(event.messages, lambda message: message.room):
        is_new = name not in state.rooms
        if is_new and name in state.left:
            continue  # the person has left the room: only the history has it
        room = state.known_room(name)
        room.joining = Joining.JOINED if is_new else room.joining
        posts: list[Post] = []
        changed: dict[str, None] = {}
        for message in messages:
            if not is_event(message.kind, message.re):
                posts.append(post_of(message))
            elif message.re:
                changed[message.re] = None
                state.sending.changes.pop(message.id or "", None)
        if posts:
            posts = quoting_known(room, posts)
            effects += _arrived(state, room, posts)
        known = {post.ref for post in room.posts} if changed else set()
        quoting = {post.answered.id for post in room.posts if post.answered} if changed else set()
        effects += [do.ReadPost(name, ref) for ref in changed if ref in known]
        effects += [
            do.ReadPost(name, post.ref)
            for post in (room.posts if quoting & changed.keys() else posts)
            if post.answered and (post.answered.id in changed or (post in posts and not post.answered.sender))
        ]
        # What a deletion names may be a reaction or an edit. Only the history knows of which message.
        if unknown := [ref for ref in changed if ref not in known]:
            effects += [do.ReadTarget(name, ref) for ref in unknown]
    count_waiting(state)
    return effects


def missed(state: State, event: on.Missed) -> Effects:
    """Messages may be missing, which the conversation shows at their place."""
    if room := state.rooms.get(event.room):
        # The times of posts are rounded down to milliseconds, too, and what arrives now belongs after the gap.
        until = event.until.replace(microsecond=event.until.microsecond // 1_000 * 1_000)
        room.gaps = (*room.gaps, Gap(event.since, until))[-MOST_GAPS:]
    return []


def _arrived(state: State, room: Room, posts: Sequence[Post]) -> Effects:
    before = {post.key for post in room.posts if post.delivery is Delivery.ARRIVED}
    add_arrived(room, posts)
    new = [post for post in posts if post.sender != state.me.identity and post.key not in before]
    is_open = room.name == state.current
    if new and not (is_open and _is_reading(state)):
        if not room.unread:
            room.unread_since = new[0].received
        room.unread += len(new)
        room.mentions += sum(calls(state, post) for post in new)
    for post in new if state.look.folded else ():
        unfold(room.posts, post, state.look.folded)  # nobody would see that it is there
    effects = notify(state, room, [post for post in new if not post.is_retained]) if new else []
    shorten(room, is_open=is_open, is_at_end=state.look.is_at_end)
    return [*effects, *(mark_if_read(state, is_new=True) if is_open else [])]


def _is_reading(state: State) -> bool:
    """Whether what arrives in the open room is read at once."""
    return state.look.is_focused and state.look.is_at_end and state.room.window.has_end


def mark_if_read(state: State, *, is_new: bool = False) -> Effects:
    """The open room is read if its end is on a screen that has the focus."""
    if state.current not in state.rooms or not _is_reading(state):
        return []
    room = state.room
    saved, _ = split(room.posts)
    if not saved or not (room.unread or is_new):
        return []
    room.unread = room.mentions = 0
    return [do.MarkRead(room.name, saved[-1].received)]


def focused(state: State, event: on.Focused) -> Effects:
    """The terminal got or lost the focus."""
    state.look.is_focused = event.is_focused
    return mark_if_read(state)


def attended(state: State) -> Effects:
    """The person does something in the chat, so the terminal has the focus, even if it did not tell."""
    return [] if state.look.is_focused else focused(state, on.Focused(True))


def scrolled(state: State, event: on.Scrolled) -> Effects:
    """The person reads elsewhere. Near an end of the window, more is read."""
    room = state.rooms.get(state.current)
    if room is None or not room.window.is_loaded:  # the screen is empty, but what it will show is decided
        return []
    state.look.is_new_above = event.new_above
    state.look.is_at_end = event.is_at_end and not room.window.has_newer
    room.place = None if state.look.is_at_end else event.place
    effects = mark_if_read(state)
    saved, _ = split(room.posts)
    if room.window.reading is not Reading.IDLE or not saved:
        return effects
    if event.near_top and room.window.has_older:
        return [*effects, _read_next(room, on.Part.OLDER, saved)]
    if event.near_end and room.window.has_newer:
        return [*effects, _read_next(room, on.Part.NEWER, saved[::-1])]
    return effects


def _read_next(room: Room, part: on.Part, saved: Sequence[Post]) -> do.ReadNext:
    """Have the page read that follows the first of these posts, which are in the order away from it."""
    room.window.reading = Reading.RUNNING
    return do.ReadNext(room.name, part, saved[0].received, same_moment(saved), saved[0].at)


def jumped(state: State, _: on.Jumped) -> Effects:
    """To the newest message."""
    return [*to_end(state), *mark_if_read(state)]
