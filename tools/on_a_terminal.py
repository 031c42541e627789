"""Run a command on a pseudo-terminal: `python3 tools/on_a_terminal.py COMMAND…`. Its output and its exit code pass on.

CI has no terminal, and people do. This gives CI one, so that it sees what people see.
"""

import os
import pty
import signal
import sys
import termios

CTRL_C = b"\x03"
LINES_AND_COLUMNS = (24, 80)


def main(command: list[str]) -> int:
    """Run it, without reading our own stdin: a command that asks something waits until CI gives up."""
    child, terminal = pty.fork()
    if child == 0:
        os.execvp(command[0], command)
    termios.tcsetwinsize(terminal, LINES_AND_COLUMNS)
    signal.signal(signal.SIGINT, lambda *_: os.write(terminal, CTRL_C))
    signal.signal(signal.SIGTERM, lambda number, _: os.kill(child, number))
    while shown := read(terminal):
        sys.stdout.buffer.write(shown)
        sys.stdout.buffer.flush()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else 128 - code


def read(terminal: int) -> bytes:
    """What the terminal shows next; nothing once no process has it open. Linux then reports an error."""
    try:
        return os.read(terminal, 65_536)
    except OSError:
        return b""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
