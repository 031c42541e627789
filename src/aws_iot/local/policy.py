"""Who may do what at the local broker: what IAM and the attached IoT policies BOTH allow, as on AWS.

ministack 1.5.33 verifies signatures and evaluates IAM policies, but it neither substitutes the
policy variables of a Cognito identity nor looks at the IoT policies attached to one. Its one seam
for that is `ministack.services.iot._mqtt_iam_allows`, which `enforce` replaces. What it keeps
private and we use is in this module, `aliases`, `faults` and `memory`, so its version is pinned; a test
fails when it moves.
"""

import json
from collections.abc import Iterable, Mapping

from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document
from ministack.core.responses import request_scope
from ministack.services import iam, iot, sts

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
    variables = {
        "cognito-identity.amazonaws.com:sub": identity["_identity_id"],
        "cognito-identity.amazonaws.com:aud": identity["_identity_pool_id"],
    }
    context = EvalContext(
        principal_arn=identity["Arn"],
        principal_type="AssumedRole",
        principal_account=account,
        action=action,
        resource_arn=f"arn:aws:iot:{region}:{account}:{resource}",
        region=region,
        service_context={"iot:clientid": resource.removeprefix(CLIENT)}
        if resource.startswith(CLIENT)
        else {},
    )
    with request_scope(key_account, region):
        grants = [_role_documents(identity["Arn"])]
        if identity["_cognito_auth_type"] == "authenticated":
            grants.append(_attached_documents(identity["_identity_id"]))
    return all(_permits(context, documents, variables) for documents in grants)


def _role_documents(session_arn: str) -> Iterable[str]:
    role = iam._roles.get(session_arn.split("/")[1]) or {}
    return [d if isinstance(d, str) else json.dumps(d) for d in (role.get("InlinePolicies") or {}).values()]


def _attached_documents(identity: str) -> Iterable[str]:
    return [
        policy["versions"][policy["defaultVersionId"]]["document"]
        for policy in iot._policies.values()
        if identity in policy.get("targets", ())
    ]


def _permits(context: EvalContext, documents: Iterable[str], variables: Mapping[str, str]) -> bool:
    substituted = []
    for document in documents:
        for name, value in variables.items():
            document = document.replace(f"${{{name}}}", value)
        substituted.append(parse_policy_document(document))
    return bool(evaluate(context, substituted).decision == "Allow")
