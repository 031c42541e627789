"""Short ways to write policies, and to ask what they decide."""

from collections.abc import Mapping
from typing import Any

from aws_iot.policy.context import Request, identity_request
from aws_iot.policy.documents import Document, parse
from aws_iot.policy.evaluate import Decision, Verdict, decide

POOL = "us-east-1:00000000-0000-0000-0000-00000000abcd"
ME = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
SUB = "${cognito-identity.amazonaws.com:sub}"
AUD = "${cognito-identity.amazonaws.com:aud}"
ARN = "arn:aws:iot:us-east-1:123456789012"
TOPIC = f"{ARN}:topic/{POOL}/lobby/{ME}"
FILTER = f"{ARN}:topicfilter/{POOL}/lobby/+"
CLIENT = f"{ARN}:client/{ME}-1a2b3c4d"
REFUSED, UNDECIDED, ALLOWED = Verdict

LIKE_ME = {"StringLike": {"iot:ClientId": f"{SUB}*"}}


def document(*statements: dict[str, Any], version: str | None = "2012-10-17", name: str = "p") -> Document:
    return parse(name, {"Statement": list(statements)} | ({"Version": version} if version else {}))


def allow(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def deny(action: Any = "*", resource: Any = "*", **more: Any) -> dict[str, Any]:
    return allow(action, resource, **more) | {"Effect": "Deny"}


def request(
    action: str = "iot:Publish", resource: str = TOPIC, more: Mapping[str, list[str]] | None = None
) -> Request:
    """My request, with the client ID of `CLIENT`."""
    return identity_request(action, resource, identity=ME, pool=POOL, client=f"{ME}-1a2b3c4d", more=more)


def ask(
    documents: Document | list[Document],
    action: str = "iot:Publish",
    resource: str = TOPIC,
    more: Mapping[str, list[str]] | None = None,
) -> Decision:
    """The decision of one or more documents on my request."""
    documents = documents if isinstance(documents, list) else [documents]
    return decide(documents, request(action, resource, more))
