"""No telemetry: no command connects to anything that docs/network.md does not declare for it."""

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import click
import pytest

from tests.conftest import REPOSITORY
from tests.processes import COMMAND, PASSWORD, Running, Stack, environment
from tests.project.commands import COMMANDS
from tests.waiting import DEADLINE_SECONDS

# A process of its own runs the command on a pseudo-terminal, and ends with the command's exit code.
ON_A_TERMINAL = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"

SERVICES, BROKER, ITSELF, NOTHING = "services", "broker", "itself", "nothing"
MEANINGS = {
    "nothing": {NOTHING},
    "itself": {ITSELF},
    "AWS APIs": {SERVICES},
    "Cognito": {SERVICES},
    "AWS IoT Core's broker": {BROKER},
}


def declared() -> dict[str, set[str]]:
    """What each command may connect to, according to the docs."""
    table = re.findall(
        r"^\| (`.*?) \| (.*?) \|$", (REPOSITORY / "docs" / "network.md").read_text("utf-8"), re.MULTILINE
    )
    found = {}
    for commands, cell in table:
        places = [place for place in re.sub(r";.*", "", cell).split(", ") if place != "with HTTPS"]
        for command in re.findall("`([^`]+)`", commands):
            found[command] = set.union(*(MEANINGS[place] for place in places)) - {NOTHING}
    return found


DECLARED = declared()
SAMPLE = shlex.quote(str(REPOSITORY / "aws-exports.sample.json"))
LINES = {
    "sub": ("sub -r lobby -W 1", 8),
    "pub": ("pub -r lobby -m hello", 0),
    "chat": ("chat lobby --plain", 0),
    "doctor": ("doctor", 0),
    "signup": (f"signup -u NEW -p {PASSWORD} -e new@example.com", 0),
    "confirm": ("confirm -c 000000", 4),
    "login": ("login", 0),
    "whoami": ("whoami", 0),
    "password change": (f"password change --new-password {PASSWORD}-2", 0),
    "password reset": ("password reset", 0),
    "mfa status": ("mfa status", 0),
    "mfa setup": ("mfa setup", 130),
    "mfa off": ("mfa off", 0),
    "credentials": ("credentials", 0),
    "credentials exec": ("credentials exec -- true", 0),
    "admin accept": ("admin accept us-east-1:4f9fa251-0ed5-4578-add0-985024739222", 7),
    "admin kick": ("admin kick nobody", 7),
    "admin members": ("admin members", 0),
    "admin requests": ("admin requests", 0),
    "admin revoke": ("admin revoke us-east-1:4f9fa251-0ed5-4578-add0-985024739222", 7),
    "admin who": ("admin who nobody", 7),
    "backend deploy": ("backend deploy --name another --yes", 0),
    "backend status": ("backend status --name another", 0),
    "backend exports": ("backend exports --name another -o exports.json", 0),
    "backend destroy": ("backend destroy --name another --yes another", 0),
    "backend template": ("backend template", 0),
    "policy": ("policy", 0),
    "init": ("init", 0),
    "config": (f"config -s {SAMPLE} -k sample", 0),
    "config import": ("config import nowhere", 3),
    "config list": ("config list", 0),
    "config path": ("config path", 0),
    "config show": ("config show", 0),
    "config use": ("config use sample", 0),
    "config remove": ("config remove -k sample", 0),
    "spool list": ("spool list", 0),
    "spool clear": ("spool clear nowhere", 3),
    "history": ("history", 0),
    "history rooms": ("history rooms", 0),
    "history stats": ("history stats", 0),
    "history check": ("history check", 0),
    "history export": ("history export", 0),
    "history import": ("history import nowhere", 3),
    "history delete": ("history delete --all --yes", 0),
    "help": ("help", 0),
    "completion": ("completion bash", 0),
    "--help": ("--help", 0),
    "--version": ("--version", 0),
    "logout": ("logout", 0),
    "account delete": ("account delete --yes", 4),
}
"""A line for each command, and its exit code. The order counts: a session is needed until `logout`."""

TYPED = {"chat": "hello\n/quit\n", "init": "1\n", "mfa setup": "000000\n\x04"}
"""What is typed at commands that need a terminal."""


class Address(NamedTuple):
    """Where a process has connected to, or sent to without a connection."""

    host: str
    port: int


CALL = re.compile(
    r"(?:sin_port=htons\((?P<port>\d+)\), sin_addr=inet_addr\(\"(?P<host>[^\"]+)\"\))"
    r"|(?:sin6_port=htons\((?P<port6>\d+)\).*?inet_pton\(AF_INET6, \"(?P<host6>[^\"]+)\")"
)


class SystemCalls:
    """Records every connection of a process and its children on Linux, whichever library opens it."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / f"calls-{uuid.uuid4().hex}"
        self.command = [
            *(
                "strace",
                "-f",
                "-D",
                "-qq",
                "-e",
                "trace=connect,sendto,sendmsg,sendmmsg",
                "-e",
                "signal=none",
            ),
            *("-o", str(self.log)),
        ]
        self.env: dict[str, str] = {}

    def addresses(self) -> set[Address]:
        found = CALL.finditer(self.log.read_text(encoding="utf-8", errors="replace"))
        return {Address(one["host"] or one["host6"], int(one["port"] or one["port6"])) for one in found}


RECORDER = """
import json, sys
def record(event, arguments, log={log!r}):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg") and isinstance(arguments[1], tuple):
        with open(log, "a") as file:
            file.write(json.dumps(arguments[1][:2]) + "\\n")
    elif event == "socket.getaddrinfo":
        with open(log, "a") as file:
            file.write(json.dumps([str(arguments[0]), arguments[1]]) + "\\n")
sys.addaudithook(record)
"""


class AuditHook:
    """Records what Python connects to, and the names that it resolves, on every system."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / f"events-{uuid.uuid4().hex}"
        modules = folder / f"modules-{uuid.uuid4().hex}"
        modules.mkdir()
        (modules / "sitecustomize.py").write_text(RECORDER.format(log=str(self.log)), encoding="utf-8")
        self.command: list[str] = []
        self.env = {"PYTHONPATH": str(modules)}

    def addresses(self) -> set[Address]:
        if not self.log.exists():
            return set()
        return {Address(*json.loads(line)) for line in self.log.read_text(encoding="utf-8").splitlines()}


Recorder = SystemCalls | AuditHook


@pytest.fixture(params=[SystemCalls, AuditHook])
def recorder(request: pytest.FixtureRequest, tmp_path: Path) -> Recorder:
    """Both ways to record, one after the other."""
    if request.param is SystemCalls and not _can_trace():
        pytest.skip("strace is not installed, or not allowed here")
    made: Recorder = request.param(tmp_path)
    return made


def _can_trace() -> bool:
    if not (strace := shutil.which("strace")):
        return False
    return subprocess.run([strace, "true"], capture_output=True, check=False).returncode == 0


def allowed(stack: Stack, command: str) -> set[Address]:
    """The addresses of what the docs declare for a command."""
    api, broker = urlsplit(stack.profile.iot_url or ""), stack.profile.endpoint
    places = {
        SERVICES: Address(api.hostname or "", api.port or 0),
        BROKER: Address(broker.host, broker.port),
    }
    return {address for name, address in places.items() if name in DECLARED[command]}


def test_the_docs_declare_each_command() -> None:
    runnable = {
        path
        for path, one in COMMANDS.items()
        if not isinstance(one, click.Group) or one.invoke_without_command
    }
    assert DECLARED.keys() == runnable | {"--help", "--version"}
    assert LINES.keys() | {"local"} == DECLARED.keys()


@pytest.mark.long
def test_a_recorder_sees_a_connection_that_is_not_declared(recorder: Recorder, tmp_path: Path) -> None:
    code = "import socket; s = socket.socket(); s.settimeout(5); s.connect_ex(('127.0.0.1', 9))"
    subprocess.run(
        [*recorder.command, sys.executable, "-c", code],
        env=environment(tmp_path) | recorder.env,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    assert recorder.addresses() == {Address("127.0.0.1", 9)}


@pytest.mark.long
def test_each_command_connects_only_to_what_is_declared(
    stack: Stack, recorder: Recorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    person = stack.person()
    account = {name: value for name, value in stack.account_env.items() if name not in person.env}
    env = person.env | account
    problems, connected = [], set()
    for command, (line, code) in LINES.items():
        one = type(recorder)(tmp_path)
        on_terminal = [sys.executable, "-c", ON_A_TERMINAL] if command in TYPED else []
        process = subprocess.run(
            [*one.command, *on_terminal, *COMMAND, *shlex.split(line.replace("NEW", tmp_path.name))],
            env=env | one.env,
            input=TYPED.get(command, ""),
            capture_output=True,
            text=True,
            timeout=DEADLINE_SECONDS,
            check=False,
        )
        addresses = one.addresses()
        connected |= addresses
        if process.returncode != code:
            problems.append(f"{line}: exit code {process.returncode}\n{process.stdout}{process.stderr}")
        if elsewhere := addresses - allowed(stack, command):
            problems.append(f"{line}: connects to {elsewhere}, which docs/network.md does not declare")
    assert problems == [], "\n".join(problems)
    assert allowed(stack, "login") <= connected
    if isinstance(recorder, SystemCalls):
        assert allowed(stack, "sub") <= connected


@pytest.mark.long
def test_the_local_stack_connects_to_itself_only(recorder: Recorder, tmp_path: Path) -> None:
    env = environment(tmp_path / "config") | recorder.env
    process = Running("local --member alice", env, command=[*recorder.command, *COMMAND])
    try:
        process.wait_for("reset code for passwords")
        process.signal(signal.SIGTERM)
    finally:
        process.kill()
    assert {address.host for address in recorder.addresses()} <= {"127.0.0.1"}
    assert recorder.addresses()
