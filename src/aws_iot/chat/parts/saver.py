"""Saver: saves what arrives. If it cannot, it tries again: a chat runs for days, and a full disk may be emptied."""

from __future__ import annotations  # so that what only types need is not imported

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from aws_iot.chat.model import events as on

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from aws_iot.errors import LocalError
    from aws_iot.history.saving.recorder import Recorder
    from aws_iot.messaging.message import Message

RETRY_SECONDS = 2.0
"""How long to wait before another try, such as while a disk is full."""

AFTER = timedelta(milliseconds=1)
"""The history counts milliseconds. What follows after one is after the message."""

MOST_KEPT = 20_000
"""How many messages are kept in memory until they can be saved: the newest."""


class Saver:
    """Saves messages. One thread uses it, as a context manager."""

    def __init__(
        self,
        new_recorder: Callable[[Callable[[LocalError], None]], Recorder] | None,
        tell: Callable[[on.Event], None],
        retry_seconds: float = RETRY_SECONDS,
        most_kept: int = MOST_KEPT,
    ) -> None:
        """`new_recorder` gets what takes its warning. Without it, nothing is saved."""
        self._new_recorder = new_recorder
        self._tell = tell
        self._retry_seconds = retry_seconds
        self._most_kept = most_kept
        self._recorder: Recorder | None = None
        self._kept: list[Message] = []
        self._dropped = _Dropped()
        self._next_at = 0.0

    def __enter__(self) -> Self:
        if self._new_recorder:
            self._recorder = self._new_recorder(self._warn)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept:
            self._try_again()
        if self._recorder:
            self._recorder.close()

    def save(self, messages: list[Message]) -> None:
        """Save these messages, and those that could not be saved before as soon as it is time to try again."""
        if not self._recorder:
            return
        if self._kept:
            self._kept += messages
            if time.monotonic() >= self._next_at:
                self._try_again()
        elif not self._saved(messages):
            self._kept = [*messages]
        if (more := len(self._kept) - self._most_kept) > 0:
            self._dropped.add(self._kept[:more])
            del self._kept[:more]

    def _saved(self, messages: list[Message]) -> bool:
        assert self._recorder
        for message in messages:
            self._recorder.add(message)
        self._recorder.flush()
        if not self._recorder.is_saving:
            self._next_at = time.monotonic() + self._retry_seconds
        return self._recorder.is_saving

    def _try_again(self) -> None:
        assert self._recorder
        assert self._new_recorder
        self._recorder.close()
        self._recorder = self._new_recorder(self._warn)
        if self._saved(self._kept):
            self._kept = []
            self._tell(on.Warned("", on.Subject.MESSAGES))
            self._tell(on.Noticed(f"Messages are saved again, and {self._dropped}."))
            for missed in self._dropped.times.values():
                self._tell(missed)
            self._dropped = _Dropped()

    def _warn(self, problem: LocalError) -> None:
        self._tell(on.Warned(str(problem), on.Subject.MESSAGES))


class _Dropped:
    """The messages that were too many to be kept: how many, and when those of each room arrived."""

    def __init__(self) -> None:
        self.count = 0
        self.times: dict[str, on.Missed] = {}

    def add(self, messages: Sequence[Message]) -> None:
        self.count += len(messages)
        for message in messages:
            missed = self.times.setdefault(
                message.room, on.Missed(message.room, message.received, message.received)
            )
            missed.until = message.received + AFTER

    def __str__(self) -> str:
        if not self.count:
            return "none is missing"
        return f"{self.count:,} of them {'is' if self.count == 1 else 'are'} missing"
