"""A wrong clock is named as the cause, in words and dates that a person understands."""

import ssl
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.aws.base.network_errors import clock_fault
from aws_iot.aws.iot.diagnosis import diagnose
from aws_iot.config.endpoint import Endpoint
from aws_iot.errors import Unreachable
from tests.serving import serving

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
TODAY = datetime.now(UTC)


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (timedelta(minutes=6), "6 minutes fast: it shows 03:10 UTC, the service 03:04 UTC"),
        (-timedelta(minutes=119), "119 minutes slow: it shows 01:05 UTC, the service 03:04 UTC"),
        (timedelta(hours=3), "3 hours fast: it shows 06:04 UTC"),
        (
            -timedelta(hours=4),
            "4 hours slow: it shows 2026-01-01 23:04 UTC, the service 2026-01-02 03:04 UTC",
        ),
        (timedelta(days=1), "24 hours fast: it shows 2026-01-03 03:04 UTC"),
        (timedelta(days=400), "400 days fast"),
        (-timedelta(days=3653), "10 years slow: it shows 2016-01-02 03:04 UTC"),
        (datetime(1970, 1, 1, tzinfo=UTC) - NOW, "56 years slow: it shows 1970-01-01 00:00 UTC"),
        (datetime(9999, 1, 1, tzinfo=UTC) - NOW, "7973 years fast: it shows 9999-01-01 00:00 UTC"),
    ],
)
def test_the_error_says_how_wrong_the_clock_is(off: timedelta, words: str) -> None:
    fault = clock_fault(format_datetime(NOW), NOW + off)
    assert fault
    assert words in str(fault)


class Handler(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name there
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing if the client hangs up."""


@pytest.fixture(params=[-3650, 3650], ids=["expired", "not yet valid"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A server with a certificate of another year."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    begin = TODAY + timedelta(days=request.param)
    certificate = authority.issue_cert("127.0.0.1", not_before=begin, not_after=begin + timedelta(days=90))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield f"127.0.0.1:{server.server_port}"


def test_a_certificate_of_another_year_names_the_clock(host: str, tmp_path: Path) -> None:
    address = Address("cognito-idp", "us-east-1", f"https://{host}", str(tmp_path / "ca.pem"))
    with pytest.raises(Unreachable) as caught:
        Service.unsigned(address, lambda: TODAY, 5).call(
            "confirm_sign_up", {}, ClientId="a", Username="a", ConfirmationCode="1", once=True
        )
    check(caught.value)


def test_the_broker_s_certificate_of_another_year_names_the_clock(host: str, tmp_path: Path) -> None:
    endpoint = Endpoint.parse(f"wss://{host}/mqtt")
    error = diagnose(endpoint, str(tmp_path / "ca.pem"), None, lambda: TODAY, 5)
    assert error
    check(error)


def check(error: Exception) -> None:
    assert f"and this machine's clock shows {datetime.now(UTC):%F}" in str(error)
    assert "set the clock" in str(getattr(error, "hint", ""))


def test_warnings_of_libraries_are_not_shown() -> None:
    """urllib3 warns about a clock that is years slow, for example."""
    warns = "import atexit, sys, warnings; atexit.register(warnings.warn, 'the clock', Warning); "
    main = "from aws_iot.cli import main; sys.argv = ['aws-iot', '-V']; main()"
    plain, asked = (
        subprocess.run(
            [sys.executable, *options, "-c", warns + main], capture_output=True, text=True, check=True
        )
        for options in ([], ["-W", "default"])
    )
    assert plain.stderr == ""
    assert "the clock" in asked.stderr
