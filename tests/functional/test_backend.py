"""`aws-iot backend`: what it does to a stack, and what it does not do without being told."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aws_iot import backend
from aws_iot.aws.admin.cloudformation import Change, StackState
from aws_iot.config.exports_files import read_exports
from aws_iot.errors import Busy, NotAuthorized, ServiceRefused, Unreachable
from tests.conftest import REPOSITORY, CommandLine
from tests.fakes import FakeApp, FakeCloud

GROWTH = Change("Modify", "UserPool", "AWS::Cognito::UserPool", "False", ["Policies"])
MAYBE = Change(
    "Modify",
    "IdentityPoolRoles",
    "AWS::Cognito::IdentityPoolRoleAttachment",
    "Conditional",
    ["Roles"],
    ["IdentityPoolId (from IdentityPool)"],
)
LOSS = Change("Modify", "UserPool", "AWS::Cognito::UserPool", "True", ["UsernameAttributes"])


@pytest.fixture
def exports(tmp_path: Path) -> Path:
    """Where the exports go."""
    return tmp_path / "aws-exports.json"


@pytest.fixture
def made(aws_iot: CommandLine, exports: Path) -> Path:
    """The exports of a stack that is there."""
    aws_iot(f"backend deploy -o {exports}")
    return exports


def test_the_template_is_printed_as_it_is(aws_iot: CommandLine) -> None:
    assert aws_iot("backend template").stdout == backend.template()


def test_every_resource_and_parameter_of_the_template_is_documented() -> None:
    page = (REPOSITORY / "docs" / "aws-setup.md").read_text(encoding="utf-8")
    resources = backend.template().partition("\nResources:\n")[2].partition("\nOutputs:\n")[0]
    named = [*backend.parameters(), *re.findall(r"^  (\w+):$", resources, re.MULTILINE)]
    assert len(named) > 15
    assert [name for name in named if f"`{name}`" not in page] == []


def test_a_new_stack_leaves_exports_and_the_profile_that_was_asked_for(
    aws_iot: CommandLine, app: FakeApp, exports: Path
) -> None:
    done = aws_iot(f"backend deploy -k ops -o {exports}")
    assert "CREATE_IN_PROGRESS" in done.stderr
    assert done.stdout == ""
    profile = read_exports(exports)
    assert str(profile.endpoint) == "wss://prefix-ats.iot.us-east-1.amazonaws.com/mqtt"
    assert profile.policy_name == "chat-member"
    assert app.profiles.load("ops").user_pool_id == "us-east-1_MADE"


def test_a_user_who_was_preset_stays(aws_iot: CommandLine, app: FakeApp, made: Path) -> None:
    aws_iot("config -u alice")
    aws_iot(f"backend exports -k default -o {made} --replace")
    assert app.profiles.load("default").username == "alice"
    assert app.profiles.load("default").client_id == "made"


def test_exports_can_be_printed(aws_iot: CommandLine, made: Path) -> None:
    assert json.loads(aws_iot("backend exports -o -").stdout) == json.loads(made.read_text())


@pytest.mark.parametrize("command", ["deploy", "exports"])
def test_a_file_that_holds_something_else_is_spared(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, command: str
) -> None:
    aws_iot(f"backend {command} -o {made}")  # its own are replaced
    made.write_text("something else")
    assert "holds something else" in aws_iot(f"backend {command} -o {made}", ends=3).stderr
    assert made.read_text() == "something else"
    aws_iot(f"backend {command} -o {made} --replace")
    assert read_exports(made).client_id == "made"


def test_to_agree_is_not_to_replace_another_team_s_file(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    of_others = json.loads(made.read_text()) | {"aws_user_pools_id": "us-east-1_OTHERS"}
    made.write_text(json.dumps(of_others))
    aws_iot(f"backend deploy -o {made} --yes", ends=3)
    assert json.loads(made.read_text()) == of_others


def test_a_file_of_the_same_pools_is_brought_up_to_date(aws_iot: CommandLine, made: Path) -> None:
    now = json.loads(made.read_text())
    made.write_text(json.dumps(now | {"aws_iot_policy_name": "old"}))
    aws_iot(f"backend deploy -o {made}")
    assert json.loads(made.read_text()) == now


@pytest.mark.parametrize("command", ["deploy", "exports"])
def test_a_profile_of_other_pools_is_spared(
    aws_iot: CommandLine, app: FakeApp, made: Path, command: str
) -> None:
    aws_iot("config -u alice -p Passw0rd")
    refused = aws_iot(f"backend {command} -o {made} -k default", ends=3).stderr
    assert "there is a profile 'default' already, of other pools" in refused
    assert app.profiles.load("default").client_id == "fakeclient"
    for _ in range(2):
        aws_iot(f"backend {command} -o {made} -k default --replace")
    assert app.profiles.load("default").client_id == "made"
    assert app.secrets.owner("password", "default") is None
    aws_iot(f"backend {command} -o {made} -k default")


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("-k default", 3, "of other pools"),
        ("-k ../x", 3, "cannot name a profile"),
        ("-k ../x --replace", 3, "cannot name a profile"),
        ("--name my_chat", 2, "'my_chat' cannot name a stack"),
        ("--parameter Room1=ops/", 7, "Room1 is 'ops/', and must be"),
        ("--parameter Room2=ops", 7, "Room1 is *, which is all rooms"),
    ],
)
def test_what_would_fail_in_the_end_is_refused_before_anything_is_made(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path, line: str, code: int, words: str
) -> None:
    assert words in aws_iot(f"backend deploy -o {exports} {line}", ends=code).stderr
    assert cloud.stack.done == []


def test_nothing_is_made_where_its_exports_would_have_no_place(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    exports.write_text("{}")
    aws_iot(f"backend deploy -o {exports}", ends=3)
    assert cloud.stack.done == []


def test_nothing_changes_where_nothing_differs(aws_iot: CommandLine, cloud: FakeCloud, made: Path) -> None:
    assert "nothing changes" in aws_iot(f"backend deploy -o {made}").stderr
    assert cloud.stack.done == ["create"]


def test_changes_are_shown_and_made_only_if_somebody_agrees(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    cloud.stack.changes = [GROWTH, LOSS]
    refused = aws_iot(f"backend deploy -o {made}", ends=2)
    assert "Modify UserPool (AWS::Cognito::UserPool): Policies\n" in refused.stderr
    assert "UsernameAttributes  [REPLACED; then all accounts are lost]" in refused.stderr
    assert "(account 111122223333, region us-east-1)" in refused.stderr
    assert "--yes" in refused.stderr
    assert cloud.stack.done == ["create", "discard"]
    aws_iot(f"backend deploy --yes -o {made}")
    assert cloud.stack.done == ["create", "discard", "carry out"]


def test_the_parameters_that_change_are_shown_old_and_new(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    aws_iot(f"backend deploy -o {exports} --parameter Room1=* --parameter Mfa=ON")
    cloud.stack.changes = [MAYBE]
    said = aws_iot(f"backend deploy -o {exports} --yes --parameter Room1=ops --parameter Mfa=ON").stderr
    assert "  Room1: * → ops\n" in said
    assert "Mfa" not in said
    assert "[perhaps replaced, by IdentityPoolId (from IdentityPool)]" in said


def test_what_people_sign_in_with_stays(aws_iot: CommandLine, cloud: FakeCloud, exports: Path) -> None:
    aws_iot(f"backend deploy -o {exports} --parameter SignIn=email")
    cloud.stack.changes = [LOSS]
    refused = aws_iot(f"backend deploy -o {exports} --yes --parameter SignIn=username", ends=7).stderr
    assert "people sign in by email here, and Cognito cannot change that later" in refused
    assert cloud.stack.done == ["create"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("CREATE_IN_PROGRESS", "Wait until it has done: aws-iot backend status --name chat"),
        ("ROLLBACK_COMPLETE", "Remove what is left of it: aws-iot backend destroy --name chat"),
        ("ROLLBACK_FAILED", "Remove what is left of it: aws-iot backend destroy --name chat"),
        ("DELETE_FAILED", "Go on deleting it: aws-iot backend destroy --name chat"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name chat"),
    ],
)
def test_the_way_out_of_a_bad_state_is_named(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, status: str, words: str
) -> None:
    assert cloud.stack.now
    cloud.stack.now = replace(cloud.stack.now, status=status)
    assert words in aws_iot(f"backend deploy --yes -o {made}", ends=7).stderr
    assert words in aws_iot("backend status").stderr
    assert cloud.stack.done == ["create"]


def test_the_next_line_to_type_names_the_stack_as_it_was_named(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    cloud.stack.fails = KeyboardInterrupt()
    left = aws_iot(f"backend deploy -o {exports} --region eu-west-1 --aws-profile 'at work'", ends=130)
    assert "backend status --name chat --region eu-west-1 --aws-profile 'at work'" in left.stderr


def test_a_name_that_is_mistyped_is_told_with_those_that_there_are(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    cloud.stack.others = ["ops", "dev"]
    for command in ("status", "exports", "destroy"):
        said = aws_iot(f"backend {command} --name opps", ends=7).stderr
        assert "There is dev, ops: name it with --name." in said
        assert ("aws-iot backend deploy" in said) == (command != "destroy")
    cloud.stack.refuses = NotAuthorized("you may not list")
    assert "There is" not in aws_iot("backend status --name opps", ends=7).stderr


def test_a_failure_names_the_resource_and_the_reason(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    cloud.stack.fails = "no more pools"
    assert (
        "UserPool (AWS::Cognito::UserPool): no more pools"
        in aws_iot(f"backend deploy -o {exports}", ends=7).stderr
    )
    assert not exports.exists()


@pytest.mark.parametrize(
    ("end", "code"),
    [
        (KeyboardInterrupt(), 130),
        (Unreachable("no network"), 6),
        (NotAuthorized("you may not look"), 5),
        (ServiceRefused("waited 1800 seconds"), 7),
    ],
)
def test_who_looks_on_no_longer_learns_that_it_goes_on(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path, end: BaseException, code: int
) -> None:
    cloud.stack.fails = end
    left = aws_iot(f"backend deploy -q -o {exports}", ends=code)
    assert "goes on without you: aws-iot backend status --name chat" in left.stderr


def test_what_was_not_taken_or_has_ended_does_not_go_on(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    cloud.stack.refuses = Unreachable("no answer")
    left = aws_iot(f"backend deploy -o {exports}", ends=6).stderr
    assert "CloudFormation may have begun nonetheless: aws-iot backend status --name chat" in left
    cloud.stack.refuses = NotAuthorized("you may not")
    refused = aws_iot(f"backend deploy -o {exports}", ends=5).stderr
    assert "goes on" not in left + refused
    assert "begun" not in refused
    cloud.stack.refuses, cloud.stack.fails = None, "no more pools"
    assert "goes on" not in aws_iot(f"backend deploy -o {exports}", ends=7).stderr


@pytest.mark.parametrize("line", ["deploy --yes", "destroy --yes chat"])
def test_a_stack_that_is_being_changed_is_waited_for(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, line: str
) -> None:
    assert cloud.stack.now
    cloud.stack.now = replace(cloud.stack.now, status="UPDATE_IN_PROGRESS")
    refused = aws_iot(f"backend {line}", ends=7).stderr
    assert "Wait until it has done: aws-iot backend status --name chat" in refused
    assert cloud.stack.done == ["create"]


@pytest.fixture
def empty(cloud: FakeCloud) -> None:
    """A stack that a change set was to make, which nobody carried out."""
    cloud.stack.now = StackState("id", "REVIEW_IN_PROGRESS", None, datetime.now(UTC), "", {}, {})


@pytest.mark.usefixtures("empty")
def test_an_empty_stack_is_shown_and_in_nobody_s_way(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    assert "REVIEW_IN_PROGRESS" in aws_iot("backend status").stdout
    assert "nothing to write yet" in aws_iot("backend exports", ends=7).stderr
    assert "it is removed first" in aws_iot(f"backend deploy -o {exports}").stderr
    assert cloud.stack.done == ["delete", "create"]


@pytest.mark.usefixtures("empty")
def test_an_empty_stack_can_be_destroyed(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    assert "with what there is of it" in aws_iot("backend destroy --yes chat").stderr
    assert cloud.stack.done == ["delete"]


def test_an_empty_stack_that_was_to_become_another_s_is_left_alone(
    aws_iot: CommandLine, cloud: FakeCloud, empty: None
) -> None:
    assert cloud.stack.now
    cloud.stack.now = replace(cloud.stack.now, description="Our shop")
    aws_iot("backend deploy --yes -o -", ends=7)
    assert cloud.stack.done == []


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("deploy --parameter Mfa", 2, "'Mfa' is not NAME=VALUE"),
        ("deploy --parameter MFA=ON", 2, "there is no 'MFA'; there are SignIn,"),
        ("exports", 7, "there is no stack chat"),
        ("status --name ops", 7, "aws-iot backend deploy --name ops"),
        ("destroy", 7, "there is no stack chat"),
    ],
)
def test_a_mistake_is_told_in_a_line(
    aws_iot: CommandLine, cloud: FakeCloud, line: str, code: int, words: str
) -> None:
    assert words in aws_iot(f"backend {line}", ends=code).stderr
    assert cloud.stack.done == []


@pytest.mark.parametrize("line", ["deploy --yes", "destroy --yes chat"])
def test_somebody_else_s_stack_is_left_alone(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, line: str
) -> None:
    assert cloud.stack.now
    cloud.stack.now = replace(cloud.stack.now, description="Our shop")
    assert "was not made from this program's template" in aws_iot(f"backend {line}", ends=7).stderr
    assert cloud.stack.done == ["create"]


def test_the_status_says_what_there_is(aws_iot: CommandLine, made: Path) -> None:
    said = aws_iot("backend status").stdout
    assert re.search(r"^status +CREATE_COMPLETE$", said, re.MULTILINE)
    assert re.search(r"^UserPoolId +us-east-1_MADE$", said, re.MULTILINE)
    shown = json.loads(aws_iot("backend status --json").stdout)
    assert re.fullmatch(r"[\d-]{10}T[\d:.]{12}Z", shown["changed"])
    assert (shown["status"], shown["outputs"]["UserPoolId"]) == ("CREATE_COMPLETE", "us-east-1_MADE")


@pytest.mark.parametrize(
    ("line", "words"), [("destroy", "give --yes chat"), ("destroy --yes cat", "is not the stack's name")]
)
def test_nothing_is_destroyed_without_its_name(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, line: str, words: str
) -> None:
    refused = aws_iot(f"backend {line}", ends=2)
    assert words in refused.stderr
    assert "all accounts (user pool us-east-1_MADE)" in refused.stderr
    assert cloud.stack.done == ["create"]


def test_destroying_it_detaches_the_policy_first(aws_iot: CommandLine, cloud: FakeCloud, made: Path) -> None:
    cloud.profile = replace(cloud.profile, policy_name="chat-member")
    cloud.members = {f"{cloud.profile.identity_pool_region}:1"}
    aws_iot("backend destroy --yes chat")
    assert cloud.members == set()
    assert cloud.stack.done == ["create", "delete"]


def test_what_an_earlier_attempt_has_deleted_is_in_nobody_s_way(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    assert "The policy chat-member is deleted already" in aws_iot("backend destroy --yes chat").stderr
    assert cloud.stack.done == ["create", "delete"]


def test_nothing_is_destroyed_while_it_is_not_known_who_is_accepted(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    cloud.fails = Busy("AWS takes no more requests at the moment")
    aws_iot("backend destroy --yes chat", ends=7)
    assert cloud.stack.done == ["create"]


def test_protected_accounts_are_not_destroyed_and_the_advice_can_be_followed(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(made.parent)
    assert cloud.stack.now
    cloud.stack.now = replace(cloud.stack.now, parameters={"DeletionProtection": "ACTIVE"})
    refused = aws_iot("backend destroy --yes chat", ends=7)
    [advice] = re.findall(r"aws-iot (backend deploy .*)", refused.stderr)
    assert "--parameter DeletionProtection=INACTIVE" in advice
    cloud.stack.changes = [GROWTH]
    Path("aws-exports.json").write_text("another team's")
    aws_iot(f"{advice} --yes")
    assert Path("aws-exports.json").read_text() == "another team's"
    assert cloud.stack.done == ["create", "carry out"]


def test_accounts_that_are_protected_beside_the_stack_keep_their_members(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    cloud.stack.protected = True
    assert "in the user pool itself" in aws_iot("backend destroy --yes chat", ends=7).stderr
    assert cloud.stack.done == ["create"]


def test_what_is_left_of_it_on_this_machine_is_named(
    aws_iot: CommandLine, app: FakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    aws_iot("backend deploy -k ops")
    said = aws_iot("backend destroy --yes chat").stderr
    assert "The file aws-exports.json is of no use any more." in said
    assert "The profile 'ops' is of no use any more: aws-iot config remove -k ops" in said
    assert "'default'" not in said
