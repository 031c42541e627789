"""The connection to AWS IoT Core: MQTT 5 by awscrt, over a WebSocket that we sign.

awscrt calls back on a thread of its own, one call at a time. A callback here puts an event on a
queue or settles a future, and returns; what takes time (renewing credentials, signing) has a
thread of its own.
"""

import os
import queue
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from typing import Any, Self

from awscrt import io, mqtt5

from aws_iot.aws.deadline import SLICE_SECONDS, settled
from aws_iot.aws.handshake import SignedUpgrade, sign
from aws_iot.aws.reasons import SOCKET_CLOSED, check_granted, is_negative, topic_refused, words
from aws_iot.connection import Delivery, Event, Lost, Restored
from aws_iot.credentials import Credentials
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    NotAccepted,
    NotAuthorized,
    ProfileError,
    ServiceRefused,
    SignInRefused,
    TopicRefused,
    Unreachable,
    WrongClock,
)
from aws_iot.message import Properties
from aws_iot.profile import Profile

KEEP_ALIVE_SECONDS = 30
"""The shortest that AWS IoT Core takes; a dead link is noticed within one and a half of it."""

RECONNECT_SECONDS = (1, 30)
"""AWS IoT Core allows one CONNECT a second for a client id, so no attempt follows another sooner."""

PATIENCE_SECONDS = 2.0
"""After so long without a word from awscrt we look for ourselves: it is slow to report an untrusted certificate."""

CUTS_THAT_REFUSE = 2
"""So many cuts in a row over the same request mean no: AWS may refuse by closing, and awscrt tries again for ever."""


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
        self._ca_bundle = profile.ca_bundle or os.environ.get(
            "AWS_CA_BUNDLE"
        )  # awscrt does not look there itself
        self._identity = identity
        self._credentials = credentials
        self._now = now
        self._timeout = timeout
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._attempts: queue.SimpleQueue[mqtt5.LifecycleConnectFailureData | None] = queue.SimpleQueue()
        self._is_open = False
        self._is_linked = False
        self._ended: Future[AwsIotError] = Future()
        self._ending = threading.Lock()
        self._stopped = threading.Event()
        self._subscriptions: list[Sequence[str]] = []
        self._losses = 0
        self._resubscriptions = 0
        self._unanswered = 0
        self._futile = 0
        self._last_cause = ""
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
    ) -> Self:
        """Connect within about `timeout` seconds; `credentials` is called for each attempt, on another thread.

        Raises `NotAccepted`, `CredentialsRefused`, `Unreachable`, `ProfileError` for an unusable CA
        bundle, or what `credentials` raises.
        """
        connection = cls(profile, identity, credentials, now, timeout)
        try:
            connection._client.start()
            connection._open()
        except BaseException:
            connection.close()
            raise
        return connection

    def _options(self) -> mqtt5.ClientOptions:
        return mqtt5.ClientOptions(
            host_name=self._endpoint.host,
            port=self._endpoint.port,
            tls_ctx=self._tls() if self._endpoint.tls else None,
            websocket_handshake_transform=self._on_handshake,
            connect_options=mqtt5.ConnectPacket(
                # The policy wants the identity first; the rest keeps two programs of a person apart.
                client_id=f"{self._identity}-{secrets.token_hex(4)}",
                keep_alive_interval_sec=KEEP_ALIVE_SECONDS,
            ),
            retry_jitter_mode=mqtt5.ExponentialBackoffJitterMode.DECORRELATED,
            min_reconnect_delay_ms=RECONNECT_SECONDS[0] * 1000,
            max_reconnect_delay_ms=RECONNECT_SECONDS[1] * 1000,
            ack_timeout_sec=max(1, round(self._timeout)),
            on_publish_callback_fn=self._on_publish,
            on_lifecycle_event_connection_success_fn=self._on_connected,
            on_lifecycle_event_connection_failure_fn=self._on_connect_failed,
            on_lifecycle_event_disconnection_fn=self._on_disconnected,
            on_lifecycle_event_stopped_fn=lambda _: self._stopped.set(),
            disable_metrics=True,
        )

    def _tls(self) -> io.ClientTlsContext:
        options = io.TlsContextOptions()
        if self._endpoint.port == 443:
            options.alpn_list = ["http/1.1"]  # on 443 AWS tells WebSockets from MQTT by it
        try:
            if self._ca_bundle:
                options.override_default_trust_store_from_path(None, self._ca_bundle)
            return io.ClientTlsContext(options)
        except (OSError, RuntimeError) as error:
            raise ProfileError(
                f"the ca_bundle {self._ca_bundle} cannot be used: it must be a PEM file that you can read"
            ) from error

    # -- what the owner's thread calls

    def publish(self, topic: str, payload: bytes, properties: Properties = ()) -> None:
        packet = mqtt5.PublishPacket(
            topic=topic,
            payload=payload,
            qos=mqtt5.QoS.AT_LEAST_ONCE,
            user_properties=[mqtt5.UserProperty(name, value) for name, value in properties],
        )
        refused = topic_refused(f"publish to {topic}")
        completion = self._acknowledged(
            lambda: self._client.publish(packet), refused, "acknowledged the message"
        )
        reason = completion.puback.reason_code
        if reason == mqtt5.PubackReasonCode.NOT_AUTHORIZED:
            raise refused
        if reason == mqtt5.PubackReasonCode.QUOTA_EXCEEDED:
            raise ServiceRefused(
                "the broker did not take the message: a limit of the account or connection is reached"
            )
        if is_negative(reason):
            raise ServiceRefused(f"the broker did not take the message: {words(reason)}")

    def subscribe(self, filters: Sequence[str]) -> None:
        refused = topic_refused(f"subscribe to {', '.join(filters)}")
        packet = _subscribe_packet(filters)
        suback = self._acknowledged(
            lambda: self._client.subscribe(packet), refused, "granted the subscription"
        )
        check_granted(filters, suback)
        self._subscriptions.append(tuple(filters))

    def receive(self, timeout: float | None = None) -> Event | None:
        deadline = float("inf") if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return self._events.get(timeout=max(0, min(SLICE_SECONDS, deadline - time.monotonic())))
            except queue.Empty:
                if self._ended.done():
                    raise self._ended.result() from None
                if time.monotonic() >= deadline:
                    return None

    def close(self) -> None:
        if not self._stopped.is_set():
            self._client.stop(mqtt5.DisconnectPacket())  # without a packet awscrt closes without a DISCONNECT
            self._stopped.wait(1.0)

    # -- opening

    def _open(self) -> None:
        deadline = time.monotonic() + self._timeout
        looked, closed = False, 0
        while (left := deadline - time.monotonic()) > 0:
            try:
                failure = self._attempts.get(timeout=min(left, SLICE_SECONDS))
            except queue.Empty:
                if not looked and left < self._timeout - PATIENCE_SECONDS:
                    looked = True
                    if fault := self._fault(None, left):
                        raise fault from None
                continue
            if failure is None:
                return
            closed += failure.exception.name == SOCKET_CLOSED
            if error := self._why_not(failure, closed):
                raise error
        raise self._fault(self._upgrade, PATIENCE_SECONDS) or Unreachable(
            f"{self._endpoint} did not answer within {self._timeout:g} seconds"
        )

    def _fault(self, upgrade: SignedUpgrade | None, seconds: float) -> AwsIotError | None:
        from aws_iot.aws.diagnosis import diagnose  # here, since it is rarely needed and takes long to import

        return diagnose(self._endpoint, self._ca_bundle, upgrade, self._now, seconds)

    def _why_not(self, failure: mqtt5.LifecycleConnectFailureData, closed: int) -> AwsIotError | None:
        """Why an attempt failed; None if another may do."""
        if self._signing_error:
            return self._signing_error
        if failure.connack_packet:
            return self._refused(failure.connack_packet.reason_code)
        if fault := self._fault(self._upgrade, PATIENCE_SECONDS):
            return fault
        if closed >= CUTS_THAT_REFUSE:
            return self._not_accepted("the broker closes the connection without a word, as it does when")
        return None

    def _refused(self, reason: int) -> AwsIotError:
        match reason:
            case mqtt5.ConnectReasonCode.NOT_AUTHORIZED:
                return self._not_accepted("not authorized to connect:")
            case mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD:
                return CredentialsRefused("the broker does not take the credentials")
            case mqtt5.ConnectReasonCode.SERVER_UNAVAILABLE | mqtt5.ConnectReasonCode.SERVER_BUSY:
                return Unreachable(f"the broker takes no connections at the moment: {words(reason)}")
            case _:
                return ServiceRefused(f"the broker refused the connection: {words(reason)}")

    def _not_accepted(self, what: str) -> NotAccepted:
        policy = "" if self._profile.policy_name else " --policy POLICY"
        command = f"aws-iot admin accept {self._identity}{policy} -k {self._profile.key}"
        return NotAccepted(
            f"{what} no admin has accepted the identity {self._identity} yet",
            hint=f"An admin accepts it with: {command}\nAWS takes 6 to 8 minutes to apply it.",
        )

    # -- waiting for an acknowledgement

    def _acknowledged(self, send: "Callable[[], Future[Any]]", refused: TopicRefused, done: str) -> Any:
        """What the broker answers. `refused` is how a policy says no; `done` completes "the broker has not …"."""
        losses = self._losses
        deadline = time.monotonic() + self._timeout
        try:
            answer = send()
        except RuntimeError as error:  # awscrt checks packets before it sends them
            raise ServiceRefused(f"this cannot be sent over MQTT: {error}") from error
        while not settled([answer, self._ended], SLICE_SECONDS):
            if self._losses - losses >= CUTS_THAT_REFUSE:
                raise refused
            if time.monotonic() > deadline:
                raise Unreachable(f"the broker has not {done} within {self._timeout:g} seconds")
        if answer.done() and not answer.exception():
            return answer.result()
        if self._ended.done():
            ended = self._ended.result()
            raise refused if type(ended) is NotAuthorized else ended
        raise Unreachable(f"the broker has not {done}: {words(answer.exception())}") from answer.exception()

    # -- what awscrt calls, on its thread

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
            self._signing_error = None
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
        self._is_linked = True
        self._last_cause = ""
        if self._is_open:
            self._resubscribe()
        else:
            self._is_open = True
            self._attempts.put(None)

    def _on_connect_failed(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        if not self._is_open:
            self._attempts.put(data)
        elif data.connack_packet and data.connack_packet.reason_code in _FINAL_CONNACKS:
            self._end(self._refused(data.connack_packet.reason_code))
        else:
            threading.Thread(target=self._tell_why, args=(data.exception,), daemon=True).start()

    def _tell_why(self, failure: BaseException) -> None:
        """Say why the link does not come back, once for each reason; end it where it never will."""
        fault = self._signing_error or self._fault(self._upgrade, PATIENCE_SECONDS)
        if isinstance(fault, SignInRefused | NotAuthorized | ProfileError | WrongClock):
            self._end(fault)
        cause = str(fault or words(failure))
        if cause != self._last_cause and not self._is_linked and not self._ended.done():
            self._last_cause = cause
            self._events.put(Lost(cause))

    def _on_disconnected(self, data: mqtt5.LifecycleDisconnectData) -> None:
        self._is_linked = False
        self._losses += 1
        reason = data.disconnect_packet.reason_code if data.disconnect_packet else None
        if reason == mqtt5.DisconnectReasonCode.NOT_AUTHORIZED:
            self._end(NotAuthorized("the broker ended the connection: not authorized"))
        elif reason == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER:
            self._end(Unreachable("another program took over this connection's client id"))
        elif not self._ended.done():  # else it is we who stopped it
            self._last_cause = words(data.exception if reason is None else reason)
            self._events.put(Lost(self._last_cause))

    def _on_publish(self, data: mqtt5.PublishReceivedData) -> None:
        packet = data.publish_packet
        properties = tuple((p.name, p.value) for p in packet.user_properties or ())
        self._events.put(Delivery(packet.topic, bytes(packet.payload or b""), properties))

    def _resubscribe(self) -> None:
        """Ask for every filter again, in packets as they were; the broker forgot them with the old link."""
        self._resubscriptions += 1
        self._unanswered = len(self._subscriptions)
        self._futile += self._unanswered > 0
        if self._futile > CUTS_THAT_REFUSE:
            self._end(topic_refused("subscribe again to what was granted before"))
        elif not self._subscriptions:
            self._events.put(Restored())
        for filters in self._subscriptions:
            answered = partial(self._on_resubscribed, self._resubscriptions, filters)
            self._client.subscribe(_subscribe_packet(filters)).add_done_callback(answered)

    def _on_resubscribed(
        self, number: int, filters: Sequence[str], answer: "Future[mqtt5.SubackPacket]"
    ) -> None:
        if number != self._resubscriptions:
            return  # of a link that is gone
        if answer.exception():
            if self._is_linked and not self._ended.done():  # no answer in time, on a link that stands
                self._resubscribe()
            return
        try:
            check_granted(filters, answer.result())
        except AwsIotError as error:
            self._end(error)
            return
        self._unanswered -= 1
        if not self._unanswered:
            self._futile = 0
            self._events.put(Restored())

    def _end(self, error: AwsIotError) -> None:
        with self._ending:  # awscrt's thread and `_tell_why` may both have a reason
            if self._ended.done():
                return
            self._ended.set_result(error)
        self._client.stop(mqtt5.DisconnectPacket())


_FINAL_CONNACKS = {
    mqtt5.ConnectReasonCode.NOT_AUTHORIZED,
    mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD,
    mqtt5.ConnectReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
}


def _subscribe_packet(filters: Sequence[str]) -> mqtt5.SubscribePacket:
    return mqtt5.SubscribePacket([mqtt5.Subscription(f, mqtt5.QoS.AT_LEAST_ONCE) for f in filters])
