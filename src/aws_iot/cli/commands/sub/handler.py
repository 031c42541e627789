"""A command that is run for each message, with the message in its environment and on its standard input."""

import errno
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import pairwise
from types import TracebackType
from typing import IO, Self

from aws_iot.cli.ui import output
from aws_iot.errors import CommandFailed
from aws_iot.messaging.deliveries import Delivery
from aws_iot.messaging.message import Message, short, timestamp

LONGEST_VARIABLE_BYTES = 32_000
"""What is longer is not in the environment: Windows takes 32,767 characters a variable, Linux 131,072 bytes."""

POLL_SECONDS = 0.01
PARTING_SECONDS = 1.0
"""How long commands may take to end once they are told to, where listening ends before they do."""

KILL = getattr(signal, "SIGKILL", signal.SIGTERM)
"""Windows has no other way to end a process than the one that it has."""

LACKING = {errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""A machine that is short of processes, file descriptors or memory: it says nothing of the command."""

_VARIABLES: dict[str, Callable[[Message], str]] = {
    "ROOM": lambda message: message.room,
    "SENDER": lambda message: message.sender,
    "SHORT": lambda message: short(message.sender) or message.sender,
    "NAME": lambda message: message.name or "",
    "TEXT": lambda message: message.text,
    "ID": lambda message: message.id or "",
    "RECEIVED": lambda message: timestamp(message.received),
    "SENT": lambda message: timestamp(message.sent) if message.sent else "",
    "QOS": lambda message: str(message.qos),
    "RETAINED": lambda message: "true" if message.retained else "false",
}
VARIABLES = tuple(f"AWS_IOT_MESSAGE_{name}" for name in _VARIABLES)


def variables(message: Message) -> dict[str, str]:
    """What a command finds in its environment; what cannot stand there (NUL, half a character) is replaced."""
    encoding = sys.getfilesystemencoding()
    told = {}
    for name, value_of in zip(VARIABLES, _VARIABLES.values(), strict=True):
        value = value_of(message).replace("\0", "\ufffd").encode(encoding, "replace")
        if len(value) <= LONGEST_VARIABLE_BYTES:
            told[name] = value.decode(encoding)
    return told


_SHELL_WORD = re.compile(r"[|&;]+|\d*[<>]+.*|\$\{?[A-Za-z_].*|`.*", re.DOTALL)


def shell_syntax(command: Sequence[str]) -> str | None:
    """The first word that a shell would take for more than a word; what stands behind `-c` is for a shell."""
    for before, word in pairwise(command):
        if before != "-c" and _SHELL_WORD.fullmatch(word):
            return word
    return None


def _is_in_foreground() -> bool:
    """Whether a terminal's keys are ours, Ctrl-C too, and so are those of our process group."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    finally:
        os.close(terminal)


class Handler:
    """Runs the command, for up to `jobs` messages at once; with one job the order is kept.

    No shell is between: nothing in a message can be taken for a part of the command.
    """

    def __init__(self, command: Sequence[str], jobs: int) -> None:
        self._command = list(command)
        self._jobs = jobs
        # A group of its own can be ended with all that the command has started. In the foreground of a terminal it
        # would not be let at the terminal, where it may want to ask somebody (as GNU timeout says of --foreground).
        self._has_groups = sys.platform != "win32" and not _is_in_foreground()
        self._running: dict[subprocess.Popen[bytes], Delivery] = {}  # in the order in which they began
        self._started = 0
        self._failed = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Commands that still run are told to end, and those that do not are ended."""
        self.flush()
        for process in self._running:
            self._signal(process, signal.SIGTERM)
            if kind is None:
                self._tell("was ended: the time was up")
        ends = time.monotonic() + PARTING_SECONDS
        for process in self._running:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0, ends - time.monotonic()))
            while self._signal(process, 0) and time.monotonic() < ends:
                time.sleep(POLL_SECONDS)
            self._signal(process, KILL)
            process.wait()

    def _signal(self, process: "subprocess.Popen[bytes]", number: int) -> bool:
        """Send a signal to the command, and to what it has started; whether there is anybody to get it."""
        if not self._has_groups:
            if number:
                process.send_signal(number)
            return process.poll() is None
        try:
            os.killpg(process.pid, number)
        except (ProcessLookupError, PermissionError):  # the latter on macOS, where all are zombies
            return False
        return True

    def take(self, delivery: Delivery, ends: float = math.inf) -> None:
        """Start the command, and return as soon as one of the jobs is free, or when the time is up.

        Raises `CommandFailed` where this machine lacks what any command takes; then nothing is done with the message.
        """
        self._started += 1
        try:
            # A file, not a pipe: a command that does not read it can neither block us nor fail for it.
            with tempfile.TemporaryFile() as text:
                text.write(delivery.message.text.encode(errors="replace"))
                text.seek(0)
                process = self._start(text, delivery.message)
        except OSError as error:
            raise CommandFailed(f"{self._command[0]} cannot be given a message: {error.strerror}") from error
        if process:
            self._running[process] = delivery
            self._wait_for_fewer_than(self._jobs, ends)
        else:
            delivery.ack()

    def flush(self) -> None:
        """Acknowledge the messages whose commands have ended, and report the commands that failed."""
        for process in list(self._running):
            code = process.poll()
            if code is None:
                continue
            self._running.pop(process).ack()
            if code:
                self._tell(f"ended with exit code {code}" if code > 0 else f"was ended by signal {-code}")

    def finish(self, ends: float = math.inf) -> None:
        """Wait for those that run, until the time is up."""
        self._wait_for_fewer_than(1, ends)

    def check(self) -> None:
        """Raises `CommandFailed` if any has failed."""
        if self._failed:
            raise CommandFailed(f"{self._failed} of {self._started} commands failed")

    def _start(self, text: IO[bytes], message: Message) -> subprocess.Popen[bytes] | None:
        """None for a command that cannot be run, whatever the message is."""
        try:
            return subprocess.Popen(
                self._command,
                stdin=text,
                env=os.environ | variables(message),
                process_group=0 if self._has_groups else None,
            )
        except OSError as error:
            if error.errno in LACKING:
                raise
            self._tell(f"cannot be run: {error.strerror}")
            return None

    def _wait_for_fewer_than(self, number: int, ends: float) -> None:
        self.flush()
        while len(self._running) >= number and (left := ends - time.monotonic()) > 0:
            if len(self._running) == 1:  # without a pause: short commands would take several times as long
                with suppress(subprocess.TimeoutExpired):
                    next(iter(self._running)).wait(None if left == math.inf else left)
            else:
                time.sleep(min(left, POLL_SECONDS))
            self.flush()

    def _tell(self, what: str) -> None:
        self._failed += 1
        output.error(f"{self._command[0]} {what}")
