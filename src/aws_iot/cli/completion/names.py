"""The names that this machine knows: profiles, rooms and members. Nothing is asked of a service.

Every key press waits for this, so each function imports what it needs, and an error is shown as nothing to offer.
"""

from __future__ import annotations  # so that what only types need is not imported

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from aws_iot.app import App
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aws_iot.cli.completion.command_line import Typed

PLAIN = "/_-.+:@#~"
"""What means itself within a word, apart from letters and digits."""
NOT_FIRST = tuple("-@#~")
"""What begins an option, a comment, or the name of a folder or variable."""


def known(kind: str, typed: Typed) -> list[str]:
    """The names of a kind, a key of `NAMES`, after what is `typed`."""
    try:
        return plain(NAMES[kind](App(), typed))
    except LocalError:
        return []


def plain(names: Iterable[str]) -> list[str]:
    """Those that mean themselves in every shell.

    Other people name rooms, and a shell puts an offer into the line as it is: `ops;reboot` would be two commands.
    """
    return [name for name in names if _means_itself(name)]


def _profiles(app: App, _: Typed) -> list[str]:
    return app.config.profiles.keys()


def _rooms(app: App, typed: Typed) -> list[str]:
    """The rooms that were used with the profile."""
    return sorted({room for key in _profile_keys(app, typed) for room in app.config.known_names(key).rooms()})


def _saved_rooms(app: App, typed: Typed) -> list[str]:
    """The known rooms and those of the history.

    Messages that are not sorted in yet are not read: their rooms are known.
    """
    from aws_iot.cli.commands.history.opening import existing_file
    from aws_iot.history.file.schema import saved_rooms

    rooms: set[str] = set()
    user = _last(typed, "user") or os.environ.get("AWS_IOT_USER")
    for key in _profile_keys(app, typed):
        rooms.update(app.config.known_names(key).rooms())
        with suppress(LocalError):  # nothing was saved
            rooms.update(saved_rooms(existing_file(app, key, user or None)))
    if typed.is_option_possible and not typed.values["rooms"]:
        rooms.difference_update(typed.command["commands"])  # a room of such a name follows `--`
    return sorted(rooms)


def _members(app: App, typed: Typed) -> list[str]:
    """The members that `admin` commands have accepted or listed."""
    keys = _profile_keys(app, typed)
    return sorted({member for key in keys for member in app.config.known_names(key).members()})


def _profile_keys(app: App, typed: Typed) -> list[str]:
    """The profile of the command line, or else the current one. If there is no such profile, `-k` may follow: all."""
    if key := _last(typed, "key"):
        return [key]
    current, saved = app.config.profiles.current_key(), app.config.profiles.keys()
    return [current] if current in saved else saved


def _last(typed: Typed, name: str) -> str:
    """The value of an option, of which the last counts; empty if there is none."""
    return typed.values[name][-1] if typed.values.get(name) else ""


NAMES: dict[str, Callable[[App, Typed], list[str]]] = {
    "profiles": _profiles,
    "rooms": _rooms,
    "saved-rooms": _saved_rooms,
    "members": _members,
}
"""What an option or argument can be completed with, under the name that its `completes` gives."""


def _means_itself(name: str) -> bool:
    return (
        name[:1] not in NOT_FIRST and all(map(_is_plain, name)) and name.isprintable() and _can_be_typed(name)
    )


def _can_be_typed(name: str) -> bool:
    """Whether the encoding of the shell has its characters."""
    encoding = sys.getfilesystemencoding()
    return name.encode(encoding, "replace").decode(encoding) == name


def _is_plain(char: str) -> bool:
    if char.isascii():
        return char.isalnum() or char in PLAIN
    # Its quotes and dashes are quotes and dashes for PowerShell.
    return not "\N{EN QUAD}" <= char <= "\N{NOMINAL DIGIT SHAPES}"  # the block General Punctuation
