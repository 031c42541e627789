"""`AwsTarget`: the AWS account and region that a backend is deployed to."""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from aws_iot.aws.admin.cloudformation import CloudFormationStack
from aws_iot.aws.admin.services import admin_credentials
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.backend.stack import StackState
from aws_iot.config.ca_bundle import find_ca_bundle
from aws_iot.config.partitions import is_aws_host
from aws_iot.config.profile import Profile
from aws_iot.errors import NotAuthorized, ServiceRefused, Unreachable

_URLS = {
    "cognito-idp": "cognito_idp_url",
    "cognito-identity": "cognito_identity_url",
    "iot": "iot_url",
    "iam": "iam_url",
    "cloudformation": "cloudformation_url",
}
"""The field of a profile with the address of a service."""

_OF_STACK = {"user_pool_id", "client_id", "identity_pool_id", "endpoint", "iot_region", "policy_name"}
_OF_STACK |= {"username", "is_unconfirmed", "client_has_secret", "key"}
_OF_STACK |= {"history", "history_days", "history_megabytes"}
"""The fields that a profile gets from a stack, and those that a person sets."""


class AwsTarget:
    """The target of the stack `name`, with the caller's own AWS credentials; see `backend.stack.Target`."""

    def __init__(
        self,
        name: str,
        region: str | None,
        now: Callable[[], datetime],
        timeout: float,
        aws_profile: str | None,
        profile: Profile | None = None,
    ) -> None:
        """Without a `region`, the AWS settings decide. A `profile` gives addresses and credentials, if it has any."""
        self._name = name
        self._profile = profile
        # AWS's newer tools read AWS_REGION; botocore reads only AWS_DEFAULT_REGION.
        self._region = region or os.environ.get("AWS_REGION") or None
        self._now = now
        self._timeout = timeout
        self._who = admin_credentials(profile, aws_profile) if profile else aws_profile
        self._services: dict[str, Service] = {}

    @cached_property
    def stack(self) -> CloudFormationStack:
        return CloudFormationStack(self._service("cloudformation"), self._name)

    @property
    def region(self) -> str:
        return str(self._service("cloudformation").client.meta.region_name)

    def describe(self, state: StackState | None) -> str:
        arn = (state.id if state else "").split(":")
        account = arn[4] if len(arn) > 5 else None
        if account is None:
            # Credentials that may create a stack need not allow this call.
            with suppress(NotAuthorized, ServiceRefused, Unreachable):
                account = self._service("sts").call("get_caller_identity", {})["Account"]
        return f"account {account}, region {self.region}" if account else f"region {self.region}"

    def is_protected(self, user_pool: str) -> bool:
        with suppress(NotAuthorized, ServiceRefused):
            found = self._service("cognito-idp").call("describe_user_pool", {}, UserPoolId=user_pool)
            return bool(found["UserPool"].get("DeletionProtection") == "ACTIVE")
        return False

    def iot_endpoint(self) -> str:
        """docs.aws.amazon.com/iot/latest/developerguide/iot-connect-devices.html."""
        found = self._service("iot").call("describe_endpoint", {}, endpointType="iot:Data-ATS")
        return str(found["endpointAddress"])

    def other_addresses(self) -> dict[str, str]:
        """Such as those of the local stack, if `AWS_ENDPOINT_URL` names it."""
        if self._profile:
            kept = (name for name in self._profile._fields if name not in _OF_STACK)
            return {name: value for name in kept if (value := getattr(self._profile, name))}
        found = {field: self._service(service).client.meta.endpoint_url for service, field in _URLS.items()}
        others = {f: url for f, url in found.items() if not is_aws_host(urlsplit(url).hostname or "")}
        bundle = find_ca_bundle(None, self._who if isinstance(self._who, str) else None)
        return others | {"ca_bundle": bundle} if others and bundle else others

    def _service(self, name: str) -> Service:
        if name not in self._services:
            profile, field = self._profile, _URLS.get(name, "cloudformation_url")
            url = getattr(profile, field) if profile else None
            address = Address(name, self._region, url, profile.ca_bundle if profile else None)
            self._services[name] = Service.signed(address, self._now, self._timeout, self._who)
        return self._services[name]
