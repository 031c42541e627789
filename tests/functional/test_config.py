"""`aws-iot config`: profiles as a person writes and reads them."""

import json
import stat
from pathlib import Path

import pytest

from aws_iot.config.exports import to_exports
from tests.conftest import CommandLine
from tests.fakes import FakeApp, FakeCloud, FakeKeyring, LockedKeyring


@pytest.fixture
def exports(tmp_path: Path, cloud: FakeCloud) -> Path:
    """A good aws-exports.json."""
    path = tmp_path / "aws-exports.json"
    path.write_text(json.dumps(to_exports(cloud.profile) | {"oauth": {}, "key": "evil", "usr": "mallory"}))
    return path


def test_a_profile_is_created_from_an_exports_file(aws_iot: CommandLine, app: FakeApp, exports: Path) -> None:
    aws_iot(f"config -s {exports} -k team -u alice -p Passw0rd")
    assert app.config.profiles.load("team").username == "alice"
    assert app.config.profiles.load("team").user_pool_id == "us-east-1_FAKE"
    assert app.config.secrets.get("password", "team", "alice") == "Passw0rd"


@pytest.mark.parametrize(
    "line", ["-s {} --key team --usr alice --pwd x", "--set {} --profile team --user alice"]
)
def test_old_and_new_spellings_mean_the_same(
    aws_iot: CommandLine, app: FakeApp, exports: Path, line: str
) -> None:
    aws_iot("config " + line.format(exports))
    assert app.config.profiles.load("team").username == "alice"


def test_unknown_keys_in_the_exports_file_are_ignored(
    aws_iot: CommandLine, app: FakeApp, exports: Path
) -> None:
    aws_iot(f"config -s {exports} -k team")
    assert app.config.profiles.keys() == ["default", "team"]
    assert app.config.profiles.load("team").username is None


def test_without_a_file_only_the_given_fields_change(
    aws_iot: CommandLine, app: FakeApp, exports: Path
) -> None:
    aws_iot(f"config -s {exports} -k team -u alice -p first")
    aws_iot("config -k team -p second")
    assert app.config.profiles.load("team").username == "alice"
    assert app.config.profiles.load("team").user_pool_id == "us-east-1_FAKE"
    assert app.config.secrets.get("password", "team", "alice") == "second"
    aws_iot("config -k team -u bob")
    assert app.config.profiles.load("team").username == "bob"


def test_other_pools_keep_the_user(aws_iot: CommandLine, app: FakeApp, exports: Path) -> None:
    aws_iot("config -u alice")
    aws_iot(f"config -s {exports}")
    assert app.config.profiles.load("default").username == "alice"


def test_a_password_can_come_from_standard_input(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice --password-stdin", stdin="Passw0rd\n")
    assert app.config.secrets.get("password", "default", "alice") == "Passw0rd"


def test_the_password_of_the_environment_is_not_saved(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice", env={"AWS_IOT_PASSWORD": "from-the-environment"})
    assert app.config.secrets.get("password", "default", "alice") is None


def test_a_preset_password_belongs_to_one_user(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice -p Passw0rd")
    aws_iot("config -u bob")
    assert app.config.secrets.get("password", "default", "bob") is None
    assert json.loads(aws_iot("config show").stdout)["password_preset"] is False
    aws_iot("config -u alice")
    assert json.loads(aws_iot("config show").stdout)["password_preset"] is False
    assert app.config.secrets.get("password", "default", "alice") is None


def test_other_pools_remove_password_secret_and_session(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, exports: Path
) -> None:
    cloud.member("alice", "Passw0rd")
    aws_iot("config -u alice -p Passw0rd --client-secret hush")
    aws_iot("login")
    shown = json.loads(aws_iot("config show").stdout)
    assert (shown["password_preset"], shown["client_secret"]) == (True, True)
    other = json.loads(exports.read_text()) | {"aws_user_pools_id": "us-east-1_OTHER"}
    exports.write_text(json.dumps(other))
    assert "The saved session was removed" in aws_iot(f"config -s {exports}").stderr
    shown = json.loads(aws_iot("config show").stdout)
    assert (shown["user"], shown["password_preset"], shown["client_secret"]) == ("alice", False, False)
    aws_iot("whoami", ends=4)


def test_forget_removes_the_password_and_the_client_secret(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice -p Passw0rd --client-secret hush")
    aws_iot("config --forget")
    shown = json.loads(aws_iot("config show").stdout)
    assert (shown["user"], shown["password_preset"], shown["client_secret"]) == ("alice", False, False)


def test_a_password_is_saved_apart_from_the_profile_in_a_private_file(
    aws_iot: CommandLine, app: FakeApp, exports: Path
) -> None:
    app.controls.keyring = None
    result = aws_iot(f"config -s {exports} -k team -u alice -p hunter2-hunter2")
    files = [path for path in app.settings.folders.config.rglob("*") if path.is_file()]
    holding = [path for path in files if b"hunter2" in path.read_bytes()]
    assert [path.parent.name for path in holding] == ["password"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
    assert "hunter2" not in result.output
    assert "hunter2" not in aws_iot("config show -k team").output


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("config", 2, "Nothing to save"),
        ("config -k team -u alice", 3, "aws-iot config -s aws-exports.json -k team"),
        ("config -s missing.json", 3, "missing.json: there is no such file"),
        ("config -k ../x -u alice", 3, "cannot name a profile"),
        ("config -p x --password-stdin", 2, "exclude each other"),
        ("config -p x", 2, "Whose password?"),
        ("config -u alice list", 2, "Put options after 'list'"),
        ("config show -k nope", 3, "Choose another with -k: default."),
        ("config remove -k nope", 3, "there is no profile 'nope'"),
        ("config remove", 2, "Missing option"),
    ],
)
def test_a_mistake_is_reported_in_a_line(aws_iot: CommandLine, line: str, code: int, words: str) -> None:
    result = aws_iot(line, ends=code, stdin="y\n")
    assert words in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "is not JSON"),
        ("[]", "expected a JSON object"),
        ("{}", "aws_user_pools_id is missing: expected a user pool id such as us-east-1_AbCdEf123"),
        ('{"aws_user_pools_id": "nonsense"}', 'aws_user_pools_id is "nonsense": expected a user pool id'),
        ('{"aws_pubsub_endpoint": "ws://example.com/mqtt"}', "must begin with wss://"),
    ],
)
def test_the_error_for_a_wrong_exports_file_names_the_file_and_the_key(
    aws_iot: CommandLine, app: FakeApp, tmp_path: Path, content: str, words: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(content)
    before = app.config.profiles.load("default")
    result = aws_iot(f"config -s {path}", ends=3)
    assert words in result.stderr
    assert str(path) in result.stderr
    assert app.config.profiles.load("default") == before


def test_profiles_are_listed_a_line_each(aws_iot: CommandLine, exports: Path) -> None:
    aws_iot(f"config -s {exports} -k team -u alice")
    lines = aws_iot("config list").stdout.splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["default", "-", "us-east-1_FAKE"],
        ["team", "alice", "us-east-1_FAKE"],
    ]
    listed = [json.loads(line) for line in aws_iot("config list --json").stdout.splitlines()]
    assert [(row["profile"], row["user"]) for row in listed] == [("default", None), ("team", "alice")]


def test_a_damaged_profile_is_listed_and_can_be_removed(aws_iot: CommandLine, app: FakeApp) -> None:
    (app.config.profiles.folder / "broken.json").write_text("{")
    assert "unusable" in aws_iot("config list").stdout
    aws_iot("config show -k broken", ends=3)
    aws_iot("config remove -k broken")
    assert app.config.profiles.keys() == ["default"]


def test_removing_a_profile_removes_its_password(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice -p Passw0rd")
    aws_iot("config remove -k default")
    assert app.config.profiles.keys() == []
    assert app.config.secrets.get("password", "default", "alice") is None


def test_secrets_that_are_not_removed_are_reported_even_if_there_is_no_profile(
    aws_iot: CommandLine, app: FakeApp
) -> None:
    unlocked = app.controls.keyring = FakeKeyring()
    aws_iot("config -u alice -p Passw0rd")
    app.controls.keyring = LockedKeyring(unlocked)
    left = "A saved secret was not removed: the keyring is locked."
    assert left in aws_iot("config remove -k default").stderr
    done = aws_iot("config remove -k default", ends=3).stderr
    assert left in done
    assert "there is no profile 'default'" in done
    app.controls.keyring = unlocked
    assert left not in aws_iot("config remove -k default", ends=3).stderr
    assert unlocked.holds == {}


def test_the_shown_exports_can_be_read_again(aws_iot: CommandLine, app: FakeApp, tmp_path: Path) -> None:
    shown = json.loads(aws_iot("config show").stdout)
    again = tmp_path / "again.json"
    again.write_text(json.dumps(shown["aws_exports"]))
    aws_iot(f"config -s {again} -k again")
    assert to_exports(app.config.profiles.load("again")) == to_exports(app.config.profiles.load("default"))


def test_an_empty_list_shows_how_to_create_a_profile(aws_iot: CommandLine, app: FakeApp) -> None:
    app.config.profiles.remove("default")
    result = aws_iot("config list")
    assert result.stdout == ""
    assert "aws-iot config -s aws-exports.json" in result.stderr
