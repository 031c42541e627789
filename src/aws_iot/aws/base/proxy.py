"""The HTTP proxy on the way to AWS IoT Core, where the environment names one."""

import base64
import os
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import SplitResult, unquote, urlsplit

from awscrt import http, io

from aws_iot.config.endpoint import Endpoint, is_loopback
from aws_iot.errors import LocalError


def proxy_of(endpoint: Endpoint) -> SplitResult | None:
    """The proxy that `HTTPS_PROXY` names for this endpoint, unless `NO_PROXY` exempts it.

    Never for this machine itself, as in `aws_iot.aws.base.calls`; without TLS only that can be reached.
    Raises `LocalError` for a proxy that cannot be one.
    """
    if is_loopback(endpoint.host) or not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Here, since it takes long to import.
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    if proxy_bypass_environment(endpoint.host):
        return None
    url = getproxies_environment().get("https")
    if not url:
        return None
    with suppress(ValueError):  # by a port that is no number
        proxy = urlsplit(url if "://" in url else f"http://{url}")
        if proxy.scheme in ("http", "https") and proxy.hostname and proxy.port != 0:
            return proxy
    raise LocalError(
        f"the proxy for {endpoint.host} is none that can be used",
        hint="Set HTTPS_PROXY to a URL such as http://proxy.example:3128.",
    )


def proxy_options(endpoint: Endpoint, tls: Callable[[], io.ClientTlsContext]) -> http.HttpProxyOptions | None:
    """For awscrt. `tls` is for proxies that speak TLS themselves."""
    proxy = proxy_of(endpoint)
    if proxy is None or proxy.hostname is None:
        return None
    to_proxy = None
    if proxy.scheme == "https":
        to_proxy = tls().new_connection_options()
        to_proxy.set_server_name(proxy.hostname)
    basic = http.HttpProxyAuthenticationType.Basic
    return http.HttpProxyOptions(
        host_name=proxy.hostname,
        port=port_of(proxy),
        tls_connection_options=to_proxy,
        auth_type=basic if proxy.username else http.HttpProxyAuthenticationType.Nothing,
        auth_username=unquote(proxy.username or "") or None,
        auth_password=unquote(proxy.password or "") or None,
        connection_type=http.HttpProxyConnectionType.Tunneling,
    )


def port_of(proxy: SplitResult) -> int:
    """As the URL says, or as proxies have it by default."""
    return proxy.port or (443 if proxy.scheme == "https" else 80)


def authorization(proxy: SplitResult) -> dict[str, str]:
    """What a request to the proxy says of who asks."""
    if not proxy.username:
        return {}
    said = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(said).decode()}"}
