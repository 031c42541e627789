"""Members: identities that have the team's IoT policy attached, which takes an admin's own AWS credentials."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from aws_iot.aws.admin.services import AdminServices
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.refusals import Refusals
from aws_iot.errors import NotAuthorized, NotFound, NotInstalled, ServiceRefused

PAGE = 60  # the most that ListIdentities gives at once: cognito-identity 2014-06-30
TARGETS_PAGE = 250  # and ListTargetsForPolicy: iot 2015-05-28


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who has signed in once. Cognito does not tell which account an identity belongs to."""

    id: str
    created: datetime


@dataclass(frozen=True, slots=True)
class Connected:
    """What AWS IoT Core tells of a client: whether it is connected, since when (or when it left), and what it hears."""

    client: str
    connected: bool
    since: datetime | None
    reason: str | None
    hears: Sequence[str]


class Members(AdminServices):
    """Who may come in, by the IoT policies attached to identities; signs with the caller's AWS credentials.

    Every method raises `ServiceRefused`, `CredentialsRefused` or `NotAuthorized`.
    """

    def accept(self, identity: str, policy: str) -> None:
        """Attach `policy` to `identity`; fine if it is attached already."""
        self._iot.call("attach_policy", _REFUSALS, policyName=policy, target=identity)

    def check(self, identity: str) -> None:
        """Raises `NotFound` where nobody of the profile's pools has this identity, as far as the caller may ask."""
        try:
            found = self._identity_pools.call("describe_identity", _REFUSALS, IdentityId=identity)
        except NotFound:
            raise NotFound(
                f"nobody has the identity {identity} in this AWS account",
                hint="aws-iot admin requests lists who has signed in; --aws-profile names another account.",
            ) from None
        except (NotAuthorized, ServiceRefused):
            return
        logins = [one for one in found.get("Logins", ()) if one.startswith("cognito-idp.")]
        if logins and not any(one.endswith(f"/{self._profile.user_pool_id}") for one in logins):
            raise NotFound(f"{identity} is an identity of another team, who sign in with {', '.join(logins)}")

    def revoke(self, identity: str, policy: str) -> Sequence[str] | None:
        """Detach `policy` from `identity`; if it was not attached, which others are. Raises `NotFound` for a policy.

        None if it is done, or nobody knows whether there was anything to do: the caller may not look.
        """
        try:
            pages = self._iot.pages(
                "list_attached_policies", ("nextMarker", "marker"), _REFUSALS, target=identity
            )
            attached = [one["policyName"] for page in pages for one in page["policies"]]
            if policy not in attached:
                self._iot.call("list_targets_for_policy", _REFUSALS, policyName=policy, pageSize=1)
                return attached
        except NotAuthorized:
            pass
        self.detach(identity, policy)
        return None

    def detach(self, identity: str, policy: str) -> None:
        """As `revoke`, of somebody who is known to be accepted."""
        self._iot.call("detach_policy", _REFUSALS, policyName=policy, target=identity)

    def accepted(self, policy: str) -> list[str]:
        """The identities that `policy` is attached to."""
        pages = self._iot.pages(
            "list_targets_for_policy",
            ("nextMarker", "marker"),
            _REFUSALS,
            policyName=policy,
            pageSize=TARGETS_PAGE,
        )
        # What is no identity, such as a certificate, is an ARN.
        return [target for page in pages for target in page["targets"] if not target.startswith("arn:")]

    def identities(self) -> list[Identity]:
        """Everybody who has signed in once, in no order."""
        pages = self._identity_pools.pages(
            "list_identities",
            ("NextToken", "NextToken"),
            _REFUSALS,
            IdentityPoolId=self._profile.identity_pool_id,
            MaxResults=PAGE,
            HideDisabled=True,
        )
        return [
            Identity(one["IdentityId"], one["CreationDate"]) for page in pages for one in page["Identities"]
        ]

    def connection(self, client: str) -> Connected:
        """What is known of a client id. AWS IoT Core tells of one at a time, and lists none."""
        found = self._data("get_connection", clientId=client)
        hears: list[str] = []
        more: dict[str, str] = {}
        while True:
            page = self._data("list_subscriptions", clientId=client, **more)
            hears += [one["topicFilter"] for one in page.get("subscriptions", ())]
            if not page.get("nextToken"):
                break
            more = {"nextToken": page["nextToken"]}
        connected = bool(found.get("connected"))
        since = found.get("connectedSince" if connected else "disconnectedSince")  # in milliseconds
        return Connected(
            client,
            connected,
            datetime.fromtimestamp(since / 1000, self._now().tzinfo) if since else None,
            found.get("disconnectReason"),
            hears,
        )

    def kick(self, client: str) -> None:
        """End the connection of a client id. Nothing keeps it from coming back, as long as it is accepted."""
        self._data("delete_connection", clientId=client)

    @cached_property
    def _iot_data(self) -> Service:
        # The data plane answers where the broker is: docs.aws.amazon.com/iot/latest/developerguide/http.html
        endpoint = self._profile.endpoint
        host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
        return self._service("iot-data", self._profile.iot_region, f"https://{host}:{endpoint.port}")

    def _data(self, operation: str, **parameters: Any) -> dict[str, Any]:
        if not hasattr(self._iot_data.client, operation):
            raise NotInstalled(
                "the installed botocore knows nothing of connections",
                hint="botocore 1.43.106 does: pip install --upgrade boto3",
            )
        return self._iot_data.call(operation, _CONNECTION_REFUSALS, **parameters)


def _not_allowed(message: str) -> NotAuthorized:
    return NotAuthorized(f"your AWS credentials do not allow this: {message}")


_REFUSALS: Refusals = {
    "ResourceNotFoundException": lambda message: NotFound(
        f"AWS does not know it: {message}",
        hint="Check the policy's name, the identity pool and the region of the profile.",
    ),
    "NotAuthorizedException": _not_allowed,
    "UnauthorizedException": _not_allowed,
}
_CONNECTION_REFUSALS: Refusals = {
    "ResourceNotFoundException": lambda message: NotFound(
        f"AWS IoT Core knows no such client: {message}",
        hint="It forgets a client half an hour after its connection has ended.",
    ),
    "ForbiddenException": lambda message: NotAuthorized(
        f"the broker does not let these AWS credentials see to connections: {message}",
        hint="They need iot:GetConnection, iot:ListSubscriptions and iot:DeleteConnection.",
    ),
    "MethodNotAllowedException": lambda _: ServiceRefused(
        "the broker does not tell of connections", hint="AWS IoT Core does; the local stack does not."
    ),
}
