"""How long commands take, as ratios to the least that could do the same: `make benchmark`.

Each pair is run in turn (A B A B …), so that a machine that slows down slows both; the ratio is of medians.
With ORIGINAL=FOLDER, a checkout of the npm tool with its packages installed, its `pub` is run beside ours.
"""

import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from aws_iot.app import App  # noqa: E402
from tests.processes import PASSWORD, Person, Stack, environment, run  # noqa: E402

RUNS = 15
COMMAND = str(Path(sys.executable).with_name("aws-iot"))
IMPORT_CLICK = [sys.executable, "-c", "import click"]

# The smallest awscrt script that connects with given keys, publishes with QoS 1, waits for the PUBACK and ends.
SMALLEST = """
import json, sys
from awscrt import auth, io, mqtt5
from concurrent.futures import Future
k = json.load(open(sys.argv[1]))
tls = io.TlsContextOptions()
tls.override_default_trust_store_from_path(None, k["ca"])
provider = auth.AwsCredentialsProvider.new_static(k["id"], k["secret"], k["token"])
def sign(transform_args):
    config = auth.AwsSigningConfig(algorithm=auth.AwsSigningAlgorithm.V4, region=k["region"],
        signature_type=auth.AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS, credentials_provider=provider,
        service="iotdevicegateway", omit_session_token=True)
    auth.aws_sign_request(transform_args.http_request, config).add_done_callback(
        lambda f: transform_args.set_done(f.exception()))
stopped = Future()
client = mqtt5.Client(mqtt5.ClientOptions(host_name=k["host"], port=k["port"], tls_ctx=io.ClientTlsContext(tls),
    websocket_handshake_transform=sign, connect_options=mqtt5.ConnectPacket(client_id=k["identity"] + "-bench"),
    on_lifecycle_event_stopped_fn=stopped.set_result))
client.start()
packet = mqtt5.PublishPacket(topic=k["topic"], payload=b'{"msg":"hello"}', qos=mqtt5.QoS.AT_LEAST_ONCE)
assert client.publish(packet).result(10).puback.reason_code == 0
client.stop(mqtt5.DisconnectPacket())
stopped.result(10)
"""


@dataclass(frozen=True)
class Pair:
    """What we do, and the least that could do the same."""

    name: str
    ours: list[str]
    least: list[str]
    target: float


def seconds(command: list[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, env=env, check=True, capture_output=True)
    return time.perf_counter() - began


def measure(pair: Pair, env: dict[str, str]) -> None:
    timings: list[tuple[float, float]] = []
    for _ in range(RUNS + 1):
        timings.append((seconds(pair.ours, env), seconds(pair.least, env)))
    ours, least = (
        statistics.median(column) for column in zip(*timings[1:], strict=True)
    )  # the first warms up
    print(f"| {pair.name} | {ours:.3f} | {least:.3f} | {ours / least:.2f} | {pair.target} |", flush=True)


def main() -> None:
    print(
        f"{platform.platform()}, Python {platform.python_version()}, {os.cpu_count()} cores, {RUNS} runs, medians\n"
    )
    print("| what | ours s | least s | ratio | target |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder, Stack.start(Path(folder)) as stack:
        person = stack.person()
        config = Path(folder, "person")
        env = environment(config)
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # users do not compile it all at each command
        app = App.in_folder(config)
        profile = app.config.profiles.change("default", lambda _: stack.profile)
        run(f"login -u {person.username} -p {PASSWORD}", env)
        saved = app.auth.sessions.load(app.config.profiles.load("default"))
        assert saved
        keys = config / "keys.json"
        keys.write_text(
            f'{{"host": "{profile.endpoint.host}", "port": {profile.endpoint.port}, "ca": "{profile.ca_bundle}",'
            f'"region": "{profile.iot_region}", "identity": "{person.identity}",'
            f'"id": "{saved.credentials.access_key_id}", "secret": "{saved.credentials.secret_access_key}",'
            f'"token": "{saved.credentials.session_token}",'
            f'"topic": "{profile.identity_pool_id}/lobby/{person.identity}"}}'
        )
        say = [COMMAND, "pub", "-r", "lobby", "-m", "hello"]
        for pair in (
            Pair("`--help`, to `import click`", [COMMAND, "--help"], IMPORT_CLICK, 1.6),
            Pair("`config list`, to `import click`", [COMMAND, "config", "list"], IMPORT_CLICK, 1.6),
            Pair("`whoami`, to `import click`", [COMMAND, "whoami"], IMPORT_CLICK, 1.6),
            Pair(
                "`pub` with a live session, to the smallest awscrt script",
                say,
                [sys.executable, "-c", SMALLEST, str(keys)],
                1.3,
            ),
        ):
            measure(pair, env)
        if original := os.environ.get("ORIGINAL"):
            measure(
                beside_the_original(Path(original), stack, person, config), env | original_env(stack, config)
            )


def original_env(stack: Stack, home: Path) -> dict[str, str]:
    """The npm tool keeps its settings in the home folder, and asks no authority but Node's."""
    port = urlsplit(str(stack.profile.cognito_idp_url)).port
    return {"HOME": str(home), "LOCAL_API": str(port), "NODE_EXTRA_CA_CERTS": str(stack.profile.ca_bundle)}


def beside_the_original(folder: Path, stack: Stack, person: Person, home: Path) -> Pair:
    """`pub` that signs in first, ours and theirs."""
    node = ["node", "-r", str(ROOT / "benchmarks" / "original.js"), str(folder / "dist" / "index.js")]
    who = ["-u", person.username, "-p", PASSWORD]
    exports = str(stack.folder / "aws-exports.json")
    env = environment(home) | original_env(stack, home)
    subprocess.run([*node, "config", "-s", exports, "-k", "default", *who], env=env, check=True)
    say = ["pub", "-r", "lobby", "-m", "hello", *who]
    return Pair("`pub` that signs in first, to the npm tool's", [COMMAND, *say], [*node, *say], 1.0)


if __name__ == "__main__":
    main()
