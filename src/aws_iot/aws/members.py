"""Members: identities that have the team's IoT policy attached, which takes an admin's own AWS credentials."""

from collections.abc import Callable
from datetime import datetime

from aws_iot.aws.clients import Refusals, signed, translated
from aws_iot.errors import ServiceRefused
from aws_iot.profile import Profile


class Members:
    """Who may come in, by the IoT policies attached to identities; signs with the caller's AWS credentials."""

    def __init__(
        self, profile: Profile, now: Callable[[], datetime], timeout: float, aws_profile: str | None
    ) -> None:
        self._now = now
        self._client = signed(
            "iot", profile.iot_region, profile.iot_url, profile.ca_bundle, timeout, aws_profile
        )

    def accept(self, identity: str, policy: str) -> None:
        """Attach `policy` to `identity`; fine if it is attached already.

        Raises `ServiceRefused` if there is no such policy, `CredentialsRefused`, `NotAuthorized`.
        """
        with translated(self._client, _REFUSALS, self._now):
            self._client.attach_policy(policyName=policy, target=identity)


_REFUSALS: Refusals = {
    "ResourceNotFoundException": lambda message: ServiceRefused(
        f"AWS IoT Core does not know it: {message}",
        hint="Check the policy's name and the region of the profile.",
    ),
}
