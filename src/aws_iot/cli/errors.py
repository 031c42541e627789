"""Turns errors into messages and exit codes, for all commands."""

import sys
from collections.abc import Sequence
from typing import Any

import click

from aws_iot.cli.groups import Group
from aws_iot.cli.secret_variables import take_secrets
from aws_iot.cli.ui import output
from aws_iot.cli.ui.output import ReaderGone
from aws_iot.errors import AwsIotError

INTERRUPTED = 130


class RootGroup(Group):
    """A group that prints an expected error in a line or two. An internal error keeps its traceback."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        # Around everything Click does: it prints `--help` while it parses the command line.
        try:
            code = super().main(args, prog_name, complete_var, False, **extra)
        except AwsIotError as error:
            output.failure(error)
            sys.exit(error.exit_code)
        except ReaderGone:
            sys.exit(0)
        except click.Abort:
            sys.exit(INTERRUPTED)
        except click.UsageError as error:
            from aws_iot.cli.mistakes.report import report  # here: most lines are right

            sys.exit(report(self, sys.argv[1:] if args is None else args, error))
        return sys.exit(code or 0) if standalone_mode else code

    def invoke(self, ctx: click.Context) -> Any:
        take_secrets(ctx)  # before anything can start another program
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            output.break_line()
            ctx.exit(INTERRUPTED)
        except click.Abort:  # the prompt has ended its line
            ctx.exit(INTERRUPTED)
