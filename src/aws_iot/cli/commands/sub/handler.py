"""Runs a command for each message. The message is in its environment and on its standard input."""

import errno
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from itertools import pairwise
from types import TracebackType
from typing import IO, NamedTuple, Self

from aws_iot.cli.ui import output
from aws_iot.cli.ui.formatting import message_line
from aws_iot.cli.ui.template import TEXTS
from aws_iot.errors import CommandFailed
from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.message import Message, timestamp

LONGEST_VARIABLE_BYTES = 32_000
"""Longer values are left out. Windows allows 32,767 characters per variable, Linux 131,072 bytes."""

COMMAND_POLL_SECONDS = 0.01
"""How often to look whether a command has ended. Commands are often short, and the next message may wait."""

TERMINATION_SECONDS = 1.0
"""How long commands may take to end after SIGTERM, when `sub` ends before they do."""

MARK = "AWS_IOT_EXEC_RUN"
"""A variable that all processes of a command inherit. It has a word for the command, and one for each `sub` around it.

Parents and process groups do not tell which processes belong to a command. At Ctrl-C, a shell may end before its
background processes, which then get another parent, and `setsid` leaves the group. And in a process group of its own,
a command could not read from the terminal.
"""

INTERRUPTED = {
    code
    for name in ("SIGHUP", "SIGINT", "SIGTERM")
    if (number := getattr(signal, name, None))
    for code in (-number, 128 + number)
}
"""The exit codes of commands that were ended by the signals that end `sub`, too. A terminal sends them to both."""

OUT_OF_RESOURCES = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""This machine has no processes, file descriptors or memory left, which is not the command's fault."""

_VARIABLES: dict[str, Callable[[Message], str]] = {
    **{name.upper(): text_of for name, text_of in TEXTS.items() if name not in ("who", "raw")},
    "RECEIVED": lambda message: timestamp(message.received),
    "SENT": lambda message: timestamp(message.sent) if message.sent else "",
    "LINE": message_line,
}
VARIABLES = tuple(f"AWS_IOT_MESSAGE_{name}" for name in _VARIABLES)


def variables(message: Message) -> dict[str, str]:
    """The variables that describe a message. Characters that they cannot hold (NUL, surrogates) are replaced."""
    encoding = sys.getfilesystemencoding()
    values = {}
    for name, value_of in zip(VARIABLES, _VARIABLES.values(), strict=True):
        value = value_of(message).replace("\0", "\ufffd").encode(encoding, "replace")
        if len(value) <= LONGEST_VARIABLE_BYTES:
            values[name] = value.decode(encoding)
    return values


_SHELL_WORD = re.compile(r"[|&;]+|\d*[<>]+.*|\$\{?[A-Za-z_].*|`.*", re.DOTALL)


def shell_syntax(command: Sequence[str]) -> str | None:
    """The first word that only a shell would interpret. The word after `-c` does not count: it is for a shell."""
    for before, word in pairwise(command):
        if before != "-c" and _SHELL_WORD.fullmatch(word):
            return word
    return None


class Run(NamedTuple):
    """A command that runs for a delivery. `mark` is its word in `MARK`."""

    delivery: Delivery
    mark: str


class Handler:
    """Runs the command for up to `jobs` messages at once. With one job, messages are handled in order.

    No shell is involved, so nothing in a message can become part of the command.
    """

    def __init__(self, command: Sequence[str], jobs: int) -> None:
        self._command = list(command)
        self._jobs = jobs
        self._id = os.urandom(8).hex()
        self._running: dict[subprocess.Popen[bytes], Run] = {}  # oldest first
        self._started = 0
        self._failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the commands that still run, with all processes that they have started."""
        if kind is KeyboardInterrupt:
            output.break_line()
        running: dict[subprocess.Popen[bytes], Run] = {}
        if kind in (KeyboardInterrupt, SystemExit):
            running = dict(self._running)  # also those that Ctrl-C ends before what they have started
            self._drop_interrupted()
        try:
            self.flush()
        finally:  # also if a message cannot be acknowledged
            if kind is None:
                for _ in self._running:
                    self._report("was stopped: the time is up")
            _stop(running | self._running)

    def _drop_interrupted(self) -> None:
        """Do not acknowledge messages whose commands were ended by the signal that ends `sub`."""
        for process in list(self._running):
            if process.poll() in INTERRUPTED:
                del self._running[process]

    def take(self, delivery: Delivery, ends: float = math.inf) -> bool:
        """Start the command, and return when a job is free, or at `ends`.

        Raises `CommandFailed` if this machine cannot start any command now. The message is then not handled.
        """
        self._started += 1
        try:
            # A file, not a pipe: a command that does not read it cannot block us or fail.
            with tempfile.TemporaryFile() as text:
                text.write(delivery.message.text.encode(errors="replace"))
                text.seek(0)
                mark = f"{self._id}-{self._started}"
                process = self._start(text, delivery.message, mark)
        except OSError as error:
            raise CommandFailed(f"cannot pass a message to {self._command[0]}: {error.strerror}") from error
        if process:
            self._running[process] = Run(delivery, mark)
            self._wait_for_fewer_than(self._jobs, ends)
        else:
            delivery.ack()
        return True

    def flush(self) -> None:
        """Acknowledge the messages whose commands have ended, and report the commands that failed."""
        for process in list(self._running):
            code = process.poll()
            if code is None:
                continue
            if code:  # first, so that a signal in between cannot lose the failure
                self._report(f"exited with {code}" if code > 0 else f"was stopped by {_signal_name(-code)}")
            self._running.pop(process).delivery.ack()

    def finish(self, ends: float = math.inf) -> None:
        """Wait for the commands that run, but not beyond `ends`."""
        self._wait_for_fewer_than(1, ends)

    def check(self) -> None:
        """Raise `CommandFailed` if any command failed."""
        if self._failed:
            raise CommandFailed(f"{self._failed} of {self._started} commands failed")

    def _start(self, text: IO[bytes], message: Message, mark: str) -> subprocess.Popen[bytes] | None:
        """Start the command. None if it cannot be run for any message."""
        try:
            return subprocess.Popen(
                self._command,
                stdin=text,
                env=os.environ | variables(message) | {MARK: f"{os.environ.get(MARK, '')} {mark}".strip()},
            )
        except OSError as error:
            if error.errno in OUT_OF_RESOURCES:
                raise
            self._report(f"cannot be run: {error.strerror}")
            return None

    def _wait_for_fewer_than(self, number: int, ends: float) -> None:
        self.flush()
        while len(self._running) >= number and (left := ends - time.monotonic()) > 0:
            if len(self._running) == 1:  # no pause: it would slow down short commands several times
                with suppress(subprocess.TimeoutExpired):
                    next(iter(self._running)).wait(None if left == math.inf else left)
            else:
                time.sleep(min(left, COMMAND_POLL_SECONDS))
            self.flush()

    def _report(self, what: str) -> None:
        self._failed += 1
        output.error(f"{self._command[0]} {what}")


def _stop(runs: "Mapping[subprocess.Popen[bytes], Run]") -> None:
    """End commands, and the processes that they have started."""
    if not runs:
        return
    from aws_iot.cli.commands.sub.processes import end_processes  # here, because few runs need it

    running = [process.pid for process in runs if process.returncode is None]
    end_processes(running, MARK, {run.mark for run in runs.values()}, TERMINATION_SECONDS)
    for process in runs:
        with suppress(subprocess.TimeoutExpired):  # one of another user, for example
            process.wait(TERMINATION_SECONDS)


def _signal_name(number: int) -> str:
    try:
        return f"signal {number} ({signal.Signals(number).name})"
    except ValueError:  # most real-time signals have no name
        return f"signal {number}"
