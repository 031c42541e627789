"""Memory: what the chat remembers between two runs: rooms, drafts, and messages that were not sent.

It is a JSON file that only its owner can read. Two chats of one user share it: each writes only what it has changed.
Each has drafts of its own: see `OwnDrafts`.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from aws_iot.chat.model.attention import LEVELS
from aws_iot.chat.model.effects import FailedMessage
from aws_iot.chat.model.state import Draft
from aws_iot.chat.parts.drafts import OwnDrafts, object_of
from aws_iot.errors import LocalError
from aws_iot.files import LOCK_SECONDS, exclusive, parsed, read, write_private


class Remembered(NamedTuple):
    """What was saved. The first of `rooms` was open last."""

    rooms: tuple[str, ...] = ()
    drafts: Mapping[str, Draft] = {}
    failed: tuple[FailedMessage, ...] = ()
    aliases: Mapping[str, str] = {}
    levels: Mapping[str, str] = {}
    nick: str = ""
    hidden: frozenset[str] = frozenset()


class Memory:
    """The file of one identity. Changes are collected until `save`."""

    def __init__(self, path: Path, lock_seconds: float = LOCK_SECONDS) -> None:
        """`lock_seconds` is how long to wait while another chat writes the file."""
        self._path = path
        self._lock_seconds = lock_seconds
        self._drafts = OwnDrafts(path)
        self._has_new_drafts = False
        self._values: dict[str, Any] = {}
        self._failed: list[FailedMessage] | None = None
        self._own: set[str] = set()
        """The IDs of failed messages that this chat knows. Others are of another chat that runs at the same time."""

    def load(self, *, with_drafts: bool = True) -> Remembered:
        """What was saved, with the drafts that ended chats have left: this chat has them from now on. Called once.

        Without `with_drafts`, they are left to another chat: this one cannot show them.
        A damaged file counts as empty. Raises `LocalError` if it cannot be read. Nothing is written.
        """
        found = self._read()
        drafts = self._drafts.take_over(found, self._read) if with_drafts else {}
        rooms = [room for room in _list(found.get("rooms")) if isinstance(room, str)]
        failed = _failed(found)
        self._own |= {one.id for one in failed}
        return Remembered(
            tuple(rooms),
            drafts,
            tuple(failed),
            _texts(found.get("aliases")),
            {room: level for room, level in _texts(found.get("levels")).items() if level in LEVELS},
            found["nick"] if isinstance(found.get("nick"), str) else "",
            frozenset(panel for panel in _list(found.get("hidden")) if isinstance(panel, str)),
        )

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return bool(self._has_new_drafts or self._values or self._failed is not None)

    def note_draft(self, room: str, draft: Draft) -> None:
        """The draft of a room has changed."""
        self._drafts.note(room, draft)
        self._has_new_drafts = True

    def note_rooms(self, rooms: tuple[str, ...], current: str) -> None:
        """Other rooms were joined, or another one is open."""
        self._values["rooms"] = [current, *(room for room in rooms if room != current)]

    def note_failed(self, messages: tuple[FailedMessage, ...]) -> None:
        """Other messages were not sent."""
        self._failed = [*messages]
        self._own |= {one.id for one in messages}

    def note_hidden(self, panels: tuple[str, ...]) -> None:
        """The person has hidden other panels."""
        self._values["hidden"] = [*panels]

    def note_aliases(self, aliases: tuple[tuple[str, str], ...]) -> None:
        """The person calls somebody otherwise."""
        self._values["aliases"] = dict(aliases)

    def note_levels(self, levels: tuple[tuple[str, str], ...]) -> None:
        """The person has changed which messages of a room notify them."""
        self._values["levels"] = dict(levels)

    def note_nick(self, name: str) -> None:
        """The person sends under another name."""
        self._values["nick"] = name

    def save(self) -> None:
        """Save what has changed. Raises `LocalError`, and keeps the changes for the next time."""
        if not self.is_changed:
            return
        with exclusive(self._path.parent, self._lock_seconds) as is_ours:
            if not is_ours:
                raise LocalError(f"{self._path}: cannot be written: another program has locked its folder")
            found = self._read() | self._values
            if self._failed is not None:
                others = [one for one in _failed(found) if one.id not in self._own]
                found["failed"] = [asdict(one) for one in (*others, *self._failed)]
            self._drafts.write_to(found)
            write_private(self._path, json.dumps(found, indent=1).encode())
            self._drafts.written()
        self._has_new_drafts, self._values, self._failed = False, {}, None

    def close(self) -> None:
        """Leave the drafts to the next chat. What was not saved is forgotten."""
        self._drafts.close()

    def _read(self) -> dict[str, Any]:
        return object_of(parsed(read(self._path)))


_FAILED = {"room", "text", "id", "why"}
_ABOUT = {"about", "is_edit"}


def _failed(found: dict[str, Any]) -> list[FailedMessage]:
    return [
        FailedMessage(**one)
        for one in map(object_of, _list(found.get("failed")))
        if {*map(type, one.values())} <= {str, bool} and _FAILED <= one.keys() <= _FAILED | _ABOUT
    ]


def _texts(value: Any) -> dict[str, str]:
    return {name: text for name, text in object_of(value).items() if isinstance(text, str) and text}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
