"""Desk: takes what the person enters, and has the right action do it. The screen and its plain form share it."""

from __future__ import annotations  # so that what only types need is not imported

from typing import TYPE_CHECKING

from aws_iot.chat.actions.look import LookActions
from aws_iot.chat.actions.messages import MessageActions
from aws_iot.chat.actions.rooms import RoomActions

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from aws_iot.chat.actions.base import Stage
    from aws_iot.chat.bridge import Bridge


class Desk:
    """All actions. `run` finds one by its name."""

    def __init__(
        self,
        stage: Stage,
        bridge: Bridge,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        doubt: Callable[[str], str | None],
    ) -> None:
        """`doubt` tells why the name of a room is probably wrong."""
        parts = stage, bridge, now, new_id, doubt
        self.rooms, self.messages, self.look = (
            RoomActions(*parts),
            MessageActions(*parts),
            LookActions(*parts),
        )

    def run(self, name: str, argument: str = "") -> None:
        """Do what the table of actions names."""
        method = f"do_{name.replace('-', '_')}"
        all_ = self.rooms, self.messages, self.look
        next(getattr(one, method) for one in all_ if hasattr(one, method))(argument)
