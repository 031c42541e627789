"""`aws-iot local` itself."""

import json
import signal
import socket
import ssl
import stat
import subprocess
import sys
from contextlib import suppress
from http.client import HTTPConnection, HTTPSConnection
from importlib.metadata import version
from pathlib import Path

import pytest

from aws_iot.config.exports import from_exports
from tests.in_process import run_here
from tests.processes import Running, Stack, environment, run
from tests.waiting import DEADLINE_SECONDS

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "mqtt",
}


def test_it_prints_all_addresses_and_the_next_commands(stack: Stack) -> None:
    said = "\n".join(stack.process.stdout)
    for words in (
        stack.profile.iot_url,
        str(stack.profile.endpoint),
        "123456",
        "aws-iot init",
        "aws-iot local --member alice --member bob",
    ):
        assert str(words) in said
    notices = "does not keep up"  # of other tests
    assert [line for line in stack.process.stderr if notices not in line] == []


def test_the_exports_file_describes_the_same_profile(stack: Stack) -> None:
    exports = stack.folder / "aws-exports.json"
    assert (
        from_exports(json.loads(exports.read_text()), "it").identity_pool_id == stack.profile.identity_pool_id
    )


def test_it_writes_no_private_key_and_only_private_files(stack: Stack) -> None:
    files = [path for path in stack.config.rglob("*") if path.is_file()]
    assert not [path for path in files if b"PRIVATE KEY" in path.read_bytes()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files if path.suffix in (".json", ".pem")} == {
        0o600
    }


@pytest.mark.parametrize(
    "target", ["/mqtt", "/mqtt?X-Amz-Credential=x/20260101/us-east-1/iotdevicegateway/aws4_request", "/"]
)
def test_a_websocket_without_a_signature_is_rejected(stack: Stack, target: str) -> None:
    endpoint = stack.profile.endpoint
    link = HTTPSConnection(
        endpoint.host,
        endpoint.port,
        timeout=DEADLINE_SECONDS,
        context=ssl.create_default_context(cafile=stack.profile.ca_bundle),
    )
    link.request("GET", target, headers=UPGRADE)
    assert link.getresponse().status == 403
    link.close()


def test_it_listens_only_on_127_0_0_1(stack: Stack) -> None:
    assert stack.profile.endpoint.host == "127.0.0.1"
    listening = _listening_addresses(stack.process.process.pid)
    assert listening == {"0100007F"}


def _listening_addresses(pid: int) -> set[str]:
    """The local addresses on which a process listens, in the format of /proc/net; Linux only."""
    folder = Path(f"/proc/{pid}/fd")
    if not folder.exists():
        pytest.skip("needs /proc")
    inodes = set()
    for link in folder.iterdir():
        with suppress(FileNotFoundError):  # closed in the meantime, because other tests use the stack, too
            inodes.add(str(link.readlink()).removeprefix("socket:[").rstrip("]"))
    rows = [
        row.split()
        for table in ("tcp", "tcp6")
        for row in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]
    ]
    return {row[1].partition(":")[0] for row in rows if row[3] == "0A" and row[9] in inodes}


@pytest.mark.parametrize(
    ("number", "code", "seconds"),
    [
        (signal.SIGINT, 130, DEADLINE_SECONDS),
        pytest.param(signal.SIGTERM, 143, 2.0, marks=pytest.mark.long),
    ],
)
def test_a_second_stack_works_beside_the_first_and_stops_on_a_signal(
    stack: Stack, tmp_path: Path, number: int, code: int, seconds: float
) -> None:
    with Stack.start(tmp_path) as second:
        assert second.profile.iot_url != stack.profile.iot_url
        assert second.profile.identity_pool_id != stack.profile.identity_pool_id
        person = second.person()
        run_here("pub -r lobby -m hello", person.env)
        listener = Running("sub", person.env)
        try:
            listener.wait_for("Receiving")
            second.process.process.send_signal(number)
            assert second.process.wait(seconds) == code
            assert second.process.stderr == (
                ["The local stack has stopped."] if number == signal.SIGINT else []
            )
            listener.wait_for("connection lost")
            assert listener.signal(signal.SIGINT) == 130
        finally:
            listener.kill()
    with socket.socket() as probe, pytest.raises(ConnectionRefusedError):
        probe.connect(("127.0.0.1", second.profile.endpoint.port))


def test_ports_profile_and_exports_file_can_be_chosen_and_the_log_shown(tmp_path: Path) -> None:
    with socket.socket() as one, socket.socket() as two:
        for taken in (one, two):
            taken.bind(("127.0.0.1", 0))
        api, mqtt = one.getsockname()[1], two.getsockname()[1]
    exports = tmp_path / "exports.json"
    process = Running(
        f"local -v -k mine --port {api} --mqtt-port {mqtt} -o {exports}", environment(tmp_path / "config")
    )
    try:
        process.wait_for(r"\[(ministack|cfn|cloudformation|cognito)")
        process.wait_for("reset code for passwords")
        profile = from_exports(json.loads(exports.read_text()), "it")
        assert profile.iot_url == f"http://127.0.0.1:{api}"
        assert profile.endpoint.port == mqtt
        assert "mine" in run_here("config list", environment(tmp_path / "config")).stdout
        assert process.signal(signal.SIGTERM) == 143
    finally:
        process.kill()


@pytest.mark.parametrize("option", ["--port", "--mqtt-port"])
def test_a_requested_port_that_is_in_use_is_an_error(tmp_path: Path, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = run(f"local {option} {port}", environment(tmp_path), ends=6)
    assert f"port {port} cannot be used" in done.stderr
    assert f"Choose another with {option}, or omit that to use a free one." in done.stderr


def test_without_the_extra_it_says_how_to_install_it(tmp_path: Path) -> None:
    # An import hook that hides the engine simulates an installation without the extra.
    code = (
        "import sys, importlib.machinery as m\n"
        "find = m.PathFinder.find_spec\n"
        "m.PathFinder.find_spec = classmethod(lambda c, n, *a: None if n == 'ministack' else find(n, *a))\n"
        "sys.argv = ['aws-iot', 'local']\n"
        "from aws_iot.cli import main; main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    assert done.returncode == 3
    command = f'{sys.executable} -m pip install "ministack=={version("ministack")}"'
    assert f"Install what is missing: {command}\n" in done.stderr


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (
            "/",
            {
                "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
                "Origin": "https://example.com",
            },
        ),
        ("/", {"X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth", "Host": "example.com"}),
        ("/", {"X-Amz-Target": "AWSLambda.Anything"}),
        ("/", {}),
        (
            "/2015-03-31/functions",
            {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/lambda/aws4_request, "},
        ),
        ("/2015-03-31/functions", {}),
        ("/_ministack/reset", {}),
        (
            "/_ministack/reset",
            {"Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/iot/aws4_request, "},
        ),
    ],
)
def test_requests_from_browsers_and_for_other_services_are_rejected(
    stack: Stack, path: str, headers: dict[str, str]
) -> None:
    # The engine runs code for any caller, so a web page must not reach it.
    host, _, port = str(stack.profile.iot_url).removeprefix("http://").partition(":")
    link = HTTPConnection(host, int(port), timeout=DEADLINE_SECONDS)
    link.request("POST", path, body="{}", headers=headers)
    assert link.getresponse().status == 403
    link.close()


def test_identities_are_listed_in_pages(stack: Stack) -> None:
    new = {stack.person(accepted=False).identity for _ in range(3)}
    found: list[str] = []
    page = {"NextToken": "0"}
    while page.get("NextToken"):
        page = stack.client("cognito-identity").list_identities(
            IdentityPoolId=stack.profile.identity_pool_id, MaxResults=2, NextToken=page["NextToken"]
        )
        assert len(page["Identities"]) <= 2
        found += [one["IdentityId"] for one in page["Identities"]]
    assert len(found) == len({*found})
    assert new <= {*found}


@pytest.mark.parametrize("key", ["test", "000000000000", "AKIAIOSFODNN7EXAMPLE", "the administrator's"])
def test_only_the_administrator_s_key_and_secret_are_accepted(stack: Stack, key: str, tmp_path: Path) -> None:
    if key == "the administrator's":
        key = (stack.folder / "admin-credentials").read_text().split()[3]
    own = tmp_path / "credentials"
    own.write_text(f"[own]\naws_access_key_id = {key}\naws_secret_access_key = test\n")
    keys = stack.env | {"AWS_SHARED_CREDENTIALS_FILE": str(own), "AWS_IOT_AWS_PROFILE": "own"}
    refused = run_here("admin accept us-east-1:4f9fa251-0ed5-4578-add0-985024739222", keys, ends=4)
    assert "rejected these credentials" in refused.stderr


def test_two_stacks_with_the_same_settings_are_independent(tmp_path: Path) -> None:
    with Stack.start(tmp_path) as first:
        second = Running("local", first.env)
        try:
            second.wait_for(r"profile +local-2$")
            second.wait_for("reset code for passwords")
            run_here("pub -r lobby -m hello", first.person().env)
            assert second.signal(signal.SIGTERM) == 143
            assert "has stopped" not in second.report()  # only to whom pressed Ctrl-C
            assert "already running" in run("local -k local", first.env, ends=3).stderr
        finally:
            second.kill()


def test_the_aws_settings_of_the_user_do_not_matter_and_their_keys_are_not_accepted(tmp_path: Path) -> None:
    own = {"AWS_ACCESS_KEY_ID": "AKIAOWNKEY", "AWS_SECRET_ACCESS_KEY": "own"}
    broken = tmp_path / "aws-config"
    broken.write_text("[default]\nregion = eu-west-1\nregion = eu-west-1\n")
    theirs = {"AWS_PROFILE": "nonsense", "HTTP_PROXY": "http://127.0.0.1:9", "AWS_CONFIG_FILE": str(broken)}
    process = Running("local", environment(tmp_path, **own, **theirs))
    try:
        process.wait_for("reset code for passwords")
        file = tmp_path / "credentials"
        file.write_text("[own]\naws_access_key_id = AKIAOWNKEY\naws_secret_access_key = own\n")
        keys = environment(tmp_path, **own, AWS_IOT_PROFILE="local", AWS_SHARED_CREDENTIALS_FILE=str(file))
        refused = run_here("admin members --aws-profile own", keys, ends=4)
        assert "rejected these credentials" in refused.stderr
        run_here("admin members", keys)  # the profile names the credentials of the stack
    finally:
        process.kill()
