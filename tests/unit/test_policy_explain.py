"""Explanations of a refusal: what is probably wrong with a statement that nearly applies."""

from typing import Any

import pytest

from aws_iot.policy.explain import how_to_decide, near_misses
from aws_iot.policy.logic import Unknown
from tests.policies import (
    ARN,
    AUD,
    CLIENT,
    FILTER,
    ME,
    POOL,
    REFUSED,
    SUB,
    TOPIC,
    allow,
    ask,
    deny,
    document,
    request,
)


@pytest.mark.parametrize(
    ("action", "resource", "statement", "reason"),
    [
        (
            "iot:Publish",
            TOPIC,
            allow("iot:*", f"{ARN}:topicfilter/{AUD}/*"),
            "its resource begins with topicfilter/, but iot:Publish needs topic/",
        ),
        (
            "iot:Subscribe",
            FILTER,
            allow("iot:*", [f"{ARN}:client/*", f"{ARN}:topic/{AUD}/*"]),
            "its resource begins with topic/, but iot:Subscribe needs topicfilter/",
        ),
        (
            "iot:Subscribe",
            FILTER,
            allow("iot:*", f"{ARN}:topic/elsewhere"),
            "its resource begins with topic/, but iot:Subscribe needs topicfilter/",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow("iot:*", f"{ARN}:topic/{SUB}"),
            "its resource begins with topic/, but iot:Connect needs client/",
        ),
        (
            "iot:Subscribe",
            FILTER,
            allow("iot:*", [f"{ARN}:topic/else", f"{ARN}:topicfilter/else"]),
            "it applies to topicfilter/else",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"{ARN}:topic/{AUD}/*/${{cognito-identity.amazonaws.com:subb}}"),
            f"${{cognito-identity.amazonaws.com:subb}} has no value; did you mean {SUB}?",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"{ARN}:topic/${{iot:Certificate.Subject.CommonName}}"),
            "${iot:Certificate.Subject.CommonName} has no value: members sign in to a pool, without a certificate",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"{ARN}:topic/${{aws:username}}"),
            "${aws:username} has no value: only IAM users have it, and members use a role",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(Condition={"ForAllValues:StringLike": {"cognito-identity.amazonaws.com:amr": "x"}}),
            "its condition ForAllValues:StringLike cognito-identity.amazonaws.com:amr x fails:"
            " the value is authenticated, …",
        ),
        ("iot:Publish", TOPIC, allow(resource=f"{ARN}:topic/${{quux}}"), "${quux} has no value"),
        *(
            (
                "iot:Publish",
                TOPIC,
                allow(resource=f"{ARN}:topic/{AUD}/*/{lost}"),
                f"its {lost} is plain text; did you mean {SUB}?",
            )
            for lost in (SUB[1:], SUB[:-1], SUB.replace("{", "").rstrip("}"))
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(Condition={"StringLike": {"iot:ClientId": f"{SUB[1:]}*"}}),
            f"its {SUB[1:]} is plain text; did you mean {SUB}?",
        ),
        ("iot:Publish", TOPIC, allow("iot:Pubish"), "its action is iot:Pubish; did you mean iot:Publish?"),
        ("iot:Publish", TOPIC, allow(["x", "publish"]), "its action is publish; did you mean iot:Publish?"),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=[f"{ARN}:topic/{'long' * 5000}", *map(str, range(20_000))]),
            f"it applies to topic/{'long' * 48}lo…",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=[f"{ARN}:topic/x/*{number}?y" for number in range(20_000)]),
            "it applies to topic/x/*0?y, topic/x/*1?y, topic/x/*2?y and 19997 more",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(Condition={"StringLike": {"iot:ClientId": [f"*{number}?y" for number in range(20_000)]}}),
            f"its condition StringLike iot:ClientId *0?y, *1?y, *2?y and 19997 more fails: the value is {ME}-1a2b3c4d",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"arn:aws:iot:REGION:123456789012:topic/{AUD}/*"),
            "its region is 'REGION', but here it is 'us-east-1'",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"arn:aws:iot:us-east-1:ACCOUNT:topic/{AUD}/*"),
            "its account is 'ACCOUNT', but here it is '123456789012'",
        ),
        (
            "iot:Publish",
            TOPIC,
            allow(resource="arn:aws-cn:iot:*:*:topic/*"),
            "its partition is 'aws-cn', but here it is 'aws'",
        ),
        (
            "iot:Subscribe",
            f"{ARN}:topicfilter/{POOL}/ops/night/+",
            allow(resource=f"{ARN}:topicfilter/{POOL}/#"),
            f"'+' and '#' in its topicfilter/{POOL}/# are plain characters; use '*', the wildcard of policies",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(resource=f"{ARN}:client/{SUB}"),
            f"its client/{SUB} ends too early; it would match with '*' at the end",
        ),
        ("iot:Publish", TOPIC, allow(resource=f"{ARN}:topic/{AUD}/"), f"it applies to topic/{AUD}/"),
        (
            "iot:Publish",
            TOPIC,
            allow(resource=f"{ARN}:topic/{AUD}/ops/{SUB}"),
            f"it applies to topic/{AUD}/ops/{SUB}",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(Condition={"StringEquals": {"iot:ClientId": SUB}}),
            f"its condition StringEquals iot:ClientId {SUB} fails: the value is {ME}-1a2b3c4d",
        ),
        (
            "iot:Connect",
            CLIENT,
            allow(Condition={"StringLike": {"iot:ClientIdd": "x"}}),
            "its condition StringLike iot:ClientIdd x fails: iot:ClientIdd has no value;"
            " did you mean iot:ClientId?",
        ),
    ],
)
def test_a_near_miss_says_why_the_statement_does_not_apply(
    action: str, resource: str, statement: dict[str, Any], reason: str
) -> None:
    policy = document(statement, allow("iot:GetThingShadow"))
    assert ask(policy, action, resource).verdict is REFUSED
    assert [one.reason for one in near_misses([policy], request(action, resource))] == [reason]


def test_a_document_without_the_newer_version_is_pointed_out() -> None:
    old = document(allow(resource=f"{ARN}:topic/{AUD}/*/{SUB}"), version=None)
    [near] = near_misses([old], request())
    assert near.reason == f"its document has no Version 2012-10-17, so {AUD} is plain text"


def test_a_resource_that_is_an_exception_is_pointed_out() -> None:
    all_but_one = document({"Effect": "Allow", "NotAction": "iot:Connect", "NotResource": TOPIC})
    assert [one.reason for one in near_misses([all_but_one], request())] == [
        "its NotResource covers this resource"
    ]


def test_a_variable_of_a_thing_that_is_not_attached_is_pointed_out() -> None:
    thing = document(allow(resource=f"{ARN}:topic/${{iot:Connection.Thing.ThingName}}"))
    [near] = near_misses([thing], request(more={"iot:Connection.Thing.IsAttached": ["false"]}))
    assert near.reason == (
        "${iot:Connection.Thing.ThingName} has no value: the identity is not attached to a thing"
    )


def test_statements_about_other_actions_and_deny_statements_are_not_near_misses() -> None:
    policy = document(allow("iot:Connect"), deny(resource=f"{ARN}:topic/else"))
    assert near_misses([policy], request()) == ()


def test_only_a_probable_mistake_is_called_one() -> None:
    other, misspelled = allow(resource=f"{ARN}:topic/{AUD}/ops/{SUB}"), allow("iot:Pubish")
    assert [one.is_mistake for one in near_misses([document(other, misspelled)], request())] == [False, True]


def test_missing_values_and_unknown_operators_come_with_what_to_do() -> None:
    unknown = Unknown(frozenset(["aws:SourceIp", "aws:userid"]), frozenset(["StrinLike", "BinaryEquals"]))
    assert how_to_decide(unknown) == (
        "Give the missing values with --context: aws:SourceIp=…, aws:userid=…\n"
        "The operator BinaryEquals is unknown.\n"
        "The operator StrinLike is unknown; did you mean StringLike?"
    )
