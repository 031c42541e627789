"""`aws-iot policy` with the real services: it predicts what the broker does."""

import json
import uuid
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from aws_iot.app import App
from tests.conftest import CommandLine
from tests.in_process import run_here
from tests.processes import PASSWORD, Person, Stack, environment

SUB = "${cognito-identity.amazonaws.com:sub}"
ACTIONS = {"Connect", "Subscribe", "Receive", "Publish"}


@pytest.fixture(scope="module")
def person(stack: Stack) -> Person:
    """A person whom no admin has accepted."""
    return stack.person(accepted=False)


@pytest.fixture(scope="module")
def signed_in(stack: Stack, person: Person, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config folder of that person, who is signed in."""
    folder = tmp_path_factory.mktemp("signed-in")
    env = environment(folder, AWS_IOT_PASSWORD=PASSWORD)
    App.in_folder(folder).config.profiles.change("default", lambda _: stack.profile)
    run_here(f"login -u {person.username}", env)
    return folder


@pytest.fixture
def aws_iot(stack: Stack, signed_in: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command in this process, with the real services, that person's session and an admin's credentials."""
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_IOT_CONFIG_DIR", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(stack.folder / "admin-credentials"))
    monkeypatch.setenv("AWS_IOT_SECRETS", "file")  # never the tester's own keyring
    return CommandLine(App.in_folder(signed_in))


@pytest.fixture(scope="module")
def clients(stack: Stack) -> dict[str, Any]:
    """The AWS services, with the admin's credentials."""
    keys = ConfigParser()
    keys.read(stack.folder / "admin-credentials")
    where = {"region_name": stack.profile.iot_region, "endpoint_url": stack.profile.iot_url}
    return {
        name: boto3.client(name, **where, **keys["default"]) for name in ("iam", "cognito-identity", "iot")
    }


@contextmanager
def attached(clients: dict[str, Any], person: Person, document: str) -> Iterator[None]:
    """Attach an IoT policy to the person for a while."""
    name = f"of-{uuid.uuid4().hex[:8]}"
    clients["iot"].create_policy(policyName=name, policyDocument=document)
    clients["iot"].attach_policy(policyName=name, target=person.identity)
    yield
    clients["iot"].detach_policy(policyName=name, target=person.identity)


def policy(stack: Stack, *more: dict[str, Any]) -> str:
    """A policy for one room, as an admin may write it by hand."""
    arn, pool = f"arn:aws:iot:{stack.profile.iot_region}:000000000000", stack.profile.identity_pool_id
    own = {
        "iot:Connect": f"{arn}:client/{SUB}*",
        "iot:Subscribe": f"{arn}:topicfilter/{pool}/ops/*",
        "iot:Receive": f"{arn}:topic/{pool}/ops/*",
        "iot:Publish": f"{arn}:topic/{pool}/ops/{SUB}",
    }
    allowed = [{"Effect": "Allow", "Action": action, "Resource": where} for action, where in own.items()]
    return json.dumps({"Version": "2012-10-17", "Statement": [*allowed, *more]})


def refused(aws_iot: CommandLine, more: str, ends: int) -> tuple[set[str], list[dict[str, Any]]]:
    """The refused actions, and all JSON objects."""
    done = aws_iot(f"policy --json {more}", ends=ends)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["action"][4:] for one in answers if one["verdict"] == "refused"}, answers


@pytest.mark.parametrize(
    ("room", "change", "wanted"),
    [
        ("ops", ("", ""), set()),
        ("dev", ("", ""), ACTIONS - {"Connect"}),
        ("ops", (":topicfilter/", ":topic/"), {"Subscribe"}),
        ("ops", ("amazonaws.com:sub}", "amazonaws.com:subject}"), {"Connect", "Publish"}),
        ("ops", (f":client/{SUB}*", f":client/{SUB}"), {"Connect"}),
        ("ops", (f"/ops/{SUB}", f"/+/{SUB}"), {"Publish"}),
        ("ops", ("iot:us-east-1:", "iot:eu-west-1:"), ACTIONS),
        ("ops", ("2012-10-17", "2008-10-17"), {"Connect", "Publish"}),
    ],
)
def test_the_broker_does_what_was_predicted(
    aws_iot: CommandLine,
    stack: Stack,
    clients: dict[str, Any],
    person: Person,
    room: str,
    change: tuple[str, str],
    wanted: set[str],
) -> None:
    with attached(clients, person, policy(stack).replace(*change)):
        assert refused(aws_iot, f"-r {room}", ends=5 if wanted else 0)[0] == wanted
        aws_iot(f"pub -r {room} -m x", ends=5 if wanted & {"Connect", "Publish"} else 0)
        aws_iot(f"sub -r {room} -W 0.01", ends=5 if wanted & {"Connect", "Subscribe"} else 8)


def test_a_deny_statement_is_named_and_the_broker_obeys_it(
    aws_iot: CommandLine, stack: Stack, clients: dict[str, Any], person: Person
) -> None:
    silence = {"Sid": "Silence", "Effect": "Deny", "Action": "iot:Publish", "Resource": "*"}
    a_thing = {"Bool": {"iot:Connection.Thing.IsAttached": "true"}}
    no_things = {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": a_thing}
    with attached(clients, person, policy(stack, no_things)):
        aws_iot("policy -r ops", ends=10)
        refused(aws_iot, "-r ops --context iot:Connection.Thing.IsAttached=false", ends=0)
        aws_iot("pub -r ops -m x")  # no identity is attached to a thing here
        with attached(clients, person, policy(stack, silence)):
            actions, answers = refused(aws_iot, "-r ops", ends=5)
            aws_iot("pub -r ops -m x", ends=5)
    assert actions == {"Publish"}
    role, iot = answers[-1]["gates"]
    assert role["verdict"] == "allowed"
    assert [(one["statement"], one["effect"]) for one in iot["statements"]] == [("Silence", "Deny")]


def test_an_identity_that_is_not_accepted_gets_the_command_to_accept_it(
    aws_iot: CommandLine, person: Person
) -> None:
    told = aws_iot("policy", ends=5)
    assert (
        told.stdout.count("rooms, ") == told.stdout.count("no IoT policy is attached to this identity") == 4
    )
    command = f"admin accept {person.identity} --user {person.username} -k default"
    assert f"aws-iot {command}\n" in told.stderr
    aws_iot(command)
    accepted = aws_iot("policy")
    aws_iot(f"admin revoke {person.identity}")
    assert "Everything is allowed." in accepted.stderr
    # The local stack does not have this call, so one line reports that.
    assert accepted.stderr.count("Without AWS's own verdict: the local stack has no TestAuthorization.") == 1


def test_all_policies_of_a_role_count_and_its_boundary_too(
    stack: Stack, clients: dict[str, Any], aws_iot: CommandLine, tmp_path: Path
) -> None:
    iam, pools, iot = clients["iam"], clients["cognito-identity"], clients["iot"]
    name = f"wide-{uuid.uuid4().hex[:8]}"
    everything = policy(stack, {"Effect": "Allow", "Action": "iot:*", "Resource": "*"})
    narrow = policy(stack, {"Effect": "Deny", "Action": "iot:RetainPublish", "Resource": "*"})
    role = iam.create_role(RoleName=name, Path="/team/", AssumeRolePolicyDocument=policy(stack))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=policy(stack))
    arns = [
        iam.create_policy(PolicyName=f"{name}-{kind}", PolicyDocument=text)["Policy"]["Arn"]
        for kind, text in (("managed", everything), ("boundary", narrow))
    ]
    iam.attach_role_policy(RoleName=name, PolicyArn=arns[0])
    iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=arns[1])
    pool = pools.create_identity_pool(IdentityPoolName=name, AllowUnauthenticatedIdentities=False)
    pool_id = pool["IdentityPoolId"]
    pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": role["Arn"]})
    identity = f"us-east-1:{uuid.uuid4()}"
    iot.create_policy(policyName=name, policyDocument=everything)
    iot.attach_policy(policyName=name, target=identity)

    admin = CommandLine(App.in_folder(tmp_path))
    admin.app.config.profiles.change("default", lambda _: stack.profile._replace(identity_pool_id=pool_id))
    topic = f"{stack.profile.identity_pool_id}/ops/{identity}"
    line = f"policy --identity {identity} --topic {topic} --retain"
    told = admin(line, ends=5)
    assert f"role       {name}: inline, {name}-managed\nboundary   {name}-boundary\n" in told.stdout
    assert (
        "refused: iot:RetainPublish\nTo allow it, change the permissions boundary of the role." in told.stderr
    )
    iam.delete_role_permissions_boundary(RoleName=name)
    admin(line)

    rules = {"Type": "Token", "AmbiguousRoleResolution": "Deny"}
    provider = f"cognito-idp.us-east-1.amazonaws.com/{stack.profile.user_pool_id}:{stack.profile.client_id}"
    pools.set_identity_pool_roles(
        IdentityPoolId=pool_id, Roles={"authenticated": role["Arn"]}, RoleMappings={provider: rules}
    )
    assert "may assign another role by rules" in admin(line, ends=10).stdout

    pools.set_identity_pool_roles(IdentityPoolId=pool_id, Roles={"authenticated": f"{role['Arn']}-gone"})
    assert "the identity pool names this role, but it does not exist" in admin(line, ends=5).stderr
    pools.delete_identity_pool(IdentityPoolId=pool_id)
    assert "the identity pool does not exist" in admin(line, ends=5).stderr
