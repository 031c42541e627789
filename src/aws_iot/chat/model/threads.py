"""Threads: a message and the replies to it, and to those."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from aws_iot.chat.model.posts import Post, answered_by
from aws_iot.chat.model.state import Room


class Folding(NamedTuple):
    """What is hidden of a window: the posts to show, and how many replies are hidden below each first message."""

    shown: Sequence[Post]
    hidden: Counter[str]


def roots(posts: Sequence[Post]) -> dict[str, str]:
    """The first message of the thread of each reply, by `ref`, as far as the window has it."""
    found: dict[str, str] = {}
    for post in posts:
        if post.answered:
            found[post.ref] = found.get(post.answered.id, post.answered.id)
    return found


def folding(posts: Sequence[Post], folded: Collection[str]) -> Folding:
    """Hide the replies of the folded threads, except those whose first message is not in the window."""
    if not folded:
        return Folding(posts, Counter())
    known = {post.ref for post in posts}
    first = roots(posts)
    hidden: Counter[str] = Counter()
    shown: list[Post] = []
    for post in posts:
        root = first.get(post.ref)
        if root in folded and root in known:
            hidden[root] += 1
        else:
            shown.append(post)
    return Folding(shown, hidden)


def quoting_known(room: Room, new: Sequence[Post]) -> list[Post]:
    """New posts. Those that answer a post of the window, or one another, show it without reading the history."""
    if not any(post.answered for post in new):
        return [*new]
    posts = [*room.posts, *new]
    count = Counter(post.ref for post in posts)  # others can use an ID again: the history knows whose it is
    known = {post.ref: answered_by(post) for post in posts if count[post.ref] == 1}
    return [
        replace(post, answered=known.get(post.answered.id, post.answered)) if post.answered else post
        for post in new
    ]


def unfold(posts: Sequence[Post], post: Post, folded: set[str]) -> None:
    """Show a reply that its folded thread hides."""
    root = root_of(posts, post)
    if root != post.ref:
        folded.discard(root)


def root_of(posts: Sequence[Post], post: Post) -> str:
    """The first message of the thread of a post, by `ref`."""
    return roots(posts).get(post.ref, post.ref)


def thread_of(posts: Sequence[Post], post: Post) -> list[Post]:
    """The posts of the window that are in the thread of a post, with itself."""
    first = roots(posts)
    root = first.get(post.ref, post.ref)
    return [one for one in posts if first.get(one.ref, one.ref) == root]
