"""The credentials that a Cognito identity pool gives to those who show an ID token."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aws_iot.auth.credentials import Credentials
from aws_iot.auth.session import Session
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.aws.base.network_errors import clock_fault
from aws_iot.aws.base.refusals import Refusals
from aws_iot.aws.cognito.user_pool import hints_for
from aws_iot.config.partitions import partition_of
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, CredentialsRefused, ProfileError


class CognitoIdentityPool:
    """`CredentialIssuer` of the profile's identity pool (the enhanced flow)."""

    def __init__(self, profile: Profile, now: Callable[[], datetime], timeout: float) -> None:
        self._profile = profile
        self._now = now
        address = Address(
            "cognito-identity", profile.identity_pool_region, profile.cognito_identity_url, profile.ca_bundle
        )
        self._pool = Service.unsigned(address, now, timeout)

    def identify(self, session: Session) -> str:
        found = self._call("get_id", session, IdentityPoolId=self._profile.identity_pool_id)
        identity: str = found["IdentityId"]
        return identity

    def issue(self, session: Session, identity: str | None = None) -> Credentials:
        identity = identity or self.identify(session)
        reply = self._call("get_credentials_for_identity", session, IdentityId=identity)
        # To ask for keys nothing is signed. To use them something is, so better say it now.
        if fault := clock_fault(reply["ResponseMetadata"]["HTTPHeaders"].get("date"), self._now()):
            raise fault
        keys = reply["Credentials"]
        return Credentials(
            identity=reply["IdentityId"],  # differs from the one asked for after identities were merged
            access_key_id=keys["AccessKeyId"],
            secret_access_key=keys["SecretKey"],
            session_token=keys["SessionToken"],
            expires=keys["Expiration"],
        )

    def _call(self, operation: str, session: Session, **parameters: Any) -> dict[str, Any]:
        # The provider's name holds the USER pool's region, which may differ from the identity pool's.
        region = self._profile.user_pool_region
        host = f"cognito-idp.{region}.{partition_of(region).dns_suffix}"
        provider = f"{host}/{self._profile.user_pool_id}"
        with hints_for(self._profile, session.username):
            return self._pool.call(
                operation, _IDENTITY_REFUSALS, Logins={provider: session.id_token}, **parameters
            )


def _not_found(message: str) -> AwsIotError:
    if message.startswith("Identity '"):  # and not "IdentityPool '": an admin has deleted it
        return CredentialsRefused(f"the identity is gone: {message}")
    return ProfileError(
        f"the identity pool does not exist: {message}",
        hint="Check aws_cognito_identity_pool_id in the profile: aws-iot config show -k KEY",
    )


_IDENTITY_REFUSALS: Refusals = {
    "NotAuthorizedException": lambda message: CredentialsRefused(
        f"the identity pool does not take this user pool's sign-in: {message}",
        hint="Check that the identity pool names this user pool and app client as a provider.",
    ),
    "ResourceNotFoundException": _not_found,
    "InvalidIdentityPoolConfigurationException": lambda message: ProfileError(
        f"the identity pool has no usable role for signed-in users: {message}"
    ),
    "InvalidParameterException": lambda message: CredentialsRefused(f"the identity pool refuses: {message}"),
}
