"""Turns errors into messages and exit codes, for all commands."""

import sys
from typing import Any

import click

from aws_iot.cli.groups import Group
from aws_iot.cli.ui import output
from aws_iot.cli.ui.output import ReaderGone
from aws_iot.errors import AwsIotError

INTERRUPTED = 130


class RootGroup(Group):
    """A group that prints an expected error in a line or two. An internal error keeps its traceback."""

    def main(self, *args: Any, **extra: Any) -> Any:
        # Around everything Click does: it prints `--help` while it parses the command line.
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
