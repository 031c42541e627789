"""Printers: print each message that `sub` receives."""

from __future__ import annotations  # so that what only types need is not imported

import math
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from aws_iot.cli.ui.formatting import colored_message_line, highlighted, marks_of, message_line
from aws_iot.cli.ui.output import Lines
from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.message import Message

if TYPE_CHECKING:
    from aws_iot.cli.commands.sub.matching import Pattern
    from aws_iot.history.quotes import Quotes


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

    def take(self, delivery: Delivery, ends: float = math.inf) -> bool:  # noqa: ARG002 a line takes no time
        self._add(self._form(delivery.message))
        self._last = delivery
        return True

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


class LineMaker:
    """Makes a line of each message: in color, with what the pattern matches, and what the message refers to."""

    def __init__(self, is_colored: bool, pattern: Pattern | None, quotes: Quotes | None = None) -> None:
        self._line_of = colored_message_line if is_colored else message_line
        self._pattern = pattern if is_colored else None
        self._quotes = quotes

    def line(self, message: Message, columns: int | None = None) -> str:
        """The line, for a terminal of so many columns if any are given."""
        marks = None
        if self._quotes:
            if message.re is not None:
                marks = marks_of(message, self._quotes.of(message))
            self._quotes.note(message)
        text = message.text
        shown = highlighted(text, self._pattern.places(text)) if self._pattern else None
        return self._line_of(message, columns, marks=marks, shown=shown)
