"""What the person looks at: the selected message, a place in the history, a search, threads, names."""

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.attention import ALL, MENTIONS, NONE
from aws_iot.chat.model.reducers.rooms import enter_room
from aws_iot.chat.model.state import Reading, Results, State
from aws_iot.chat.model.threads import root_of, unfold
from aws_iot.chat.model.windows import read_last

Effects = list[do.Effect]


def selected(state: State, event: on.Selected) -> Effects:
    """A message is selected."""
    state.look.selected = event.key
    if state.selected_post:
        unfold(state.room.posts, state.selected_post, state.look.folded)
    if event.reveals:
        state.look.reveals += 1
    return []


def went(state: State, event: on.Went) -> Effects:
    """To a message, or a moment. If the window has it, nothing is read."""
    effects: Effects = []
    if event.room != state.current:
        if event.room not in state.rooms:
            effects.append(do.Join(event.room))
        state.known_room(event.room).place = None
        enter_room(state, event.room)
        state.look.is_at_end = False
    room = state.room
    ref = event.post.ref if event.post else event.ref
    known = next((post for post in reversed(room.posts) if ref and post.ref == ref), None)
    if known and room.window.is_loaded:
        unfold(room.posts, known, state.look.folded)
        state.look.selected, state.look.is_at_end = known.key, False
        state.look.reveals += 1
        return effects
    room.window.reading = Reading.RUNNING
    at = event.post.at if event.post else None
    return [*effects, do.ReadAround(event.room, at, ref, event.moment)]


def went_to_unread(state: State, _: on.WentToUnread) -> Effects:
    """To the first unread message of the open room."""
    room = state.room
    since = room.unread_since
    if since is None:
        state.notice = "You have read everything in this room."
        return []
    is_above = room.window.has_older and (not room.posts or room.posts[0].received >= since)
    unread = (post for post in room.posts if post.received >= since and post.sender != state.me.identity)
    if not is_above and (first := next(unread, None)):
        unfold(room.posts, first, state.look.folded)
        state.look.selected, state.look.is_at_end = first.key, False
        state.look.reveals += 1
        return []
    room.window.reading = Reading.RUNNING
    return [do.ReadAround(room.name, moment=since)]


def not_found(state: State, event: on.NotFound) -> Effects:
    """It is not in the history."""
    for room in state.rooms.values():
        room.window.reading = Reading.IDLE
    if state.current not in state.rooms or state.room.window.is_loaded:
        state.notice = event.text
        return []
    if not state.room.place:  # otherwise the person has not asked for it, but only opened the room again
        state.notice = event.text
    state.room.place, state.look.is_at_end = None, True
    return [read_last(state.room)]


def searched(state: State, event: on.Searched) -> Effects:
    """A search begins, or ends."""
    if not event.text.strip():
        state.look.results = None
        return []
    state.look.results, state.look.sought = Results(event.text, event.room), event.text
    return [do.Search(event.text, event.room)]


def found(state: State, event: on.Found) -> Effects:
    """What the latest search has found; others came too late."""
    wanted = state.look.results
    if wanted and (wanted.text, wanted.room) == (event.text, event.room):
        state.look.results = Results(
            event.text, event.room, tuple(event.posts), event.error, False, tuple(event.places)
        )
    return []


def folded(state: State, event: on.Folded) -> Effects:
    """The replies of a thread are hidden or shown."""
    root = root_of(state.room.posts, event.post)
    state.look.folded ^= {root}
    if root in state.look.folded and event.post.ref != root:  # the selected message must be on the screen
        state.look.selected = next((post.key for post in state.room.posts if post.ref == root), None)
    return []


def versions_asked(_: State, event: on.VersionsAsked) -> Effects:
    """The earlier texts of a message."""
    return [do.ReadVersions(event.post.room, event.post.ref)]


def versions_read(state: State, event: on.VersionsRead) -> Effects:
    """They were read."""
    state.look.versions = event.key, tuple(event.texts)
    return []


def aliased(state: State, event: on.Aliased) -> Effects:
    """Your own name for an identity."""
    if event.name:
        state.me.aliases[event.identity] = event.name
    else:
        state.me.aliases.pop(event.identity, None)
    return [do.SaveAliases(tuple(sorted(state.me.aliases.items())))]


def panel_toggled(state: State, event: on.PanelToggled) -> Effects:
    """A panel is hidden or shown. On a narrow screen, it is only for now, and no other one is there."""
    if not event.is_wide:
        state.look.shown = {event.panel} - state.look.shown
        return []
    state.look.hidden ^= {event.panel}
    return [do.SaveHidden(tuple(sorted(state.look.hidden)))]


def level_set(state: State, event: on.LevelSet) -> Effects:
    """For which messages of a room the person is told."""
    state.me.levels[event.room] = event.level
    state.notice = f"{event.room}: notifications for {_LEVELS[event.level]}."
    return [do.SaveLevels(tuple(sorted(state.me.levels.items())))]


def renamed(state: State, event: on.Renamed) -> Effects:
    """Another name of your own."""
    state.me.nick = "" if event.name == state.me.username else event.name
    state.notice = f"Your messages now have the name {state.name}. Your identity stays the same."
    return [do.Rename(state.name)]


def exported(_: State, event: on.Exported) -> Effects:
    """The messages of a room, in a file."""
    return [do.Export(event.room, event.path)]


_LEVELS = {ALL: "all messages", MENTIONS: "messages that mention you", NONE: "no message"}


def noticed(state: State, event: on.Noticed) -> Effects:
    """The status line tells something."""
    state.notice = event.text
    return []


def warned(state: State, event: on.Warned) -> Effects:
    """Something does not work from now on, or works again."""
    state.warnings.pop(event.subject.value, None)
    if event.text:
        state.warnings[event.subject.value] = event.text
    return []
