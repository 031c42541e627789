"""SentRecorder: saves what the broker has acknowledged, for programs that send."""

from __future__ import annotations  # so that what only types need is not imported

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from aws_iot.history.saving.recorder import Recorder
    from aws_iot.messaging.message import Message


class SentRecorder:
    """A `SentSaver` that opens the history when it is first needed, or at `open`."""

    def __init__(self, make: Callable[[], Recorder]) -> None:
        """`make` may import what it needs: it is called once."""
        self._make = make
        self._recorder: Recorder | None = None
        self._waiting: deque[Message] = deque()
        self.add = self._waiting.append
        """Save a message with the next `flush`. Any thread may call it."""

    def open(self) -> Recorder:
        """Open the history now, unless it is open."""
        if self._recorder is None:
            self._recorder = self._make().__enter__()
        return self._recorder

    def flush(self) -> None:
        """Save what was added. Never raises."""
        if not self._waiting:
            return
        recorder = self.open()
        while self._waiting:
            recorder.add(self._waiting.popleft())
        recorder.flush()

    def close(self) -> None:
        """Save what was added, and close the history. Never raises."""
        self.flush()
        if self._recorder:
            self._recorder.__exit__(None, None, None)
            self._recorder = None
