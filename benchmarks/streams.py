"""Streams of messages, ours beside others', in one run on one broker: `make benchmark-streams`.

The broker is mosquitto with a `websockets` listener (from the system's packages), which looks at no signature.
Others that are installed run beside ours: paho-mqtt and aiomqtt in this environment, MQTT.js's CLI named by MQTTJS.
"""

import os
import platform
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from aws_iot.app import App  # noqa: E402
from aws_iot.credentials import Credentials  # noqa: E402
from aws_iot.endpoint import Endpoint  # noqa: E402
from aws_iot.kept import Kept  # noqa: E402
from aws_iot.session import Session  # noqa: E402
from tests.fakes import FakeCloud  # noqa: E402
from tests.processes import environment  # noqa: E402

MESSAGES = 20_000
BYTES = 100
RUNS = 5
COMMAND = str(Path(sys.executable).with_name("aws-iot"))
PEERS = Path(__file__).parent / "peers"
IDENTITY = "us-east-1:00000000-0000-0000-0000-000000000001"


@contextmanager
def mosquitto(folder: Path) -> Iterator[tuple[int, int]]:
    """A broker on 127.0.0.1: the ports for WebSockets and for plain MQTT."""
    program = shutil.which("mosquitto", path=os.environ["PATH"] + ":/usr/sbin:/usr/local/sbin")
    if not program:
        sys.exit("This needs mosquitto: apt-get install mosquitto mosquitto-clients")
    ports = []
    for _ in range(2):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            ports.append(listener.getsockname()[1])
    config = folder / "mosquitto.conf"
    config.write_text(
        f"listener {ports[0]} 127.0.0.1\nprotocol websockets\nlistener {ports[1]} 127.0.0.1\n"
        "allow_anonymous true\nmax_queued_messages 0\nmax_inflight_messages 100\npersistence false\n"
    )
    broker = subprocess.Popen([program, "-c", str(config)], stderr=subprocess.DEVNULL)
    try:
        while True:
            try:
                socket.create_connection(("127.0.0.1", ports[1])).close()
                break
            except OSError:
                time.sleep(0.05)
        yield ports[0], ports[1]
    finally:
        broker.terminate()
        broker.wait()


def somebody(config: Path, port: int) -> tuple[dict[str, str], str]:
    """The environment of somebody with a live session, as far as the client can tell; their topic."""
    app = App(config)
    endpoint = Endpoint.parse(f"ws://127.0.0.1:{port}/mqtt")
    profile = app.profiles.change(
        "default", lambda _: replace(FakeCloud().profile, endpoint=endpoint, username="al")
    )
    end = datetime.now(UTC) + timedelta(hours=1)
    keys = Credentials(IDENTITY, "ASIA", "secret", "token", end)
    app.sessions.save(app.profiles.load("default"), Kept(Session("al", "id", "access", None, end), keys))
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


def publishing(env: dict[str, str], topic: str, port: int, folder: Path) -> None:
    lines = folder / "lines"
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


def hearing(env: dict[str, str], topic: str, port: int, plain: int, folder: Path) -> None:
    """Each drains as many messages as wait for it in its session, on a topic of its own."""
    out = folder / "heard"
    pool, _, identity = topic.split("/")

    def peer(name: str) -> Callable[[int], list[str]]:
        script = [sys.executable, str(PEERS / f"{name}_sub.py"), str(port), f"{pool}/{name}/+"]
        return lambda count: [*script, str(count)]

    def ours(count: int) -> list[str]:
        return [COMMAND, "sub", "-q", "-r", "ours", "--json", "--durable", "bench", "-C", str(count)]

    contestants = {"ours": ours, "awscrt": peer("awscrt")}
    contestants |= {library: peer(library) for library in ("paho", "aiomqtt") if find_spec(library)}
    said = folder / "said"
    said.write_text("".join(f'{{"msg":"{number:0{BYTES - 10}}"}}\n' for number in range(MESSAGES)))
    rates: dict[str, list[float]] = {name: [] for name in contestants}
    for turn in range(RUNS + 1):
        for name, command in contestants.items():
            fill(command(1), env, plain, f"{pool}/{name}/{identity}", said, out)
            began = time.perf_counter()
            with out.open("wb") as file:
                subprocess.run(
                    command(MESSAGES),
                    env=env,
                    check=True,
                    stdout=file,
                    stderr=subprocess.PIPE,
                    timeout=120,
                )
            took = time.perf_counter() - began
            assert len(out.read_bytes().splitlines()) == MESSAGES, name
            if turn:
                rates[name].append(MESSAGES / took)
    row(f"`sub --json` to a file, {MESSAGES:,} × {BYTES} B, QoS 1, messages a second, whole command", rates)


def fill(once: list[str], env: dict[str, str], plain: int, topic: str, lines: Path, out: Path) -> None:
    """Make a session (by hearing one message), then let `MESSAGES` wait there."""
    with (
        out.open("wb") as file,
        subprocess.Popen(once, env=env, stdout=file, stderr=subprocess.DEVNULL) as process,
    ):
        while process.poll() is None:
            say(plain, topic, b"first\n")
    with lines.open("rb") as given:
        say(plain, topic, given.read())


def say(plain: int, topic: str, lines: bytes) -> None:
    subprocess.run(
        ["mosquitto_pub", "-p", str(plain), "-q", "1", "-t", topic, "-l"],
        input=lines,
        check=True,
        timeout=120,
    )


def memory(env: dict[str, str], folder: Path) -> None:
    lines = folder / "many"
    with lines.open("w") as file:
        for number in range(1_000_000):
            file.write(f"{number:0{BYTES}}\n")
    for count, source in ((MESSAGES, folder / "lines"), (1_000_000, lines)):
        command = [COMMAND, "pub", "-q", "-r", "bench", "--lines", "--rate", "0", "--file", str(source)]
        print(
            f"| memory of `pub --lines`, {count:,} lines, MiB at most | {peak(command, env):.1f} | |",
            flush=True,
        )


def peak(command: list[str], env: dict[str, str]) -> float:
    """MiB."""
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert not process.returncode
    return used.ru_maxrss / 1024


def processor(env: dict[str, str], topic: str, plain: int) -> None:
    """The share of a core that `sub` takes of 512 messages of 1 KB a second."""
    rounds, each = 10, 512
    command = [COMMAND, "sub", "-r", "bench", "--json"]
    with subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr
        while b"Listening" not in process.stderr.readline():
            pass
        used, began = cpu(process.pid), time.perf_counter()
        for second in range(1, rounds + 1):
            say(plain, topic, b"".join(b"%01000d\n" % number for number in range(each)))
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
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, {RUNS} runs, medians\n"
    )
    print("| what | ours | others (ours as a ratio) |\n| --- | --- | --- |")
    wanted = sys.argv[1:] or ["pub", "sub", "memory", "cpu", "lanes"]
    with tempfile.TemporaryDirectory() as name, mosquitto(Path(name)) as (port, plain):
        folder = Path(name)
        env, topic = somebody(folder / "config", port)
        (folder / "lines").write_text("".join(f"{number:0{BYTES}}\n" for number in range(MESSAGES)))
        if "pub" in wanted:
            publishing(env, topic, port, folder)
        if "lanes" in wanted:
            lanes(env, folder)
        if "sub" in wanted:
            hearing(env, topic, port, plain, folder)
        if "cpu" in wanted:
            processor(env, topic, plain)
        if "memory" in wanted:
            memory(env, folder)


if __name__ == "__main__":
    main()
