"""How fast the history is: saving, importing, searching and reading, with a million messages.

    python benchmarks/history.py [--messages N] [--folder FOLDER] [--keep]

It prints a table for benchmarks/README.md. `rg` (ripgrep) and `sqlite-utils` are measured beside it if they are
installed. `--keep` leaves the files in the folder, and uses those that an earlier run left there.
"""

import argparse
import os
import platform
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from aws_iot.app import App  # noqa: E402
from aws_iot.history.file.intake import sort_in  # noqa: E402
from aws_iot.history.file.schema import connect  # noqa: E402
from aws_iot.history.saving.owners import note_owner  # noqa: E402
from aws_iot.history.saving.recorder import Recorder  # noqa: E402
from aws_iot.history.search import parse_search, search  # noqa: E402
from aws_iot.history.store import Filter, History  # noqa: E402
from aws_iot.history.upkeep.transfer import import_lines  # noqa: E402
from aws_iot.messaging.json_lines import to_line  # noqa: E402
from aws_iot.messaging.message import Message, encode, from_wire  # noqa: E402
from tests.fakes import FakeCloud  # noqa: E402
from tests.processes import environment  # noqa: E402

COMMAND = shutil.which("aws-iot", path=str(Path(sys.executable).parent)) or "aws-iot"
ME = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
START = datetime(2026, 1, 1, tzinfo=UTC)
ROOMS, SENDERS = 100, 50
RUNS = 15
BATCH = 50
QUERIES = {"a word": "w07a07", "a phrase": '"w00a00 w01a01"', "a CJK word of two characters": "検索"}
JAPANESE = "日本語会議東京検索結果資料確認送付お願い致しますです明日開始時間変更連絡担当者更新完了報告"


def messages(count: int, seed: int = 1) -> Iterator[Message]:
    """Messages of about 100 bytes of text: words whose frequencies follow Zipf's law, one in ten in Japanese."""
    chance = random.Random(seed)  # noqa: S311 the same messages each time
    words = [f"w{number:02x}a{number % 100:02d}" for number in range(20_000)]
    pool = chance.choices(words, [1 / (rank + 5) for rank in range(len(words))], k=500_000)
    senders = [ME, *(f"us-east-1:{number:08x}-0ed5-4578-add0-985024739222" for number in range(1, SENDERS))]
    for number in range(count):
        if number % 10:
            at = chance.randrange(len(pool) - 20)
            text = " ".join(pool[at : at + 17])[:100]
        else:
            text = "".join(chance.choices(JAPANESE, k=33))
        received = START + timedelta(milliseconds=number * 20)
        properties = [
            ("id", f"{chance.getrandbits(128):032x}"),
            ("sent", received.isoformat(timespec="milliseconds")),
            ("name", f"person {number % SENDERS}"),
        ]
        room = f"room-{chance.randrange(ROOMS)}"
        yield from_wire(room, senders[number % SENDERS], encode(text), properties, received)


def seconds(action: Callable[[], object], runs: int = RUNS) -> float:
    """The median time of an action, without its first run."""
    times = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times[1:])


def row(what: str, ours: str, target: str = "", others: str = "") -> None:
    print(f"| {what} | {ours} | {others} | {target} |", flush=True)


def milliseconds(value: float) -> str:
    return f"{value * 1000:.2f} ms"


def measure_saving(folder: Path, count: int = 20_000) -> None:
    """Saving as `sub` does it, sorting in, and what saving adds to the processor time of receiving."""
    path = folder / "saving.sqlite3"
    several = list(messages(count))
    wire = [
        (
            one.room,
            one.sender,
            one.payload,
            [("id", one.id), ("sent", one.sent.isoformat()), ("name", one.name)],
        )
        for one in several
        if one.sent and one.id and one.name
    ]

    def receive(recorder: Recorder | None) -> float:
        start = time.process_time()
        with open(os.devnull, "w") as null:  # noqa: PTH123
            for number, (room, sender, payload, properties) in enumerate(wire, 1):
                message = from_wire(room, sender, payload, properties, START)
                null.write(to_line(message))
                if recorder:
                    recorder.add(message)
                    if number % BATCH == 0:
                        recorder.flush()
        return time.process_time() - start

    def fail(error: Exception) -> None:
        raise error

    without = min(receive(None) for _ in range(5))
    with Recorder(path, ME, fail, lambda: START) as recorder:
        start, cpu = time.perf_counter(), time.process_time()
        for number in range(0, count, BATCH):
            for one in several[number : number + BATCH]:
                recorder.add(one)
            recorder.flush()
        saving = time.perf_counter() - start
        saved = time.process_time() - cpu
    with closing(connect(path, ME)) as database:
        start, cpu = time.perf_counter(), time.process_time()
        for _ in sort_in(database, path):
            pass
        sorting = time.perf_counter() - start
        sorted_ = time.process_time() - cpu
    row(
        f"save in batches of {BATCH}, messages a second",
        f"{count / saving:,.0f} ({saved / count * 1e6:.1f} µs CPU)",
        "50,000",
    )
    row(
        "sort in what was saved (later, when idle), messages a second",
        f"{count / sorting:,.0f} ({sorted_ / count * 1e6:.1f} µs CPU)",
        "",
    )
    with_ = without * 10
    for run in range(5):
        with Recorder(folder / f"saving{run}.sqlite3", ME, fail, lambda: START) as recorder:
            with_ = min(with_, receive(recorder))
    row(
        "processor time that saving adds to a received message",
        f"{(with_ - without) / count * 1e6:.1f} µs",
        "",
        f"reading it and making the line of `--json`: {without / count * 1e6:.1f} µs",
    )


def measure_import(lines: Path, path: Path, count: int) -> None:
    if not lines.exists():
        with lines.open("w") as file:
            file.writelines(f"{to_line(one)}\n" for one in messages(count))
    if path.exists():
        return
    start = time.perf_counter()
    with lines.open(encoding="utf-8") as file:
        import_lines(path, ME, file)
    took = time.perf_counter() - start
    row(f"import {count:,} lines", f"{took:.1f} s ({count / took:,.0f}/s)", f"{40 * count / 1e6:.0f} s")
    row("bytes for each message of 100 bytes, with the index", f"{path.stat().st_size / count:.0f}", "500")


def measure_reading(path: Path, lines: Path) -> None:
    def open_() -> None:
        with History(path):
            pass

    row("open", milliseconds(seconds(open_)), "20 ms")
    with History(path) as history:
        last = seconds(lambda: history.last(Filter(["room-7"]), 100))
        row("the last 100 messages of a room", milliseconds(last), "5 ms")
        row(f"unread counts of {ROOMS} rooms", milliseconds(seconds(history.rooms)), "5 ms")
        for what, query in QUERIES.items():
            wanted = parse_search(query, START)

            def find(wanted: object = wanted) -> int:
                return len(search(history, wanted, 100))  # type: ignore[arg-type]

            others = ", ".join(beside(query, lines))
            row(f"search for {what}: {find()} newest", milliseconds(seconds(find)), "50 ms", others)


def measure_command(path: Path, folder: Path) -> None:
    """The whole command, beside what every program with Click needs. The two take turns."""
    config = folder / "config"
    app = App.in_folder(config)
    app.config.profiles.change("default", lambda _: FakeCloud().profile._replace(username="al"))
    saved = app.history.file(app.config.profiles.load("default"), ME)
    note_owner(saved.parent, "al", ME)
    saved.unlink(missing_ok=True)
    saved.hardlink_to(path)
    env = environment(config)
    for name in ("PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"):
        env.pop(name, None)
    commands = [[COMMAND, "history", "-n", "20"], [sys.executable, "-c", "import click"]]
    times: list[list[float]] = [[], []]
    for turn in range(2 * RUNS + 1):
        for command, taken in zip(commands, times, strict=True):
            start = time.perf_counter()
            subprocess.run(command, env=env, check=True, capture_output=True)
            if turn:
                taken.append(time.perf_counter() - start)
    ours, least = map(statistics.median, times)
    row(
        "`history -n 20`, the whole command",
        f"{milliseconds(ours)} ({ours / least:.2f})",
        "2.0 × `import click`",
        f"`import click` {milliseconds(least)}",
    )


def beside(query: str, lines: Path) -> Iterator[str]:
    """What other programs take for the same search."""
    escaped = "".join(one if one.isascii() else f"\\u{ord(one):04x}" for one in query.strip('"'))
    if rg := shutil.which("rg"):
        command = [rg, "--ignore-case", "--fixed-strings", "--count", escaped, str(lines)]
        took = seconds(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=False), 3)
        yield f"rg {milliseconds(took)}"
    else:
        yield "rg is not installed"
    database = lines.with_name("utils.sqlite3")
    if utils := shutil.which("sqlite-utils"):
        if not database.exists():
            subprocess.run([utils, "insert", str(database), "m", str(lines), "--nl"], check=True)
            subprocess.run([utils, "enable-fts", str(database), "m", "text"], check=True)
        command = [utils, "search", str(database), "m", query, "--limit", "100"]
        took = seconds(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=False), 3)
        yield f"sqlite-utils {milliseconds(took)}"
    else:
        yield "sqlite-utils is not installed"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--messages", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="history-", dir=given.folder))
    if given.keep and given.folder:
        folder.rmdir()
        folder = given.folder
    version = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}"
    print(
        f"{platform.system()} {platform.machine()}, {version}, {os.cpu_count()} cores, medians of {RUNS} runs\n"
    )
    print(f"| with {given.messages:,} messages | ours | others | target |\n| --- | --- | --- | --- |")
    try:
        lines, path = folder / "messages.jsonl", folder / "history.sqlite3"
        measure_saving(folder)
        measure_import(lines, path, given.messages)
        measure_reading(path, lines)
        measure_command(path, folder)
    finally:
        if not given.keep:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
