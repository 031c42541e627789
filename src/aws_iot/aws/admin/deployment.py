"""A team's backend in an AWS account: its stack, and how members reach what is in it."""

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from urllib.parse import urlsplit

from aws_iot.aws.admin.cloudformation import Stack, StackState
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.errors import NotAuthorized, ServiceRefused, Unreachable

AWS_DOMAINS = (".amazonaws.com", ".amazonaws.com.cn", ".api.aws")


class Deployment:
    """The stack `name` of an account; signs with the caller's own AWS credentials."""

    def __init__(
        self,
        name: str,
        region: str | None,
        now: Callable[[], datetime],
        timeout: float,
        aws_profile: str | None,
    ) -> None:
        """A region of None is that of the AWS settings."""
        self._name = name
        # AWS's newer tools take AWS_REGION, botocore looks only at AWS_DEFAULT_REGION.
        self._region = region or os.environ.get("AWS_REGION") or None
        self._now = now
        self._timeout = timeout
        self._who = aws_profile
        self._services: dict[str, Service] = {}

    @cached_property
    def stack(self) -> Stack:
        """The stack, which need not exist."""
        return Stack(self._service("cloudformation"), self._name)

    @property
    def region(self) -> str:
        """Where the stack is, or would be."""
        return str(self._service("cloudformation").client.meta.region_name)

    def place(self, state: StackState | None) -> str:
        """The account and region, in words: as the stack's id says, else as far as AWS tells."""
        arn = (state.id if state else "").split(":")
        account = arn[4] if len(arn) > 5 else None
        if account is None:
            # Whoever may make a stack need not be able to ask this.
            with suppress(NotAuthorized, ServiceRefused, Unreachable):
                account = self._service("sts").call("get_caller_identity", {})["Account"]
        return f"account {account}, region {self.region}" if account else f"region {self.region}"

    def protects(self, user_pool: str) -> bool:
        """Whether Cognito keeps the user pool from being deleted, as far as the caller may ask."""
        with suppress(NotAuthorized, ServiceRefused):
            found = self._service("cognito-idp").call("describe_user_pool", {}, UserPoolId=user_pool)
            return bool(found["UserPool"].get("DeletionProtection") == "ACTIVE")
        return False

    def iot_endpoint(self) -> str:
        """The host of the account's broker: docs.aws.amazon.com/iot/latest/developerguide/iot-connect-devices.html."""
        found = self._service("iot").call("describe_endpoint", {}, endpointType="iot:Data-ATS")
        return str(found["endpointAddress"])

    def other_addresses(self) -> dict[str, str]:
        """The fields of a profile that say where the services answer, where that is not at AWS itself.

        Such as on the local stack, to which `AWS_ENDPOINT_URL` and `AWS_CA_BUNDLE` lead.
        """
        services = {
            "cognito_idp_url": "cognito-idp",
            "cognito_identity_url": "cognito-identity",
            "iot_url": "iot",
            "iam_url": "iam",
        }
        found = {
            field: self._service(service).client.meta.endpoint_url for field, service in services.items()
        }
        others = {
            f: url for f, url in found.items() if not (urlsplit(url).hostname or "").endswith(AWS_DOMAINS)
        }
        bundle = os.environ.get("AWS_CA_BUNDLE")
        return others | {"ca_bundle": bundle} if others and bundle else others

    def _service(self, name: str) -> Service:
        if name not in self._services:
            address = Address(name, self._region)
            self._services[name] = Service.signed(address, self._now, self._timeout, self._who)
        return self._services[name]
