"""Files and standard input as other programs leave them: closed, non-blocking, in other encodings, without an end."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.conftest import CommandLine
from tests.fakes import FakeApp, FakeCloud
from tests.processes import COMMAND, environment, redirected, run
from tests.terminal import on_a_terminal, read_rest, type_answers
from tests.waiting import DEADLINE_SECONDS

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX only")
SAVE = "config -u alice --password-stdin"


@pytest.fixture
def env(app: FakeApp, tmp_path: Path) -> dict[str, str]:
    """The environment of a person who has one profile."""
    assert app.config.profiles.keys() == ["default"]
    return environment(tmp_path / "config")


def password(app: FakeApp) -> str | None:
    return app.config.secrets.get("password", "default", "alice")


@pytest.mark.parametrize(
    "line", [SAVE, "login -u alice --password-stdin", "pub -r lobby -m -", "pub -r lobby --lines"]
)
def test_without_standard_input_nothing_is_read_from_it(env: dict[str, str], line: str) -> None:
    done = run(line, env, ends=3, command=redirected("<&-"))
    assert done.stderr.startswith("Error: standard input is closed\n")


def test_a_password_from_a_non_blocking_pipe_is_waited_for(env: dict[str, str], app: FakeApp) -> None:
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    process = subprocess.Popen(
        [*COMMAND, *SAVE.split()], env=env, stdin=reading, stderr=subprocess.PIPE, text=True
    )
    threading.Timer(0.5, os.write, (writing, b"hunter2\n")).start()
    _, stderr = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0, stderr
    assert password(app) == "hunter2"


@pytest.mark.parametrize(("mode", "warns"), [(0o600, False), (0o400, False), (0o644, True), (0o666, True)])
def test_a_password_s_file_that_others_can_read_causes_a_warning(
    env: dict[str, str], app: FakeApp, tmp_path: Path, mode: int, warns: bool
) -> None:
    file = tmp_path / "password.txt"
    file.write_bytes("\ufeffhunter2\r\n".encode("utf-16-le"))
    file.chmod(mode)
    done = run(SAVE, env, command=redirected(f"<{file}"))
    assert ("Warning: other users can read the file" in done.stderr) is warns
    assert password(app) == "hunter2"


def test_an_endless_password_is_an_error(env: dict[str, str]) -> None:
    assert "its first line is too long" in run(SAVE, env, ends=3, command=redirected("</dev/zero")).stderr


READERS = [
    "config -s {file}",
    "config import {file}",
    "pub -r lobby --file {file}",
    "pub -r lobby --lines --file {file}",
    "pub -r lobby --repeat 2 -m x --resume {file}",
    "policy --identity us-east-1:4f9fa251-0000-0000-0000-000000000001 --iot-policy {file}",
    "backend deploy -o {file}",
]
"""Commands that read a file which a person names."""


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (line, kind)
        for line in READERS
        for kind in ("pipe", "device", "folder")
        if not ("--file" in line and kind == "pipe")  # `pub` sends what a pipe holds
    ],
)
def test_what_is_no_file_is_not_read(
    aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path, line: str, kind: str
) -> None:
    cloud.member("alice", "Passw0rd")
    aws_iot("login -u alice -p Passw0rd")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "device").symlink_to("/dev/zero")
    is_noticed_by_click = kind == "folder" and "config" not in line
    done = aws_iot(line.format(file=tmp_path / kind), ends=2 if is_noticed_by_click else 3)
    assert ("is a directory" if is_noticed_by_click else f"it is a {kind}, not a file") in done.stderr


@pytest.mark.parametrize(
    "name", ["profiles/default.json", "profiles/default-profile", "signed-in/default.json"]
)
def test_a_pipe_in_place_of_an_own_file_is_an_error(aws_iot: CommandLine, tmp_path: Path, name: str) -> None:
    path = tmp_path / "config" / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    assert f"{path}: cannot be read: it is a pipe, not a file" in aws_iot("whoami", ends=3).stderr


def test_a_file_without_an_end_is_read_up_to_a_limit(env: dict[str, str]) -> None:
    line = "config -s /dev/stdin -k other"
    assert "is longer than" in run(line, env, ends=3, command=redirected("</dev/zero")).stderr


NON_BLOCKING = "import os, sys; os.set_blocking(0, False); os.execv(sys.argv[1], sys.argv[1:])"


def test_a_question_on_a_non_blocking_terminal_waits_for_the_answer(
    env: dict[str, str], app: FakeApp
) -> None:
    line = [sys.executable, "-c", NON_BLOCKING, *COMMAND, "config", "remove", "default"]
    with on_a_terminal(line, env) as process:
        type_answers(process, {"[y/N]: ": "y"})
        assert b"Removed" in read_rest(process)
    assert app.config.profiles.keys() == []
