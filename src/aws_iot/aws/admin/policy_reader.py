"""`AwsPolicyReader`: reads the policies of an identity from IAM, Cognito and AWS IoT."""

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any

from aws_iot.aws.admin.services import AdminServices
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.refusals import Refusals
from aws_iot.errors import LocalError, NotAuthorized, NotFound, ServiceRefused
from aws_iot.policy.access import PolicyLayer, Principal, Question
from aws_iot.policy.documents import Document, parse
from aws_iot.policy.reader import AwsVerdict

MAX_QUESTIONS = 10
"""Questions in one call of TestAuthorization: API version 2015-05-28."""

ROLE_MAPPINGS = "the identity pool may assign another role by rules or tokens (RoleMappings)"
_MARKER = ("Marker", "Marker")  # how IAM names the next page: API version 2010-05-08


class AwsPolicyReader(AdminServices):
    """`PolicyReader` for a profile's pools, with the caller's AWS credentials."""

    def read(self, identity: str) -> tuple[Sequence[PolicyLayer], str | None]:
        role, layers = self._role_layers()
        attached, policy = self._iot_policies(identity)
        return [*layers, attached], next((arn.split(":")[4] for arn in (role, policy) if arn), None)

    def aws_verdicts(self, principal: Principal, questions: Sequence[Question]) -> dict[Question, AwsVerdict]:
        asked = {
            (_ACTION_TYPES[one.action], principal.arn(one.resource)): one
            for one in questions[:MAX_QUESTIONS]
            if one.action in _ACTION_TYPES
        }
        if not asked:
            return {}
        answers = self._iot.call(
            "test_authorization",
            _REFUSALS,
            principal=principal.identity,
            cognitoIdentityPoolId=principal.pool,
            clientId=principal.client,
            authInfos=[{"actionType": kind, "resources": [arn]} for kind, arn in asked],
        )["authResults"]
        verdicts = {
            (info.get("actionType"), *info.get("resources", ())): _aws_verdict(one)
            for one in answers
            if (info := one.get("authInfo"))
        }
        return {question: verdicts[about] for about, question in asked.items() if about in verdicts}

    def _role_layers(self) -> tuple[str | None, list[PolicyLayer]]:
        """The ARN of the role for signed-in identities, if it is known; the role, and its boundary if it has one."""
        try:
            found = self._identity_pools.call(
                "get_identity_pool_roles", _REFUSALS, IdentityPoolId=self._profile.identity_pool_id
            )
        except NotFound:
            return None, [PolicyLayer("role", "", (), closed="the identity pool does not exist")]
        except (NotAuthorized, ServiceRefused) as error:
            return None, [PolicyLayer("role", "", (), str(error))]
        arn = found.get("Roles", {}).get("authenticated")
        doubt = ROLE_MAPPINGS if found.get("RoleMappings") else None
        if not arn:
            return None, [
                PolicyLayer("role", "", (), doubt, "the identity pool has no role for signed-in identities")
            ]
        try:
            role = self._iam.call("get_role", _REFUSALS, RoleName=_name(arn))["Role"]
        except NotFound:
            return arn, [
                PolicyLayer(
                    "role", _name(arn), (), doubt, "the identity pool names this role, but it does not exist"
                )
            ]
        except (NotAuthorized, ServiceRefused) as error:
            return arn, [self._role(arn, doubt), PolicyLayer("boundary", "", (), str(error))]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return arn, [self._role(arn, doubt), *([self._boundary(boundary)] if boundary else [])]

    def _role(self, arn: str, doubt: str | None) -> PolicyLayer:
        name = _name(arn)
        try:
            inline = [
                self._iam.call("get_role_policy", _REFUSALS, RoleName=name, PolicyName=policy)
                for page in self._iam.pages("list_role_policies", _MARKER, _REFUSALS, RoleName=name)
                for policy in page["PolicyNames"]
            ]
            managed = [
                self._managed(one["PolicyArn"])
                for page in self._iam.pages("list_attached_role_policies", _MARKER, _REFUSALS, RoleName=name)
                for one in page["AttachedPolicies"]
            ]
            documents = [parse(one["PolicyName"], one["PolicyDocument"]) for one in inline]
            return PolicyLayer("role", name, (*documents, *managed), doubt)
        except (NotAuthorized, ServiceRefused, LocalError) as error:
            return PolicyLayer("role", name, (), str(error))

    def _boundary(self, arn: str) -> PolicyLayer:
        try:
            return PolicyLayer("boundary", _name(arn), (self._managed(arn),))
        except (NotAuthorized, ServiceRefused, LocalError) as error:
            return PolicyLayer("boundary", _name(arn), (), str(error))

    def _managed(self, arn: str) -> Document:
        version = self._iam.call("get_policy", _REFUSALS, PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self._iam.call("get_policy_version", _REFUSALS, PolicyArn=arn, VersionId=version)
        return parse(_name(arn), found["PolicyVersion"]["Document"])

    def _iot_policies(self, identity: str) -> tuple[PolicyLayer, str | None]:
        """The attached IoT policies, and the ARN of one of them.

        Policies of thing groups are left out: GetEffectivePolicies would need the name of a thing.
        """
        documents = []
        arn = None
        try:
            pages = self._iot.pages(
                "list_attached_policies", ("nextMarker", "marker"), _REFUSALS, target=identity
            )
            for one in [one for page in pages for one in page["policies"]]:
                arn = one.get("policyArn")
                found = self._iot.call("get_policy", _REFUSALS, policyName=one["policyName"])
                documents.append(parse(one["policyName"], found["policyDocument"]))
        except (NotAuthorized, ServiceRefused, LocalError) as error:
            return PolicyLayer("IoT", "policies of the identity", (), str(error)), arn
        return PolicyLayer("IoT", ", ".join(one.name for one in documents), tuple(documents)), arn

    @cached_property
    def _iam(self) -> Service:
        return self._service("iam", self._profile.identity_pool_region, self._profile.iam_url)


def _aws_verdict(answer: dict[str, Any]) -> AwsVerdict:
    allowed, denied = answer.get("allowed", {}), answer.get("denied", {})
    parts = [allowed, denied.get("explicitDeny", {}), denied.get("implicitDeny", {})]
    names = [one["policyName"] for part in parts for one in part.get("policies", ())]
    return AwsVerdict(answer["authDecision"], tuple(names), tuple(answer.get("missingContextValues", ())))


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


_ACTION_TYPES = {
    "iot:Connect": "CONNECT",
    "iot:Subscribe": "SUBSCRIBE",
    "iot:Receive": "RECEIVE",
    "iot:Publish": "PUBLISH",
}


def _unknown(message: str) -> NotFound:
    return NotFound(f"not found: {message}")


def _refused(message: str) -> NotAuthorized:
    """Name the missing permission, if AWS's sentence names it."""
    found = re.search(r"not authorized to perform: ([\w:-]+)", message)
    return NotAuthorized(f"your AWS credentials do not allow {found[1] if found else f'this: {message}'}")


_REFUSALS: Refusals = {
    "NoSuchEntity": _unknown,
    "ResourceNotFoundException": _unknown,
    "AccessDenied": _refused,
    "AccessDeniedException": _refused,
    "NotAuthorizedException": _refused,
    "UnauthorizedException": _refused,
    "MethodNotAllowedException": lambda _: ServiceRefused("the local stack has no TestAuthorization"),
}
