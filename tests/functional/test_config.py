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
    assert "The saved session was removed" in aws_iot(f"config -s {exports} --replace").stderr
    shown = json.loads(aws_iot("config show").stdout)
    assert (shown["user"], shown["password_preset"], shown["client_secret"]) == ("alice", False, False)
    aws_iot("whoami", ends=4)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        (
            "aws_user_pools_id",
            "us-east-1_OTHER",
            "its user pool is us-east-1_FAKE, and would become us-east-1_OTHER",
        ),
        ("aws_user_pools_web_client_id", "other", "its app client is fakeclient"),
        (
            "aws_cognito_identity_pool_id",
            "us-east-1:11111111-0000-0000-0000-000000000000",
            "its identity pool is",
        ),
        ("aws_pubsub_endpoint", "wss://x.example/mqtt", "its endpoint is wss://fake.example/mqtt"),
    ],
)
def test_a_profile_that_points_elsewhere_is_replaced_only_on_request(
    aws_iot: CommandLine, app: FakeApp, exports: Path, name: str, value: str, words: str
) -> None:
    before = app.config.profiles.load("default")
    exports.write_text(json.dumps(json.loads(exports.read_text()) | {name: value}))
    told = aws_iot(f"config -s {exports} -u bob", ends=3).stderr.splitlines()
    assert told[0].startswith("Error: the profile 'default' points elsewhere: ")
    assert words in told[0]
    assert told[2] == f"To replace it: aws-iot config -s {exports} -k default --replace"
    assert app.config.profiles.load("default") == before
    aws_iot(f"config -s {exports} --replace")
    assert app.config.profiles.load("default") != before


def test_a_profile_that_only_the_environment_names_is_not_replaced_by_accident(
    aws_iot: CommandLine, exports: Path, cloud: FakeCloud
) -> None:
    aws_iot(f"config -s {exports} -k local")
    exports.write_text(json.dumps(json.loads(exports.read_text()) | {"aws_user_pools_id": "us-east-1_OTHER"}))
    told = aws_iot(f"config -s {exports}", ends=3, env={"AWS_IOT_PROFILE": "local"}).stderr
    assert "the profile 'local' (AWS_IOT_PROFILE) points elsewhere" in told
    aws_iot(f"config -s {exports} -k new", env={"AWS_IOT_PROFILE": "local"})


def test_at_a_terminal_replacing_shows_what_changes_and_asks(
    aws_iot: CommandLine, app: FakeApp, exports: Path
) -> None:
    app.controls.is_at_terminal = True
    exports.write_text(json.dumps(json.loads(exports.read_text()) | {"aws_user_pools_id": "us-east-1_OTHER"}))
    told = aws_iot(f"config -s {exports}", ends=2).stderr
    assert "  user pool: us-east-1_FAKE → us-east-1_OTHER\n" in told
    assert "There is no terminal to ask for this: Replace it?" in told  # it has asked
    assert app.config.profiles.load("default").user_pool_id == "us-east-1_FAKE"


def test_the_same_pools_are_saved_again_without_a_question(
    aws_iot: CommandLine, app: FakeApp, exports: Path
) -> None:
    app.controls.is_at_terminal = True
    exports.write_text(json.dumps(json.loads(exports.read_text()) | {"aws_iot_policy_name": "other-member"}))
    aws_iot(f"config -s {exports} -u alice")
    assert app.config.profiles.load("default").policy_name == "other-member"


def test_forget_removes_the_password_and_the_client_secret(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice -p Passw0rd --client-secret hush")
    removed = "Removed the preset password and the app client's secret of the profile 'default'.\n"
    assert aws_iot("config --forget").stderr == removed
    assert "has no preset password" in aws_iot("config --forget").stderr
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
        ("config -u alice --replace", 2, "--replace requires -s FILE."),
        ("config -k team -u alice", 3, "aws-iot config -s aws-exports.json -k team"),
        ("config -s missing.json", 3, "missing.json: there is no such file"),
        ("config -k ../x -u alice", 3, "cannot name a profile"),
        ("config -k con -u alice", 3, "'con' cannot name a profile: Windows reserves this name for a device"),
        ("config use NUL", 3, "Windows reserves"),
        ("config show aux.txt", 3, "Windows reserves"),
        ("config path COM1", 3, "Windows reserves"),
        ("config remove lpt9.a.b", 3, "Windows reserves"),
        ("pub -k prn -r lobby -m x", 3, "Windows reserves"),
        ("sub -k team. -r lobby", 3, "no '.' at the end"),
        ("login -k Con -u alice -p x", 3, "Windows reserves"),
        ("backend deploy -k Com0", 3, "Windows reserves"),
        ("credentials -k nul", 3, "Windows reserves"),
        ("admin members -k con", 3, "Windows reserves"),
        ("config -p x --password-stdin", 2, "exclude each other"),
        ("config -p x", 2, "Whose password?"),
        ("config -u alice list", 2, "Put options after 'list'"),
        ("config show -k nope", 3, "Choose another with -k: default\n"),
        ("config show nope", 3, "Choose another with -k: default\n"),
        ("config show defautl", 3, "Did you mean 'default'?"),
        ("config show default -k nope", 2, "Which profile: 'default' or 'nope'?"),
        ("config path nope", 3, "Choose another with -k: default\n"),
        ("config use nope", 3, "Choose another with -k: default\n"),
        ("config use", 2, "Which profile?"),
        ("config remove -k nope", 3, "there is no profile 'nope'"),
        ("config remove nope", 3, "Your profiles are: default"),
        ("config remove DEFAULT", 3, "Did you mean 'default'?"),
        ("config remove", 2, "Which profile?"),
        (
            "config default",
            2,
            "'default' is a profile, not a command. To show it: aws-iot config show default\n",
        ),
        ("config nope", 2, "No such command 'nope'"),
    ],
)
def test_a_mistake_is_reported_in_a_line(aws_iot: CommandLine, line: str, code: int, words: str) -> None:
    result = aws_iot(line, ends=code, stdin="y\n")
    assert words in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("not json", "line 1 is not valid JSON or JavaScript"),
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


def test_profiles_are_listed_in_a_table_that_marks_the_default(aws_iot: CommandLine, exports: Path) -> None:
    aws_iot(f"config -s {exports} -k team -u alice")
    assert aws_iot("config list").stdout.splitlines() == [
        "KEY        USER   USER POOL       ENDPOINT",
        "default *  -      us-east-1_FAKE  fake.example",
        "team       alice  us-east-1_FAKE  fake.example",
    ]
    listed = [json.loads(line) for line in aws_iot("config list --json").stdout.splitlines()]
    assert [(row["profile"], row["user"], row["default"]) for row in listed] == [
        ("default", None, True),
        ("team", "alice", False),
    ]
    assert "\nteam *" in aws_iot("config list", env={"AWS_IOT_PROFILE": "team"}).stdout


def test_profiles_are_listed_by_key(aws_iot: CommandLine, exports: Path) -> None:
    for key in ("local-2", "local"):
        aws_iot(f"config -s {exports} -k {key}")
    keys = [line.split()[0] for line in aws_iot("config list").stdout.splitlines()[1:]]
    assert keys == ["default", "local", "local-2"]


def test_the_used_profile_is_the_default_until_it_is_removed(
    aws_iot: CommandLine, app: FakeApp, exports: Path
) -> None:
    aws_iot(f"config -s {exports} -k team -u alice")
    assert (
        aws_iot("config use team").stderr
        == "Commands now use the profile 'team', if -k does not name another.\n"
    )
    assert "\nteam *" in aws_iot("config list").stdout
    assert json.loads(aws_iot("config show").stdout)["profile"] == "team"
    assert "not signed in with the profile 'team'" in aws_iot("whoami", ends=4).stderr
    assert "default: team]" in aws_iot("whoami --help").stdout
    assert json.loads(aws_iot("config show -k default").stdout)["profile"] == "default"
    shown = aws_iot("config show", env={"AWS_IOT_PROFILE": "default"}).stdout
    assert json.loads(shown)["profile"] == "default"
    assert "use the profile 'default' again" in aws_iot("config remove team").stderr
    assert json.loads(aws_iot("config show").stdout)["profile"] == "default"


def test_use_warns_if_the_environment_names_another_profile(aws_iot: CommandLine, exports: Path) -> None:
    aws_iot(f"config -s {exports} -k team")
    done = aws_iot("config use default", env={"AWS_IOT_PROFILE": "team"})
    assert "AWS_IOT_PROFILE is set to 'team' here, and takes precedence" in done.stderr


def test_a_damaged_choice_of_a_default_counts_as_none(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config use default")
    [chosen] = [file for file in app.config.profiles.folder.iterdir() if file.read_bytes() == b"default\n"]
    chosen.write_bytes(b"../\xff")
    assert json.loads(aws_iot("config show").stdout)["profile"] == "default"


def test_path_names_the_folder_or_the_file_of_a_profile(aws_iot: CommandLine, app: FakeApp) -> None:
    folder = Path(aws_iot("config path").stdout.rstrip("\n"))
    file = Path(aws_iot("config path default").stdout.rstrip("\n"))
    assert folder == app.settings.folders.config
    assert file.is_file()
    assert file.is_relative_to(folder)
    assert aws_iot("config path", env={"AWS_IOT_PROFILE": "default"}).stdout == f"{folder}\n"


def test_a_damaged_profile_is_listed_and_can_be_removed(aws_iot: CommandLine, app: FakeApp) -> None:
    (app.config.profiles.folder / "broken.json").write_text("{")
    assert "damaged: config show broken" in aws_iot("config list").stdout
    assert "is not JSON" in json.loads(aws_iot("config list --json").stdout.splitlines()[0])["error"]
    aws_iot("config show -k broken", ends=3)
    aws_iot("config remove -k broken")
    assert app.config.profiles.keys() == ["default"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (
            '{\n  "username": null\n  "aws-exports": {}\n}',
            """ is not JSON: line 3: expecting ',' delimiter, in: "aws""",
        ),
        ("{" + " " * 500 + "x" * 500, " is not JSON: line 1: expecting property name"),
        ("", " is not JSON: the file is empty"),
        ("\n\xff", ": line 2 is not UTF-8 text"),
    ],
    ids=["a missing comma", "a long line", "an empty file", "bytes"],
)
def test_the_error_for_a_damaged_file_shows_the_line(
    aws_iot: CommandLine, app: FakeApp, content: str, words: str
) -> None:
    path = app.config.profiles.folder / "broken.json"
    path.write_bytes(content.encode("latin-1"))
    told = aws_iot("config show broken", ends=3).stderr
    assert f"Error: {path}{words}" in told
    assert "x" * 61 not in told


@pytest.mark.parametrize("name", ["pwd", "password", "clientSecret", "apiKey"])
def test_the_error_for_a_damaged_file_never_shows_a_secret(
    aws_iot: CommandLine, tmp_path: Path, name: str
) -> None:
    path = tmp_path / "wrong.json"
    path.write_text(f'{{\n"usr": "alice",\n"{name}": hunter2 hunter2\n}}')
    told = aws_iot(f"config -s {path}", ends=3).stderr
    assert f"{path} is not JSON: line 3: expecting value\n" in told
    assert "hunter2" not in told


def test_removing_a_profile_removes_its_password(aws_iot: CommandLine, app: FakeApp) -> None:
    aws_iot("config -u alice -p Passw0rd")
    aws_iot("config remove -k default")
    assert app.config.profiles.keys() == []
    assert app.config.secrets.get("password", "default", "alice") is None


def test_remove_asks_only_on_a_terminal(aws_iot: CommandLine, app: FakeApp) -> None:
    app.controls.is_at_terminal = True
    assert "There is no terminal" in aws_iot("config remove default", ends=2).stderr  # it tries to ask
    assert app.config.profiles.keys() == ["default"]
    aws_iot("config remove default --yes")
    assert app.config.profiles.keys() == []


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


@pytest.mark.parametrize("group", ["account", "admin", "backend", "config", "credentials", "mfa", "password"])
def test_a_groups_help_shows_whole_summaries(aws_iot: CommandLine, group: str) -> None:
    _, _, commands = aws_iot(f"{group} --help").stdout.partition("Commands:\n")
    assert commands
    assert "..." not in commands
