"""Answers that are not from AWS, such as a captive portal's: no call believes one, and the error says so."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aws_iot.app import App
from aws_iot.auth.session import RefreshToken, Session
from aws_iot.aws.admin.cloudformation import CloudFormationStack
from aws_iot.aws.base.admin_credentials import AccessKeys
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.aws.iot.diagnosis import diagnose
from aws_iot.aws.iot.signing import SignedUpgrade
from aws_iot.config.endpoint import Endpoint
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, Unreachable
from tests.fakes import FakeCloud
from tests.serving import serving

NOW = datetime.now(UTC)
SESSION = Session("alice", "id", "access", RefreshToken("alice", "refresh", None), NOW)
IDENTITY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
PAGE = b"<!doctype html><html><title>Free Wi-Fi</title><body>Please sign in</body></html>"
HTML = ("Content-Type", "text/html; charset=utf-8")
JSON = ("Content-Type", "application/json")
OF_AWS = (JSON, ("x-amzn-RequestId", "5b2f"))

Shape = tuple[int, tuple[tuple[str, str], ...], bytes]

SHAPES: dict[str, Shape] = {
    "a web page": (200, (HTML,), PAGE),
    "a web page with an error": (503, (HTML,), PAGE),
    "a forbidding web page": (403, (HTML,), PAGE),
    "a redirect": (302, (("Location", "http://portal.example/login?to=aws"),), b""),
    "a redirect that pretends": (307, (HTML, ("Location", "https://portal.example/")), PAGE),
    "nothing": (200, (), b""),
    "no content": (204, (), b""),
    "JSON of something else": (200, (JSON,), b'{"portal": true}'),
    "XML of something else": (200, (("Content-Type", "text/xml"),), b"<rss/>"),
    "authentication required": (511, (HTML,), PAGE),
    "a proxy that wants a password": (407, (HTML, ("Proxy-Authenticate", "Basic")), PAGE),
}
BROKEN: dict[str, Shape] = {
    "a list": (200, OF_AWS, b"[]"),
    "null": (200, OF_AWS, b"null"),
    "text": (200, OF_AWS, b'"ok"'),
    "half an object": (200, OF_AWS, b'{"UserConfirmed": tr'),
    "no text at all": (200, OF_AWS, b"\xff\xfe\x00"),
    "deep": (200, OF_AWS, b"[" * 100_000),
    "other types": (
        200,
        OF_AWS,
        b'{"UserConfirmed": [], "CodeDeliveryDetails": "x", "Credentials": 1,'
        b' "AuthenticationResult": "x", "IdentityId": {}}',
    ),
}


class Portal(ThreadingHTTPServer):
    """Answers every request in the same way."""

    daemon_threads = True
    shape: Shape = SHAPES["a web page"]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Portal

    def do_GET(self) -> None:
        status, headers, body = self.server.shape
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_DELETE = do_CONNECT = do_GET  # noqa: N815 names of http.server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name there
        pass


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    with serving(Portal(("127.0.0.1", 0), Handler)) as server:
        yield server


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> App:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOWNKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
    return App.in_folder(tmp_path_factory.mktemp("config"))


def profile_at(url: str) -> Profile:
    return FakeCloud().profile._replace(
        cognito_idp_url=url, cognito_identity_url=url, iot_url=url, iam_url=url
    )


def service(name: str, url: str) -> Service:
    keys = AccessKeys("AKIAOWNKEY", "own")
    return Service.signed(Address(name, "us-east-1", url), lambda: NOW, 5, keys)


Call = Callable[[App, str], object]
CALLS: dict[str, Call] = {
    "sign up": lambda app, url: app.auth.accounts(profile_at(url)).sign_up(
        "alice", "Secret-1", "a@b.example"
    ),
    "confirm": lambda app, url: app.auth.accounts(profile_at(url)).confirm("alice", "123456"),
    "resend": lambda app, url: app.auth.accounts(profile_at(url)).resend_code("alice"),
    "request a reset": lambda app, url: app.auth.accounts(profile_at(url)).request_reset("alice"),
    "reset": lambda app, url: app.auth.accounts(profile_at(url)).reset("alice", "123456", "Secret-1"),
    "sign in": lambda app, url: app.auth.accounts(profile_at(url)).sign_in("alice", "Secret-1"),
    "refresh": lambda app, url: app.auth.accounts(profile_at(url)).refresh(SESSION.refresh_token or _none()),
    "revoke": lambda app, url: app.auth.accounts(profile_at(url)).revoke(SESSION.refresh_token or _none()),
    "change a password": lambda app, url: (
        app.auth.accounts(profile_at(url)).of(SESSION).change_password("a", "b")
    ),
    "delete": lambda app, url: app.auth.accounts(profile_at(url)).of(SESSION).delete(),
    "sign out": lambda app, url: app.auth.accounts(profile_at(url)).of(SESSION).sign_out_everywhere(),
    "factors": lambda app, url: app.auth.accounts(profile_at(url)).of(SESSION).second_factors(),
    "authenticator": lambda app, url: app.auth.accounts(profile_at(url)).of(SESSION).new_authenticator(),
    "identify": lambda app, url: app.auth.issuer(profile_at(url)).identify(SESSION),
    "credentials": lambda app, url: app.auth.issuer(profile_at(url)).issue(SESSION, IDENTITY),
    "accept": lambda app, url: app.admin.members(profile_at(url), None).accept(IDENTITY, "team"),
    "members": lambda app, url: app.admin.members(profile_at(url), None).accepted("team"),
    "stack": lambda _, url: CloudFormationStack(service("cloudformation", url), "chat").state(),
    "IAM": lambda _, url: service("iam", url).call("get_role", {}, RoleName="a"),
    "STS": lambda _, url: service("sts", url).call("get_caller_identity", {})["Account"],
}
NEEDS_FIELDS = ("sign up", "refresh", "credentials", "authenticator", "sign in")


def _none() -> RefreshToken:
    raise AssertionError


@pytest.mark.parametrize("call", CALLS)
def test_no_call_believes_a_captive_portal(portal: Portal, app: App, call: str) -> None:
    for name in ("a web page", "nothing"):
        portal.shape = SHAPES[name]
        check_reported(lambda: CALLS[call](app, portal.url), portal.shape)


@pytest.mark.parametrize("call", ["confirm", "accept", "STS"])  # one for each of AWS's protocols
def test_nothing_else_is_taken_for_the_answer_of_the_service(portal: Portal, app: App, call: str) -> None:
    for shape in SHAPES.values():
        portal.shape = shape
        check_reported(lambda: CALLS[call](app, portal.url), shape)


def check_reported(call: Callable[[], object], shape: Shape) -> None:
    """The error says what answered, and what to do."""
    with pytest.raises(Unreachable) as caught:
        call()
    assert f"the answer is not from AWS (HTTP {shape[0]}, " in str(caught.value)
    assert "Please sign in" not in str(caught.value)
    assert "open any web page" in (caught.value.hint or "")


@pytest.mark.parametrize("call", ["sign up", "credentials", "delete", "accept"])
def test_a_damaged_answer_is_an_error_of_the_service(portal: Portal, app: App, call: str) -> None:
    for name, shape in BROKEN.items():
        portal.shape = shape
        if name == "other types" and call in ("delete", "accept"):
            continue
        with pytest.raises(AwsIotError) as caught:
            CALLS[call](app, portal.url)
        assert caught.value.exit_code == Unreachable.exit_code, name


@pytest.mark.parametrize("call", NEEDS_FIELDS)
def test_an_answer_that_lacks_what_is_needed_is_an_error_of_the_service(
    portal: Portal, app: App, call: str
) -> None:
    for body in (b"{}", b'{"AuthenticationResult": {}, "Credentials": {}, "ChallengeName": "NEW"}'):
        portal.shape = (200, OF_AWS, body)
        with pytest.raises(AwsIotError):
            CALLS[call](app, portal.url)


@pytest.mark.parametrize("name", [name for name, (status, *_) in SHAPES.items() if status != 407])
def test_the_broker_is_not_blamed_for_the_answer_of_something_else(portal: Portal, name: str) -> None:
    portal.shape = SHAPES[name]
    request = SignedUpgrade("/mqtt", (("Host", "127.0.0.1"),), NOW, NOW)
    error = diagnose(
        Endpoint.parse(portal.url.replace("http", "ws") + "/mqtt"), None, request, lambda: NOW, 5
    )
    assert isinstance(error, Unreachable)
    assert f"the answer is not from AWS (HTTP {portal.shape[0]}" in str(error)


def test_a_websocket_of_something_else_is_not_taken_for_the_broker(portal: Portal) -> None:
    portal.shape = (101, (("Upgrade", "websocket"), ("Connection", "Upgrade")), b"")
    request = SignedUpgrade("/mqtt", (("Host", "127.0.0.1"),), NOW, NOW)
    error = diagnose(
        Endpoint.parse(portal.url.replace("http", "ws") + "/mqtt"), None, request, lambda: NOW, 5
    )
    assert "its WebSocket does not speak MQTT" in str(error)


@pytest.mark.parametrize(
    ("status", "words", "hint"),
    [
        (302, "the proxy opens no tunnel (HTTP 302)", "open any web page"),
        (511, "the proxy opens no tunnel (HTTP 511)", "open any web page"),
        (403, "the proxy does not allow that host (HTTP 403)", "NO_PROXY"),
        (407, "the proxy asks for a user name and password (HTTP 407)", "HTTPS_PROXY: http://NAME:PASSWORD@"),
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_named(
    portal: Portal, monkeypatch: pytest.MonkeyPatch, status: int, words: str, hint: str
) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, portal.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    portal.shape = (status, (HTML,), PAGE)
    aws = Service.unsigned(Address("cognito-idp", "us-east-1"), lambda: NOW, 5)
    with pytest.raises(Unreachable) as caught:
        aws.call("forget_device", {}, once=True, DeviceKey="a")
    assert words in str(caught.value)
    assert hint in (caught.value.hint or "")
