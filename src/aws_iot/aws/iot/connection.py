"""The connection to AWS IoT Core: carries out what the rules in `aws_iot.aws.iot.link` decide.

Every event passes through `IotCoreConnection._handle`, on whichever thread it happens: the owner's, awscrt's, or a
timer's. One lock guards the state, the current client and everything that is sent, so that messages leave in order. The
owner's callbacks are called after it is released.
"""

import math
import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from datetime import datetime
from time import monotonic
from typing import Any, Self

from awscrt import mqtt5

from aws_iot.auth.credentials import Credentials
from aws_iot.aws.iot.client import Client, ClientSettings
from aws_iot.aws.iot.connack import not_accepted
from aws_iot.aws.iot.inbox import Inbox
from aws_iot.aws.iot.link import Settings, State, step
from aws_iot.aws.iot.link import effects as do
from aws_iot.aws.iot.link import events as on
from aws_iot.aws.iot.link.ending import connection_over
from aws_iot.aws.iot.link.state import Closing, Failed
from aws_iot.aws.iot.link.unacknowledged import PendingPublish
from aws_iot.aws.iot.signing import SignedUpgrade
from aws_iot.config.ca_bundle import find_ca_bundle
from aws_iot.config.local_stack import check_stack
from aws_iot.config.profile import Profile
from aws_iot.deadline import POLL_SECONDS, settled
from aws_iot.errors import AwsIotError
from aws_iot.limits import need_open_files
from aws_iot.messaging.connection import Done, Event, Publication

LEAVE_SECONDS = 1.0
"""How long it may take to disconnect."""

Report = tuple[Callable[[AwsIotError | None], None], AwsIotError | None]


class IotCoreConnection:
    """A `Connection` for one identity. `open` returns one once the broker has accepted it."""

    def __init__(
        self,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        now: Callable[[], datetime],
        timeout: float,
        durable: str | None = None,
        will: Publication | None = None,
        *,
        is_temporary: bool = False,
    ) -> None:
        # The policy wants the identity first. The rest keeps two programs of a person apart.
        client_id = f"{identity}-{durable or os.urandom(4).hex()}"
        ca_bundle = find_ca_bundle(profile.ca_bundle)  # awscrt reads no settings
        cut = not_accepted(
            profile, identity, "the broker closes the connection without a reason, as it does if"
        )
        self._inbox = Inbox(is_durable=bool(durable))
        self._settings = ClientSettings(
            profile,
            identity,
            credentials,
            now,
            client_id,
            ca_bundle,
            durable,
            is_temporary,
            will and _packet(will),
            self._inbox,
        )
        self._state = State(Settings(str(profile.endpoint), timeout, cut, bool(durable), is_temporary))
        self._lock = threading.RLock()
        self._events: deque[on.Event] = deque()
        self._reports: list[Report] | None = None
        self._client: Client | None = None
        self._upgrade: SignedUpgrade | None = None
        self._call: Future[AwsIotError | None] | None = None
        self._is_over = threading.Event()
        self._next_attempt: float | None = None

    @classmethod
    def open(
        cls,
        profile: Profile,
        identity: str,
        credentials: Callable[[], Credentials],
        now: Callable[[], datetime],
        timeout: float,
        durable: str | None = None,
        will: Publication | None = None,
        *,
        is_temporary: bool = False,
    ) -> Self:
        """Connect within about `timeout` seconds; `credentials` is called for each attempt, on another thread.

        With a name, `durable`, the broker keeps the session, and what is published while no program uses the name.
        One that `is_temporary` ends with `close`, or after an hour without a connection.
        The broker publishes `will` each time that the connection is lost; `close` prevents that. A broker that does not
        let the identity publish it rejects the connection.

        Raises `NotAccepted`, `CredentialsRefused`, `Unreachable`, `LocalError` for an unusable CA bundle or proxy, or
        what `credentials` raises.
        """
        [connection] = cls._open_all(
            [cls(profile, identity, credentials, now, timeout, durable, will, is_temporary=is_temporary)]
        )
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
        meanwhile: Callable[[], object] = lambda: None,
    ) -> list[Self]:
        """Open `count` connections at the same time, and raise as `open` does.

        `meanwhile` is called while the network is busy with them.
        """
        connections = [cls(profile, identity, credentials, now, timeout) for _ in range(count)]
        return cls._open_all(connections, meanwhile)

    @classmethod
    def _open_all(cls, connections: list[Self], meanwhile: Callable[[], object] = lambda: None) -> list[Self]:
        need_open_files(len(connections))  # without them, awscrt may abort the process
        try:
            calls = [connection._begin(on.Open()) for connection in connections]
            meanwhile()
            for connection, call in zip(connections, calls, strict=True):
                connection._finish(call)
        except BaseException:
            for connection in connections:
                connection.leave()
            for connection in connections:
                connection.close()
            raise
        return connections

    # -- what the owner's thread calls

    @property
    def is_resumed(self) -> bool:
        with self._lock:
            return self._state.session.is_resumed

    @property
    def may_miss(self) -> bool:
        with self._lock:
            return self._state.may_miss

    def send(self, publication: Publication, done: Done) -> None:
        self._handle(on.Publish(_pending(publication, done)))

    def publish(self, publication: Publication) -> None:
        self._finish(self._begin(on.Publish(_pending(publication, lambda _: None), is_awaited=True)))

    def subscribe(self, filters: Sequence[str]) -> None:
        self._finish(self._begin(on.Subscribe(tuple(filters))))

    def unsubscribe(self, filters: Sequence[str]) -> None:
        self._finish(self._begin(on.Unsubscribe(tuple(filters))))

    def receive(self, timeout: float | None = None) -> Event | None:
        left = math.inf if timeout is None else timeout
        if left:
            self._inbox.let_gather()
        event = self._inbox.take(0)
        while event is None:
            event = self._inbox.take(min(left, POLL_SECONDS))
            if event is None:
                self._raise_if_over()
                self._handle(on.Tick())
                left -= POLL_SECONDS
                if left <= 0:
                    return None
        return event

    def acknowledge(self, deliveries: int | None = None) -> None:
        for delivery in self._inbox.acknowledged(deliveries):
            with (
                self._lock,
                suppress(Exception),
            ):  # of a connection that is lost: the broker delivers it again
                delivery.client.acknowledge(delivery.handle)

    @property
    def next_attempt(self) -> float | None:
        with self._lock:
            return self._next_attempt

    def reconnect_now(self) -> None:
        self._handle(on.Hurry())

    def leave(self, *, keeps_session: bool = False) -> None:
        self._inbox.close()
        self._handle(on.Leave(keeps_session))

    def close(self) -> None:
        self.leave()
        with self._lock:
            client, phase = self._client, self._state.phase
        left_at = phase.left_at if isinstance(phase, Closing) else monotonic()
        if client:
            client.wait_until_stopped(max(0.0, left_at + LEAVE_SECONDS - monotonic()))

    # -- calls

    def _begin(self, event: on.Event) -> "Future[AwsIotError | None]":
        call: Future[AwsIotError | None] = Future()
        self._handle(event, call)
        return call

    def _finish(self, call: "Future[AwsIotError | None]") -> None:
        """Wait until the rules end the call, and raise its error if it has one."""
        while not settled([call], POLL_SECONDS):
            self._handle(on.Tick())
        if error := call.result():
            raise error

    def _raise_if_over(self) -> None:
        with self._lock:
            phase = self._state.phase
            if isinstance(phase, Failed):
                raise phase.error
            if isinstance(phase, Closing):
                raise connection_over(self._state)

    # -- events and effects

    def _handle(self, event: on.Event, call: "Future[AwsIotError | None] | None" = None) -> None:
        """Apply an event. With a `call`, the next effect `FinishCall` ends that one.

        Each message passes through here twice, so the path of a single effect is kept short.
        """
        reports: list[Report] = []
        with self._lock:
            if call:
                self._call = call
            if (
                self._reports is not None
            ):  # an effect causes it, which is carried out further up on this thread
                self._events.append(event)
                return
            self._reports = reports
            try:
                while True:
                    self._state, effects = step(self._state, event, monotonic())
                    for effect in effects:
                        _EFFECTS[type(effect)](self, effect)
                    if not self._events:
                        break
                    event = self._events.popleft()
            finally:
                self._reports = None
        for report, error in reports:
            report(error)

    def _start_client(self, effect: do.StartClient) -> None:
        self._next_attempt = None
        try:
            self._client = Client(self._settings, effect.attempt, self._handle)
        except AwsIotError as error:
            self._handle(on.StartFailed(effect.attempt, error))

    def _stop_client(self, _: do.StopClient) -> None:
        self._next_attempt = None
        is_last = isinstance(self._state.phase, Failed | Closing)
        if is_last:
            self._is_over.set()
        if self._client:
            self._upgrade = self._client.upgrade or self._upgrade
            self._client.stop(ends_session=self._state.ends_session)
            if not is_last:
                self._client = None

    def _send_publish(self, effect: do.SendPublish) -> None:
        if self._client:
            self._client.publish(effect.message)

    def _send_subscribe(self, effect: do.SendSubscribe) -> None:
        if self._client:
            self._client.subscribe(effect.filters, is_again=effect.is_again)

    def _send_unsubscribe(self, effect: do.SendUnsubscribe) -> None:
        if self._client:
            self._client.unsubscribe(effect.filters)

    def _flush(self, _: do.Flush) -> None:
        if self._client:
            self._client.flush()

    def _report(self, effect: do.Report) -> None:
        if self._reports is not None:
            self._reports.append((effect.message.done, effect.error))

    def _finish_call(self, effect: do.FinishCall) -> None:
        if self._call and self._reports is not None:
            self._reports.append((self._call.set_result, effect.error))
            self._call = None

    def _notify(self, effect: do.Notify) -> None:
        self._inbox.put(effect.event)

    def _schedule_attempt(self, effect: do.ScheduleAttempt) -> None:
        import random  # here, because only a lost connection needs it

        moment = random.uniform(effect.earliest, effect.latest)  # noqa: S311 spreads clients, keeps no secret
        self._next_attempt = moment
        self._later(moment, on.AttemptDue(effect.attempt))

    def _wake_at(self, effect: do.WakeAt) -> None:
        self._later(effect.time, on.Tick())

    def _later(self, moment: float, event: on.Event) -> None:
        def wait() -> None:
            if not self._is_over.wait(max(0.0, moment - monotonic())):
                self._handle(event)

        threading.Thread(target=wait, daemon=True).start()

    def _diagnose(self, effect: do.Diagnose) -> None:
        upgrade = (self._client and self._client.upgrade) or self._upgrade

        def look() -> None:
            self._handle(on.Diagnosed(effect, _fault(self._settings, effect, upgrade)))

        threading.Thread(target=look, daemon=True).start()


_EFFECTS: dict[type, Callable[[IotCoreConnection, Any], None]] = {
    do.StartClient: IotCoreConnection._start_client,
    do.StopClient: IotCoreConnection._stop_client,
    do.SendPublish: IotCoreConnection._send_publish,
    do.SendSubscribe: IotCoreConnection._send_subscribe,
    do.SendUnsubscribe: IotCoreConnection._send_unsubscribe,
    do.Flush: IotCoreConnection._flush,
    do.Report: IotCoreConnection._report,
    do.FinishCall: IotCoreConnection._finish_call,
    do.Notify: IotCoreConnection._notify,
    do.ScheduleAttempt: IotCoreConnection._schedule_attempt,
    do.WakeAt: IotCoreConnection._wake_at,
    do.Diagnose: IotCoreConnection._diagnose,
}


def _fault(
    settings: ClientSettings, effect: do.Diagnose, upgrade: SignedUpgrade | None
) -> AwsIotError | None:
    from aws_iot.aws.iot.diagnosis import (
        diagnose,
    )  # here, because it is seldom needed and takes long to import

    try:
        check_stack(settings.profile)
    except AwsIotError as error:
        return error
    if not effect.is_signed or not upgrade or not upgrade.is_fresh(settings.now()):
        upgrade = None
    return diagnose(settings.profile.endpoint, settings.ca_bundle, upgrade, settings.now, effect.seconds)


_QOS = (mqtt5.QoS.AT_MOST_ONCE, mqtt5.QoS.AT_LEAST_ONCE)


def _pending(publication: Publication, done: Done) -> PendingPublish:
    packet = _packet(publication)
    return PendingPublish(publication.topic, publication.qos, len(publication.payload), packet, done)


def _packet(publication: Publication) -> mqtt5.PublishPacket:
    return mqtt5.PublishPacket(
        topic=publication.topic,
        payload=publication.payload,
        qos=_QOS[publication.qos],
        retain=publication.retain,
        user_properties=[mqtt5.UserProperty(name, value) for name, value in publication.properties],
    )
