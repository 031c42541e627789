"""Real `chat` processes on pseudo-terminals, and what a terminal emulator (pyte) shows of them."""

import os
import re
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress

import pyte

from tests import terminal
from tests.processes import COMMAND
from tests.waiting import DEADLINE_SECONDS, wait_until


class _Screen(pyte.Screen):
    """A screen that knows dim text. For pyte, it blinks, which nothing in the chat does."""

    def select_graphic_rendition(self, *attributes: int) -> None:
        """Take SGR 2 for SGR 5, and end both with SGR 22."""
        numbers = [*attributes]
        if 38 not in numbers and 48 not in numbers:  # which are followed by numbers of colors
            numbers = [5 if one == 2 else one for one in numbers]
            numbers += [25] if 22 in numbers else []
        super().select_graphic_rendition(*numbers)


class TerminalScreen:
    """A process with a keyboard and a screen."""

    def __init__(
        self,
        words: Sequence[str],
        env: Mapping[str, str],
        columns: int,
        rows: int,
        *,
        command: Sequence[str] = COMMAND,
    ) -> None:
        self._screen = _Screen(columns, rows)
        self._stream = pyte.ByteStream(self._screen)
        self._lock = threading.Lock()
        self._text: str | None = None  # what `text` has found, until something changes
        self._terminal, theirs = os.openpty()
        self._resize(columns, rows)
        self.process = terminal.start([*command, *words], {**env, "TERM": "xterm-256color"}, theirs)
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with suppress(OSError):  # the process has ended
            while data := os.read(self._terminal, 65_536):
                with self._lock:
                    self._stream.feed(data)
                    self._text = None

    @property
    def text(self) -> str:
        """What is on the screen."""
        with self._lock:
            if self._text is None:
                self._text = "\n".join(line.rstrip() for line in self._screen.display)
            return self._text

    @property
    def cursor(self) -> tuple[int, int]:
        """Where the cursor is: column and row, from 0."""
        with self._lock:
            return self._screen.cursor.x, self._screen.cursor.y

    @property
    def cells(self) -> list[list[pyte.screens.Char]]:
        """The characters with their looks, row by row. After a wide one, there is an empty one. Dim ones `blink`."""
        with self._lock:
            rows, columns = range(self._screen.lines), range(self._screen.columns)
            return [[self._screen.buffer[row][column] for column in columns] for row in rows]

    def type(self, text: str) -> None:
        """Press the keys of a text; Enter is a carriage return."""
        os.write(self._terminal, text.encode())

    def wait_for(self, text: str) -> None:
        """Wait until a text is on the screen."""
        wait_until(lambda: text in self.text, lambda: f"no {text!r} on:\n{self.text}")

    def count(self, message: str) -> int:
        """How often a message is on the screen that has arrived: below a sender, or at the mark of a further one."""
        text = self.text
        return sum(text.count(f"{begin}{message}") for begin in ("  ", "› "))

    def wait_for_message(self, message: str) -> None:
        """Wait until a message is on the screen that has arrived."""
        wait_until(lambda: self.count(message) > 0, lambda: f"no message {message!r} on:\n{self.text}")

    def wait_for_pattern(self, pattern: str) -> None:
        """Wait until a text is on the screen that this regular expression finds."""
        wait_until(lambda: bool(re.search(pattern, self.text)), lambda: f"no {pattern!r} on:\n{self.text}")

    def wait_until_gone(self, text: str) -> None:
        """Wait until a text is no longer on the screen."""
        wait_until(lambda: text not in self.text, lambda: f"still {text!r} on:\n{self.text}")

    def resize(self, columns: int, rows: int) -> None:
        """Give the terminal another size."""
        with self._lock:
            self._screen.resize(rows, columns)
            self._text = None
        self._resize(columns, rows)

    def _resize(self, columns: int, rows: int) -> None:
        import fcntl  # not on Windows, where no test needs a screen
        import struct
        import termios

        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def stop_and_continue(self) -> None:
        """Stop it, as a shell does in between for another program, and have it go on, on a screen that is empty."""
        self.process.send_signal(signal.SIGTSTP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WNOWAIT)
        with self._lock:
            self._screen.reset()
            self._text = None
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(DEADLINE_SECONDS)

    def close(self) -> None:
        """End it, if it still runs."""
        if self.process.poll() is None:
            self.kill()
        self._reader.join(DEADLINE_SECONDS)
        os.close(self._terminal)


@contextmanager
def on_a_screen(
    line: str, env: Mapping[str, str], columns: int = 80, rows: int = 24
) -> Iterator[TerminalScreen]:
    """`aws-iot <line>` on a screen, until the block ends."""
    screen = TerminalScreen(line.split(), env, columns, rows)
    try:
        yield screen
    finally:
        screen.close()


@contextmanager
def shell_on_a_screen(env: Mapping[str, str], columns: int = 80, rows: int = 24) -> Iterator[TerminalScreen]:
    """A shell with job control on a screen, until the block ends."""
    screen = TerminalScreen(["-i"], {**env, "PS1": "$ ", "ENV": ""}, columns, rows, command=["/bin/sh"])
    try:
        yield screen
    finally:
        screen.close()
