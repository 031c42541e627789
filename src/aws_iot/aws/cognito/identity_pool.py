"""A Cognito identity pool: gives AWS credentials for an ID token."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from aws_iot.auth.credentials import Credentials
from aws_iot.auth.session import Session
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.aws.base.network_errors import clock_fault
from aws_iot.aws.base.refusals import Refusals
from aws_iot.aws.cognito.tokens import login_provider
from aws_iot.aws.cognito.user_pool import hints_for
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
        # This call needs no signature, but every use of the credentials does. So report a wrong clock now.
        if fault := clock_fault(reply["ResponseMetadata"]["HTTPHeaders"].get("date"), self._now()):
            raise fault
        keys = reply["Credentials"]
        return Credentials(
            identity=reply["IdentityId"],  # another than requested, if identities were merged
            access_key_id=keys["AccessKeyId"],
            secret_access_key=keys["SecretKey"],
            session_token=keys["SessionToken"],
            expires=keys["Expiration"],
        )

    def _call(self, operation: str, session: Session, **parameters: Any) -> dict[str, Any]:
        provider = login_provider(session.id_token, self._profile)
        with hints_for(self._profile, session.username):
            return self._pool.call(
                operation, _IDENTITY_REFUSALS, Logins={provider: session.id_token}, **parameters
            )


def _not_found(message: str) -> AwsIotError:
    if message.startswith("Identity '"):  # and not "IdentityPool '"
        return CredentialsRefused(f"an admin has deleted the identity: {message}")
    return ProfileError(
        f"the identity pool does not exist: {message}",
        hint="Check aws_cognito_identity_pool_id in the profile: aws-iot config show -k KEY",
    )


_IDENTITY_REFUSALS: Refusals = {
    "NotAuthorizedException": lambda message: CredentialsRefused(
        f"the identity pool rejected the sign-in of this user pool: {message}",
        hint="Check that this user pool and app client are an identity provider of the identity pool.",
    ),
    "ResourceNotFoundException": _not_found,
    "InvalidIdentityPoolConfigurationException": lambda message: ProfileError(
        f"the identity pool has no usable role for signed-in users: {message}"
    ),
    "InvalidParameterException": lambda message: CredentialsRefused(
        f"the identity pool rejected this: {message}"
    ),
}
