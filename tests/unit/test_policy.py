"""Policies: what they allow, by which statement, and what is said where none does."""

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.errors import LocalError
from aws_iot.policy.evaluate import Document, Verdict, decide, parse, request_of, wants

POOL = "us-east-1:00000000-0000-0000-0000-00000000abcd"
ME = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
SUB = "${cognito-identity.amazonaws.com:sub}"
AUD = "${cognito-identity.amazonaws.com:aud}"
ARN = "arn:aws:iot:us-east-1:123456789012"
TOPIC = f"{ARN}:topic/{POOL}/lobby/{ME}"
FILTER = f"{ARN}:topicfilter/{POOL}/lobby/+"
CLIENT = f"{ARN}:client/{ME}-1a2b3c4d"
REFUSED, UNDECIDED, ALLOWED = Verdict


def document(*statements: dict[str, Any], version: str | None = "2012-10-17", name: str = "p") -> Document:
    return parse(name, {"Statement": list(statements)} | ({"Version": version} if version else {}))


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


def nested(depth: int) -> dict[str, Any]:
    """What is no policy however often it is unwrapped."""
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"Document": found}
    return found


def ask(
    documents: Document | list[Document],
    action: str = "iot:Publish",
    resource: str = TOPIC,
    more: Mapping[str, list[str]] | None = None,
) -> Any:
    request = request_of(action, resource, identity=ME, pool=POOL, client=f"{ME}-1a2b3c4d", more=more)
    return decide(documents if isinstance(documents, list) else [documents], request)


# -- matching


@pytest.mark.parametrize(
    ("action", "fits"),
    [
        ("iot:Publish", True),
        ("iot:publish", True),
        ("IOT:PUBLISH", True),
        ("iot:*", True),
        ("iot:P*", True),
        ("iot:Publis?", True),
        ("*", True),
        (["iot:Connect", "iot:Publish"], True),
        ("iot:Pub", False),
        ("iot:Publish?", False),
        ("iot:[P]ublish", False),
        ("sns:Publish", False),
    ],
)
def test_actions_take_wildcards_in_any_case(action: str | list[str], fits: bool) -> None:
    assert (ask(document(allow(action))).verdict is ALLOWED) == fits


@pytest.mark.parametrize(
    ("resource", "fits"),
    [
        (TOPIC, True),
        ("*", True),
        (f"{ARN}:topic/{AUD}/*/{SUB}", True),
        (f"{ARN}:topic/{AUD}/lobb?/{SUB}", True),
        (f"{ARN}:topic/*", True),
        ("arn:aws:iot:*:*:topic/*", True),
        ("arn:aws:iot:us-east-1", True),
        ("arn:aws:iot:eu-west-1", False),
        (f"{ARN}:*", True),
        ([f"{ARN}:topic/other", f"{ARN}:topic/{AUD}/lobby/*"], True),
        (f"{ARN}:topic/{AUD}/LOBBY/{SUB}", False),
        (f"{ARN}:topic/{AUD}/lobby", False),
        (f"{ARN}:topic/{AUD}/+/{SUB}", False),
        (f"{ARN}:topic/{AUD}/#", False),
        (f"{ARN}:topicfilter/{AUD}/*", False),
        (f"{ARN}:topic/{AUD}/${{*}}/{SUB}", False),
        (f"{ARN}:topic/{AUD}/${{x, 'lobby'}}/{SUB}", True),
        (f"{ARN}:topic/{AUD}/${{x}}/{SUB}", False),
        (f"{ARN}:topic/{AUD}/lobby/${{iot:Certificate.Subject.CommonName}}", False),
        (f"{ARN}:topic/{AUD}/lobby/${{COGNITO-identity.amazonaws.com:SUB}}", True),
        (f"{ARN}:topic/{AUD}/[l]obby/{SUB}", False),
    ],
)
def test_resources_take_wildcards_and_variables(resource: str | list[str], fits: bool) -> None:
    assert (ask(document(allow(resource=resource))).verdict is ALLOWED) == fits


@pytest.mark.parametrize("plain", ["*", "?", "$"])
def test_a_special_character_can_be_meant_as_itself(plain: str) -> None:
    only = document(allow(resource=f"{ARN}:topic/a${{{plain}}}"))
    assert ask(only, resource=f"{ARN}:topic/a{plain}").verdict is ALLOWED
    assert ask(only, resource=f"{ARN}:topic/ax").verdict is REFUSED


@pytest.mark.parametrize("wanted", ["#", "+/x", "a", "lobby/+"])
def test_a_wildcard_of_a_policy_covers_those_of_mqtt(wanted: str) -> None:
    pool = document(allow("iot:Subscribe", f"{ARN}:topicfilter/{AUD}/*"))
    assert ask(pool, "iot:Subscribe", f"{ARN}:topicfilter/{POOL}/{wanted}").verdict is ALLOWED


@pytest.mark.parametrize("version", [None, "2008-10-17"])
def test_only_the_newer_language_has_variables(version: str | None) -> None:
    old = document(allow(resource=f"{ARN}:topic/{AUD}/*/{SUB}"), version=version)
    decision = ask(old)
    assert decision.verdict is REFUSED
    assert "has no Version 2012-10-17" in decision.near[0].why
    assert ask(old, resource=f"{ARN}:topic/{AUD}/x/{SUB}").verdict is ALLOWED


def test_the_value_of_a_variable_is_no_pattern() -> None:
    own = document(allow(resource="arn:aws:iot:*:*:topic/${iot:ClientId}"))
    request = request_of("iot:Publish", f"{ARN}:topic/else", identity=ME, pool=POOL, client="*")
    assert decide([own], request).verdict is REFUSED


def test_a_pattern_of_many_wildcards_is_no_work() -> None:
    many = document(allow(resource=f"{ARN}:topic/" + "*a" * 60 + "b"))
    assert ask(many, resource=f"{ARN}:topic/" + "a" * 240).verdict is REFUSED
    assert ask(many, resource=f"{ARN}:topic/" + "a" * 240 + "b").verdict is ALLOWED


def test_lists_can_name_what_a_statement_is_not_about() -> None:
    most = {"Effect": "Allow", "NotAction": "iot:Connect", "NotResource": f"{ARN}:topic/{AUD}/secret/*"}
    assert ask(document(most)).verdict is ALLOWED
    assert ask(document(most), "iot:Connect", CLIENT).verdict is REFUSED
    secret = ask(document(most), resource=f"{ARN}:topic/{POOL}/secret/{ME}")
    assert (secret.verdict, secret.near[0].why) == (REFUSED, "its NotResource names this resource")


# -- deciding


def test_the_statement_that_allows_is_named() -> None:
    rooms = document(
        allow("iot:Connect"),
        allow(["iot:Sub*", "iot:Pub*"], ["x", f"{ARN}:topic/*"], Sid="Speak"),
        name="rooms",
    )
    [found] = ask(rooms).found
    assert (found.document, found.statement, found.effect) == ("rooms", "Speak", "Allow")
    assert (found.action, found.resource) == ("iot:Pub*", f"{ARN}:topic/*")
    [connect] = ask(rooms, "iot:Connect", CLIENT).found
    assert connect.statement == "statement 1"


def test_what_one_statement_denies_no_other_allows() -> None:
    decision = ask([document(allow()), document(deny("iot:Pub*", Sid="Quiet"), name="night")])
    assert decision.verdict is REFUSED
    assert [(one.document, one.statement) for one in decision.found] == [("night", "Quiet")]


def test_what_nobody_speaks_of_is_refused_and_nothing_is_near() -> None:
    decision = ask(document(allow("iot:Connect")))
    assert (decision.verdict, decision.found, decision.near) == (REFUSED, (), ())
    assert ask([]).verdict is REFUSED


# -- conditions

LIKE_ME = {"StringLike": {"iot:ClientId": f"{SUB}*"}}


@pytest.mark.parametrize(
    ("operator", "key", "wanted", "verdict"),
    [
        ("StringLike", "iot:ClientId", f"{SUB}*", ALLOWED),
        ("StringLike", "IOT:clientid", ["x", f"{SUB}*"], ALLOWED),
        ("StringEquals", "iot:ClientId", f"{SUB}*", REFUSED),
        ("StringEquals", "iot:ClientId", f"{SUB}-1a2b3c4d", ALLOWED),
        ("StringEqualsIgnoreCase", "iot:ClientId", f"{SUB}-1A2B3C4D", ALLOWED),
        ("StringNotEquals", "iot:ClientId", ["a", "b"], ALLOWED),
        ("StringNotLike", "iot:ClientId", ["a", f"{SUB}*"], REFUSED),
        ("StringEquals", "x:unheard-of", "a", REFUSED),
        ("StringEqualsIfExists", "x:unheard-of", "a", ALLOWED),
        ("StringNotEquals", "x:unheard-of", "a", ALLOWED),
        ("StringEquals", "iot:ClientId", "${x:unheard-of}", REFUSED),
        ("StringNotEquals", "iot:ClientId", "${x:unheard-of}", ALLOWED),
        ("Null", "x:unheard-of", "true", ALLOWED),
        ("Null", "iot:ClientId", "true", REFUSED),
        ("Null", "iot:ClientId", False, ALLOWED),
        ("Bool", "iot:Connection.Thing.IsAttached", "true", UNDECIDED),
        ("BoolIfExists", "iot:Connection.Thing.IsAttached", ["true"], UNDECIDED),
        ("StringEquals", "iot:ClientId", "${iot:Connection.Thing.ThingName}", UNDECIDED),
        ("StringEqualsIfExists", "iot:Certificate.Issuer.CommonName", "x", ALLOWED),
        ("StringEquals", "aws:username", "alice", REFUSED),
        ("StringNotEquals", "aws:username", "alice", ALLOWED),
        ("ForAnyValue:StringLike", "cognito-identity.amazonaws.com:amr", "authenticated", ALLOWED),
        ("ForAnyValue:StringLike", "cognito-identity.amazonaws.com:amr", "graph.*", UNDECIDED),
        ("ForAllValues:StringLike", "cognito-identity.amazonaws.com:amr", "authenticated", UNDECIDED),
        ("ForAllValues:StringLike", "cognito-identity.amazonaws.com:amr", "graph.*", REFUSED),
        ("StringNotEquals", "cognito-identity.amazonaws.com:amr", "authenticated", REFUSED),
        ("StringEquals", "iot:ClientId", "${cognito-identity.amazonaws.com:amr}", UNDECIDED),
        ("Null", "cognito-identity.amazonaws.com:amr", "true", REFUSED),
        ("Bool", "k:yes", True, ALLOWED),
        ("Bool", "k:yes", "False", REFUSED),
        ("ForAllValues:StringEquals", "k:many", ["a", "b", "c"], ALLOWED),
        ("ForAllValues:StringEquals", "k:many", ["a"], REFUSED),
        ("ForAllValues:StringEquals", "x:unheard-of", ["a"], ALLOWED),
        ("ForAnyValue:StringLike", "k:many", ["a*"], ALLOWED),
        ("ForAnyValue:StringNotEquals", "k:many", ["a"], ALLOWED),
        ("ForAnyValue:StringNotEquals", "k:many", ["a", "b"], REFUSED),
        ("ForAnyValue:StringEqualsIfExists", "x:unheard-of", ["a"], REFUSED),
        ("NumericLessThan", "k:number", 8, ALLOWED),
        ("NumericGreaterThanEquals", "k:number", "7.5", REFUSED),
        ("NumericNotEquals", "k:number", ["1", "2"], ALLOWED),
        ("NumericEquals", "k:number", "seven", REFUSED),
        ("DateLessThan", "k:date", "9" * 40, REFUSED),
        ("DateGreaterThan", "k:date", "2026-01-01", ALLOWED),
        ("DateLessThan", "k:date", "2026-06-01T00:00:00Z", REFUSED),
        ("DateEquals", "k:date", "1780272000", ALLOWED),
        ("IpAddress", "k:address", "203.0.113.0/24", ALLOWED),
        ("IpAddress", "k:address", ["2001:db8::/32", "203.0.113.8"], REFUSED),
        ("NotIpAddress", "k:address", "203.0.113.0/24", REFUSED),
        ("ArnLike", "k:arn", "arn:aws:iot:*:*:topic/*", ALLOWED),
        ("ArnNotEquals", "k:arn", "arn:aws:iot:*:*:topic/*", REFUSED),
        ("StringEquals", "aws:SourceVpc", "vpc-1", UNDECIDED),
        ("StringEqualsIfExists", "aws:SourceVpc", "vpc-1", UNDECIDED),
        ("Null", "aws:SourceVpc", "true", UNDECIDED),
        ("StringEquals", "iot:ClientId", "${aws:userid}", UNDECIDED),
        ("StringLike", "iot:ClientId", "x-${aws:userid}", REFUSED),
        ("BinaryEquals", "k:number", "Nw==", UNDECIDED),
        ("StrinLike", "x:unheard-of", "a", UNDECIDED),
        ("ForSomeValues:StringEquals", "k:many", "a", UNDECIDED),
    ],
)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_conditions(operator: str, key: str, wanted: Any, verdict: Verdict, effect: str) -> None:
    more = {
        "k:many": ["a", "b"],
        "k:yes": ["true"],
        "k:number": ["7"],
        "k:date": ["2026-06-01T00:00:00+00:00"],
        "k:address": ["203.0.113.7"],
        "k:arn": [TOPIC],
    }
    statement = allow(Condition={operator: {key: wanted}}) | {"Effect": effect}
    if effect == "Allow":
        assert ask(document(statement), more=more).verdict is verdict
    else:
        assert ask(document(allow(), statement), more=more).verdict is Verdict(2 - verdict)


def test_what_is_open_is_named_and_decided_when_it_is_told() -> None:
    only_here = document(
        allow(
            resource=f"{ARN}:topic/{AUD}/*/${{aws:userid}}",
            Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}} | LIKE_ME,
        )
    )
    decision = ask(only_here)
    assert (decision.verdict, decision.depends) == (UNDECIDED, ["aws:SourceIp", "aws:userid"])
    told = {"aws:SourceIp": ["203.0.113.7"], "aws:userid": [ME]}
    assert ask(only_here, more=told).verdict is ALLOWED
    assert ask(only_here, more=told | {"aws:SourceIp": ["198.51.100.1"]}).verdict is REFUSED
    assert ask(only_here, resource=f"{ARN}:topic/else").verdict is REFUSED


def test_what_depends_on_very_much_is_found_in_no_time() -> None:
    many = allow(resource=[f"{ARN}:topic/${{aws:x{number}}}*" for number in range(20_000)])
    decision = ask(document(many))
    assert (decision.verdict, len(decision.depends)) == (UNDECIDED, 20_000)
    assert decision.found[0].resource.endswith("topic/${aws:x2}* and 19997 more")


def test_a_denial_that_is_open_leaves_it_open() -> None:
    night = deny(Condition={"DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}})
    assert ask(document(allow(), night)).verdict is UNDECIDED
    assert ask(document(night)).verdict is REFUSED
    assert ask(document(allow(), night), more={"aws:CurrentTime": ["2029-01-01"]}).verdict is ALLOWED


@pytest.mark.parametrize(
    ("key", "good", "bad", "what"),
    [
        ("aws:SourceIp", "2001:db8::1", "203.0.113.0/24", "an address, such as 203.0.113.7"),
        ("AWS:currenttime", "2026-11-23", "noon", "a time: 2026-11-23T18:00:00Z"),
        ("aws:EpochTime", "1780272000", "9" * 40, "a time: 2026-11-23T18:00:00Z"),
        ("aws:MultiFactorAuthAge", "3600", "long", "a number of seconds"),
        ("iot:Connection.Thing.IsAttached", "true", "yes", "true or false"),
    ],
)
def test_what_a_key_cannot_be_is_told(key: str, good: str, bad: str, what: str) -> None:
    assert (wants(key, good), wants(key, bad), wants("x:y", bad)) == (None, what, None)


def test_who_is_no_thing_has_no_value_of_one() -> None:
    thing = document(allow(resource=f"{ARN}:topic/${{iot:Connection.Thing.ThingName}}"))
    topic = f"{ARN}:topic/sensor"
    assert ask(thing, resource=topic).depends == ["iot:Connection.Thing.ThingName"]
    assert ask(thing, resource=topic, more={"iot:Connection.Thing.ThingName": ["sensor"]}).verdict is ALLOWED
    none = ask(thing, resource=topic, more={"iot:Connection.Thing.IsAttached": ["false"]})
    assert (none.verdict, none.near[0].why) == (
        REFUSED,
        "${iot:Connection.Thing.ThingName} stands for nothing: the identity is attached to no thing",
    )


# -- explaining


@pytest.mark.parametrize(
    ("action", "asked", "statement", "why"),
    [
        (
            "iot:Publish",
            TOPIC,
            allow("iot:*", f"{ARN}:topicfilter/{AUD}/*"),
            "its resource begins with topicfilter/, and iot:Publish takes topic/",
        ),
        (
            "iot:Subscribe",
            FILTER,
            allow("iot:*", [f"{ARN}:client/*", f"{ARN}:topic/{AUD}/*"]),
            "its resource begins with topic/, and iot:Subscribe takes topicfilter/",
        ),
        (
            "iot:Subscribe",
            FILTER,
            allow("iot:*", f"{ARN}:topic/elsewhere"),
            "its resource begins with topic/, and iot:Subscribe takes topicfilter/",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow("iot:*", f"{ARN}:topic/{SUB}"),
            "its resource begins with topic/, and iot:Connect takes client/",
        ),
        (
            "iot:Subscribe",
            FILTER,
            allow("iot:*", [f"{ARN}:topic/else", f"{ARN}:topicfilter/else"]),
            "it is for topicfilter/else",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"{ARN}:topic/{AUD}/*/${{cognito-identity.amazonaws.com:subb}}"),
            f"${{cognito-identity.amazonaws.com:subb}} stands for nothing: is {SUB} meant?",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"{ARN}:topic/${{iot:Certificate.Subject.CommonName}}"),
            "${iot:Certificate.Subject.CommonName} stands for nothing: who signs in to a pool shows no certificate",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"{ARN}:topic/${{aws:username}}"),
            "${aws:username} stands for nothing: only IAM users have it, and who signs in to a pool has a role",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(Condition={"ForAllValues:StringLike": {"cognito-identity.amazonaws.com:amr": "x"}}),
            "its condition ForAllValues:StringLike cognito-identity.amazonaws.com:amr x does not hold:"
            " it is authenticated, …",
        ),
        ("iot:Publish", TOPIC, allow(resource=f"{ARN}:topic/${{quux}}"), "${quux} stands for nothing"),
        *(
            (
                "iot:Publish",
                TOPIC,
                allow(resource=f"{ARN}:topic/{AUD}/*/{lost}"),
                f"its {lost} is plain text: is {SUB} meant?",
            )
            for lost in (SUB[1:], SUB[:-1], SUB.replace("{", "").rstrip("}"))
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(Condition={"StringLike": {"iot:ClientId": f"{SUB[1:]}*"}}),
            f"its {SUB[1:]} is plain text: is {SUB} meant?",
        ),
        ("iot:Publish", TOPIC, allow("iot:Pubish"), "its action is iot:Pubish: is iot:Publish meant?"),
        ("iot:Publish", TOPIC, allow(["x", "publish"]), "its action is publish: is iot:Publish meant?"),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=[f"{ARN}:topic/{'long' * 5000}", *map(str, range(20_000))]),
            f"it is for topic/{'long' * 48}lo…",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=[f"{ARN}:topic/x/*{number}?y" for number in range(20_000)]),
            "it is for topic/x/*0?y, topic/x/*1?y, topic/x/*2?y and 19997 more",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(Condition={"StringLike": {"iot:ClientId": [f"*{number}?y" for number in range(20_000)]}}),
            f"its condition StringLike iot:ClientId *0?y, *1?y, *2?y and 19997 more does not hold: it is {ME}-1a2b3c4d",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"arn:aws:iot:REGION:123456789012:topic/{AUD}/*"),
            "its region is 'REGION', and here it is 'us-east-1'",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"arn:aws:iot:us-east-1:ACCOUNT:topic/{AUD}/*"),
            "its account is 'ACCOUNT', and here it is '123456789012'",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource="arn:aws-cn:iot:*:*:topic/*"),
            "its partition is 'aws-cn', and here it is 'aws'",
        ),
        (
            "iot:Subscribe",
            f"{ARN}:topicfilter/{POOL}/ops/night/+",
            allow(resource=f"{ARN}:topicfilter/{POOL}/#"),
            f"in its topicfilter/{POOL}/# '+' and '#' are plain characters: the wildcard of a policy is '*'",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(resource=f"{ARN}:client/{SUB}"),
            f"its client/{SUB} ends too early: with '*' at its end it would match",
        ),
        ("iot:Publish", TOPIC, allow(resource=f"{ARN}:topic/{AUD}/"), f"it is for topic/{AUD}/"),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"{ARN}:topic/{AUD}/ops/{SUB}"),
            f"it is for topic/{AUD}/ops/{SUB}",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(Condition={"StringEquals": {"iot:ClientId": SUB}}),
            f"its condition StringEquals iot:ClientId {SUB} does not hold: it is {ME}-1a2b3c4d",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(Condition={"StringLike": {"iot:ClientIdd": "x"}}),
            "its condition StringLike iot:ClientIdd x does not hold: iot:ClientIdd stands for nothing:"
            " is iot:ClientId meant?",
        ),
    ],
)
def test_a_statement_that_was_meant_says_why_it_does_not_apply(
    action: str, asked: str, statement: dict[str, Any], why: str
) -> None:
    decision = ask(document(statement, allow("iot:GetThingShadow")), action, asked)
    assert decision.verdict is REFUSED
    assert [one.why for one in decision.near] == [why]


# -- reading


def test_a_policy_is_read_as_it_is_and_out_of_what_the_aws_cli_prints() -> None:
    plain = {"Version": "2012-10-17", "Statement": allow("iot:Publish")}
    shapes = {
        "file": plain,
        "team": {"policyName": "team", "policyDocument": json.dumps(plain), "defaultVersionId": "2"},
        "rooms": {"RoleName": "r", "PolicyName": "rooms", "PolicyDocument": plain},
        "managed": {"PolicyVersion": {"Document": plain, "VersionId": "v1"}},
    }
    for name, shape in shapes.items():
        read = parse("file" if name in ("team", "rooms") else name, json.dumps(shape).encode())
        assert (read.name, ask(read).verdict) == (name, ALLOWED)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "is not JSON"),
        (b"\xff", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "is no policy"),
        ({"Version": "2012-10-17"}, "is no policy"),
        ({"Version": 2012, "Statement": []}, "its Version is 2012"),
        ({"Version": "2012-10-18", "Statement": []}, 'its Version is "2012-10-18": write "2012-10-17"'),
        ({"Version": nested(3000), "Statement": []}, 'its Version is no text: write "2012-10-17"'),
        ('{"Statement": [], "Statement": []}', "has 'Statement' twice in one object"),
        ('{"Statement": {"Effect": "Deny", "Effect": "Allow"}}', "has 'Effect' twice in one object"),
        ('{"Statement": {"Condition": {"Bool": {}, "Bool": {}}}}', "has 'Bool' twice in one object"),
        (json.dumps({"policyDocument": '{"Version": "", "Version": ""}'}), "has 'Version' twice"),
        (nested(3000), "is no policy"),
        (json.dumps(nested(300)), "is no policy"),
        ({"Statement": allow([])}, "has an empty 'Action', which AWS refuses"),
        ({"Statement": allow(resource=[])}, "has an empty 'Resource'"),
        ({"Statement": {"Effect": "Deny", "NotAction": [], "Resource": "*"}}, "has an empty 'NotAction'"),
        ({"Statement": ["x"]}, "statement 1 is no JSON object"),
        ({"Statement": [allow(), allow(Effect="allow")]}, "statement 2 has no Effect"),
        ({"Statement": {"Effect": "Allow", "Action": "*"}}, "statement 1 needs 'Resource' or 'NotResource'"),
        ({"Statement": allow(NotAction="*")}, "needs 'Action' or 'NotAction', and not both"),
        ({"Statement": allow(Resources="*")}, "has 'Resources', which"),
        ({"Statement": allow(Principal="*")}, "has 'Principal', which"),
        ({"Statement": allow(7)}, "has a 'Action' that is neither a text nor a list"),
        ({"Statement": allow(Condition=[])}, "has a 'Condition' that is not"),
        ({"Statement": allow(Condition={"Bool": "x"})}, "has a 'Condition' that is not"),
        ({"Statement": allow(Condition={"Bool": {"a": None}})}, "has a condition Bool on a without"),
    ],
)
def test_what_is_no_policy_is_refused_by_name(given: Any, words: str) -> None:
    with pytest.raises(LocalError) as told:
        parse("team.json", given)
    assert str(told.value).startswith("team.json: ")
    assert words in str(told.value)


# -- what holds for all of them

few = settings(max_examples=80, deadline=None, derandomize=True)
patterns = st.sampled_from(
    [
        "*",
        TOPIC,
        FILTER,
        CLIENT,
        f"{ARN}:topic/{AUD}/*/{SUB}",
        f"{ARN}:topicfilter/{AUD}/*",
        f"{ARN}:client/{SUB}*",
        f"{ARN}:topic/${{aws:userid}}",
        f"{ARN}:topic/${{x}}",
        f"{ARN}:topic/{AUD}/??????/*",
        "arn:aws:iot",
    ]
)
actions = st.sampled_from(["*", "iot:*", "iot:Publish", "iot:Subscribe", "iot:Connect", "sns:*"])
conditions = st.sampled_from(
    [{}, LIKE_ME, {"StringEquals": {"aws:userid": "x"}}, {"StringNotLike": {"iot:ClientId": "*"}}]
)
statements = st.builds(
    lambda effect, action, resource, condition, but: (
        {"Effect": effect, "Action": action, "Condition": condition}
        | {"NotResource" if but else "Resource": resource}
    ),
    st.sampled_from(["Allow", "Deny"]),
    actions,
    st.lists(patterns, min_size=1, max_size=3),
    conditions,
    st.booleans(),
)
many = st.lists(statements, max_size=4)
asked = st.sampled_from([("iot:Publish", TOPIC), ("iot:Subscribe", FILTER), ("iot:Connect", CLIENT)])


@few
@given(many, statements, asked)
def test_one_more_allowance_takes_nothing_away(
    some: list[dict[str, Any]], one: dict[str, Any], wanted: tuple[str, str]
) -> None:
    one = one | {"Effect": "Allow"}
    assert ask(document(*some, one), *wanted).verdict >= ask(document(*some), *wanted).verdict


@few
@given(many, statements, asked)
def test_one_more_denial_gives_nothing(
    some: list[dict[str, Any]], one: dict[str, Any], wanted: tuple[str, str]
) -> None:
    one = one | {"Effect": "Deny"}
    assert ask(document(*some, one), *wanted).verdict <= ask(document(*some), *wanted).verdict


@few
@given(many, asked)
def test_a_denial_of_all_wins(some: list[dict[str, Any]], wanted: tuple[str, str]) -> None:
    assert ask(document(*some, deny()), *wanted).verdict is REFUSED


@few
@given(many, asked, st.randoms())
def test_neither_order_nor_distribution_matters(
    some: list[dict[str, Any]], wanted: tuple[str, str], random: Any
) -> None:
    verdict = ask(document(*some), *wanted).verdict
    random.shuffle(some)
    assert ask(document(*some), *wanted).verdict is verdict
    assert ask([document(one) for one in some], *wanted).verdict is verdict


@few
@given(many, asked, st.sampled_from(["x", "y", ME]))
def test_what_is_decided_stays_so_whatever_is_told_besides(
    some: list[dict[str, Any]], wanted: tuple[str, str], told: str
) -> None:
    before = ask(document(*some), *wanted)
    after = ask(document(*some), *wanted, more={"aws:userid": [told]})
    assert before.verdict in (after.verdict, UNDECIDED)
    assert after.verdict is not UNDECIDED
    assert (before.verdict is UNDECIDED) == bool(before.depends)


@few
@given(st.text(alphabet="ab*?${}:,'/ xt"), st.text(alphabet="abx*${}"))
def test_whatever_stands_in_a_resource_is_understood(pattern: str, text: str) -> None:
    decision = ask(document(allow(resource=pattern)), resource=f"{ARN}:topic/{text}")
    assert decision.verdict in Verdict
    assert (decision.verdict is ALLOWED) == bool(decision.found)


@settings(few, max_examples=300)
@given(st.text(alphabet="ab*?", max_size=12), st.text(alphabet="ab", max_size=12))
def test_wildcards_are_those_of_a_shell(pattern: str, text: str) -> None:
    decision = ask(document(allow(resource=f"{ARN}:topic/{pattern}")), resource=f"{ARN}:topic/{text}")
    assert (decision.verdict is ALLOWED) == fnmatchcase(text, pattern)
