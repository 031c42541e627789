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
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, Self, TypeVar

from awscrt import mqtt5

from aws_iot.auth.credentials import Credentials
from aws_iot.aws.iot import thread_state
from aws_iot.aws.iot.connack import FINAL_CONNACKS, Admission
from aws_iot.aws.iot.inbox import Inbox
from aws_iot.aws.iot.options import client_options
from aws_iot.aws.iot.outbox import CUTS_THAT_REFUSE, Outbox
from aws_iot.aws.iot.reason_codes import (
    BARE_CUTS,
    check_granted,
    is_negative,
    may_be_over_a_request,
    name_of,
    not_sent,
    publication_refused,
    refused_by_cuts,
    topic_refused,
    why_lost,
    words,
)
from aws_iot.aws.iot.refusal_detector import Suspicion, Trial
from aws_iot.aws.iot.signing import Handshakes, SignedUpgrade
from aws_iot.config.profile import Profile
from aws_iot.deadline import POLL_SECONDS, settled
from aws_iot.errors import (
    AwsIotError,
    LocalError,
    NotAuthorized,
    ServiceRefused,
    SignInRefused,
    Unreachable,
    WrongClock,
)
from aws_iot.messaging.connection import Done, Event, Lost, Publication, Restored

T = TypeVar("T")

PATIENCE_SECONDS = 2.0
"""After so long without a word from awscrt we look for ourselves: it is slow to report an untrusted certificate."""

LEAVE_SECONDS = 1.0
"""How long a goodbye may take."""

USEFUL_SECONDS = 2.0
"""A link that lasted so long served, even if nobody said anything."""


VERDICT_SECONDS = 5.0
"""So much longer than its timeout a call waits at most while a trial runs: its end tells a refusal from a broker that
does not answer."""


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
        self._admission = Admission(profile, identity, durable)
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
        self._inbox = Inbox(is_durable=bool(durable))
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
        self._resubscriptions = 0
        self._unanswered = 0
        self._suspicion = Suspicion()
        self._last_cause = ""
        self._lost_at: float | None = None
        self._outbox = Outbox()
        self._handing = threading.RLock()
        self._looking = threading.Lock()
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

        Raises `NotAccepted`, `CredentialsRefused`, `Unreachable`, `LocalError` for an unusable CA
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

        return client_options(
            self._endpoint,
            self._ca_bundle,
            self._client_id,
            is_durable=bool(self._durable),
            websocket_handshake_transform=on_handshake,
            on_publish_callback_fn=heard(partial(self._on_publish, stopped)),
            on_lifecycle_event_connection_success_fn=heard(self._on_connected),
            on_lifecycle_event_connection_failure_fn=heard(self._on_connect_failed),
            on_lifecycle_event_disconnection_fn=heard(self._on_disconnected),
            on_lifecycle_event_stopped_fn=lambda _: stopped.set(),
        )

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
            if self._suspicion.trial is None:
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
            if self._suspicion.trial is Trial.ALONE and client is self._client:
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
        while not settled([told], 0 if is_late else POLL_SECONDS):
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
        while not settled([answer, self._ended], POLL_SECONDS) or client is not self._client:
            if time.monotonic() > deadline:
                raise Unreachable(f"the broker has not unsubscribed us within {self._timeout:g} seconds")
            if client is not self._client:  # one that has a successor answers no more
                client, answer = self._client, self._client.unsubscribe(packet)
        if self._ended.done():
            raise self._ended.result()
        if failure := answer.exception():
            raise Unreachable(f"the broker has not unsubscribed us: {words(failure)}") from failure
        for topic_filter, reason in zip(filters, answer.result().reason_codes, strict=False):
            if is_negative(reason):
                raise ServiceRefused(
                    f"the broker has not unsubscribed us from {topic_filter}: {words(reason)}"
                )

    def receive(self, timeout: float | None = None) -> Event | None:
        left = math.inf if timeout is None else timeout
        if left:
            self._inbox.let_gather()
        event = self._inbox.take(0)
        while event is None:
            event = self._inbox.take(min(left, POLL_SECONDS))
            if event is None:
                if self._ended.done():
                    raise self._ended.result()
                self._look()
                left -= POLL_SECONDS
                if left <= 0:
                    return None
        return event

    def acknowledge(self, deliveries: int | None = None) -> None:
        for delivery in self._inbox.acknowledged(deliveries):
            with self._handing, suppress(Exception):  # of a link that is gone: the broker delivers it again
                if (
                    delivery.stopped is self._stopped
                ):  # a later client would take the handle for one of its own
                    self._client.invoke_publish_acknowledgement(delivery.handle)

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
                failure = self._attempts.get(timeout=min(left, POLL_SECONDS))
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
        from aws_iot.aws.iot.diagnosis import (
            diagnose,  # here, since it is rarely needed and takes long to import
        )

        return diagnose(self._endpoint, self._ca_bundle, upgrade, self._now, seconds)

    def _why_not(self, failure: mqtt5.LifecycleConnectFailureData, closed: int) -> AwsIotError | None:
        """Why an attempt failed; None if another may do."""
        if self._handshakes.error:
            return self._handshakes.error
        if failure.connack_packet:
            return self._admission.refused(failure.connack_packet.reason_code)
        if fault := self._fault(self._handshakes.upgrade, PATIENCE_SECONDS):
            return fault
        if closed >= CUTS_THAT_REFUSE:
            return self._admission.not_accepted(
                "the broker closes the connection without a word, as it does when"
            )
        return None

    # -- waiting for a grant

    def _granted(self, filters: Sequence[str]) -> mqtt5.SubackPacket:
        """What the broker answers."""
        what = f"subscribe to {', '.join(filters)}"
        deadline = time.monotonic() + self._timeout
        self._suspicion.ungranted, self._is_asking = 0, True
        try:
            client, answer = self._ask(filters)
            while not self._ended.done() and not (client is self._client and answer.done()):
                settled([answer, self._ended] if client is self._client else [self._ended], POLL_SECONDS)
                is_late = self._is_late(deadline)
                if self._suspicion.ungranted >= CUTS_THAT_REFUSE:
                    raise refused_by_cuts(what, None)
                if is_late:
                    raise Unreachable(
                        f"the broker has not granted the subscription within {self._timeout:g} seconds"
                    )
                if client is not self._client and self._suspicion.trial is not Trial.BARE:
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
            return time.monotonic() > deadline + (VERDICT_SECONDS if self._suspicion.trial else 0.0)

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
        elif self._suspicion.trial is None:
            self._ask_again(data.connack_packet.session_present)
        else:
            stands = partial(self._on_standing, self._link_began, data.connack_packet.session_present)
            timer = threading.Timer(self._suspicion.seconds, stands)
            timer.daemon = True
            timer.start()

    def _ask_again(self, session_present: bool) -> None:
        """What a link begins with, where another was before."""
        self._is_forgotten |= bool(self._durable) and not session_present
        if session_present and not self._unanswered:
            self._restored()
        else:
            self._resubscribe()

    def _on_connect_failed(self, data: mqtt5.LifecycleConnectFailureData) -> None:
        self._handshakes.answered()
        if not self._is_open:
            self._attempts.put(data)
        elif data.connack_packet and data.connack_packet.reason_code in FINAL_CONNACKS:
            self._end(self._admission.refused(data.connack_packet.reason_code))
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
            if since is None or now - since < patience or self._suspicion.trial is Trial.BARE:
                return
            if not self._is_linked or self._ended.done() or self._stopping.is_set():
                return
            self._is_linked = False
            self._lost_at = self._lost_at or now
            if self._outbox.has_progressed:
                self._handshakes.was_useful()
            self._suspicion.trial = None
            self._start_anew()
        detail = f"owed for {now - since:.0f} s, {now - began:.0f} s after it began"
        self._inbox.put(Lost(f"no acknowledgement for {patience:g} seconds", detail))

    def _start_anew(self) -> None:
        """Another client of awscrt in place of one that is of no use any more; what waits goes along.

        It goes out with the same id: whoever got it already takes it for a copy.
        """
        useless = self._client
        self._make_client()
        useless.stop(mqtt5.DisconnectPacket())
        self._client.start()
        if self._suspicion.trial is None:
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
            if isinstance(fault, SignInRefused | NotAuthorized | LocalError | WrongClock):
                self._end(fault)
            if not self._ended.done():
                again, self._last_cause = cause == self._last_cause, cause
                self._inbox.put(Lost(cause, f"an attempt to reconnect failed: {name_of(failure)}", again))

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
            self._end(self._admission.taken_over())
        else:
            self._cut(reason, may_be_over_a_request(data))
        if not self._ended.done() and not self._stopping.is_set():  # else it is we who stopped it
            self._last_cause = why_lost(data, self._link_began_at, self._handshakes.expires, self._now())
            name = name_of(data.exception if reason is None else reason)
            detail = f"{name}, {lost_at - self._link_began:.0f} s after it began"
            self._inbox.put(Lost(self._last_cause, detail))

    def _cut(self, reason: int | None, may_be_over_a_request: bool) -> None:
        """The broker has ended the link: it may have been over what we asked for."""
        with self._handing:
            was_on_trial = self._suspicion.trial is not None
            if may_be_over_a_request:
                refused = self._suspicion.cut(
                    self._outbox,
                    link_began=self._link_began,
                    is_subscribing=self._is_asking,
                    is_resubscribing=self._unanswered > 0,
                )
                if refused:
                    self._end(refused_by_cuts(refused, reason))
            else:
                self._suspicion.drop(self._outbox)
            is_wanted = not (self._ended.done() or self._stopping.is_set())
            if (was_on_trial or self._suspicion.trial) and is_wanted:
                self._start_anew()

    def _on_standing(self, began: float, session_present: bool) -> None:
        """A link on which nothing was asked for stands: now ask for what was suspected, and for that alone."""
        with self._handing:
            if self._suspicion.trial is Trial.BARE and self._is_linked and self._link_began == began:
                self._suspicion.trial = Trial.ALONE
                self._link_began = time.monotonic()
                self._ask_again(session_present)

    def _end_trial(self) -> None:
        """What was suspected was answered: go on with all that waits."""
        with self._handing:
            if self._suspicion.trial is Trial.ALONE:
                self._suspicion.trial = None
                self._outbox.each(self._hand_over)

    def _on_publish(self, stopped: threading.Event, data: mqtt5.PublishReceivedData) -> None:
        thread_state.keep()
        self._inbox.deliver(data, stopped)
        while self._inbox.is_full and not self._ended.done() and not self._stopping.is_set():
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
            self._suspicion.futile = 0
            self._restored()

    def _restored(self) -> None:
        lost_at, self._lost_at = self._lost_at, None
        self._inbox.put(Restored(time.monotonic() - lost_at if lost_at else 0.0, self._is_forgotten))
        self._is_forgotten = False
        with self._handing:
            if self._suspicion.trial is Trial.ALONE:
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


def _subscribe_packet(filters: Sequence[str]) -> mqtt5.SubscribePacket:
    return mqtt5.SubscribePacket([mqtt5.Subscription(f, mqtt5.QoS.AT_LEAST_ONCE) for f in filters])
