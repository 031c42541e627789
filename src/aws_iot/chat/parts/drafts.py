"""OwnDrafts: the drafts of one chat in the file that all chats of the person share. No chat writes those of another.

While a chat runs, it holds a lock, which the system releases however the chat ends. A chat that starts takes over the
drafts whose lock it gets. It holds these locks until its own drafts, with what it has taken over, are in the file. So
no draft is lost or taken twice, whichever chat ends at which moment.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, suppress
from pathlib import Path
from typing import Any

from aws_iot.chat.model.posts import Answered
from aws_iot.chat.model.state import Aim, Draft
from aws_iot.chat.text.slashes import below
from aws_iot.errors import LocalError
from aws_iot.files import exclusive
from aws_iot.messaging.kinds import EDIT

_CHATS = "chats"
_NO_CHAT = ""
"""What an older version of this program has saved belongs to a chat of this name. It is not among `chats`."""


class OwnDrafts:
    """The drafts of this chat, and the locks that it holds for them. One thread at a time uses it."""

    def __init__(self, path: Path) -> None:
        """`path` is the file. The locks are beside it."""
        self._path = path
        self._name = os.urandom(8).hex()
        self._drafts: dict[str, Draft] = {}
        self._lock: ExitStack | None = None
        self._taken: dict[str, ExitStack] = {}
        """The locks of the ended chats whose drafts were taken over, and are in the file a second time."""

    def take_over(
        self, found: Mapping[str, Any], read: Callable[[], Mapping[str, Any]]
    ) -> Mapping[str, Draft]:
        """The drafts that ended chats have left in the file. `found` is its content, and `read` reads it again."""
        for name in _sections(found):
            with suppress(LocalError):  # such as on a full disk: they stay in the file for the next chat
                if lock := self._locked(name):
                    self._taken[name] = lock
        if self._taken:
            # A chat that had these locks before may have taken the drafts over, and ended meanwhile.
            sections = _sections(read())
            for name in {*self._taken} - {*sections}:
                self._release(name)
            self._drafts = _merged(_drafts(sections[name]) for name in self._taken)
        return self._drafts

    def note(self, room: str, draft: Draft) -> None:
        """The draft of a room has changed."""
        self._drafts = {**self._drafts, room: draft}

    def write_to(self, found: dict[str, Any]) -> None:
        """Put the drafts into the content of the file. Raises `LocalError`."""
        drafts = {room: one for room, one in self._drafts.items() if one != Draft()}
        sections = _sections(found)
        for name in self._taken:
            sections.pop(name, None)
        if drafts or self._lock:
            self._lock = self._lock or self._own_lock()
            # An empty one tells who tidies up that there is a lock.
            sections[self._name] = _saved(drafts)
        for key in ("drafts", "aims", _CHATS):
            found.pop(key, None)
        found.update(sections.pop(_NO_CHAT, {}))
        if sections:
            found[_CHATS] = sections

    def written(self) -> None:
        """The file has them: what was taken over is in it only once."""
        for name in [*self._taken]:
            self._release(name)

    def close(self) -> None:
        """Leave the drafts to the next chat."""
        for lock in (*self._taken.values(), *([self._lock] if self._lock else ())):
            lock.close()
        self._taken, self._lock = {}, None

    def _release(self, name: str) -> None:
        """The file no longer has this chat, so no other chat needs its lock."""
        self._taken.pop(name).close()
        with suppress(OSError):  # Windows cannot remove a file that another chat has opened just now
            self._lock_path(name).unlink()

    def _own_lock(self) -> ExitStack:
        if lock := self._locked(self._name):
            return lock
        raise AssertionError("no other chat has this name")

    def _locked(self, name: str) -> ExitStack | None:
        with ExitStack() as stack:
            lock: AbstractContextManager[bool] = exclusive(self._path.parent, 0.0, self._lock_path(name).name)
            return stack.pop_all() if stack.enter_context(lock) else None

    def _lock_path(self, name: str) -> Path:
        return self._path.with_name(f".{self._path.stem}-{name}.lock")


def _sections(found: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What each chat has saved, by its name."""
    old = {key: found[key] for key in ("drafts", "aims") if found.get(key)}
    chats = object_of(found.get(_CHATS))
    named = {
        name: object_of(one) for name, one in chats.items() if name.isalnum()
    }  # it becomes a file's name
    return {**({_NO_CHAT: old} if old else {}), **named}


def _drafts(section: Mapping[str, Any]) -> dict[str, Draft]:
    texts, aims = object_of(section.get("drafts")), object_of(section.get("aims"))
    texts = {room: text for room, text in texts.items() if isinstance(text, str) and text}
    return {room: Draft(texts.get(room, ""), _aim(aims.get(room))) for room in {**texts, **aims}}


def _saved(drafts: Mapping[str, Draft]) -> dict[str, Any]:
    return {
        "drafts": {room: one.text for room, one in drafts.items() if one.text},
        "aims": {
            room: {"kind": aim.kind, **aim.about._asdict(), "kept": aim.kept}
            for room, one in drafts.items()
            if (aim := one.aim)
        },
    }


def _aim(value: Any) -> Aim | None:
    """What a draft answers or replaces; None if the message that it names cannot be known.

    The text is then a draft of a new message, and the input shows it as one. As an edit of no message, nobody would
    ever see it.
    """
    texts = {name: one for name, one in object_of(value).items() if isinstance(one, str)}
    if not texts.get("id"):
        return None
    about = Answered(texts["id"], texts.get("sender", ""), texts.get("name"), texts.get("text"))
    return Aim(texts.get("kind"), about, texts.get("kept", ""))


def _merged(left: Iterable[Mapping[str, Draft]]) -> dict[str, Draft]:
    by_room: dict[str, list[Draft]] = {}
    for drafts in left:
        for room, draft in drafts.items():
            by_room.setdefault(room, []).append(draft)
    return {room: joined(drafts) for room, drafts in by_room.items()}


def joined(drafts: Iterable[Draft]) -> Draft:
    """One draft with the texts of all, below one another.

    It keeps what one of them answers or replaces, unless others answer or replace something as well. The new text of a
    message stays alone: the other texts come back once it is sent.
    """
    each = [*dict.fromkeys(drafts)]
    aimed = [(draft, draft.aim) for draft in each if draft.aim]
    if len(each) == 1:
        return each[0]
    if len(aimed) != 1:
        return Draft(below(text for one in each for text in (one.text, one.aim.kept if one.aim else "")))
    [(draft, aim)] = aimed
    if aim.kind != EDIT:
        return Draft(below(one.text for one in each), aim)
    others = (one.text for one in each if one is not draft)
    return Draft(draft.text, Aim(EDIT, aim.about, below([aim.kept, *others])))


def object_of(value: Any) -> dict[str, Any]:
    """The JSON object; an empty one if it is something else."""
    return value if isinstance(value, dict) else {}
