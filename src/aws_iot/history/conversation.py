"""Conversation: what edits, deletions, reactions and replies mean.

Each is a message of its own, with a `kind` and the ID of the message that it refers to (`re`). They may arrive in any
order, several times, and through several programs. So each rule says what a *set* of messages means:

- An edit counts if its sender is the original's, in the same room. Of several, the one sent last wins; of those sent at
  the same time, the one with the greater ID.
- A deletion erases the message that it names, and all edits of it, if these have the same sender and room. What is
  erased counts for nothing. So a deletion wins over every edit, deleting a reaction takes it back, and deleting
  an edit takes back the edit. Deletions themselves cannot be deleted.
- A reaction counts once for each sender and text, in the same room. The style of an emoji (text or color) and the tone
  of its skin make no other text, since many terminals show no difference. It is shown without tones, and with the style
  if one of them has it.
- A message without `kind` that has `re` is a reply. Unknown kinds are messages.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from aws_iot.messaging.kinds import DELETE as DELETE
from aws_iot.messaging.kinds import EDIT as EDIT
from aws_iot.messaging.kinds import REACT as REACT
from aws_iot.messaging.kinds import as_counted, without_tone

EVENTS = frozenset((EDIT, DELETE, REACT))
"""The kinds that change another message, if they name one. They are not shown by themselves."""


def is_event(kind: str | None, re: object | None) -> bool:
    """Whether a message changes another one, instead of being shown."""
    return re is not None and kind in EVENTS


class Change(NamedTuple):
    """An edit of a message or a reaction to it, in the same room and not erased."""

    kind: str
    sender: str
    text: str
    sent: int
    """Milliseconds since 1970; 0 if it is not known."""
    id: str


@dataclass(frozen=True, slots=True)
class Reaction:
    """A text, usually an emoji, and the identities that reacted with it, in alphabetical order."""

    text: str
    senders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Visible:
    """What is visible of a message."""

    text: str
    is_edited: bool
    reactions: tuple[Reaction, ...]


def visible(sender: str, text: str, changes: Sequence[Change]) -> Visible:
    """What is visible of a message that is not erased. The order of `changes` does not matter."""
    edits = [change for change in changes if change.kind == EDIT and change.sender == sender]
    last = max(edits, key=lambda edit: (edit.sent, edit.id), default=None)
    by_text: dict[str, list[Change]] = {}
    for change in changes:
        if change.kind == REACT:
            by_text.setdefault(as_counted(change.text), []).append(change)
    reactions = tuple(
        Reaction(max(without_tone(one.text) for one in same), tuple(sorted({one.sender for one in same})))
        for _, same in sorted(by_text.items())
    )
    return Visible(last.text if last else text, last is not None, reactions)
