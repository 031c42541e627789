"""Memory: what the chat remembers between two runs: rooms, drafts, and messages that were not sent.

It is a JSON file that only its owner can read. Two chats of one user share it: each writes only what it has changed.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from aws_iot.chat.model.attention import LEVELS
from aws_iot.chat.model.effects import FailedMessage
from aws_iot.chat.model.posts import Answered
from aws_iot.chat.model.state import Aim, Draft
from aws_iot.files import exclusive, parsed, read, write_private


class Remembered(NamedTuple):
    """What was saved. The first of `rooms` was open last."""

    rooms: tuple[str, ...] = ()
    drafts: Mapping[str, Draft] = {}
    failed: tuple[FailedMessage, ...] = ()
    aliases: Mapping[str, str] = {}
    levels: Mapping[str, str] = {}
    nick: str = ""


class Memory:
    """The file of one identity. Changes are collected until `save`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._drafts: dict[str, Draft] = {}
        self._values: dict[str, Any] = {}
        self._failed: list[FailedMessage] | None = None
        self._own: set[str] = set()
        """The IDs of failed messages that this chat knows. Others are of another chat that runs at the same time."""

    def load(self) -> Remembered:
        """What was saved. A damaged file counts as empty. Raises `LocalError` if it cannot be read."""
        found = _object(parsed(read(self._path)))
        rooms = [room for room in _list(found.get("rooms")) if isinstance(room, str)]
        aims = _object(found.get("aims"))
        texts = _texts(found.get("drafts"))
        drafts = {room: Draft(texts.get(room, ""), _aim(aims.get(room))) for room in {**texts, **aims}}
        failed = _failed(found)
        self._own |= {one.id for one in failed}
        return Remembered(
            tuple(rooms),
            drafts,
            tuple(failed),
            _texts(found.get("aliases")),
            {room: level for room, level in _texts(found.get("levels")).items() if level in LEVELS},
            found["nick"] if isinstance(found.get("nick"), str) else "",
        )

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return bool(self._drafts or self._values or self._failed is not None)

    def note_draft(self, room: str, draft: Draft) -> None:
        """The draft of a room has changed."""
        self._drafts[room] = draft

    def note_rooms(self, rooms: tuple[str, ...], current: str) -> None:
        """Other rooms were joined, or another one is open."""
        self._values["rooms"] = [current, *(room for room in rooms if room != current)]

    def note_failed(self, messages: tuple[FailedMessage, ...]) -> None:
        """Other messages were not sent."""
        self._failed = [*messages]
        self._own |= {one.id for one in messages}

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
        with exclusive(self._path.parent):
            found = _object(parsed(read(self._path)))
            texts = {**_object(found.get("drafts")), **{room: one.text for room, one in self._drafts.items()}}
            aims = {
                **_object(found.get("aims")),
                **{room: _saved(one.aim) for room, one in self._drafts.items()},
            }
            found |= self._values
            if self._failed is not None:
                others = [one for one in _failed(found) if one.id not in self._own]
                found["failed"] = [asdict(one) for one in (*others, *self._failed)]
            found["drafts"] = {room: text for room, text in texts.items() if text}
            found["aims"] = {room: aim for room, aim in aims.items() if aim}
            write_private(self._path, json.dumps(found, indent=1).encode())
        self._drafts, self._values, self._failed = {}, {}, None


_FAILED = {"room", "text", "id", "why"}
_ABOUT = {"about", "is_edit"}


def _failed(found: dict[str, Any]) -> list[FailedMessage]:
    return [
        FailedMessage(**one)
        for one in map(_object, _list(found.get("failed")))
        if {*map(type, one.values())} <= {str, bool} and _FAILED <= one.keys() <= _FAILED | _ABOUT
    ]


def _saved(aim: Aim | None) -> dict[str, Any] | None:
    return {"kind": aim.kind, **aim.about._asdict(), "kept": aim.kept} if aim else None


def _aim(value: Any) -> Aim | None:
    """What a draft answers or replaces. If that was damaged, the draft must not be sent as if it was none."""
    found = _object(value)
    if not found:
        return None
    fields = {
        name: one if isinstance(one := found.get(name), str) else None for name in ("kind", "name", "text")
    }
    about = Answered(str(found.get("id", "")), str(found.get("sender", "")), fields["name"], fields["text"])
    return Aim(fields["kind"], about, str(found.get("kept", "")))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _texts(value: Any) -> dict[str, str]:
    return {name: text for name, text in _object(value).items() if isinstance(text, str) and text}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
