"""`aws-iot init`, with the services in memory and a person who answers from a script."""

import json
from pathlib import Path

import pytest

from aws_iot.auth.setup import SetUp
from aws_iot.cli.commands.init import TerminalSetupPrompter
from aws_iot.config.exports import to_exports
from aws_iot.errors import CodeRefused, ProfileError, StackNotRunning, UsernameTaken
from tests.conftest import CommandLine
from tests.fakes import CODE, FakeApp, FakeCloud, FakeUser
from tests.scripted_person import PASSWORD, Interrupted, Script, Typing

NEW_ACCOUNT = {
    "is_local": False,
    "username": "alice",
    "has_account": False,
    "email": "alice@example.com",
    "chosen_password": PASSWORD,
    "code": CODE,
}


@pytest.fixture
def exports(tmp_path: Path, cloud: FakeCloud) -> Path:
    """The team's exports file."""
    file = tmp_path / "aws-exports.json"
    file.write_text(json.dumps(to_exports(cloud.profile)), encoding="utf-8")
    return file


@pytest.fixture
def new(app: FakeApp) -> FakeApp:
    """The app of a person who has no profile yet."""
    app.config.profiles.remove("default")
    return app


def set_up(app: FakeApp, script: Script, key: str | None = None) -> SetUp:
    return app.setup(script, Typing).run(key)


def test_a_new_person_gets_a_profile_an_account_and_a_session(
    new: FakeApp, cloud: FakeCloud, exports: Path
) -> None:
    done = set_up(new, Script(**NEW_ACCOUNT, exports_file=exports))
    profile = new.config.profiles.load("default")
    saved = new.auth.sessions.load(profile)
    assert profile.username == "alice"
    assert cloud.accounts["alice"].confirmed
    assert saved
    assert saved.identity == done.person.identity


def test_the_endpoint_that_the_file_lacks_is_asked_for(new: FakeApp, cloud: FakeCloud, exports: Path) -> None:
    content = to_exports(cloud.profile)
    endpoint = content.pop("aws_pubsub_endpoint")
    exports.write_text(json.dumps(content), encoding="utf-8")
    script = Script(**NEW_ACCOUNT, exports_file=exports, endpoint=["https://x", endpoint])
    set_up(new, script)
    assert "--endpoint" not in script.rejections[0]
    assert "must begin with wss://" in script.rejections[0]
    assert new.config.profiles.load("default").endpoint == cloud.profile.endpoint


def test_a_file_whose_region_contradicts_its_endpoint_is_reported(
    new: FakeApp, cloud: FakeCloud, exports: Path
) -> None:
    endpoint = "wss://abc-ats.iot.eu-central-1.amazonaws.com/mqtt"
    content = to_exports(cloud.profile) | {"aws_pubsub_endpoint": endpoint, "aws_pubsub_region": "us-east-1"}
    exports.write_text(json.dumps(content), encoding="utf-8")
    script = Script(**NEW_ACCOUNT, exports_file=exports)
    set_up(new, script)
    assert "aws_pubsub_region is us-east-1" in script.shown[0]
    assert new.config.profiles.load("default").iot_region == "eu-central-1"


def test_the_key_is_asked_for_only_if_another_profile_is_wanted(app: FakeApp, exports: Path) -> None:
    script = Script(
        **NEW_ACCOUNT, exports_file=exports, continues_with=False, new_key=["default", "a b", "team"]
    )
    set_up(app, script)
    assert script.rejections[0] == "the profile 'default' exists"
    assert script.rejections[1].startswith("'a b' cannot name a profile")
    assert app.config.profiles.load("team").username == "alice"
    assert app.config.profiles.load("default").username is None


def test_it_continues_with_the_profile_that_was_chosen_as_the_default(app: FakeApp, cloud: FakeCloud) -> None:
    app.config.profiles.change("team", lambda _: cloud.profile)
    app.config.profiles.choose_default("team")
    set_up(app, Script(**NEW_ACCOUNT, continues_with=True))
    assert app.config.profiles.load("team").username == "alice"
    assert app.config.profiles.load("default").username is None


def test_a_key_that_is_given_is_not_asked_for(app: FakeApp, exports: Path) -> None:
    set_up(app, Script(**NEW_ACCOUNT, exports_file=exports), "team")
    assert app.config.profiles.load("team").username == "alice"


def test_each_answer_is_checked_at_once_and_asked_for_again(
    new: FakeApp, cloud: FakeCloud, exports: Path, tmp_path: Path
) -> None:
    (tmp_path / "not.json").write_text("hello", encoding="utf-8")
    answers = NEW_ACCOUNT | {
        "exports_file": [tmp_path / "missing.json", tmp_path / "not.json", exports],
        "username": ["alice smith", "alice"],
        "email": ["alice", "alice@example.com"],
        "chosen_password": ["short", PASSWORD],
        "code": ["CODE", "999999", CODE],
    }
    script = Script(**answers)
    set_up(new, script)
    assert [words in shown for words, shown in zip(WRONG, script.rejections, strict=True)] == [True] * 7
    assert cloud.accounts["alice"].confirmed


WRONG = (
    "no such file",
    "not.json",
    "no spaces",
    "not an e-mail address",
    "6 or more",
    "only digits",
    "not the code",
)


def test_an_empty_code_sends_another_one(new: FakeApp, cloud: FakeCloud, exports: Path) -> None:
    set_up(new, Script(**NEW_ACCOUNT | {"code": ["", CODE]}, exports_file=exports))
    assert cloud.accounts["alice"].confirmed


def test_codes_are_not_asked_for_without_end(new: FakeApp, exports: Path) -> None:
    with pytest.raises(CodeRefused):
        set_up(new, Script(**NEW_ACCOUNT | {"code": ["1", "2", "3"]}, exports_file=exports))


@pytest.mark.parametrize("question", ["username", "has_account", "email", "chosen_password", "code"])
def test_after_an_interruption_the_next_run_continues(
    new: FakeApp, cloud: FakeCloud, exports: Path, question: str
) -> None:
    with pytest.raises(Interrupted):
        set_up(new, Script(**NEW_ACCOUNT | {question: Interrupted()}, exports_file=exports))
    rest = NEW_ACCOUNT | {"continues_with": True, "has_account": question == "code"}
    script = Script(**rest)
    done = set_up(new, script)
    assert "exports_file" not in script.asked
    assert done.person.username == "alice"
    assert [*cloud.accounts] == ["alice"]


class TypingOnce(Typing):
    """A person who is asked for the password at most once."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self._typed: list[str] = []

    def password(self, username: str) -> str:  # type: ignore[override]
        assert username not in self._typed, "the password was asked for again"
        self._typed.append(username)
        return super().password(username)


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_after_an_interruption_at_the_code_only_code_and_password_are_asked_for(
    new: FakeApp, cloud: FakeCloud, exports: Path, is_confirmed: bool
) -> None:
    with pytest.raises(Interrupted):
        set_up(new, Script(**NEW_ACCOUNT | {"code": Interrupted()}, exports_file=exports))
    assert new.config.profiles.load("default").is_unconfirmed
    rest = {"username": "alice", "has_account": True} if is_confirmed else {}
    cloud.accounts["alice"].confirmed = is_confirmed  # in another terminal
    script = Script(continues_with=True, code=CODE, **rest)
    done = new.setup(script, TypingOnce).run(None)
    assert done.person.username == "alice"
    assert script.asked == ["continues_with", "code", *rest]
    assert not new.config.profiles.load("default").is_unconfirmed


def test_confirm_answers_what_init_has_asked_for(new: FakeApp, aws_iot: CommandLine, exports: Path) -> None:
    with pytest.raises(Interrupted):
        set_up(new, Script(**NEW_ACCOUNT | {"code": Interrupted()}, exports_file=exports))
    aws_iot(f"confirm -c {CODE}")
    assert not new.config.profiles.load("default").is_unconfirmed


def test_the_password_of_an_unconfirmed_account_is_asked_for_once(app: FakeApp, cloud: FakeCloud) -> None:
    cloud.accounts["alice"] = FakeUser(PASSWORD, "alice@example.com")
    app.setup(Script(username="alice", has_account=True, code=CODE), TypingOnce).run("default")
    assert cloud.accounts["alice"].confirmed


def test_a_user_name_is_saved_only_when_its_account_exists(new: FakeApp, exports: Path) -> None:
    with pytest.raises(Interrupted):
        set_up(new, Script(**NEW_ACCOUNT | {"email": Interrupted()}, exports_file=exports))
    assert new.config.profiles.load("default").username is None


def test_a_profile_that_is_named_and_exists_is_shown(app: FakeApp) -> None:
    script = Script(**NEW_ACCOUNT)
    set_up(app, script, "default")
    assert script.shown == ["default"]


def test_a_person_who_is_signed_in_is_asked_nothing_more(app: FakeApp, cloud: FakeCloud) -> None:
    cloud.member("alice", PASSWORD)
    answers = {"username": "alice", "has_account": True}
    set_up(app, Script(continues_with=True, **answers))
    script = Script(continues_with=True)
    assert set_up(app, script).person.username == "alice"
    assert script.asked == ["continues_with"]


def test_a_name_that_is_taken_leads_to_sign_in_if_it_is_ones_own(app: FakeApp, cloud: FakeCloud) -> None:
    cloud.member("alice", PASSWORD)
    script = Script(**NEW_ACCOUNT, is_own=True)
    assert set_up(app, script, "default").person.username == "alice"
    assert script.rejections == ["this user name is taken"]


def test_a_name_that_is_taken_leads_to_another_name(app: FakeApp, cloud: FakeCloud) -> None:
    cloud.member("alice", PASSWORD)
    script = Script(
        username=["alice", "ann"],
        has_account=[False, False],
        is_own=False,
        email=["a@example.com"] * 2,
        chosen_password=[PASSWORD] * 2,
        code=CODE,
    )
    assert set_up(app, script, "default").person.username == "ann"


def test_an_account_that_does_not_exist_leads_back_to_the_name(app: FakeApp, cloud: FakeCloud) -> None:
    cloud.member("alice", PASSWORD)
    script = Script(username=["alicia", "alice"], has_account=[True, True])
    assert set_up(app, script, "default").person.username == "alice"
    assert script.rejections == ["there is no such user in this user pool"]


@pytest.fixture
def damaged(app: FakeApp) -> FakeApp:
    """The app of a person whose default profile cannot be read."""
    app.config.profiles.path("default").write_text("{", encoding="utf-8")
    return app


@pytest.mark.parametrize("key", [None, "default"])
def test_a_damaged_profile_is_replaced_if_the_person_wants_that(
    damaged: FakeApp, exports: Path, key: str | None
) -> None:
    set_up(damaged, Script(**NEW_ACCOUNT, exports_file=exports, replaces_damaged=True), key)
    assert damaged.config.profiles.load("default").username == "alice"


@pytest.mark.parametrize("key", [None, "default"])
def test_a_damaged_profile_stays_if_another_is_set_up(
    damaged: FakeApp, exports: Path, key: str | None
) -> None:
    script = Script(**NEW_ACCOUNT, exports_file=exports, replaces_damaged=False, new_key=["default", "team"])
    set_up(damaged, script, key)
    assert damaged.config.profiles.load("team").username == "alice"
    assert damaged.config.profiles.path("default").read_text() == "{"
    assert "is not JSON" in script.rejections[0]


def test_a_local_stack_must_be_running(new: FakeApp) -> None:
    script = Script(is_local=True, local_stack_started=["", Interrupted()])
    with pytest.raises(Interrupted):
        set_up(new, script)
    assert script.asked == ["is_local", "local_stack_started", "local_stack_started"]


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_a_profile_of_a_stack_that_has_ended_is_named(
    app: FakeApp, cloud: FakeCloud, tmp_path: Path, is_signed_in: bool
) -> None:
    from aws_iot.app import App  # the real services: those in memory need no stack
    from aws_iot.config.local_stack import announced

    if is_signed_in:
        cloud.member("alice", PASSWORD)
        set_up(app, Script(username="alice", has_account=True), "default")
    profile = app.config.profiles.load("default")._replace(local_stack=str(tmp_path / "stack"))
    app.config.profiles.change("default", lambda _: profile)
    with announced(tmp_path / "stack", profile, "aws-iot local"):
        pass
    script = Script(continues_with=True, username="alice", has_account=True)
    with pytest.raises(StackNotRunning):
        App(app.settings).setup(script, Typing).run(None)


def test_without_a_terminal_the_commands_are_listed(aws_iot: CommandLine, app: FakeApp) -> None:
    app.controls.is_at_terminal = False
    done = aws_iot("init -k team", ends=2)
    for line in ("config -s aws-exports.json -u alice -k team", "login -k team", "local --member alice"):
        assert f"aws-iot {line}" in done.stderr


def test_an_unconfirmed_account_is_confirmed(app: FakeApp, cloud: FakeCloud) -> None:
    cloud.accounts["alice"] = FakeUser(PASSWORD, "alice@example.com")
    set_up(app, Script(username="alice", has_account=True, code=CODE), "default")
    assert cloud.accounts["alice"].confirmed


@pytest.mark.parametrize(("used", "option"), [("default", ""), ("team", " -k default")])
def test_the_commands_that_follow_use_the_same_profile(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, used: str, option: str
) -> None:
    app.controls.is_at_terminal = True
    cloud.member("alice", PASSWORD)
    aws_iot(f"login -u alice -p {PASSWORD}")
    shown = aws_iot("init -k default", env={"AWS_IOT_PROFILE": used}).stderr.splitlines()
    assert f"To receive messages:  aws-iot sub{option}" in shown
    assert f"To send one:          aws-iot pub -r lobby -m hello{option}" in shown


@pytest.mark.parametrize(
    ("reason", "shown"),
    [
        ("wrong user name or password", "Wrong user name or password."),
        ("this user name is taken: User already exists.", "This user name is taken: User already exists."),
        ("team.json: there is no such file", "team.json: there is no such file."),
    ],
)
def test_a_rejection_is_shown_as_a_sentence(
    capsys: pytest.CaptureFixture[str], reason: str, shown: str
) -> None:
    TerminalSetupPrompter().show_rejection(UsernameTaken(reason))
    assert capsys.readouterr().err == f"{shown}\n"


def test_the_hint_of_a_rejected_answer_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    ask = TerminalSetupPrompter()
    ask.show_rejection(ProfileError("it is damaged", hint="Remove it: aws-iot x\nThen: aws-iot y"))
    ask.show_rejection(UsernameTaken("it is taken", hint="Confirm it: aws-iot confirm"))  # `init` does so
    assert capsys.readouterr().err.splitlines() == [
        "It is damaged.",
        "Remove it: aws-iot x",
        "Then: aws-iot y",
        "It is taken.",
    ]
