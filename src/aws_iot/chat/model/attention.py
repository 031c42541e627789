"""Attention: which messages call for it, and when the person is told."""

import re
from collections.abc import Sequence
from functools import lru_cache

from aws_iot.chat.model import effects as do
from aws_iot.chat.model.posts import Post
from aws_iot.chat.model.state import Room, State
from aws_iot.chat.text.people import who
from aws_iot.chat.text.steady import one_line
from aws_iot.text.labels import label

ALL, MENTIONS, NONE = LEVELS = ("all", "mentions", "none")
"""For which messages of a room the person is told: all, those that mention them, or none."""

LONGEST = 100
"""In characters, of the text in a notification."""

NAME_COLUMNS = 40


@lru_cache(maxsize=16)
def words(username: str, keywords: tuple[str, ...]) -> re.Pattern[str]:
    """What matches a mention of the person, or one of their keywords, as a whole word, whatever its case."""
    names = sorted({username, *keywords}, key=len, reverse=True)
    return re.compile(rf"(?<!\w)@?(?:{'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)


def words_of(state: State) -> re.Pattern[str]:
    """What matches a mention of the person of this state."""
    return words(state.me.username, (*state.me.keywords, *filter(None, [state.me.nick])))


def calls(state: State, post: Post) -> bool:
    """Whether a post mentions the person, has one of their keywords, or answers a message of theirs."""
    is_answer = post.answered is not None and post.answered.sender == state.me.identity
    return is_answer or words_of(state).search(post.text) is not None


def notify(state: State, room: Room, new: Sequence[Post]) -> list[do.Effect]:
    """The notification about new messages of others, at most one for all of them.

    It begins with the identity, so that no name can make it look like something else.
    """
    level = state.me.levels.get(room.name, MENTIONS)
    if level == NONE or (room.name == state.current and state.look.is_focused):
        return []
    wanted = [post for post in new if level == ALL or calls(state, post)]
    if not wanted:
        return []
    last = wanted[-1]
    more = f" (and {len(wanted) - 1} more)" if len(wanted) > 1 else ""
    name = who(last.sender, state.name_of(last.sender, last.name), NAME_COLUMNS)
    title = f"{name} in {label(room.name)}{more}"
    return [do.Notify(room.name, title, one_line(last.text)[:LONGEST])]
