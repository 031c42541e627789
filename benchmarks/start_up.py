"""How long commands take, compared with other programs that do the same: `make benchmark`.

All are run in turn (A B C A B C …), so that a machine that slows down slows all of them. A ratio is the median of the
ratios of all rounds: if the clock changes half-way, the medians of the seconds may come from different speeds.
With ORIGINAL=FOLDER, a checkout of the npm tool with its packages installed, its `pub` is compared as well.
"""

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from aws_iot.app import App  # noqa: E402
from tests.processes import PASSWORD, Person, Stack, environment, run  # noqa: E402

RUNS = 31
COMMAND = str(Path(sys.executable).with_name("aws-iot"))
PEERS = ROOT / "benchmarks" / "peers"


@dataclass(frozen=True)
class Peer:
    """A program that does the same as ours, and how many times its time ours may take."""

    name: str
    command: list[str]
    target: float


def seconds(command: list[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return time.perf_counter() - began


def measure(name: str, command: list[str], peers: list[Peer], env: dict[str, str]) -> None:
    """Run ours and each peer in turn, and print medians. The first round warms up, and is not counted."""
    rounds = [
        [seconds(each, env) for each in (command, *(peer.command for peer in peers))] for _ in range(RUNS + 1)
    ]
    ours, *others = (statistics.median(column) for column in zip(*rounds[1:], strict=True))
    for peer, other, at in zip(peers, others, range(1, len(peers) + 1), strict=True):
        ratio = statistics.median(each[0] / each[at] for each in rounds[1:])
        result = f"{ours:.3f} | {other:.3f} | {ratio:.2f} | {peer.target}"
        print(f"| {name}, to {peer.name} | {result} |", flush=True)


def tab_key(typed: str) -> dict[str, str]:
    """What the script of a shell sets when its user presses Tab."""
    return {"_AWS_IOT_COMPLETE": "zsh", "_AWS_IOT_LINE": typed}


def in_home(home: Path, env: dict[str, str]) -> dict[str, str]:
    """The same without a folder of its own for settings: finding that of the system takes time."""
    home.mkdir(exist_ok=True)
    chosen = ("AWS_IOT_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")
    env = {name: value for name, value in env.items() if name not in chosen} | {"HOME": str(home)}
    run(f"config -s {ROOT / 'aws-exports.sample.json'}", env)
    return env


def credentials_file(folder: Path, app: App, identity: str) -> Path:
    """What the peers need to publish one message, with the credentials of the saved session."""
    profile = app.config.profiles.load("default")
    saved = app.auth.sessions.load(profile)
    assert saved
    assert saved.credentials
    file = folder / "keys.json"
    file.touch(0o600)
    file.write_text(
        json.dumps(
            {
                "host": profile.endpoint.host,
                "port": profile.endpoint.port,
                "ca": profile.ca_bundle,
                "region": profile.iot_region,
                "identity": identity,
                "id": saved.credentials.access_key_id,
                "secret": saved.credentials.secret_access_key,
                "token": saved.credentials.session_token,
                "topic": f"{profile.identity_pool_id}/lobby/{identity}",
            }
        )
    )
    return file


def main() -> None:
    print(
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"{os.cpu_count()} cores, {RUNS} runs, medians\n"
    )
    print("| what | ours s | other s | ratio | target |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, Stack.start(Path(folder)) as stack:
        person = stack.person()
        config = Path(folder, "person")
        env = environment(config)
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # on users' machines Python saves what it has compiled
        app = App.in_folder(config)
        app.config.profiles.change("default", lambda _: stack.profile)
        run(f"login -u {person.username} -p {PASSWORD}", env)
        keys = str(credentials_file(config, app, person.identity))
        click = Peer("`import click`", [sys.executable, "-c", "import click"], 1.2)
        for command, target in (("--help", 1.2), ("config list", 1.6), ("whoami", 1.6)):
            measure(f"`{command}`", [COMMAND, *command.split()], [replace(click, target=target)], env)
        home = in_home(Path(folder, "home"), env)
        for typed in ("sub -k ", "pub -r ", "history ", "admin revoke ", "backend deploy --", "doctor --"):
            # The limit is 100 ms. `import click`, which Tab does without, takes 45 to 75 ms here.
            tab = home | tab_key(f"aws-iot {typed}")
            measure(f"Tab after `{typed}`", [COMMAND], [replace(click, target=1.1)], tab)
        peers = [
            Peer("awsiotsdk's sample", [sys.executable, str(PEERS / "awsiotsdk_message.py"), keys], 1.0),
            Peer(
                "the smallest awscrt script", [sys.executable, str(PEERS / "awscrt_message.py"), keys], 1.25
            ),
        ]
        send = [COMMAND, "pub", "-r", "lobby", "-m", "hello"]
        measure("`pub` with a saved session", send, peers, env)
        if original := os.environ.get("ORIGINAL"):
            beside_the_original(Path(original), stack, person, config, env | original_env(stack, config))


def original_env(stack: Stack, home: Path) -> dict[str, str]:
    """The npm tool saves its settings in the home folder, and uses Node's certificate authorities."""
    port = urlsplit(str(stack.profile.cognito_idp_url)).port
    return {"HOME": str(home), "LOCAL_API": str(port), "NODE_EXTRA_CA_CERTS": str(stack.profile.ca_bundle)}


def beside_the_original(folder: Path, stack: Stack, person: Person, home: Path, env: dict[str, str]) -> None:
    """`pub` that signs in first, ours and the npm tool's."""
    node = ["node", "-r", str(ROOT / "benchmarks" / "original.js"), str(folder / "dist" / "index.js")]
    who = ["-u", person.username, "-p", PASSWORD]
    exports = str(stack.folder / "aws-exports.json")
    home_env = environment(home) | original_env(stack, home)
    subprocess.run([*node, "config", "-s", exports, "-k", "default", *who], env=home_env, check=True)
    send = ["pub", "-r", "lobby", "-m", "hello", *who]
    measure("`pub` that signs in first", [COMMAND, *send], [Peer("the npm tool's", [*node, *send], 1.0)], env)


if __name__ == "__main__":
    main()
