"""One line on the terminal that says how far something is, and leaves no trace."""

import sys
import time

import click

from aws_iot.cli.ui.output import QUIET

PATIENCE_SECONDS = 1.0
EVERY_SECONDS = 0.25
CLEAR = "\r\x1b[K"


class ProgressLine:
    """Shows itself on a terminal only, after a while, unless `--quiet`."""

    def __init__(self, patience: float = PATIENCE_SECONDS) -> None:
        """`patience` is in seconds: what is over sooner needs no such line."""
        context = click.get_current_context(silent=True)
        quiet = context and context.meta.get(QUIET)
        self._wanted = sys.stderr.isatty() and not quiet
        self._next = time.monotonic() + patience
        self._shown = False

    def show(self, line: str) -> None:
        """Show this instead of what is shown, if that has been there long enough."""
        if self._wanted and time.monotonic() >= self._next:
            self._next = time.monotonic() + EVERY_SECONDS
            self._shown = True
            click.echo(CLEAR + line, nl=False, err=True)

    def clear(self) -> None:
        """Make room for another line."""
        if self._shown:
            self._shown = False
            click.echo(CLEAR, nl=False, err=True)
