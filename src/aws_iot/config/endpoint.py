"""Endpoint: the address of a broker, as people write it."""

import re
from typing import NamedTuple, Self
from urllib.parse import urlsplit

PATH = "/mqtt"
"""The path of AWS IoT Core for WebSockets: docs.aws.amazon.com/iot/latest/developerguide/protocols.html"""

_HOST = r"[\w.-]+|[0-9a-f:.]+(%\w+)?"


class Endpoint(NamedTuple):
    """The address of a broker for MQTT over a WebSocket."""

    host: str
    port: int
    path: str = PATH
    tls: bool = True

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse `wss://host[:port][/path]`, a bare `host[:port]`, or `ws://…` with a loopback address.

        Raises `ValueError` with a reason that completes the sentence "it …".
        """
        no_host = ValueError("must be a host name, with an optional port and path")
        try:
            url = urlsplit(text if "://" in text else f"wss://{text}")
        except ValueError:
            raise no_host from None
        if url.scheme not in ("ws", "wss"):
            raise ValueError("must begin with wss://, or be a bare host name")
        host = url.hostname or ""
        if "://" not in text and "/" in text:
            raise no_host
        if not re.fullmatch(_HOST, host) or "@" in url.netloc or re.search(r"[\s?#]", text):
            raise no_host
        try:
            port = url.port
        except ValueError:
            port = 0
        if port == 0:
            raise ValueError("has a port that is not a number from 1 to 65535")
        tls = url.scheme == "wss"
        if not tls and not is_loopback(host):
            raise ValueError("must begin with wss://: ws:// has no TLS, and is only for this machine")
        return cls(host, port or (443 if tls else 80), PATH if url.path in ("", "/") else url.path, tls)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == (443 if self.tls else 80) else f":{self.port}"
        return f"{'wss' if self.tls else 'ws'}://{host}{port}{self.path}"


def is_loopback(host: str) -> bool:
    """Whether a host name or address is of this machine."""
    import ipaddress  # here: few commands need it, and all would wait for it

    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
