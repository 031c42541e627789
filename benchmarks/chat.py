"""How fast the chat is, in a pseudo-terminal on the local stack, with a large history.

    python benchmarks/chat.py [--messages N] [--received N] [--runs N]

It prints a table for benchmarks/README.md. `--messages` are in the history, one in ten of them in the room that is
opened. `--received` arrive while memory is measured, as fast as they can, through the parts of the chat without a
broker: no broker sends a million messages to one person in a reasonable time.
"""

import argparse
import contextlib
import fcntl
import os
import platform
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psutil

from aws_iot.app import App
from aws_iot.messaging.client import Client
from aws_iot.messaging.message import Message, encode

COMMAND = [sys.executable, "-m", "aws_iot"]
SIZE = (24, 80)
KEY_REPEAT_SECONDS = 1 / 30
START = datetime(2026, 1, 1, tzinfo=UTC)
EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("READY")
Empty().run()
"""


class Terminal:
    """A program with a keyboard and a screen, whose output is searched as it comes."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self._master, theirs = os.openpty()
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", *SIZE, 0, 0))
        self.began = time.perf_counter()
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=env, start_new_session=True
        )
        os.close(theirs)
        self._changed = threading.Condition()
        self._output = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            while data := os.read(self._master, 65_536):
                with self._changed:
                    self._output = (self._output + data)[-200_000:]
                    self._changed.notify_all()

    @property
    def output(self) -> bytes:
        """What has come, since it was last forgotten."""
        with self._changed:
            return self._output

    def forget(self) -> None:
        """Search only what comes from now on."""
        with self._changed:
            self._output = b""

    def wait_for(self, text: str, seconds: float = 60.0) -> float:
        """The moment when a text has come."""
        return self.wait_until(lambda output: text.encode() in output, repr(text), seconds)

    def wait_until(self, is_there: Callable[[bytes], bool], what: str, seconds: float = 60.0) -> float:
        """The moment when the output is as wanted."""
        with self._changed:
            if not self._changed.wait_for(lambda: is_there(self._output), seconds):
                raise TimeoutError(f"{what} is not on the screen: {self._output[-2000:]!r}")
        return time.perf_counter()

    def settle(self, quiet: float = 0.3, seconds: float = 10.0) -> float:
        """The moment of the last output before so many quiet seconds."""
        ends, last, known = time.perf_counter() + seconds, time.perf_counter(), b""
        while time.perf_counter() < ends:
            with self._changed:
                if self._output != known:
                    known, last = self._output, time.perf_counter()
            if time.perf_counter() - last > quiet:
                break
            time.sleep(0.002)
        return last

    def type(self, keys: str) -> float:
        """Press keys; the moment when."""
        at = time.perf_counter()
        os.write(self._master, keys.encode())
        return at

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()  # or it would go on reading from the next terminal, which gets the same number
        os.close(self._master)


@contextlib.contextmanager
def terminal(command: list[str], env: dict[str, str]) -> Iterator[Terminal]:
    running = Terminal(command, env)
    try:
        yield running
    finally:
        running.close()


@contextlib.contextmanager
def stack(folder: Path) -> Iterator[dict[str, str]]:
    """The local stack with two members, and the environment of its commands."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # on users' machines Python saves what it has compiled
    env |= {
        "AWS_IOT_CONFIG_DIR": str(folder),
        "AWS_IOT_SECRETS": "file",
        "TERM": "xterm-256color",
        "HOME": str(folder),
    }
    line = [*COMMAND, "local", "--member", "alice", "--member", "bob"]
    process = subprocess.Popen(line, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout
    for printed in process.stdout:
        if "reset code for passwords" in printed:
            break
    threading.Thread(target=process.stdout.read, daemon=True).start()
    try:
        yield env
    finally:
        process.terminate()
        process.wait()


def fill(folder: Path, count: int) -> None:
    """Give alice a history: one message in ten is in the room `big`, the others in a hundred rooms."""
    app = App.in_folder(folder)
    profile = app.config.profiles.load("alice")
    saved = app.auth.sessions.load(profile)
    assert saved
    recorder = app.history.recorder(profile, saved.identity, "alice", print)
    with recorder:
        for number in range(count):
            recorder.add(made(number, "big" if number % 10 == 0 else f"room-{number % 100}"))
            if number % 50 == 49:
                recorder.flush()
    with Reading(folder):
        pass


class Reading:
    """Sorts everything in, as any reader does."""

    def __init__(self, folder: Path) -> None:
        from aws_iot.history.store import Filter, History

        app = App.in_folder(folder)
        profile = app.config.profiles.load("alice")
        saved = app.auth.sessions.load(profile)
        assert saved
        self.identity = saved.identity
        self.path = app.history.file(profile, saved.identity)
        for _ in range(100):
            with History(self.path) as history:
                if history.last(Filter(["big"]), 1):
                    break

    def __enter__(self) -> "Reading":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def made(number: int, room: str) -> Message:
    """A message of about 100 bytes of text from one of fifty people."""
    sender = f"us-east-1:{number % 50:08x}-0ed5-4578-add0-985024739222"
    text = f"message {number} " + " ".join(f"w{(number * 7919 + k * 104729) % 20000:05d}" for k in range(12))
    at = START + timedelta(milliseconds=number * 20)
    return Message(room, sender, text, encode(text), at, f"{number:032x}", at, f"person {number % 50}")


def chat(env: dict[str, str], *rooms: str) -> Terminal:
    return Terminal([*COMMAND, "chat", *rooms, "-k", "alice"], env)


def first_paint(env: dict[str, str], runs: int) -> tuple[float, float, float]:
    """Seconds to the first paint, and to the messages, and the ratio of the first to that of an empty app: medians.

    Each run is compared with the empty app just before it, because the speed of a machine changes.
    """
    paints, messages, ratios = [], [], []
    for _ in range(runs):
        with terminal([sys.executable, "-c", EMPTY], env) as empty:
            least = empty.wait_for("READY") - empty.began
        with contextlib.closing(chat(env, "big")) as ours:
            paints.append(ours.wait_for("F1 help") - ours.began)
            messages.append(ours.wait_for("person ") - ours.began)
            ratios.append(paints[-1] / least)
    return statistics.median(paints), statistics.median(messages), statistics.median(ratios)


@contextlib.contextmanager
def flood(client: Client, room: str, rate: float) -> Iterator[None]:
    """Messages at this rate until the block ends."""
    ending = threading.Event()

    def run() -> None:
        number, due = 0, time.monotonic()
        while not ending.is_set():
            client.publish_nowait(client.outgoing(room, f"flood {number}"), lambda _: None)
            number += 1
            due += 1 / rate
            ending.wait(max(0.0, due - time.monotonic()))

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield
    ending.set()
    thread.join()


def sender(folder: Path) -> Client:
    """Bob, in this process."""
    from aws_iot.api import connect_with

    return connect_with(App.in_folder(folder), "bob", None, None, None)


def echo(env: dict[str, str], folder: Path, keys: int) -> float:
    """The 99th percentile of the milliseconds from a key to its echo, while 100 messages a second arrive."""
    times = []
    with contextlib.closing(chat(env, "flood")) as ours, sender(folder) as bob:
        ours.wait_for("online")
        with flood(bob, "flood", 95):
            ours.wait_for("flood 50")
            for number in range(keys):
                ours.forget()
                key = chr(0x4E00 + number)  # a character that nothing else shows
                pressed = ours.type(key)
                times.append(ours.wait_for(key) - pressed)
                time.sleep(0.05)
                if number % 20 == 19:
                    ours.type("\x15" * 3)
    return statistics.quantiles(times, n=100)[98] * 1000


def cpu(env: dict[str, str], folder: Path, seconds: float) -> tuple[float, float]:
    """The share of a core when nothing happens, and with 10 messages a second in another room: percent."""
    with contextlib.closing(chat(env, "quiet", "busy")) as ours, sender(folder) as bob:
        ours.wait_for("online")
        time.sleep(3)
        process = psutil.Process(ours.process.pid)

        def share() -> float:
            before = sum(process.cpu_times()[:2])
            time.sleep(seconds)
            return (sum(process.cpu_times()[:2]) - before) / seconds * 100

        idle = share()
        with flood(bob, "busy", 10):
            time.sleep(1)
            return idle, share()


def latency(env: dict[str, str], folder: Path, runs: int) -> tuple[float, float]:
    """Milliseconds from when another process publishes a message until it is on the screen: median and maximum."""
    times = []
    with contextlib.closing(chat(env, "news")) as ours, sender(folder) as bob:
        ours.wait_for("online")
        ours.settle()
        for _ in range(runs):
            text = uuid.uuid4().hex[:12]
            published = time.perf_counter()
            bob.publish_nowait(bob.outgoing("news", text), lambda _: None)
            times.append(ours.wait_for(text) - published)
            time.sleep(0.2)
    return statistics.median(times) * 1000, max(times) * 1000


def switching(env: dict[str, str], messages: int, runs: int) -> tuple[float, float]:
    """Milliseconds to open a large room for the first time, and again: medians."""
    last = f"message {(messages - 1) // 10 * 10} "
    firsts: list[float] = []
    others: list[float] = []
    for _ in range(runs):
        with contextlib.closing(chat(env, "small", "big")) as ours:
            ours.wait_for("online")
            for times in firsts, others:
                ours.type("/join big")
                ours.settle()
                ours.forget()
                pressed = ours.type("\r")
                times.append(ours.wait_for(last) - pressed)
                ours.settle()
                ours.type("/join small\r")
                ours.settle()
    return statistics.median(firsts) * 1000, statistics.median(others) * 1000


class Pages(NamedTuple):
    """Milliseconds of a page up, how many pages there were, and MiB of the whole process in the end."""

    median: float
    percentile: float
    slowest: float
    number: int
    memory: float


def paging(env: dict[str, str], messages: int, through: int) -> Pages:
    """Hold Page Up until so many messages were on the screen."""
    times: list[float] = []
    lowest = (messages - 1) // 10 * 10
    ends = max(0, lowest - 10 * through)  # one message in ten is in this room

    def numbers(output: bytes) -> list[int]:
        return [int(number) for number in re.findall(rb"message (\d+) ", output)]

    def has_older(known: int, output: bytes) -> bool:
        return min(numbers(output), default=known) < known

    with contextlib.closing(chat(env, "big")) as ours:
        ours.wait_for(f"message {lowest} ")
        ours.settle()
        while lowest > ends:
            ours.forget()
            pressed = ours.type("\x1b[5~")
            shown = ours.wait_until(partial(has_older, lowest), "an older message")
            times.append(shown - pressed)
            lowest = min(numbers(ours.output))
            time.sleep(max(0.0, KEY_REPEAT_SECONDS - (time.perf_counter() - pressed)))
        memory = psutil.Process(ours.process.pid).memory_info().rss / 2**20
    percentile = statistics.quantiles(times, n=100)[98]
    return Pages(statistics.median(times) * 1000, percentile * 1000, max(times) * 1000, len(times), memory)


def memory(count: int) -> tuple[float, float]:
    """MiB of the whole process after a first part of the messages and after all of them, without a broker."""
    script = Path(__file__).with_name("chat_memory.py")
    done = subprocess.run(
        [sys.executable, str(script), str(count)], capture_output=True, text=True, check=True
    )
    first, last = map(float, done.stdout.split())
    return first, last


class Table:
    """Prints each row as soon as it is known."""

    def append(self, row: tuple[str, str, str]) -> None:
        print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--received", type=int, default=1_000_000)
    parser.add_argument("--pages", type=int, default=10_000, help="through so many messages")
    parser.add_argument("--runs", type=int, default=9)
    given = parser.parse_args()
    print(
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, {os.cpu_count()} cores\n"
    )
    print("| what | measured | target |\n| --- | --- | --- |")
    rows = Table()
    with tempfile.TemporaryDirectory() as name, stack(Path(name)) as env:
        folder = Path(name)
        fill(folder, given.messages)
        paint, shown, ratio = first_paint(env, given.runs)
        rows.append((f"first paint with {given.messages:,} messages, s", f"{paint:.2f}", "0.6"))
        rows.append(("the same, as a ratio to an empty Textual app", f"{ratio:.2f}", "1.5"))
        rows.append(("until the messages are there, s", f"{shown:.2f}", ""))
        rows.append(
            ("key to echo with 95 messages/s, 99th percentile, ms", f"{echo(env, folder, 200):.0f}", "50")
        )
        idle, busy = cpu(env, folder, 10)
        rows.append(("CPU when idle, % of a core", f"{idle:.2f}", "0.5"))
        rows.append(("CPU with 10 messages/s in another room, % of a core", f"{busy:.1f}", "5"))
        first, again = switching(env, given.messages, given.runs)
        rows.append((f"open a room with {given.messages // 10:,} messages, ms", f"{first:.0f}", "50"))
        rows.append(("switch to it again, ms", f"{again:.0f}", "50"))
        pages = paging(env, given.messages, given.pages)
        what = f"page up, {pages.number:,} times through {given.pages:,} messages, ms"
        rows.append((what, f"{pages.median:.0f}", ""))
        rows.append(("the same, 99th percentile, ms", f"{pages.percentile:.0f}", "50"))
        rows.append(("the slowest of these pages, ms", f"{pages.slowest:.0f}", "50"))
        rows.append(("memory of the whole process after that, MiB", f"{pages.memory:.0f}", "150"))
        usual, longest = latency(env, folder, 50)
        rows.append(("from a publish in another process to the screen, ms", f"{usual:.0f}", "100"))
        rows.append(("the same, at most", f"{longest:.0f}", "100"))
    first, last = memory(given.received)
    rows.append(
        (f"memory of the screen after {given.received:,} received messages, MiB", f"{last:.0f}", "150")
    )
    rows.append(("growth of that since the first tenth, MiB", f"{last - first:.1f}", "10"))


if __name__ == "__main__":
    main()
