"""AWS behavior: sessions of the broker follow MQTT 5.

A client that subscribes to a filter again replaces its subscription ([MQTT-3.8.4-3]). A client that resumes a session
receives unacknowledged messages at once, before new ones (section 4.4). A durable session holds all messages that
are published while the client is away, until it expires. AWS documents no other limit; here, memory is one. DISCONNECT
can change how long the session is kept, and end it (section 3.14.2.2.2).

ministack 1.5.33 adds a second subscription, waits half a minute before it sends these messages again, holds 1,000
messages, and does not read what DISCONNECT says of the session. This patch wraps `iot.broker_subscribe`,
`iot._WSSession._preserve_session`, `iot._WSSession._dispatch_packet`, and `iot._PersistentSessionState.__init__`.
"""

import math
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from ministack.services import iot

from aws_iot.local.stored_messages import StoredMessages


def apply() -> None:
    """Let the engine's broker replace subscriptions, and resend at once."""
    iot.broker_subscribe = _replacing(iot.broker_subscribe)
    iot._WSSession._preserve_session = _resending_at_once(iot._WSSession._preserve_session)
    iot._WSSession._dispatch_packet = _heeding_disconnect(iot._WSSession._dispatch_packet)
    iot._PersistentSessionState.__init__ = _with_all_messages(iot._PersistentSessionState.__init__)
    iot._MAX_QUEUED_MESSAGES = sys.maxsize


def _replacing(subscribe: Callable[..., Awaitable[str]]) -> Callable[..., Awaitable[str]]:
    async def replace(account: str, region: str, topic_filter: str, *others: Any, **options: Any) -> str:
        number = await subscribe(account, region, topic_filter, *others, **options)
        subscriptions = iot._subscriptions[iot._scoped_topic(account, region, topic_filter)]
        client = options.get("client_id")
        for one in [one for one in subscriptions if client and one.client_id == client]:
            if one.subscription_id != number:
                subscriptions.discard(one)
        return number

    return replace


def _resending_at_once(preserve: Callable[[Any], None]) -> Callable[[Any], None]:
    def preserve_as_due(session: Any) -> None:
        for message in session._in_flight.values():
            message.sent_at = -math.inf
        preserve(session)

    return preserve_as_due


def _heeding_disconnect(dispatch: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
    async def dispatch_and_heed(session: Any, pkt_type: int, flags: int, body: bytes) -> bool:
        if pkt_type == iot.PKT_DISCONNECT and session.protocol_version == iot.MQTT_5 and len(body) > 1:
            properties, _ = iot._decode_properties(body, 1)
            seconds = iot._property_value(properties, iot.PROP_SESSION_EXPIRY_INTERVAL, None)
            if seconds is not None and session._persist_session:
                session._session_expiry_interval = seconds
                session._persist_session = seconds > 0
        return await dispatch(session, pkt_type, flags, body)

    return dispatch_and_heed


def _with_all_messages(create: Callable[..., None]) -> Callable[..., None]:
    def create_with_all_messages(state: Any, *arguments: Any, **options: Any) -> None:
        create(state, *arguments, **options)
        state.queued_messages = StoredMessages()

    return create_with_all_messages
