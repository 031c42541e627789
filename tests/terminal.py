"""A pseudo-terminal: a command with a keyboard and a screen."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

NEEDED = pytest.mark.skipif(sys.platform == "win32", reason="needs pseudo-terminals")

# A process of its own runs the command on a pseudo-terminal, and ends with the command's exit code.
ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"


@contextmanager
def on_a_terminal(line: list[str], env: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """The command, with a keyboard (stdin) and a screen (stdout)."""
    command = [sys.executable, "-c", ON_A_TERMINAL, *line]
    with subprocess.Popen(
        command, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
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


def type_in(process: "subprocess.Popen[bytes]", keys: bytes) -> None:
    """Press keys."""
    assert process.stdin
    process.stdin.write(keys)
