"""The signed WebSocket upgrade of AWS IoT Core."""

from datetime import datetime, timedelta
from typing import NamedTuple

from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpRequest

from aws_iot.auth.credentials import Credentials

SERVICE = "iotdevicegateway"

SIGN_SECONDS = 10
"""How long awscrt may take to sign; it takes milliseconds."""

FRESH = timedelta(minutes=1)
"""AWS accepts a signature of this age. It accepts some for minutes, but a machine that slept may be late by hours."""


class SignedUpgrade(NamedTuple):
    """A signed upgrade request. Its target contains a session token: never print or log it."""

    target: str
    headers: tuple[tuple[str, str], ...]
    signed_at: datetime
    expires: datetime
    """When the credentials expire."""

    def __repr__(self) -> str:
        return f"SignedUpgrade(signed_at={self.signed_at}, expires={self.expires})"

    def is_fresh(self, now: datetime) -> bool:
        """Whether AWS would still accept it, so that a rejection is not about its age."""
        return abs(now - self.signed_at) < FRESH


def sign(
    request: HttpRequest, path: str, credentials: Credentials, region: str, now: datetime
) -> SignedUpgrade:
    """Sign `request` in place, in its query string. AWS accepts it for a few minutes around `now`.

    Unlike elsewhere in AWS, the session token is not part of what is signed:
    docs.aws.amazon.com/iot/latest/developerguide/iam-users-groups-roles.html
    """
    request.path = path
    aws_sign_request(
        request,
        AwsSigningConfig(
            algorithm=AwsSigningAlgorithm.V4,
            signature_type=AwsSignatureType.HTTP_REQUEST_QUERY_PARAMS,
            credentials_provider=AwsCredentialsProvider.new_static(
                credentials.access_key_id, credentials.secret_access_key, credentials.session_token
            ),
            region=region,
            service=SERVICE,
            date=now,
            omit_session_token=True,
        ),
    ).result(timeout=SIGN_SECONDS)
    return SignedUpgrade(request.path, tuple(request.headers), now, credentials.expires)
