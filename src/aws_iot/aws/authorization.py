"""What an identity may do, as AWS has it: its role, its IoT policies, and IoT's own opinion; signs as an admin does."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from aws_iot.authorization import Gate, Person, Question
from aws_iot.aws.clients import Address, Refusals, Service
from aws_iot.errors import NotAuthorized, ProfileError, ServiceRefused
from aws_iot.policy import Document, parse
from aws_iot.profile import Profile

QUESTIONS_AT_ONCE = 10  # the most that TestAuthorization takes: iot 2015-05-28
MARKER = ("Marker", "Marker")  # by which IAM goes on with a list: iam 2010-05-08


@dataclass(frozen=True, slots=True)
class Opinion:
    """What IoT itself says to a question: ALLOWED, IMPLICIT_DENY or EXPLICIT_DENY, and by which of its policies."""

    decision: str
    policies: tuple[str, ...]
    missing: tuple[str, ...] = ()


class Authorization:
    """Reads what decides about an identity of the profile's pool. Raises `CredentialsRefused` and `Unreachable`.

    What the caller's AWS credentials may not read is a gate in doubt.
    """

    def __init__(
        self, profile: Profile, now: Callable[[], datetime], timeout: float, aws_profile: str | None
    ) -> None:
        self._profile = profile
        self._now = now
        self._timeout = timeout
        self._who = aws_profile

    def read(self, identity: str) -> tuple[Sequence[Gate], str | None]:
        """All gates of an identity: its role, the boundary of that, and the IoT policies attached to it.

        With the account that they are of: None if nothing names it.
        """
        role, doubt = self._role_of_the_pool()
        gates = [self._role(role, doubt)] if role else [Gate("role", "the identity pool's", (), doubt)]
        if role and (boundary := self._boundary(role)):
            gates.append(boundary)
        attached, arn = self._iot_policies(identity)
        gates.append(attached)
        return gates, next((one.split(":")[4] for one in (role, arn) if one), None)

    def ask(self, person: Person, questions: Sequence[Question]) -> dict[Question, Opinion]:
        """What IoT says by itself, of the questions that it can be asked.

        Raises `NotAuthorized` or `ServiceRefused` where it cannot be asked at all.
        """
        asked = [one for one in questions if one.action in _ACTION_TYPES][:QUESTIONS_AT_ONCE]
        if not asked:
            return {}
        answers = self._iot.call(
            "test_authorization",
            _REFUSALS,
            principal=person.identity,
            cognitoIdentityPoolId=person.pool,
            clientId=person.client,
            authInfos=[
                {"actionType": _ACTION_TYPES[one.action], "resources": [person.arn(one.resource)]}
                for one in asked
            ],
        )["authResults"]
        return dict(zip(asked, map(_opinion, answers), strict=False))

    def _role_of_the_pool(self) -> tuple[str | None, str | None]:
        """The ARN of the role that who is signed in gets, and why it need not be that, or is not known."""
        try:
            found = self._identity_pools.call(
                "get_identity_pool_roles", _REFUSALS, IdentityPoolId=self._profile.identity_pool_id
            )
        except (NotAuthorized, ServiceRefused) as error:
            return None, str(error)
        role = found.get("Roles", {}).get("authenticated")
        mapped = found.get("RoleMappings", {})
        if mapped:
            return (
                role,
                "the identity pool gives other roles by rules or tokens (RoleMappings), maybe here too",
            )
        return role, None if role else "the identity pool has no role for who is signed in"

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
        except (NotAuthorized, ServiceRefused, ProfileError) as error:
            return Gate("role", name, (), str(error))

    def _boundary(self, arn: str) -> Gate | None:
        try:
            found = self._iam.call("get_role", _REFUSALS, RoleName=_name(arn))["Role"]
            boundary = found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        except (NotAuthorized, ServiceRefused) as error:
            return Gate("boundary", "the role's, if it has one", (), str(error))
        if not boundary:
            return None
        try:
            return Gate("boundary", _name(boundary), (self._managed(boundary),))
        except (NotAuthorized, ServiceRefused, ProfileError) as error:
            return Gate("boundary", _name(boundary), (), str(error))

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
        except (NotAuthorized, ServiceRefused, ProfileError) as error:
            return Gate("IoT", "policies of the identity", (), str(error)), arn
        return Gate("IoT", ", ".join(one.name for one in documents), tuple(documents)), arn

    @cached_property
    def _iot(self) -> Service:
        return self._service("iot", self._profile.iot_region, self._profile.iot_url)

    @cached_property
    def _iam(self) -> Service:
        return self._service("iam", self._profile.identity_pool_region, self._profile.iam_url)

    @cached_property
    def _identity_pools(self) -> Service:
        return self._service(
            "cognito-identity", self._profile.identity_pool_region, self._profile.cognito_identity_url
        )

    def _service(self, name: str, region: str, url: str | None) -> Service:
        address = Address(name, region, url, self._profile.ca_bundle)
        return Service.signed(address, self._now, self._timeout, self._who)


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


def _unknown(message: str) -> ServiceRefused:
    return ServiceRefused(f"AWS does not know it: {message}")


def _refused(message: str) -> NotAuthorized:
    return NotAuthorized(f"your AWS credentials do not allow this: {message}")


_REFUSALS: Refusals = {
    "NoSuchEntity": _unknown,
    "ResourceNotFoundException": _unknown,
    "NotAuthorizedException": _refused,
    "UnauthorizedException": _refused,
}
