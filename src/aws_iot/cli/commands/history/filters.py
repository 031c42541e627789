"""The options that choose messages, for the commands that show and export them."""

from __future__ import annotations  # so that what only types need is not imported

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from aws_iot.cli import options
from aws_iot.cli.completion import names as completing
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from aws_iot.history.store import Filter


def saved_rooms(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """What a shell completes: the rooms of the history and, first, the subcommands.

    Every key press waits for this: what no program has sorted in yet is not read. Commands have noted its rooms.
    """
    from aws_iot.cli.commands.history.opening import existing_file
    from aws_iot.history.file.schema import saved_rooms as rooms_of

    commands = ctx.command.list_commands(ctx) if isinstance(ctx.command, click.Group) else []
    typed = completing.typed(ctx, param)
    if typed:
        commands = []
    rooms = {*completing.rooms(ctx, param, incomplete)}
    with suppress(LocalError):  # a shell that completes shows no error
        key, user = completing.profile_key(ctx), ctx.params.get("user")
        rooms.update(rooms_of(existing_file(completing.app_of(ctx), key, user)))
    rooms.difference_update(commands, typed)  # a room of such a name follows `--`
    return completing.starting(incomplete, [*commands, *sorted(rooms)])


rooms_argument = options.argument("rooms", nargs=-1, metavar="[ROOM]...", shell_complete=saved_rooms)
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
