"""Where messages go: to stdout, or to a command that is run for each."""

import math
from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self

from aws_iot.cli.ui.output import Lines
from aws_iot.messaging.client import EVENTS_AT_ONCE
from aws_iot.messaging.message import Message


class Outlet(Protocol):
    """Takes messages, one after another, between being entered and left."""

    at_once: int
    """How many it takes at most before it wants to settle them."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def take(self, message: Message, ends: float = math.inf) -> None:
        """One more message; it may be dealt with later. What takes long is waited for until `ends`, monotonic."""
        ...

    def settle(self) -> Message | None:
        """The first that was taken and has not been dealt with; what can be done about it at once is done."""
        ...

    def finish(self, ends: float = math.inf) -> None:
        """Return when all that was taken has been dealt with, at `ends` at the latest."""
        ...

    def check(self) -> None:
        """Raise what went wrong on the way and did not end the listening, if anything did."""
        ...


class Printer(Lines):
    """Prints each message, in the form that is given."""

    at_once = EVENTS_AT_ONCE

    def __init__(self, form: Callable[[Message], str | bytes]) -> None:
        super().__init__()
        self._form = form

    def take(self, message: Message, ends: float = math.inf) -> None:  # noqa: ARG002 a line takes no time
        self.add(self._form(message))

    def settle(self) -> None:
        self.flush()

    def finish(self, ends: float = math.inf) -> None:  # noqa: ARG002
        self.flush()

    def check(self) -> None:
        """Nothing that goes wrong with stdout lets the listening go on."""
