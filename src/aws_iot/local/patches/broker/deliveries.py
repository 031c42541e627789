"""AWS behavior: a slow client neither blocks others nor loses messages without a word.

At most 100 messages are on the way to a client unacknowledged, and 100 from it (Receive Maximum). The rest waits. If
very much waits, the broker ends the connection with the reason "quota exceeded". It sends a message again on the same
connection only to a client that is silent.

AWS discards what a connection sends above 100 messages a second, which its clients must know. Here, those who send to
a crowded client get their PUBACK later, or are read more slowly, so that they slow down.

ministack 1.5.33 announces that a packet has at most 128 KB, topic and properties included. It makes each publisher
wait until every subscriber has taken the message, has no limit for messages on the way, and repeats all of them after
half a minute. This patch wraps methods of `iot._WSSession`, and replaces `deliver_to_client`.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from ministack.services import iot

from aws_iot.local import notices
from aws_iot.local.patches.broker.outbox import CROWDED_MESSAGES, ENDED, WINDOW, Outbox, Waiting

Dispatch = Callable[[Any, int, int, bytes], Awaitable[bool]]

MOST_PACKET_BYTES = 146 * 1024
"""The maximum of a packet, so that a payload may have 128 KB: "Message broker limits" in AWS's quotas."""

QUOTA_EXCEEDED = 0x97
RECEIVE_MAXIMUM_EXCEEDED = 0x93

SLOWED_SECONDS = 0.01
"""How long reading from a client pauses after a QoS 0 message for a crowded client: 100 messages a second."""

MQTT_5_CONNECT = b"\x00\x04MQTT\x05"
PROPERTIES_AT = 10
"""Where the properties of such a CONNECT begin: after its flags and the keep-alive time."""

_receivers: ContextVar[list[Outbox]] = ContextVar("receivers")
"""The outboxes of the clients that get the message being published."""


def apply() -> None:
    """Let the engine's broker queue what it delivers."""
    session = iot._WSSession
    session.deliver_to_client = _deliver
    session._dispatch_packet = _counted(session._dispatch_packet)
    session.send_bytes = _holding_pubacks(session.send_bytes)
    session._send_connack = _opening(session._send_connack)
    session._connack_properties = _with_limits(session._connack_properties)
    session._retransmit_due = _only_if_silent(session._retransmit_due)
    session._preserve_session = _with_waiting(session._preserve_session)
    session.cleanup = _closing(session.cleanup)


def _outbox(session: Any) -> Outbox:
    if "outbox" not in vars(session):
        session.outbox = Outbox(session)
    outbox: Outbox = session.outbox
    return outbox


async def _deliver(session: Any, topic: str, payload: bytes, qos: int) -> None:
    if not session._policy_allows("iot:Receive", f"topic/{topic}"):
        return
    outbox = _outbox(session)
    properties, retain = iot._delivery_properties.get(), iot._delivery_retain.get()
    outbox.add(Waiting(topic, payload, qos, properties, retain, time.time()))
    _receivers.get([]).append(outbox)
    if outbox.is_crowded and "is_crowded" not in vars(session):
        session.is_crowded = True
        notices.add(
            f"{session._client_id} does not keep up: more than {CROWDED_MESSAGES:,} messages wait for it."
            " The broker slows down those who send to it."
        )
    if outbox.is_over_quota:
        _end(session, QUOTA_EXCEEDED, "it has not read its messages, and too many wait for it")


def _counted(dispatch: Dispatch) -> Dispatch:
    async def dispatch_and_count(session: Any, kind: int, flags: int, body: bytes) -> bool:
        if kind == iot.PKT_CONNECT:
            session.task = asyncio.current_task()
            _outbox(session).window = _window(body)
        elif kind == iot.PKT_PUBLISH:
            receivers: list[Outbox] = []
            token = _receivers.set(receivers)
            try:
                goes_on = await dispatch(session, kind, flags, body)
            finally:
                _receivers.reset(token)
            if not flags & 0x06 and any(one.is_crowded for one in receivers):
                await asyncio.sleep(SLOWED_SECONDS)
            return goes_on
        goes_on = await dispatch(session, kind, flags, body)
        if kind == iot.PKT_PUBACK:
            _outbox(session).acknowledged()
        return goes_on

    return dispatch_and_count


def _window(connect: bytes) -> int:
    """How many messages may be on the way to a client: what it can receive, up to `WINDOW`."""
    if not connect.startswith(MQTT_5_CONNECT):
        return WINDOW
    properties, _ = iot._decode_properties(connect, PROPERTIES_AT)
    return min(WINDOW, int(iot._property_value(properties, iot.PROP_RECEIVE_MAXIMUM, WINDOW)) or 1)


def _holding_pubacks(
    send: Callable[[Any, bytes], Awaitable[None]],
) -> Callable[[Any, bytes], Awaitable[None]]:
    async def send_or_hold(session: Any, data: bytes) -> None:
        receivers = _receivers.get([])
        if receivers and data[0] >> 4 == iot.PKT_PUBACK:
            for one in receivers:
                if one.is_crowded:
                    one.hold(own := _outbox(session), data)
                    if own.unacknowledged > WINDOW and session.protocol_version == iot.MQTT_5:
                        _end(session, RECEIVE_MAXIMUM_EXCEEDED, "it did not wait for PUBACKs")
                    return
        await send(session, data)

    return send_or_hold


def _opening(send_connack: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    async def send_connack_and_open(session: Any, session_present: bool = False, **more: Any) -> None:
        outbox = _outbox(session)
        if session_present:
            stored = iot._persistent_sessions[session.account_id, session.region, session._client_id]
            for topic, payload, qos, properties, received_at in stored.queued_messages:
                outbox.add(Waiting(topic, payload, qos, properties, False, received_at))
            stored.queued_messages.clear()
        await send_connack(session, session_present=session_present, **more)
        await session._retransmit_due()  # before all that waits
        outbox.open()

    return send_connack_and_open


def _with_limits(properties: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    changed = {iot.PROP_RECEIVE_MAXIMUM: WINDOW, iot.PROP_MAXIMUM_PACKET_SIZE: MOST_PACKET_BYTES}

    def properties_with_limits(session: Any, client_id: str | None) -> list[Any]:
        others = [one for one in properties(session, client_id) if one[0] not in changed]
        return [*others, *changed.items()]

    return properties_with_limits


def _only_if_silent(resend: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def resend_if_silent(session: Any) -> None:
        outbox = _outbox(session)
        if outbox.is_open:
            for message in session._in_flight.values():
                message.sent_at = max(message.sent_at, outbox.acknowledged_at)
        await resend(session)

    return resend_if_silent


def _with_waiting(preserve: Callable[[Any], None]) -> Callable[[Any], None]:
    def preserve_with_waiting(session: Any) -> None:
        preserve(session)
        stored = iot._persistent_sessions[session.account_id, session.region, session._client_id]
        for one in _outbox(session).close():
            if one.qos:
                stored.queued_messages.append(
                    (one.topic, one.payload, one.qos, one.properties, one.received_at)
                )

    return preserve_with_waiting


def _closing(cleanup: Callable[[Any], Awaitable[None]]) -> Callable[[Any], Awaitable[None]]:
    async def close_and_clean_up(session: Any) -> None:
        await cleanup(session)
        _outbox(session).close()

    return close_and_clean_up


def _end(session: Any, reason: int, words: str) -> None:
    """End a connection: with a DISCONNECT that gives the reason, if the client speaks MQTT 5 and reads."""
    if "is_ended" in vars(session):
        return
    session.is_ended = True
    notices.add(f"The broker has disconnected {session._client_id}: {words}.")
    session.ending = asyncio.ensure_future(_disconnect(session, reason))


async def _disconnect(session: Any, reason: int) -> None:
    session._forced_disconnect_reason = "THROTTLED"
    try:
        if session.protocol_version == iot.MQTT_5:
            await asyncio.wait_for(session.send_bytes(iot._make_disconnect(reason)), 1)
    except Exception:  # noqa: BLE001 S110 a client that reads nothing gets no reason
        pass
    finally:
        session.task.cancel(ENDED)
