"""Show what CloudFormation does, and how to follow it if this program ends earlier."""

import time
from collections.abc import Callable
from typing import TypeVar

from aws_iot.backend.hints import StackName
from aws_iot.backend.stack import STACK_KIND, StackEvent, StackFailed, Watcher
from aws_iot.cli.ui import output
from aws_iot.cli.ui.progress import ProgressLine
from aws_iot.errors import AwsIotError, Unreachable

T = TypeVar("T")


class _EventPrinter:
    """A `Watcher` that prints a line per event; on a terminal also what CloudFormation is waiting for."""

    def __init__(self) -> None:
        self.is_requested = False
        self.is_accepted = False
        self.progress = ProgressLine(show_after=0)  # CloudFormation is never quick
        self._has_problem = False
        self._began = time.monotonic()
        self._in_progress: dict[str, None] = {}

    def requesting(self) -> None:
        self.is_requested = True

    def accepted(self) -> None:
        self.is_accepted = True

    def happened(self, event: StackEvent) -> None:
        if event.status.endswith("_IN_PROGRESS") and event.kind != STACK_KIND:
            self._in_progress[event.resource] = None
        else:
            self._in_progress.pop(event.resource, None)
        line = f"{event.when.astimezone():%H:%M:%S}  {event.status:<20}  {event.resource} ({event.kind})"
        self._print(line + (f": {event.reason}" if event.reason else ""))

    def waiting(self, problem: AwsIotError | None) -> None:
        if problem and not self._has_problem:
            self._print(f"Checking again: {problem}.")
        self._has_problem = problem is not None
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        self.progress.show(
            f"{minutes}:{seconds:02}  waiting for {', '.join(self._in_progress) or 'CloudFormation'} …"
        )

    def _print(self, line: str) -> None:
        self.progress.clear()
        output.info(line, hang=" " * 10)  # below the status


def watched(stack: StackName, work: Callable[[Watcher], T]) -> T:
    """What `work` returns; its events are printed.

    If it ends before CloudFormation does, print how to follow the operation.
    """
    printer = _EventPrinter()
    try:
        return work(printer)
    except StackFailed:
        raise
    except BaseException as error:
        printer.progress.clear()
        if isinstance(error, KeyboardInterrupt):
            output.break_line()
        if printer.is_accepted:
            output.error(f"CloudFormation continues in the background: {stack.command('status')}")
        elif printer.is_requested and isinstance(error, Unreachable | KeyboardInterrupt):
            output.error(f"CloudFormation may have started anyway: {stack.command('status')}")
        raise
    finally:
        printer.progress.clear()
