"""Terminals: tests run without one, and give a pseudo-terminal to the commands that need a keyboard and a screen."""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import DEADLINE_SECONDS

NEEDED = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")


def leave() -> None:
    """Give up the controlling terminal of this process.

    From now on, neither this process nor its children can open `/dev/tty`, so no command can prompt the person who
    runs the tests. No terminal can stop them for reading or writing in the background either. They stay in the
    terminal's foreground process group, so Ctrl-C still reaches every one of them at once.

    The leader of a session cannot leave alone: the whole session would lose the terminal, and Ctrl-C with it.
    It forks instead. The child continues, and the leader exits with the child's exit code.
    """
    if sys.platform == "win32":
        return
    import fcntl
    import termios

    try:
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        return
    if os.getsid(0) == os.getpid() and (child := os.fork()):
        _exit_with(child)
    fcntl.ioctl(terminal, termios.TIOCNOTTY)
    os.close(terminal)


def _exit_with(child: int) -> None:
    """Wait for the child and exit with its code. The terminal sends it Ctrl-C; other signals are passed on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(child, number))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os._exit(code if code >= 0 else 128 - code)


# Makes the terminal at stdin the controlling one of a new session, and becomes the command. The kernel tells only such
# a session about another size.
WITH_CONTROLLING_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""


def start(
    line: Sequence[str], env: Mapping[str, str], terminal: int, folder: Path | None = None
) -> "subprocess.Popen[bytes]":
    """Run a program whose stdin, stdout, stderr and controlling terminal are this one."""
    return subprocess.Popen(
        [sys.executable, "-ISc", WITH_CONTROLLING_TERMINAL, *line],
        env=env,
        cwd=folder,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    )


@dataclass
class OnTerminal:
    """A process, and the other end of its terminal: its keyboard and its screen."""

    process: "subprocess.Popen[bytes]"
    device: int
    unread: bytes = b""
    """What was shown after the words that a test waited for."""

    def wait(self, seconds: float) -> int:
        """The exit code."""
        return self.process.wait(seconds)

    def read(self) -> bytes:
        """What the screen shows next; empty if the process has ended."""
        if shown := self.unread:
            self.unread = b""
            return shown
        is_ready, _, _ = select.select([self.device], [], [], DEADLINE_SECONDS)
        assert is_ready, "it shows nothing more, and does not end"
        try:
            return os.read(self.device, 65_536)
        except OSError:  # how Linux tells the end
            return b""


@contextmanager
def on_a_terminal(
    line: Sequence[str], env: Mapping[str, str], folder: Path | None = None
) -> Iterator[OnTerminal]:
    """The command in a folder, with a keyboard (stdin) and a screen (stdout)."""
    ours, theirs = os.openpty()
    process = start(line, env, theirs, folder)
    os.close(theirs)
    try:
        yield OnTerminal(process, ours)
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def read_until(process: OnTerminal, words: bytes) -> bytes:
    """What the screen shows, up to and with `words`."""
    shown = b""
    while words not in shown:
        more = process.read()
        assert more, shown
        shown += more
    before, found, process.unread = shown.partition(words)
    return before + found


def read_rest(process: OnTerminal) -> bytes:
    """What the screen shows until the command has ended."""
    return b"".join(iter(process.read, b""))


def type_answers(process: OnTerminal, answers: Mapping[str, str]) -> None:
    """Answer each of these questions, when the screen shows it."""
    for question, answer in answers.items():
        read_until(process, question.encode())
        type_in(process, answer.encode() + b"\r")


def type_in(process: OnTerminal, keys: bytes) -> None:
    """Press keys."""
    os.write(process.device, keys)
