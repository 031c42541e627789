"""`aws-iot backend`: creating, updating and deleting a stack, and what needs approval or `--replace`."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from aws_iot.backend import template
from aws_iot.backend.stack import Change, StackState
from aws_iot.config.endpoint import Endpoint
from aws_iot.config.exports_files.reader import read_exports
from aws_iot.config.secrets import KINDS
from aws_iot.errors import Busy, NotAuthorized, ServiceRefused, Unreachable
from tests.conftest import REPOSITORY, CommandLine
from tests.fakes import FakeApp, FakeCloud, FakeKeyring, LockedKeyring

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
    """The path of the exports file."""
    return tmp_path / "aws-exports.json"


@pytest.fixture
def made(aws_iot: CommandLine, exports: Path) -> Path:
    """The exports file of a stack that exists."""
    aws_iot(f"backend deploy -o {exports}")
    return exports


def test_the_template_is_printed_unchanged(aws_iot: CommandLine) -> None:
    assert aws_iot("backend template").stdout == template.text()


def test_every_resource_and_parameter_of_the_template_is_documented() -> None:
    page = (REPOSITORY / "docs" / "aws-setup.md").read_text(encoding="utf-8")
    resources = template.text().partition("\nResources:\n")[2].partition("\nOutputs:\n")[0]
    named = [*template.parameters(), *re.findall(r"^  (\w+):$", resources, re.MULTILINE)]
    assert len(named) > 15
    assert [name for name in named if f"`{name}`" not in page] == []


def test_creating_a_stack_writes_exports_and_the_requested_profile(
    aws_iot: CommandLine, app: FakeApp, exports: Path
) -> None:
    done = aws_iot(f"backend deploy -k ops -o {exports}")
    assert "CREATE_IN_PROGRESS" in done.stderr
    assert done.stdout == ""
    profile = read_exports(exports)
    assert str(profile.endpoint) == "wss://prefix-ats.iot.us-east-1.amazonaws.com/mqtt"
    assert profile.policy_name == "chat-member"
    assert app.config.profiles.load("ops").user_pool_id == "us-east-1_MADE"


def test_deploying_writes_the_default_profile_unless_there_is_one(
    aws_iot: CommandLine, app: FakeApp, exports: Path
) -> None:
    kept = app.config.profiles.load("default")
    words = (
        "The profile 'default' is of another team. `aws-iot admin` needs one of this team.\n"
        "To write it: aws-iot backend exports --name chat -k KEY\n"
    )
    assert aws_iot(f"backend deploy -o {exports}").stderr.endswith(words)
    assert app.config.profiles.load("default") == kept
    app.config.profiles.remove("default")
    done = aws_iot(f"backend deploy -o {exports} --yes")
    assert "Wrote the profile 'default', which `aws-iot admin` needs.\n" in done.stderr
    assert app.config.profiles.load("default").policy_name == "chat-member"
    assert "the profile 'default'" not in aws_iot(f"backend deploy -o {exports} --yes").stderr.lower()


def test_the_user_of_a_replaced_profile_stays(aws_iot: CommandLine, app: FakeApp, made: Path) -> None:
    aws_iot("config -u alice")
    aws_iot(f"backend exports -k default -o {made} --replace")
    assert app.config.profiles.load("default").username == "alice"
    assert app.config.profiles.load("default").client_id == "made"


def test_a_profile_finds_its_stack(aws_iot: CommandLine, cloud: FakeCloud, tmp_path: Path) -> None:
    exports = tmp_path / "ops.json"
    aws_iot(f"backend deploy --name ops -k ops -o {exports}")
    assert re.search(r"^stack +ops$", aws_iot("backend status -k ops").stdout, re.MULTILINE)
    printed = aws_iot("backend exports -k ops -o -")
    assert json.loads(printed.stdout) == json.loads(exports.read_text())
    assert printed.stderr == ""


def test_a_profile_that_names_the_stack_is_not_written(
    aws_iot: CommandLine, app: FakeApp, made: Path
) -> None:
    changed = read_exports(made)._replace(endpoint=Endpoint.parse("wss://iot.example.com"), key="ops")
    app.config.profiles.replace("ops", changed)
    aws_iot("backend exports -o - -k ops")
    assert app.config.profiles.load("ops") == changed
    assert "Wrote the profile 'ops'." in aws_iot("backend exports -o - -k ops --name chat").stderr
    assert app.config.profiles.load("ops") == read_exports(made)._replace(key="ops")


def test_status_rejects_a_name_beside_a_profile(aws_iot: CommandLine, made: Path) -> None:
    both = "Both --name (AWS_IOT_BACKEND_NAME) and -k name a stack"
    assert both in aws_iot("backend status -k default --name ops", ends=2).stderr
    name = {"AWS_IOT_BACKEND_NAME": "ops"}
    assert both in aws_iot("backend status -k default", ends=2, env=name).stderr
    preset = {"AWS_IOT_BACKEND_PROFILE": "default"}
    assert "stack" in aws_iot("backend status --name ops", env=preset).stdout


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"])
def test_no_hint_about_the_local_stack_names_a_stack_in_aws(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, made: Path, status: str
) -> None:
    local = read_exports(made)._replace(cloudformation_url="https://127.0.0.1:4566")
    app.config.profiles.change("local", lambda _: local)
    assert cloud.stack.now
    cloud.stack.now = replace(cloud.stack.now, status=status)
    assert aws_iot("backend status -k local").stderr == ""


@pytest.mark.parametrize(
    ("profile", "code", "words"),
    [
        ({"user_pool_id": "us-east-1_OTHER"}, 3, "has other pools than the stack chat"),
        ({"policy_name": "handmade"}, 3, "does not show which stack it was made from"),
        ({"policy_name": None}, 3, "Name the stack: --name NAME"),
    ],
)
def test_a_profile_of_no_stack_or_of_another_is_an_error(
    aws_iot: CommandLine, app: FakeApp, made: Path, profile: dict[str, str], code: int, words: str
) -> None:
    app.config.profiles.change("ops", lambda _: read_exports(made)._replace(**profile))  # type: ignore[arg-type]
    for command in ("status", "exports -o -"):
        assert words in aws_iot(f"backend {command} -k ops", ends=code).stderr
    assert "there is no profile 'nobody'" in aws_iot("backend status -k nobody", ends=3).stderr


def test_a_wrong_name_deletes_nothing(aws_iot: CommandLine, cloud: FakeCloud, made: Path) -> None:
    printed = aws_iot("backend destroy --yes caht", ends=2).stderr
    assert "Error: 'caht' is not the name of the stack (chat). Nothing was deleted.\n" in printed
    assert "Usage" not in printed
    assert cloud.stack.now


def test_exports_can_be_printed(aws_iot: CommandLine, made: Path) -> None:
    assert json.loads(aws_iot("backend exports -o -").stdout) == json.loads(made.read_text())


@pytest.mark.parametrize("command", ["deploy", "exports"])
def test_a_file_with_something_else_is_not_replaced(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, command: str
) -> None:
    aws_iot(f"backend {command} -o {made}")  # its own file is replaced
    made.write_text("something else")
    assert "holds something else" in aws_iot(f"backend {command} -o {made}", ends=3).stderr
    assert made.read_text() == "something else"
    aws_iot(f"backend {command} -o {made} --replace")
    assert read_exports(made).client_id == "made"


def test_yes_does_not_replace_the_file_of_another_team(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    of_others = json.loads(made.read_text()) | {"aws_user_pools_id": "us-east-1_OTHERS"}
    made.write_text(json.dumps(of_others))
    aws_iot(f"backend deploy -o {made} --yes", ends=3)
    assert json.loads(made.read_text()) == of_others


def test_a_file_of_the_same_pools_is_updated(aws_iot: CommandLine, made: Path) -> None:
    now = json.loads(made.read_text())
    made.write_text(json.dumps(now | {"aws_iot_policy_name": "old"}))
    aws_iot(f"backend deploy -o {made}")
    assert json.loads(made.read_text()) == now


@pytest.mark.parametrize("command", ["deploy", "exports"])
def test_a_profile_of_other_pools_is_not_replaced(
    aws_iot: CommandLine, app: FakeApp, made: Path, command: str
) -> None:
    aws_iot("config -u alice -p Passw0rd")
    refused = aws_iot(f"backend {command} -o {made} -k default", ends=3).stderr
    assert re.search("the profile 'default' .*other pools", refused)
    assert app.config.profiles.load("default").client_id == "fakeclient"
    for _ in range(2):
        aws_iot(f"backend {command} -o {made} -k default --replace")
    assert app.config.profiles.load("default").client_id == "made"
    assert app.config.secrets.owner("password", "default") is None
    aws_iot(f"backend {command} -o {made} -k default")


@pytest.mark.parametrize("command", ["deploy", "exports"])
def test_a_damaged_profile_is_replaced_and_its_saved_data_removed(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, exports: Path, command: str
) -> None:
    cloud.member("alice", "Passw0rd")
    aws_iot("config -u alice -p Passw0rd --client-secret hush")
    aws_iot("login")
    aws_iot(f"backend deploy -o {exports}")
    (app.config.profiles.folder / "default.json").write_text("{")
    done = aws_iot(f"backend {command} -o {exports} -k default --replace")
    assert "The saved session was removed." in done.stderr
    assert app.config.profiles.load("default").client_id == "made"
    assert [kind for kind in KINDS if app.config.secrets.owner(kind, "default")] == []


@pytest.mark.parametrize("is_damaged", [False, True])
def test_a_profile_is_replaced_even_if_the_keyring_is_locked(
    aws_iot: CommandLine, app: FakeApp, exports: Path, is_damaged: bool
) -> None:
    unlocked = app.controls.keyring = FakeKeyring()
    aws_iot("config -u alice -p Passw0rd --client-secret hush")
    app.controls.keyring = LockedKeyring(unlocked)
    if is_damaged:
        (app.config.profiles.folder / "default.json").write_text("{")
    done = aws_iot(f"backend deploy -k default -o {exports} --replace").stderr
    assert done.count("A saved secret was not removed: the keyring is locked.") == 2
    assert "Wrote the profile 'default'." in done
    assert app.config.profiles.load("default").client_id == "made"
    app.controls.keyring = unlocked
    assert app.config.secrets.get("password", "default", "alice") is None
    aws_iot("config --forget")
    assert unlocked.holds == {}


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        ("-k default", 3, "with other pools"),
        ("-k ../x", 3, "cannot name a profile"),
        ("-k ../x --replace", 3, "cannot name a profile"),
        ("--name my_chat", 2, "'my_chat' is not a stack name"),
        ("--parameter Room1=ops/", 2, "Room1 is 'ops/', but must be"),
        ("--parameter Room2=ops", 2, "Room1 is *, which means all rooms"),
        ("--parameter Room1=комната", 2, "Room1 is 'комната', but an IAM policy cannot contain 'к'"),
    ],
)
def test_what_would_fail_later_is_rejected_before_anything_is_created(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path, line: str, code: int, words: str
) -> None:
    assert words in aws_iot(f"backend deploy -o {exports} {line}", ends=code).stderr
    assert cloud.stack.done == []


def test_no_stack_is_created_if_its_exports_file_cannot_be_written(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    exports.write_text("{}")
    aws_iot(f"backend deploy -o {exports}", ends=3)
    assert cloud.stack.done == []


def test_an_unchanged_stack_is_left_alone(aws_iot: CommandLine, cloud: FakeCloud, made: Path) -> None:
    assert "nothing changes" in aws_iot(f"backend deploy -o {made}").stderr
    assert cloud.stack.done == ["create"]


def test_changes_are_shown_and_applied_only_after_approval(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    cloud.stack.changes = [GROWTH, LOSS]
    refused = aws_iot(f"backend deploy -o {made}", ends=2)
    assert "Modify UserPool (AWS::Cognito::UserPool): Policies\n" in refused.stderr
    assert "UsernameAttributes  [REPLACED; all accounts are lost]" in refused.stderr
    assert "(account 111122223333, region us-east-1)" in refused.stderr
    assert "--yes" in refused.stderr
    assert cloud.stack.done == ["create", "delete change set"]
    aws_iot(f"backend deploy --yes -o {made}")
    assert cloud.stack.done == ["create", "delete change set", "execute"]


def test_changed_parameters_are_shown_old_and_new(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    aws_iot(f"backend deploy -o {exports} --parameter Room1=* --parameter Mfa=ON")
    cloud.stack.changes = [MAYBE]
    done = aws_iot(f"backend deploy -o {exports} --yes --parameter Room1=ops --parameter Mfa=ON").stderr
    assert "  Room1: * → ops\n" in done
    assert "Mfa" not in done
    assert "[may be REPLACED, because of IdentityPoolId (from IdentityPool)]" in done


def test_the_kind_of_sign_in_cannot_be_changed(aws_iot: CommandLine, cloud: FakeCloud, exports: Path) -> None:
    aws_iot(f"backend deploy -o {exports} --parameter SignIn=email")
    cloud.stack.changes = [LOSS]
    refused = aws_iot(f"backend deploy -o {exports} --yes --parameter SignIn=username", ends=7).stderr
    assert "people sign in by email here, and Cognito cannot change that" in refused
    assert cloud.stack.done == ["create"]


def test_case_sensitivity_cannot_be_changed(aws_iot: CommandLine, exports: Path) -> None:
    aws_iot(f"backend deploy -o {exports}")
    refused = aws_iot(f"backend deploy -o {exports} --parameter CaseSensitive=true", ends=7).stderr
    assert (
        "upper and lower case does not matter in user names here, and Cognito cannot change that" in refused
    )


def test_an_older_stack_stays_case_sensitive(aws_iot: CommandLine, cloud: FakeCloud, exports: Path) -> None:
    """Cognito would reject the update at its end: "Updates are not allowed for property - UsernameConfiguration"."""
    aws_iot(f"backend deploy -o {exports}")
    assert cloud.stack.now
    old = {name: value for name, value in cloud.stack.now.parameters.items() if name != "CaseSensitive"}
    cloud.stack.now = replace(cloud.stack.now, parameters=old)
    done = aws_iot(f"backend deploy -o {exports} --parameter Mfa=ON --yes").stderr
    assert "CaseSensitive" not in done
    assert cloud.stack.now.parameters["CaseSensitive"] == "true"
    assert (
        "upper and lower case matters"
        in aws_iot(f"backend deploy -o {exports} --parameter CaseSensitive=false", ends=7).stderr
    )


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-gov-west-1", "aws-us-gov"),
        ("us-gov-east-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("us-isob-east-1", "aws-iso-b"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_a_region_with_another_cognito_is_rejected_before_anything_is_created(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path, region: str, partition: str
) -> None:
    refused = aws_iot(f"backend deploy -o {exports} --region {region}", ends=7).stderr
    assert f"the template cannot be deployed in {region}" in refused
    assert partition in refused
    assert cloud.stack.done == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("CREATE_IN_PROGRESS", "Wait until it has finished: aws-iot backend status --name chat"),
        ("ROLLBACK_COMPLETE", "Delete what is left of it: aws-iot backend destroy --name chat"),
        ("ROLLBACK_FAILED", "Delete what is left of it: aws-iot backend destroy --name chat"),
        ("DELETE_FAILED", "Continue deleting it: aws-iot backend destroy --name chat"),
        ("UPDATE_ROLLBACK_FAILED", "aws cloudformation continue-update-rollback --stack-name chat"),
    ],
)
def test_the_way_out_of_a_bad_state_is_suggested(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, status: str, words: str
) -> None:
    assert cloud.stack.now
    cloud.stack.now = replace(cloud.stack.now, status=status)
    assert words in aws_iot(f"backend deploy --yes -o {made}", ends=7).stderr
    assert words in aws_iot("backend status").stderr
    assert cloud.stack.done == ["create"]


def test_suggested_commands_name_the_stack_with_the_same_options(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    cloud.stack.fails = KeyboardInterrupt()
    left = aws_iot(f"backend deploy -o {exports} --region eu-west-1 --aws-profile 'at work'", ends=130)
    assert "backend status --name chat --region eu-west-1 --aws-profile 'at work'" in left.stderr


def test_a_wrong_name_is_reported_with_the_existing_stacks(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.stack.others = ["ops", "dev"]
    for command in ("status", "exports", "destroy"):
        done = aws_iot(f"backend {command} --name opps", ends=7).stderr
        assert "Existing stacks: dev, ops. Choose one with --name." in done
        assert ("aws-iot backend deploy" in done) == (command != "destroy")
    cloud.stack.refuses = NotAuthorized("you may not list")
    assert "Existing stacks" not in aws_iot("backend status --name opps", ends=7).stderr


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
def test_a_command_that_ends_early_says_that_cloudformation_continues(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path, end: BaseException, code: int
) -> None:
    cloud.stack.fails = end
    left = aws_iot(f"backend deploy -q -o {exports}", ends=code)
    assert "continues in the background: aws-iot backend status --name chat" in left.stderr


def test_a_request_that_was_not_accepted_does_not_continue(
    aws_iot: CommandLine, cloud: FakeCloud, exports: Path
) -> None:
    cloud.stack.refuses = Unreachable("no answer")
    left = aws_iot(f"backend deploy -o {exports}", ends=6).stderr
    assert "CloudFormation may have started anyway: aws-iot backend status --name chat" in left
    cloud.stack.refuses = NotAuthorized("you may not")
    refused = aws_iot(f"backend deploy -o {exports}", ends=5).stderr
    assert "continues" not in left + refused
    assert "started" not in refused
    cloud.stack.refuses, cloud.stack.fails = None, "no more pools"
    assert "continues" not in aws_iot(f"backend deploy -o {exports}", ends=7).stderr


@pytest.mark.parametrize("line", ["deploy --yes", "destroy --yes chat"])
def test_a_stack_that_is_being_changed_is_left_alone(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, line: str
) -> None:
    assert cloud.stack.now
    cloud.stack.now = replace(cloud.stack.now, status="UPDATE_IN_PROGRESS")
    refused = aws_iot(f"backend {line}", ends=7).stderr
    assert "Wait until it has finished: aws-iot backend status --name chat" in refused
    assert cloud.stack.done == ["create"]


@pytest.fixture
def empty(cloud: FakeCloud) -> None:
    """An empty stack, left by a change set that was not executed."""
    cloud.stack.now = StackState("id", "REVIEW_IN_PROGRESS", None, datetime.now(UTC), "", {}, {})


@pytest.mark.usefixtures("empty")
def test_an_empty_stack_is_shown_and_replaced(aws_iot: CommandLine, cloud: FakeCloud, exports: Path) -> None:
    assert "REVIEW_IN_PROGRESS" in aws_iot("backend status").stdout
    assert "has no outputs yet" in aws_iot("backend exports", ends=7).stderr
    assert "Deleting it first" in aws_iot(f"backend deploy -o {exports}").stderr
    assert cloud.stack.done == ["delete", "create"]


@pytest.mark.usefixtures("empty")
def test_an_empty_stack_can_be_destroyed(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    assert "with everything in it" in aws_iot("backend destroy --yes chat").stderr
    assert cloud.stack.done == ["delete"]


def test_an_empty_stack_of_another_template_is_left_alone(
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
        ("deploy --parameter MFA=ON", 2, "there is no parameter 'MFA'; the parameters are SignIn,"),
        ("deploy --parameter Mfa=on", 2, "Mfa is 'on', but must be one of: OFF, OPTIONAL, ON."),
        ("deploy --parameter CaseSensitive=False", 2, "is 'False', but must be one of: true, false."),
        ("exports", 7, "there is no stack chat"),
        ("status --name ops", 7, "aws-iot backend deploy --name ops"),
        ("destroy", 7, "there is no stack chat"),
    ],
)
def test_a_mistake_is_reported(
    aws_iot: CommandLine, cloud: FakeCloud, line: str, code: int, words: str
) -> None:
    assert words in aws_iot(f"backend {line}", ends=code).stderr
    assert cloud.stack.done == []


@pytest.mark.parametrize("line", ["deploy --yes", "destroy --yes chat"])
def test_a_stack_from_another_template_is_left_alone(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, line: str
) -> None:
    assert cloud.stack.now
    cloud.stack.now = replace(cloud.stack.now, description="Our shop")
    assert "was not created from this program's template" in aws_iot(f"backend {line}", ends=7).stderr
    assert cloud.stack.done == ["create"]


def test_the_status_shows_the_state_and_outputs(aws_iot: CommandLine, made: Path) -> None:
    done = aws_iot("backend status").stdout
    assert re.search(r"^status +CREATE_COMPLETE$", done, re.MULTILINE)
    assert re.search(r"^UserPoolId +us-east-1_MADE$", done, re.MULTILINE)
    shown = json.loads(aws_iot("backend status --json").stdout)
    assert re.fullmatch(r"[\d-]{10}T[\d:.]{12}Z", shown["changed"])
    assert (shown["status"], shown["outputs"]["UserPoolId"]) == ("CREATE_COMPLETE", "us-east-1_MADE")


@pytest.mark.parametrize(
    ("line", "words"), [("destroy", "use --yes chat"), ("destroy --yes cat", "is not the name of the stack")]
)
def test_nothing_is_deleted_without_the_name_as_confirmation(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path, line: str, words: str
) -> None:
    refused = aws_iot(f"backend {line}", ends=2)
    assert words in refused.stderr
    assert "all accounts (user pool us-east-1_MADE)" in refused.stderr
    assert cloud.stack.done == ["create"]


def test_destroy_detaches_the_policy_first(aws_iot: CommandLine, cloud: FakeCloud, made: Path) -> None:
    cloud.profile = cloud.profile._replace(policy_name="chat-member")
    cloud.members = {f"{cloud.profile.identity_pool_region}:1"}
    aws_iot("backend destroy --yes chat")
    assert cloud.members == set()
    assert cloud.stack.done == ["create", "delete"]


def test_a_policy_that_was_already_deleted_is_skipped(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    assert "The policy chat-member was already deleted" in aws_iot("backend destroy --yes chat").stderr
    assert cloud.stack.done == ["create", "delete"]


def test_nothing_is_deleted_if_the_members_cannot_be_listed(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    cloud.fails = Busy("AWS takes no more requests at the moment")
    aws_iot("backend destroy --yes chat", ends=7)
    assert cloud.stack.done == ["create"]


def test_protected_accounts_are_not_deleted_and_the_suggested_command_works(
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
    assert cloud.stack.done == ["create", "execute"]


def test_accounts_that_are_protected_outside_the_stack_are_not_deleted(
    aws_iot: CommandLine, cloud: FakeCloud, made: Path
) -> None:
    cloud.stack.protected = True
    assert "in the user pool (Cognito console)" in aws_iot("backend destroy --yes chat", ends=7).stderr
    assert cloud.stack.done == ["create"]


def test_local_files_of_a_deleted_stack_are_named(
    aws_iot: CommandLine, app: FakeApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    aws_iot("backend deploy -k ops")
    done = aws_iot("backend destroy --yes chat").stderr
    assert "The file aws-exports.json is no longer useful." in done
    assert "The profile 'ops' is no longer useful: aws-iot config remove -k ops" in done
    assert "'default'" not in done
