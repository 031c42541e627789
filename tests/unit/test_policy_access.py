"""Access to a room: the questions, and the decision of all layers together."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.errors import InvalidRoom
from aws_iot.policy.access import (
    AccessDecision,
    LayerDecision,
    PolicyLayer,
    Principal,
    Question,
    decide_access,
    questions,
)
from aws_iot.policy.documents import parse
from aws_iot.policy.evaluate import Decision, Verdict

POOL = "us-east-1:00000000-0000-0000-0000-00000000abcd"
ME = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
PRINCIPAL = Principal(ME, POOL, f"{ME}-1a2b3c4d", "us-east-1", "123456789012")
THEM = "us-east-1:00000000-0000-4000-8000-000000000000"
EVERYTHING = parse("all", {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


def asked(**how: object) -> list[tuple[str, str]]:
    return [(one.action, one.resource) for one in questions(PRINCIPAL, **how)]  # type: ignore[arg-type]


def test_a_room_needs_what_sub_and_pub_do() -> None:
    assert asked(room="ops/night") == [
        ("iot:Connect", f"client/{ME}-1a2b3c4d"),
        ("iot:Subscribe", f"topicfilter/{POOL}/ops/night/+"),
        ("iot:Receive", f"topic/{POOL}/ops/night/{THEM}"),  # another member's topic
        ("iot:Publish", f"topic/{POOL}/ops/night/{ME}"),
    ]


def test_without_a_room_it_subscribes_to_all_rooms_and_publishes_in_the_test_room() -> None:
    assert [resource for _, resource in asked()][1:] == [
        f"topicfilter/{POOL}/#",
        f"topic/{POOL}/doctor/{THEM}",
        f"topic/{POOL}/doctor/{ME}",
    ]


def test_a_pattern_allows_only_subscribing() -> None:
    both = [("iot:Connect", f"client/{ME}-1a2b3c4d"), ("iot:Subscribe", f"topicfilter/{POOL}/ops/#")]
    assert asked(room="ops/#") == asked(at=f"{POOL}/ops/#") == both


def test_a_topic_is_used_unchanged() -> None:
    assert {resource.partition("/")[2] for _, resource in asked(at="a/b")[1:]} == {"a/b"}


def test_actions_can_be_chosen() -> None:
    assert [action for action, _ in asked(actions=["retain", "connect"])] == [
        "iot:Connect",
        "iot:RetainPublish",
    ]
    assert [action for action, _ in asked(retain=True)][-2:] == ["iot:Publish", "iot:RetainPublish"]
    assert [action for action, _ in asked(retain=True, actions=["publish"])] == [
        "iot:Publish",
        "iot:RetainPublish",
    ]
    assert asked(room="#", actions=["publish"]) == []


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"room": "x" * 300}, "can have"),
        ({"at": "a" * 257}, "rejects a topic of 257 bytes: the limit is 256"),
        ({"at": "é" * 129}, "rejects a topic of 258 bytes"),
        ({"at": "a/" * 8}, "rejects a topic with 8 slashes: the limit is 7"),
        ({"at": "a/" * 8 + "#"}, "rejects a topic with 8 slashes"),
        ({"at": ""}, "a topic that is empty"),
        ({"at": "a\tb"}, "contains a control character"),
    ],
)
def test_an_impossible_room_or_topic_is_rejected(how: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidRoom, match=words):
        asked(**how)


def test_the_longest_topics_are_accepted() -> None:
    for at in ("a" * 256, "a/" * 7, f"$aws/rules/some/{'a/' * 7}"):
        assert asked(at=at, actions=["publish"]) == [("iot:Publish", f"topic/{at}")]


@pytest.mark.parametrize(
    ("region", "part"),
    [
        ("us-east-1", "aws"),
        ("ap-southeast-2", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
    ],
)
def test_arns_are_in_the_partition_of_the_region(region: str, part: str) -> None:
    assert Principal(ME, POOL, ME, region, "1").arn("topic/x") == f"arn:{part}:iot:{region}:1:topic/x"


@settings(deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=4))
def test_the_strictest_layer_decides(verdicts: list[Verdict]) -> None:
    layer = PolicyLayer("IoT", "x", ())
    decisions = tuple(LayerDecision(layer, Decision(verdict)) for verdict in verdicts)
    assert AccessDecision(Question("a", "b"), decisions).verdict is min(verdicts)
    for some in itertools.permutations(decisions):
        assert AccessDecision(Question("a", "b"), some).verdict is min(verdicts)


def test_without_any_layer_everything_is_refused() -> None:
    assert AccessDecision(Question("a", "b"), ()).verdict is Verdict.REFUSED


def test_a_doubtful_layer_decides_nothing_and_another_can_still_refuse() -> None:
    [publish] = questions(PRINCIPAL, actions=["publish"])
    sure, doubtful = (
        PolicyLayer("role", "r", (EVERYTHING,)),
        PolicyLayer("role", "r", (EVERYTHING,), "who knows"),
    )
    closed = PolicyLayer("IoT", "", ())
    verdicts = [
        decide_access(publish, PRINCIPAL, layers).verdict
        for layers in ([sure], [doubtful], [doubtful, closed])
    ]
    assert verdicts == [Verdict.ALLOWED, Verdict.UNDECIDED, Verdict.REFUSED]
