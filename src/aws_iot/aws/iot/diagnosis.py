"""Why there is no connection to AWS IoT Core.

awscrt hides the response to a rejected upgrade, and takes up to 30 seconds to report an untrusted certificate. So
`diagnose` sends the same signed request with the standard library, and reads the response.
"""

import http.client
from collections.abc import Callable
from datetime import datetime

from aws_iot.aws.base.network_errors import FOREIGN_HINT, ForeignAnswer, clock_fault
from aws_iot.aws.iot.route import Route
from aws_iot.aws.iot.signing import SignedUpgrade
from aws_iot.config.endpoint import Endpoint, is_loopback
from aws_iot.deadline import within
from aws_iot.errors import AwsIotError, CredentialsRefused, Unreachable

# A profile of a team that was deployed on the local stack does not name that stack.
_RESTARTED = (
    "If the local stack was restarted, it has lost what was deployed on it, and its accounts."
    " Deploy it again, and create new accounts.\n"
)


def diagnose(
    endpoint: Endpoint,
    ca_bundle: str | None,
    request: SignedUpgrade | None,
    now: Callable[[], datetime],
    timeout: float,
) -> AwsIotError | None:
    """Why there is no connection, as far as the endpoint shows; None if it shows nothing wrong.

    Takes at most `timeout` seconds. Without a `request` only the name, the port and the certificate are checked.
    """

    def look() -> AwsIotError | None:
        route = Route.to(endpoint, ca_bundle)
        if route.is_hidden:
            return None
        connection = route.connect(timeout)
        try:
            return upgrade_refused(route, route.upgrade(connection, request), now()) if request else None
        finally:
            connection.close()

    late = f"cannot reach {endpoint.host}:{endpoint.port}: no answer in time"
    try:
        return within(timeout, look, late)
    except Unreachable as error:
        return error


def upgrade_refused(route: Route, response: http.client.HTTPResponse, now: datetime) -> AwsIotError | None:
    """What the response to a signed upgrade means; None if the endpoint accepts it."""
    if response.status == http.client.SWITCHING_PROTOCOLS:
        if response.headers.get("sec-websocket-protocol") == "mqtt":
            return None
        return Unreachable(f"cannot reach {route}: its WebSocket does not speak MQTT", hint=FOREIGN_HINT)
    if foreign := _foreign(response):
        return Unreachable(f"cannot reach {route}: {foreign}", hint=FOREIGN_HINT)
    if fault := clock_fault(response.headers.get("date"), now):
        return fault
    if response.status == http.client.FORBIDDEN:
        local = _RESTARTED if is_loopback(route.endpoint.host) else ""
        return CredentialsRefused(
            f"{route} rejected the credentials (HTTP 403)",
            hint=f"{local}Check aws_pubsub_endpoint and aws_pubsub_region in the profile: both must be of the account"
            " and region of the identity pool.",
        )
    return Unreachable(
        f"{route} answered HTTP {response.status} instead of opening a WebSocket",
        hint="Check aws_pubsub_endpoint in the profile: it must be the account's IoT data endpoint.",
    )


def _foreign(response: http.client.HTTPResponse) -> ForeignAnswer | None:
    """What a captive portal or a proxy answered in place of the broker, which never redirects and has no web pages."""
    content_type, location = response.headers.get("content-type"), response.headers.get("location")
    is_page = (content_type or "").startswith(("text/html", "application/xhtml"))
    if is_page or response.status < http.client.BAD_REQUEST:
        return ForeignAnswer(response.status, content_type, location, response.length == 0)
    return None
