"""`aws-iot policy`: which statement decides, with policies from files and from AWS."""

import json
from pathlib import Path
from typing import Any

import pytest

from aws_iot.backend import template
from aws_iot.config.endpoint import Endpoint
from aws_iot.errors import AwsIotError, CredentialsRefused, NotAuthorized, Unreachable
from aws_iot.policy.access import PolicyLayer
from aws_iot.policy.documents import Document, parse
from aws_iot.policy.reader import AwsVerdict
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud, FakeUser

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
    """A folder with a role policy and an IoT policy that allow all rooms."""
    for name in ("role.json", "member.json"):
        (tmp_path / name).write_text(policy())
    return tmp_path


def given(files: Path, more: str = "") -> str:
    return f"policy --role-policy {files / 'role.json'} --iot-policy {files / 'member.json'} {more}"


def about_me(files: Path, more: str = "") -> str:
    return given(files, f"--identity {ME} {more}")


# -- from files


def test_files_need_no_profile_network_or_account(aws_iot: CommandLine, files: Path) -> None:
    aws_iot("config remove -k default")
    hint = "Policy files need no profile if you also give"
    assert f"{hint} --identity IDENTITY and --pool POOL." in aws_iot(given(files), ends=3).stderr
    assert f"{hint} --pool POOL." in aws_iot(about_me(files), ends=3).stderr
    done = aws_iot(about_me(files, f"--pool {POOL}"))
    lines = done.stdout.splitlines()
    assert [line.split()[:2] for line in lines if line.startswith(("allowed", "REFUSED", "undecided"))] == [
        ["allowed", f"iot:{action}"] for action in ("Connect", "Subscribe", "Receive", "Publish")
    ]
    assert f"  role     {files / 'role.json'}, Speak allows it: iot:Publish on topic/{POOL}/*/{SUB}" in lines
    assert f"  IoT      {files / 'member.json'}, Enter allows it: iot:Connect on client/{SUB}*" in lines
    assert "account    123456789012 in us-east-1" in lines
    assert "Everything is allowed" in done.stderr


def test_the_role_and_the_iot_policy_must_both_allow_it(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy(*TEAM[1:]))
    done = aws_iot(about_me(files), ends=5)
    assert "refused: iot:Publish\n" in done.stderr
    assert "To allow it, change an IoT policy of the identity." in done.stderr
    assert "no statement allows it, and no Allow statement covers iot:Publish" in done.stdout
    (files / "member.json").write_text(policy())
    (files / "role.json").write_text(policy(*TEAM[:3]))
    assert (
        "refused: iot:Connect\nTo allow it, change a policy of the role."
        in aws_iot(about_me(files), ends=5).stderr
    )


def test_a_deny_statement_is_named_if_it_applies(aws_iot: CommandLine, files: Path) -> None:
    (files / "role.json").write_text(policy(*TEAM, QUIET))
    denied = aws_iot(about_me(files, "-r ops"), ends=5)
    assert f"{files / 'role.json'}, Quiet denies it: iot:Publish on topic/*/ops/*" in denied.stdout
    assert "refused: iot:Publish\n" in denied.stderr
    aws_iot(about_me(files, "-r lobby"))


def test_a_topic_instead_of_a_topic_filter_is_pointed_out(aws_iot: CommandLine, files: Path) -> None:
    mistaken = {
        "Effect": "Allow",
        "Action": "iot:*",
        "Resource": [f"{ARN}:client/*", f"{ARN}:topic/{POOL}/*"],
    }
    (files / "member.json").write_text(policy(mistaken))
    done = aws_iot(about_me(files, "-r ops"), ends=5)
    assert "refused: iot:Subscribe\n" in done.stderr
    assert (
        f"near miss: {files / 'member.json'}, statement 1: its resource begins with topic/,"
        " but iot:Subscribe needs topicfilter/\n" in done.stdout
    )


def test_a_misspelled_variable_is_pointed_out(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy().replace(":sub}", ":subject}"))
    done = aws_iot(about_me(files, "--action publish"), ends=5).stdout
    assert f"${{cognito-identity.amazonaws.com:subject}} has no value; did you mean {SUB}?" in done


def test_a_decision_that_needs_an_unknown_value_is_not_guessed(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy(*TEAM, HOME_ONLY))
    line = about_me(files, "--action connect")
    done = aws_iot(line, ends=10)
    assert "undecided  iot:Connect" in done.stdout
    assert "HomeOnly denies it: * on *, depending on aws:SourceIp" in done.stdout
    assert "Give the missing values with --context: aws:SourceIp=…" in done.stderr
    aws_iot(f"{line} --context aws:SourceIp=203.0.113.7")
    aws_iot(f"{line} --context aws:SourceIp=198.51.100.7", ends=5)


def test_an_unknown_operator_is_reported(aws_iot: CommandLine, files: Path) -> None:
    like = {"ForAnyValue:StrinLikeIfExists": {"iot:ClientId": "x"}}
    (files / "member.json").write_text(policy({**TEAM[3], "Condition": like}))
    done = aws_iot(about_me(files, "--action connect"), ends=10)
    suggestion = "did you mean ForAnyValue:StringLikeIfExists?"
    assert f"The operator ForAnyValue:StrinLikeIfExists is unknown; {suggestion}" in done.stderr
    assert "--context" not in done.stderr


def test_the_current_time_is_known(aws_iot: CommandLine, files: Path) -> None:
    until = {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}}
    (files / "member.json").write_text(policy(*({**one, "Condition": until} for one in TEAM)))
    assert "its condition DateLessThan aws:CurrentTime" in aws_iot(about_me(files), ends=5).stdout


@pytest.mark.parametrize("missing", ["role", "iot"])
def test_with_half_of_the_policies_it_is_undecided_or_refused(
    aws_iot: CommandLine, files: Path, missing: str
) -> None:
    option, name = ("--iot-policy", "member.json") if missing == "role" else ("--role-policy", "role.json")
    line = f"policy {option} {files / name} --identity {ME}"
    done = aws_iot(line, ends=10)
    assert f"unknown: no policy was given (--{missing}-policy FILE)" in done.stdout
    (files / name).write_text(policy(*TEAM[:3]))
    assert "refused: iot:Connect\n" in aws_iot(line, ends=5).stderr


def test_several_files_count_together(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy(*TEAM[:2]))
    (files / "more.json").write_text(json.dumps({"policyName": "more", "policyDocument": policy(*TEAM[2:])}))
    done = aws_iot(about_me(files, f"--iot-policy {files / 'more.json'}"))
    assert "more, Enter allows it" in done.stdout


def test_the_signed_in_identity_is_the_default(aws_iot: CommandLine, cloud: FakeCloud, files: Path) -> None:
    assert "--identity" in aws_iot(given(files), ends=2).stderr
    identity = cloud.member("alice", "Passw0rd")
    aws_iot("login -u alice -p Passw0rd")
    assert f"identity   {identity}\n" in aws_iot(given(files)).stdout


def test_json_has_all_details(aws_iot: CommandLine, files: Path) -> None:
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


def test_control_characters_in_policies_are_made_visible(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy({**TEAM[0], "Sid": "\x1b[31m"}, *TEAM[1:]))
    done = aws_iot(about_me(files)).stdout
    assert "\x1b" not in done
    assert r"\x1b[31m allows it" in done


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "not JSON"), ("[]", "not a policy"), ('{"Statement": [{}]}', "statement 1 needs an Effect")],
)
def test_a_file_that_is_not_a_policy_is_named(
    aws_iot: CommandLine, files: Path, text: str, words: str
) -> None:
    (files / "member.json").write_text(text)
    assert f"{files / 'member.json'}: {words}" in aws_iot(about_me(files), ends=3).stderr


def test_a_missing_file_is_named(aws_iot: CommandLine, files: Path) -> None:
    (files / "role.json").unlink()
    assert "role.json: there is no such file" in aws_iot(about_me(files), ends=3).stderr


def test_a_statement_for_another_account_is_pointed_out(aws_iot: CommandLine, files: Path) -> None:
    other = {**TEAM[0], "Resource": TEAM[0]["Resource"].replace("123456789012", "999999999999")}
    (files / "member.json").write_text(policy(other, *TEAM[1:]))
    done = aws_iot(about_me(files), ends=5)
    assert "account    123456789012 in us-east-1\n" in done.stdout
    assert (
        f"{files / 'member.json'}, Speak: its account is '999999999999', but here it is '123456789012'"
        in done.stdout
    )
    assert (
        f"{files / 'member.json'}, Speak: for AWS account 999999999999. Most statements are for 123456789012,"
        " so that account is used; --account chooses another.\n" in done.stderr
    )
    assert "refused: iot:Publish\n" in done.stderr
    elsewhere = aws_iot(about_me(files, "--account 999999999999"), ends=5)
    assert "refused: iot:Connect, iot:Subscribe, iot:Receive, iot:Publish\n" in elsewhere.stderr


def test_a_pattern_or_a_single_action_is_not_reported_as_everything(
    aws_iot: CommandLine, files: Path
) -> None:
    pattern = aws_iot(about_me(files, "-r ops/#")).stderr
    assert (
        "Allowed: iot:Connect, iot:Subscribe. A pattern allows only subscribing. To check receiving and"
        " publishing, name a room." in pattern
    )
    assert "Everything" not in pattern
    part = aws_iot(about_me(files, "--action publish --retain"), ends=5)
    assert "allowed    iot:Publish" in part.stdout
    assert "refused: iot:RetainPublish\n" in part.stderr
    assert "Allowed: iot:Receive. Recent" in aws_iot(about_me(files, "--action receive")).stderr


def test_a_topic_that_aws_would_reject_is_rejected(aws_iot: CommandLine, files: Path) -> None:
    assert (
        "a topic with 8 slashes: the limit is 7"
        in aws_iot(about_me(files, f"--topic {'a/' * 8}"), ends=2).stderr
    )


def of_one_room(statement: dict[str, Any]) -> dict[str, Any]:
    """The statement for the room ops alone."""
    return {
        **statement,
        "Resource": statement["Resource"].replace(f"{POOL}/*", f"{POOL}/ops/*").replace("*/$", "$"),
    }


def test_a_member_of_some_rooms_is_asked_to_name_one(aws_iot: CommandLine, files: Path) -> None:
    (files / "member.json").write_text(policy(*map(of_one_room, TEAM)))
    done = aws_iot(about_me(files), ends=5).stderr
    hint = "This asked for all rooms, and for publishing in 'doctor'. Name one of your rooms: -r ops\n"
    assert hint in done
    assert "To allow it" not in done
    aws_iot(about_me(files, "-r ops"))
    assert "To allow it, change an IoT policy" in aws_iot(about_me(files, "-r lobby"), ends=5).stderr


def test_one_more_room_in_our_own_backend_is_a_parameter(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.profile = cloud.profile._replace(policy_name="chat-member")
    aws_iot.app.config.profiles.change("default", lambda _: cloud.profile)
    own = [of_one_room(one) for one in TEAM]
    own[1]["Sid"] = template.SID_OF_ROOMS
    assert template.SID_OF_ROOMS in template.text()
    cloud.layers = [
        PolicyLayer("role", "r", (document("rooms", *own),)),
        PolicyLayer("IoT", "", (document("chat-member", *own),)),
    ]
    line = f"policy --identity {ME}"
    offer = "aws-iot backend deploy --name chat --parameter Room2=lobby\n"
    assert offer in aws_iot(f"{line} -r lobby", ends=5).stderr
    wide = document("rooms", *TEAM[:1], TEAM[1] | {"Sid": template.SID_OF_ROOMS}, *TEAM[2:])
    role, iot = cloud.layers
    cloud.layers = [PolicyLayer("role", "r", (wide,)), iot]
    assert "backend deploy" not in aws_iot(f"{line} -r lobby", ends=5).stderr
    cloud.layers = [
        role,
        iot,
        PolicyLayer("boundary", "", (document("b", *own, {**QUIET, "Resource": "*"}),)),
    ]
    assert "backend deploy" not in aws_iot(f"{line} -r lobby", ends=5).stderr


def test_long_texts_and_lists_are_cut(aws_iot: CommandLine, files: Path) -> None:
    huge = {"Effect": "Allow", "Action": "*", "Resource": [f"{ARN}:topic/{'x' * 500}{n}" for n in range(9)]}
    near = {**TEAM[0], "Action": "Publish"}
    (files / "member.json").write_text(policy(*[huge] * 40, near))
    done = aws_iot(about_me(files), ends=5).stdout
    assert "Speak: its action is Publish; did you mean iot:Publish?" in done
    assert "           and 35 more\n" in done
    assert "           and 36 more\n" in done
    assert max(map(len, done.splitlines())) < 1000
    assert len(done.splitlines()) < 60


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("-r a --topic b", "either --room or --topic"),
        (f"--pool {POOL}", "--pool and --account need"),
        ("--account 123456789012", "--pool and --account need"),
        ("--account 12", "12 digits"),
        ("--context x", "KEY=VALUE"),
        ("--identity alice", "is not an identity ID"),
        (
            f"--identity {ME} -r # --action publish",
            "'#' is a pattern, for subscribing only",
        ),
        (f"--identity {ME} -r a/# --retain", "'a/#' is a pattern"),
        ("--context =x", "KEY=VALUE"),
        (
            "--context aws:SourceIp=here",
            "aws:SourceIp must be an address, such as 203.0.113.7, not 'here'.",
        ),
        (
            "--pool us-east-1_AbCdEf123",
            "'us-east-1_AbCdEf123' is a user pool: give the ID of the identity pool",
        ),
        ("--pool chat", "'chat' is not an identity pool"),
    ],
)
def test_options_that_contradict_each_other_are_rejected(
    aws_iot: CommandLine, options: str, words: str
) -> None:
    assert words in aws_iot(f"policy {options}", ends=2).stderr


# -- the old name


@pytest.mark.parametrize(
    ("more", "code"), [("", 0), ("-r ops --json", 0), ("--context aws:SourceIp=::1 --topic x", 5)]
)
def test_the_old_name_does_the_same(aws_iot: CommandLine, files: Path, more: str, code: int) -> None:
    line = about_me(files, more)
    new, old = aws_iot(line, ends=code), aws_iot(line.replace("policy", "doctor --policy", 1), ends=code)
    assert (old.stdout, old.stderr) == (new.stdout, new.stderr)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--identity x", "--identity belongs to another command: aws-iot policy"),
        ("--aws-profile x", "--aws-profile belongs to another command: aws-iot policy"),
        ("--policy -u alice", "--user excludes --policy"),
        ("--policy --mfa-code 123456", "--mfa-code excludes --policy"),
    ],
)
def test_doctor_rejects_options_that_would_be_ignored(aws_iot: CommandLine, options: str, words: str) -> None:
    assert words in aws_iot(f"doctor {options}", ends=2).stderr


def test_the_help_of_doctor_does_not_show_the_old_name(aws_iot: CommandLine) -> None:
    assert "--policy" not in aws_iot("doctor --help").stdout


# -- from AWS


def document(name: str, *statements: dict[str, Any]) -> Document:
    return parse(name, policy(*statements))


def test_an_identity_that_is_not_accepted_gets_the_command_to_accept_it(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    cloud.layers = [PolicyLayer("role", "MemberRole", (document("rooms"),)), PolicyLayer("IoT", "", ())]
    done = aws_iot(f"policy --identity {ME}", ends=5)
    assert "role       MemberRole: rooms\nIoT        none\n" in done.stdout
    assert done.stdout.count("no IoT policy is attached to this identity") == 4
    assert f"aws-iot admin accept {ME} -k default\nAWS takes 6 to 8 minutes" in done.stderr


def test_the_command_to_accept_names_the_credentials_of_the_admin_and_the_user_if_known(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    cloud.layers = [PolicyLayer("role", "MemberRole", (document("rooms"),)), PolicyLayer("IoT", "", ())]
    cloud.accounts["alice"] = FakeUser("Passw0rd", "alice@example.com", ME, confirmed=True)
    app.config.profiles.change("of-alice", lambda _: cloud.profile)
    aws_iot("login -u alice -p Passw0rd -k of-alice")
    done = aws_iot(f"policy --identity {ME} --aws-profile 'at work'", ends=5)
    assert f"aws-iot admin accept {ME} --user alice -k default --aws-profile 'at work'\n" in done.stderr


def test_only_on_aws_a_change_takes_minutes_to_apply(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud
) -> None:
    cloud.layers = [PolicyLayer(name, "team", (document("team"),)) for name in ("role", "IoT")]
    assert "6 to 8 minutes" in aws_iot(f"policy --identity {ME}").stderr
    here = cloud.profile._replace(endpoint=Endpoint.parse("wss://127.0.0.1:8883"))
    app.config.profiles.change("local", lambda _: here)
    assert aws_iot(f"policy --identity {ME} -k local").stderr == (
        "Everything is allowed."
        " Without -r, this is for subscribing to all rooms, and for sending to the room 'doctor'.\n"
    )
    assert aws_iot(f"policy --identity {ME} -k local -r lobby").stderr == "Everything is allowed.\n"


def test_without_a_role_accepting_the_identity_is_not_suggested(
    aws_iot: CommandLine, cloud: FakeCloud
) -> None:
    cloud.layers = [
        PolicyLayer("role", "", (), closed="the identity pool does not exist"),
        PolicyLayer("IoT", "", ()),
    ]
    done = aws_iot(f"policy --identity {ME}", ends=5)
    assert "role       none\nIoT        none\n" in done.stdout
    assert "  role     the identity pool does not exist\n" in done.stdout
    assert (
        "Error: the identity pool does not exist: nothing is allowed\n"
        "No policy can change that. Check the profile: aws-iot config show -k default\n" in done.stderr
    )
    assert "admin accept" not in done.stderr


def test_a_permissions_boundary_is_one_more_layer(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.layers = [
        PolicyLayer("role", "MemberRole", (document("rooms"),)),
        PolicyLayer("boundary", "Narrow", (document("Narrow", *TEAM[:3]),)),
        PolicyLayer("IoT", "team", (document("team"),)),
    ]
    done = aws_iot(f"policy --identity {ME}", ends=5)
    assert "refused: iot:Connect\nTo allow it, change the permissions boundary of the role." in done.stderr


def test_policies_that_cannot_be_read_leave_it_undecided(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.layers = [
        PolicyLayer("role", "MemberRole", (), "your AWS credentials do not allow this"),
        PolicyLayer("IoT", "team", (document("team"),)),
    ]
    done = aws_iot(f"policy --identity {ME}", ends=10)
    assert done.stdout.count("your AWS credentials do not allow this") == 1
    assert "role       MemberRole; unknown: your AWS credentials do not allow this\n" in done.stdout
    assert done.stdout.count("  role     unknown\n") == 4
    assert "An admin's AWS credentials may be able to read more: --aws-profile NAME\n" in done.stderr


def test_the_pool_variable_in_an_iot_policy_gets_a_warning(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    team = parse("team", policy().replace(POOL, AUD))
    cloud.layers = [PolicyLayer("role", "MemberRole", (team,)), PolicyLayer("IoT", "team", (team,))]
    assert "name the pool itself instead" in aws_iot(f"policy --identity {ME}").stderr


def test_aws_s_own_verdict_is_shown(aws_iot: CommandLine, cloud: FakeCloud) -> None:
    cloud.layers = [
        PolicyLayer("role", "MemberRole", (document("rooms"),)),
        PolicyLayer("IoT", "team", (document("team"),)),
    ]
    cloud.aws_verdicts = {
        "iot:Connect": AwsVerdict("ALLOWED", ("team",)),
        "iot:Publish": AwsVerdict("IMPLICIT_DENY", (), ("aws:SourceIp",)),
    }
    done = aws_iot(f"policy --identity {ME}").stdout
    assert "  AWS      TestAuthorization: ALLOWED (team)\n" in done
    assert (
        "  AWS      TestAuthorization: IMPLICIT_DENY, without knowing aws:SourceIp;"
        " this differs from the IoT policies shown here\n" in done
    )
    first = json.loads(aws_iot(f"policy --identity {ME} --json").stdout.splitlines()[0])
    assert first["test_authorization"] == {"decision": "ALLOWED", "policies": ["team"], "missing": []}


@pytest.mark.parametrize("error", [NotAuthorized, Unreachable, CredentialsRefused])
def test_a_line_says_why_aws_s_own_verdict_is_missing(
    aws_iot: CommandLine, cloud: FakeCloud, error: type[AwsIotError]
) -> None:
    cloud.layers = [
        PolicyLayer("role", "MemberRole", (document("rooms"),)),
        PolicyLayer("IoT", "team", (document("team"),)),
    ]
    cloud.aws_verdicts = error("no answer in 10 seconds")
    done = aws_iot(f"policy --identity {ME}")
    assert done.stderr.startswith("Without AWS's own verdict: no answer in 10 seconds.\n")
    assert "TestAuthorization" not in done.stdout
