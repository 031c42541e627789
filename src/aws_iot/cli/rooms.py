"""Checks the rooms that a person names, and warns about those that are probably mistakes."""

import shlex
from collections.abc import Callable, Sequence

import click

from aws_iot.cli import options
from aws_iot.cli.ui import output
from aws_iot.errors import InvalidRoom
from aws_iot.messaging.room_mistakes import Mistake, probable_mistake
from aws_iot.messaging.topics import check_pattern, check_room

Corrected = Callable[[Sequence[str]], str]
"""Makes the command that a person should type to use these rooms instead."""


def check_patterns(pool: str, rooms: Sequence[str], command: Corrected) -> None:
    """Check the rooms and patterns of `sub`; see `check_one_room`."""
    _check(pool, rooms, command, is_pattern=True)


def check_one_room(pool: str, room: str, command: Corrected) -> None:
    """Print a warning if the room is probably a mistake, with the `command` for what was probably meant.

    Raises `InvalidRoom`, with that command as its hint, for a room that cannot be part of a topic.
    """
    _check(pool, [room], command, is_pattern=False)


def _check(pool: str, rooms: Sequence[str], command: Corrected, *, is_pattern: bool) -> None:
    mistakes = {room: probable_mistake(pool, room, is_pattern=is_pattern) for room in rooms}
    did_you_mean = _did_you_mean(mistakes, command)
    for room in rooms:
        try:
            (check_pattern if is_pattern else check_room)(pool, room)
        except InvalidRoom as error:
            error.hint = did_you_mean
            raise
    for room, mistake in mistakes.items():
        if mistake:
            output.info(f"The room '{room}' is probably a mistake: {mistake.why}.")
    if did_you_mean:
        output.info(did_you_mean)


def _did_you_mean(mistakes: dict[str, Mistake | None], command: Corrected) -> str | None:
    meant = [name for room, mistake in mistakes.items() for name in (mistake.meant if mistake else (room,))]
    if not meant or not any(mistakes.values()):
        return None
    return f"Did you mean: {command([*dict.fromkeys(meant)])}"


def typed_options(*names: str) -> str:
    """Those of these options that were typed, with a space before each. None of them may hold a secret."""
    context = click.get_current_context()
    words: list[str] = []
    for param in context.command.params:
        if param.name in names and isinstance(param, click.Option) and options.is_typed(param.name):
            value = context.params[param.name]
            words.append(param.opts[0])
            if not param.is_flag:
                words.append(f"{value:g}" if isinstance(value, float) else str(value))
    return "".join(f" {shlex.quote(word)}" for word in words)


def quoted_options(rooms: Sequence[str], key: str | None) -> str:
    """The options `-r` for these rooms, and `-k`, to be typed in a shell."""
    named = [f"-r {shlex.quote(room)}" for room in rooms]
    return " ".join([*named, f"-k {key}"] if key else named)
