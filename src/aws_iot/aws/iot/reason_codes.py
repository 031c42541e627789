"""What MQTT reason codes and awscrt's errors mean: in plain English, and as our errors."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from awscrt import mqtt5

from aws_iot.aws.iot.link.refusal_detector import topic_refused
from aws_iot.errors import AwsIotError, LimitReached, ServiceRefused

CUT_ERRORS = {
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
"""awscrt's names for a connection that just ends. Which name it is does not tell who ended it, or how."""

NOT_OUR_FAULT = {
    mqtt5.DisconnectReasonCode.SERVER_SHUTTING_DOWN,
    mqtt5.DisconnectReasonCode.SERVER_BUSY,
    mqtt5.DisconnectReasonCode.KEEP_ALIVE_TIMEOUT,
    mqtt5.DisconnectReasonCode.ADMINISTRATIVE_ACTION,
    mqtt5.DisconnectReasonCode.CONNECTION_RATE_EXCEEDED,
}
"""After a DISCONNECT with one of these no request of ours is suspected."""

_INVALID_PACKET = "AWS_ERROR_MQTT5_PACKET_VALIDATION"
_AROUND_PAYLOAD = 1024
"""The topic and properties of a message are shorter: a topic has at most 256 bytes, a user name 128 characters."""


# -- acknowledgements


def subscribe_refused(filters: Sequence[str], reasons: Sequence[int | None]) -> AwsIotError | None:
    """Why the broker rejected the first filter that it did not grant; None if it granted all."""
    for topic_filter, reason in zip(filters, reasons, strict=True):
        if reason == mqtt5.SubackReasonCode.NOT_AUTHORIZED:
            return topic_refused(f"subscribe to {topic_filter}")
        if _is_negative(reason):
            return ServiceRefused(
                f"the broker rejected the subscription to {topic_filter}: {describe(reason)}"
            )
    return None


def unsubscribe_refused(filters: Sequence[str], reasons: Sequence[int | None]) -> AwsIotError | None:
    """Why the broker has not unsubscribed us from the first filter that it rejected; None if it rejected none."""
    for topic_filter, reason in zip(filters, reasons, strict=False):
        if _is_negative(reason):
            return ServiceRefused(
                f"the broker has not unsubscribed us from {topic_filter}: {describe(reason)}"
            )
    return None


def publish_refused(packet: mqtt5.PublishPacket, reason: int | None) -> AwsIotError | None:
    """Why the broker rejected a message; None if it accepted it. `reason` is that of its PUBACK."""
    if reason == 0:  # SUCCESS, in by far the most cases
        return None
    if reason == mqtt5.PubackReasonCode.NOT_AUTHORIZED:
        refused: AwsIotError = topic_refused(f"publish to {packet.topic}")
        if packet.retain:
            refused.hint = "--retain also needs iot:RetainPublish. Ask an admin."
        return refused
    if reason == mqtt5.PubackReasonCode.QUOTA_EXCEEDED:
        return LimitReached(
            "the broker rejected the message: a limit of the account or connection is reached"
        )
    if _is_negative(reason):
        return ServiceRefused(f"the broker rejected the message: {describe(reason)}")
    return None


def not_sent(packet: mqtt5.PublishPacket, failure: BaseException, largest: int | None) -> ServiceRefused:
    """Why awscrt has not sent a message. `largest` is the size of a packet that the broker accepts, in bytes."""
    payload = len(packet.payload or b"")
    if largest and payload <= largest < payload + _AROUND_PAYLOAD and name_of(failure) == _INVALID_PACKET:
        return ServiceRefused(
            f"the message is {payload:,} bytes, which leaves no room for its topic, ID, time and name:"
            f" the broker accepts {largest:,} in all"
        )
    return ServiceRefused(f"it was not sent: {describe(failure)}")


def _is_negative(reason: int | None) -> bool:
    """Whether a reason code means failure; None stands for one that awscrt does not know."""
    return reason is None or reason >= 0x80


# -- plain English

PING_TIMEOUT = "AWS_ERROR_MQTT5_PING_RESPONSE_TIMEOUT"
"""awscrt's name for a broker that has not answered a PINGREQ: half of the keep-alive has passed since."""

_DESCRIPTIONS = dict.fromkeys(CUT_ERRORS, "the connection was cut") | {
    "AWS_ERROR_MQTT_TIMEOUT": "no answer in time",
    PING_TIMEOUT: "the broker no longer answers",
    "AWS_IO_SOCKET_TIMEOUT": "no answer in time",
    "AWS_IO_SOCKET_CONNECTION_REFUSED": "the connection was refused: nothing listens there",
    "AWS_IO_SOCKET_NO_ROUTE_TO_HOST": "no network reaches the broker",
    "AWS_IO_SOCKET_NETWORK_DOWN": "there is no network",
    "AWS_IO_DNS_QUERY_FAILED": "host name not found (or no network)",
    "AWS_IO_DNS_INVALID_NAME": "host name not found (or no network)",
    "AWS_ERROR_MQTT5_OPERATION_FAILED_DUE_TO_OFFLINE_QUEUE_POLICY": "there was no connection",
    "AWS_ERROR_MQTT5_CONNACK_TIMEOUT": "no answer in time",
    "SERVER_SHUTTING_DOWN": "the broker restarts",
    "KEEP_ALIVE_TIMEOUT": "keep-alive: the broker has not heard from us for a while",
    "ADMINISTRATIVE_ACTION": "an administrator ended the connection",
    "QUOTA_EXCEEDED": "a limit of the account or connection is reached",
    "MESSAGE_RATE_TOO_HIGH": "a limit of the account or connection is reached",
    "RECEIVE_MAXIMUM_EXCEEDED": "too many messages were unacknowledged",
    "SERVER_BUSY": "the broker is busy",
}


def name_of(reason: Any) -> str:
    """The name of a reason code or error, as MQTT or awscrt has it."""
    return str(getattr(reason, "name", None) or reason or "no answer")


def describe(reason: Any) -> str:
    """A reason code or an error of awscrt in plain English: NOT_AUTHORIZED becomes "not authorized"."""
    name = getattr(reason, "name", None)
    if name in _DESCRIPTIONS:
        return _DESCRIPTIONS[name]
    if isinstance(name, str):
        return name.removeprefix("AWS_").removeprefix("ERROR_").removeprefix("IO_").replace("_", " ").lower()
    return f"reason {reason:#x}" if isinstance(reason, int) else str(reason)


# -- lost connections

DAY = timedelta(hours=24)
"""AWS IoT Core ends every WebSocket after it: docs.aws.amazon.com/general/latest/gr/iot-core.html"""

DAY_LATE = timedelta(minutes=5)
CREDENTIALS_LATE = timedelta(seconds=15)
"""How much later than expected such an end may come. The shorter the lifetime, the less likely is a coincidence."""


def may_be_refusal(data: mqtt5.LifecycleDisconnectData) -> bool:
    """Whether a request of ours can be the reason why the connection has ended."""
    if data.disconnect_packet is None:
        return is_cut(data.exception)
    return data.disconnect_packet.reason_code not in NOT_OUR_FAULT


def is_cut(failure: BaseException | None) -> bool:
    """Whether the connection was closed without a DISCONNECT or an error of the network."""
    return getattr(failure, "name", None) in CUT_ERRORS


def why_lost(
    data: mqtt5.LifecycleDisconnectData, began: datetime, expires: datetime | None, now: datetime
) -> str:
    """Why a connection was lost that began at `began`, with credentials that expire at `expires`.

    If the broker closes it without a reason, only the clock tells that its lifetime is over.
    """
    if data.disconnect_packet:
        return describe(data.disconnect_packet.reason_code)
    if is_cut(data.exception):
        if timedelta(0) <= now - began - DAY <= DAY_LATE:
            return "the 24 hours are over that AWS lets a connection last"
        if expires and timedelta(0) <= now - expires <= CREDENTIALS_LATE:
            return "its credentials have expired"
    return describe(data.exception)
