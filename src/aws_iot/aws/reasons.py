"""What a broker's reason codes and awscrt's errors mean, in our errors and in words."""

from collections.abc import Sequence
from typing import Any

from awscrt import mqtt5

from aws_iot.errors import AwsIotError, ServiceRefused, TopicRefused

SOCKET_CLOSED = "AWS_IO_SOCKET_CLOSED"
ACK_TIMEOUT = "AWS_ERROR_MQTT_TIMEOUT"


def topic_refused(what: str) -> TopicRefused:
    """A policy said no to `what`, such as "publish to a/b"."""
    return TopicRefused(
        f"not authorized to {what}", hint="A policy refuses it: ask an admin which rooms are yours."
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
    "AWS_ERROR_MQTT_UNEXPECTED_HANGUP": "the connection was cut",
    ACK_TIMEOUT: "no answer in time",
    "AWS_ERROR_MQTT5_PING_RESPONSE_TIMEOUT": "keep-alive: the broker has not answered for a while",
    "AWS_ERROR_MQTT5_OPERATION_FAILED_DUE_TO_OFFLINE_QUEUE_POLICY": "there was no connection",
    "SERVER_SHUTTING_DOWN": "the broker is shutting down",
}


def words(reason: Any) -> str:
    """A reason code or an awscrt error as words: NOT_AUTHORIZED becomes "not authorized"."""
    name = getattr(reason, "name", None)
    if name in _PLAIN_WORDS:
        return _PLAIN_WORDS[name]
    if isinstance(name, str):
        return name.removeprefix("AWS_").removeprefix("ERROR_").removeprefix("IO_").replace("_", " ").lower()
    return f"reason {reason:#x}" if isinstance(reason, int) else str(reason)
