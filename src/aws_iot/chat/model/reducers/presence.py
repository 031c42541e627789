"""Presence: what the chats of others tell, and what yours tells them.

All of it is told with the next tick, except that you are typing, and that you leave. So a room that is joined and left
at once costs nothing, and several reasons to tell something make one message.
"""

import math
from collections.abc import Iterable

from aws_iot.chat.model import effects as do
from aws_iot.chat.model import events as on
from aws_iot.chat.model.posts import Post
from aws_iot.chat.model.presence import (
    ANSWER_SECONDS,
    ASK_SECONDS,
    BEAT_SECONDS,
    DECISION_SECONDS,
    IDLE_SECONDS,
    LIFE_SECONDS,
    LONGEST_CHAT,
    MODES,
    MOST_ANSWERS,
    MOST_TYPING,
    OFF,
    QUIET_SECONDS,
    TYPING,
    TYPING_SECONDS,
    TYPING_SHOWN_SECONDS,
    Presence,
    Seen,
    Told,
)
from aws_iot.chat.model.state import Link, State
from aws_iot.messaging.kinds import Sign
from aws_iot.messaging.message import Message

Effects = list[do.Effect]

_SIGNS = {sign.value: sign for sign in Sign}


def sensed(state: State, event: on.Sensed) -> Effects:
    """Chats of others have told something."""
    if state.presence.mode == OFF:
        return []
    for message in event.messages:
        sign, chat = _SIGNS.get(message.text), message.re or ""
        is_other = message.sender != state.me.identity and not message.retained
        if sign and is_other and message.room in state.rooms and len(chat) <= LONGEST_CHAT:
            _note(state.presence, message, sign, chat)
    return []


def _note(presence: Presence, message: Message, sign: Sign, chat: str) -> None:
    identity, room = message.sender, message.room
    if sign is Sign.OFFLINE:
        presence.seen.pop((identity, chat), None)
        return
    seen = presence.seen.get((identity, chat)) or Seen(message.name)
    if sign is Sign.LEFT:
        seen.rooms.pop(room, None)
        seen.typing.pop(room, None)
        return
    seen.name, seen.sign = message.name, Sign.IDLE if sign is Sign.IDLE else Sign.ONLINE
    seen.rooms[room] = presence.clock + LIFE_SECONDS
    if sign is Sign.TYPING:
        seen.typing[room] = presence.clock + TYPING_SHOWN_SECONDS
    elif sign is Sign.IDLE:
        seen.typing.clear()
    presence.remember(identity, chat, seen)
    if sign is Sign.JOINED:
        presence.told.setdefault(room, Told()).is_asked = True


def wrote(presence: Presence, messages: Iterable[Message]) -> None:
    """Who writes is not idle, and types no longer. What has no ID comes from a program that knows no presence."""
    if presence.mode == OFF:
        return
    live = [message for message in messages if not message.retained]
    for room in {message.room for message in live if message.id is None}:
        keep_quiet(presence, room)
    rooms_by_writer: dict[str, set[str]] = {}
    for message in live:
        rooms_by_writer.setdefault(message.sender, set()).add(message.room)
    for (identity, _), seen in presence.seen.items():
        for room in rooms_by_writer.get(identity, set()) & seen.rooms.keys():
            seen.typing.pop(room, None)
            seen.sign = Sign.ONLINE


def has_read(presence: Presence, room: str, posts: Iterable[Post]) -> None:
    """The newest messages of a room were read from the history: the same, if they are not too old."""
    began = presence.began
    if began and any(
        post.id is None and (began - post.received).total_seconds() < QUIET_SECONDS for post in posts
    ):
        keep_quiet(presence, room)


def keep_quiet(presence: Presence, room: str) -> None:
    """Send no signs to a room: a member there would see them as messages."""
    presence.told.setdefault(room, Told()).quiet_until = presence.clock + QUIET_SECONDS


def ticked(state: State, event: on.Ticked) -> Effects:
    """Time has passed. Forget people who have sent nothing for long, and send the signs that are due."""
    presence, activity = state.presence, state.presence.activity
    presence.clock = event.at
    if activity.since_tick:
        activity.at, activity.since_tick = event.at, False
    activity.is_idle = event.at - activity.at >= IDLE_SECONDS
    if presence.mode == OFF:
        return []
    presence.forget_old()
    if state.status.link is not Link.ONLINE:
        return []
    effects: Effects = []
    for room in state.rooms.values():
        if room.is_joined and not presence.is_quiet(room.name):
            told = presence.told.setdefault(room.name, Told())
            known = presence.here(room.name).keys() | room.people.keys()
            answered_at = told.asked_at + presence.longest_wait(len(known))
            told.is_answered = presence.clock >= answered_at > -math.inf
            _decide(presence, told, room.name, event.chance)
            sign = _due(presence, told, is_open=room.name == state.current)
            if sign:
                effects.append(_tell(presence, told, room.name, sign))
    return effects


def _decide(presence: Presence, told: Told, room: str, chance: float) -> None:
    """Whether and when to answer those who have joined. In a large room, a few answers have to do."""
    has_answer = told.answers_at < math.inf  # which is for them, too
    if not told.is_asked or (presence.clock < told.decided_until and not has_answer):
        return
    told.is_asked = False
    if has_answer:
        return
    people = max(1, len(presence.here(room)))
    seconds, share = presence.answer_seconds(people), min(1.0, MOST_ANSWERS / people)
    told.decided_until = presence.clock + max(seconds, DECISION_SECONDS)
    if chance < share:
        told.answers_at = presence.clock + seconds * chance / share


def _due(presence: Presence, told: Told, *, is_open: bool) -> Sign | None:
    sign = Sign.IDLE if presence.activity.is_idle else Sign.ONLINE
    if told.sign is None:
        asks = sign is Sign.ONLINE and presence.clock - told.asked_at >= ASK_SECONDS
        return Sign.JOINED if asks else sign
    if told.asks_again and sign is Sign.ONLINE and presence.clock - told.asked_at >= ASK_SECONDS:
        return Sign.JOINED
    is_changed = is_open and told.sign is not sign
    is_late = presence.clock - told.at >= BEAT_SECONDS
    return sign if is_changed or is_late or presence.clock >= told.answers_at else None


def _tell(presence: Presence, told: Told, room: str, sign: Sign) -> do.Announce:
    is_first = told.sign is None
    told.sign, told.at, told.answers_at = _shown(sign), presence.clock, math.inf
    if sign is Sign.JOINED:
        told.asked_at, told.asks_again = presence.clock, False
    return do.Announce(room, sign, is_first)


def _shown(sign: Sign) -> Sign:
    return Sign.IDLE if sign is Sign.IDLE else Sign.ONLINE


def announce_failed(state: State, event: on.AnnounceFailed) -> Effects:
    """The next attempt could cost the connection again."""
    keep_quiet(state.presence, event.room)
    _forget(state.presence, event.room)
    return []


def typing(state: State, room: str, text: str) -> Effects:
    """The draft has changed. It is told only to a few people who know presence, and not for commands."""
    presence, told = state.presence, state.presence.told.get(room)
    is_message = text.strip() and (not text.startswith("/") or text.startswith("//"))
    if presence.mode != TYPING or not is_message or told is None or told.sign is None:
        return []
    is_due = presence.clock - told.typing_at >= TYPING_SECONDS and not presence.is_quiet(room)
    if not is_due or state.status.link is not Link.ONLINE:
        return []
    if not 1 <= len(presence.here(room)) <= MOST_TYPING:
        return []
    told.typing_at = presence.clock
    return [_tell(presence, told, room, Sign.TYPING)]


def pressed(_: State, __: on.Pressed) -> Effects:
    """The person has pressed a key: see `reducer.py`."""
    return []


def presence_set(state: State, event: on.PresenceSet) -> Effects:
    """From now on, another amount is told; nothing is learned without telling."""
    presence = state.presence
    effects = farewells(state) if event.mode == OFF else []
    presence.mode = event.mode
    if event.mode == OFF:
        presence.seen.clear()
    state.notice = f"Until you quit, others learn {_LEARN[event.mode]}."
    return effects


_LEARN = dict(
    zip(MODES, ("nothing about you", "whether you are here", "whether you are here or typing"), strict=True)
)


def farewells(state: State) -> Effects:
    """Tell every room that knows of this chat that it ends."""
    told = [room for room in state.rooms if _forget(state.presence, room)]
    return [do.Announce(room, Sign.OFFLINE) for room in told]


def left(state: State, room: str) -> Effects:
    """The person leaves a room. If they come back before the chat may ask again, it shows whom it knew."""
    told = state.presence.told.setdefault(room, Told())
    told.asks_again = True
    for seen in state.presence.seen.values():
        if room in seen.rooms:
            seen.rooms[room] = min(seen.rooms[room], told.asked_at + ASK_SECONDS + ANSWER_SECONDS[1])
    return [do.Announce(room, Sign.LEFT)] if _forget(state.presence, room) else []


def cut_off(presence: Presence) -> None:
    """The connection is lost. The broker has told others that this chat has ended."""
    for room in presence.told:
        _forget(presence, room)


def _forget(presence: Presence, room: str) -> bool:
    """Forget what the chat has sent to a room, so that it sends a sign again. Whether there was one."""
    told = presence.told.get(room)
    if told is None or told.sign is None:
        return False
    told.sign, told.answers_at = None, math.inf
    return True
