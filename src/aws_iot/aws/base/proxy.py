"""The HTTP proxy in front of AWS IoT Core, if the environment names one."""

import os
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import SplitResult, unquote, urlsplit

from awscrt import http, io

from aws_iot.config.endpoint import Endpoint, is_loopback
from aws_iot.errors import LocalError


def proxy_of(endpoint: Endpoint) -> SplitResult | None:
    """The proxy that `HTTPS_PROXY` names for this endpoint, unless `NO_PROXY` exempts it.

    Loopback addresses never use a proxy, as in `aws_iot.aws.base.calls`. Raises `LocalError` for an invalid proxy.
    """
    if is_loopback(endpoint.host) or not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    # Here, because it takes long to import.
    from urllib.request import getproxies_environment, proxy_bypass_environment  # type: ignore[attr-defined]

    if proxy_bypass_environment(endpoint.host):
        return None
    url = getproxies_environment().get("https")
    if not url:
        return None
    with suppress(ValueError):  # from a port that is not a number
        proxy = urlsplit(url if "://" in url else f"http://{url}")
        if proxy.scheme in ("http", "https") and proxy.hostname and proxy.port != 0:
            return proxy
    raise LocalError(
        f"the proxy for {endpoint.host} cannot be used",
        hint="Set HTTPS_PROXY to a URL such as http://proxy.example:3128.",
    )


def proxy_options(endpoint: Endpoint, tls: Callable[[], io.ClientTlsContext]) -> http.HttpProxyOptions | None:
    """The same for awscrt. `tls` is for a proxy that uses TLS itself."""
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
    """The port in the URL, or the default of its scheme."""
    return proxy.port or (443 if proxy.scheme == "https" else 80)


def authorization(proxy: SplitResult) -> dict[str, str]:
    """The header that authenticates a request to the proxy, if its URL has a user name."""
    if not proxy.username:
        return {}
    import base64  # here, because few people need it

    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair).decode()}"}
