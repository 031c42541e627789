"""Printers: print each message that `sub` receives."""

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


class TerminalPrinter(Printer):
    """Prints each message in lines that fit the terminal, so that only a message begins at its left edge.

    A message that the terminal continues by itself could contain what looks like another one, from anybody.
    """

    def __init__(self, form: Callable[[Message, int], str], columns: Callable[[], int]) -> None:
        """`form` makes the line for a terminal of so many columns, and `columns` tells how many there are now."""
        from aws_iot.cli.ui.wrapping import fold  # here: a pipe needs no width

        super().__init__(self._folded)
        self._line_for = form
        self._fold = fold
        self._columns_now = columns
        self._columns = 0

    def flush(self) -> None:
        super().flush()
        self._columns = 0  # the person may resize the terminal before the next message

    def _folded(self, message: Message) -> str:
        self._columns = columns = self._columns or self._columns_now()
        line = self._line_for(message, columns)
        if not line.isascii():
            line = self._lines.encodable(line)
        elif len(line) <= columns:
            return line
        return self._fold(line, columns)
