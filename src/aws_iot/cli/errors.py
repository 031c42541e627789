"""Where failures become words and exit codes: one place for all commands."""

from typing import Any

import click

from aws_iot.cli.output import abandon_stdout, visible
from aws_iot.errors import AwsIotError

INTERRUPTED = 130


class RootGroup(click.Group):
    """A group that tells an expected failure in a line or two; a bug of ours keeps its traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except AwsIotError as error:
            click.echo(f"Error: {visible(str(error))}", err=True)
            for line in (error.hint or "").splitlines():
                click.echo(visible(line), err=True)
            ctx.exit(error.exit_code)
        except (KeyboardInterrupt, click.Abort):
            ctx.exit(INTERRUPTED)
        except BrokenPipeError:
            abandon_stdout()  # whoever read our output has seen enough (`| head`)
            ctx.exit(0)
