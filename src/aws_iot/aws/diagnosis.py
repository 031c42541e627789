"""Why no connection to AWS IoT Core comes about.

awscrt hides the answer to a refused upgrade, and takes up to 30 seconds to report an untrusted
certificate. So when a connection does not come about, `diagnose` sends the same signed request
itself, with the standard library, and reads what comes back.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Callable
from datetime import datetime

from aws_iot.aws.handshake import SignedUpgrade
from aws_iot.aws.proxy import authorization, port_of, proxy_of
from aws_iot.aws.troubles import clock_fault, local_hint, why_unreachable
from aws_iot.deadline import within
from aws_iot.endpoint import Endpoint
from aws_iot.errors import AwsIotError, CredentialsRefused, Unreachable


def diagnose(
    endpoint: Endpoint,
    ca_bundle: str | None,
    upgrade: SignedUpgrade | None,
    now: Callable[[], datetime],
    timeout: float,
) -> AwsIotError | None:
    """Why no connection comes about, as far as the endpoint's own answers tell; None if all is well there.

    Takes `timeout` seconds at most. Without an `upgrade` only the name, the port and the certificate
    are tried.
    """
    late = f"cannot reach {endpoint.host}:{endpoint.port}: no answer in time"
    try:
        return within(timeout, lambda: _look(endpoint, ca_bundle, upgrade, now, timeout), late)
    except Unreachable as error:
        return error


def _look(
    endpoint: Endpoint,
    ca_bundle: str | None,
    upgrade: SignedUpgrade | None,
    now: Callable[[], datetime],
    timeout: float,
) -> AwsIotError | None:
    where = f"{endpoint.host}:{endpoint.port}"
    link: http.client.HTTPConnection
    proxy = proxy_of(endpoint)
    if proxy and proxy.scheme == "https":
        return None  # the standard library cannot look through it
    host, port = (proxy.hostname or "", port_of(proxy)) if proxy else (endpoint.host, endpoint.port)
    if endpoint.tls:
        context = ssl.create_default_context(cafile=ca_bundle)
        link = http.client.HTTPSConnection(host, port, timeout=timeout, context=context)
    else:
        link = http.client.HTTPConnection(host, port, timeout=timeout)
    if proxy:
        link.set_tunnel(endpoint.host, endpoint.port, authorization(proxy))
        where += f" through the proxy {host}:{port}"
    try:
        link.connect()
        if upgrade is None:
            return None
        link.putrequest("GET", upgrade.target, skip_host=True, skip_accept_encoding=True)
        for name, value in upgrade.headers:
            link.putheader(name, value)
        link.endheaders()
        answer = link.getresponse()
    except (OSError, http.client.HTTPException) as error:
        if answered := _TUNNEL_REFUSED.search(str(error)):
            return _no_way(where, int(answered[1]))
        hint = _hint(error) or local_hint(where, error)
        return Unreachable(f"cannot reach {where}: {why_unreachable(error)}", hint=hint)
    finally:
        link.close()
    if answer.status == http.client.SWITCHING_PROTOCOLS:
        return None
    if fault := clock_fault(answer.headers.get("date"), now()):
        return fault
    if answer.status == http.client.FORBIDDEN:
        return CredentialsRefused(
            f"{where} does not take the credentials (HTTP 403)",
            hint="Check aws_pubsub_endpoint and aws_pubsub_region in the profile: both must be of the account"
            " and region of the identity pool.",
        )
    return Unreachable(
        f"{where} answered HTTP {answer.status} instead of opening a WebSocket",
        hint="Check aws_pubsub_endpoint in the profile: it must be the account's IoT data endpoint.",
    )


_TUNNEL_REFUSED = re.compile(r"Tunnel connection failed: (\d{3})")
"""What `http.client` makes of a proxy's answer."""


def _no_way(where: str, status: int) -> Unreachable:
    if status == http.client.PROXY_AUTHENTICATION_REQUIRED:
        return Unreachable(
            f"cannot reach {where}: it asks for a user name and password (HTTP 407)",
            hint="Put them into HTTPS_PROXY: http://USER:PASSWORD@proxy.example:3128",
        )
    if status == http.client.FORBIDDEN:
        return Unreachable(
            f"cannot reach {where}: it refuses to open a way there (HTTP 403)",
            hint="Ask who runs the proxy, or exempt the host from it in NO_PROXY.",
        )
    return Unreachable(f"cannot reach {where}: it opens no way there (HTTP {status})")


def _hint(error: BaseException) -> str | None:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "If this server is yours, name the PEM file of its authority as ca_bundle in the exports file."
    if isinstance(error, socket.gaierror):
        return "Check aws_pubsub_endpoint in the profile, and the network."
    return None
