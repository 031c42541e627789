"""Policy documents: the forms in which they are read, and the errors for what is not a policy."""

import json
from typing import Any

import pytest

from aws_iot.errors import LocalError
from aws_iot.policy.documents import parse
from tests.policies import ALLOWED, allow, ask


def nested(depth: int) -> dict[str, Any]:
    """An object that holds no policy, however often it is unwrapped."""
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"Document": found}
    return found


def test_a_policy_is_read_alone_and_from_the_output_of_the_aws_cli() -> None:
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
        ("{", "not JSON"),
        (b"\xff", "not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("[]", "not a policy"),
        ({"Version": "2012-10-17"}, "not a policy"),
        ({"Version": 2012, "Statement": []}, "its Version is 2012"),
        ({"Version": "2012-10-18", "Statement": []}, 'its Version is "2012-10-18"; use "2012-10-17"'),
        ({"Version": nested(3000), "Statement": []}, 'its Version is not a string; use "2012-10-17"'),
        ('{"Statement": [], "Statement": []}', "'Statement' appears twice in one object"),
        ('{"Statement": {"Effect": "Deny", "Effect": "Allow"}}', "'Effect' appears twice in one object"),
        ('{"Statement": {"Condition": {"Bool": {}, "Bool": {}}}}', "'Bool' appears twice in one object"),
        (json.dumps({"policyDocument": '{"Version": "", "Version": ""}'}), "'Version' appears twice"),
        (nested(3000), "not a policy"),
        (json.dumps(nested(300)), "not a policy"),
        ({"Statement": allow([])}, "has an empty 'Action', which AWS rejects"),
        ({"Statement": allow(resource=[])}, "has an empty 'Resource'"),
        ({"Statement": {"Effect": "Deny", "NotAction": [], "Resource": "*"}}, "has an empty 'NotAction'"),
        ({"Statement": ["x"]}, "statement 1 is not a JSON object"),
        ({"Statement": [allow(), allow(Effect="allow")]}, "statement 2 needs an Effect"),
        (
            {"Statement": {"Effect": "Allow", "Action": "*"}},
            "statement 1 needs either 'Resource' or 'NotResource'",
        ),
        ({"Statement": allow(NotAction="*")}, "needs either 'Action' or 'NotAction'"),
        ({"Statement": allow(Resources="*")}, "has 'Resources', which"),
        ({"Statement": allow(Principal="*")}, "has 'Principal', which"),
        ({"Statement": allow(7)}, "has a 'Action' that is neither a string nor a list"),
        ({"Statement": allow(Condition=[])}, "has a 'Condition' that is not"),
        ({"Statement": allow(Condition={"Bool": "x"})}, "has a 'Condition' that is not"),
        ({"Statement": allow(Condition={"Bool": {"a": None}})}, "has a condition Bool on a that is neither"),
    ],
)
def test_a_file_that_is_not_a_policy_is_rejected_with_its_name(given: Any, words: str) -> None:
    with pytest.raises(LocalError) as raised:
        parse("team.json", given)
    assert str(raised.value).startswith("team.json: ")
    assert words in str(raised.value)
