"""Printer: prints each message that `sub` receives."""

import math
from collections.abc import Callable
from types import TracebackType
from typing import Self

from aws_iot.cli.ui.output import Lines
from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.message import Message


class Printer:
    """Prints each message as the line that `form` makes of it."""

    def __init__(self, form: Callable[[Message], str | bytes]) -> None:
        self._form = form
        self._lines = Lines()
        self._add = self._lines.add
        self._last: Delivery | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.flush()

    def take(self, delivery: Delivery, ends: float = math.inf) -> None:  # noqa: ARG002 a line takes no time
        self._add(self._form(delivery.message))
        self._last = delivery

    def flush(self) -> None:
        self._lines.flush()
        if self._last:
            self._last.ack(multiple=True)
            self._last = None

    def finish(self, ends: float = math.inf) -> None:  # noqa: ARG002 as above
        self.flush()

    def check(self) -> None:
        """An error of stdout stops `sub` at once, so nothing is left to raise."""
