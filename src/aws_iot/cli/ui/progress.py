"""ProgressLine: one line on the terminal that is updated in place, and disappears at the end."""

import sys
import time

import click

from aws_iot.cli.ui.output import is_quiet

SHOW_AFTER_SECONDS = 1.0
UPDATE_SECONDS = 0.25
CLEAR = "\r\x1b[K"


class ProgressLine:
    """Appears only on a terminal, without `--quiet`, and if the work takes long enough."""

    def __init__(self, show_after: float = SHOW_AFTER_SECONDS) -> None:
        """`show_after` is in seconds: shorter work shows no line."""
        self._is_enabled = sys.stderr.isatty() and not is_quiet()
        self._next = time.monotonic() + show_after
        self._shown = False

    def show(self, line: str) -> None:
        """Replace the line, unless it was updated a moment ago."""
        if self._is_enabled and time.monotonic() >= self._next:
            self._next = time.monotonic() + UPDATE_SECONDS
            self._shown = True
            click.echo(CLEAR + line, nl=False, err=True)

    def clear(self) -> None:
        """Remove the line, so that another can be printed."""
        if self._shown:
            self._shown = False
            click.echo(CLEAR, nl=False, err=True)
