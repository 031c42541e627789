"""The signed WebSocket upgrade of AWS IoT Core."""

from dataclasses import dataclass, field
from datetime import datetime

from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpRequest

from aws_iot.credentials import Credentials

SERVICE = "iotdevicegateway"


@dataclass(frozen=True, slots=True)
class SignedUpgrade:
    """An upgrade request as it was sent. Its target holds a session token: show it to nobody."""

    target: str = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(repr=False)


def sign(
    request: HttpRequest, path: str, credentials: Credentials, region: str, moment: datetime
) -> SignedUpgrade:
    """Sign `request` in place, in its query string; it is valid for a few minutes around `moment`.

    The session token stays outside the signature, unlike anywhere else in AWS:
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
            date=moment,
            omit_session_token=True,
        ),
    ).result(timeout=10)
    return SignedUpgrade(request.path, tuple(request.headers))
