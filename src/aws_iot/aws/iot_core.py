"""The connection to AWS IoT Core: MQTT 5 by awscrt, over a WebSocket that we sign.

awscrt calls back on a thread of its own, one call at a time. A callback here puts an event on a
queue, settles a future or hands over what waits, and returns; what takes time (renewing credentials,
signing, looking why a link does not come back) has a thread of its own. One callback waits: where
too many events have not been read.
"""

import math
import os
import queue
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from typing import Any, Self, TypeVar

from awscrt import io, mqtt5

from aws_iot.aws import thread_state
from aws_iot.aws.handshake import CONNECT_SECONDS, Handshakes, SignedUpgrade
from aws_iot.aws.outbox import CUTS_THAT_REFUSE, Outbox, is_over
from aws_iot.aws.proxy import proxy_options
from aws_iot.aws.reasons import (
    BARE_CUTS,
    check_granted,
    may_be_over_a_request,
    name_of,
    not_sent,
    publication_refused,
    refused_by_cuts,
    topic_refused,
    why_lost,
    words,
)
from aws_iot.connection import Done, Event, Lost, Publication, Restored
from aws_iot.credentials import Credentials
from aws_iot.deadline import SLICE_SECONDS, settled
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    NotAccepted,
    NotAuthorized,
    ProfileError,
    ServiceRefused,
    SignInRefused,
    Unreachable,
    WrongClock,
)
from aws_iot.profile import Profile

T = TypeVar("T")

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

UNACKNOWLEDGED = 100
"""So many deliveries may wait for us to deal with them: AWS IoT Core's own limit for a connection."""

EVENTS = 1000
"""So many events may wait for their reader; then awscrt is made to wait, and with it the broker."""

GATHER_SECONDS = 0.001
"""Whoever waits for an event gives several so long to gather: to wake it for each would take longer than all
else that is done for a message."""

PATIENCE_SECONDS = 2.0
"""After so long without a word from awscrt we look for ourselves: it is slow to report an untrusted certificate."""

LINK_SECONDS = 24 * 3600
"""So long a link lasts at most: docs.aws.amazon.com/general/latest/gr/iot-core.html"""

LEAVE_SECONDS = 1.0
"""How long a goodbye may take."""

USEFUL_SECONDS = 2.0
"""A link that lasted so long served, even if nobody said anything."""


TRIAL_SECONDS = 1.0
"""So long a link has to stand, if not longer, for what was asked for on those before to be to blame for their ends."""

VERDICT_SECONDS = 5.0
"""So much longer than its timeout a call waits at most while a trial runs: its end tells a refusal from a broker that
does not answer."""


class Trial(Enum):
    """What is asked for over a link, where something is suspected to be what the broker cuts links over."""

    BARE = "nothing"
    ALONE = "what is suspected"


class IotCoreConnection:
    """A `Connection` for one identity. Made by `open`, which returns once the broker has accepted it."""

    def __init__(
        self,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        now: Callable[[], datetime],
        timeout: float,
        durable: str | None = None,
    ) -> None:
        self._profile = profile
        self._endpoint = profile.endpoint
        self._durable = durable
        self._ca_bundle = profile.ca_bundle or os.environ.get(
            "AWS_CA_BUNDLE"
        )  # awscrt does not look there itself
        self._identity = identity
        self._handshakes = Handshakes(
            profile.endpoint.path, profile.iot_region, credentials, now, timeout, self._on_silence
        )
        self._now = now
        self._timeout = timeout
        self._events: queue.SimpleQueue[Event | _Unacknowledged] = queue.SimpleQueue()
        self._attempts: queue.SimpleQueue[mqtt5.LifecycleConnectFailureData | None] = queue.SimpleQueue()
        self._is_open = False
        self._is_linked = False
        self._ended: Future[AwsIotError] = Future()
        self._stopping = threading.Event()
        self._subscriptions: list[Sequence[str]] = []
        self._link_began = 0.0
        self._link_began_at = now()
        self._is_asking = False
        self._largest_packet: int | None = None
        self._is_forgotten = False
        self.is_resumed = False
        self._ungranted = 0
        self._resubscriptions = 0
        self._unanswered = 0
        self._futile = 0
        self._trial: Trial | None = None
        self._trial_seconds = TRIAL_SECONDS
        self._last_cause = ""
        self._lost_at: float | None = None
        self._outbox = Outbox()
        self._handing = threading.RLock()
        self._looking = threading.Lock()
        self._received = 0
        self._acknowledged = 0
        self._handles: deque[tuple[int, _Unacknowledged]] = deque()
        self._left_at: float | None = None
        # The policy wants the identity first; the rest keeps two programs of a person apart.
        self._client_id = f"{identity}-{durable or secrets.token_hex(4)}"
        self._make_client()

    @classmethod
    def open(
        cls,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        now: Callable[[], datetime],
        timeout: float,
        durable: str | None = None,
    ) -> Self:
        """Connect within about `timeout` seconds; `credentials` is called for each attempt, on another thread.

        With a name, `durable`, the broker keeps the session, and what comes while nobody of that name listens.

        Raises `NotAccepted`, `CredentialsRefused`, `Unreachable`, `ProfileError` for an unusable CA
        bundle, or what `credentials` raises.
        """
        [connection] = cls._open_all([cls(profile, identity, credentials, now, timeout, durable)])
        return connection

    @classmethod
    def open_several(
        cls,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        now: Callable[[], datetime],
        timeout: float,
        count: int,
    ) -> list[Self]:
        """As `open`, so many at once."""
        return cls._open_all([cls(profile, identity, credentials, now, timeout) for _ in range(count)])

    @classmethod
    def _open_all(cls, connections: list[Self]) -> list[Self]:
        try:
            for connection in connections:
                connection._client.start()
            for connection in connections:
                connection._open()
        except BaseException:
            for connection in connections:
                connection.leave()
            for connection in connections:
                connection.close()
            raise
        return connections

    def _make_client(self) -> None:
        """A client of awscrt, which from now on is the one whose word counts."""
        stopped = threading.Event()

        def heard(listener: Callable[[T], None]) -> Callable[[T], None]:
            return lambda data: listener(data) if self._stopped is stopped else None

        self._client, self._stopped = mqtt5.Client(self._options(stopped, heard)), stopped

    def _options(self, stopped: threading.Event, heard: Callable[[Any], Any]) -> mqtt5.ClientOptions:
        def on_handshake(transform_args: mqtt5.WebsocketHandshakeTransformArgs) -> None:
            if self._stopped is stopped:
                self._handshakes.on_handshake(transform_args)
            else:  # it has a successor, which it would take the client id from
                transform_args.set_done(AwsIotError("another client has taken over"))

        return mqtt5.ClientOptions(
            host_name=self._endpoint.host,
            port=self._endpoint.port,
            tls_ctx=self._tls() if self._endpoint.tls else None,
            http_proxy_options=proxy_options(self._endpoint, self._tls),
            websocket_handshake_transform=on_handshake,
            connect_options=mqtt5.ConnectPacket(
                client_id=self._client_id,
                keep_alive_interval_sec=KEEP_ALIVE_SECONDS,
                receive_maximum=UNACKNOWLEDGED,
                session_expiry_interval_sec=SESSION_SECONDS if self._durable else None,
            ),
            session_behavior=mqtt5.ClientSessionBehaviorType.REJOIN_ALWAYS
            if self._durable
            else mqtt5.ClientSessionBehaviorType.CLEAN,
            # The pauses are ours, in `Handshakes`; these run at the same time, and must not outlast them: they grow
            # with each link that lasts less than half a minute. (The option for that is not to be used: in awscrt
            # 0.38.1 it sets the shortest pause.)
            min_reconnect_delay_ms=1,
            max_reconnect_delay_ms=round(CONNECT_SECONDS * 1000),
            ack_timeout_sec=LINK_SECONDS,  # it is ours to look for: see `_look`
            on_publish_callback_fn=heard(partial(self._on_publish, stopped)),
            on_lifecycle_event_connection_success_fn=heard(self._on_connected),
            on_lifecycle_event_connection_failure_fn=heard(self._on_connect_failed),
            on_lifecycle_event_disconnection_fn=heard(self._on_disconnected),
            on_lifecycle_event_stopped_fn=lambda _: stopped.set(),
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
            from aws_iot.aws.diagnosis import ca_bundle_unusable  # here, since it takes long to import

            raise ca_bundle_unusable(self._ca_bundle) from error

    # -- what the owner's thread calls

    def send(self, publication: Publication, done: Done) -> None:
        packet = mqtt5.PublishPacket(
            topic=publication.topic,
            payload=publication.payload,
            qos=mqtt5.QoS(publication.qos),
            retain=publication.retain,
            user_properties=[mqtt5.UserProperty(name, value) for name, value in publication.properties],
        )
        with self._handing:
            number = self._outbox.add(packet, done)
            if self._trial is None:
                self._hand_over(number, packet)
        if self._ended.done():
            self._outbox.fail()

    def _hand_over(self, number: int, packet: mqtt5.PublishPacket) -> None:
        client = self._client

        def settle(answer: "Future[mqtt5.PublishCompletionData]") -> None:
            if number:  # there may be many
                thread_state.keep()
            failure = answer.exception()
            if failure is None and not packet.qos:
                self._outbox.settle(number, None)
            elif failure is None:
                refused = publication_refused(packet, answer.result().puback)
                self._outbox.settle(number, refused, by_broker=client is self._client)
            elif client is not self._client:
                pass  # its successor has been given it
            elif not self._ended.done():
                self._outbox.settle(number, not_sent(packet, failure, self._largest_packet))
            # else the end of the connection tells all that waits
            if self._trial is Trial.ALONE and client is self._client:
                self._end_trial()

        try:
            client.publish(packet).add_done_callback(settle)
        except RuntimeError as error:  # awscrt checks packets before it sends them
            self._outbox.settle(number, ServiceRefused(f"this cannot be sent over MQTT: {error}"))
            self._end_trial()

    def publish(self, publication: Publication) -> None:
        told: Future[AwsIotError | None] = Future()
        self.send(publication, told.set_result)
        deadline, is_late = time.monotonic() + self._timeout, False
        while not settled([told], 0 if is_late else SLICE_SECONDS):
            if is_late:
                raise Unreachable(
                    f"the broker has not acknowledged the message within {self._timeout:g} seconds"
                )
            is_late = self._is_late(deadline)
        error = told.result()
        if error and self._ended.done():
            ended = self._ended.result()
            raise topic_refused(f"publish to {publication.topic}") if type(ended) is NotAuthorized else ended
        if error:
            raise error

    def subscribe(self, filters: Sequence[str]) -> None:
        check_granted(filters, self._granted(filters))
        self._subscriptions.append(tuple(filters))

    def unsubscribe(self, filters: Sequence[str]) -> None:
        packet = mqtt5.UnsubscribePacket(list(filters))
        deadline = time.monotonic() + self._timeout
        client, answer = self._client, self._client.unsubscribe(packet)
        while not settled([answer, self._ended], SLICE_SECONDS) or client is not self._client:
            if time.monotonic() > deadline:
                raise Unreachable(f"the broker has not unsubscribed us within {self._timeout:g} seconds")
            if client is not self._client:  # one that has a successor answers no more
                client, answer = self._client, self._client.unsubscribe(packet)
        if self._ended.done():
            raise self._ended.result()
        if failure := answer.exception():
            raise Unreachable(f"the broker has not unsubscribed us: {words(failure)}") from failure

    def receive(self, timeout: float | None = None) -> Event | None:
        if timeout != 0 and self._events.empty():
            time.sleep(GATHER_SECONDS)
        try:
            event = self._events.get_nowait()
        except queue.Empty:
            found = self._wait(math.inf if timeout is None else timeout)
            if found is None:
                return None
            event = found
        if isinstance(event, _Unacknowledged):
            self._received += 1
            self._handles.append((self._received, event))
            return event.delivery
        self._received += isinstance(event, Publication)
        return event

    def _wait(self, left: float) -> "Event | _Unacknowledged | None":
        while True:
            try:
                return self._events.get(timeout=min(left, SLICE_SECONDS))
            except queue.Empty:
                if self._ended.done():
                    raise self._ended.result() from None
                self._look()
            left -= SLICE_SECONDS
            if left <= 0:
                return None

    def acknowledge(self, deliveries: int | None = None) -> None:
        self._acknowledged = self._received if deliveries is None else self._acknowledged + deliveries
        while self._handles and self._handles[0][0] <= self._acknowledged:
            _, event = self._handles.popleft()
            with self._handing, suppress(Exception):  # of a link that is gone: the broker delivers it again
                if event.stopped is self._stopped:  # a later client would take the handle for one of its own
                    self._client.invoke_publish_acknowledgement(event.handle)

    def leave(self) -> None:
        if self._left_at is not None:
            return
        self._left_at = time.monotonic()
        with self._handing:  # no other client is made from now on
            self._stopping.set()
        self._handshakes.stop()
        if not self._stopped.is_set():
            if self._durable and self._is_linked:
                self._let_acknowledgements_leave()
            self._client.stop(mqtt5.DisconnectPacket())  # without a packet awscrt closes without a DISCONNECT

    def close(self) -> None:
        self.leave()
        left_at = self._left_at or 0.0
        self._stopped.wait(max(0.0, left_at + LEAVE_SECONDS - time.monotonic()))

    def _let_acknowledgements_leave(self) -> None:
        """Else DISCONNECT overtakes them, and the broker delivers again what was dealt with."""
        with suppress(Exception):  # then it does
            # The answer to a request that leaves behind them, and changes nothing.
            self._client.unsubscribe(mqtt5.UnsubscribePacket([f"{self._identity}/none"])).result(0.5)

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
            closed += failure.exception.name in BARE_CUTS
            if error := self._why_not(failure, closed):
                raise error
        raise self._fault(self._handshakes.upgrade, PATIENCE_SECONDS) or Unreachable(
            f"{self._endpoint} did not answer within {self._timeout:g} seconds"
        )

    def _fault(self, upgrade: SignedUpgrade | None, seconds: float) -> AwsIotError | None:
        from aws_iot.aws.diagnosis import diagnose  # here, since it is rarely needed and takes long to import

        return diagnose(self._endpoint, self._ca_bundle, upgrade, self._now, seconds)

    def _why_not(self, failure: mqtt5.LifecycleConnectFailureData, closed: int) -> AwsIotError | None:
        """Why an attempt failed; None if another may do."""
        if self._handshakes.error:
            return self._handshakes.error
        if failure.connack_packet:
            return self._refused(failure.connack_packet.reason_code)
        if fault := self._fault(self._handshakes.upgrade, PATIENCE_SECONDS):
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

    def _taken_over(self) -> Unreachable:
        if not self._durable:
            return Unreachable("another program took over this connection's client id")
        return Unreachable(
            f"another program of the same name has taken over: {self._durable}",
            hint="Under a name one program listens at a time: give the other one a name of its own.",
        )

    def _not_accepted(self, what: str) -> NotAccepted:
        policy = "" if self._profile.policy_name else " --policy POLICY"
        command = f"aws-iot admin accept {self._identity}{policy} -k {self._profile.key}"
        return NotAccepted(
            f"{what} no admin has accepted the identity {self._identity} yet",
            hint=f"An admin accepts it with: {command}\nAWS takes 6 to 8 minutes to apply it.",
        )

    # -- waiting for a grant

    def _granted(self, filters: Sequence[str]) -> mqtt5.SubackPacket:
        """What the broker answers."""
        what = f"subscribe to {', '.join(filters)}"
        deadline = time.monotonic() + self._timeout
        self._ungranted, self._is_asking = 0, True
        try:
            client, answer = self._ask(filters)
            while not self._ended.done() and not (client is self._client and answer.done()):
                settled([answer, self._ended] if client is self._client else [self._ended], SLICE_SECONDS)
                is_late = self._is_late(deadline)
                if self._ungranted >= CUTS_THAT_REFUSE:
                    raise refused_by_cuts(what, None)
                if is_late:
                    raise Unreachable(
                        f"the broker has not granted the subscription within {self._timeout:g} seconds"
                    )
                if client is not self._client and self._trial is not Trial.BARE:
                    client, answer = self._ask(filters)
        finally:
            with self._handing:
                self._is_asking = False
                self._end_trial()
        if answer.done() and not answer.exception():
            return answer.result()
        if self._ended.done():
            ended = self._ended.result()
            raise topic_refused(what) if type(ended) is NotAuthorized else ended
        raise Unreachable(
            f"the broker has not granted the subscription: {words(answer.exception())}"
        ) from answer.exception()

    def _is_late(self, deadline: float) -> bool:
        with self._handing:  # which a verdict is given under
            return time.monotonic() > deadline + (VERDICT_SECONDS if self._trial else 0.0)

    def _ask(self, filters: Sequence[str]) -> "tuple[mqtt5.Client, Future[mqtt5.SubackPacket]]":
        """By which client, and the answer to come; a successor of the client has to be asked anew."""
        client = self._client
        try:
            return client, client.subscribe(_subscribe_packet(filters))
        except RuntimeError as error:  # awscrt checks packets before it sends them
            raise ServiceRefused(f"this cannot be sent over MQTT: {error}") from error

    # -- what awscrt calls, on its thread

    def _on_connected(self, data: mqtt5.LifecycleConnectSuccessData) -> None:
        self._handshakes.answered()
        with self._handing:  # else the fault of an earlier attempt could end this link
            self._link_began, self._link_began_at = time.monotonic(), self._now()
            self._outbox.begin()
            self._is_linked = True
            self._last_cause = ""
            self._largest_packet = data.negotiated_settings.maximum_packet_size_to_server
        if not self._is_open:
            self._is_open = True
            self.is_resumed = data.connack_packet.session_present
            self._attempts.put(None)
        elif self._trial is None:
            self._ask_again(data.connack_packet.session_present)
        else:
            stands = partial(self._on_standing, self._link_began, data.connack_packet.session_present)
            timer = threading.Timer(self._trial_seconds, stands)
            timer.daemon = True
            timer.start()

    def _ask_again(self, session_present: bool) -> None:
        """What a link begins with, where another was before."""
        self._is_forgotten = bool(self._durable) and not session_present
        if session_present and not self._unanswered:
            self._restored()
        else:
            self._resubscribe()

    def _on_connect_failed(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        self._handshakes.answered()
        if not self._is_open:
            self._attempts.put(data)
        elif data.connack_packet and data.connack_packet.reason_code in _FINAL_CONNACKS:
            self._end(self._refused(data.connack_packet.reason_code))
        else:
            threading.Thread(target=self._tell_why, args=(data.exception,), daemon=True).start()

    def _on_silence(self) -> None:
        """Nothing comes of an attempt to reconnect: make another, and what waits goes along.

        awscrt waits for ever for the answer to an upgrade, and cannot be told to stop; so its client
        is left to itself. Nothing of ours holds it any more, and Python's part of it is gone at once; a socket and
        some 45 KB stay until the other side, or the system, closes the link (awscrt 0.38.1, 50 attempts). A server
        that takes links for hours and never answers is asked every 40 seconds by then: 90 sockets an hour.
        """
        with self._handing:
            if not self._is_open or self._is_linked or self._ended.done() or self._stopping.is_set():
                return
            self._start_anew()
        self._tell_why(None)

    def _look(self) -> None:
        """Give up a link that stands, but on which an answer does not come.

        MQTT lets nothing be sent again on the same link (5.0, section 4.4): so whoever still wants an answer needs
        another one. The pauses between links are those of every other trouble.
        """
        patience = max(1.0, self._timeout)
        with self._handing:
            now, began = time.monotonic(), self._link_began
            since = began if self._unanswered else self._outbox.silent_since()
            if since is None or now - since < patience or self._trial is Trial.BARE:
                return
            if not self._is_linked or self._ended.done() or self._stopping.is_set():
                return
            self._is_linked = False
            self._lost_at = self._lost_at or now
            if self._outbox.has_progressed:
                self._handshakes.was_useful()
            self._trial = None
            self._start_anew()
        detail = f"owed for {now - since:.0f} s, {now - began:.0f} s after it began"
        self._events.put(Lost(f"no acknowledgement for {patience:g} seconds", detail))

    def _start_anew(self) -> None:
        """Another client of awscrt in place of one that is of no use any more; what waits goes along.

        It goes out with the same id: whoever got it already takes it for a copy.
        """
        useless = self._client
        self._make_client()
        useless.stop(mqtt5.DisconnectPacket())
        self._client.start()
        if self._trial is None:
            self._outbox.each(self._hand_over)

    def _tell_why(self, failure: BaseException | None) -> None:
        """Say why the link does not come back, once for each reason; end it where it never will."""
        if not self._looking.acquire(blocking=False):
            return  # the attempt before is being looked into
        looked_at = time.monotonic()
        try:
            fault = self._handshakes.error or self._fault(self._handshakes.fresh_upgrade(), PATIENCE_SECONDS)
        finally:
            self._looking.release()
        cause = str(fault or (words(failure) if failure else "no answer in time"))
        with self._handing:
            if self._is_linked or self._link_began > looked_at:
                return  # a later attempt was let in
            if isinstance(fault, SignInRefused | NotAuthorized | ProfileError | WrongClock):
                self._end(fault)
            if not self._ended.done():
                again, self._last_cause = cause == self._last_cause, cause
                self._events.put(Lost(cause, f"an attempt to reconnect failed: {name_of(failure)}", again))

    def _on_disconnected(self, data: mqtt5.LifecycleDisconnectData) -> None:
        self._is_linked = False
        lost_at = time.monotonic()
        self._lost_at = self._lost_at or lost_at
        if self._outbox.has_progressed or lost_at - self._link_began > USEFUL_SECONDS:
            self._handshakes.was_useful()
        reason = data.disconnect_packet.reason_code if data.disconnect_packet else None
        if reason == mqtt5.DisconnectReasonCode.NOT_AUTHORIZED:
            topic = self._outbox.only_topic()
            over = topic_refused(f"publish to {topic}") if topic else None
            self._end(over or NotAuthorized("the broker ended the connection: not authorized"))
        elif reason == mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER:
            self._end(self._taken_over())
        else:
            self._cut(reason, may_be_over_a_request(data))
        if not self._ended.done() and not self._stopping.is_set():  # else it is we who stopped it
            self._last_cause = why_lost(data, self._link_began_at, self._handshakes.expires, self._now())
            name = name_of(data.exception if reason is None else reason)
            detail = f"{name}, {lost_at - self._link_began:.0f} s after it began"
            self._events.put(Lost(self._last_cause, detail))

    def _cut(self, reason: int | None, may_be_over_a_request: bool) -> None:
        """The broker has ended the link: it may have been over what we asked for.

        A broker that restarts, or what stands before it, may do so as well. So what seems to be refused is put on
        trial: does a link stand on which nothing is asked for, and is it cut once that alone is?
        """
        with self._handing:
            trial, self._trial = self._trial, None
            if trial is Trial.BARE or not may_be_over_a_request:
                self._outbox.acquit()
                self._futile = self._ungranted = 0
            else:
                self._ungranted = self._ungranted + 1 if self._is_asking else 0
                stood = time.monotonic() - self._outbox.link_began
                over = self._outbox.cut()
                self._futile = self._futile + 1 if self._unanswered and is_over(self._link_began) else 0
                if trial and self._futile >= CUTS_THAT_REFUSE:
                    self._end(refused_by_cuts("subscribe again to what was granted before", reason))
                elif (
                    trial
                    and self._outbox.cuts >= CUTS_THAT_REFUSE
                    and not (self._unanswered or self._is_asking)
                ):
                    self._end(refused_by_cuts(over, reason))
                elif max(self._futile, self._ungranted, self._outbox.cuts) >= CUTS_THAT_REFUSE - 1:
                    self._trial, self._trial_seconds = Trial.BARE, max(TRIAL_SECONDS, 2 * stood)
            if (trial or self._trial) and not (self._ended.done() or self._stopping.is_set()):
                self._start_anew()

    def _on_standing(self, began: float, session_present: bool) -> None:
        """A link on which nothing was asked for stands: now ask for what was suspected, and for that alone."""
        with self._handing:
            if self._trial is Trial.BARE and self._is_linked and self._link_began == began:
                self._trial = Trial.ALONE
                self._link_began = time.monotonic()
                self._ask_again(session_present)

    def _end_trial(self) -> None:
        """What was suspected was answered: go on with all that waits."""
        with self._handing:
            if self._trial is Trial.ALONE:
                self._trial = None
                self._outbox.each(self._hand_over)

    def _on_publish(self, stopped: threading.Event, data: mqtt5.PublishReceivedData) -> None:
        thread_state.keep()
        packet, events = data.publish_packet, self._events
        given = packet.user_properties
        delivery = Publication(
            packet.topic,
            packet.payload or b"",
            tuple([(one.name, one.value) for one in given]) if given else (),
            packet.qos.value,
            packet.retain,
        )
        handle = None
        if self._durable or events.qsize() >= UNACKNOWLEDGED:  # else awscrt may: that is cheaper
            take_charge = data.acquire_publish_acknowledgement_control
            handle = take_charge() if take_charge else None
        events.put(_Unacknowledged(delivery, stopped, handle) if handle else delivery)
        while events.qsize() > EVENTS and not self._ended.done() and not self._stopping.is_set():
            time.sleep(0.01)  # nothing else slows a broker that sends with QoS 0

    def _resubscribe(self) -> None:
        """Ask for every filter again, in packets as they were; the broker forgot them with the old link."""
        self._resubscriptions += 1
        self._unanswered = len(self._subscriptions)
        if not self._subscriptions:
            self._restored()
        for filters in self._subscriptions:
            answered = partial(self._on_resubscribed, self._resubscriptions, filters)
            self._client.subscribe(_subscribe_packet(filters)).add_done_callback(answered)

    def _on_resubscribed(
        self, number: int, filters: Sequence[str], answer: "Future[mqtt5.SubackPacket]"
    ) -> None:
        if number != self._resubscriptions or answer.exception():
            return  # of a link that is gone
        try:
            check_granted(filters, answer.result())
        except AwsIotError as error:
            self._end(error)
            return
        self._unanswered -= 1
        if not self._unanswered:
            self._futile = 0
            self._restored()

    def _restored(self) -> None:
        lost_at, self._lost_at = self._lost_at, None
        self._events.put(Restored(time.monotonic() - lost_at if lost_at else 0.0, self._is_forgotten))
        with self._handing:
            if self._trial is Trial.ALONE:
                self._outbox.begin()
                if not self._is_asking and not self._outbox.first(self._hand_over):
                    self._end_trial()

    def _end(self, error: AwsIotError) -> None:
        with (
            self._handing
        ):  # awscrt's thread and `_tell_why` may both have a reason; no other client is made after it
            if self._ended.done():
                return
            self._ended.set_result(error)
        self._handshakes.stop()
        self._outbox.fail()
        self._client.stop(mqtt5.DisconnectPacket())


@dataclass(frozen=True, slots=True)
class _Unacknowledged:
    """A delivery, and what tells the broker that it has been dealt with."""

    delivery: Publication
    stopped: threading.Event
    """Of the client that it came by; the client itself would be held by its own callback, and never be gone."""
    handle: mqtt5.PublishAcknowledgementControlHandle


_FINAL_CONNACKS = {
    mqtt5.ConnectReasonCode.NOT_AUTHORIZED,
    mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD,
    mqtt5.ConnectReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
}


def _subscribe_packet(filters: Sequence[str]) -> mqtt5.SubscribePacket:
    return mqtt5.SubscribePacket([mqtt5.Subscription(f, mqtt5.QoS.AT_LEAST_ONCE) for f in filters])
