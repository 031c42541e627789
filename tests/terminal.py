"""Terminals: tests run without one, and give a pseudo-terminal to the commands that need a keyboard and a screen."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

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


# A process of its own runs the command on a pseudo-terminal, and ends with the command's exit code.
ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


@contextmanager
def on_a_terminal(
    line: list[str], env: dict[str, str], folder: Path | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """The command in a folder, with a keyboard (stdin) and a screen (stdout)."""
    command = [sys.executable, "-c", ON_A_TERMINAL, *line]
    with subprocess.Popen(
        command, env=env, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def read_until(process: "subprocess.Popen[bytes]", words: bytes) -> bytes:
    """What the screen shows, up to and with `words`."""
    assert process.stdout
    shown = b""
    while words not in shown and (more := os.read(process.stdout.fileno(), 4096)):
        shown += more
    assert words in shown, shown
    return shown


def read_rest(process: "subprocess.Popen[bytes]") -> bytes:
    """What the screen shows until the command has ended."""
    assert process.stdout
    return process.stdout.read()


def type_answers(process: "subprocess.Popen[bytes]", answers: Mapping[str, str]) -> None:
    """Answer each of these questions, when the screen shows it."""
    for question, answer in answers.items():
        read_until(process, question.encode())
        type_in(process, answer.encode() + b"\r")


def type_in(process: "subprocess.Popen[bytes]", keys: bytes) -> None:
    """Press keys."""
    assert process.stdin
    process.stdin.write(keys)
