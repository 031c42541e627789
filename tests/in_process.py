"""The command in this process: a tenth of the work, if a test does not need a process of its own."""

import os
import shlex

from click.testing import CliRunner

from aws_iot.cli.root import root
from tests.processes import Done


def run_here(line: str, env: dict[str, str], *, ends: int = 0, stdin: str = "") -> Done:
    """As `tests.processes.run`, but `stdin`, `stdout` and `stderr` are not the system's, and nothing is imported anew.

    No other thread may need the environment meanwhile.
    """
    only = dict.fromkeys(os.environ) | env
    result = CliRunner().invoke(root, shlex.split(line), prog_name="aws-iot", input=stdin, env=only)
    done = Done(line, result.stdout, result.stderr, result.exit_code)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise AssertionError(str(done)) from result.exception
    assert done.code == ends, str(done)
    return done
