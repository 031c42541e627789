"""ConnectionReporter: tells a person that the connection was lost or restored."""

import time
from collections.abc import Callable

from aws_iot.cli.ui import output
from aws_iot.cli.ui.colors import Role
from aws_iot.cli.ui.formatting import connection_line
from aws_iot.messaging.connection import Lost, Restored

LONG_OUTAGE_SECONDS = 60.0
"""An outage that lasts this long is reported even with `--quiet`."""


class ConnectionReporter:
    """Prints to stderr. `--verbose` adds repetitions and details. `--quiet` hides all but long outages, and
    those after which messages may be missing.

    Call it for each event of a connection.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        begin_line: Callable[[], None] = lambda: None,
    ) -> None:
        """`clock` is in seconds. `begin_line` is called before each line."""
        self._clock = clock
        self._begin_line = begin_line
        self._lost_at: float | None = None
        self._cause = ""
        self._is_reported = False

    def __call__(self, event: Lost | Restored) -> None:
        verbose = output.is_verbose()
        line = connection_line(event, verbose=verbose)
        if isinstance(event, Restored):
            self.restored(line, may_miss=event.may_miss or event.forgotten)
            return
        if verbose or not event.again:
            self._print(line, Role.WARNING)
        self.lost(event.cause)

    def lost(self, cause: str) -> None:
        """There is no connection, because of this. It prints nothing unless the outage has become long."""
        if self._lost_at is None:
            self._lost_at = self._clock()
        self._cause = cause
        self.check()

    def restored(self, line: str, *, may_miss: bool = False) -> None:
        """There is a connection again: print this line, even with `--quiet` if messages may be missing."""
        role = Role.WARNING if may_miss else Role.GOOD
        self._print(line, role, is_important=self._is_reported or may_miss)
        self._lost_at, self._is_reported = None, False

    def check(self) -> None:
        """Report, only once, an outage that has become long. The events of a lost connection do so, too."""
        if self._lost_at is None or self._is_reported:
            return
        if self._clock() - self._lost_at >= LONG_OUTAGE_SECONDS:
            self._is_reported = True
            self._print(
                f"No connection for a minute: {self._cause}. Still trying; Ctrl-C stops.",
                Role.WARNING,
                is_important=True,
            )

    def _print(self, line: str, role: Role, *, is_important: bool = False) -> None:
        if is_important or not output.is_quiet():
            self._begin_line()
            output.error(line, role)
