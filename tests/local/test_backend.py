"""`aws-iot backend` and `admin` with the real AWS clients: the local stack plays the AWS account."""

import json
import re
import shlex
import signal
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, WaiterError

from aws_iot.backend import rooms as backend_rooms
from aws_iot.backend import template
from tests import terminal
from tests.in_process import run_here
from tests.processes import COMMAND, PASSWORD, Running, Stack, aws_cli
from tests.terminal import on_a_terminal, read_rest, read_until, type_in
from tests.waiting import DEADLINE_SECONDS


@pytest.fixture(scope="module")
def account(stack: Stack) -> dict[str, str]:
    """The environment of an admin of the account."""
    return stack.account_env


@pytest.fixture(scope="module")
def team(account: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a team's admin. The stack and the profile are named `team`."""
    exports = tmp_path_factory.mktemp("team") / "aws-exports.json"
    env = account | {
        "AWS_IOT_BACKEND_NAME": "team",
        "AWS_IOT_BACKEND_EXPORTS": str(exports),
        "AWS_IOT_PROFILE": "team",
        "AWS_IOT_PASSWORD": PASSWORD,
    }
    created = run_here("backend deploy -k team --parameter PasswordLength=10", env)
    assert re.search(r"CREATE_COMPLETE +MemberRole \(AWS::IAM::Role\)", created.stderr)
    assert re.search(r"Creating the stack team \(account \d{12}, region [a-z]+-[a-z]+-\d\)", created.stderr)
    yield env
    gone = run_here("backend destroy --yes team", env)
    assert re.search(r"DELETE_COMPLETE +UserPool \(AWS::Cognito::UserPool\)", gone.stderr)
    assert "there is no stack team" in run_here("backend status", env, ends=7).stderr


def joined(name: str, env: dict[str, str]) -> str:
    """Sign up and sign in; the identity."""
    run_here(f"signup -u {name} -e {name}@example.com", env)
    run_here(f"confirm -u {name} -c 123456", env)
    refused = run_here(f"sub -u {name}", env, ends=5).stderr
    found = re.search(r"identityId: '(\S+)'", refused)
    assert found, refused
    return found.group(1)


def members(env: dict[str, str]) -> list[str]:
    return [
        json.loads(line)["identity"] for line in run_here("admin members --json", env).stdout.splitlines()
    ]


def test_a_team_can_use_a_stack_that_was_just_deployed(team: dict[str, str]) -> None:
    run_here("signup -u al -e al@example.com -p Nine4char", team, ends=7)
    alice, bob = joined("alice", team), joined("bob", team)
    waiting = [
        json.loads(line)["identity"] for line in run_here("admin requests --json", team).stdout.splitlines()
    ]
    assert waiting == [bob, alice]
    run_here(f"admin accept {alice} {bob}", team)
    run_here(f"admin accept {alice}", team)
    assert set(members(team)) == {alice, bob}
    run_here("pub -u alice -r lobby -m hello", team)
    assert run_here(f"admin revoke {bob} {bob}", team).stderr.count("Revoked") == 1
    assert "it has no policy" in run_here(f"admin revoke {bob}", team, ends=7).stderr
    run_here(f"admin revoke {bob} --policy nobody-s", team, ends=7)
    stranger = f"{alice.partition(':')[0]}:4f9fa251-0ed5-4578-add0-985024739222"
    assert (
        f"the identity {stranger} does not exist" in run_here(f"admin accept {stranger}", team, ends=7).stderr
    )
    assert "the local stack cannot" in run_here(f"admin who {alice}", team, ends=7).stderr
    run_here("pub -u bob -r lobby -m hello", team, ends=5)
    assert members(team) == [alice]


def policy_length(stack: Stack, name: str) -> int:
    """The length of an IoT policy, without white space."""
    document = json.loads(client("iot", stack).get_policy(policyName=name)["policyDocument"])
    return len(json.dumps(document, separators=(",", ":")))


def test_an_update_changes_only_what_differs_and_replaces_nothing(team: dict[str, str], stack: Stack) -> None:
    everywhere = json.loads(run_here("backend status --json", team).stdout)["outputs"]
    assert policy_length(stack, everywhere["IotPolicyName"]) == backend_rooms.policy_length(
        ["*"], everywhere["Region"]
    )
    before = run_here("backend exports -o -", team).stdout
    assert "nothing changes" in run_here("backend deploy --yes", team).stderr
    refused = run_here("backend deploy --parameter Room1=lobby", team, ends=2).stderr
    assert re.search(r"Modify MemberRole \(AWS::IAM::Role\): .*Policies", refused)
    assert re.search(r"Modify IdentityPoolRoles [^\[\n]*$", refused, re.MULTILINE)
    assert json.loads(run_here("backend status --json", team).stdout)["parameters"]["Room1"] == "*"
    changed = run_here("backend deploy --yes --parameter Room1=lobby --parameter Room2=ops", team).stderr
    assert re.search(r"UPDATE_COMPLETE +MemberPolicy \(AWS::IoT::Policy\)", changed)
    assert "Room1: * → lobby" in changed
    shown = json.loads(run_here("backend status --json", team).stdout)
    parameters, outputs = shown["parameters"], shown["outputs"]
    assert (parameters["Room2"], parameters["PasswordLength"]) == ("ops", "10")
    assert ":role/" in outputs["MemberRole"]
    assert policy_length(stack, outputs["IotPolicyName"]) == backend_rooms.policy_length(
        ["lobby", "ops"], outputs["Region"]
    )
    assert run_here("backend exports -o -", team).stdout == before
    person = joined("carol", team)
    run_here(f"admin accept {person}", team)
    for room, code in (("lobby", 0), ("ops/night", 5)):
        run_here(f"pub -u carol -r {room} -m hello", team, ends=code)
    run_here("sub -u carol", team, ends=5)
    listener = Running("sub -u carol -r ops", team)
    try:
        listener.wait_for("Receiving")
        assert listener.signal(signal.SIGINT) == 130
    finally:
        listener.kill()


def test_the_documented_lines_of_the_aws_cli_create_a_stack_for_this_program(
    account: dict[str, str], tmp_path: Path
) -> None:
    # In docs/aws-setup.md, with a name of its own.
    file = tmp_path / "template.yaml"
    file.write_text(run_here("backend template", account).stdout, encoding="utf-8")
    line = f"cloudformation deploy --stack-name by-cli --capabilities CAPABILITY_IAM --template-file {file}"
    done = aws_cli(*line.split(), env=account)
    assert done.returncode == 0, done.stderr
    exports = run_here("backend exports --name by-cli -o -", account).stdout
    assert json.loads(exports)["aws_iot_policy_name"] == "by-cli-member"
    run_here("backend destroy --name by-cli --yes by-cli", account)


def test_a_stack_of_a_change_set_has_the_description_of_its_template(stack: Stack) -> None:
    service = stack.client("cloudformation")

    def described_after(kind: str, description: str) -> str:
        resources = {"Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": description}}}
        service.create_change_set(
            StackName="described",
            ChangeSetName=f"{kind}-of-it",
            ChangeSetType=kind,
            TemplateBody=json.dumps({"Description": description, "Resources": resources}),
        )
        service.execute_change_set(StackName="described", ChangeSetName=f"{kind}-of-it")
        service.get_waiter(f"stack_{kind.lower()}_complete").wait(
            StackName="described", WaiterConfig={"Delay": 0.1, "MaxAttempts": 100}
        )
        found: str = service.describe_stacks(StackName="described")["Stacks"][0]["Description"]
        return found

    assert described_after("CREATE", "first") == "first"
    assert described_after("UPDATE", "second") == "second"
    service.delete_stack(StackName="described")


def test_the_last_failure_is_shown(team: dict[str, str], stack: Stack) -> None:
    cloudformation = client("cloudformation", stack)
    cloudformation.update_stack(  # as another tool does it, because this one refuses
        StackName="team",
        UsePreviousTemplate=True,
        Capabilities=["CAPABILITY_IAM"],
        Parameters=[{"ParameterKey": "SignIn", "ParameterValue": "email"}],
    )
    wait = {"Delay": 0.2, "MaxAttempts": 50}
    with pytest.raises(WaiterError):
        cloudformation.get_waiter("stack_update_complete").wait(StackName="team", WaiterConfig=wait)
    shown = json.loads(run_here("backend status --json", team).stdout)
    assert shown["status"] == "UPDATE_ROLLBACK_COMPLETE"
    assert shown["last_failure"]["resource"] == "UserPool"
    assert shown["parameters"]["SignIn"] == "username"
    assert (
        "Cognito cannot change that"
        in run_here("backend deploy --parameter SignIn=email", team, ends=7).stderr
    )


def test_a_failed_first_deployment_can_be_repeated(
    account: dict[str, str], stack: Stack, tmp_path: Path
) -> None:
    iot = client("iot", stack)
    iot.create_policy(policyName="late-member", policyDocument='{"Version": "2012-10-17", "Statement": []}')
    client("cloudformation", stack).create_change_set(
        StackName="late",
        ChangeSetName="abandoned",
        ChangeSetType="CREATE",
        TemplateBody=template.text(),
        Capabilities=["CAPABILITY_IAM"],
    )
    assert "REVIEW_IN_PROGRESS" in run_here("backend status --name late", account).stdout
    line = f"backend deploy --name late -o {tmp_path / 'late.json'}"
    failed = run_here(line, account, ends=7).stderr
    assert re.search(
        r"Error: the stack late was not created: MemberPolicy \(AWS::IoT::Policy\): .*exists", failed
    )
    iot.delete_policy(policyName="late-member")
    run_here(f"{line} --parameter SignIn=email --parameter Mfa=OFF --parameter SelfSignUp=false", account)
    pool = json.loads((tmp_path / "late.json").read_text())["aws_user_pools_id"]
    created = client("cognito-idp", stack).describe_user_pool(UserPoolId=pool)["UserPool"]
    assert (created["UsernameAttributes"], created["MfaConfiguration"]) == (["email"], "OFF")
    assert created["UsernameConfiguration"] == {"CaseSensitive": False}
    assert created["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"] is True
    for protection, code in (("ACTIVE", 7), ("INACTIVE", 0)):
        client("cognito-idp", stack).update_user_pool(UserPoolId=pool, DeletionProtection=protection)
        printed = run_here("backend destroy --name late --yes late", account, ends=code).stderr
        assert ("are protected from deletion" in printed) == (code == 7)


def before_case_sensitive() -> str:
    """The template before it had the parameter `CaseSensitive`."""
    parameter = r"  CaseSensitive:\n(?:    .*\n)+"
    old = re.sub(parameter, "", template.text(), count=1)
    return re.sub(r".*(?:CaseSensitive|Without the property).*\n", "", old)


def test_a_stack_from_before_stays_case_sensitive(
    account: dict[str, str], stack: Stack, tmp_path: Path
) -> None:
    cloudformation = client("cloudformation", stack)
    old = before_case_sensitive()
    assert "CaseSensitive" not in old
    cloudformation.create_stack(StackName="older", TemplateBody=old, Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="older", WaiterConfig={"Delay": 0.2, "MaxAttempts": 50}
    )
    line = f"backend deploy --name older -o {tmp_path / 'older.json'}"
    assert (
        "Cognito cannot change" in run_here(f"{line} --parameter CaseSensitive=false", account, ends=7).stderr
    )
    shown = run_here(f"{line} --parameter PasswordLength=12 --yes", account).stderr
    assert "Updated the stack older." in shown
    assert "CaseSensitive" not in shown
    pool = json.loads((tmp_path / "older.json").read_text())["aws_user_pools_id"]
    updated = client("cognito-idp", stack).describe_user_pool(UserPoolId=pool)["UserPool"]
    assert "UsernameConfiguration" not in updated
    assert updated["Policies"]["PasswordPolicy"]["MinimumLength"] == 12


def test_stacks_and_rooms_of_other_tools_are_left_alone(account: dict[str, str], stack: Stack) -> None:
    rooms = [{"ParameterKey": "Room2", "ParameterValue": "ops"}]
    with pytest.raises(ClientError, match="no other room can be named"):  # other tools are stopped, too
        client("cloudformation", stack).create_stack(
            StackName="rooms",
            TemplateBody=template.text(),
            Parameters=rooms,
            Capabilities=["CAPABILITY_IAM"],
        )
    shop = {"Resources": {"Shop": {"Type": "AWS::SNS::Topic"}}, "Description": "Our shop"}
    client("cloudformation", stack).create_stack(StackName="shop", TemplateBody=json.dumps(shop))
    for line in ("deploy --yes -o -", "destroy --yes shop", "exports -o -"):
        assert "not created from" in run_here(f"backend {line} --name shop", account, ends=7).stderr


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"AWS_DEFAULT_REGION": ""}, 3, "needs an AWS region"),
        ({"AWS_SHARED_CREDENTIALS_FILE": "/nowhere"}, 4, "found none"),
        ({"AWS_PROFILE": "nobody"}, 3, "nobody"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, 6, "cannot reach 127.0.0.1:9"),
    ],
)
def test_wrong_aws_settings_of_an_admin_are_reported(
    account: dict[str, str], change: dict[str, str], code: int, words: str
) -> None:
    env = account | {"AWS_EC2_METADATA_DISABLED": "true"} | change
    assert words in run_here("backend status", env, ends=code).stderr


@terminal.NEEDED
def test_it_prompts_at_a_terminal(team: dict[str, str]) -> None:
    identity = joined("dave", team)
    run_here("logout", team)  # the names of those who are signed in here are known
    with on_a_terminal([*COMMAND, "admin", "requests"], team) as process:
        shown = read_until(process, b"Accept which?")
        assert re.search(rf"1 +{identity[10:18]} ".encode(), shown)
        type_in(process, b"7\r")
        assert b"'7' is not a number from the list." in read_until(process, b"Accept which?")
        type_in(process, b"1\r")
        read_until(process, b"User name of ")
        type_in(process, b"dave\r")
        assert f"Accepted {identity} as dave".encode() in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0
    run_here("admin revoke dave", team)
    with on_a_terminal([*COMMAND, "admin", "accept"], team) as process:
        read_until(process, b"Accept which?")
        type_in(process, b"\r")
        read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0
    # A stdin that is no terminal holds data: the answer comes from the terminal all the same.
    line = f"{shlex.join(COMMAND)} admin requests </dev/null"
    with on_a_terminal(["sh", "-c", line], team) as process:
        read_until(process, b"Accept which?")
        type_in(process, b"\r")
        read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 0
    assert identity not in members(team)


@terminal.NEEDED
def test_everyone_is_accepted_only_after_a_yes(team: dict[str, str]) -> None:
    for name in ("erin", "frank"):
        joined(name, team)
    waiting = run_here("admin requests --json", team).stdout.splitlines()
    left = {json.loads(line)["identity"] for line in waiting}
    question = f"Accept all {len(left)}?"
    for answer, code in (("", 1), ("n", 1), ("y", 0)):
        assert not left & {*members(team)}
        with on_a_terminal([*COMMAND, "admin", "accept", "all"], team) as process:
            read_until(process, f"{question} [y/N]: ".encode())
            type_in(process, answer.encode() + b"\r")
            shown = read_rest(process)
            assert process.wait(DEADLINE_SECONDS) == code
        assert (b"Nothing was changed." in shown) == (code == 1)
    assert left <= {*members(team)}


@terminal.NEEDED
def test_it_prompts_at_a_terminal_before_it_changes_the_stack(team: dict[str, str]) -> None:
    with on_a_terminal([*COMMAND, "backend", "deploy", "--parameter", "TokenMinutes=5"], team) as process:
        read_until(process, b"Apply these changes? [y/N]: ")
        type_in(process, b"\r")
        assert b"Nothing was changed" in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 1
    with on_a_terminal([*COMMAND, "backend", "destroy"], team) as process:
        read_until(process, b"Type the name of the stack to delete it: ")
        type_in(process, b"taem\r")
        assert b"Nothing was deleted" in read_rest(process)
        assert process.wait(DEADLINE_SECONDS) == 2
    assert json.loads(run_here("backend status --json", team).stdout)["parameters"]["TokenMinutes"] == "60"


def client(service: str, stack: Stack) -> Any:
    """A client of boto3, with the credentials of the account's administrator."""
    keys = ConfigParser()
    keys.read(stack.folder / "admin-credentials")
    where = {"region_name": stack.profile.iot_region, "endpoint_url": stack.profile.iot_url}
    return boto3.client(service, **where, **keys["default"])
