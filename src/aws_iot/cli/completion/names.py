"""The names that this machine knows: profiles, rooms and members. Nothing is asked of a service.

Every key press waits for this, so each function imports what it needs, and an error is shown as nothing to offer.
"""

from __future__ import annotations  # so that what only types need is not imported

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from aws_iot.app import App
from aws_iot.cli.completion import table
from aws_iot.errors import LocalError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aws_iot.cli.completion.command_line import Typed
    from aws_iot.config.known_names import KnownNames

PLAIN = "/_-.+:@#~"
"""What means itself within a word, apart from letters and digits."""
NOT_FIRST = tuple("-@#~")
"""What begins an option, a comment, or the name of a folder or variable."""


def known(kind: str, typed: Typed) -> list[str]:
    """The names of a kind, a key of `NAMES`, after what is `typed`."""
    try:
        return plain(NAMES[kind](typed))
    except LocalError:
        return []


def plain(names: Iterable[str]) -> list[str]:
    """Those that mean themselves in every shell.

    Other people name rooms, and a shell puts an offer into the line as it is: `ops;reboot` would be two commands.
    """
    return [name for name in names if _means_itself(name)]


def _profiles(_: Typed) -> list[str]:
    return App().config.profiles.keys()


def _rooms(typed: Typed) -> list[str]:
    """The rooms that were used with the profile."""
    return _known_names(typed).rooms()


def _saved_rooms(typed: Typed) -> list[str]:
    """The known rooms and those of the history.

    Messages that are not sorted in yet are not read: their rooms are known.
    """
    from aws_iot.cli.commands.history.opening import existing_file
    from aws_iot.history.file.schema import saved_rooms

    rooms = {*_rooms(typed)}
    user = _last(typed, "user") or os.environ.get("AWS_IOT_USER")
    with suppress(LocalError):  # nothing was saved
        rooms.update(saved_rooms(existing_file(App(), _profile_key(typed), user or None)))
    if typed.is_option_possible and not typed.values["rooms"]:
        rooms.difference_update(typed.command["commands"])  # a room of such a name follows `--`
    return sorted(rooms)


def _members(typed: Typed) -> list[str]:
    """The members that `admin members` has listed."""
    return _known_names(typed).members()


def _help(typed: Typed) -> list[str]:
    """Commands and topics, then the subcommands of the command."""
    words = typed.values["words"]
    path = " ".join(words[1:] if words[:1] == ["environment"] else words)
    command = table.commands().get(path)
    return [*(command["commands"] if command else ()), *([] if words else table.topics())]


def _known_names(typed: Typed) -> KnownNames:
    return App().config.known_names(_profile_key(typed))


def _profile_key(typed: Typed) -> str:
    """The key of the profile of the command line, or else of the current one."""
    return _last(typed, "key") or App().config.profiles.current_key()


def _last(typed: Typed, name: str) -> str:
    """The value of an option, of which the last counts; empty if there is none."""
    return typed.values[name][-1] if typed.values.get(name) else ""


NAMES: dict[str, Callable[[Typed], list[str]]] = {
    "profiles": _profiles,
    "rooms": _rooms,
    "saved-rooms": _saved_rooms,
    "members": _members,
    "help": _help,
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
