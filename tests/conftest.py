"""What every test can use: the command in this process with fakes, and as real processes on the local stack."""

import gc
import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import pytest
from click.testing import CliRunner, Result

from aws_iot.app import App
from aws_iot.cli import GARBAGE_COLLECTION_OBJECTS
from aws_iot.cli.root import root
from tests import terminal
from tests.fakes import FakeApp, FakeCloud
from tests.processes import Stack

REPOSITORY = Path(__file__).parent.parent


def pytest_configure() -> None:
    """Make the tests independent of where they run: in a terminal, in the background, or in CI."""
    terminal.leave()
    keep_bytecode()
    gc.disable()  # until all tests are collected: almost nothing is garbage before, and the search takes long
    if hangup := getattr(signal, "SIGHUP", None):  # `nohup` has it ignored, also in children
        signal.signal(hangup, signal.SIG_DFL)


def keep_bytecode() -> None:
    """Compile tests and program once, also where Python is told not to keep bytecode, and not in each process."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def pytest_sessionstart(session: pytest.Session) -> None:
    """End the run at Ctrl-C, even if the current test takes it for the Ctrl-C that it tests.

    This also replaces what a shell does to programs in the background: they and their children ignore Ctrl-C.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        session.shouldstop = "Ctrl-C"
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, stop)


def pytest_collection_finish() -> None:
    """Keep the thousands of tests, and all that they import, from being searched for garbage time and again.

    As in the program, garbage is searched for less often than usual, which takes a seventh of the time of the tests.
    """
    gc.freeze()
    gc.set_threshold(GARBAGE_COLLECTION_OBJECTS)
    gc.enable()


@pytest.fixture
def cloud() -> FakeCloud:
    """All services, in memory."""
    return FakeCloud()


@pytest.fixture
def app(tmp_path: Path, cloud: FakeCloud) -> FakeApp:
    """The parts, on the services in memory, with one profile named `default`."""
    app = FakeApp.of(cloud, tmp_path / "config")
    app.config.profiles.change("default", lambda _: cloud.profile)
    return app


@dataclass(frozen=True)
class CommandLine:
    """Runs `aws-iot …` in this process and checks how it ends."""

    app: App

    def __call__(
        self, line: str, *, ends: int = 0, stdin: str | bytes = "", env: dict[str, str] | None = None
    ) -> Result:
        result = CliRunner().invoke(
            root, shlex.split(line), obj=self.app, prog_name="aws-iot", input=stdin, env=env or {}
        )
        report = f"$ aws-iot {line[:1000]}\n{result.stdout}{result.stderr}[{result.exit_code}]"
        if result.exception and not isinstance(result.exception, SystemExit):
            raise AssertionError(report) from result.exception
        assert result.exit_code == ends, report
        return result


@pytest.fixture(autouse=True)
def no_color_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the preferences of the person who runs the tests, who may want no colors, or always."""
    for name in ("NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def aws_iot(app: FakeApp, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """`aws_iot("pub -r lobby -m hello", ends=0)`: a line of shell in; output and exit code out."""
    for name in [name for name in os.environ if name.startswith("AWS_IOT_")]:
        monkeypatch.delenv(name)
    return CommandLine(app)


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The local stack, as `aws-iot local` runs it in a process of its own; once for all tests."""
    with Stack.start(tmp_path_factory.mktemp("stack")) as running:
        yield running


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clocks as in Berlin, without a database of time zones."""
    if not hasattr(time, "tzset"):
        pytest.skip("this system cannot change its time zone")
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
