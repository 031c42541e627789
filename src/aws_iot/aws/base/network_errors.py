"""Network errors: why a service cannot be reached, as text for a person, whichever library failed."""

import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aws_iot.config.endpoint import is_loopback
from aws_iot.errors import WrongClock

CLOCK_TOLERANCE = timedelta(minutes=5)
"""AWS rejects signatures that are older or newer than this. Some services allow 15 minutes."""


def time_of(date_header: str | None) -> datetime | None:
    """The time in a `Date` header, in whole seconds; None if there is none."""
    try:
        theirs = parsedate_to_datetime(date_header) if date_header else None
    except ValueError:
        return None
    return theirs.replace(tzinfo=UTC) if theirs and theirs.tzinfo is None else theirs  # "-0000"


def clock_fault(date_header: str | None, now: datetime) -> WrongClock | None:
    """The error for a clock too far from a service's `Date` header for a valid signature; None if it is not."""
    theirs = time_of(date_header)
    if theirs is None or abs(now - theirs) <= CLOCK_TOLERANCE:
        return None
    minutes = round((now - theirs).total_seconds() / 60)
    return WrongClock(
        f"this machine's clock is {abs(minutes)} minutes {'fast' if minutes > 0 else 'slow'}: "
        f"it shows {now.astimezone(UTC):%H:%M} UTC, the service {theirs.astimezone(UTC):%H:%M} UTC",
        hint="Set the clock, then try again: AWS rejects signatures made at the wrong time.",
    )


def why_unreachable(error: BaseException | None) -> str:
    """The cause at the bottom of a chain of exceptions, as text."""
    while error is not None:
        for kind, text in _CAUSES:
            if isinstance(error, kind):
                detail = (
                    f" ({error.verify_message})" if isinstance(error, ssl.SSLCertVerificationError) else ""
                )
                return text + detail
        inner = getattr(error, "kwargs", {}).get("error") or getattr(error, "reason", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return "the connection failed"


def local_hint(host: str, error: BaseException) -> str | None:
    """What to do if nothing listens at an address of this machine."""
    if is_loopback(host.rpartition(":")[0] or host) and "nothing listens" in why_unreachable(error):
        return (
            "If the local stack ran there, it has lost its accounts, unless it was started with --keep.\n"
            "To start it again: aws-iot local"
        )
    return None


_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "host name not found (or no network)"),
    (ConnectionRefusedError, "the connection was refused: nothing listens there"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "it does not speak TLS as expected"),
    (TimeoutError, "no answer in time"),
    (ConnectionError, "the connection was cut"),
)
