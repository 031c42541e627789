"""What an identity may do, as AWS has it: its role, its IoT policies, and IoT's own opinion; signs as an admin does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from aws_iot.aws.admin.services import AdminServices
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.refusals import Refusals
from aws_iot.errors import LocalError, NotAuthorized, NotFound, ServiceRefused
from aws_iot.policy.access import Gate, Person, Question
from aws_iot.policy.evaluate import Document, parse

QUESTIONS_AT_ONCE = 10  # the most that TestAuthorization takes: iot 2015-05-28
ROLE_MAPPINGS = "the identity pool gives other roles by rules or tokens (RoleMappings), maybe here too"
MARKER = ("Marker", "Marker")  # by which IAM goes on with a list: iam 2010-05-08


@dataclass(frozen=True, slots=True)
class Opinion:
    """What IoT itself says to a question: ALLOWED, IMPLICIT_DENY or EXPLICIT_DENY, and by which of its policies."""

    decision: str
    policies: tuple[str, ...]
    missing: tuple[str, ...] = ()


class Authorization(AdminServices):
    """Reads what decides about an identity of the profile's pool. Raises `CredentialsRefused` and `Unreachable`.

    What the caller's AWS credentials may not read is a gate in doubt.
    """

    def read(self, identity: str) -> tuple[Sequence[Gate], str | None]:
        """All gates of an identity: its role, the boundary of that, and the IoT policies attached to it.

        With the account that they are of: None if nothing names it.
        """
        role, gates = self._gates_of_the_role()
        attached, policy = self._iot_policies(identity)
        return [*gates, attached], next((arn.split(":")[4] for arn in (role, policy) if arn), None)

    def ask(self, person: Person, questions: Sequence[Question]) -> dict[Question, Opinion]:
        """What IoT says by itself, of the questions that it can be asked.

        Raises `AwsIotError` where it cannot be asked at all.
        """
        asked = {
            (_ACTION_TYPES[one.action], person.arn(one.resource)): one
            for one in questions[:QUESTIONS_AT_ONCE]
            if one.action in _ACTION_TYPES
        }
        if not asked:
            return {}
        answers = self._iot.call(
            "test_authorization",
            _REFUSALS,
            principal=person.identity,
            cognitoIdentityPoolId=person.pool,
            clientId=person.client,
            authInfos=[{"actionType": kind, "resources": [arn]} for kind, arn in asked],
        )["authResults"]
        told = {
            (info.get("actionType"), *info.get("resources", ())): _opinion(one)
            for one in answers
            if (info := one.get("authInfo"))
        }
        return {question: told[about] for about, question in asked.items() if about in told}

    def _gates_of_the_role(self) -> tuple[str | None, list[Gate]]:
        """The role that who is signed in gets, and its boundary if it has one; with its ARN, if that is known."""
        try:
            found = self._identity_pools.call(
                "get_identity_pool_roles", _REFUSALS, IdentityPoolId=self._profile.identity_pool_id
            )
        except NotFound:
            return None, [Gate("role", "", (), closed="there is no such identity pool")]
        except (NotAuthorized, ServiceRefused) as error:
            return None, [Gate("role", "", (), str(error))]
        arn = found.get("Roles", {}).get("authenticated")
        doubt = ROLE_MAPPINGS if found.get("RoleMappings") else None
        if not arn:
            return None, [Gate("role", "", (), doubt, "the identity pool has no role for who is signed in")]
        try:
            role = self._iam.call("get_role", _REFUSALS, RoleName=_name(arn))["Role"]
        except NotFound:
            return arn, [
                Gate("role", _name(arn), (), doubt, "the identity pool names it, and there is no such role")
            ]
        except (NotAuthorized, ServiceRefused) as error:
            return arn, [self._role(arn, doubt), Gate("boundary", "", (), str(error))]
        boundary = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return arn, [self._role(arn, doubt), *([self._boundary(boundary)] if boundary else [])]

    def _role(self, arn: str, doubt: str | None) -> Gate:
        name = _name(arn)
        try:
            inline = [
                self._iam.call("get_role_policy", _REFUSALS, RoleName=name, PolicyName=policy)
                for page in self._iam.pages("list_role_policies", MARKER, _REFUSALS, RoleName=name)
                for policy in page["PolicyNames"]
            ]
            managed = [
                self._managed(one["PolicyArn"])
                for page in self._iam.pages("list_attached_role_policies", MARKER, _REFUSALS, RoleName=name)
                for one in page["AttachedPolicies"]
            ]
            documents = [parse(one["PolicyName"], one["PolicyDocument"]) for one in inline]
            return Gate("role", name, (*documents, *managed), doubt)
        except (NotAuthorized, ServiceRefused, LocalError) as error:
            return Gate("role", name, (), str(error))

    def _boundary(self, arn: str) -> Gate:
        try:
            return Gate("boundary", _name(arn), (self._managed(arn),))
        except (NotAuthorized, ServiceRefused, LocalError) as error:
            return Gate("boundary", _name(arn), (), str(error))

    def _managed(self, arn: str) -> Document:
        version = self._iam.call("get_policy", _REFUSALS, PolicyArn=arn)["Policy"]["DefaultVersionId"]
        found = self._iam.call("get_policy_version", _REFUSALS, PolicyArn=arn, VersionId=version)
        return parse(_name(arn), found["PolicyVersion"]["Document"])

    def _iot_policies(self, identity: str) -> tuple[Gate, str | None]:
        """With the ARN of one of them. Those of thing groups would need the name of a thing (GetEffectivePolicies)."""
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
            return Gate("IoT", "policies of the identity", (), str(error)), arn
        return Gate("IoT", ", ".join(one.name for one in documents), tuple(documents)), arn

    @cached_property
    def _iam(self) -> Service:
        return self._service("iam", self._profile.identity_pool_region, self._profile.iam_url)


def _opinion(answer: dict[str, Any]) -> Opinion:
    allowed, denied = answer.get("allowed", {}), answer.get("denied", {})
    parts = [allowed, denied.get("explicitDeny", {}), denied.get("implicitDeny", {})]
    names = [one["policyName"] for part in parts for one in part.get("policies", ())]
    return Opinion(answer["authDecision"], tuple(names), tuple(answer.get("missingContextValues", ())))


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


_ACTION_TYPES = {
    "iot:Connect": "CONNECT",
    "iot:Subscribe": "SUBSCRIBE",
    "iot:Receive": "RECEIVE",
    "iot:Publish": "PUBLISH",
}


def _unknown(message: str) -> NotFound:
    return NotFound(f"AWS does not know it: {message}")


def _refused(message: str) -> NotAuthorized:
    """By the one word of AWS's sentence that says which permission is missing, if it does."""
    found = re.search(r"not authorized to perform: ([\w:-]+)", message)
    return NotAuthorized(f"your AWS credentials do not allow {found[1] if found else f'this: {message}'}")


_REFUSALS: Refusals = {
    "NoSuchEntity": _unknown,
    "ResourceNotFoundException": _unknown,
    "AccessDenied": _refused,
    "AccessDeniedException": _refused,
    "NotAuthorizedException": _refused,
    "UnauthorizedException": _refused,
}
