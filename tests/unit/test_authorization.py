"""What a person may do in a room: what is asked, and what all layers together say."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_iot.errors import InvalidRoom
from aws_iot.policy.access import Answer, LayerDecision, Person, PolicyLayer, Question, answer, questions
from aws_iot.policy.evaluate import Decision, Verdict, parse

POOL = "us-east-1:00000000-0000-0000-0000-00000000abcd"
ME = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
PERSON = Person(ME, POOL, f"{ME}-1a2b3c4d", "us-east-1", "123456789012")
THEM = "us-east-1:00000000-0000-4000-8000-000000000000"
EVERYTHING = parse("all", {"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})


def asked(**how: object) -> list[tuple[str, str]]:
    return [(one.action, one.resource) for one in questions(PERSON, **how)]  # type: ignore[arg-type]


def test_a_room_is_asked_for_as_sub_and_pub_use_it() -> None:
    assert asked(room="ops/night") == [
        ("iot:Connect", f"client/{ME}-1a2b3c4d"),
        ("iot:Subscribe", f"topicfilter/{POOL}/ops/night/+"),
        ("iot:Receive", f"topic/{POOL}/ops/night/{THEM}"),  # not one's own: what others say is heard
        ("iot:Publish", f"topic/{POOL}/ops/night/{ME}"),
    ]


def test_without_a_room_it_is_all_of_them_to_hear_and_another_to_speak_in() -> None:
    assert [resource for _, resource in asked()][1:] == [
        f"topicfilter/{POOL}/#",
        f"topic/{POOL}/doctor/{THEM}",
        f"topic/{POOL}/doctor/{ME}",
    ]


def test_a_pattern_is_only_subscribed_to() -> None:
    both = [("iot:Connect", f"client/{ME}-1a2b3c4d"), ("iot:Subscribe", f"topicfilter/{POOL}/ops/#")]
    assert asked(room="ops/#") == asked(at=f"{POOL}/ops/#") == both


def test_a_topic_is_taken_as_it_is() -> None:
    assert {resource.partition("/")[2] for _, resource in asked(at="a/b")[1:]} == {"a/b"}


def test_what_is_asked_can_be_chosen() -> None:
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
        ({"room": "x" * 300}, "can be"),
        ({"at": "a" * 257}, "refuses a topic of 257 bytes: 256 are the most"),
        ({"at": "é" * 129}, "refuses a topic of 258 bytes"),
        ({"at": "a/" * 8}, "refuses a topic of 8 slashes: 7 are the most"),
        ({"at": "a/" * 8 + "#"}, "refuses a topic of 8 slashes"),
        ({"at": ""}, "no topic that is empty"),
        ({"at": "a\tb"}, "holds a control character"),
    ],
)
def test_a_room_or_topic_that_cannot_be_is_refused(how: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidRoom, match=words):
        asked(**how)


def test_the_longest_topics_are_taken() -> None:
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
def test_the_region_tells_the_partition(region: str, part: str) -> None:
    assert Person(ME, POOL, ME, region, "1").arn("topic/x") == f"arn:{part}:iot:{region}:1:topic/x"


@settings(deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(Verdict), min_size=1, max_size=4))
def test_the_strictest_gate_decides(verdicts: list[Verdict]) -> None:
    layer = PolicyLayer("IoT", "x", ())
    decisions = tuple(LayerDecision(layer, Decision(verdict)) for verdict in verdicts)
    assert Answer(Question("a", "b"), decisions).verdict is min(verdicts)
    for some in itertools.permutations(decisions):
        assert Answer(Question("a", "b"), some).verdict is min(verdicts)


def test_no_gate_at_all_lets_nobody_pass() -> None:
    assert Answer(Question("a", "b"), ()).verdict is Verdict.REFUSED


def test_a_gate_in_doubt_decides_nothing_and_another_still_refuses() -> None:
    [publish] = questions(PERSON, actions=["publish"])
    sure, doubtful = (
        PolicyLayer("role", "r", (EVERYTHING,)),
        PolicyLayer("role", "r", (EVERYTHING,), "who knows"),
    )
    closed = PolicyLayer("IoT", "", ())
    verdicts = [
        answer(publish, PERSON, layers).verdict for layers in ([sure], [doubtful], [doubtful, closed])
    ]
    assert verdicts == [Verdict.ALLOWED, Verdict.UNDECIDED, Verdict.REFUSED]
