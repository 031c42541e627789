"""Who may do what at the local broker: what IAM and the attached IoT policies BOTH allow, as on AWS.

ministack 1.5.33 verifies signatures and evaluates IAM policies, but it neither substitutes the
policy variables of a Cognito identity nor looks at the IoT policies attached to one. Its one seam
for that is `ministack.services.iot._mqtt_iam_allows`, which `enforce` replaces by what `aws_iot.policy` decides:
the same that `aws-iot doctor --policy` explains. What it keeps
private and we use is in this module, `aliases`, `faults` and `memory`, so its version is pinned; a test
fails when it moves.
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

_links: dict[str, dict[str, str]] = {}
"""Who connected with a key. The engine forgets a key once it has expired; a link that it opened lives on, as on AWS."""


def enforce() -> None:
    """Make the engine's broker ask `allows`."""
    iot._mqtt_iam_allows = allows


def allows(account: str, region: str, credential: tuple[str, str], action: str, resource: str) -> bool:
    """Whether the identity whose key signed a connection may do `action`, such as `iot:Publish` on `topic/…`.

    Signed-in identities need the role of the pool and an IoT policy attached to them:
    docs.aws.amazon.com/iot/latest/developerguide/cog-iot-policies.html
    """
    access_key, key_account = credential
    identity = sts._sessions.get(access_key) or _links.get(access_key, {})
    if "_identity_id" not in identity:
        return False  # only identities of a pool talk here
    _links[access_key] = identity
    request = identity_request(
        action,
        iot_arn(region, account, resource),
        identity=identity["_identity_id"],
        pool=identity["_identity_pool_id"],
        client=resource.removeprefix(CLIENT) if resource.startswith(CLIENT) else None,
        more={IS_ATTACHED: ["false"], AMR: [identity["_cognito_auth_type"]]},  # nobody is a thing here
    )
    with request_scope(key_account, region):
        grants = [_role_documents(identity["Arn"])]
        if identity["_cognito_auth_type"] == "authenticated":
            grants.append(_attached_documents(identity["_identity_id"]))
    return all(decide(_parsed(documents), request).verdict is Verdict.ALLOWED for documents in grants)


def _role_documents(session_arn: str) -> Iterable[str]:
    role = iam._roles.get(session_arn.split("/")[1]) or {}
    return [d if isinstance(d, str) else json.dumps(d) for d in (role.get("InlinePolicies") or {}).values()]


def _attached_documents(identity: str) -> Iterable[str]:
    return [
        policy["versions"][policy["defaultVersionId"]]["document"]
        for policy in iot._policies.values()
        if identity in policy.get("targets", ())
    ]


def _parsed(documents: Iterable[str]) -> Iterator[Document]:
    for text in documents:
        try:
            yield _parse(text)
        except LocalError as error:  # the engine takes what AWS would not
            _log.warning("a policy that allows nothing: %s", error)


@lru_cache(maxsize=256)
def _parse(text: str) -> Document:
    return parse("policy", text)
