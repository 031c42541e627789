"""Run the commands of a page of the docs, in order, as its reader does.

A comment before a block says how it is meant:

    <!-- file: NAME -->      the block is the content of this file
    <!-- after TEXT: NAME --> the block is to be inserted in this file, after the only line that has TEXT
    <!-- stays: PATTERN -->  its command keeps running; the reader goes on when PATTERN has appeared
    <!-- appears -->         what the commands that keep running print
    <!-- ends: CODE -->      the exit code of its commands, if that is not 0
    <!-- not run: WHY -->    what needs more than a test has

The lines below a command are what it prints; `…` stands for anything.
"""

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.in_process import run_here
from tests.processes import Running
from tests.waiting import DEADLINE_SECONDS

BLOCK = re.compile(r"(?:^<!-- ([^\n]*?) -->\n)?^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PLAIN = re.compile(r"aws-iot [^|&;<>$`()]*")
"""A line that needs no shell."""

VARIES = [
    (r"us-east-1:[0-9a-f]{8}-[0-9a-f-]{27}", r"(us-east-1:[0-9a-f]{8}-[0-9a-f-]{27})"),
    (r"us-east-1_\w{9}", r"us-east-1_\w{9}"),
    (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"),
    (r"~[0-9a-f]{8}\b", r"~[0-9a-f]{8}"),
    (r"127\.0\.0\.1:\d+", r"127\.0\.0\.1:\d+"),
    (r" +\d+ ms\b", r" +\d+ ms\b"),
    (r"…", r".*"),
]
"""What differs from run to run: how it looks on the page, and what may stand there."""


@dataclass(frozen=True)
class Block:
    """A block of a page, and what the comment before it says."""

    mark: str
    value: str
    language: str
    text: str

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command of a console, with the lines that it prints."""
        found: list[tuple[str, list[str]]] = []
        for line in self.text.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            elif found:
                found[-1][1].append(line)
        return found


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    found = []
    for comment, language, text in BLOCK.findall(page.read_text(encoding="utf-8")):
        mark, _, value = comment.partition(": ")
        found.append(Block(mark, value, language, text))
    return found


@dataclass
class Reader:
    """Somebody who types what a page says, in `folder`."""

    folder: Path
    env: dict[str, str]
    more: Callable[[str], dict[str, str]] = lambda _: {}
    """What the reader types at a prompt, as variables, for a command."""
    seconds: float = DEADLINE_SECONDS
    """How long a command may take."""
    running: list[tuple[str, Running]] = field(default_factory=list)
    actual: dict[str, str] = field(default_factory=dict)
    """What stands in this run for an identity of the page."""

    def read(self, page: Path) -> None:
        """Do everything that the page says."""
        for block in blocks(page):
            if block.mark == "file":
                (self.folder / block.value).write_text(block.text, encoding="utf-8")
            elif block.mark.startswith("after "):
                self._insert(block.text, block.mark.removeprefix("after "), self.folder / block.value)
            elif block.mark == "appears":
                for line in block.text.splitlines():
                    self._wait_for(line)
            elif block.language == "console" and block.mark != "not run":
                for line, printed in block.commands:
                    self.type(line, printed, block)

    def _insert(self, text: str, after: str, path: Path) -> None:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
        [at] = [number for number, line in enumerate(lines) if after in line]
        path.write_text("".join([*lines[: at + 1], text, *lines[at + 1 :]]), encoding="utf-8")

    def type(self, line: str, printed: list[str], block: Block) -> None:
        """Run a command, and compare what it prints."""
        for shown, actual in self.actual.items():
            line = line.replace(shown, actual)
        if block.mark == "stays":
            self._stop(line)
            self.running.append((line, self._start(line)))
            for expected in (block.value, *map(pattern, printed)):
                self.running[-1][1].wait_for(expected)
            return
        code = int(block.value) if block.mark == "ends" else 0
        env = self.env | self.more(line)
        if PLAIN.fullmatch(line):
            done = run_here(line.removeprefix("aws-iot "), env, ends=code)
            output = done.stdout + done.stderr
        else:
            ended = subprocess.run(
                ["bash", "-c", line],
                cwd=self.folder,
                env=env,
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self.seconds,
                check=False,
            )
            output = ended.stdout
            assert ended.returncode == code, f"$ {line}\n{output}[{ended.returncode}]"
        self._compare(line, printed, output)

    def _compare(self, line: str, printed: list[str], output: str) -> None:
        for shown in printed:
            found = re.search(pattern(shown), output, re.MULTILINE)
            assert found, f"$ {line}\n{output}\ndoes not print:\n{shown}"
            for on_page, actual in zip(re.findall(VARIES[0][0], shown), found.groups(), strict=True):
                self.actual[on_page] = actual

    def _wait_for(self, shown: str) -> None:
        """Wait until a command that keeps running has printed the line. The first that prints messages is meant."""
        receiver = next(process for line, process in self.running if " sub " in line)
        receiver.wait_for(pattern(shown))

    def _start(self, line: str) -> Running:
        simple = "exec " if not re.search(r"[|&;<>]", line) else ""
        script = f"cd {shlex.quote(str(self.folder))} && {simple}{line}"
        return Running(shlex.join(["-c", script]), self.env, command=["bash"], process_group=0)

    def _stop(self, line: str) -> None:
        """Press Ctrl-C where this command runs already, as a reader does before running it again."""
        for entry in [entry for entry in self.running if entry[0] == line]:
            self._interrupt(entry[1])
            self.running.remove(entry)

    def _interrupt(self, process: Running) -> None:
        os.killpg(process.process.pid, signal.SIGINT)
        process.wait()
        process.kill()

    def leave(self) -> None:
        """Press Ctrl-C in each terminal, the last one first."""
        while self.running:
            self._interrupt(self.running.pop()[1])


def pattern(shown: str) -> str:
    """What matches a whole line that the page shows, whatever differs from run to run."""
    parts = re.split("|".join(f"({on_page})" for on_page, _ in VARIES), shown)
    # Between two parts of plain text stand the groups, of which one has matched.
    step = len(VARIES) + 1
    text = ""
    for at, plain in enumerate(parts):
        if at % step == 0:
            text += re.escape(plain)
        elif plain is not None:
            text += VARIES[at % step - 1][1]
    return f"^{text}$"


@contextmanager
def reader(
    folder: Path, env: dict[str, str], more: Callable[[str], dict[str, str]] = lambda _: {}
) -> Iterator[Reader]:
    """A reader who has closed all terminals at the end."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    person = Reader(folder, env | {"PATH": path}, more)
    try:
        yield person
    finally:
        person.leave()
