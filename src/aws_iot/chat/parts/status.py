"""What an error of the connection means for the person: what happened, and what to do about it."""

from aws_iot.chat.model.state import Link, Status
from aws_iot.errors import (
    AccountReplaced,
    AwsIotError,
    LocalError,
    NotAccepted,
    NotAuthorized,
    SignInRefused,
    StackNotRunning,
    TakenOver,
    WrongClock,
)
from aws_iot.messaging.connection import Lost


def status_of(error: AwsIotError, key: str) -> Status:
    """The status after an error that has ended the connection, or prevented one. `key` is that of the profile."""
    hint = error.hint or ""
    if isinstance(error, NotAccepted):
        return Status(Link.NOT_ACCEPTED, "no admin has accepted you yet", hint)
    if isinstance(error, SignInRefused):
        return Status(Link.SIGNED_OUT, str(error), hint or f"In another terminal: aws-iot login -k {key}")
    if isinstance(error, WrongClock):
        return Status(Link.WRONG_CLOCK, str(error), hint or "Set the clock of this machine.")
    if isinstance(error, TakenOver):
        return Status(Link.TAKEN_OVER, str(error), hint or "The chat connects again under another ID.")
    if isinstance(error, AccountReplaced):
        return Status(Link.REJECTED, str(error), "Quit the chat (/quit), and start it again.")
    if isinstance(error, NotAuthorized | LocalError):
        return Status(Link.REJECTED, str(error), hint or f"To find out why: aws-iot doctor -k {key}")
    if isinstance(error, StackNotRunning):
        return Status(Link.OFFLINE, str(error), hint)
    return Status(Link.OFFLINE, str(error), hint or f"To find out why: aws-iot doctor -k {key}")


def status_of_loss(lost: Lost) -> Status:
    """The status while a lost connection is being restored."""
    return Status(Link.LOST, f"connection lost: {lost.cause}")
