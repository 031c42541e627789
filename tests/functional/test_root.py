"""`aws-iot` itself, and what all commands share."""

import errno
import os
import platform
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

import aws_iot as package
from aws_iot.cli.root import root
from aws_iot.cli.secret_variables import SECRET_VARIABLES
from tests.conftest import CommandLine
from tests.fakes import FakeApp, FakeCloud, FakeConnection
from tests.waiting import DEADLINE_SECONDS


def test_without_a_command_it_prints_help(aws_iot: CommandLine) -> None:
    assert "aws-iot local" in aws_iot("", ends=2).output


def test_an_unknown_command_is_an_error(aws_iot: CommandLine) -> None:
    assert "No such command 'pup'" in aws_iot("pup", ends=2).stderr


def test_it_prints_its_version_and_those_on_which_a_bug_may_depend(aws_iot: CommandLine) -> None:
    first, *others = aws_iot("--version").stdout.splitlines()
    assert first == f"aws-iot {package.__version__}"
    assert f"{platform.python_implementation()} {platform.python_version()}" in others
    assert any(line.startswith(platform.system()) for line in others)
    for library in ("awscrt", "awsiotsdk", "botocore", "ministack"):
        assert f"{library} {metadata.version(library)}" in others


@pytest.mark.parametrize(
    "line", ["-h", "sub --help", "pub -h", "config --help", "local --help", "admin accept -h"]
)
def test_help_needs_nothing(aws_iot: CommandLine, line: str) -> None:
    assert aws_iot(line).stdout.startswith("Usage: aws-iot")


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("admin revoke", 2, "Missing argument"),
        ("admin accept nonsense", 2, "is not an identity"),
        ("admin accept us-east-1:4f9fa251-0ed5-4578-add0-985024739222 --policy nope", 7, "nope"),
    ],
)
def test_a_mistake_of_an_admin_is_reported(
    aws_iot: CommandLine, cloud: FakeCloud, line: str, code: int, words: str
) -> None:
    cloud.other_identities["us-east-1:4f9fa251-0ed5-4578-add0-985024739222"] = []
    assert words in aws_iot(line, ends=code).stderr
    assert cloud.members == set()


def test_one_invalid_identity_stops_the_command_before_the_first(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    aws_iot("admin accept us-east-1:4f9fa251-0ed5-4578-add0-985024739222 nonsense", ends=2)
    assert cloud.members == set()


@pytest.mark.parametrize("line", ["pub -r lobby -m hello", "sub", "pub -r lobby -m hello -u bob -p Passw0rd"])
def test_secrets_are_not_in_the_environment_that_children_would_inherit(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, line: str
) -> None:
    for user in ("alice", "bob"):
        cloud.member(user, "Passw0rd")
    inherited: list[dict[str, str]] = []

    def look(connection: FakeConnection) -> None:
        inherited.append(dict(os.environ))
        connection.events.put(KeyboardInterrupt())

    app.controls.on_connect = look
    secrets = dict.fromkeys(SECRET_VARIABLES, "Passw0rd")
    aws_iot(line, env=secrets | {"AWS_IOT_USER": "alice"}, ends=130 if line == "sub" else 0)
    [variables] = inherited
    assert not SECRET_VARIABLES & variables.keys()
    assert variables["AWS_IOT_USER"] == "alice"  # what is no secret stays


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "Too many open files"), "too many open files"),
        (OSError(errno.ENFILE, "Too many open files in system"), "too many open files on this machine"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "no memory left"),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full"),
        (MemoryError(), "no memory left"),
        (RuntimeError("can't start new thread"), "no more threads"),
    ],
)
@pytest.mark.parametrize("line", ["pub -r lobby -m x", "pub -r lobby --lines", "sub"])
def test_a_shortage_on_this_machine_is_an_error_in_a_line(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, line: str, error: Exception, words: str
) -> None:
    cloud.member("alice", "Passw0rd")

    def fail(_: object) -> None:
        raise error

    app.controls.on_connect = fail
    told = aws_iot(f"{line} -u alice -p Passw0rd", ends=3).stderr
    assert [words in one for one in told.splitlines() if one.startswith("Error: ")] == [True]


def test_other_internal_errors_keep_their_traceback(app: FakeApp, cloud: FakeCloud) -> None:
    cloud.member("alice", "Passw0rd")

    def fail(_: object) -> None:
        raise RuntimeError("a mistake in the program")

    app.controls.on_connect = fail
    line = ["pub", "-r", "lobby", "-m", "x", "-u", "alice", "-p", "Passw0rd"]
    assert isinstance(CliRunner().invoke(root, line, obj=app).exception, RuntimeError)


INTERRUPTED_IN_A_TEXT = """
import sys
import click
from aws_iot.cli import main
from aws_iot.cli.root import root

def callback():
    exec("import os, signal; os.kill(os.getpid(), signal.SIGINT); [None for _ in range(1_000)]")

root.add_command(click.Command("interrupted", callback=callback))
sys.argv[1:] = ["interrupted"]
main()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no SIGINT")
def test_ctrl_c_has_its_exit_code_even_while_python_executes_a_text(tmp_path: Path) -> None:
    # Python does so for each named tuple that it imports. `python -m` would then end itself by the signal.
    (tmp_path / "interrupted.py").write_text(INTERRUPTED_IN_A_TEXT, encoding="utf-8")
    command = [sys.executable, "-m", "interrupted"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=DEADLINE_SECONDS, check=False)
    assert (done.returncode, done.stdout) == (130, b""), done.stderr
