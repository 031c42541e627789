"""What it means if the broker rejects a connection as a whole, or ends it for good."""

from awscrt import mqtt5

from aws_iot.aws.iot.reason_codes import describe
from aws_iot.config.profile import Profile
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    NotAccepted,
    ServiceRefused,
    TakenOver,
    Unreachable,
)
from aws_iot.messaging.connect import acceptance_hint

FINAL_CONNACKS = {
    mqtt5.ConnectReasonCode.NOT_AUTHORIZED,
    mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD,
    mqtt5.ConnectReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
}
"""The broker would reject another CONNECT for the same reason."""


def connack_refused(reason: int, profile: Profile, identity: str) -> AwsIotError:
    """What a CONNACK with a negative reason code means."""
    match reason:
        case mqtt5.ConnectReasonCode.NOT_AUTHORIZED:
            return not_accepted(profile, identity, "not authorized to connect:")
        case mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD:
            return CredentialsRefused("the broker rejected the credentials")
        case mqtt5.ConnectReasonCode.SERVER_UNAVAILABLE | mqtt5.ConnectReasonCode.SERVER_BUSY:
            return Unreachable(f"the broker accepts no connections at the moment: {describe(reason)}")
        case _:
            return ServiceRefused(f"the broker rejected the connection: {describe(reason)}")


def not_accepted(profile: Profile, identity: str, symptom: str) -> NotAccepted:
    """No admin has accepted the identity; `symptom` is how the broker shows that."""
    return NotAccepted(
        f"{symptom} no admin has accepted the identity {identity} yet",
        hint=acceptance_hint(profile, identity),
    )


def taken_over(durable: str | None) -> TakenOver:
    """Another connection uses the same client ID."""
    if not durable:
        return TakenOver("another program took over this connection's client ID")
    return TakenOver(
        f"another program took over the session '{durable}'",
        hint="Only one program can use a durable session. Use another --durable name.",
    )
