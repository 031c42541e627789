"""Why no connection to AWS IoT Core comes about, and the way to a service in general.

awscrt hides the answer to a refused upgrade, and takes up to 30 seconds to report an untrusted
certificate. So when a connection does not come about, `diagnose` sends the same signed request
itself, with the standard library, and reads what comes back.
"""

import http.client
import re
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import SplitResult

from aws_iot.aws.base.network_errors import clock_fault, local_hint, why_unreachable
from aws_iot.aws.base.proxy import authorization, port_of, proxy_of
from aws_iot.aws.iot.signing import SignedUpgrade
from aws_iot.config.endpoint import Endpoint
from aws_iot.deadline import within
from aws_iot.errors import AwsIotError, CredentialsRefused, LocalError, Unreachable


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

    def look() -> AwsIotError | None:
        way = Route.to(endpoint, ca_bundle)
        if way.is_hidden:
            return None
        link = way.connect(timeout)
        try:
            return why_not(way, way.ask(link, upgrade), now()) if upgrade else None
        finally:
            link.close()

    late = f"cannot reach {endpoint.host}:{endpoint.port}: no answer in time"
    try:
        return within(timeout, look, late)
    except Unreachable as error:
        return error


@dataclass(frozen=True, slots=True)
class Route:
    """How the standard library gets to an endpoint: straight, or through the proxy of the environment."""

    endpoint: Endpoint
    ca_bundle: str | None
    proxy: SplitResult | None

    @classmethod
    def to(cls, endpoint: Endpoint, ca_bundle: str | None) -> "Route":
        """Raises `LocalError` for a proxy that cannot be one."""
        return cls(endpoint, ca_bundle, proxy_of(endpoint))

    @property
    def is_hidden(self) -> bool:
        """Whether it leads through a proxy that speaks TLS itself, which the standard library cannot follow."""
        return self.proxy is not None and self.proxy.scheme == "https"

    @property
    def first(self) -> tuple[str, int]:
        """The host and port that it begins at."""
        if self.proxy:
            return self.proxy.hostname or "", port_of(self.proxy)
        return self.endpoint.host, self.endpoint.port

    def __str__(self) -> str:
        where = f"{self.endpoint.host}:{self.endpoint.port}"
        return f"{where} through the proxy {':'.join(map(str, self.first))}" if self.proxy else where

    def connect(self, timeout: float, *, secured: bool = True) -> http.client.HTTPConnection:
        """A link to the endpoint, to be closed; without TLS if it is not to be `secured`.

        `timeout` is in seconds, for each wait. Raises `Unreachable`, and `LocalError` for a CA bundle that cannot
        be used.
        """
        link: http.client.HTTPConnection
        if self.endpoint.tls and secured:
            link = http.client.HTTPSConnection(*self.first, timeout=timeout, context=self._context())
        else:
            link = http.client.HTTPConnection(*self.first, timeout=timeout)
        if self.proxy:
            link.set_tunnel(self.endpoint.host, self.endpoint.port, authorization(self.proxy))
        try:
            link.connect()
        except (OSError, http.client.HTTPException) as error:
            link.close()
            raise self._trouble(error) from error
        return link

    def ask(self, link: http.client.HTTPConnection, upgrade: SignedUpgrade) -> http.client.HTTPResponse:
        """What the endpoint answers to a signed request. Raises `Unreachable`."""
        try:
            link.putrequest("GET", upgrade.target, skip_host=True, skip_accept_encoding=True)
            for name, value in upgrade.headers:
                link.putheader(name, value)
            link.endheaders()
            return link.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise self._trouble(error) from error

    def get(self, path: str, timeout: float, most: int) -> tuple[http.client.HTTPResponse, bytes]:
        """What the endpoint answers to an unsigned request, and so many bytes of its body. Raises as `connect`."""
        link = self.connect(timeout)
        try:
            link.request("GET", path)
            answer = link.getresponse()
            return answer, answer.read(most)
        except (OSError, http.client.HTTPException) as error:
            raise self._trouble(error) from error
        finally:
            link.close()

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise ca_bundle_unusable(self.ca_bundle) from error

    def _hint(self, error: Exception) -> str | None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return "If this server is yours, name the PEM file of its authority as ca_bundle in the exports file."
        if isinstance(error, ssl.SSLError):
            return (
                f"Check the port and the beginning (wss://, https://) of {self.endpoint.host} in the profile."
            )
        if self.proxy:
            return "Check HTTPS_PROXY, and whether the proxy runs."
        if isinstance(error, socket.gaierror):
            return "Check aws_pubsub_endpoint in the profile, and the network."
        return None

    def _trouble(self, error: Exception) -> Unreachable:
        if answered := _TUNNEL_REFUSED.search(str(error)):
            return _no_way(str(self), int(answered[1]))
        hint = self._hint(error) or local_hint(str(self), error)
        return Unreachable(f"cannot reach {self}: {why_unreachable(error)}", hint=hint)


def ca_bundle_unusable(path: str | None) -> LocalError:
    """A file of authorities that is missing, or none."""
    is_there = path is not None and Path(path).is_file()
    return LocalError(
        f"the ca_bundle {path} cannot be used: "
        + ("it must be a PEM file that you can read" if is_there else "there is no such file"),
        hint="It is ca_bundle in the exports file, or AWS_CA_BUNDLE or REQUESTS_CA_BUNDLE in the environment.",
    )


MOST_OF_A_BODY = 10_000
"""So many bytes of an answer are read: what says why something is refused is short."""


def why_not(way: Route, answer: http.client.HTTPResponse, now: datetime) -> AwsIotError | None:
    """What an answer to a signed upgrade makes of it; None if it lets us in."""
    if answer.status == http.client.SWITCHING_PROTOCOLS:
        return None
    if fault := clock_fault(answer.headers.get("date"), now):
        return fault
    if answer.status == http.client.FORBIDDEN:
        return CredentialsRefused(
            f"{way} does not take the credentials (HTTP 403)",
            hint="Check aws_pubsub_endpoint and aws_pubsub_region in the profile: both must be of the account"
            " and region of the identity pool.",
        )
    return Unreachable(
        f"{way} answered HTTP {answer.status} instead of opening a WebSocket",
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
