"""Where failures become words and exit codes: one place for all commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from aws_iot.cli.output import complain
from aws_iot.cli.streams import abandon_stdout
from aws_iot.errors import AwsIotError

INTERRUPTED = 130


class RootGroup(click.Group):
    """A group that tells an expected failure in a line or two; a bug of ours keeps its traceback."""

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        with _told():  # `--help` and `--version` are printed here
            return super().make_context(*arguments, **options)

    def invoke(self, ctx: click.Context) -> Any:
        with _told():
            return super().invoke(ctx)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except AwsIotError as error:
        complain(f"Error: {error}")
        for line in (error.hint or "").splitlines():
            complain(line)
        raise click.exceptions.Exit(error.exit_code) from error
    except (KeyboardInterrupt, click.Abort) as error:
        raise click.exceptions.Exit(INTERRUPTED) from error
    except BrokenPipeError as error:
        abandon_stdout()  # whoever read our output has seen enough
        raise click.exceptions.Exit(0) from error
