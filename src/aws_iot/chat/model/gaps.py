"""Gaps: from when to when messages of a room may be missing, and where among the messages that is shown."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from aws_iot.chat.model.posts import Delivery, Post

MOST_GAPS = 50
"""How many gaps of a room are remembered: the latest. A gap takes part in each drawing of its room."""


class Gap(NamedTuple):
    """What was sent to a room in between may never have arrived here."""

    since: datetime
    until: datetime


def places(
    gaps: Sequence[Gap], posts: Sequence[Post], *, has_older: bool, has_newer: bool
) -> Mapping[int, Gap]:
    """The gaps that are among these posts, by the index of the post that each is before; the last index is the end.

    Several without a post in between are one.

    A gap that is before or after all posts is among them only if the history has nothing more in that direction.
    Your own posts that have not come back are after each gap.
    """
    if not gaps:
        return {}
    end = len(posts)
    while end and posts[end - 1].delivery is not Delivery.ARRIVED:
        end -= 1
    found: dict[int, Gap] = {}
    for gap in gaps:
        at = bisect_left(posts, gap.until, 0, end, key=lambda post: post.received)
        if not ((at == 0 and has_older) or (at == end and has_newer)):
            other = found.get(at, gap)  # of messages that could not be saved, a gap is told late
            found[at] = Gap(min(other.since, gap.since), max(other.until, gap.until))
    return found
