"""What a broker's reason codes and awscrt's errors mean, in our errors and in words."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from awscrt import mqtt5

from aws_iot.errors import AwsIotError, LimitReached, ServiceRefused, TopicRefused

BARE_CUTS = {
    "AWS_ERROR_HTTP_CONNECTION_CLOSED",
    "AWS_ERROR_HTTP_WEBSOCKET_CLOSE_FRAME_SENT",
    "AWS_ERROR_MQTT_UNEXPECTED_HANGUP",
    "AWS_IO_BROKEN_PIPE",
    "AWS_IO_SOCKET_CLOSED",
    "AWS_IO_TLS_ALERT_NOT_GRACEFUL",
    "AWS_IO_TLS_CLOSED_ABORT",
    "AWS_IO_TLS_CLOSED_GRACEFUL",
    "AWS_IO_TLS_ERROR_READ_FAILURE",
    "AWS_IO_TLS_ERROR_WRITE_FAILURE",
}
"""How awscrt calls it when a link just ends. Which one it is says nothing of who ended it, nor of how."""


def topic_refused(what: str) -> TopicRefused:
    """A policy said no to `what`, such as "publish to a/b"."""
    return TopicRefused(
        f"not authorized to {what}",
        hint="A policy refuses it: name a room that is yours with -r, or ask an admin which are.",
    )


def refused_by_cuts(what: str, reason: int | None) -> AwsIotError:
    """The broker ends the link over `what` again and again, with that reason or without a word."""
    if reason is not None:
        return ServiceRefused(f"the broker ends the connection over each attempt to {what}: {words(reason)}")
    return TopicRefused(
        f"not authorized to {what}: the broker closes the connection over it each time",
        hint="So it does where a policy refuses it: name a room that is yours with -r, or ask an admin which are.",
    )


def check_granted(filters: Sequence[str], suback: mqtt5.SubackPacket) -> None:
    """Raises `TopicRefused` or `ServiceRefused` for the first filter that the broker did not grant."""
    for topic_filter, reason in zip(filters, suback.reason_codes, strict=True):
        if reason == mqtt5.SubackReasonCode.NOT_AUTHORIZED:
            raise topic_refused(f"subscribe to {topic_filter}")
        if is_negative(reason):
            raise ServiceRefused(f"the broker did not grant {topic_filter}: {words(reason)}")


def publication_refused(packet: mqtt5.PublishPacket, puback: mqtt5.PubackPacket) -> AwsIotError | None:
    """Why the broker did not take a publication; None if it did."""
    reason = puback.reason_code
    if reason == mqtt5.PubackReasonCode.SUCCESS:
        return None
    if reason == mqtt5.PubackReasonCode.NOT_AUTHORIZED:
        refused = topic_refused(f"publish to {packet.topic}")
        if packet.retain:
            refused.hint = "Retaining takes iot:RetainPublish besides iot:Publish: ask an admin for it."
        return refused
    if reason == mqtt5.PubackReasonCode.QUOTA_EXCEEDED:
        return LimitReached(
            "the broker did not take the message: a limit of the account or connection is reached"
        )
    if is_negative(reason):
        return ServiceRefused(f"the broker did not take the message: {words(reason)}")
    return None


def not_sent(packet: mqtt5.PublishPacket, failure: BaseException, largest: int | None) -> ServiceRefused:
    """Why a publication did not leave; `largest` is how many bytes of a packet the broker takes."""
    payload = len(packet.payload or b"")
    if largest and payload <= largest < payload + _AROUND_PAYLOAD and name_of(failure) == _INVALID:
        return ServiceRefused(
            f"the message is {payload:,} bytes, and has no room for what travels with it (topic, id, time, name):"
            f" the broker takes {largest:,} in all"
        )
    return ServiceRefused(f"it was not sent: {words(failure)}")


_INVALID = "AWS_ERROR_MQTT5_PACKET_VALIDATION"
_AROUND_PAYLOAD = 1024
"""Topic and properties of ours take less: a topic 256 bytes, a user name 128 characters."""


def is_negative(reason: int | None) -> bool:
    """Whether a reason code says no; None is one that awscrt does not know."""
    return reason is None or reason >= 0x80


_PLAIN_WORDS = dict.fromkeys(BARE_CUTS, "the connection was cut") | {
    "AWS_ERROR_MQTT_TIMEOUT": "no answer in time",
    "AWS_ERROR_MQTT5_PING_RESPONSE_TIMEOUT": "keep-alive: the broker has not answered for a while",
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


def name_of(reason: Any) -> str:
    """What awscrt or MQTT itself calls it."""
    return str(getattr(reason, "name", None) or reason or "no answer")


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

DAY_LATE = timedelta(minutes=5)
CREDENTIALS_LATE = timedelta(seconds=15)
"""So much later than the clock says an end may come and still be that one; the shorter the life, the less by chance."""


def why_lost(
    data: mqtt5.LifecycleDisconnectData, began: datetime, expires: datetime | None, now: datetime
) -> str:
    """Why a link is gone that began then, with credentials that ended (or end) at `expires`.

    A broker that closes the link without a word does so for a reason that only the clock tells.
    """
    if data.disconnect_packet:
        return words(data.disconnect_packet.reason_code)
    if is_bare_cut(data):
        if timedelta(0) <= now - began - DAY <= DAY_LATE:
            return "the 24 hours are over that AWS lets a connection last"
        if expires and timedelta(0) <= now - expires <= CREDENTIALS_LATE:
            return "its credentials have expired"
    return words(data.exception)


def is_bare_cut(data: mqtt5.LifecycleDisconnectData) -> bool:
    """Whether the link was closed under us, without a word."""
    return data.disconnect_packet is None and getattr(data.exception, "name", None) in BARE_CUTS


def may_be_over_a_request(data: mqtt5.LifecycleDisconnectData) -> bool:
    """Whether the link can have ended because of what we sent."""
    if data.disconnect_packet is None:
        return is_bare_cut(data)
    return data.disconnect_packet.reason_code not in _OVER_NO_REQUEST


_OVER_NO_REQUEST = {
    mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN,
    mqtt5.DisconnectReasonCode.SERVER_BUSY,
    mqtt5.DisconnectReasonCode.KEEP_ALIVE_TIMEOUT,
    mqtt5.DisconnectReasonCode.ADMINISTRATIVE_ACTION,
    mqtt5.DisconnectReasonCode.CONNECTION_RATE_EXCEEDED,
}
