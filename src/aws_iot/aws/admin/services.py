"""The AWS services of a profile, as an admin uses them."""

from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from pathlib import Path

from aws_iot.aws.base.admin_credentials import AccessKeys
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.config.profile import Profile


def admin_credentials(profile: Profile, aws_profile: str | None) -> AccessKeys | str | None:
    """Whose credentials to use: those that are given, of the file that `profile` names, or (None) the AWS tools'.

    Raises `LocalError` if that file holds none.
    """
    if aws_profile is None and profile.admin_credentials_file:
        return AccessKeys.of_file(Path(profile.admin_credentials_file))
    return aws_profile


class AdminServices:
    """Makes a service when it is first needed. `timeout` is in seconds, for each call."""

    def __init__(
        self, profile: Profile, now: Callable[[], datetime], timeout: float, aws_profile: str | None
    ) -> None:
        """`aws_profile` is a profile of `~/.aws`. None uses what `admin_credentials` finds."""
        self._profile = profile
        self._now = now
        self._timeout = timeout
        self._who = admin_credentials(profile, aws_profile)

    @cached_property
    def _iot(self) -> Service:
        return self._service("iot", self._profile.iot_region, self._profile.iot_url)

    @cached_property
    def _identity_pools(self) -> Service:
        profile = self._profile
        return self._service("cognito-identity", profile.identity_pool_region, profile.cognito_identity_url)

    def _service(self, name: str, region: str, url: str | None) -> Service:
        address = Address(name, region, url, self._profile.ca_bundle)
        return Service.signed(address, self._now, self._timeout, self._who)
