"""What a broker's reason codes and awscrt's errors mean, in our errors and in words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from awscrt import mqtt5

from aws_iot.errors import AwsIotError, ServiceRefused, TopicRefused

SOCKET_CLOSED = "AWS_IO_SOCKET_CLOSED"
UNEXPECTED_HANGUP = "AWS_ERROR_MQTT_UNEXPECTED_HANGUP"
ACK_TIMEOUT = "AWS_ERROR_MQTT_TIMEOUT"
PING_TIMEOUT = "AWS_ERROR_MQTT5_PING_RESPONSE_TIMEOUT"

HTTP_CLOSED = "AWS_ERROR_HTTP_CONNECTION_CLOSED"
WEBSOCKET_CLOSED = "AWS_ERROR_HTTP_WEBSOCKET_CLOSE_FRAME_SENT"
TLS_CLOSED = "AWS_IO_TLS_CLOSED_GRACEFUL"
TLS_CUT = "AWS_IO_TLS_CLOSED_ABORT"

BARE_CUTS = {SOCKET_CLOSED, UNEXPECTED_HANGUP, HTTP_CLOSED, WEBSOCKET_CLOSED, TLS_CLOSED, TLS_CUT}
"""How awscrt calls it when the other side just closes."""


def topic_refused(what: str) -> TopicRefused:
    """A policy said no to `what`, such as "publish to a/b"."""
    return TopicRefused(
        f"not authorized to {what}", hint="A policy refuses it: ask an admin which rooms are yours."
    )


def refused_by_cuts(what: str) -> TopicRefused:
    """A policy seems to say no to `what`, since the link was cut over it again and again."""
    return TopicRefused(
        f"not authorized to {what}: the broker closes the connection over it each time",
        hint="So it does where a policy refuses it: ask an admin which rooms are yours.",
    )


def check_granted(filters: Sequence[str], suback: mqtt5.SubackPacket) -> None:
    """Raises `TopicRefused` or `ServiceRefused` for the first filter that the broker did not grant."""
    for topic_filter, reason in zip(filters, suback.reason_codes, strict=True):
        if reason == mqtt5.SubackReasonCode.NOT_AUTHORIZED:
            raise topic_refused(f"subscribe to {topic_filter}")
        if is_negative(reason):
            raise ServiceRefused(f"the broker did not grant {topic_filter}: {words(reason)}")


def publication_refused(topic: str, puback: mqtt5.PubackPacket) -> AwsIotError | None:
    """Why the broker did not take a publication; None if it did."""
    reason = puback.reason_code
    if reason == mqtt5.PubackReasonCode.SUCCESS:
        return None
    if reason == mqtt5.PubackReasonCode.NOT_AUTHORIZED:
        return topic_refused(f"publish to {topic}")
    if reason == mqtt5.PubackReasonCode.QUOTA_EXCEEDED:
        return ServiceRefused(
            "the broker did not take the message: a limit of the account or connection is reached"
        )
    if is_negative(reason):
        return ServiceRefused(f"the broker did not take the message: {words(reason)}")
    return None


def is_negative(reason: int | None) -> bool:
    """Whether a reason code says no; None is one that awscrt does not know."""
    return reason is None or reason >= 0x80


_PLAIN_WORDS = {
    SOCKET_CLOSED: "the connection was cut",
    UNEXPECTED_HANGUP: "the connection was cut",
    TLS_CUT: "the connection was cut",
    HTTP_CLOSED: "the broker closed the connection",
    WEBSOCKET_CLOSED: "the broker closed the connection",
    TLS_CLOSED: "the broker closed the connection",
    ACK_TIMEOUT: "no answer in time",
    PING_TIMEOUT: "keep-alive: the broker has not answered for a while",
    "AWS_IO_SOCKET_TIMEOUT": "no answer in time",
    "AWS_IO_SOCKET_CONNECTION_REFUSED": "the connection was refused: nothing listens there",
    "AWS_IO_SOCKET_NO_ROUTE_TO_HOST": "no network reaches the broker",
    "AWS_IO_SOCKET_NETWORK_DOWN": "there is no network",
    "AWS_IO_DNS_QUERY_FAILED": "there is no host of that name (or no network)",
    "AWS_IO_DNS_INVALID_NAME": "there is no host of that name (or no network)",
    "AWS_ERROR_MQTT5_OPERATION_FAILED_DUE_TO_OFFLINE_QUEUE_POLICY": "there was no connection",
    "AWS_ERROR_MQTT5_CONNACK_TIMEOUT": "no answer in time",
    "SERVER_SHUTTING_DOWN": "the broker restarts",
    "KEEP_ALIVE_TIMEOUT": "keep-alive: the broker has not heard from us for a while",
    "ADMINISTRATIVE_ACTION": "an administrator ended the connection",
    "QUOTA_EXCEEDED": "a limit of the account or connection is reached",
    "MESSAGE_RATE_TOO_HIGH": "a limit of the account or connection is reached",
    "RECEIVE_MAXIMUM_EXCEEDED": "more messages were unacknowledged than the broker takes",
    "SERVER_BUSY": "the broker is busy",
}


def words(reason: Any) -> str:
    """A reason code or an awscrt error as words: NOT_AUTHORIZED becomes "not authorized"."""
    name = getattr(reason, "name", None)
    if name in _PLAIN_WORDS:
        return _PLAIN_WORDS[name]
    if isinstance(name, str):
        return name.removeprefix("AWS_").removeprefix("ERROR_").removeprefix("IO_").replace("_", " ").lower()
    return f"reason {reason:#x}" if isinstance(reason, int) else str(reason)


DAY = timedelta(hours=24)
"""AWS IoT Core ends every WebSocket after it: docs.aws.amazon.com/general/latest/gr/iot-core.html"""

LATE = timedelta(minutes=1)
"""How much later than announced an end may come and still be that one."""


def why_lost(
    data: mqtt5.LifecycleDisconnectData, began: datetime, expires: datetime | None, now: datetime
) -> str:
    """Why a link is gone that began then, with credentials that ended (or end) at `expires`.

    A broker that closes the link without a word does so for a reason that only the clock tells.
    """
    if data.disconnect_packet:
        return words(data.disconnect_packet.reason_code)
    if is_bare_cut(data):
        if timedelta(0) <= now - began - DAY <= LATE:
            return "the 24 hours are over that AWS lets a connection last"
        if expires and timedelta(0) <= now - expires <= LATE:
            return "its credentials have expired"
    return words(data.exception)


def is_bare_cut(data: mqtt5.LifecycleDisconnectData) -> bool:
    """Whether the link was closed under us, without a word."""
    return data.disconnect_packet is None and getattr(data.exception, "name", None) in BARE_CUTS
