"""What a broker says to a connection as a whole: that it may not be, or be no longer."""

from awscrt import mqtt5

from aws_iot.aws.iot.reason_codes import words
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, CredentialsRefused, NotAccepted, ServiceRefused, Unreachable

FINAL_CONNACKS = {
    mqtt5.ConnectReasonCode.NOT_AUTHORIZED,
    mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD,
    mqtt5.ConnectReasonCode.CLIENT_IDENTIFIER_NOT_VALID,
}
"""After these it would be refused again, however often it were tried."""


class Admission:
    """The broker's words in ours, for one identity, in a session of that name if it is a durable one."""

    def __init__(self, profile: Profile, identity: str, durable: str | None) -> None:
        self._profile = profile
        self._identity = identity
        self._durable = durable

    def refused(self, reason: int) -> AwsIotError:
        """A CONNACK with this reason code."""
        match reason:
            case mqtt5.ConnectReasonCode.NOT_AUTHORIZED:
                return self.not_accepted("not authorized to connect:")
            case mqtt5.ConnectReasonCode.BAD_USERNAME_OR_PASSWORD:
                return CredentialsRefused("the broker does not take the credentials")
            case mqtt5.ConnectReasonCode.SERVER_UNAVAILABLE | mqtt5.ConnectReasonCode.SERVER_BUSY:
                return Unreachable(f"the broker takes no connections at the moment: {words(reason)}")
            case _:
                return ServiceRefused(f"the broker refused the connection: {words(reason)}")

    def not_accepted(self, what: str) -> NotAccepted:
        """No admin has let the identity in; `what` is how that shows."""
        policy = "" if self._profile.policy_name else " --policy POLICY"
        command = f"aws-iot admin accept {self._identity}{policy} -k {self._profile.key}"
        return NotAccepted(
            f"{what} no admin has accepted the identity {self._identity} yet",
            hint=f"An admin accepts it with: {command}\nAWS takes 6 to 8 minutes to apply it.",
        )

    def taken_over(self) -> Unreachable:
        """Another connection has the same client id."""
        if not self._durable:
            return Unreachable("another program took over this connection's client id")
        return Unreachable(
            f"another program of the same name has taken over: {self._durable}",
            hint="Under a name one program listens at a time: give the other one a name of its own.",
        )
