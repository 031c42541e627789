"""The signed WebSocket upgrade of AWS IoT Core."""

import threading
import time
from collections.abc import Callable
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
from awscrt.mqtt5 import WebsocketHandshakeTransformArgs

from aws_iot.credentials import Credentials
from aws_iot.errors import AwsIotError

SERVICE = "iotdevicegateway"

CONNECT_SECONDS = 1.0
"""AWS IoT Core allows one CONNECT a second for a client id, so no attempt follows another sooner."""


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


class Handshakes:
    """Signs the upgrade of each attempt with live credentials, on a thread that awscrt does not wait for."""

    def __init__(
        self, path: str, region: str, credentials: Callable[[], Credentials], now: Callable[[], datetime]
    ) -> None:
        self._path = path
        self._region = region
        self._credentials = credentials
        self._now = now
        self._last = -CONNECT_SECONDS
        self.upgrade: SignedUpgrade | None = None
        """What was sent at the last attempt that could be signed."""
        self.error: AwsIotError | None = None
        """Why the last attempt could not be signed, if so."""

    def on_handshake(self, transform_args: WebsocketHandshakeTransformArgs) -> None:
        """What awscrt calls before each attempt, with this name for what it gives."""
        threading.Thread(target=self._sign, args=(transform_args,), daemon=True).start()

    def _sign(self, attempt: WebsocketHandshakeTransformArgs) -> None:
        time.sleep(max(0, self._last + CONNECT_SECONDS - time.monotonic()))
        self._last = time.monotonic()
        try:
            self.upgrade = sign(
                attempt.http_request, self._path, self._credentials(), self._region, self._now()
            )
            self.error = None
        except AwsIotError as error:
            self.error = error
            attempt.set_done(error)
        except Exception as error:
            self.error = AwsIotError(f"signing the connection failed: {type(error).__name__}")
            attempt.set_done(error)
            raise
        else:
            attempt.set_done()
