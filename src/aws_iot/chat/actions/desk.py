"""Desk: takes what the person enters, and has the right action do it. The screen and its plain form share it."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

from aws_iot.chat.actions.look import LookActions
from aws_iot.chat.actions.messages import MessageActions
from aws_iot.chat.actions.rooms import RoomActions

if TYPE_CHECKING:
    from aws_iot.chat.actions.base import Context, Stage

NO_ROOM_YET = "Your rooms are being opened. Try again in a moment."

_WITHOUT_ROOM = {
    *("join", "toggle-rooms", "toggle-people", "nick", "presence", "reconnect", "editor", "palette", "help"),
    *("redraw", "suspend", "quit"),
}
"""What can be done before the first room is open, which the history may tell only after a moment."""


class Desk:
    """All actions. `run` finds one by its name."""

    def __init__(self, stage: Stage, context: Context) -> None:
        self._stage, self._bridge = stage, context.bridge
        self.rooms = RoomActions(stage, context)
        self.messages = MessageActions(stage, context)
        self.look = LookActions(stage, context)

    def run(self, name: str, argument: str = "") -> None:
        """Do what the table of actions names."""
        if not self._bridge.state.current and name not in _WITHOUT_ROOM:
            self._stage.tell(NO_ROOM_YET)
            return
        method = f"do_{name.replace('-', '_')}"
        all_ = self.rooms, self.messages, self.look
        next(getattr(one, method) for one in all_ if hasattr(one, method))(argument)
