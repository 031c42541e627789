"""Members: identities that have the team's IoT policy attached, which takes an admin's own AWS credentials."""

from collections.abc import Callable
from datetime import datetime

from aws_iot.aws.clients import Address, Refusals, Service
from aws_iot.errors import ServiceRefused
from aws_iot.profile import Profile


class Members:
    """Who may come in, by the IoT policies attached to identities; signs with the caller's AWS credentials."""

    def __init__(
        self, profile: Profile, now: Callable[[], datetime], timeout: float, aws_profile: str | None
    ) -> None:
        address = Address("iot", profile.iot_region, profile.iot_url, profile.ca_bundle)
        self._iot = Service.signed(address, now, timeout, aws_profile)

    def accept(self, identity: str, policy: str) -> None:
        """Attach `policy` to `identity`; fine if it is attached already.

        Raises `ServiceRefused` if there is no such policy, `CredentialsRefused`, `NotAuthorized`.
        """
        self._iot.call("attach_policy", _REFUSALS, policyName=policy, target=identity)


_REFUSALS: Refusals = {
    "ResourceNotFoundException": lambda message: ServiceRefused(
        f"AWS IoT Core does not know it: {message}",
        hint="Check the policy's name and the region of the profile.",
    ),
}
