"""How a client of AWS's SDK is built for AWS IoT Core: addresses, timeouts, sessions, TLS."""

import sys
from collections.abc import Callable
from functools import partial
from importlib.util import LazyLoader, find_spec, module_from_spec
from typing import Any

from awscrt import io, mqtt5

from aws_iot.aws.base.proxy import proxy_options
from aws_iot.aws.iot.inbox import UNACKNOWLEDGED
from aws_iot.config.ca_bundle import ca_bundle_unusable
from aws_iot.config.endpoint import Endpoint

KEEP_ALIVE_SECONDS = 30
"""The shortest that AWS IoT Core accepts. A dead connection is noticed within one and a half of it.

On a slow network the ping waits behind megabytes in the system's buffer, and awscrt gives it at most half of the
keep-alive. So a connection that is kept full is lost after 45 seconds, and part of the buffer is sent twice. A longer
keep-alive avoids that, but gains little: with 120 seconds, 100 messages of 125 KB took 125 s instead of 128 s at
100 KB/s. A subscriber would lose more. Nothing else shows it a dead connection, so it would notice after three minutes.
"""

SESSION_SECONDS = 7 * 24 * 3600
"""How long the broker should keep a durable session. AWS IoT Core lowers it to the account's limit, an hour by default:
docs.aws.amazon.com/iot/latest/developerguide/mqtt.html#mqtt-persistent-sessions"""

CONNECTION_SECONDS = 24 * 3600
"""The longest life of a connection: docs.aws.amazon.com/general/latest/gr/iot-core.html"""

NEVER_MS = CONNECTION_SECONDS * 1000


def build_client(
    endpoint: Endpoint,
    ca_bundle: str | None,
    client_id: str,
    *,
    session_seconds: int | None,
    will: mqtt5.PublishPacket | None,
    on_handshake: Callable[..., None],
    **callbacks: Callable[[Any], Any],
) -> mqtt5.Client:
    """A client that connects once; `callbacks` have awscrt's names.

    The session outlives the connection by `session_seconds`; with None, it ends with the connection.

    Raises `LocalError` if the CA bundle or the proxy cannot be used.
    """
    behaviors = mqtt5.ClientSessionBehaviorType
    options = mqtt5.ClientOptions(
        host_name=endpoint.host,
        port=endpoint.port,
        http_proxy_options=proxy_options(endpoint, partial(_proxy_tls, ca_bundle)),
        connect_options=mqtt5.ConnectPacket(
            client_id=client_id,
            keep_alive_interval_sec=KEEP_ALIVE_SECONDS,
            receive_maximum=UNACKNOWLEDGED,
            session_expiry_interval_sec=session_seconds,
            will=will,
        ),
        session_behavior=behaviors.REJOIN_ALWAYS if session_seconds else behaviors.CLEAN,
        # Rates are up to the publisher, which knows of `--rate 0`.
        extended_validation_and_flow_control_options=mqtt5.ExtendedValidationAndFlowControlOptions.NONE,
        # Reconnecting and waiting for acknowledgements are up to `aws_iot.aws.iot.link`.
        min_reconnect_delay_ms=NEVER_MS,
        max_reconnect_delay_ms=NEVER_MS,
        retry_jitter_mode=mqtt5.ExponentialBackoffJitterMode.NONE,
        ack_timeout_sec=CONNECTION_SECONDS,
        **callbacks,
    )
    if not endpoint.tls:  # only on this machine, for tests: the SDK's builder knows no connection without TLS
        options.websocket_handshake_transform = on_handshake
        options.disable_metrics = True
        return mqtt5.Client(options)
    return _with_tls(options, ca_bundle, on_handshake)


def _with_tls(
    options: mqtt5.ClientOptions, ca_bundle: str | None, on_handshake: Callable[..., None]
) -> mqtt5.Client:
    _load_when_used("awscrt.mqtt_request_response")  # `awsiot` imports it, but its builder does not need it
    from awsiot import mqtt5_client_builder

    try:
        return mqtt5_client_builder.websockets_with_custom_handshake(
            on_handshake,
            client_options=options,
            endpoint=options.host_name,
            ca_filepath=ca_bundle,
            enable_metrics_collection=False,
        )
    except (OSError, RuntimeError) as error:
        raise ca_bundle_unusable(ca_bundle) from error


def _load_when_used(name: str) -> None:
    """Let others import a submodule without running it, until they use it: see "lazy imports" in `importlib`'s docs."""
    spec = None if name in sys.modules else find_spec(name)
    if spec and spec.loader:
        spec.loader = LazyLoader(spec.loader)
        sys.modules[name] = module = module_from_spec(spec)
        spec.loader.exec_module(module)
        package, _, submodule = name.rpartition(".")
        setattr(
            sys.modules[package], submodule, module
        )  # `from package import` would run it if it had to look it up


def _proxy_tls(ca_bundle: str | None) -> io.ClientTlsContext:
    """For a proxy that uses TLS itself."""
    options = io.TlsContextOptions()
    try:
        if ca_bundle:
            options.override_default_trust_store_from_path(None, ca_bundle)
        return io.ClientTlsContext(options)
    except (OSError, RuntimeError) as error:
        raise ca_bundle_unusable(ca_bundle) from error
