"""The options that choose messages, for the commands that show and export them."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING, Any

import click

from aws_iot.cli import options

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aws_iot.history.store import Filter


rooms_argument = options.argument("rooms", nargs=-1, metavar="[ROOM]...", completes="saved-rooms")
since = options.option(
    "--since", env="HISTORY_SINCE", metavar="TIME", help="Only messages that arrived at this time or later."
)
until = options.option(
    "--until", env="HISTORY_UNTIL", metavar="TIME", help="Only messages that arrived up to this time."
)
senders = options.option(
    "--from",
    "senders",
    env="HISTORY_FROM",
    multiple=True,
    metavar="WHO",
    help="Only from this name, which senders choose, or identity, such as 4f9fa251; can be repeated.",
)


def which_messages(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add rooms, times and senders. The command gets them as `rooms`, `since`, `until` and `senders`."""
    for decorate in (senders, until, since, rooms_argument):
        command = decorate(command)
    return command


def to_filter(
    now: datetime, rooms: Sequence[str], since: str | None, until: str | None, senders: Sequence[str]
) -> Filter:
    """The filter that these mean. Raises `InvalidRoom`, `InvalidTime`, or a usage error if no message can pass it."""
    from aws_iot.history.store import Filter
    from aws_iot.messaging.topics import check_wildcards

    for room in rooms:
        check_wildcards(room)
    if not (since or until):
        return Filter(rooms, senders)
    from aws_iot.history.times import parse

    begin = parse(since, now).start if since else None
    end = parse(until, now).end if until else None
    if begin and end and begin > end:
        raise click.UsageError("--since is later than --until.")
    return Filter(rooms, senders, begin, end)
