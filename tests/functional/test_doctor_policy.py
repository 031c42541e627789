"""`aws-iot doctor --policy`: which statement allows or refuses, from files and from what an admin reads."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aws_iot.aws.admin.policies import Opinion
from aws_iot.backend import SID_OF_ROOMS, template
from aws_iot.errors import AwsIotError, CredentialsRefused, NotAuthorized, Unreachable
from aws_iot.policy.access import PolicyLayer
from aws_iot.policy.evaluate import Document, parse
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeCloud

ME = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
SUB, AUD = "${cognito-identity.amazonaws.com:sub}", "${cognito-identity.amazonaws.com:aud}"
ARN = "arn:aws:iot:us-east-1:123456789012"
TEAM = [
    {"Sid": "Speak", "Effect": "Allow", "Action": "iot:Publish", "Resource": f"{ARN}:topic/{POOL}/*/{SUB}"},
    {"Sid": "Ask", "Effect": "Allow", "Action": "iot:Subscribe", "Resource": f"{ARN}:topicfilter/{POOL}/*"},
    {"Sid": "Hear", "Effect": "Allow", "Action": "iot:Receive", "Resource": f"{ARN}:topic/{POOL}/*"},
    {"Sid": "Enter", "Effect": "Allow", "Action": "iot:Connect", "Resource": f"{ARN}:client/{SUB}*"},
]
QUIET = {"Sid": "Quiet", "Effect": "Deny", "Action": "iot:Publish", "Resource": f"{ARN}:topic/*/ops/*"}
HOME_ONLY = {
    "Sid": "HomeOnly",
    "Effect": "Deny",
    "Action": "*",
    "Resource": "*",
    "Condition": {"NotIpAddress": {"aws:SourceIp": "203.0.113.0/24"}},
}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements or TEAM})


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a policy for the role and one for the identity, that let people into all rooms."""
    for name in ("role.json", "member.json"):
        (tmp_path / name).write_text(policy())
    return tmp_path


def given(files: Path, more: str = "") -> str:
    return f"doctor --policy --role-policy {files / 'role.json'} --iot-policy {files / 'member.json'} {more}"


def about_me(files: Path, more: str = "") -> str:
    return given(files, f"--identity {ME} {more}")


# -- from files


def test_files_alone_answer_without_profile_network_or_account(aws_iot: CommandLine, files: Path) -> None:
    aws_iot("config remove -k default")
    lacking = "With files it goes without: give"
    assert f"{lacking} --identity IDENTITY and --pool POOL, too." in aws_iot(given(files), ends=3).stderr
    assert f"{lacking} --pool POOL, too." in aws_iot(about_me(files), ends=3).stderr
    done = aws_iot(about_me(files, f"--pool {POOL}"))
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith(("allowed", "REFUSED", "undecided"))] == [
        ["allowed", f"iot:{action}"] for action in ("Connect", "Subscribe", "Receive", "Publish")
    ]
    assert f"  role     {files / 'role.json'}, Speak allows it: iot:Publish on topic/{POOL}/*/{SUB}" in lines
    assert f"  IoT      {files / 'member.json'}, Enter allows it: iot:Connect on client/{SUB}*" in lines
    assert "account    123456789012 in us-east-1" in lines
    assert "All of it is allowed" in done.stderr


def test_both_have_to_allow_it(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy(*TEAM[1:]))
    done = aws_iot(about_me(files), ends=5)
    assert "refused: iot:Publish\n" in done.stderr
    assert "It takes a change of an IoT policy of the identity." in done.stderr
    assert "no statement allows it, and none that allows anything is about iot:Publish" in done.stdout
    (files / "member.json").write_text(policy())
    (files / "role.json").write_text(policy(*TEAM[:3]))
    assert (
        "refused: iot:Connect\nIt takes a change of a policy of the role."
        in aws_iot(about_me(files), ends=5).stderr
    )


def test_a_denial_is_named_where_it_applies(aws_iot: CommandLine, files: Path) -> None:
    (files / "role.json").write_text(policy(*TEAM, QUIET))
    denied = aws_iot(about_me(files, "-r ops"), ends=5)
    assert f"{files / 'role.json'}, Quiet denies it: iot:Publish on topic/*/ops/*" in denied.stdout
    assert "refused: iot:Publish\n" in denied.stderr
    aws_iot(about_me(files, "-r lobby"))


def test_the_commonest_mistake_is_told_in_a_sentence(aws_iot: CommandLine, files: Path) -> None:
    mistaken = {
        "Effect": "Allow",
        "Action": "iot:*",
        "Resource": [f"{ARN}:client/*", f"{ARN}:topic/{POOL}/*"],
    }
    (files / "member.json").write_text(policy(mistaken))
    said = aws_iot(about_me(files, "-r ops"), ends=5)
    assert "refused: iot:Subscribe\n" in said.stderr
    assert (
        f"near: {files / 'member.json'}, statement 1: its resource begins with topic/,"
        " and iot:Subscribe takes topicfilter/\n" in said.stdout
    )


def test_a_variable_that_is_misspelt_is_told(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy().replace(":sub}", ":subject}"))
    said = aws_iot(about_me(files, "--action publish"), ends=5).stdout
    assert f"${{cognito-identity.amazonaws.com:subject}} stands for nothing: is {SUB} meant?" in said


def test_what_depends_on_something_unknown_is_not_guessed(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy(*TEAM, HOME_ONLY))
    line = about_me(files, "--action connect")
    done = aws_iot(line, ends=10)
    assert "undecided  iot:Connect" in done.stdout
    assert "HomeOnly denies it: * on *, depending on aws:SourceIp" in done.stdout
    assert "Say what it is with --context: aws:SourceIp=…" in done.stderr
    aws_iot(f"{line} --context aws:SourceIp=203.0.113.7")
    aws_iot(f"{line} --context aws:SourceIp=198.51.100.7", ends=5)


def test_an_operator_that_is_not_known_is_told_as_that(aws_iot: CommandLine, files: Path) -> None:
    like = {"ForAnyValue:StrinLikeIfExists": {"iot:ClientId": "x"}}
    (files / "member.json").write_text(policy({**TEAM[3], "Condition": like}))
    done = aws_iot(about_me(files, "--action connect"), ends=10)
    known = "is ForAnyValue:StringLikeIfExists meant?"
    assert f"The operator ForAnyValue:StrinLikeIfExists is not known: {known}" in done.stderr
    assert "--context" not in done.stderr


def test_times_are_known(aws_iot: CommandLine, files: Path) -> None:
    until = {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    (files / "member.json").write_text(policy(*({**one, "Condition": until} for one in TEAM)))
    assert "its condition DateLessThan aws:CurrentTime" in aws_iot(about_me(files), ends=5).stdout


@pytest.mark.parametrize("missing", ["role", "iot"])
def test_half_of_the_policies_leave_it_open_but_can_refuse(
    aws_iot: CommandLine, files: Path, missing: str
) -> None:
    option, name = ("--iot-policy", "member.json") if missing == "role" else ("--role-policy", "role.json")
    line = f"doctor --policy {option} {files / name} --identity {ME}"
    said = aws_iot(line, ends=10)
    assert f"cannot be told: no policy of it is given (--{missing}-policy FILE)" in said.stdout
    (files / name).write_text(policy(*TEAM[:3]))
    assert "refused: iot:Connect\n" in aws_iot(line, ends=5).stderr


def test_several_files_count_together(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy(*TEAM[:2]))
    (files / "more.json").write_text(json.dumps({"policyName": "more", "policyDocument": policy(*TEAM[2:])}))
    done = aws_iot(about_me(files, f"--iot-policy {files / 'more.json'}"))
    assert "more, Enter allows it" in done.stdout


def test_who_is_signed_in_is_who_asks(aws_iot: CommandLine, cloud: FakeCloud, files: Path) -> None:
    assert "--identity" in aws_iot(given(files), ends=2).stderr
    identity = cloud.member("alice", "Passw0rd")
    aws_iot("login -u alice -p Passw0rd")
    assert f"identity   {identity}\n" in aws_iot(given(files)).stdout


def test_programs_get_all_of_it(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy(*TEAM[1:], HOME_ONLY))
    lines = aws_iot(about_me(files, "--json -r ops --client-id me"), ends=5).stdout.splitlines()
    connect, subscribe, _, publish = map(json.loads, lines)
    assert connect["resource"] == f"{ARN}:client/me"
    assert connect["verdict"] == "refused"
    assert subscribe["verdict"] == "undecided"
    role, iot = subscribe["gates"]
    assert (role["gate"], role["verdict"], role["depends"]) == ("role", "allowed", [])
    assert role["statements"][0] == {
        "document": str(files / "role.json"),
        "statement": "Ask",
        "effect": "Allow",
        "action": "iot:Subscribe",
        "resource": f"{ARN}:topicfilter/{POOL}/*",
        "depends": [],
    }
    assert [one["effect"] for one in iot["statements"]] == ["Deny", "Allow"]
    assert iot["depends"] == ["aws:SourceIp"]
    assert publish["gates"][1]["near"] == []
    assert publish["test_authorization"] is None


def test_other_people_s_text_drives_no_terminal(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy({**TEAM[0], "Sid": "\x1b[31m"}, *TEAM[1:]))
    said = aws_iot(about_me(files)).stdout
    assert "\x1b" not in said
    assert r"\x1b[31m allows it" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is not JSON"), ("[]", "is no policy"), ('{"Statement": [{}]}', "statement 1 has no Effect")],
)
def test_a_file_that_is_no_policy_is_named(aws_iot: CommandLine, files: Path, text: str, words: str) -> None:
    (files / "member.json").write_text(text)
    assert f"{files / 'member.json'}: {words}" in aws_iot(about_me(files), ends=3).stderr


def test_a_file_that_is_not_there_is_named(aws_iot: CommandLine, files: Path) -> None:
    (files / "role.json").unlink()
    assert "role.json: there is no such file" in aws_iot(about_me(files), ends=3).stderr


def test_a_statement_for_another_account_is_pointed_at(aws_iot: CommandLine, files: Path) -> None:
    other = {**TEAM[0], "Resource": TEAM[0]["Resource"].replace("123456789012", "999999999999")}
    (files / "member.json").write_text(policy(other, *TEAM[1:]))
    said = aws_iot(about_me(files), ends=5)
    assert "account    123456789012 in us-east-1\n" in said.stdout
    assert (
        f"{files / 'member.json'}, Speak: its account is '999999999999', and here it is '123456789012'"
        in said.stdout
    )
    assert (
        f"{files / 'member.json'}, Speak: for the AWS account 999999999999. Others are for 123456789012,"
        " which is taken here (--account takes another).\n" in said.stderr
    )
    assert "refused: iot:Publish\n" in said.stderr
    elsewhere = aws_iot(about_me(files, "--account 999999999999"), ends=5)
    assert "refused: iot:Connect, iot:Subscribe, iot:Receive, iot:Publish\n" in elsewhere.stderr


def test_a_pattern_and_a_part_are_not_said_to_be_all(aws_iot: CommandLine, files: Path) -> None:
    pattern = aws_iot(about_me(files, "-r ops/#")).stderr
    assert (
        "Allowed: iot:Connect, iot:Subscribe. A pattern can only be subscribed to: what may be heard and said there,"
        " ask of a room." in pattern
    )
    assert "All of it" not in pattern
    part = aws_iot(about_me(files, "--action publish --retain"), ends=5)
    assert "allowed    iot:Publish" in part.stdout
    assert "refused: iot:RetainPublish\n" in part.stderr
    assert "Allowed: iot:Receive. What" in aws_iot(about_me(files, "--action receive")).stderr


def test_a_topic_that_aws_would_not_take_is_refused(aws_iot: CommandLine, files: Path) -> None:
    assert (
        "a topic of 8 slashes: 7 are the most"
        in aws_iot(about_me(files, f"--topic {'a/' * 8}"), ends=7).stderr
    )


def of_one_room(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement for the room ops alone."""
    return {
        **statement,
        "Resource": statement["Resource"].replace(f"{POOL}/*", f"{POOL}/ops/*").replace("*/$", "$"),
    }


def test_who_has_only_some_rooms_is_asked_for_one(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy(*map(of_one_room, TEAM)))
    said = aws_iot(about_me(files), ends=5).stderr
    assert "That is about all rooms at once, and 'doctor' to speak in. Name one of yours: -r ops\n" in said
    assert "It takes a change" not in said
    aws_iot(about_me(files, "-r ops"))
    assert "It takes a change of an IoT policy" in aws_iot(about_me(files, "-r lobby"), ends=5).stderr


def test_a_room_more_of_our_own_backend_is_a_parameter(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.profile = replace(cloud.profile, policy_name="chat-member")
    aws_iot.app.profiles.change("default", lambda _: cloud.profile)
    own = [of_one_room(one) for one in TEAM]
    own[1]["Sid"] = SID_OF_ROOMS
    assert SID_OF_ROOMS in template()
    cloud.layers = [
        PolicyLayer("role", "r", (document("rooms", *own),)),
        PolicyLayer("IoT", "", (document("chat-member", *own),)),
    ]
    line = f"doctor --policy --identity {ME}"
    offer = "aws-iot backend deploy --name chat --parameter Room2=lobby\n"
    assert offer in aws_iot(f"{line} -r lobby", ends=5).stderr
    wide = document("rooms", *TEAM[:1], TEAM[1] | {"Sid": SID_OF_ROOMS}, *TEAM[2:])
    role, iot = cloud.layers
    cloud.layers = [PolicyLayer("role", "r", (wide,)), iot]
    assert "backend deploy" not in aws_iot(f"{line} -r lobby", ends=5).stderr
    cloud.layers = [
        role,
        iot,
        PolicyLayer("boundary", "", (document("b", *own, {**QUIET, "Resource": "*"}),)),
    ]
    assert "backend deploy" not in aws_iot(f"{line} -r lobby", ends=5).stderr


def test_what_is_huge_is_cut_short(aws_iot: CommandLine, files: Path) -> None:
    huge = {"Effect": "Allow", "Action": "*", "Resource": [f"{ARN}:topic/{'x' * 500}{n}" for n in range(9)]}
    near = {**TEAM[0], "Action": "Publish"}
    (files / "member.json").write_text(policy(*[huge] * 40, near))
    said = aws_iot(about_me(files), ends=5).stdout
    assert "Speak: its action is Publish: is iot:Publish meant?" in said
    assert "           and 35 more\n" in said
    assert "           and 36 more\n" in said
    assert max(map(len, said.splitlines())) < 1000
    assert len(said.splitlines()) < 60


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--identity x", "--identity goes with --policy"),
        ("--aws-profile x", "--aws-profile goes with --policy"),
        ("--policy -u alice", "--user goes without --policy"),
        ("--policy -r a --topic b", "exclude each other"),
        (f"--policy --pool {POOL}", "--pool and --account go with"),
        ("--policy --account 123456789012", "--pool and --account go with"),
        ("--policy --account 12", "12 digits"),
        ("--policy --context x", "KEY=VALUE"),
        ("--policy --identity alice", "is no identity"),
        (
            f"--policy --identity {ME} -r # --action publish",
            "'#' is a pattern, which can only be subscribed to",
        ),
        (f"--policy --identity {ME} -r a/# --retain", "'a/#' is a pattern"),
        ("--policy --context =x", "KEY=VALUE"),
        (
            "--policy --context aws:SourceIp=here",
            "aws:SourceIp is an address, such as 203.0.113.7; 'here' is not.",
        ),
        (
            "--policy --pool us-east-1_AbCdEf123",
            "'us-east-1_AbCdEf123' is a user pool: give the identity pool",
        ),
        ("--policy --pool chat", "'chat' is no identity pool"),
        ("--policy --mfa-code 123456", "--mfa-code goes without --policy"),
    ],
)
def test_options_that_do_not_go_together_are_refused(aws_iot: CommandLine, options: str, words: str) -> None:
    assert words in aws_iot(f"doctor {options}", ends=2).stderr


# -- from what an admin reads


def document(name: str, *statements: dict[str, Any]) -> Document:
    return parse(name, policy(*statements))


def test_who_is_not_accepted_is_told_what_an_admin_does(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.layers = [PolicyLayer("role", "MemberRole", (document("rooms"),)), PolicyLayer("IoT", "", ())]
    done = aws_iot(f"doctor --policy --identity {ME}", ends=5)
    assert "role       MemberRole: rooms\nIoT        none\n" in done.stdout
    assert done.stdout.count("no IoT policy is attached to this identity") == 4
    assert f"aws-iot admin accept {ME} -k default\nAWS takes 6 to 8 minutes" in done.stderr


def test_where_there_is_no_role_nobody_is_to_be_accepted_first(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    cloud.layers = [
        PolicyLayer("role", "", (), closed="there is no such identity pool"),
        PolicyLayer("IoT", "", ()),
    ]
    done = aws_iot(f"doctor --policy --identity {ME}", ends=5)
    assert "role       none\nIoT        none\n" in done.stdout
    assert "  role     there is no such identity pool\n" in done.stdout
    assert (
        "Error: there is no such identity pool: nothing is allowed\n"
        "No policy can change that. Look at the profile: aws-iot config show -k default\n" in done.stderr
    )
    assert "admin accept" not in done.stderr


def test_a_boundary_is_one_more_gate(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.layers = [
        PolicyLayer("role", "MemberRole", (document("rooms"),)),
        PolicyLayer("boundary", "Narrow", (document("Narrow", *TEAM[:3]),)),
        PolicyLayer("IoT", "team", (document("team"),)),
    ]
    done = aws_iot(f"doctor --policy --identity {ME}", ends=5)
    assert "refused: iot:Connect\nIt takes a change of the permissions boundary of the role." in done.stderr


def test_what_could_not_be_read_leaves_it_open(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.layers = [
        PolicyLayer("role", "MemberRole", (), "your AWS credentials do not allow this"),
        PolicyLayer("IoT", "team", (document("team"),)),
    ]
    done = aws_iot(f"doctor --policy --identity {ME}", ends=10)
    assert done.stdout.count("your AWS credentials do not allow this") == 1
    assert "role       MemberRole; cannot be told: your AWS credentials do not allow this\n" in done.stdout
    assert done.stdout.count("  role     cannot be told\n") == 4
    assert "An admin's AWS credentials may read more: --aws-profile NAME\n" in done.stderr


def test_a_variable_for_the_pool_in_an_iot_policy_is_remarked_upon(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    team = parse("team", policy().replace(POOL, AUD))
    cloud.layers = [PolicyLayer("role", "MemberRole", (team,)), PolicyLayer("IoT", "team", (team,))]
    assert "better name the pool itself" in aws_iot(f"doctor --policy --identity {ME}").stderr


def test_iot_s_own_opinion_stands_beside_ours(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.layers = [
        PolicyLayer("role", "MemberRole", (document("rooms"),)),
        PolicyLayer("IoT", "team", (document("team"),)),
    ]
    cloud.opinions = {
        "iot:Connect": Opinion("ALLOWED", ("team",)),
        "iot:Publish": Opinion("IMPLICIT_DENY", (), ("aws:SourceIp",)),
    }
    said = aws_iot(f"doctor --policy --identity {ME}").stdout
    assert "  AWS      TestAuthorization says ALLOWED (team)\n" in said
    assert (
        "  AWS      TestAuthorization says IMPLICIT_DENY, without knowing aws:SourceIp,"
        " which is not what the IoT policies say here\n" in said
    )
    first = json.loads(aws_iot(f"doctor --policy --identity {ME} --json").stdout.splitlines()[0])
    assert first["test_authorization"] == {"decision": "ALLOWED", "policies": ["team"], "missing": []}


@pytest.mark.parametrize("error", [NotAuthorized, Unreachable, CredentialsRefused])
def test_where_iot_cannot_be_asked_a_line_says_so(
    aws_iot: CommandLine, cloud: FakeCloud, error: type[AwsIotError]
) -> None:
    cloud.layers = [
        PolicyLayer("role", "MemberRole", (document("rooms"),)),
        PolicyLayer("IoT", "team", (document("team"),)),
    ]
    cloud.opinions = error("no answer in 10 seconds")
    done = aws_iot(f"doctor --policy --identity {ME}")
    assert done.stderr.startswith("Without IoT's own opinion: no answer in 10 seconds.\n")
    assert "TestAuthorization" not in done.stdout
