"""Network errors: why a service cannot be reached, as text for a person, whichever library failed."""

import http.client
import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from aws_iot.config.endpoint import is_loopback
from aws_iot.errors import WrongClock

MAX_SHOWN = 100
"""Characters of an address that are shown."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""AWS rejects signatures that are older or newer than this. Some services allow 15 minutes."""


class ForeignAnswer(Exception):
    """Something else than the service answered an HTTP request."""

    def __init__(self, status: int, content_type: str | None, location: str | None, is_empty: bool) -> None:
        self.status = status
        what = "an empty body" if is_empty else (content_type or "").partition(";")[0] or "no content type"
        if 300 <= status < 400 and location:
            what = f"a redirect to {location[:MAX_SHOWN]}"
        super().__init__(f"the answer is not from AWS (HTTP {status}, {what})")


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
    off, kind = now - theirs, "%F %H:%M" if now.date() != theirs.date() else "%H:%M"
    return WrongClock(
        f"this machine's clock is {_in_words(abs(off))} {'fast' if off > timedelta() else 'slow'}: "
        f"it shows {now.astimezone(UTC):{kind}} UTC, the service {theirs.astimezone(UTC):{kind}} UTC",
        hint="Set the clock, then try again: AWS rejects signatures made at the wrong time.",
    )


def _in_words(time: timedelta) -> str:
    """About how long, in the largest unit of which it has two."""
    seconds = time.total_seconds()
    unit = next((unit for unit in _UNITS if seconds >= 2 * _UNITS[unit]), "minutes")
    return f"{round(seconds / _UNITS[unit])} {unit}"


_UNITS = {"years": 365.25 * 86_400, "days": 86_400, "hours": 3600, "minutes": 60}


def why_unreachable(error: BaseException | None) -> str:
    """The cause at the bottom of a chain of exceptions, as text."""
    cause = _cause(error)
    if isinstance(cause, ForeignAnswer):
        return str(cause)
    if status := _tunnel_refused(cause):
        return f"{_NO_TUNNEL.get(status, 'the proxy opens no tunnel')} (HTTP {status})"
    text = next((text for kind, text in _CAUSES if isinstance(cause, kind)), "the connection failed")
    if isinstance(cause, ssl.SSLCertVerificationError):
        text += f" ({cause.verify_message})"
        if _is_out_of_date(cause):  # the clock is as likely to be wrong
            text += f", and this machine's clock shows {datetime.now(UTC):%F}"
    return text


def unreachable_hint(host: str, error: BaseException) -> str | None:
    """What to do about the cause, if it is one that a person can do something about."""
    cause = _cause(error)
    if isinstance(cause, ForeignAnswer):
        return FOREIGN_HINT
    if status := _tunnel_refused(cause):
        return _NO_TUNNEL_HINTS.get(status, FOREIGN_HINT)
    if _is_out_of_date(cause):
        return "Is that today? If not, set the clock: certificates are valid for a time only."
    if isinstance(cause, ConnectionRefusedError) and is_loopback(host.rpartition(":")[0] or host):
        return (
            "If the local stack ran there, it has lost its accounts, unless it was started with --keep.\n"
            "To start it again: aws-iot local"
        )
    return None


def _is_out_of_date(cause: BaseException | None) -> bool:
    """Whether it is a certificate that is not valid yet, or no longer: X509_V_ERR_CERT_… in `openssl verify`."""
    return isinstance(cause, ssl.SSLCertVerificationError) and getattr(cause, "verify_code", 0) in (9, 10)


def _cause(error: BaseException | None) -> BaseException | None:
    """The first exception in a chain that says what happened; None if none does."""
    known: tuple[type[BaseException], ...] = (ForeignAnswer, *(kind for kind, _ in _CAUSES))
    while error is not None and not isinstance(error, known) and not _tunnel_refused(error):
        # botocore's, and urllib3's
        inner = getattr(error, "kwargs", {}).get("error") or getattr(error, "reason", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
    return error


def _tunnel_refused(error: BaseException | None) -> int | None:
    """The HTTP status of a proxy that does not connect to the host, as `http.client` reports it."""
    found = (
        re.search(r"Tunnel connection failed: (\d{3})", str(error)) if isinstance(error, OSError) else None
    )
    return int(found[1]) if found else None


_NO_TUNNEL = {
    403: "the proxy does not allow that host",
    407: "the proxy asks for a user name and password",
}
_NO_TUNNEL_HINTS = {
    403: "Ask who runs the proxy, or exempt the host from it in NO_PROXY.",
    407: "Put them into HTTPS_PROXY: http://NAME:PASSWORD@proxy.example:3128",
}

FOREIGN_HINT = (
    "If this network wants you to sign in first, open any web page in a browser.\n"
    "If not, check HTTPS_PROXY and, in the profile, the address of the service."
)

_CAUSES: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "host name not found (or no network)"),
    (ConnectionRefusedError, "the connection was refused: nothing listens there"),
    (ssl.SSLCertVerificationError, "its certificate is not trusted"),
    (ssl.SSLError, "it does not speak TLS as expected"),
    (TimeoutError, "no answer in time"),
    (ConnectionError, "the connection was cut"),
    (http.client.HTTPException, "its answer is not HTTP"),
)
