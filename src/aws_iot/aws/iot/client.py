"""A client of AWS's SDK for one attempt to connect: signs its request, and turns its callbacks into events.

awscrt calls back on threads of its own, one call at a time for each client. Only the callback for received messages
waits: it does so while too many messages are unread.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from functools import partial
from time import monotonic
from typing import NamedTuple

from awscrt import mqtt5

from aws_iot.auth.credentials import Credentials
from aws_iot.aws.iot import thread_state
from aws_iot.aws.iot.connack import FINAL_CONNACKS, connack_refused, taken_over
from aws_iot.aws.iot.inbox import AcknowledgementCheck, Inbox
from aws_iot.aws.iot.link import events as on
from aws_iot.aws.iot.link.unacknowledged import PendingPublish
from aws_iot.aws.iot.options import (
    KEEP_ALIVE_SECONDS,
    SESSION_SECONDS,
    build_client,
)
from aws_iot.aws.iot.reason_codes import (
    PING_TIMEOUT,
    describe,
    is_cut,
    may_be_refusal,
    name_of,
    not_sent,
    publish_refused,
    subscribe_refused,
    unsubscribe_refused,
    why_lost,
)
from aws_iot.aws.iot.signing import SignedUpgrade, sign
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, NotAuthorized, ServiceRefused, Unreachable
from aws_iot.messaging.connection import TEMPORARY_SESSION_SECONDS

BACKPRESSURE_SECONDS = 0.01
"""How often it is checked whether the owner has read enough to receive more."""


class ClientSettings(NamedTuple):
    """What all clients of a connection have in common."""

    profile: Profile
    identity: str
    credentials: Callable[[], Credentials]
    now: Callable[[], datetime]
    client_id: str
    ca_bundle: str | None
    durable: str | None
    is_temporary: bool
    """Whether the durable session ends with the program."""
    will: mqtt5.PublishPacket | None
    """What the broker publishes if the connection ends without a DISCONNECT."""
    inbox: Inbox
    """Where received messages go."""


class Client:
    """One client of awscrt. It is used by the thread that holds the connection's lock."""

    def __init__(self, settings: ClientSettings, attempt: int, emit: Callable[[on.Event], None]) -> None:
        """`emit` is called on any thread. Raises `LocalError` if the CA bundle or the proxy cannot be used."""
        self.attempt = attempt
        self._settings = settings
        self._emit = emit
        self._signed: Future[SignedUpgrade] = Future()
        self._accepted: _Accepted | None = None
        self._published = 0
        self._check = AcknowledgementCheck(self._ask)
        self._dropped = threading.Event()
        self._stopped = threading.Event()
        self._client: mqtt5.Client | None = build_client(
            settings.profile.endpoint,
            settings.ca_bundle,
            settings.client_id,
            session_seconds=_session_seconds(settings),
            will=settings.will,
            on_handshake=self._on_handshake,
            on_publish_callback_fn=self._on_publish,
            on_lifecycle_event_connection_success_fn=self._on_connected,
            on_lifecycle_event_connection_failure_fn=self._on_connect_failed,
            on_lifecycle_event_disconnection_fn=self._on_disconnected,
            on_lifecycle_event_stopped_fn=self._on_stopped,
        )
        self._client.start()

    @property
    def upgrade(self) -> SignedUpgrade | None:
        """What was sent to open the WebSocket, once it is signed."""
        return self._signed.result() if self._signed.done() else None

    # -- what the connection wants

    def publish(self, message: PendingPublish) -> None:
        """Send a message. The answer is `PublishAnswered`."""
        self._published += 1
        try:
            if client := self._client:
                answer = client.publish(message.packet)
                answer.add_done_callback(partial(self._on_published, message))
        except RuntimeError as error:  # awscrt checks packets before it sends them
            self._emit(on.PublishAnswered(self.attempt, message, _not_mqtt(error), is_from_broker=False))

    def subscribe(self, filters: tuple[str, ...], *, is_again: bool) -> None:
        """Send a SUBSCRIBE. The answer is `SubscribeAnswered` or `ResubscribeAnswered`."""
        answered = partial(self._on_resubscribed if is_again else self._on_subscribed, filters)
        packet = mqtt5.SubscribePacket([mqtt5.Subscription(one, mqtt5.QoS.AT_LEAST_ONCE) for one in filters])
        try:
            if client := self._client:
                client.subscribe(packet).add_done_callback(answered)
        except RuntimeError as error:
            self._emit(on.SubscribeAnswered(self.attempt, filters, _not_mqtt(error)))

    def unsubscribe(self, filters: tuple[str, ...]) -> None:
        """Send an UNSUBSCRIBE. The answer is `UnsubscribeAnswered`."""
        answered = partial(self._on_unsubscribed, filters)
        try:
            if client := self._client:
                client.unsubscribe(mqtt5.UnsubscribePacket([*filters])).add_done_callback(answered)
        except RuntimeError as error:
            self._emit(on.UnsubscribeAnswered(self.attempt, _not_mqtt(error)))

    def flush(self) -> None:
        """Emit `Flushed` once all acknowledgements have left, which DISCONNECT would overtake.

        An UNSUBSCRIBE leaves after them. It is answered, and changes nothing.
        """
        self._after_acknowledgements(lambda: self._emit(on.Flushed(self.attempt)))

    def _ask(self) -> None:
        self._after_acknowledgements(self._check.answered)

    def _after_acknowledgements(self, then: Callable[[], None]) -> None:
        packet = mqtt5.UnsubscribePacket([f"{self._settings.identity}/none"])
        if client := self._client:
            client.unsubscribe(packet).add_done_callback(lambda _: then())

    def acknowledge(self, handle: mqtt5.PublishAcknowledgementControlHandle) -> None:
        """Acknowledge a received message."""
        if client := self._client:
            client.invoke_publish_acknowledgement(handle)

    def stop(self, *, ends_session: bool = False) -> None:
        """Disconnect. From now on nothing is emitted, except answers that the broker has given before.

        With `ends_session`, the broker discards the session now.

        An upgrade that is never answered cannot be stopped. Its socket and some 45 KB stay until the other side, or the
        system, closes it (awscrt 0.38.1, 50 attempts). If a server accepts connections for hours and never answers, an
        attempt is made every 40 seconds: 90 sockets an hour.
        """
        self._dropped.set()
        if client := self._client:
            # Without a packet awscrt sends no DISCONNECT.
            client.stop(mqtt5.DisconnectPacket(session_expiry_interval_sec=0 if ends_session else None))

    def wait_until_stopped(self, seconds: float) -> None:
        """Wait until DISCONNECT has left."""
        self._stopped.wait(seconds)

    # -- what awscrt calls

    def _on_handshake(self, transform_args: mqtt5.WebsocketHandshakeTransformArgs) -> None:
        """awscrt calls it with this name. Refreshing credentials may take seconds, so it has a thread of its own."""
        threading.Thread(target=self._sign, args=(transform_args,), daemon=True).start()

    def _sign(self, transform_args: mqtt5.WebsocketHandshakeTransformArgs) -> None:
        settings, error = self._settings, None
        try:
            credentials, moment = settings.credentials(), settings.now()
            path, region = settings.profile.endpoint.path, settings.profile.iot_region
            self._signed.set_result(sign(transform_args.http_request, path, credentials, region, moment))
        except AwsIotError as failure:
            error = failure
        except Exception as failure:
            error = AwsIotError(f"signing the request failed: {type(failure).__name__}")
            raise
        finally:
            self._emit(on.Signed(self.attempt, error))
            if self._dropped.is_set():
                error = AwsIotError("the attempt was given up")
            transform_args.set_done(error)

    def _on_connected(self, data: mqtt5.LifecycleConnectSuccessData) -> None:
        largest_packet = data.negotiated_settings.maximum_packet_size_to_server
        self._accepted = _Accepted(self._settings.now(), largest_packet)
        self._emit(on.Connected(self.attempt, data.connack_packet.session_present))

    def _on_connect_failed(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        reason = data.connack_packet.reason_code if data.connack_packet else None
        settings = self._settings
        self._emit(
            on.ConnectFailed(
                self.attempt,
                describe(data.exception),
                name_of(data.exception),
                None if reason is None else connack_refused(reason, settings.profile, settings.identity),
                is_final=reason in FINAL_CONNACKS,
                is_cut=is_cut(data.exception),
            )
        )

    def _on_disconnected(self, data: mqtt5.LifecycleDisconnectData) -> None:
        reason = data.disconnect_packet.reason_code if data.disconnect_packet else None
        if reason == mqtt5.DisconnectReasonCode.NOT_AUTHORIZED:
            error: AwsIotError = NotAuthorized("the broker ended the connection: not authorized")
            self._emit(on.EndedByBroker(self.attempt, error))
        elif reason == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER:
            self._emit(
                on.EndedByBroker(
                    self.attempt, taken_over(None if self._settings.is_temporary else self._settings.durable)
                )
            )
        else:
            now, upgrade = self._settings.now(), self.upgrade
            began = self._accepted.at if self._accepted else now
            self._emit(
                on.Disconnected(
                    self.attempt,
                    why_lost(data, began, upgrade.expires if upgrade else None, now),
                    name_of(data.exception if reason is None else reason),
                    may_be_refusal(data),
                    None if reason is None else describe(reason),
                    self._silent_since(data.exception) if reason is None else None,
                )
            )

    def _silent_since(self, failure: Exception) -> float | None:
        """When the last message arrived, if the broker has not answered a PINGREQ. It had answered the one before."""
        if name_of(failure) != PING_TIMEOUT:
            return None
        return max(self._check.latest, monotonic() - 1.5 * KEEP_ALIVE_SECONDS)

    def _on_stopped(self, _: mqtt5.LifecycleStoppedData) -> None:
        # Not sooner: awscrt crashes if a message arrives for a client that Python has freed.
        self._client = None
        self._stopped.set()

    def _on_publish(self, data: mqtt5.PublishReceivedData) -> None:
        thread_state.keep()
        if self._dropped.is_set():
            return
        inbox = self._settings.inbox
        inbox.deliver(data, self)
        if self._check.are_stuck():
            cause = "the broker sends more than can be acknowledged"
            self._emit(on.Disconnected(self.attempt, cause, "STUCK", may_be_refusal=False))
            return
        while inbox.is_full and not self._dropped.wait(BACKPRESSURE_SECONDS):
            pass  # nothing else slows a broker that sends with QoS 0

    def _on_published(self, message: PendingPublish, answer: "Future[mqtt5.PublishCompletionData]") -> None:
        if self._published > 1:
            thread_state.keep()
        try:
            puback = answer.result().puback
        except Exception as failure:  # noqa: BLE001 the message has to be reported in any case
            largest = self._accepted.largest_packet if self._accepted else None
            error = not_sent(message.packet, failure, largest)
            self._emit(on.PublishAnswered(self.attempt, message, error, is_from_broker=False))
            return
        if message.qos:
            refused = publish_refused(message.packet, puback.reason_code)
            self._emit(on.PublishAnswered(self.attempt, message, refused))
        else:
            self._emit(on.PublishAnswered(self.attempt, message, is_from_broker=False))

    def _on_subscribed(self, filters: tuple[str, ...], answer: "Future[mqtt5.SubackPacket]") -> None:
        if failure := answer.exception():
            error: AwsIotError | None = Unreachable(
                f"the broker has not granted the subscription: {describe(failure)}"
            )
        else:
            error = subscribe_refused(filters, answer.result().reason_codes)
        self._emit(on.SubscribeAnswered(self.attempt, filters, error))

    def _on_resubscribed(self, filters: tuple[str, ...], answer: "Future[mqtt5.SubackPacket]") -> None:
        if not answer.exception():  # else the connection is lost, which another callback reports
            error = subscribe_refused(filters, answer.result().reason_codes)
            self._emit(on.ResubscribeAnswered(self.attempt, error))

    def _on_unsubscribed(self, filters: tuple[str, ...], answer: "Future[mqtt5.UnsubackPacket]") -> None:
        if failure := answer.exception():
            error: AwsIotError | None = Unreachable(
                f"the broker has not unsubscribed us: {describe(failure)}"
            )
        else:
            error = unsubscribe_refused(filters, answer.result().reason_codes)
        self._emit(on.UnsubscribeAnswered(self.attempt, error))


class _Accepted(NamedTuple):
    """When the broker accepted the connection, and the size of a packet that it accepts, in bytes."""

    at: datetime
    largest_packet: int | None


def _session_seconds(settings: ClientSettings) -> int | None:
    if not settings.durable:
        return None
    return TEMPORARY_SESSION_SECONDS if settings.is_temporary else SESSION_SECONDS


def _not_mqtt(error: RuntimeError) -> ServiceRefused:
    return ServiceRefused(f"this cannot be sent over MQTT: {error}")
