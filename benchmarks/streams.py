"""Streams of messages, compared with other programs on one broker: `make benchmark-streams`.

The broker is mosquitto from the system's packages, on WebSockets. It does not check signatures.
Others that are installed run beside ours: paho-mqtt and aiomqtt in this environment, MQTT.js's CLI named by MQTTJS.
"""

import math
import os
import platform
import re
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from aws_iot.app import App  # noqa: E402
from aws_iot.auth.credentials import Credentials  # noqa: E402
from aws_iot.auth.session import Session  # noqa: E402
from aws_iot.config.endpoint import Endpoint  # noqa: E402
from tests.fakes import FakeCloud  # noqa: E402
from tests.processes import environment  # noqa: E402

MESSAGES = 20_000
MANY = 1_000_000
BYTES = 100
RUNS = 5
PATIENCE_SECONDS = 120.0
AWAY_SECONDS = 4.0
TOGETHER_SECONDS = 3.0
"""Time between two outages."""
NOWHERE = subprocess.DEVNULL
COMMAND = str(Path(sys.executable).with_name("aws-iot"))
PEERS = Path(__file__).parent / "peers"
IDENTITY = "us-east-1:00000000-0000-0000-0000-000000000001"


class Patience:
    """A deadline for all waits of a part."""

    def __init__(self) -> None:
        self._ends = time.monotonic() + PATIENCE_SECONDS

    def wait(self, seconds: float) -> None:
        if time.monotonic() > self._ends:
            sys.exit("This does not come to an end: a program has died, or a message was lost.")
        time.sleep(seconds)


class Broker:
    """mosquitto on 127.0.0.1: `port` is for WebSockets, `plain` for MQTT itself."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
        if not program:
            sys.exit("This needs mosquitto: apt-get install mosquitto mosquitto-clients")
        self.port, self.plain = free_port(), free_port()
        self._log = folder / "mosquitto.log"
        config = folder / "mosquitto.conf"
        config.write_text(
            f"listener {self.port} 127.0.0.1\nprotocol websockets\nlistener {self.plain} 127.0.0.1\n"
            "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 100\npersistence false\n"
            "log_type subscribe\nlog_dest stderr\n"
        )
        self._command = [program, "-c", str(config)]

    def start(self) -> None:
        """Return when it listens."""
        patience = Patience()
        with self._log.open("ab") as told:
            self._process = subprocess.Popen(self._command, stderr=told)
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.plain)).close()
                return
            except OSError:
                patience.wait(0.01)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def subscriptions(self, room: str) -> int:
        """Number of subscriptions to a topic with this level."""
        return self._log.read_text().count(f"/{room}/")

    def wait_for_subscription(self, room: str, times: int) -> None:
        """Wait until there were `times` subscriptions to a topic with this level."""
        patience = Patience()
        while self.subscriptions(room) < times:
            patience.wait(0.005)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


@contextmanager
def mosquitto(folder: Path) -> Iterator[Broker]:
    broker = Broker(folder)
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


def signed_in(config: Path, port: int) -> tuple[dict[str, str], str]:
    """The environment of a person with a valid session, as far as the client can tell, and their topic."""
    app = App.in_folder(config)
    endpoint = Endpoint.parse(f"ws://127.0.0.1:{port}/mqtt")
    profile = app.config.profiles.change(
        "default", lambda _: FakeCloud().profile._replace(endpoint=endpoint, username="al")
    )
    end = datetime.now(UTC) + timedelta(hours=1)
    keys = Credentials(IDENTITY, "ASIA", "secret", "token", end)
    app.auth.sessions.save(
        app.config.profiles.load("default"), Session("al", "id", "access", None, end), keys
    )
    env = environment(config)
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    del env["PYTHONUNBUFFERED"]
    return env, f"{profile.identity_pool_id}/bench/{IDENTITY}"


def seconds(command: list[str], env: dict[str, str], stdin: Path | None = None) -> float:
    began = time.perf_counter()
    with (stdin or Path(os.devnull)).open("rb") as given:
        subprocess.run(command, env=env, check=True, stdin=given, capture_output=True, timeout=120)
    return time.perf_counter() - began


def row(name: str, rates: dict[str, list[float]]) -> None:
    """The medians, and ours as a ratio to each of the others."""
    ours, *others = ((who, statistics.median(rate)) for who, rate in rates.items())
    told = ", ".join(f"{who} {rate:,.0f} ({ours[1] / rate:.2f})" for who, rate in others)
    print(f"| {name} | {ours[1]:,.0f} | {told} |", flush=True)


def publishing(env: dict[str, str], topic: str, broker: Broker, folder: Path) -> None:
    lines, port = folder / "lines", broker.port
    lines.write_text("".join(f"{number:0{BYTES}}\n" for number in range(MESSAGES)))
    contestants: dict[str, tuple[list[str], Path | None]] = {
        "ours": ([COMMAND, "pub", "-q", "-r", "bench", "--lines", "--rate", "0", "--file", str(lines)], None),
        "bare awscrt": ([sys.executable, str(PEERS / "awscrt_pub.py"), str(port), topic, str(lines)], None),
    }
    if find_spec("paho"):
        contestants["paho"] = (
            [sys.executable, str(PEERS / "paho_pub.py"), str(port), topic, str(lines)],
            None,
        )
    if mqttjs := os.environ.get("MQTTJS"):
        line = f"{mqttjs} pub -s -M -q 1 -t {topic} -C ws -h 127.0.0.1 -p {port}"
        contestants["MQTT.js"] = (shlex.split(line), lines)
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(RUNS + 1):
        for name, (command, stdin) in contestants.items():
            took = seconds(command, env, stdin)
            if turn:
                rates[name].append(MESSAGES / took)
    row(f"`pub --lines --rate 0`, QoS 1, {MESSAGES:,} lines, messages a second, whole command", rates)


@dataclass(frozen=True)
class Subscriber:
    """A program that receives a room of its own. If it does not end by itself, it is killed after its last message."""

    command: list[str]
    room: str
    ends: bool = True


def all_subscribers(topic: str, broker: Broker) -> dict[str, Subscriber]:
    """Ours, and the others that are installed."""
    pool = topic.split("/")[0]
    subscribers = {"ours": ours("ours", MESSAGES)}
    for library in ("awscrt", *(one for one in ("paho", "aiomqtt") if find_spec(one))):
        script = [sys.executable, str(PEERS / f"{library}_sub.py"), str(broker.port)]
        subscribers[library] = Subscriber([*script, f"{pool}/{library}/+", str(MESSAGES)], library)
    if mqttjs := os.environ.get("MQTTJS"):
        line = f"{mqttjs} sub -q 1 -t {pool}/mqttjs/+ -C ws -h 127.0.0.1 -p {broker.port}"
        subscribers["MQTT.js"] = Subscriber(shlex.split(line), "mqttjs", ends=False)
    subscribers["ours with --durable"] = ours("durable", MESSAGES, "--durable", "bench")
    return subscribers


def receiving(env: dict[str, str], topic: str, broker: Broker, folder: Path) -> None:
    """Each receives messages as fast as the broker accepts them, timed from the first message to the program's end."""
    subscribers = all_subscribers(topic, broker)
    for qos in (0, 1):
        rates: dict[str, list[float]] = {name: [] for name in subscribers}
        for turn in range(RUNS + 1):
            for name, subscriber in subscribers.items():
                took, _ = received(subscriber, env, topic, broker, folder, qos=qos)
                if turn:
                    rates[name].append(MESSAGES / took)
        row(
            f"`sub --json` to a file, {MESSAGES:,} × {BYTES} B, sent with QoS {qos}, messages a second", rates
        )


def saving(env: dict[str, str], topic: str, broker: Broker, folder: Path) -> None:
    """`sub` with the history beside `sub` without: into an empty file, and into one with what earlier runs left."""
    saved = folder / "config" / "history"
    ways = {
        "ours": ours("more", MESSAGES),
        "into an empty history": ours("empty", MESSAGES),
        "without history": ours("none", MESSAGES, "--no-history"),
    }
    rates: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(RUNS + 1):
        for name, way in ways.items():
            kept = folder / "kept"
            if is_set_aside := name == "into an empty history" and saved.exists():
                saved.rename(kept)
            took, _ = received(way, env, topic, broker, folder, qos=0)
            if is_set_aside:
                shutil.rmtree(saved)
                kept.rename(saved)
            if turn:
                rates[name].append(MESSAGES / took)
    row(f"`sub --json` with history, {MESSAGES:,} × {BYTES} B, sent with QoS 0, messages a second", rates)


def ours(room: str, count: int, *more: str) -> Subscriber:
    return Subscriber([COMMAND, "sub", "-q", "-r", room, "--json", "-C", str(count), *more], room)


def received(
    subscriber: Subscriber,
    env: dict[str, str],
    topic: str,
    broker: Broker,
    folder: Path,
    rounds: int = 1,
    qos: int = 1,
) -> tuple[float, float]:
    """Send `MESSAGES`, and repeat after the last one has arrived. Returns seconds and the highest memory in MiB.

    It sends in rounds, because mosquitto queues at most about 65,000 messages for a client. With QoS 1, mosquitto
    2.0.11 exceeds a client's Receive Maximum as soon as some messages are acknowledged. awscrt searches all
    unacknowledged messages for each one, so a client that falls behind falls further behind.
    """
    messages, out = folder / "messages", folder / "received"
    messages.write_text("".join(f'{{"msg":"{number:0{BYTES - 10}}"}}\n' for number in range(MESSAGES)))
    before = broker.subscriptions(subscriber.room)
    with out.open("wb") as file:
        process = subprocess.Popen(subscriber.command, env=env, stdout=file, stderr=subprocess.DEVNULL)
    memory = Memory(process)
    try:
        broker.wait_for_subscription(subscriber.room, before + 1)
        began = time.perf_counter()
        for number in range(1, rounds + 1):
            send(broker.plain, topic.replace("/bench/", f"/{subscriber.room}/"), messages, qos)
            if number < rounds or not subscriber.ends:
                wait_for_lines(out, number * MESSAGES)
        if not subscriber.ends:
            process.kill()
        process.wait(PATIENCE_SECONDS)
        took = time.perf_counter() - began
    finally:
        process.kill()
    wait_for_lines(out, rounds * MESSAGES)
    return took, memory.mib


class Memory(threading.Thread):
    """The highest memory of a process, read ten times a second. `wait4` would include that of its parent."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        super().__init__(daemon=True)
        self._status = Path(f"/proc/{process.pid}/status")
        self.mib = 0.0
        self.start()

    def run(self) -> None:
        with suppress(FileNotFoundError):  # then it is gone
            while found := re.search(r"VmHWM:\s+(\d+)", self._status.read_text()):
                self.mib = int(found[1]) / 1024
                time.sleep(0.1)


def wait_for_lines(file: Path, count: int) -> None:
    patience = Patience()
    with file.open("rb") as lines:
        while count > 0:
            count -= (part := lines.read(1 << 16)).count(b"\n")
            if not part:
                patience.wait(0.001)


def send(plain: int, topic: str, lines: Path, qos: int = 1) -> None:
    command = ["mosquitto_pub", "-p", str(plain), "-q", str(qos), "-t", topic, "-l"]
    with lines.open("rb") as given:
        subprocess.run(command, stdin=given, check=True, timeout=120)


def returning(env: dict[str, str], topic: str, broker: Broker) -> None:
    """All subscribe at once. How long after an outage of the broker has each subscribed again?"""
    subscribers = all_subscribers(topic, broker)
    late: dict[str, list[float]] = {name: [] for name in subscribers}
    processes = {}
    before = {name: broker.subscriptions(subscriber.room) for name, subscriber in subscribers.items()}
    for name, subscriber in subscribers.items():
        processes[name] = subprocess.Popen(subscriber.command, env=env, stdout=NOWHERE, stderr=NOWHERE)
    try:
        for name, subscriber in subscribers.items():
            broker.wait_for_subscription(subscriber.room, before[name] + 1)
        for _ in range(RUNS):
            time.sleep(TOGETHER_SECONDS)
            broker.stop()
            time.sleep(AWAY_SECONDS)
            before = {name: broker.subscriptions(subscriber.room) for name, subscriber in subscribers.items()}
            broker.start()
            began, away = time.perf_counter(), set(subscribers)
            while away and time.perf_counter() - began < 2 * AWAY_SECONDS:
                for name in [n for n in away if broker.subscriptions(subscribers[n].room) > before[n]]:
                    late[name].append(time.perf_counter() - began)
                    away.remove(name)
                time.sleep(0.005)
            for name in away:
                late[name].append(math.inf)
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    ours, *others = (
        f"{name} {shown(statistics.median(seconds))} ({shown(max(seconds))})"
        for name, seconds in late.items()
    )
    told = f"{ours.removeprefix('ours ')} | {', '.join(others)}"
    print(
        f"| back after the broker was away for {AWAY_SECONDS:g} s, seconds (at most) | {told} |", flush=True
    )


def shown(seconds: float) -> str:
    return "never" if seconds == math.inf else f"{seconds:.1f}"


def memory(env: dict[str, str], topic: str, broker: Broker, folder: Path) -> None:
    for count in (MESSAGES, MANY):
        lines = folder / f"lines-{count}"
        with lines.open("w") as file:
            file.writelines(f"{number:0{BYTES}}\n" for number in range(count))
        command = [COMMAND, "pub", "-q", "-r", "bench", "--lines", "--rate", "0", "--file", str(lines)]
        print(
            f"| memory of `pub --lines`, {count:,} lines, MiB at most | {peak(command, env):.1f} | |",
            flush=True,
        )
        _, used = received(ours("ours", count), env, topic, broker, folder, count // MESSAGES)
        print(f"| memory of `sub --json`, {count:,} messages, MiB at most | {used:.1f} | |", flush=True)


def peak(command: list[str], env: dict[str, str]) -> float:
    """MiB."""
    process = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL)
    memory = Memory(process)
    assert not process.wait()
    return memory.mib


def processor(env: dict[str, str], topic: str, broker: Broker, folder: Path) -> None:
    """The share of a core that `sub` needs for 512 messages of 1 KB a second."""
    rounds, each = 10, 512
    lines = folder / "a-second"
    lines.write_bytes(b"".join(b"%01000d\n" % number for number in range(each)))
    command = [COMMAND, "sub", "-r", "bench", "--json"]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr
        while b"Receiving" not in process.stderr.readline():
            pass
        used, began = cpu(process.pid), time.perf_counter()
        for second in range(1, rounds + 1):
            send(broker.plain, topic, lines)
            time.sleep(max(0, began + second - time.perf_counter()))
        share = (cpu(process.pid) - used) / (time.perf_counter() - began)
        process.terminate()
    print(
        f"| CPU of `sub --json` at 512 KB/s of 1 KB messages, % of a core | {100 * share:.1f} | |", flush=True
    )


def cpu(pid: int) -> float:
    """Seconds of processor time so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def lanes(env: dict[str, str], folder: Path) -> None:
    few = folder / "few"
    few.write_text("".join(f"{number:0{BYTES}}\n" for number in range(2400)))
    rates = []
    for connections in (4, 1):
        command = [
            COMMAND,
            "pub",
            "-q",
            "-r",
            "bench",
            "--lines",
            "--file",
            str(few),
            "--connections",
            str(connections),
        ]
        rates.append(2400 / seconds(command, env))
    print(
        f"| `pub --lines --connections 4` at 100/s each, messages a second | {rates[0]:,.0f} |"
        f" one connection {rates[1]:,.0f} ({rates[0] / rates[1]:.2f}) |",
        flush=True,
    )


def main() -> None:
    print(
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {RUNS} runs, medians\n"
    )
    print("| what | ours | others (ours as a ratio) |\n| --- | --- | --- |")
    wanted = sys.argv[1:] or ["pub", "lanes", "sub", "history", "back", "cpu", "memory"]
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as broker:
        folder = Path(name)
        env, topic = signed_in(folder / "config", broker.port)
        if "pub" in wanted:
            publishing(env, topic, broker, folder)
        if "lanes" in wanted:
            lanes(env, folder)
        if "sub" in wanted:
            receiving(env, topic, broker, folder)
        if "history" in wanted:
            saving(env, topic, broker, folder)
        if "back" in wanted:
            returning(env, topic, broker)
        if "cpu" in wanted:
            processor(env, topic, broker, folder)
        if "memory" in wanted:
            memory(env, topic, broker, folder)


if __name__ == "__main__":
    main()
