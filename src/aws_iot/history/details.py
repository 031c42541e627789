"""Details of a history that only a chat shows: the first unread message, earlier texts, your own reactions."""

from datetime import datetime

from aws_iot.history.file import ids, rows
from aws_iot.history.file.record import moment
from aws_iot.history.file.rows import IS_OWN, IS_SHOWN, PER_MILLISECOND
from aws_iot.history.file.schema import translate_errors
from aws_iot.history.store import Entry, History
from aws_iot.messaging.kinds import EDIT, REACT, are_same_reaction


def first_unread(history: History, room: str) -> datetime | None:
    """When the first message of this room arrived that you have not read; None if you have read all."""
    with translate_errors(history.path):
        found = history.database.execute(
            "SELECT at FROM message WHERE room = (SELECT number FROM room WHERE name = ?)"
            " AND at > (SELECT read FROM room WHERE name = ?)"
            f" AND NOT {IS_OWN} AND {IS_SHOWN} ORDER BY at LIMIT 1",
            (room, room),
        ).fetchone()
    return moment(found[0] // PER_MILLISECOND) if found else None


def last_unread(history: History, room: str, most: int) -> list[Entry]:
    """The newest unread messages of this room, not more than `most`, oldest first."""
    with translate_errors(history.path):
        found = rows.select(
            history.database,
            "room = (SELECT number FROM room WHERE name = ?) AND at > (SELECT read FROM room WHERE name = ?)"
            f" AND NOT {IS_OWN} AND {IS_SHOWN} ORDER BY at DESC LIMIT ?",
            room,
            room,
            most,
        )
    return history.at([row.at for row in reversed(found)])


def versions(history: History, entry: Entry) -> list[str]:
    """The texts that a message has had, the first one first; the last one is the current text."""
    with translate_errors(history.path):
        found = rows.select(history.database, "at = ?", entry.at)
        if not found or found[0].is_erased:
            return []
        edits = [one for one in rows.changes(history.database, found[0]) if one.kind == EDIT]
    mine = [one for one in edits if one.sender == entry.message.sender]
    return [found[0].content, *(one.text for one in sorted(mine, key=lambda edit: (edit.sent, edit.id)))]


def own_reactions(history: History, entry: Entry, identity: str, text: str) -> list[str]:
    """The IDs of the reactions that count as this text, and that an identity has sent."""
    with translate_errors(history.path):
        found = rows.select(history.database, "at = ?", entry.at)
        changes = rows.changes(history.database, found[0]) if found else []
    reactions = (one for one in changes if one.kind == REACT and one.sender == identity)
    return [one.id for one in reactions if are_same_reaction(one.text, text)]


def reference(room: str, sender: str, payload: bytes, message_id: str | None) -> str:
    """The ID by which others refer to a message."""
    return message_id or ids.unpack(ids.derive(room, sender, payload))
