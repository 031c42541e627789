"""Turns errors into messages and exit codes, for all commands."""

import errno
import sys
from collections.abc import Sequence
from typing import Any

import click

from aws_iot.cli import INTERRUPTED
from aws_iot.cli.groups import Group
from aws_iot.cli.secret_variables import take_secrets
from aws_iot.cli.ui import output
from aws_iot.cli.ui.output import ReaderGone
from aws_iot.errors import AwsIotError, LocalError

_SHORTAGES = {
    errno.EMFILE: "too many open files",
    errno.ENFILE: "too many open files on this machine",
    errno.ENOMEM: "this machine has no memory left",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
}


def shortage(error: BaseException) -> LocalError | None:
    """The error to report if `error` means that this machine lacks something; None if it means something else."""
    if isinstance(error, MemoryError):
        return LocalError(_SHORTAGES[errno.ENOMEM])
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return LocalError("this machine can start no more threads", hint="To see your limit: ulimit -u")
    if isinstance(error, OSError) and error.errno in _SHORTAGES:
        hint = "To raise the limit: ulimit -n 1024" if error.errno == errno.EMFILE else None
        return LocalError(_SHORTAGES[error.errno], hint=hint)
    return None


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
        except (OSError, MemoryError, RuntimeError) as error:
            if (failed := shortage(error)) is None:
                raise
            output.failure(failed)
            sys.exit(failed.exit_code)
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
