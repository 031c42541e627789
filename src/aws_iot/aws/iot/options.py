"""What a client of awscrt is told of AWS IoT Core: how to reach it, and how long to wait for what."""

from collections.abc import Callable
from functools import partial
from typing import Any

from awscrt import io, mqtt5

from aws_iot.aws.base.proxy import proxy_options
from aws_iot.aws.iot.inbox import UNACKNOWLEDGED
from aws_iot.aws.iot.signing import CONNECT_SECONDS
from aws_iot.config.endpoint import Endpoint

KEEP_ALIVE_SECONDS = 30
"""The shortest that AWS IoT Core takes; a dead link is noticed within one and a half of it.

Over a slow link the ping waits behind megabytes in the system's buffer, and awscrt gives it half of the keep-alive at
most. So a link that is kept full is lost after 45 seconds, and some of what was in the buffer is sent twice: 100
messages of 125 KB took 128 s over 100 KB/s, with 4 of them twice, and 125 s with a keep-alive of 120 seconds; 25 took
111 s over 30 KB/s, and 105 s. That is less than a listener would miss, who has nothing else to notice a dead link by:
it would take three minutes in place of 45 seconds.
"""

SESSION_SECONDS = 7 * 24 * 3600
"""How long a broker is asked to keep a durable session: AWS IoT Core lowers it to what the account is allowed, an hour
unless it was raised: docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt-persistent-sessions"""

LINK_SECONDS = 24 * 3600
"""So long a link lasts at most: docs.aws.amazon.com/general/latest/gr/iot-core.html"""


def client_options(
    endpoint: Endpoint,
    ca_bundle: str | None,
    client_id: str,
    *,
    is_durable: bool,
    **callbacks: Callable[[Any], Any],
) -> mqtt5.ClientOptions:
    """All that a client is made with; `callbacks` as awscrt names them.

    Raises `LocalError` for a CA bundle that cannot be used.
    """
    tls = partial(_tls, endpoint, ca_bundle)
    behaviors = mqtt5.ClientSessionBehaviorType
    return mqtt5.ClientOptions(
        host_name=endpoint.host,
        port=endpoint.port,
        tls_ctx=tls() if endpoint.tls else None,
        http_proxy_options=proxy_options(endpoint, tls),
        connect_options=mqtt5.ConnectPacket(
            client_id=client_id,
            keep_alive_interval_sec=KEEP_ALIVE_SECONDS,
            receive_maximum=UNACKNOWLEDGED,
            session_expiry_interval_sec=SESSION_SECONDS if is_durable else None,
        ),
        session_behavior=behaviors.REJOIN_ALWAYS if is_durable else behaviors.CLEAN,
        # The pauses are ours, in `Handshakes`; these run at the same time, and must not outlast them: they grow
        # with each link that lasts less than half a minute. (The option for that is not to be used: in awscrt
        # 0.38.1 it sets the shortest pause.)
        min_reconnect_delay_ms=1,
        max_reconnect_delay_ms=round(CONNECT_SECONDS * 1000),
        ack_timeout_sec=LINK_SECONDS,  # it is ours to look for: see `IotCoreConnection._look`
        disable_metrics=True,
        **callbacks,
    )


def _tls(endpoint: Endpoint, ca_bundle: str | None) -> io.ClientTlsContext:
    options = io.TlsContextOptions()
    if endpoint.port == 443:
        options.alpn_list = ["http/1.1"]  # on 443 AWS tells WebSockets from MQTT by it
    try:
        if ca_bundle:
            options.override_default_trust_store_from_path(None, ca_bundle)
        return io.ClientTlsContext(options)
    except (OSError, RuntimeError) as error:
        from aws_iot.aws.iot.diagnosis import ca_bundle_unusable  # here, since it takes long to import

        raise ca_bundle_unusable(ca_bundle) from error
