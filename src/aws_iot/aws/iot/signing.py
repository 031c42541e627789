"""The signed WebSocket upgrade of AWS IoT Core."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from awscrt.auth import (
    AwsCredentialsProvider,
    AwsSignatureType,
    AwsSigningAlgorithm,
    AwsSigningConfig,
    aws_sign_request,
)
from awscrt.http import HttpRequest
from awscrt.mqtt5 import WebsocketHandshakeTransformArgs

from aws_iot.auth.credentials import Credentials
from aws_iot.errors import AwsIotError

SERVICE = "iotdevicegateway"

CONNECT_SECONDS = 1.0
"""AWS IoT Core allows one CONNECT a second for a client id, so no attempt follows another sooner."""

FIRST_PAUSE_SECONDS = 0.3
"""All whom a broker has lost at once do not come back at once: the first attempt is made within this time."""

PAUSE_PER_SECOND_AWAY = 0.25
"""For a broker that has been away for 8 seconds we pause for 2: we are back a quarter of that time late at most."""

FRESH = timedelta(minutes=1)
"""So old a signature is surely taken: AWS takes some for minutes, and a machine that slept is late by hours."""

LONGEST_PAUSE_SECONDS = 30
"""Between two attempts, however long the broker has been away."""


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


def pause(away: float) -> float:
    """From one attempt to the next at least, after a broker has been away for so many seconds."""
    return min(LONGEST_PAUSE_SECONDS, max(CONNECT_SECONDS, away * PAUSE_PER_SECOND_AWAY))


class Handshakes:
    """Decides when the next attempt is made, and signs it with live credentials.

    Both on a thread of each attempt's own, for which awscrt does not wait. awscrt would pause between
    attempts by itself, but up to three times as long as the time before, from the first one on: a broker that is away
    for four seconds would be missed for four more.
    """

    def __init__(
        self,
        path: str,
        region: str,
        credentials: Callable[[], Credentials],
        now: Callable[[], datetime],
        patience: float,
        on_silence: Callable[[], None],
    ) -> None:
        """`on_silence` is called on the attempt's thread if nothing has come of it after `patience` seconds."""
        self._path = path
        self._region = region
        self._credentials = credentials
        self._now = now
        self._patience = patience
        self._on_silence = on_silence
        self._last: float | None = None
        self._away_since: float | None = None
        self._stopped = threading.Event()
        self._answered = threading.Event()
        self._signed_at: datetime | None = None
        self.upgrade: SignedUpgrade | None = None
        """What was sent at the last attempt that could be signed."""
        self.error: AwsIotError | None = None
        """Why the last attempt could not be signed, if so."""
        self.expires: datetime | None = None
        """When the credentials of the last attempt end."""

    def on_handshake(self, transform_args: WebsocketHandshakeTransformArgs) -> None:
        """What awscrt calls before each attempt, with this name for what it gives."""
        self._answered = threading.Event()
        threading.Thread(target=self._attempt, args=(transform_args, self._answered), daemon=True).start()

    def fresh_upgrade(self) -> SignedUpgrade | None:
        """What was sent at the last attempt, if that was just now: an older one is refused for its age."""
        is_fresh = self._signed_at is not None and abs(self._now() - self._signed_at) < FRESH
        return self.upgrade if is_fresh else None

    def answered(self) -> None:
        """Something has come of the attempt that is under way, good or bad."""
        self._answered.set()

    def was_useful(self) -> None:
        """The last attempt led to a link that served: when it is gone, the pauses begin anew."""
        self._away_since = None

    def stop(self) -> None:
        """Make no attempt any more, and wait for none."""
        self._stopped.set()
        self._answered.set()

    def _attempt(self, attempt: WebsocketHandshakeTransformArgs, answered: threading.Event) -> None:
        if self._stopped.wait(self._pause(time.monotonic())):
            attempt.set_done(AwsIotError("the connection is being closed"))
            return
        self._sign(attempt)
        if not answered.wait(self._patience):
            self._on_silence()

    def _pause(self, now: float) -> float:
        if self._last is None:
            self._away_since = now
            return 0.0
        chance = random.random()  # noqa: S311 spreads attempts, keeps no secret
        if self._away_since is None:
            self._away_since = now
            due = now + FIRST_PAUSE_SECONDS * chance
        else:
            due = self._last + pause(now - self._away_since) * (1 + 0.2 * chance)
        return max(due, self._last + CONNECT_SECONDS) - now

    def _sign(self, attempt: WebsocketHandshakeTransformArgs) -> None:
        try:
            credentials = self._credentials()
            self.upgrade = sign(attempt.http_request, self._path, credentials, self._region, self._now())
            self.expires = credentials.expires
            self._signed_at = self._now()
            self.error = None
        except AwsIotError as error:
            self.error = error
        except Exception as error:
            self.error = AwsIotError(f"signing the connection failed: {type(error).__name__}")
            raise
        finally:
            self._last = time.monotonic()  # not before: to renew credentials may take seconds
            attempt.set_done(self.error)
