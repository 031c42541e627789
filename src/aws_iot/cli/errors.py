"""Where failures become words and exit codes: one place for all commands."""

import sys
from typing import Any

import click

from aws_iot.cli.ui import output
from aws_iot.cli.ui.output import ReaderGone
from aws_iot.errors import AwsIotError

INTERRUPTED = 130


class RootGroup(click.Group):
    """A group that tells an expected failure in a line or two; a bug of ours keeps its traceback."""

    def main(self, *args: Any, **extra: Any) -> Any:
        # Around all that Click does: its `--help` is written while the command line is read.
        try:
            return super().main(*args, **extra)
        except AwsIotError as error:
            output.error(f"Error: {error}")
            for line in (error.hint or "").splitlines():
                output.error(line)
            sys.exit(error.exit_code)
        except ReaderGone:
            sys.exit(0)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(INTERRUPTED)
