"""Explains rooms that the history does not have: most are typing errors, or something else than a room."""

from __future__ import annotations  # so that what only types need is not imported

import re
import shlex
from typing import TYPE_CHECKING

from aws_iot.cli.ui import output

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from aws_iot.history.store import History

_SEARCHING = ("search", "find", "grep")
"""What people type in place of `--search`."""

_CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d)?")
"""The second word of a time that lacks quotation marks."""


def explain_unknown(
    saved: History,
    rooms: Sequence[str],
    owner: str,
    commands: Collection[str] = (),
    since: str | None = None,
) -> bool:
    """Print which rooms have no messages, and what was probably meant; return whether there are such.

    `owner` has the options that chose the history, and `commands` are those of `aws-iot history`.
    """
    unknown = [room for room in rooms if not saved.room_numbers([room])]
    if not unknown:
        return False
    output.info(f"The history has no message of {', '.join(unknown)}.")
    output.info(_hint(saved, unknown[0], owner, commands, since))
    return True


def _hint(saved: History, room: str, owner: str, commands: Collection[str], since: str | None) -> str:
    from difflib import get_close_matches

    from aws_iot.cli.mistakes.synonyms import SYNONYMS

    if room in commands:
        return f"To run the command '{room}', type it right after `history`."
    if since and _CLOCK.fullmatch(room):
        return f"Did you mean: --since {shlex.quote(f'{since} {room}')}"
    if commands and (meant := SYNONYMS.get(f"history {room}")):
        return f"Did you mean '{meant.removeprefix('history ')}'?"
    if commands and room in _SEARCHING:
        return "Did you mean '--search'?"
    known = [one.room for one in saved.rooms()]
    near = get_close_matches(room, [*commands, *known], n=1)
    return f"Did you mean '{near[0]}'?" if near else f"To list the rooms: aws-iot history rooms{owner}"
