"""The policy evaluator: wildcards, variables, conditions, and which statements decide."""

from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.policy.context import expected_instead, identity_request
from aws_iot.policy.evaluate import Verdict, decide
from aws_iot.policy.logic import Unknown
from tests.policies import (
    ALLOWED,
    ARN,
    AUD,
    CLIENT,
    FILTER,
    LIKE_ME,
    ME,
    POOL,
    REFUSED,
    SUB,
    TOPIC,
    UNDECIDED,
    allow,
    ask,
    deny,
    document,
)

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
def test_special_characters_can_be_escaped(plain: str) -> None:
    only = document(allow(resource=f"{ARN}:topic/a${{{plain}}}"))
    assert ask(only, resource=f"{ARN}:topic/a{plain}").verdict is ALLOWED
    assert ask(only, resource=f"{ARN}:topic/ax").verdict is REFUSED


@pytest.mark.parametrize("wanted", ["#", "+/x", "a", "lobby/+"])
def test_policy_wildcards_match_mqtt_wildcards(wanted: str) -> None:
    pool = document(allow("iot:Subscribe", f"{ARN}:topicfilter/{AUD}/*"))
    assert ask(pool, "iot:Subscribe", f"{ARN}:topicfilter/{POOL}/{wanted}").verdict is ALLOWED


@pytest.mark.parametrize("version", [None, "2008-10-17"])
def test_only_documents_with_the_newer_version_have_variables(version: str | None) -> None:
    old = document(allow(resource=f"{ARN}:topic/{AUD}/*/{SUB}"), version=version)
    assert ask(old).verdict is REFUSED
    assert ask(old, resource=f"{ARN}:topic/{AUD}/x/{SUB}").verdict is ALLOWED


def test_the_value_of_a_variable_is_not_a_pattern() -> None:
    own = document(allow(resource="arn:aws:iot:*:*:topic/${iot:ClientId}"))
    star = identity_request("iot:Publish", f"{ARN}:topic/else", identity=ME, pool=POOL, client="*")
    assert decide([own], star).verdict is REFUSED


def test_patterns_with_many_wildcards_are_matched_quickly() -> None:
    many = document(allow(resource=f"{ARN}:topic/" + "*a" * 60 + "b"))
    assert ask(many, resource=f"{ARN}:topic/" + "a" * 240).verdict is REFUSED
    assert ask(many, resource=f"{ARN}:topic/" + "a" * 240 + "b").verdict is ALLOWED


def test_not_action_and_not_resource_list_exceptions() -> None:
    most = {"Effect": "Allow", "NotAction": "iot:Connect", "NotResource": f"{ARN}:topic/{AUD}/secret/*"}
    assert ask(document(most)).verdict is ALLOWED
    assert ask(document(most), "iot:Connect", CLIENT).verdict is REFUSED
    assert ask(document(most), resource=f"{ARN}:topic/{POOL}/secret/{ME}").verdict is REFUSED


# -- deciding


def test_a_match_names_the_allowing_statement_action_and_resource() -> None:
    rooms = document(
        allow("iot:Connect"),
        allow(["iot:Sub*", "iot:Pub*"], ["x", f"{ARN}:topic/*"], Sid="Speak"),
        name="rooms",
    )
    [found] = ask(rooms).matches
    assert (found.document, found.statement, found.effect) == ("rooms", "Speak", "Allow")
    assert (found.action, found.resource) == ("iot:Pub*", f"{ARN}:topic/*")
    [connect] = ask(rooms, "iot:Connect", CLIENT).matches
    assert connect.statement == "statement 1"


def test_a_deny_statement_overrides_allow_statements() -> None:
    decision = ask([document(allow()), document(deny("iot:Pub*", Sid="Quiet"), name="night")])
    assert decision.verdict is REFUSED
    assert [(one.document, one.statement) for one in decision.matches] == [("night", "Quiet")]


def test_an_action_without_any_statement_is_refused() -> None:
    decision = ask(document(allow("iot:Connect")))
    assert (decision.verdict, decision.matches) == (REFUSED, ())
    assert ask([]).verdict is REFUSED


# -- conditions


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


def test_an_undecided_request_names_the_missing_keys_and_is_decided_once_they_are_given() -> None:
    only_here = document(
        allow(
            resource=f"{ARN}:topic/{AUD}/*/${{aws:userid}}",
            Condition={"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}} | LIKE_ME,
        )
    )
    decision = ask(only_here)
    assert (decision.verdict, decision.unknown.names()) == (UNDECIDED, ["aws:SourceIp", "aws:userid"])
    values = {"aws:SourceIp": ["203.0.113.7"], "aws:userid": [ME]}
    assert ask(only_here, more=values).verdict is ALLOWED
    assert ask(only_here, more=values | {"aws:SourceIp": ["198.51.100.1"]}).verdict is REFUSED
    assert ask(only_here, resource=f"{ARN}:topic/else").verdict is REFUSED


def test_a_decision_that_depends_on_thousands_of_keys_is_quick() -> None:
    many = allow(resource=[f"{ARN}:topic/${{aws:x{number}}}*" for number in range(20_000)])
    decision = ask(document(many))
    assert (decision.verdict, len(decision.unknown.keys)) == (UNDECIDED, 20_000)
    assert decision.matches[0].resource.endswith("topic/${aws:x2}* and 19997 more")


def test_a_deny_statement_that_may_apply_leaves_the_request_undecided() -> None:
    night = deny(Condition={"DateGreaterThan": {"aws:CurrentTime": "2030-01-01"}})
    assert ask(document(allow(), night)).verdict is UNDECIDED
    assert ask(document(night)).verdict is REFUSED
    assert ask(document(allow(), night), more={"aws:CurrentTime": ["2029-01-01"]}).verdict is ALLOWED


@pytest.mark.parametrize(
    ("key", "good", "bad", "expected"),
    [
        ("aws:SourceIp", "2001:db8::1", "203.0.113.0/24", "an address, such as 203.0.113.7"),
        ("AWS:currenttime", "2026-11-23", "noon", "a time, such as 2026-11-23T18:00:00Z"),
        ("aws:EpochTime", "1780272000", "9" * 40, "a time, such as 2026-11-23T18:00:00Z"),
        ("aws:MultiFactorAuthAge", "3600", "long", "a number of seconds"),
        ("iot:Connection.Thing.IsAttached", "true", "yes", "true or false"),
    ],
)
def test_values_that_a_key_cannot_have_are_rejected(key: str, good: str, bad: str, expected: str) -> None:
    assert expected_instead(key, good) is None
    assert expected_instead(key, bad) == expected
    assert expected_instead("x:y", bad) is None


def test_thing_variables_have_no_value_if_no_thing_is_attached() -> None:
    thing = document(allow(resource=f"{ARN}:topic/${{iot:Connection.Thing.ThingName}}"))
    topic = f"{ARN}:topic/sensor"
    assert ask(thing, resource=topic).unknown == Unknown(frozenset(["iot:Connection.Thing.ThingName"]))
    assert ask(thing, resource=topic, more={"iot:Connection.Thing.ThingName": ["sensor"]}).verdict is ALLOWED
    not_attached = {"iot:Connection.Thing.IsAttached": ["false"]}
    assert ask(thing, resource=topic, more=not_attached).verdict is REFUSED


# -- properties of all policies

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
def test_another_allow_statement_never_makes_the_verdict_stricter(
    some: list[dict[str, Any]], one: dict[str, Any], wanted: tuple[str, str]
) -> None:
    one = one | {"Effect": "Allow"}
    assert ask(document(*some, one), *wanted).verdict >= ask(document(*some), *wanted).verdict


@few
@given(many, statements, asked)
def test_another_deny_statement_never_makes_the_verdict_weaker(
    some: list[dict[str, Any]], one: dict[str, Any], wanted: tuple[str, str]
) -> None:
    one = one | {"Effect": "Deny"}
    assert ask(document(*some, one), *wanted).verdict <= ask(document(*some), *wanted).verdict


@few
@given(many, asked)
def test_denying_everything_refuses_everything(some: list[dict[str, Any]], wanted: tuple[str, str]) -> None:
    assert ask(document(*some, deny()), *wanted).verdict is REFUSED


@few
@given(many, asked, st.randoms())
def test_the_order_of_statements_and_their_document_do_not_matter(
    some: list[dict[str, Any]], wanted: tuple[str, str], random: Any
) -> None:
    verdict = ask(document(*some), *wanted).verdict
    random.shuffle(some)
    assert ask(document(*some), *wanted).verdict is verdict
    assert ask([document(one) for one in some], *wanted).verdict is verdict


@few
@given(many, asked, st.sampled_from(["x", "y", ME]))
def test_a_verdict_does_not_change_when_more_values_are_given(
    some: list[dict[str, Any]], wanted: tuple[str, str], value: str
) -> None:
    before = ask(document(*some), *wanted)
    after = ask(document(*some), *wanted, more={"aws:userid": [value]})
    assert before.verdict in (after.verdict, UNDECIDED)
    assert after.verdict is not UNDECIDED
    assert (before.verdict is UNDECIDED) == bool(before.unknown)


@few
@given(st.text(alphabet="ab*?${}:,'/ xt"), st.text(alphabet="abx*${}"))
def test_any_text_in_a_resource_can_be_evaluated(pattern: str, text: str) -> None:
    decision = ask(document(allow(resource=pattern)), resource=f"{ARN}:topic/{text}")
    assert decision.verdict in Verdict
    assert (decision.verdict is ALLOWED) == bool(decision.matches)


@settings(few, max_examples=300)
@given(st.text(alphabet="ab*?", max_size=12), st.text(alphabet="ab", max_size=12))
def test_wildcards_match_as_in_a_shell(pattern: str, text: str) -> None:
    decision = ask(document(allow(resource=f"{ARN}:topic/{pattern}")), resource=f"{ARN}:topic/{text}")
    assert (decision.verdict is ALLOWED) == fnmatchcase(text, pattern)
