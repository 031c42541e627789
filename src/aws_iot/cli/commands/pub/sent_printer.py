"""Prints what was sent, for `pub --json`."""

from collections import deque

from aws_iot.cli.ui.output import Lines
from aws_iot.history.saving.recorder import Recorder
from aws_iot.messaging.json_lines import to_line
from aws_iot.messaging.message import Message


class SentPrinter:
    """A `SentSaver` that prints each message as `sub --json` does, once it is saved.

    It raises `LocalError` if stdout is closed or cannot be written, and `ReaderGone`.
    """

    def __init__(self, recorder: Recorder | None) -> None:
        """`recorder` saves them, unless the person wants no history."""
        self._recorder = recorder
        self._lines = Lines()
        self._waiting: deque[Message] = deque()
        self.add = self._waiting.append
        """Any thread may call it."""

    def flush(self) -> None:
        """Save and print what was added."""
        added = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if self._recorder:
            for message in added:
                self._recorder.add(message)
            self._recorder.flush()
        for message in added:
            self._lines.add(to_line(message))
        self._lines.flush()

    def close(self) -> None:
        """Save and print what was added, and close the history."""
        try:
            self.flush()
        finally:
            if self._recorder:
                self._recorder.close()
