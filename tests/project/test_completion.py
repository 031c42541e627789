"""The shell completes commands and profiles: the real process, called as the script in the shell calls it."""

import json
import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from aws_iot.app import App
from aws_iot.cli.commands.completion.files import SHELLS
from aws_iot.config.known_names import MOST
from aws_iot.history.saving.owners import history_file, note_owner
from tests.conftest import REPOSITORY, CommandLine
from tests.fakes import FakeApp, FakeCloud
from tests.histories import ALICE, message, save
from tests.in_process import run_here
from tests.processes import COMMAND, environment, run
from tests.project.test_startup import HEAVY
from tests.waiting import DEADLINE_SECONDS


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """The environment of a user with the profiles `team` and `test`."""
    env = environment(tmp_path)
    for key in ("team", "test"):
        run_here(f"config -s {shlex.quote(str(REPOSITORY / 'aws-exports.sample.json'))} -k {key}", env)
    return env


def answer(typed: str, env: dict[str, str], shell: str = "zsh") -> list[str]:
    """What the script of a shell gets for the line `typed`."""
    asked = {"_AWS_IOT_COMPLETE": shell, "_AWS_IOT_LINE": typed}
    done = subprocess.run(
        COMMAND, env=env | asked, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=True
    )
    assert done.stderr == ""
    return done.stdout.splitlines()


def offered(typed: str, env: dict[str, str]) -> list[str]:
    """The names that are offered for the last word of `typed`."""
    kind, *names = answer(typed, env)
    assert kind == "names"
    return [name.partition("\t")[0] for name in names]


@pytest.mark.parametrize("shell", SHELLS)
def test_there_is_a_script_for_each_shell(shell: str, tmp_path: Path) -> None:
    script = run(f"completion {shell}", environment(tmp_path)).stdout
    assert re.search(rf"_AWS_IOT_COMPLETE ?= ?'?{shell}", script)
    assert "aws-iot" in script


def test_another_shell_is_rejected(tmp_path: Path) -> None:
    assert "tcsh" in run("completion tcsh", environment(tmp_path), ends=2).stderr


def test_commands_are_offered(env: dict[str, str]) -> None:
    assert offered("aws-iot su", env) == ["sub"]
    assert offered("aws-iot config l", env) == ["list"]


def test_options_are_offered_in_the_order_of_the_help_without_old_names(env: dict[str, str]) -> None:
    options = offered("aws-iot pub --", env)
    assert options[:2] == ["--room", "--message"]
    assert not {"--usr", "--pwd", "--msg", "--key"}.intersection(options)
    assert offered("aws-iot pub --us", env) == ["--user"]
    assert offered("aws-iot pub --key tea", env) == offered("aws-iot pub --profile tea", env) == ["team"]


def test_help_is_offered_for_commands_and_topics(env: dict[str, str]) -> None:
    assert {"sub", "admin", "environment", "exit-codes"} < {*offered("aws-iot help ", env)}
    assert offered("aws-iot help admin a", env) == ["accept"]
    assert offered("aws-iot help environment admin a", env) == ["accept"]
    assert offered("aws-iot help sub ", env) == []


@pytest.mark.parametrize(
    "typed",
    [
        "aws-iot sub -k ",
        "aws-iot pub --key ",
        "aws-iot config show --profile ",
        "aws-iot config -k ",
        "aws-iot config remove -k ",
    ],
)
def test_stored_profiles_are_offered(env: dict[str, str], typed: str) -> None:
    assert offered(typed, env) == ["team", "test"]
    assert offered(f"{typed}tea", env) == ["team"]


def test_without_a_current_profile_the_rooms_of_all_are_offered(env: dict[str, str]) -> None:
    config = App.in_folder(Path(env["AWS_IOT_CONFIG_DIR"])).config
    config.known_names("team").add_rooms(["lobby", "ops"])
    config.known_names("test").add_rooms(["lobby", "stats"])
    assert offered("aws-iot pub -r ", env) == ["lobby", "ops", "stats"]
    assert offered("aws-iot chat ", env | {"AWS_IOT_PROFILE": "test"}) == ["lobby", "stats"]
    assert offered("aws-iot pub -k nobody -r ", env) == []


def test_a_value_in_the_same_word_as_its_option_is_completed(env: dict[str, str]) -> None:
    assert offered("aws-iot sub --key=tea", env) == ["--key=team"]
    assert offered("aws-iot sub -kt", env) == ["-kteam", "-ktest"]
    assert offered("aws-iot sub -qktea", env) == ["-qkteam"]
    assert offered("aws-iot sub -k=tea", env) == []  # this value would be `=team`


def test_rooms_of_the_history_are_offered(env: dict[str, str]) -> None:
    folder = Path(env["AWS_IOT_CONFIG_DIR"]) / "history" / "team"
    file = history_file(folder, ALICE)
    save(file, *(message("hello", room, room=room) for room in ("lobby", "stats", "ops")))
    note_owner(folder, "alice", ALICE)
    assert offered("aws-iot history -k team ", env) == ["lobby", "ops"]
    assert offered("aws-iot history delete -k team l", env) == ["lobby"]
    assert offered("aws-iot history -k team lobby ", env) == ["ops", "stats"]
    assert offered("aws-iot history -k team -- s", env) == ["stats"]


def test_subcommands_of_the_history_are_offered_as_its_first_word(env: dict[str, str]) -> None:
    assert offered("aws-iot history ", env) == ["rooms", "export", "import", "delete", "stats", "check"]
    assert offered("aws-iot history -k team ", env) == []
    assert offered("aws-iot history -- ", env) == []


def test_rooms_that_no_program_has_sorted_in_yet_are_offered_as_well(env: dict[str, str]) -> None:
    App.in_folder(Path(env["AWS_IOT_CONFIG_DIR"])).config.known_names("team").add_rooms(["new", "stats"])
    assert offered("aws-iot history -k team ", env) == ["new"]
    assert offered("aws-iot history delete -k team ", env) == ["new", "stats"]


def test_without_profiles_none_is_offered(tmp_path: Path) -> None:
    assert offered("aws-iot sub -k ", environment(tmp_path / "nowhere")) == []


def test_rooms_that_were_used_with_the_profile_are_offered(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.member("alice", "Passw0rd")
    aws_iot("pub -r lobby -m hello -u alice -p Passw0rd")
    aws_iot("pub -r ops/night -m hello -u alice -p Passw0rd")
    known = App.in_folder(aws_iot.app.settings.folders.config).config.known_names
    assert known("default").rooms() == ["lobby", "ops/night"]
    assert known("other").rooms() == []
    aws_iot("config remove -k default")
    assert known("default").rooms() == []


def test_without_a_history_no_room_is_remembered(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.member("alice", "Passw0rd")
    known = App.in_folder(aws_iot.app.settings.folders.config).config.known_names("default")
    aws_iot("pub -r secret -m hello -u alice -p Passw0rd --no-history")
    aws_iot("sub -r secret -u alice -p Passw0rd --no-history -W 0.01", ends=8)
    assert known.rooms() == []
    aws_iot("config --history off")
    aws_iot("pub -r secret -m hello -u alice -p Passw0rd")
    assert known.rooms() == []


def test_members_are_known_from_the_last_list(aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud) -> None:
    identity = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
    cloud.other_identities[identity] = []
    aws_iot(f"admin accept {identity} --user bob")
    aws_iot("admin members")
    assert app.config.known_names("default").members() == ["bob~4f9fa251"]
    aws_iot(f"admin revoke {identity}")
    aws_iot("admin members")
    assert app.config.known_names("default").members() == []


def test_members_are_known_from_when_they_are_accepted_until_they_are_revoked(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    identity = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
    cloud.other_identities[identity] = []
    known = app.config.known_names("default")
    aws_iot(f"admin accept {identity}")
    assert known.members() == ["4f9fa251"]
    aws_iot(f"admin accept {identity} --user bob")
    assert known.members() == ["bob~4f9fa251"]
    aws_iot("admin revoke 4f9fa251")
    assert known.members() == []


def test_only_the_last_names_are_kept(app: FakeApp) -> None:
    known = app.config.known_names("default")
    known.add_rooms(f"room-{number:03}" for number in range(MOST + 1))
    assert known.rooms() == [f"room-{number:03}" for number in range(1, MOST + 1)]


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("aws-iot sub -r ", ["lobby", "ops/#"]),
        ("aws-iot sub -k team -r ", ["of-team"]),
        ("aws-iot pub -r l", ["lobby"]),
        ("aws-iot chat lobby ", ["ops/#"]),
        ("aws-iot sub -r lobby -r ", ["ops/#"]),
        ("aws-iot policy -r o", ["ops/#"]),
        ("aws-iot doctor -r o", ["ops/#"]),
        ("aws-iot sub --from b", ["bob~4f9fa251"]),
        ("aws-iot admin revoke ", ["bob~4f9fa251"]),
        ("aws-iot admin revoke -k team ", []),
    ],
)
def test_rooms_and_members_are_offered(env: dict[str, str], typed: str, names: list[str]) -> None:
    config = App.in_folder(Path(env["AWS_IOT_CONFIG_DIR"])).config
    config.known_names("test").add_rooms(["ops/#", "lobby", "two words", "bell\a", "ops;reboot"])
    config.known_names("test").replace_members(["bob~4f9fa251"])
    config.known_names("team").add_rooms(["of-team"])
    assert offered(typed, env | {"AWS_IOT_PROFILE": "test"}) == names


@pytest.mark.parametrize("damage", ["", "[]", '{"rooms": 7, "members": [8]}', "{"])
def test_damaged_names_are_not_offered(env: dict[str, str], damage: str) -> None:
    path = Path(env["AWS_IOT_CONFIG_DIR"]) / "known-names" / "team.json"
    path.parent.mkdir()
    path.write_text(damage, encoding="utf-8")
    assert offered("aws-iot sub -k team -r ", env) == []
    assert offered("aws-iot admin revoke -k team ", env) == []


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("aws-iot pub --file ", "files"),
        ("aws-iot pub --file=a", "files"),
        ("aws-iot config -s ", "files"),
        ("aws-iot spool clear ", "folders"),
    ],
)
def test_the_shell_completes_files_and_folders_itself(env: dict[str, str], typed: str, kind: str) -> None:
    assert answer(typed, env) == [kind]


@pytest.mark.parametrize("shell", ["zsh", "fish", "powershell"])
def test_descriptions_follow_commands_and_options(env: dict[str, str], shell: str) -> None:
    assert answer("aws-iot su", env, shell) == ["names", "sub\tPrint messages as they arrive. Ctrl-C stops."]
    assert answer("aws-iot chat --pl", env, shell)[1].startswith("--plain\t")
    assert answer("aws-iot sub -k tea", env, shell) == ["names", "team"]


def test_bash_gets_the_part_of_a_word_that_it_replaces(env: dict[str, str]) -> None:
    App.in_folder(Path(env["AWS_IOT_CONFIG_DIR"])).config.known_names("team").add_rooms(["us:east"])
    assert answer("aws-iot su", env | {"_AWS_IOT_WORD": "su"}, "bash") == ["names", "sub"]
    assert answer("aws-iot sub --key=tea", env | {"_AWS_IOT_WORD": "tea"}, "bash") == ["names", "team"]
    assert answer("aws-iot sub --key=", env | {"_AWS_IOT_WORD": ""}, "bash") == ["names", "team", "test"]
    assert answer("aws-iot pub -k team -r us:e", env | {"_AWS_IOT_WORD": "e"}, "bash") == ["names", "east"]
    assert answer("aws-iot sub -k 'tea", env | {"_AWS_IOT_WORD": "'tea"}, "bash") == ["names", "team"]


@pytest.mark.parametrize(
    "line",
    ["aws-iot", "aws-iot nothing ", "aws-iot sub --nothing=", "aws-iot sub 'it\\", "aws-iot sub -k=te"],
)
def test_a_line_that_nothing_can_complete_gets_no_names(env: dict[str, str], line: str) -> None:
    assert offered(line, env) == []


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("zsh", r"aws-iot pub -m it\'s -k te"),
        ("fish", r"aws-iot pub -m 'it\'s' -k te"),
        ("powershell", "aws-iot pub -m 'it''s' -k te"),
        ("powershell", 'aws-iot pub -m "`"" -k te'),
        ("powershell", "aws-iot pub --file C:\\folder\\ -k te"),
    ],
)
def test_a_line_is_read_with_the_quotes_of_its_shell(env: dict[str, str], shell: str, line: str) -> None:
    assert answer(line, env, shell) == ["names", "team", "test"]


def test_only_names_that_the_encoding_of_the_shell_has_are_offered(
    env: dict[str, str],
) -> None:
    App.in_folder(Path(env["AWS_IOT_CONFIG_DIR"])).config.known_names("team").add_rooms(["größe", "lobby"])
    env |= {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    assert "SMS_MFA ?" in answer("aws-iot chat --mfa-m", env)[1]
    assert offered("aws-iot sub -k team -r ", env) == ["lobby"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no /dev/full")
@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_an_answer_that_cannot_be_written_runs_no_command(
    env: dict[str, str], output: str, unbuffered: str
) -> None:
    env |= {"_AWS_IOT_COMPLETE": "zsh", "_AWS_IOT_LINE": "aws-iot ", "PYTHONUNBUFFERED": unbuffered}
    line = f"{shlex.join([sys.executable, '-X', 'importtime', *COMMAND[1:]])} whoami {output}"
    done = subprocess.run(
        ["sh", "-c", line], env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS
    )
    assert done.returncode == 1
    assert "aws_iot.cli.completion.answer" in done.stderr
    assert "Error" not in done.stderr
    assert "click" not in done.stderr


def test_an_empty_variable_asks_nothing(tmp_path: Path) -> None:
    assert "Python" in run("--version", environment(tmp_path) | {"_AWS_IOT_COMPLETE": ""}).stdout


# What commands need to read a command line or to run, and takes long to import.
OF_RUNNING = {
    "click",
    "tempfile",
    "shutil",
    "subprocess",
    "selectors",
    "importlib.resources",
    "aws_iot.policy.evaluate",
    "aws_iot.backend.team",
    "aws_iot.messaging.connect",
    "aws_iot.history.store",
}


def loaded_by_completing(words: str, env: dict[str, str]) -> list[str]:
    """The modules that are imported to complete the last word."""
    code = (
        "import atexit, json, sys; atexit.register(lambda: print(json.dumps(sorted(sys.modules))))\n"
        "from aws_iot.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env | {"_AWS_IOT_COMPLETE": "bash", "_AWS_IOT_LINE": words},
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    # What was answered is written after it.
    loaded: list[str] = next(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    return loaded


@pytest.mark.parametrize(
    ("words", "is_name"),
    [
        ("aws-iot p", False),
        ("aws-iot pub --", False),
        ("aws-iot backend deploy --", False),
        ("aws-iot help ", False),
        ("aws-iot sub -k team -r ", True),
        ("aws-iot admin revoke ", True),
    ],
)
def test_completion_loads_no_command_and_no_library(env: dict[str, str], words: str, is_name: bool) -> None:
    loaded = loaded_by_completing(words, env)
    assert not (HEAVY | OF_RUNNING).intersection(loaded)
    assert [name for name in loaded if re.match(r"aws_iot\.(aws|local|cli\.commands)\b", name)] == []
    assert ("aws_iot.app" in loaded) == is_name


def test_without_a_folder_of_its_own_only_the_library_that_finds_the_folders_is_added(tmp_path: Path) -> None:
    env = environment(tmp_path)
    del env["AWS_IOT_CONFIG_DIR"]
    loaded = loaded_by_completing("aws-iot pub -k team -r ", env)
    assert "platformdirs" in loaded
    of_library = {"platformdirs", "tempfile", "shutil"}
    assert not ((HEAVY | OF_RUNNING) - of_library).intersection(loaded)


def test_completing_rooms_of_the_history_opens_its_file_and_nothing_else(env: dict[str, str]) -> None:
    folder = Path(env["AWS_IOT_CONFIG_DIR"]) / "history" / "team"
    save(history_file(folder, ALICE), message("hello", "1", room="lobby"))
    note_owner(folder, "alice", ALICE)
    loaded = loaded_by_completing("aws-iot history -k team ", env)
    assert "aws_iot.history.file.schema" in loaded
    assert not ((HEAVY | OF_RUNNING) - {"sqlite3", "aws_iot.history"}).intersection(loaded)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_installed_and_removed(shell: str, tmp_path: Path) -> None:
    env = environment(tmp_path) | {"XDG_DATA_HOME": "", "XDG_CONFIG_HOME": "relative"}
    done = run_here(f"completion --install {shell}", env)
    path = Path(done.stdout.strip())
    assert path.is_relative_to(tmp_path)
    assert "_AWS_IOT_COMPLETE" in path.read_text(encoding="utf-8")
    assert "Installed." in done.stderr
    assert "\\n" not in done.stderr
    assert (str(path.parent) in done.stderr) == (shell in ("zsh", "powershell"))
    again = run_here(f"completion --install {shell}", env)
    assert again.stdout == done.stdout
    assert stat.S_ISREG(path.stat().st_mode)

    removed = run_here(f"completion --uninstall {shell}", env)
    assert removed.stdout == done.stdout
    assert not path.exists()
    assert "there is no" in run_here(f"completion --uninstall {shell}", env).stderr


def test_the_folders_of_the_system_are_used(tmp_path: Path) -> None:
    env = environment(tmp_path) | {
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "etc"),
    }
    for shell, folder in (("bash", "data"), ("zsh", "data"), ("fish", "etc")):
        assert str(tmp_path / folder) in run_here(f"completion --install {shell}", env).stdout


def test_a_file_of_another_program_is_kept(tmp_path: Path) -> None:
    env = environment(tmp_path) | {"XDG_CONFIG_HOME": str(tmp_path)}
    path = tmp_path / "fish" / "completions" / "aws-iot.fish"
    path.parent.mkdir(parents=True)
    path.write_text("my own", encoding="utf-8")
    for action in ("install", "uninstall"):
        assert (
            "is not a completion script of aws-iot"
            in run_here(f"completion --{action} fish", env, ends=3).stderr
        )
    assert path.read_text(encoding="utf-8") == "my own"


def test_installing_and_removing_exclude_each_other(tmp_path: Path) -> None:
    assert "either" in run_here("completion --install --uninstall bash", environment(tmp_path), ends=2).stderr
