"""Admins on the local stack: names that every admin sees, and what the documented policy allows."""

import json
import re
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aws_iot.app import App
from aws_iot.local.engine import ACCOUNT
from tests.conftest import REPOSITORY, CommandLine
from tests.in_process import run_here
from tests.processes import Stack, environment

DOCUMENTED = re.compile(r"<!-- admin policy -->\n```json\n(.*?)```", re.DOTALL)


def test_an_admin_accepts_three_people_sees_who_they_are_and_removes_one_by_name(
    stack: Stack, tmp_path: Path
) -> None:
    people = {name: stack.person(accepted=False) for name in ("alice", "bob", "carol")}
    name = {one: f"{one}-{uuid.uuid4().hex[:8]}" for one in people}
    asked = run_here("pub -r lobby -m hello", people["bob"].env, ends=5).stderr
    typed = re.search(r"aws-iot (admin accept .*)", asked)
    assert typed
    assert f" --user {people['bob'].username} " in typed[1]
    run_here(typed[1], stack.env)
    for one in people:
        run_here(f"admin accept {people[one].identity[10:]} --user {name[one]}", stack.env)

    another_machine = environment(tmp_path, AWS_IOT_PROFILE="team")
    run_here(f"config -s {stack.folder / 'aws-exports.json'} -k team", another_machine)
    header, *rows = run_here("admin members", another_machine).stdout.splitlines()
    assert header.split() == ["PERSON", "ACCEPTED", "IDENTITY"]
    shown = [row.split()[0] for row in rows]
    labels = [f"{name[one]}~{people[one].identity[10:18]}" for one in people]
    assert set(labels) <= set(shown)
    run_here("pub -r lobby -m hello", people["bob"].env)

    assert (
        f"Revoked {people['bob'].identity}, {name['bob']}"
        in run_here(f"admin revoke {name['bob']}", another_machine).stderr
    )
    left = run_here("admin members", stack.env).stdout
    assert [label in left for label in labels] == [True, False, True]
    run_here("pub -r lobby -m hello", people["bob"].env, ends=5)
    run_here(f"admin revoke {name['bob']}", another_machine, ends=2)


@pytest.fixture(scope="module")
def iam(stack: Stack) -> Any:
    """IAM, as the administrator of the account uses it."""
    return stack.client("iam")


@pytest.fixture
def as_admin(
    stack: Stack, iam: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., CommandLine]:
    """Makes the command of an admin who is allowed what the documentation shows, except for some actions."""
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_IOT_CONFIG_DIR", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))

    def make(*denied: str) -> CommandLine:
        user = f"admin-{uuid.uuid4().hex[:8]}"
        iam.create_user(UserName=user)
        document = documented_policy(stack)
        if denied:
            document["Statement"].append({"Effect": "Deny", "Action": list(denied), "Resource": "*"})
        iam.put_user_policy(UserName=user, PolicyName="team", PolicyDocument=json.dumps(document))
        key = iam.create_access_key(UserName=user)["AccessKey"]
        (tmp_path / "credentials").write_text(
            f"[default]\naws_access_key_id={key['AccessKeyId']}\naws_secret_access_key={key['SecretAccessKey']}\n"
        )
        app = App.in_folder(tmp_path / user, has_terminal=lambda: False)
        profile = stack.profile._replace(admin_credentials_file=str(tmp_path / "credentials"))
        app.config.profiles.change("default", lambda _: profile)
        return CommandLine(app)

    return make


def documented_policy(stack: Stack) -> dict[str, Any]:
    """The policy in the documentation, for this stack."""
    [text] = DOCUMENTED.findall((REPOSITORY / "docs" / "aws-setup.md").read_text(encoding="utf-8"))
    profile = stack.profile
    for word, value in {
        "REGION": profile.iot_region,
        "ACCOUNT": ACCOUNT,
        "POOL": profile.identity_pool_id,
        "POOL_REGION": profile.identity_pool_region,
    }.items():
        text = re.sub(rf"\b{word}\b", value, text)
    document: dict[str, Any] = json.loads(text)
    return document


def test_the_documented_policy_allows_an_admin_everything(
    stack: Stack, as_admin: Callable[..., CommandLine]
) -> None:
    admin, person = as_admin(), stack.person(accepted=False)
    listed = admin("admin requests")
    assert person.identity in listed.stdout
    for words in ("Accepted {} as {}.\n", "{} is a member already, as {}.\n"):
        accepted = admin(f"admin accept {person.identity} --user {person.username}")
        assert accepted.stderr == words.format(person.identity, person.username)
    shown = admin("admin members")
    assert f"{person.username}~{person.identity[10:18]}" in shown.stdout
    assert shown.stderr == ""
    revoked = admin(f"admin revoke {person.username}")
    assert revoked.stderr == f"Revoked {person.identity}, {person.username}.\n"


@pytest.mark.parametrize(
    ("denied", "line", "code", "words"),
    [
        ("iot:AttachPolicy", "accept {}", 5, "do not allow this"),
        ("cognito-identity:DescribeIdentity", "accept {}", 0, "Accepted"),
        (
            "iot:CreateThing",
            "accept {} --user bob",
            0,
            "The user name was not stored: your AWS credentials do not allow iot:CreateThing.",
        ),
        ("iot:CreateThing", "accept {}", 0, "The date was not stored"),
        ("iot:ListThings", "members", 0, "do not allow iot:ListThings"),
        ("iot:ListTargetsForPolicy", "members", 5, "do not allow this"),
        ("cognito-identity:ListIdentities", "requests", 5, "do not allow this"),
    ],
)
def test_without_a_permission_the_rest_still_works(
    stack: Stack, as_admin: Callable[..., CommandLine], denied: str, line: str, code: int, words: str
) -> None:
    person = stack.person(accepted="accept" not in line)
    admin = as_admin(denied)
    assert words in admin(f"admin {line.format(person.identity)}", ends=code).stderr
    members = as_admin()("admin members --json").stdout
    assert (person.identity in members) == (code == 0 or "accept" not in line)


def test_a_name_that_cannot_be_changed_or_deleted_stops_nothing(
    stack: Stack, as_admin: Callable[..., CommandLine]
) -> None:
    person = stack.person(accepted=False)
    as_admin()(f"admin accept {person.identity} --user bob")
    limited = as_admin("iot:UpdateThing", "iot:DeleteThing", "iot:ListAttachedPolicies")
    assert "do not allow iot:UpdateThing" in limited(f"admin accept {person.identity} --user bo").stderr
    assert "do not allow iot:DeleteThing" in limited(f"admin revoke {person.identity}").stderr
    members = as_admin()("admin members --json").stdout
    assert person.identity not in members


def test_the_profile_of_the_local_stack_finds_its_cloudformation_stack(stack: Stack, tmp_path: Path) -> None:
    status = run_here("backend status -k local", stack.env).stdout
    assert re.search("^stack +chat$", status, re.MULTILINE)
    assert stack.profile.user_pool_id in status
    before = stack.app().config.profiles.load("local")
    exports = tmp_path / "exports.json"
    run_here(f"backend exports -k local -o {exports}", stack.env)
    assert stack.app().config.profiles.load("local") == before
    assert json.loads(exports.read_text()) == json.loads((stack.folder / "aws-exports.json").read_text())


def test_the_limits_of_attributes_are_those_of_aws(stack: Stack) -> None:
    iot = stack.client("iot")
    iot.create_thing(thingName="lamp", attributePayload={"attributes": {"a": "1", "b": "2"}})
    for attributes in ({"c": "é"}, {"c": "x" * 801}, {"c d": "1"}, {"c": "1", "d": "2"}):
        with pytest.raises(iot.exceptions.InvalidRequestException):
            iot.update_thing(thingName="lamp", attributePayload={"attributes": attributes, "merge": True})
    for number in range(5):
        iot.create_thing(thingName=f"bulb-{number}", attributePayload={"attributes": {"kind": "bulb"}})
    pages = iot.get_paginator("list_things").paginate(
        attributeName="kind", attributeValue="bulb", PaginationConfig={"PageSize": 2}
    )
    assert [len(page["things"]) for page in pages] == [2, 2, 1]
