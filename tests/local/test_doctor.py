"""Each problem that `doctor` knows is produced with the real services; it must name exactly that problem."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest
import trustme

from aws_iot.config.endpoint import Endpoint
from aws_iot.config.profile import Profile
from tests.cognito_proxy import Forward, Reply, cognito_proxy, refused
from tests.conftest import CommandLine
from tests.connect_proxy import ConnectProxy
from tests.fault_proxy import FaultProxy
from tests.processes import PASSWORD, Person, Stack, end_soon
from tests.scripted_broker import (
    NOT_AUTHORIZED,
    Kind,
    Packet,
    Script,
    ScriptedBroker,
    agreeable,
    connack,
    disconnect,
    puback,
    suback,
)
from tests.serving import serving
from tests.waiting import BRIEF_SECONDS

STEPS = [
    "profile",
    "names",
    "proxy",
    "tls",
    "clock",
    "user-pool",
    "sign-in",
    "identity-pool",
    "credentials",
    "upgrade",
    "connect",
    "subscribe",
    "publish",
    "echo",
]
BRIEFLY = f"--timeout {BRIEF_SECONDS:g}"
IDENTITY_POOL = "us-east-1:00000000-0000-0000-0000-000000000000"


@pytest.fixture
def signed_in(real: CommandLine, stack: Stack, person: Person) -> CommandLine:
    """The same, where the member's session is saved: for problems with the broker."""
    profile, session = real.app.config.profiles.load("default"), stack.sign_in(person.username)
    real.app.auth.sessions.save(profile, session, real.app.auth.issuer(profile).issue(session))
    return real


def change(command: CommandLine, **changes: Any) -> Profile:
    """Change fields of the profile; returns the profile before."""
    profile = command.app.config.profiles.load("default")
    command.app.config.profiles.change("default", lambda _: profile._replace(**changes))
    return profile


def examine(command: CommandLine, options: str = "", *, ends: int = 0, **more: Any) -> list[dict[str, Any]]:
    """The objects that `doctor --json` prints, one per step."""
    printed = command(f"doctor --json {options}", ends=ends, **more).stdout
    found = [json.loads(line) for line in printed.splitlines()]
    assert [step["step"] for step in found] == STEPS
    return found


def check_cause(
    command: CommandLine, step: str, words: str, code: int, options: str = "", **more: Any
) -> str:
    """Check that `doctor` fails at this step, with these words and this exit code; the advice."""
    found = examine(command, options, ends=code, **more)
    at = STEPS.index(step)
    results = [each["result"] for each in found]
    assert results == ["ok"] * at + ["failed"] + ["skipped"] * (len(STEPS) - at - 1), found
    assert words in found[at]["seen"]
    assert found[at]["exit_code"] == code
    return str(found[at]["advice"])


def unused_port() -> int:
    with FaultProxy(0) as proxy:
        proxy.refuse()
        return proxy.port


# -- no problem


def test_a_saved_session_does_not_need_the_user_pool(real: CommandLine) -> None:
    real("login")
    change(real, cognito_idp_url=f"http://127.0.0.1:{unused_port()}")
    found = examine(real)
    for step in ("tls", "user-pool"):
        assert "not needed while the session is valid" in found[STEPS.index(step)]["advice"]


def test_authorities_are_found_as_botocore_finds_them(
    real: CommandLine, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "authority.pem"))
    with ScriptedBroker(tls=tls, upgrade=lambda _: 404) as service:
        change(real, cognito_idp_url=f"https://localhost:{service.endpoint.port}", ca_bundle=None)
        found = json.loads(real("doctor --json", ends=6).stdout.splitlines()[STEPS.index("tls")])
    assert "localhost" not in found["seen"]  # it is the broker's that is not trusted
    assert "127.0.0.1" in found["seen"]


def test_everything_works(real: CommandLine, person: Person, stack: Stack) -> None:
    found = {step["step"]: step for step in examine(real)}
    assert {step["result"] for step in found.values()} == {"ok"}
    assert found["identity-pool"]["seen"] == person.identity
    assert found["publish"]["seen"].startswith(f"{stack.profile.identity_pool_id}/doctor/{person.identity}")
    assert all(step["checked"] and step["milliseconds"] >= 0 for step in found.values())


def test_people_see_one_line_per_step(real: CommandLine) -> None:
    lines = real("doctor").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [[step, "ok"] for step in STEPS]
    assert all(line.split()[3] == "ms" for line in lines)


def test_a_saved_session_is_used_and_stays_saved(real: CommandLine) -> None:
    real("login")
    end_soon(real.app)
    assert "saved session" in examine(real)[STEPS.index("sign-in")]["seen"]
    assert "credentials" in real("whoami").stdout


def test_no_secret_is_printed(real: CommandLine) -> None:
    real("login")
    saved = real.app.auth.sessions.load(real.app.config.profiles.load("default"))
    assert saved
    assert saved.session
    assert saved.credentials
    shown = real("doctor").stdout + real("doctor --json").stdout
    secrets = (
        PASSWORD,
        saved.session.id_token,
        saved.session.access_token,
        saved.credentials.secret_access_key,
        saved.credentials.session_token,
    )
    assert not [secret for secret in secrets if secret in shown]
    assert "ASIA" not in shown


# -- the profile


def test_a_missing_profile(real: CommandLine) -> None:
    assert "aws-iot init -k other" in check_cause(real, "profile", "no profile 'other'", 3, "-k other")


def test_an_incomplete_profile(real: CommandLine) -> None:
    path = real.app.settings.folders.profiles / "default.json"
    stored = json.loads(path.read_text())
    del stored["aws-exports"]["aws_cognito_identity_pool_id"]
    path.write_text(json.dumps(stored))
    check_cause(real, "profile", "aws_cognito_identity_pool_id is missing", 3)


# -- network


def test_a_host_name_that_does_not_resolve(real: CommandLine) -> None:
    change(real, endpoint=Endpoint.parse("wss://nowhere.invalid/mqtt"))
    advice = check_cause(real, "names", "the host name nowhere.invalid does not resolve", 6)
    assert "aws_pubsub_endpoint" in advice


def test_an_unusable_proxy_setting(real: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    change(real, endpoint=Endpoint.parse("wss://broker.test/mqtt"))
    monkeypatch.setenv("HTTPS_PROXY", "http://:70000")
    assert "HTTPS_PROXY" in check_cause(real, "proxy", "cannot be used", 3)


@pytest.mark.parametrize(
    ("refusal", "password", "words"),
    [(None, "somebody:else", "HTTP 407"), (403, None, "HTTP 403"), (502, None, "HTTP 502")],
)
def test_a_proxy_that_refuses_to_connect(
    real: CommandLine,
    monkeypatch: pytest.MonkeyPatch,
    refusal: int | None,
    password: str | None,
    words: str,
) -> None:
    change(real, endpoint=Endpoint.parse("wss://broker.test/mqtt"))
    with ConnectProxy({}, password, refusal) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://me:pass-of-mine@127.0.0.1:{proxy.port}")
        advice = check_cause(real, "proxy", words, 6)
        assert "pass-of-mine" not in advice


def test_a_proxy_that_does_not_listen(real: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    change(real, endpoint=Endpoint.parse("wss://broker.test/mqtt"))
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{unused_port()}")
    check_cause(real, "proxy", "nothing listens there", 6)


def test_a_port_that_nothing_listens_on(real: CommandLine) -> None:
    change(real, endpoint=Endpoint.parse(f"wss://127.0.0.1:{unused_port()}/mqtt"))
    assert "aws-iot local" in check_cause(real, "tls", "nothing listens there", 6)


def test_services_that_never_answer(real: CommandLine) -> None:
    with FaultProxy(0, is_mute=True) as proxy:
        change(real, endpoint=Endpoint.parse(f"wss://127.0.0.1:{proxy.port}/mqtt"))
        check_cause(real, "tls", "no answer", 6, BRIEFLY)


def test_a_certificate_of_an_unknown_authority(real: CommandLine, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "other.pem"))
    change(real, ca_bundle=str(tmp_path / "other.pem"))
    assert "ca_bundle" in check_cause(real, "tls", "its certificate is not trusted", 6)


def test_a_missing_ca_bundle(real: CommandLine, tmp_path: Path) -> None:
    change(real, ca_bundle=str(tmp_path / "missing.pem"))
    check_cause(real, "tls", "missing.pem cannot be used", 3)


@contextmanager
def certified(
    tmp_path: Path, name: str, ends: datetime | None = None, script: Script = agreeable
) -> Iterator[dict[str, Any]]:
    """A broker with a certificate for this name, and the fields of a profile that uses it."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(name, not_after=ends).configure_cert(tls)
    with ScriptedBroker(script, tls=tls) as broker:
        yield {"endpoint": broker.endpoint, "ca_bundle": str(tmp_path / "authority.pem")}


def test_a_certificate_for_another_name(real: CommandLine, tmp_path: Path) -> None:
    with certified(tmp_path, "another.test") as changes:
        change(real, **changes)
        check_cause(real, "tls", "IP address mismatch", 6)


def test_an_expired_certificate(real: CommandLine, tmp_path: Path) -> None:
    with certified(tmp_path, "127.0.0.1", datetime.now(UTC) - timedelta(days=1)) as changes:
        change(real, **changes)
        check_cause(real, "tls", "expired", 6)


def test_a_certificate_that_expires_soon_gets_a_warning(real: CommandLine, tmp_path: Path) -> None:
    busy = say(Kind.CONNECT, lambda _: connack(0x88))
    with certified(tmp_path, "127.0.0.1", datetime.now(UTC) + timedelta(days=3), busy) as changes:
        change(real, **changes)
        assert "expires on" in examine(real, ends=6)[STEPS.index("tls")]["advice"]


def test_a_port_without_tls(real: CommandLine, stack: Stack) -> None:
    plain = urlsplit(stack.profile.iot_url or "").port or 0
    change(real, endpoint=stack.profile.endpoint._replace(port=plain))
    check_cause(real, "tls", "does not speak TLS", 6)


@pytest.mark.parametrize(("ahead", "words"), [(60, "60 minutes slow"), (-60, "60 minutes fast")])
def test_a_clock_that_is_an_hour_off(real: CommandLine, ahead: int, words: str) -> None:
    url = real.app.config.profiles.load("default").cognito_idp_url or ""

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=ahead)

    with cognito_proxy(url, lambda operation, said, forward: forward(operation, said), now) as address:
        change(real, cognito_idp_url=address)
        assert "Set the clock" in check_cause(real, "clock", words, 6)


def test_a_clock_that_is_two_minutes_off_gets_a_warning(real: CommandLine) -> None:
    url = real.app.config.profiles.load("default").cognito_idp_url or ""

    def now() -> datetime:
        return datetime.now(UTC) + timedelta(minutes=2)

    with cognito_proxy(url, lambda operation, said, forward: forward(operation, said), now) as address:
        change(real, cognito_idp_url=address)
        found = examine(real)[STEPS.index("clock")]
        assert "Set the clock" in found["advice"]


@pytest.mark.parametrize("date", ["yesterday", ""])
def test_a_service_without_a_date(real: CommandLine, date: str) -> None:
    url = real.app.config.profiles.load("default").cognito_idp_url or ""

    def fair(operation: str, said: dict[str, Any], forward: Forward) -> Reply:
        return forward(operation, said)

    with cognito_proxy(url, fair, lambda: datetime.now(UTC), dated=lambda _: date) as address:
        change(real, cognito_idp_url=address)
        assert "sends no date" in examine(real)[STEPS.index("clock")]["seen"]


# -- signing in


def test_a_user_pool_behind_a_firewall(real: CommandLine) -> None:
    real("login")
    with refusing(real, "InitiateAuth", "ForbiddenException", "Request not allowed due to WAF block."):
        assert "needed" in examine(real)[STEPS.index("user-pool")]["advice"]
        check_cause(real, "user-pool", "a firewall (AWS WAF)", 7, f"-p {PASSWORD}")


def test_a_lambda_function_of_the_user_pool_that_refuses_a_user(real: CommandLine) -> None:
    with refusing(real, "InitiateAuth", "UserLambdaValidationException", "PreAuthentication failed: no."):
        check_cause(real, "sign-in", "PreAuthentication failed", 7)


def test_a_user_pool_that_does_not_exist(real: CommandLine) -> None:
    change(real, user_pool_id="us-east-1_Nowhere00", local_stack=None)
    assert "aws_user_pools_id" in check_cause(real, "user-pool", "no user pool us-east-1_Nowhere00", 3)


def test_an_app_client_that_does_not_exist(real: CommandLine) -> None:
    change(real, client_id="nosuchclient")
    advice = check_cause(real, "user-pool", "the user pool or its app client does not exist", 3)
    assert "aws_user_pools_web_client_id" in advice


def test_an_app_client_without_srp(real: CommandLine, stack: Stack) -> None:
    made = stack.app_client(ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH"])
    change(real, client_id=made["ClientId"])
    assert "ALLOW_USER_SRP_AUTH" in check_cause(real, "user-pool", "does not allow sign-in with SRP", 3)


def test_an_app_client_with_an_unknown_secret(real: CommandLine, stack: Stack) -> None:
    made = stack.app_client(GenerateSecret=True)
    change(real, client_id=made["ClientId"])
    assert "--client-secret" in check_cause(real, "user-pool", "has a secret", 3)


def test_no_session_and_no_password(real: CommandLine) -> None:
    change(real, username=None)
    assert "aws-iot login" in check_cause(real, "sign-in", "not signed in", 4)


def test_a_wrong_password(real: CommandLine) -> None:
    advice = check_cause(real, "sign-in", "wrong user name or password", 4, "-p nonsense")
    assert "app client" in advice


def test_an_unknown_user(real: CommandLine) -> None:
    check_cause(real, "sign-in", "no such user", 4, "-u nobody -p nonsense")


def test_an_unconfirmed_account(real: CommandLine) -> None:
    real("signup -u waiting-for-doctor -p Passw0rd-1 -e waiting@example.com")
    advice = check_cause(real, "sign-in", "not confirmed", 4, "-u waiting-for-doctor -p Passw0rd-1")
    assert "aws-iot confirm -u waiting-for-doctor" in advice


def test_a_revoked_session(real: CommandLine) -> None:
    real("login")
    real("config --forget")
    end_soon(real.app)
    profile = real.app.config.profiles.load("default")
    saved = real.app.auth.sessions.load(profile)
    assert saved
    token = real.app.auth.sessions.refresh_token(profile, saved.username)
    assert token
    real.app.auth.accounts(profile).revoke(token)
    check_cause(real, "sign-in", "the session is no longer valid", 4)


# -- credentials


def test_an_identity_pool_that_does_not_exist(real: CommandLine) -> None:
    change(real, identity_pool_id=IDENTITY_POOL)
    advice = check_cause(real, "identity-pool", "the identity pool does not exist", 3)
    assert "aws_cognito_identity_pool_id" in advice


@contextmanager
def refusing(real: CommandLine, operation: str, code: str, message: str) -> Iterator[None]:
    """A Cognito that rejects an operation as AWS does; the local stack has no reason to."""
    url = real.app.config.profiles.load("default").cognito_identity_url or ""

    def handle(each: str, said: dict[str, Any], forward: Forward) -> Reply:
        return refused(code, message) if each == operation else forward(each, said)

    with cognito_proxy(url, handle) as address:
        change(real, cognito_identity_url=address, cognito_idp_url=address)
        yield


def test_an_identity_pool_without_the_user_pool_as_provider(real: CommandLine) -> None:
    message = "Token is not from a supported provider of this identity pool."
    with refusing(real, "GetId", "NotAuthorizedException", message):
        assert "an identity provider of" in check_cause(
            real, "identity-pool", "not from a supported provider", 4
        )


def test_an_identity_pool_without_a_role_for_members(real: CommandLine) -> None:
    message = "Invalid identity pool configuration. Check assigned IAM roles for this pool."
    with refusing(real, "GetCredentialsForIdentity", "InvalidIdentityPoolConfigurationException", message):
        check_cause(real, "credentials", "no usable role", 3)


def test_a_throttled_identity_pool(real: CommandLine) -> None:
    with refusing(real, "GetId", "LimitExceededException", "Rate exceeded"):
        check_cause(real, "identity-pool", "an AWS limit is reached", 7)


# -- the broker


def test_a_signature_for_the_wrong_region(signed_in: CommandLine) -> None:
    change(signed_in, iot_region="eu-west-1")
    advice = check_cause(signed_in, "upgrade", "accepts those for us-east-1", 3)
    assert "Set aws_pubsub_region to us-east-1" in advice


def test_an_endpoint_of_another_account(signed_in: CommandLine) -> None:
    with ScriptedBroker(upgrade=lambda _: 403) as broker:
        change(signed_in, endpoint=broker.endpoint)
        advice = check_cause(signed_in, "upgrade", "HTTP 403", 4)
    assert "aws_pubsub_endpoint" in advice
    assert "If the local stack was restarted" in advice  # the endpoint is on this machine


def test_the_wrong_path(signed_in: CommandLine, stack: Stack) -> None:
    change(signed_in, endpoint=stack.profile.endpoint._replace(path="/mqt"))
    advice = check_cause(signed_in, "upgrade", "rejects the path /mqt, but accepts /mqtt", 3)
    assert "Set aws_pubsub_endpoint to wss://127.0.0.1" in advice


@contextmanager
def answering(status: int, answer: Callable[[str], str]) -> Iterator[Endpoint]:
    """A server that answers with this status, and a body made from the requested path."""

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("x-amzn-errortype", "ForbiddenException:" + "x" * 3000)
            self.end_headers()
            self.wfile.write(answer(self.path).encode())

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Server)) as server:
        yield Endpoint.parse(f"ws://127.0.0.1:{server.server_port}/mqtt")


@pytest.mark.parametrize(
    "answer",
    [
        lambda path: f"Cannot GET {path}",
        lambda path: json.dumps({"token": parse_qs(urlsplit(path).query)["X-Amz-Security-Token"][0]}),
        lambda path: f"bad token {quote(parse_qs(urlsplit(path).query)['X-Amz-Security-Token'][0])}",
    ],
)
def test_the_answer_to_a_rejected_upgrade_is_shown_without_the_signature(
    signed_in: CommandLine, answer: Callable[[str], str]
) -> None:
    asked: list[str] = []

    def noting(path: str) -> str:
        asked.append(path)
        return answer(path)

    with answering(403, noting) as endpoint:
        change(signed_in, endpoint=endpoint)
        told = signed_in("doctor --json", ends=4).stdout
    found = json.loads(told.splitlines()[STEPS.index("upgrade")])["seen"]
    assert "x-amzn-errortype: ForbiddenException" in found
    assert len(found) < 1000
    values = [value for path in asked for name, value in parse_qsl(urlsplit(path).query) if "Sig" in name]
    tokens = [value for path in asked for name, value in parse_qsl(urlsplit(path).query) if "Token" in name]
    for secret in values + tokens:
        assert secret not in told
        assert quote(secret, safe="")[:40] not in told
        assert quote(secret)[:40] not in told


def test_an_endpoint_that_is_not_a_broker(signed_in: CommandLine) -> None:
    with ScriptedBroker(upgrade=lambda _: 404) as broker:
        change(signed_in, endpoint=broker.endpoint)
        check_cause(signed_in, "upgrade", "answered HTTP 404 instead of opening a WebSocket", 6)


def test_an_identity_that_is_not_accepted(real: CommandLine, stack: Stack) -> None:
    stranger = stack.person(accepted=False)
    options = f"-u {stranger.username} -p {PASSWORD}"
    advice = check_cause(real, "connect", "no admin has accepted", 5, options)
    assert f"aws-iot admin accept {stranger.identity} --user {stranger.username} -k default" in advice


def test_a_broker_that_closes_without_an_answer(signed_in: CommandLine) -> None:
    with ScriptedBroker(say(Kind.CONNECT, lambda _: None)) as broker:
        change(signed_in, endpoint=broker.endpoint)
        check_cause(signed_in, "connect", "closes the connection without a reason", 5)


def test_an_overloaded_broker(signed_in: CommandLine) -> None:
    with ScriptedBroker(say(Kind.CONNECT, lambda _: connack(0x88))) as broker:
        change(signed_in, endpoint=broker.endpoint)
        check_cause(signed_in, "connect", "accepts no connections at the moment", 6)


def say(kind: Kind, answer: Callable[[Packet], bytes | None]) -> Script:
    """A script that answers one kind of packet in another way."""
    return lambda packet: answer(packet) if packet.kind is kind else agreeable(packet)


def allowing(stack: Stack, *statements: tuple[str, str]) -> Person:
    """A person who may connect, and perform these actions on these kinds of resources."""
    person = stack.person(accepted=False)
    arn = f"arn:aws:iot:us-east-1:000000000000:{{}}/{stack.profile.identity_pool_id}"
    allowed = [("iot:Connect", "arn:aws:iot:us-east-1:000000000000:client/*")]
    allowed += [(action, arn.format(kind) + "/*") for action, kind in statements]
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": a, "Resource": r} for a, r in allowed],
    }
    stack.attach_policy_of_its_own(person.identity, json.dumps(document))
    return person


@pytest.mark.parametrize(
    ("allowed", "step", "words"),
    [
        ((), "subscribe", "not authorized to subscribe"),
        ((("iot:Subscribe", "topic"),), "subscribe", "not authorized to subscribe"),
        ((("iot:Subscribe", "topicfilter"),), "publish", "not authorized to publish"),
        ((("iot:Subscribe", "topicfilter"), ("iot:Publish", "topic")), "echo", "not authorized to receive"),
    ],
)
def test_a_policy_without_a_permission(
    real: CommandLine, stack: Stack, allowed: tuple[tuple[str, str], ...], step: str, words: str
) -> None:
    person = allowing(stack, *allowed)
    options = f"-u {person.username} -p {PASSWORD} {BRIEFLY}"
    assert "policy" in check_cause(real, step, words, 5, options)


def test_a_broker_that_never_acknowledges(signed_in: CommandLine) -> None:
    with ScriptedBroker(say(Kind.PUBLISH, lambda _: b"")) as broker:
        change(signed_in, endpoint=broker.endpoint)
        check_cause(signed_in, "publish", "has not acknowledged", 6, BRIEFLY)


def test_a_broker_that_rejects_for_another_reason(signed_in: CommandLine) -> None:
    with ScriptedBroker(say(Kind.PUBLISH, lambda packet: puback(packet, 0x97))) as broker:
        change(signed_in, endpoint=broker.endpoint)
        check_cause(signed_in, "publish", "a limit of the account or connection is reached", 7)


def test_a_broker_that_disconnects_because_of_a_room(signed_in: CommandLine) -> None:
    with ScriptedBroker(say(Kind.PUBLISH, lambda _: disconnect(NOT_AUTHORIZED))) as broker:
        change(signed_in, endpoint=broker.endpoint)
        check_cause(signed_in, "publish", "not authorized to publish", 5)


def test_a_filter_that_is_not_granted(signed_in: CommandLine) -> None:
    with ScriptedBroker(say(Kind.SUBSCRIBE, lambda packet: suback(packet, 0x8F))) as broker:
        change(signed_in, endpoint=broker.endpoint)
        check_cause(signed_in, "subscribe", "rejected the subscription", 7)


@pytest.mark.parametrize("room", ["a/+", "''"])
def test_an_impossible_room_name(real: CommandLine, room: str) -> None:
    assert "room" in real(f"doctor -r {room}", ends=2).stderr


def test_a_connection_that_is_lost_before_the_echo(signed_in: CommandLine) -> None:
    broker: ScriptedBroker

    def cut_soon(packet: Packet) -> bytes:
        threading.Timer(0.1, broker.cut).start()
        return puback(packet)

    with ScriptedBroker(say(Kind.PUBLISH, cut_soon)) as broker:
        change(signed_in, endpoint=broker.endpoint)
        check_cause(signed_in, "echo", "the connection was lost before the message came back", 6)


def test_a_member_of_some_rooms_is_asked_to_name_one(real: CommandLine, stack: Stack) -> None:
    person = stack.person(accepted=False)
    arn = "arn:aws:iot:us-east-1:000000000000:"
    room = f"{stack.profile.identity_pool_id}/lobby"
    allowed = [("Connect", "client/*"), ("Subscribe", f"topicfilter/{room}/*")]
    allowed += [("Publish", f"topic/{room}/*"), ("Receive", f"topic/{room}/*")]
    statements = [{"Effect": "Allow", "Action": f"iot:{a}", "Resource": arn + r} for a, r in allowed]
    document = {"Version": "2012-10-17", "Statement": statements}
    stack.attach_policy_of_its_own(person.identity, json.dumps(document))
    who = f"-u {person.username} -p {PASSWORD}"
    advice = check_cause(real, "subscribe", "not authorized to subscribe", 5, who)
    assert "aws-iot doctor -r ROOM -k default" in advice
    assert f"aws-iot policy -r doctor --identity {person.identity} -k default" in advice
    examine(real, f"{who} -r lobby")
