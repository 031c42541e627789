"""Desk: takes what the person enters, and has the right action do it. The screen and its plain form share it."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

from aws_iot.chat.actions.look import LookActions
from aws_iot.chat.actions.messages import MessageActions
from aws_iot.chat.actions.rooms import RoomActions

if TYPE_CHECKING:
    from aws_iot.chat.actions.base import Context, Stage


class Desk:
    """All actions. `run` finds one by its name."""

    def __init__(self, stage: Stage, context: Context) -> None:
        self.rooms = RoomActions(stage, context)
        self.messages = MessageActions(stage, context)
        self.look = LookActions(stage, context)

    def run(self, name: str, argument: str = "") -> None:
        """Do what the table of actions names."""
        method = f"do_{name.replace('-', '_')}"
        all_ = self.rooms, self.messages, self.look
        next(getattr(one, method) for one in all_ if hasattr(one, method))(argument)
