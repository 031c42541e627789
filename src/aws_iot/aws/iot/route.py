"""How the standard library reaches AWS IoT Core, which shows more of a failure than awscrt does."""

import http.client
import socket
import ssl
from dataclasses import dataclass
from urllib.parse import SplitResult

from aws_iot.aws.base.network_errors import unreachable_hint, why_unreachable
from aws_iot.aws.base.proxy import authorization, port_of, proxy_of
from aws_iot.aws.iot.signing import SignedUpgrade
from aws_iot.config.ca_bundle import ca_bundle_unusable, untrusted_hint
from aws_iot.config.endpoint import Endpoint
from aws_iot.errors import Unreachable

LARGEST_BODY = 10_000
"""How many bytes of an answer are read. An explanation of a rejection is short."""


@dataclass(frozen=True, slots=True)
class Route:
    """The route to an endpoint: direct, or through the proxy of the environment."""

    endpoint: Endpoint
    ca_bundle: str | None
    proxy: SplitResult | None

    @classmethod
    def to(cls, endpoint: Endpoint, ca_bundle: str | None) -> "Route":
        """Raises `LocalError` for an invalid proxy."""
        return cls(endpoint, ca_bundle, proxy_of(endpoint))

    @property
    def is_hidden(self) -> bool:
        """Whether it leads through a proxy that uses TLS itself, which the standard library does not support."""
        return self.proxy is not None and self.proxy.scheme == "https"

    @property
    def first(self) -> tuple[str, int]:
        """The host and port to connect to: those of the proxy, if there is one."""
        if self.proxy:
            return self.proxy.hostname or "", port_of(self.proxy)
        return self.endpoint.host, self.endpoint.port

    def __str__(self) -> str:
        target = f"{self.endpoint.host}:{self.endpoint.port}"
        return f"{target} through the proxy {':'.join(map(str, self.first))}" if self.proxy else target

    def connect(self, timeout: float, *, secured: bool = True) -> http.client.HTTPConnection:
        """An HTTP connection to the endpoint, which the caller closes; without TLS if it is not to be `secured`.

        `timeout` is in seconds, for each wait. Raises `Unreachable`, and `LocalError` for an unusable CA bundle.
        """
        connection: http.client.HTTPConnection
        if self.endpoint.tls and secured:
            connection = http.client.HTTPSConnection(*self.first, timeout=timeout, context=self._context())
        else:
            connection = http.client.HTTPConnection(*self.first, timeout=timeout)
        if self.proxy:
            connection.set_tunnel(self.endpoint.host, self.endpoint.port, authorization(self.proxy))
        try:
            connection.connect()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise self._unreachable(error) from error
        return connection

    def upgrade(
        self, connection: http.client.HTTPConnection, request: SignedUpgrade
    ) -> http.client.HTTPResponse:
        """The response to a signed upgrade. Raises `Unreachable`."""
        try:
            connection.putrequest("GET", request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                connection.putheader(name, value)
            connection.endheaders()
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error

    def get(self, path: str, timeout: float, most: int) -> tuple[http.client.HTTPResponse, bytes]:
        """The response to an unsigned request, and at most `most` bytes of its body. Raises as `connect`."""
        connection = self.connect(timeout)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response, response.read(most)
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from error
        finally:
            connection.close()

    def _context(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise ca_bundle_unusable(self.ca_bundle) from error

    def _hint(self, error: Exception) -> str | None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return untrusted_hint(self.ca_bundle)
        if isinstance(error, ssl.SSLError):
            return f"Check the port and the scheme (wss://, https://) of {self.endpoint.host} in the profile."
        if self.proxy:
            return "Check HTTPS_PROXY, and whether the proxy runs."
        if isinstance(error, socket.gaierror):
            return "Check aws_pubsub_endpoint in the profile, and the network."
        return None

    def _unreachable(self, error: Exception) -> Unreachable:
        hint = unreachable_hint(str(self), error) or self._hint(error)
        return Unreachable(f"cannot reach {self}: {why_unreachable(error)}", hint=hint)
