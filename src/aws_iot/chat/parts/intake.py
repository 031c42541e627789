"""Intake: has what arrives saved, and then shown and acknowledged."""

from __future__ import annotations  # so that what only types need is not imported

import time
from collections import deque
from typing import TYPE_CHECKING, Self

from aws_iot.chat.model import events as on
from aws_iot.messaging.deduplication import Deduplicator
from aws_iot.messaging.kinds import PRESENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType

    from aws_iot.chat.parts.saver import Saver
    from aws_iot.messaging.deliveries import Delivery
    from aws_iot.messaging.message import Message

ECHO_SECONDS = 5.0
"""How long your own message has to come back. After that, the chat saves and shows it all the same."""


class Intake:
    """What arrives. One thread uses it, as a context manager."""

    def __init__(self, saver: Saver, tell: Callable[[on.Event], None]) -> None:
        self._saver = saver
        self._tell = tell
        self._echoes = _Echoes()
        self._is_repeated = Deduplicator().is_repeated
        """A client knows what has arrived, but the next one does not, to which a broker may deliver it again."""

    def __enter__(self) -> Self:
        self._saver.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._saver.__exit__(kind, error, trace)

    def take(self, batch: Sequence[Delivery]) -> None:
        """Save and show these, and acknowledge them."""
        if not batch:
            return
        arrived = [delivery.message for delivery in batch]
        if signs := [message for message in arrived if message.kind == PRESENCE]:
            self._tell(on.Sensed(signs))
        messages = [message for message in arrived if message.kind != PRESENCE] if signs else arrived
        for message in messages:
            self._echoes.arrived(message)
        self._save_new(messages)
        batch[-1].ack(multiple=True)

    def expect(self, message: Message) -> None:
        """The broker has acknowledged this message of yours, which should come back."""
        self._echoes.expect(message)

    def take_overdue(self) -> None:
        """Save and show your messages that have not come back in time. Called often, it also retries to save others."""
        self._save_new(self._echoes.overdue())

    def _save_new(self, arrived: Sequence[Message]) -> None:
        messages = [message for message in arrived if not self._is_repeated(message)]
        self._saver.save(messages)
        if messages:
            self._tell(on.Received(messages))


class _Echoes:
    """Your own messages, which the broker sends back to you. A lost connection can swallow them."""

    def __init__(self) -> None:
        self._expected: dict[str, tuple[float, Message]] = {}
        self._recent: deque[str] = deque(maxlen=1_000)

    def expect(self, message: Message) -> None:
        if message.id and message.id not in self._recent:
            self._expected[message.id] = time.monotonic() + ECHO_SECONDS, message

    def arrived(self, message: Message) -> None:
        if message.id and self._expected.pop(message.id, None) is None:
            self._recent.append(message.id)

    def overdue(self) -> list[Message]:
        now = time.monotonic()
        late = [message for due, message in self._expected.values() if due <= now]
        for message in late:
            self._expected.pop(message.id or "", None)
        return late
