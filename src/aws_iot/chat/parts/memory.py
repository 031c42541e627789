"""Memory: what the chat remembers between two runs: rooms, drafts, and messages that were not sent.

It is a JSON file that only its owner can read. Two chats of one user share it: each writes only what it has changed.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from aws_iot.chat.model.attention import LEVELS
from aws_iot.chat.model.effects import FailedMessage
from aws_iot.files import exclusive, parsed, read, write_private


class Remembered(NamedTuple):
    """What was saved. The first of `rooms` was open last."""

    rooms: tuple[str, ...] = ()
    drafts: Mapping[str, str] = {}
    failed: tuple[FailedMessage, ...] = ()
    aliases: Mapping[str, str] = {}
    levels: Mapping[str, str] = {}
    nick: str = ""


class Memory:
    """The file of one identity. Changes are collected until `save`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._drafts: dict[str, str] = {}
        self._values: dict[str, Any] = {}

    def load(self) -> Remembered:
        """What was saved. A damaged file counts as empty. Raises `LocalError` if it cannot be read."""
        found = _object(parsed(read(self._path)))
        rooms = [room for room in _list(found.get("rooms")) if isinstance(room, str)]
        drafts = {
            room: text
            for room, text in _object(found.get("drafts")).items()
            if isinstance(text, str) and text
        }
        failed = [_object(one) for one in _list(found.get("failed"))]
        fields = FailedMessage.__dataclass_fields__
        return Remembered(
            tuple(rooms),
            drafts,
            tuple(
                FailedMessage(*(one[name] for name in fields))
                for one in failed
                if all(isinstance(one.get(name), str) for name in fields)
            ),
            _texts(found.get("aliases")),
            {room: level for room, level in _texts(found.get("levels")).items() if level in LEVELS},
            found["nick"] if isinstance(found.get("nick"), str) else "",
        )

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return bool(self._drafts or self._values)

    def note_draft(self, room: str, text: str) -> None:
        """The draft of a room has changed."""
        self._drafts[room] = text

    def note_rooms(self, rooms: tuple[str, ...], current: str) -> None:
        """Other rooms were joined, or another one is open."""
        self._values["rooms"] = [current, *(room for room in rooms if room != current)]

    def note_failed(self, messages: tuple[FailedMessage, ...]) -> None:
        """Other messages were not sent."""
        self._values["failed"] = [
            {"room": one.room, "text": one.text, "id": one.id, "why": one.why} for one in messages
        ]

    def note_aliases(self, aliases: tuple[tuple[str, str], ...]) -> None:
        """The person calls somebody otherwise."""
        self._values["aliases"] = dict(aliases)

    def note_levels(self, levels: tuple[tuple[str, str], ...]) -> None:
        """The person wants to be told of other messages."""
        self._values["levels"] = dict(levels)

    def note_nick(self, name: str) -> None:
        """The person sends under another name."""
        self._values["nick"] = name

    def save(self) -> None:
        """Save what has changed. Raises `LocalError`, and keeps the changes for the next time."""
        if not self.is_changed:
            return
        with exclusive(self._path.parent):
            found = _object(parsed(read(self._path)))
            drafts = {**_object(found.get("drafts")), **self._drafts}
            found |= self._values
            found["drafts"] = {room: text for room, text in drafts.items() if text}
            write_private(self._path, json.dumps(found, indent=1).encode())
        self._drafts, self._values = {}, {}


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> dict[str, str]:
    return {name: text for name, text in _object(value).items() if isinstance(text, str) and text}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
