"""MQTT through the proxy of the environment: to a host that only the proxy knows, so there is no other way."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from aws_iot.auth.credentials import Credentials
from aws_iot.aws.iot.connection import IotCoreConnection
from aws_iot.config.endpoint import Endpoint
from aws_iot.errors import Unreachable
from aws_iot.messaging.connection import Lost, Publication, Restored
from tests.connect_proxy import ConnectProxy
from tests.fakes import FakeCloud
from tests.scripted_broker import Kind, ScriptedBroker
from tests.waiting import DEADLINE_SECONDS

BROKER = "broker.test"
IDENTITY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"


@pytest.fixture
def authority(tmp_path: Path) -> trustme.CA:
    """The authority that certifies the broker and the proxy. Its certificate is in `tmp_path`."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return authority


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Without the proxy settings of this machine."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


def server_side(authority: trustme.CA, host: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(host).configure_cert(context)
    return context


@contextmanager
def connected(url: str, ca: Path) -> Iterator[IotCoreConnection]:
    profile = FakeCloud().profile._replace(endpoint=Endpoint.parse(url), ca_bundle=str(ca / "ca.pem"))
    keys = Credentials(IDENTITY, "ASIA", "secret", "token", datetime.now(UTC) + timedelta(hours=1))
    connection = IotCoreConnection.open(
        profile, IDENTITY, lambda: keys, lambda: datetime.now(UTC), DEADLINE_SECONDS
    )
    try:
        yield connection
    finally:
        connection.close()


@pytest.mark.parametrize("password", [None, "somebody:s3cr:et/ä"])
@pytest.mark.parametrize("to_proxy", ["http", "https"])
def test_messages_go_through_it_and_come_back_after_a_cut(
    environment: pytest.MonkeyPatch,
    authority: trustme.CA,
    tmp_path: Path,
    password: str | None,
    to_proxy: str,
) -> None:
    tls = server_side(authority, "127.0.0.1") if to_proxy == "https" else None
    with (
        ScriptedBroker(tls=server_side(authority, BROKER)) as broker,
        ConnectProxy({BROKER: broker.endpoint.port}, password, tls=tls) as proxy,
    ):
        login = "somebody:s3cr%3Aet%2F%C3%A4@" if password else ""
        environment.setenv("HTTPS_PROXY", f"{to_proxy}://{login}127.0.0.1:{proxy.port}")
        with connected(f"wss://{BROKER}/mqtt", tmp_path) as connection:
            connection.publish(Publication("a/b/c", b"x"))
            broker.cut()
            assert isinstance(connection.receive(DEADLINE_SECONDS), Lost)
            assert isinstance(connection.receive(DEADLINE_SECONDS), Restored)
            connection.publish(Publication("a/b/c", b"x"))
        assert len(broker.of(Kind.PUBLISH)) == 2
        assert proxy.asked == [f"{BROKER}:443"] * 2


@pytest.mark.parametrize(
    ("status", "words"), [(403, "does not allow"), (407, "user name and password"), (502, "HTTP 502")]
)
def test_a_proxy_that_opens_no_tunnel_is_explained(
    environment: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path, status: int, words: str
) -> None:
    with ConnectProxy({}, refusal=status) as proxy:
        environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        with (
            pytest.raises(Unreachable, match=f"through the proxy 127.0.0.1:{proxy.port}: .*{words}"),
            connected(f"wss://{BROKER}/mqtt", tmp_path),
        ):
            pass


def test_a_wrong_proxy_password_is_not_shown(
    environment: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path
) -> None:
    with ConnectProxy({}, "somebody:right") as proxy:
        environment.setenv("HTTPS_PROXY", f"http://somebody:wr0ng@127.0.0.1:{proxy.port}")
        with (
            pytest.raises(Unreachable, match="password") as refused,
            connected(f"wss://{BROKER}/mqtt", tmp_path),
        ):
            pass
    assert "HTTPS_PROXY" in (refused.value.hint or "")
    assert "wr0ng" not in f"{refused.value}{refused.value.hint}"


def test_a_host_that_is_exempted_is_not_asked_for_there(
    environment: pytest.MonkeyPatch, authority: trustme.CA, tmp_path: Path
) -> None:
    with ConnectProxy({}) as proxy:
        environment.setenv("HTTPS_PROXY", f"http://127.0.0.1:{proxy.port}")
        environment.setenv("NO_PROXY", ".test")
        with (
            pytest.raises(Unreachable, match="host name not found"),
            connected(f"wss://{BROKER}/mqtt", tmp_path),
        ):
            pass
        assert proxy.asked == []
