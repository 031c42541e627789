"""AWS behavior: a request is allowed only if the identity's role AND its attached IoT policies allow it.

docs.aws.amazon.com/iot/latest/developerguide/cog-iot-policies.html

ministack 1.5.33 verifies signatures and evaluates IAM policies. But it ignores the IoT policies of an identity, and
does not replace the policy variables of Cognito. This patch replaces `iot._mqtt_iam_allows`, through which the engine
asks, with the evaluator of `aws-iot policy`.
"""

import json
import logging
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ministack.core.responses import request_scope
from ministack.services import iam, iot, sts

from aws_iot.config.partitions import iot_arn
from aws_iot.errors import LocalError
from aws_iot.policy.context import AMR, IS_ATTACHED, identity_request
from aws_iot.policy.documents import Document, parse
from aws_iot.policy.evaluate import Verdict, decide

_log = logging.getLogger(__name__)

CLIENT = "client/"

_identities: dict[str, dict[str, str]] = {}
"""The identity behind each access key that was used.

The engine forgets a key when it expires, but on AWS an open connection outlives the key that opened it.
"""


def apply() -> None:
    """Let the engine's broker ask `allows`."""
    iot._mqtt_iam_allows = allows


def allows(account: str, region: str, credential: tuple[str, str], action: str, resource: str) -> bool:
    """Whether the identity whose key signed a connection may perform `action`, such as `iot:Publish` on `topic/…`."""
    access_key, key_account = credential
    identity = sts._sessions.get(access_key) or _identities.get(access_key, {})
    if "_identity_id" not in identity:
        return False  # only identities of a pool can use MQTT here
    _identities[access_key] = identity
    request = identity_request(
        action,
        iot_arn(region, account, resource),
        identity=identity["_identity_id"],
        pool=identity["_identity_pool_id"],
        client=resource.removeprefix(CLIENT) if resource.startswith(CLIENT) else None,
        # No identity is attached to a thing here.
        more={IS_ATTACHED: ["false"], AMR: [identity["_cognito_auth_type"]]},
    )
    with request_scope(key_account, region):
        layers = [_role_policies(identity["Arn"])]
        if identity["_cognito_auth_type"] == "authenticated":
            layers.append(_attached_policies(identity["_identity_id"]))
    return all(decide(_parse_all(documents), request).verdict is Verdict.ALLOWED for documents in layers)


def _role_policies(session_arn: str) -> Iterable[str]:
    role = iam._roles.get(session_arn.split("/")[1]) or {}
    return [d if isinstance(d, str) else json.dumps(d) for d in (role.get("InlinePolicies") or {}).values()]


def _attached_policies(identity: str) -> Iterable[str]:
    return [
        policy["versions"][policy["defaultVersionId"]]["document"]
        for policy in iot._policies.values()
        if identity in policy.get("targets", ())
    ]


def _parse_all(documents: Iterable[str]) -> Iterator[Document]:
    for text in documents:
        try:
            yield _parse(text)
        except LocalError as error:  # the engine accepts policies that AWS rejects
            _log.warning("ignoring a policy: %s", error)


@lru_cache(maxsize=256)
def _parse(text: str) -> Document:
    return parse("policy", text)
