"""The connection to AWS IoT Core: MQTT 5 by awscrt, over a WebSocket that we sign.

awscrt calls back on threads of its own. A callback here puts an event on a queue or settles a
future, and returns; what takes time (renewing credentials, signing) has a thread of its own.
"""

import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from datetime import datetime
from typing import Any

from awscrt import io, mqtt5

from aws_iot.aws.clients import system_ca_bundle
from aws_iot.aws.handshake import SignedUpgrade, diagnose, sign
from aws_iot.connection import Delivery, Event, Lost, Restored
from aws_iot.credentials import Credentials
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    NotAccepted,
    NotAuthorized,
    ServiceRefused,
    TopicRefused,
    Unreachable,
)
from aws_iot.message import Properties
from aws_iot.profile import Profile

KEEP_ALIVE_SECONDS = 30
"""The shortest that AWS IoT Core takes; a dead link is noticed within one and a half of it."""

RECONNECT_SECONDS = (1, 30)
"""AWS IoT Core allows one CONNECT a second for a client id, so no attempt follows another sooner."""

PATIENCE_SECONDS = 2.0
"""After so long without a word from awscrt we look for ourselves: it is slow to report an untrusted certificate."""

SLICE_SECONDS = 0.25
"""Waits are cut into slices, since on Windows Ctrl-C does not interrupt one."""


class IotCoreConnection:
    """A `Connection` for one identity. Made by `open`, which returns once the broker has accepted it."""

    def __init__(
        self,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        now: Callable[[], datetime],
        timeout: float,
    ) -> None:
        self._profile = profile
        self._endpoint = profile.endpoint
        self._ca_bundle = profile.ca_bundle or system_ca_bundle()
        self._identity = identity
        self._credentials = credentials
        self._now = now
        self._timeout = timeout
        self._events: queue.SimpleQueue[Event | AwsIotError] = queue.SimpleQueue()
        self._opened: Future[mqtt5.LifecycleConnectFailureData | None] = Future()
        self._ended: Future[AwsIotError] = Future()
        self._stopped = threading.Event()
        self._filters: list[str] = []
        self._losses = 0
        self._last_attempt = -float(RECONNECT_SECONDS[0])
        self._upgrade: SignedUpgrade | None = None
        self._signing_error: AwsIotError | None = None
        self._client = mqtt5.Client(self._options())

    @classmethod
    def open(
        cls,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        now: Callable[[], datetime],
        timeout: float,
    ) -> "IotCoreConnection":
        """Connect within about `timeout` seconds; `credentials` is called for each attempt, on another thread.

        Raises `NotAccepted`, `CredentialsRefused`, `Unreachable`, or what `credentials` raises.
        """
        connection = cls(profile, identity, credentials, now, timeout)
        try:
            connection._open()
        except BaseException:
            connection.close()
            raise
        return connection

    def _options(self) -> mqtt5.ClientOptions:
        tls = None
        if self._endpoint.tls:
            options = io.TlsContextOptions()
            if self._ca_bundle:
                try:
                    options.override_default_trust_store_from_path(None, self._ca_bundle)
                except OSError as error:
                    raise Unreachable(
                        f"the ca_bundle {self._ca_bundle} cannot be read: {error.strerror}"
                    ) from error
            if self._endpoint.port == 443:
                options.alpn_list = ["http/1.1"]  # on 443 AWS tells WebSockets from MQTT by it
            tls = io.ClientTlsContext(options)
        return mqtt5.ClientOptions(
            host_name=self._endpoint.host,
            port=self._endpoint.port,
            tls_ctx=tls,
            websocket_handshake_transform=self._on_handshake,
            connect_options=mqtt5.ConnectPacket(
                # The policy wants the identity first; the rest keeps two programs of a person apart.
                client_id=f"{self._identity}-{secrets.token_hex(4)}",
                keep_alive_interval_sec=KEEP_ALIVE_SECONDS,
            ),
            retry_jitter_mode=mqtt5.ExponentialBackoffJitterMode.DECORRELATED,
            min_reconnect_delay_ms=RECONNECT_SECONDS[0] * 1000,
            max_reconnect_delay_ms=RECONNECT_SECONDS[1] * 1000,
            on_publish_callback_fn=self._on_publish,
            on_lifecycle_event_connection_success_fn=self._on_connected,
            on_lifecycle_event_connection_failure_fn=self._on_connect_failed,
            on_lifecycle_event_disconnection_fn=self._on_disconnected,
            on_lifecycle_event_stopped_fn=lambda _: self._stopped.set(),
            disable_metrics=True,
        )

    # -- what the owner's thread calls

    def publish(self, topic: str, payload: bytes, properties: Properties = ()) -> None:
        losses = self._losses
        packet = mqtt5.PublishPacket(
            topic=topic,
            payload=payload,
            qos=mqtt5.QoS.AT_LEAST_ONCE,
            user_properties=[mqtt5.UserProperty(name, value) for name, value in properties],
        )
        refused = TopicRefused(
            f"not authorized to publish to {topic}",
            hint="A policy refuses this room: ask an admin which rooms are yours.",
        )

        def often_cut() -> None:
            # A refusal may be a closed connection and nothing else; awscrt would then send it again for ever.
            if self._losses - losses >= 2:
                raise TopicRefused(
                    f"the broker cuts the connection whenever we publish to {topic}", hint=refused.hint
                )

        try:
            completion = self._result(self._client.publish(packet), "acknowledged the message", often_cut)
        except NotAuthorized as error:
            raise (error if isinstance(error, TopicRefused) else refused) from error
        reason = completion.puback.reason_code
        if reason == mqtt5.PubackReasonCode.NOT_AUTHORIZED:
            raise refused
        if reason == mqtt5.PubackReasonCode.QUOTA_EXCEEDED:
            raise ServiceRefused(
                "the broker did not take the message: a limit of the account or connection is reached"
            )
        if reason >= mqtt5.PubackReasonCode.UNSPECIFIED_ERROR:
            raise ServiceRefused(f"the broker did not take the message: {_words(reason)}")

    def subscribe(self, filters: Sequence[str]) -> None:
        suback = self._result(self._client.subscribe(_subscribe_packet(filters)), "granted the subscription")
        self._check_granted(filters, suback)
        self._filters += filters

    def receive(self, timeout: float | None = None) -> Event | None:
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            left = SLICE_SECONDS if deadline is None else min(SLICE_SECONDS, deadline - time.monotonic())
            try:
                event = self._events.get(timeout=max(left, 0))
            except queue.Empty:
                if deadline is not None and time.monotonic() >= deadline:
                    return None
                continue
            if isinstance(event, AwsIotError):
                raise event
            return event

    def close(self) -> None:
        if not self._stopped.is_set():
            self._client.stop(mqtt5.DisconnectPacket())  # without a packet awscrt closes without a DISCONNECT
            self._stopped.wait(1.0)

    # -- opening

    def _open(self) -> None:
        self._client.start()
        deadline = time.monotonic() + self._timeout
        if not self._settled(self._opened, min(PATIENCE_SECONDS, self._timeout)):
            fault = diagnose(
                self._endpoint, self._ca_bundle, None, self._now, max(deadline - time.monotonic(), 1)
            )
            if fault:
                raise fault
            self._settled(self._opened, deadline - time.monotonic())
        if not self._opened.done():
            raise self._fault() or Unreachable(
                f"{self._endpoint} did not answer within {self._timeout:g} seconds"
            )
        failure = self._opened.result()
        if failure is not None:
            raise self._why_not_open(failure)

    def _fault(self) -> AwsIotError | None:
        return diagnose(self._endpoint, self._ca_bundle, self._upgrade, self._now, PATIENCE_SECONDS)

    def _why_not_open(self, failure: mqtt5.LifecycleConnectFailureData) -> AwsIotError:
        if self._signing_error:
            return self._signing_error
        if failure.connack_packet:
            return self._refused(failure.connack_packet.reason_code)
        return self._fault() or self._not_accepted(
            "the broker closed the connection without a word, as it does when"
        )

    def _refused(self, reason: int) -> AwsIotError:
        match reason:
            case mqtt5.ConnectReasonCode.NOT_AUTHORIZED:
                return self._not_accepted("not authorized to connect:")
            case mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD:
                return CredentialsRefused("the broker does not take the credentials")
            case mqtt5.ConnectReasonCode.SERVER_UNAVAILABLE | mqtt5.ConnectReasonCode.SERVER_BUSY:
                return Unreachable(f"the broker takes no connections at the moment: {_words(reason)}")
            case _:
                return ServiceRefused(f"the broker refused the connection: {_words(reason)}")

    def _not_accepted(self, what: str) -> NotAccepted:
        policy = "" if self._profile.policy_name else " --policy POLICY"
        return NotAccepted(
            f"{what} no admin has accepted the identity {self._identity} yet",
            hint=f"An admin accepts it with: aws-iot admin accept {self._identity}{policy} -k {self._profile.key}\n"
            "AWS takes 6 to 8 minutes to apply it.",
        )

    # -- waiting

    def _result(self, future: "Future[Any]", done: str, look: Callable[[], None] = lambda: None) -> Any:
        """What the broker answers; `done` completes "the broker has not …", `look` may raise at any slice."""
        deadline = time.monotonic() + self._timeout
        while not future.done() and not self._ended.done() and time.monotonic() < deadline:
            wait([future, self._ended], timeout=SLICE_SECONDS, return_when=FIRST_COMPLETED)
            look()
        if self._ended.done():
            raise self._ended.result()
        if not future.done():
            raise Unreachable(f"the broker has not {done} within {self._timeout:g} seconds")
        error = future.exception()
        if error:
            raise Unreachable(f"the broker has not {done}: {_words(error)}") from error
        return future.result()

    def _settled(self, future: "Future[Any]", timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while not future.done() and (left := deadline - time.monotonic()) > 0:
            wait([future], timeout=min(left, SLICE_SECONDS))
        return future.done()

    # -- what awscrt calls, on its threads

    def _on_handshake(self, transform_args: mqtt5.WebsocketHandshakeTransformArgs) -> None:
        threading.Thread(target=self._sign, args=(transform_args,), daemon=True).start()

    def _sign(self, attempt: mqtt5.WebsocketHandshakeTransformArgs) -> None:
        time.sleep(max(0, self._last_attempt + RECONNECT_SECONDS[0] - time.monotonic()))
        self._last_attempt = time.monotonic()
        try:
            keys = self._credentials()
            self._upgrade = sign(
                attempt.http_request, self._endpoint.path, keys, self._profile.iot_region, self._now()
            )
        except AwsIotError as error:
            self._signing_error = error
            attempt.set_done(error)
        except Exception as error:
            self._signing_error = AwsIotError(f"signing the connection failed: {type(error).__name__}")
            attempt.set_done(error)
            raise
        else:
            attempt.set_done()

    def _on_connected(self, _: mqtt5.LifecycleConnectSuccessData) -> None:
        if not self._opened.done():
            self._opened.set_result(None)
        elif self._filters:
            self._resubscribe()
        else:
            self._events.put(Restored())

    def _resubscribe(self) -> None:
        filters = list(self._filters)
        self._client.subscribe(_subscribe_packet(filters)).add_done_callback(
            lambda f: self._resubscribed(filters, f)
        )

    def _resubscribed(self, filters: Sequence[str], future: "Future[mqtt5.SubackPacket]") -> None:
        if future.exception():
            return  # the link broke again: the next one subscribes
        try:
            self._check_granted(filters, future.result())
        except AwsIotError as error:
            self._end(error)
        else:
            self._events.put(Restored())

    def _on_connect_failed(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        if not self._opened.done():
            self._opened.set_result(data)
        elif self._signing_error and not isinstance(self._signing_error, Unreachable):
            self._end(self._signing_error)
        elif data.connack_packet and data.connack_packet.reason_code in _FINAL_CONNACKS:
            self._end(self._refused(data.connack_packet.reason_code))

    def _on_disconnected(self, data: mqtt5.LifecycleDisconnectData) -> None:
        self._losses += 1
        reason = data.disconnect_packet.reason_code if data.disconnect_packet else None
        if reason == mqtt5.DisconnectReasonCode.NOT_AUTHORIZED:
            self._end(NotAuthorized("the broker ended the connection: not authorized"))
        elif reason == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER:
            self._end(Unreachable("another program took over this connection's client id"))
        elif not self._stopped.is_set():
            self._events.put(Lost(_words(reason if reason is not None else data.exception)))

    def _on_publish(self, data: mqtt5.PublishReceivedData) -> None:
        packet = data.publish_packet
        properties = tuple((p.name, p.value) for p in packet.user_properties or ())
        self._events.put(Delivery(packet.topic, bytes(packet.payload or b""), properties))

    def _end(self, error: AwsIotError) -> None:
        if not self._ended.done():
            self._ended.set_result(error)
            self._events.put(error)
            self._client.stop(mqtt5.DisconnectPacket())

    def _check_granted(self, filters: Sequence[str], suback: mqtt5.SubackPacket) -> None:
        for topic_filter, reason in zip(filters, suback.reason_codes, strict=True):
            if reason == mqtt5.SubackReasonCode.NOT_AUTHORIZED:
                raise TopicRefused(
                    f"not authorized to subscribe to {topic_filter}",
                    hint="A policy refuses it: ask an admin which rooms are yours.",
                )
            if reason >= mqtt5.SubackReasonCode.UNSPECIFIED_ERROR:
                raise ServiceRefused(f"the broker did not grant {topic_filter}: {_words(reason)}")


_FINAL_CONNACKS = {
    mqtt5.ConnectReasonCode.NOT_AUTHORIZED,
    mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD,
    mqtt5.ConnectReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
}


def _subscribe_packet(filters: Sequence[str]) -> mqtt5.SubscribePacket:
    return mqtt5.SubscribePacket([mqtt5.Subscription(f, mqtt5.QoS.AT_LEAST_ONCE) for f in filters])


def _words(reason: Any) -> str:
    """A reason code or an awscrt error as words: NOT_AUTHORIZED becomes "not authorized"."""
    name = getattr(reason, "name", None)
    if isinstance(name, str):
        return name.removeprefix("AWS_").removeprefix("ERROR_").replace("_", " ").lower()
    return f"reason {reason:#x}" if isinstance(reason, int) else str(reason)
