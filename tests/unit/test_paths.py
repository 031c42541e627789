"""The folders of a person's settings, also for people who have no home."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.config.paths import Folders, expanded
from tests.conftest import CommandLine


@pytest.fixture(autouse=True)
def no_folder_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_IOT_CONFIG_DIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("named", ["~nosuch/x", "~nosuch"])
def test_help_works_without_a_folder_and_commands_name_the_variable(
    monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    monkeypatch.setenv("AWS_IOT_CONFIG_DIR", named)
    aws_iot = CommandLine(App())
    for line in ("--help", "pub --help", "config show --help", "help environment"):
        assert "Usage:" in aws_iot(line).stdout or "variable" in aws_iot(line).stdout
    for line in (
        "config list",
        "whoami",
        "pub -r lobby -m x",
        "config path",
        "spool list",
        "config nonsense",
    ):
        told = aws_iot(line, ends=3).stderr
        assert told == (
            f"Error: AWS_IOT_CONFIG_DIR is '{named}': there is no home folder '~nosuch'\n"
            "Give a path without ~, or set HOME.\n"
        )


@pytest.mark.parametrize("path", ["", "file/x"])
def test_help_works_if_the_folder_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, path: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("AWS_IOT_CONFIG_DIR", str(tmp_path / "file" / path))
    aws_iot = CommandLine(App())
    assert "default: default" in aws_iot("pub --help").stdout
    assert "cannot be read" in aws_iot("whoami", ends=3).stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no HOME")
@pytest.mark.parametrize("home", ["", "relative"])
def test_a_home_that_cannot_be_one_counts_as_not_set(monkeypatch: pytest.MonkeyPatch, home: str) -> None:
    import pwd

    monkeypatch.setenv("HOME", home)
    assert expanded(Path("~/x")) == Path(pwd.getpwuid(os.getuid()).pw_dir, "x")
    assert expanded(Path("x/~")) == Path("x/~")
    assert Folders().config.is_absolute()


def test_the_variable_may_begin_at_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    monkeypatch.setenv("AWS_IOT_CONFIG_DIR", "~/settings")
    assert Folders().config == Folders().cache == tmp_path / "settings"


WITHOUT_HOME = """
import os, platformdirs, pwd
from pathlib import Path
from aws_iot.config.paths import Folders, expanded
from aws_iot.errors import LocalError

os.setuid(54321)  # the imports are done: this user may not be able to read the program
for home in (None, "", "relative"):
    os.environ.pop("HOME", None)
    if home is not None:
        os.environ["HOME"] = home
    for find in (lambda: Folders().config, lambda: Folders().cache, lambda: expanded(Path("~/x"))):
        try:
            print("found", find())
        except LocalError as error:
            print(error)
"""


@pytest.mark.skipif(
    sys.platform == "win32" or os.getuid() != 0, reason="only root can become a user without a name"
)
def test_a_user_without_a_name_is_told_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_HOME], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == 3 * [
        "the folder of your settings is unknown: you have no home folder",
        "the folder of your settings is unknown: you have no home folder",
        "'~/x': there is no home folder '~'",
    ]


@pytest.mark.parametrize(
    "line", ["config -u alice", "credentials", "credentials exec -- x", "whoami", "pub -r lobby -m x"]
)
def test_no_other_profile_is_used_if_the_chosen_one_cannot_be_read(tmp_path: Path, line: str) -> None:
    app = App.in_folder(tmp_path)
    (app.config.profiles.folder / "default-profile").mkdir(parents=True)
    assert "default-profile: cannot be read" in CommandLine(app)(line, ends=3).stderr
