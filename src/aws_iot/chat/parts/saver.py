"""Saver: saves what arrives. If it cannot, it tries again: a chat runs for days, and a full disk may be emptied."""

from __future__ import annotations  # so that what only types need is not imported

import time
from collections import deque
from typing import TYPE_CHECKING, Self

from aws_iot.chat.model import events as on

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

    from aws_iot.errors import LocalError
    from aws_iot.history.saving.recorder import Recorder
    from aws_iot.messaging.message import Message

RETRY_SECONDS = 2.0
"""How long to wait before another try, such as while a disk is full."""

MOST_KEPT = 20_000
"""How many messages are kept in memory until they can be saved: the newest."""

MOST_KEPT_BYTES = 32 * 1024 * 1024
"""How long their payloads may be together."""


class Saver:
    """Saves messages. One thread uses it, as a context manager."""

    def __init__(
        self,
        new_recorder: Callable[[Callable[[LocalError], None]], Recorder] | None,
        tell: Callable[[on.Event], None],
        retry_seconds: float = RETRY_SECONDS,
        most_kept: int = MOST_KEPT,
        most_kept_bytes: int = MOST_KEPT_BYTES,
    ) -> None:
        """`new_recorder` gets what takes its warning. Without it, nothing is saved."""
        self._new_recorder = new_recorder
        self._tell = tell
        self._retry_seconds = retry_seconds
        self._recorder: Recorder | None = None
        self._kept = _Kept(most_kept, most_kept_bytes)
        self._next_at = 0.0

    def __enter__(self) -> Self:
        if self._new_recorder:
            self._recorder = self._new_recorder(self._warn)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept.messages:
            self._try_again()
        if lost := len(self._kept.messages) + self._kept.dropped:
            what = (
                "1 message that was received is" if lost == 1 else f"{lost:,} messages that were received are"
            )
            self._tell(on.Warned(f"{what} not in the history", on.Subject.MESSAGES))
        if self._recorder:
            self._recorder.close()

    def save(self, messages: list[Message]) -> None:
        """Save these messages, and those that could not be saved before as soon as it is time to try again."""
        if not self._recorder:
            return
        if self._kept.messages:
            self._kept.add(messages)
            if time.monotonic() >= self._next_at:
                self._try_again()
        elif not self._saved(messages):
            self._kept.add(messages)
        self._kept.shorten()

    def _saved(self, messages: Iterable[Message]) -> bool:
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
        if self._saved(self._kept.messages):
            self._tell(on.Warned("", on.Subject.MESSAGES))
            self._tell(on.Noticed(f"Messages are saved again, and {_missing(self._kept.dropped)}."))
            self._kept.clear()

    def _warn(self, problem: LocalError) -> None:
        self._tell(on.Warned(str(problem), on.Subject.MESSAGES))


class _Kept:
    """Messages, of which `shorten` leaves the newest, up to a number and a size. It counts those that it drops."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self.clear()

    def clear(self) -> None:
        self.messages: deque[Message] = deque()
        self.dropped = 0
        self._bytes = 0

    def add(self, messages: Iterable[Message]) -> None:
        for message in messages:
            self.messages.append(message)
            self._bytes += len(message.payload)

    def shorten(self) -> None:
        while len(self.messages) > self._most or self._bytes > self._most_bytes:
            self._bytes -= len(self.messages.popleft().payload)
            self.dropped += 1


def _missing(dropped: int) -> str:
    if not dropped:
        return "none is missing"
    return f"{dropped:,} of them {'is' if dropped == 1 else 'are'} missing"
