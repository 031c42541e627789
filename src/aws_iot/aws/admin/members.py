"""`AwsMembers`: attaches the team's IoT policy to identities, and manages the connections of clients."""

from datetime import datetime
from functools import cached_property
from typing import Any

from aws_iot.aws.admin.member_records import MemberRecords, encoded
from aws_iot.aws.admin.services import AdminServices
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.refusals import Refusals
from aws_iot.backend.members import ClientStatus, Identity, MemberRecord
from aws_iot.errors import NotAuthorized, NotFound, NotInstalled, ServiceRefused
from aws_iot.identities import begins_with_identity
from aws_iot.messaging.connect import admin_command

IDENTITIES_PER_PAGE = 60
"""The maximum of ListIdentities: cognito-identity 2014-06-30."""

TARGETS_PER_PAGE = 250
"""The maximum of ListTargetsForPolicy: iot 2015-05-28."""

_MARKERS = ("nextMarker", "marker")  # how AWS IoT names the next page


class AwsMembers(AdminServices):
    """`Members` of a profile's pools, with the caller's AWS credentials."""

    def accept(self, identity: str, policy: str, username: str | None = None) -> str | None:
        if username:
            encoded(username)
        self._iot.call("attach_policy", _REFUSALS, policyName=policy, target=identity)
        return self._records.save(identity, username)

    def check(self, identity: str) -> None:
        try:
            found = self._identity_pools.call("describe_identity", _REFUSALS, IdentityId=identity)
        except NotFound:
            raise NotFound(
                f"the identity {identity} does not exist in this AWS account",
                hint="Another AWS account? Choose it with --aws-profile NAME.\n"
                f"To list identities: {self._command('requests')}",
            ) from None
        except NotAuthorized:
            return
        logins = [one for one in found.get("Logins", ()) if one.startswith("cognito-idp.")]
        if logins and not any(one.endswith(f"/{self._profile.user_pool_id}") for one in logins):
            raise NotFound(
                f"{identity} belongs to another team, which signs in with {', '.join(logins)}",
                hint="Choose the profile of that team with -k KEY.",
            )

    def revoke(self, identity: str, policy: str) -> str | None:
        team = self._profile.policy_name
        try:
            attached = self._checked_policies(identity, policy)
        except NotAuthorized:
            self._check_member(identity, policy)
            attached = [team]  # the caller may not look, so it may be
        if policy != team and team in attached:
            self._detach(identity, policy)
            return None
        return self.detach(identity, policy)

    def detach(self, identity: str, policy: str) -> str | None:
        self._detach(identity, policy)
        return self._records.delete(identity)

    def accepted(self, policy: str) -> list[str]:
        pages = self._iot.pages(
            "list_targets_for_policy",
            _MARKERS,
            _REFUSALS,
            policyName=policy,
            pageSize=TARGETS_PER_PAGE,
        )
        # Other targets, such as certificates, are ARNs.
        return [target for page in pages for target in page["targets"] if not target.startswith("arn:")]

    def records(self) -> dict[str, MemberRecord]:
        return self._records.all()

    def identities(self) -> list[Identity]:
        pages = self._identity_pools.pages(
            "list_identities",
            ("NextToken", "NextToken"),
            _REFUSALS,
            IdentityPoolId=self._profile.identity_pool_id,
            MaxResults=IDENTITIES_PER_PAGE,
            HideDisabled=True,
        )
        return [
            Identity(one["IdentityId"], one["CreationDate"]) for page in pages for one in page["Identities"]
        ]

    def client_status(self, client: str) -> ClientStatus:
        found = self._data("get_connection", clientId=client)
        filters: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = self._data("list_subscriptions", clientId=client, **more)
            filters += [one["topicFilter"] for one in page.get("subscriptions", ())]
            if not page.get("nextToken"):
                break
            more = {"nextToken": page["nextToken"]}
        connected = bool(found.get("connected"))
        since = found.get("connectedSince" if connected else "disconnectedSince")  # in milliseconds
        return ClientStatus(
            client,
            connected,
            datetime.fromtimestamp(since / 1000, self._now().tzinfo) if since else None,
            found.get("disconnectReason"),
            filters,
        )

    def disconnect(self, client: str) -> None:
        self._data("delete_connection", clientId=client)

    def _detach(self, identity: str, policy: str) -> None:
        self._iot.call("detach_policy", _REFUSALS, policyName=policy, target=identity)

    def _checked_policies(self, identity: str, policy: str) -> list[str | None]:
        """The policies of the identity. Raises `NotFound` if `policy` is not one of them."""
        pages = self._iot.pages("list_attached_policies", _MARKERS, _REFUSALS, target=identity)
        attached: list[str] = [one["policyName"] for page in pages for one in page["policies"]]
        if policy not in attached:
            # DetachPolicy would succeed. This call fails if there is no such policy.
            self._iot.call("list_targets_for_policy", _REFUSALS, policyName=policy, pageSize=1)
            others = f"its policies are: {', '.join(attached)}" if attached else "it has no policy"
            raise self._no_member(identity, policy, others)
        return [*attached]

    def _check_member(self, identity: str, policy: str) -> None:
        """Raise `NotFound` unless the identity may be a member, as far as the caller may look in other ways."""
        try:
            found = self.accepted(policy)
        except NotAuthorized:
            self.check(identity)
            return
        if identity not in found:
            raise self._no_member(identity, policy, "it is not among those who have the policy")

    def _no_member(self, identity: str, policy: str, why: str) -> NotFound:
        return NotFound(
            f"{identity} is not a member (policy {policy}): {why}",
            hint=f"To list members: {self._command('members')}",
        )

    def _command(self, command: str) -> str:
        aws_profile = self._who if isinstance(self._who, str) else None
        return admin_command(command, key=self._profile.key, aws_profile=aws_profile)

    @cached_property
    def _records(self) -> MemberRecords:
        return MemberRecords(self._iot, self._profile.identity_pool_id, self._now, _REFUSALS)

    @cached_property
    def _iot_data(self) -> Service:
        # The data plane has the same address as the broker: docs.aws.amazon.com/iot/latest/developerguide/http.html
        endpoint = self._profile.endpoint
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        return self._service("iot-data", self._profile.iot_region, f"https://{host}:{endpoint.port}")

    def _data(self, operation: str, **parameters: Any) -> dict[str, Any]:
        if not hasattr(self._iot_data.client, operation):
            raise NotInstalled(
                "the installed botocore is too old for this command",
                hint="It needs botocore 1.43.106 or later: pip install --upgrade boto3",
            )
        try:
            return self._iot_data.call(operation, _CONNECTION_REFUSALS, **parameters)
        except NotFound as error:
            if not begins_with_identity(parameters["clientId"]):
                error.hint = (
                    f"Client IDs of members begin with an identity. To list them: {self._command('members')}"
                )
            raise


def _not_allowed(message: str) -> NotAuthorized:
    return NotAuthorized(f"your AWS credentials do not allow this: {message}")


_REFUSALS: Refusals = {
    "ResourceNotFoundException": lambda message: NotFound(
        f"AWS cannot find it: {message}",
        hint="Check the name of the policy, and the identity pool and region of the profile.",
    ),
    "NotAuthorizedException": _not_allowed,
    "UnauthorizedException": _not_allowed,
}
_CONNECTION_REFUSALS: Refusals = {
    "ResourceNotFoundException": lambda message: NotFound(
        f"AWS IoT Core has no such client: {message}",
        hint="It keeps a client for 30 minutes after its connection was closed.",
    ),
    "ForbiddenException": lambda message: NotAuthorized(
        f"these AWS credentials do not allow managing connections: {message}",
        hint="They need iot:GetConnection, iot:ListSubscriptions and iot:DeleteConnection.",
    ),
    "MethodNotAllowedException": lambda _: ServiceRefused(
        "the broker cannot manage connections", hint="AWS IoT Core can; the local stack cannot."
    ),
}
