"""Each expected failure, with the real adapters: reported in a line or two, with its exit code."""

import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from aws_iot.app import App
from aws_iot.config.endpoint import Endpoint
from aws_iot.config.profile import Profile
from aws_iot.errors import AwsIotError, CredentialsRefused, Unreachable, WrongClock
from tests.conftest import CommandLine
from tests.processes import PASSWORD, Person, Stack, session_of
from tests.scripted_broker import ScriptedBroker
from tests.waiting import BRIEF_SECONDS


def change(command: CommandLine, **changes: object) -> None:
    """Change the profile in a way that only a broken set-up would have."""
    profile: Any = command.app.config.profiles.load("default")
    command.app.config.profiles.change("default", lambda _: profile._replace(**changes))


@pytest.fixture
def closed_port() -> int:
    """A port without a server."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port with a server that never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield listener.getsockname()[1]


def test_a_wrong_password(real: CommandLine) -> None:
    assert "wrong user name or password" in real("pub -r lobby -m x -p nonsense", ends=4).stderr


def test_an_unknown_user(real: CommandLine) -> None:
    assert "no such user" in real("pub -r lobby -m x -u nobody -p nonsense", ends=4).stderr


def test_an_account_that_is_not_confirmed(real: CommandLine) -> None:
    real(f"signup -u unconfirmed -p {PASSWORD} -e unconfirmed@example.com")
    result = real(f"pub -r lobby -m x -u unconfirmed -p {PASSWORD}", ends=4)
    assert "aws-iot confirm" in result.stderr


def test_a_wrong_code(real: CommandLine) -> None:
    real(f"signup -u wrongcode -p {PASSWORD} -e wrongcode@example.com")
    errors = real("confirm -u wrongcode -c 000000", ends=4).stderr
    assert "not the code" in errors
    assert "aws-iot confirm -u wrongcode --resend -k default" in errors


def test_a_user_that_exists(real: CommandLine, person: Person) -> None:
    assert "taken" in real(f"signup -u {person.username} -p {PASSWORD} -e x@example.com", ends=7).stderr


def test_a_password_that_breaks_the_policy_in_several_ways(real: CommandLine) -> None:
    errors = real("signup -u weak -p short -e x@example.com", ends=7).stderr
    assert "uppercase" in errors
    assert "numeric" in errors


def test_an_identity_that_is_not_accepted(real: CommandLine, stack: Stack) -> None:
    stranger = stack.person(accepted=False)
    errors = real(f"sub -u {stranger.username} -p {PASSWORD}", ends=5).stderr
    assert (
        f"Accept it yourself: aws-iot admin accept {stranger.identity} --user {stranger.username} -k default"
        in errors
    )
    assert "minutes" not in errors  # this stack is not AWS


def test_a_user_pool_that_does_not_exist(real: CommandLine) -> None:
    change(real, client_id="nonsense")
    assert "aws_user_pools_web_client_id" in real("pub -r lobby -m x", ends=3).stderr


def test_an_identity_pool_that_does_not_exist(real: CommandLine) -> None:
    change(real, identity_pool_id="us-east-1:99999999-0000-0000-0000-000000000000")
    assert "aws_cognito_identity_pool_id" in real("pub -r lobby -m x", ends=3).stderr


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_port_without_a_server(real: CommandLine, closed_port: int, scheme: str) -> None:
    change(real, endpoint=Endpoint.parse(f"{scheme}://127.0.0.1:{closed_port}/mqtt"))
    assert "the connection was refused" in real("pub -r lobby -m x", ends=6).stderr


@pytest.mark.parametrize("scheme", ["ws", "wss"])
def test_a_broker_that_never_answers(real: CommandLine, silent_port: int, scheme: str) -> None:
    change(real, endpoint=Endpoint.parse(f"{scheme}://127.0.0.1:{silent_port}/mqtt"))
    assert "no answer in time" in real(f"pub -r lobby -m x --timeout {BRIEF_SECONDS:g}", ends=6).stderr


def test_a_broker_whose_name_is_unknown(real: CommandLine) -> None:
    change(real, endpoint=Endpoint.parse("wss://broker.invalid/mqtt"))
    assert "host name not found" in real("pub -r lobby -m x", ends=6).stderr


def test_a_broker_whose_certificate_is_not_trusted(real: CommandLine) -> None:
    change(real, ca_bundle=None)
    errors = real("pub -r lobby -m x", ends=6).stderr
    assert "certificate is not trusted" in errors
    assert "ca_bundle" in errors


def test_a_missing_ca_bundle(real: CommandLine, tmp_path: Path) -> None:
    change(real, ca_bundle=str(tmp_path / "missing.pem"))
    assert "missing.pem" in real("pub -r lobby -m x", ends=3).stderr


def test_a_ca_bundle_that_is_not_a_pem_file(real: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "no.pem").write_text("nonsense")
    change(real, ca_bundle=str(tmp_path / "no.pem"))
    assert "no.pem cannot be used" in real("pub -r lobby -m x", ends=3).stderr


@pytest.mark.parametrize("setting", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "ca_bundle"])
def test_each_setting_of_a_ca_bundle_works_for_rooms(
    real: CommandLine, stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    change(real, ca_bundle=None)
    if setting == "ca_bundle":
        (tmp_path / "aws-config").write_text(f"[default]\nca_bundle = {stack.profile.ca_bundle}\n")
    else:
        monkeypatch.setenv(setting, str(stack.profile.ca_bundle))
    real("pub -r lobby -m x")


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("missing.pem", "there is no such file"),
        (".", "it is a folder"),
        ("~nosuch/ca.pem", "there is no such file"),
        ("no.pem", "it holds no valid certificate"),
    ],
)
def test_a_ca_bundle_that_cannot_be_used_is_named_alike_by_rooms_and_sign_in(
    real: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, why: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "no.pem").write_text("nonsense")
    monkeypatch.setenv("AWS_CA_BUNDLE", path)
    change(real, ca_bundle=None)
    rooms = real("pub -r lobby -m x", ends=3).stderr
    assert f"cannot be used: {why}\nIt is set by AWS_CA_BUNDLE." in rooms
    with ScriptedBroker(tls=ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)) as service:
        change(real, cognito_idp_url=f"https://localhost:{service.endpoint.port}")
        assert real("login", ends=3).stderr == rooms


def test_an_endpoint_that_is_not_a_broker(real: CommandLine, stack: Stack) -> None:
    change(real, endpoint=stack.profile.endpoint._replace(path="/elsewhere"))
    assert "aws_pubsub_endpoint" in real("pub -r lobby -m x", ends=4).stderr


def test_a_user_pool_at_a_port_without_a_server(real: CommandLine, closed_port: int) -> None:
    change(real, cognito_idp_url=f"http://127.0.0.1:{closed_port}")
    assert "the connection was refused" in real("pub -r lobby -m x", ends=6).stderr


def test_a_user_pool_that_never_answers(real: CommandLine, silent_port: int) -> None:
    change(real, cognito_idp_url=f"http://127.0.0.1:{silent_port}")
    assert "no answer in 1 second\n" in real("pub -r lobby -m x --timeout 1", ends=6).stderr


def test_a_user_pool_whose_name_is_unknown(real: CommandLine) -> None:
    change(real, cognito_idp_url="http://cognito.invalid")
    assert "host name not found" in real("pub -r lobby -m x", ends=6).stderr


def test_an_admin_without_credentials(
    real: CommandLine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, person: Person
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    change(real, admin_credentials_file=None)
    assert "--aws-profile" in real(f"admin accept {person.identity}", ends=4).stderr
    assert "nonsense" in real(f"admin accept {person.identity} --aws-profile nonsense", ends=3).stderr


def test_an_aws_profile_that_does_not_exist_stops_only_admins(
    real: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nonsense")
    real("pub -r lobby -m x")


def test_a_proxy_is_not_used_for_this_machine(
    real: CommandLine, monkeypatch: pytest.MonkeyPatch, closed_port: int
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{closed_port}")
    real("pub -r lobby -m x")


def test_plain_websockets_work_on_this_machine(real: CommandLine, stack: Stack) -> None:
    change(real, endpoint=Endpoint.parse(f"{(stack.profile.iot_url or '').replace('http', 'ws')}/mqtt"))
    real("pub -r lobby -m x")


def test_addresses_from_the_environment_work_as_well(
    real: CommandLine, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(real, cognito_idp_url=None, cognito_identity_url=None)
    for service in ("COGNITO_IDENTITY_PROVIDER", "COGNITO_IDENTITY"):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", str(stack.profile.iot_url))
    real("pub -r lobby -m x")


@pytest.fixture
def connect(stack: Stack, person: Person) -> Callable[..., None]:
    """Connects as the person, with some settings changed."""

    def connect(
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        profile: Profile = stack.profile,
        **changes: str,
    ) -> None:
        app = App.in_folder(stack.config, now=now)
        accounts = app.auth.accounts(profile)
        credentials = app.auth.issuer(profile).issue(session_of(accounts, person.username))
        credentials = credentials._replace(**changes)  # type: ignore[arg-type]
        app.messaging.connect(profile, credentials.identity, lambda: credentials).close()

    return connect


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_is_distinguished_from_wrong_credentials(
    connect: Callable[..., None], hours: int
) -> None:
    with pytest.raises(WrongClock, match=f"60 minutes {'fast' if hours > 0 else 'slow'}") as wrong:
        connect(now=lambda: datetime.now(UTC) + timedelta(hours=hours))
    assert wrong.value.exit_code == 6


@pytest.mark.parametrize("name", ["access_key_id", "secret_access_key", "session_token"])
def test_wrong_credentials_do_not_open_a_connection(connect: Callable[..., None], name: str) -> None:
    with pytest.raises(CredentialsRefused, match="403"):
        connect(**{name: "ASIANONSENSE"})


def test_a_signature_for_another_region_does_not_open_a_connection(
    connect: Callable[..., None], stack: Stack
) -> None:
    with pytest.raises(CredentialsRefused, match="403"):
        connect(profile=stack.profile._replace(iot_region="eu-west-1"))


def test_a_failed_refresh_of_credentials_is_the_reported_error(stack: Stack, person: Person) -> None:
    def fail() -> None:
        raise Unreachable("cannot reach cognito-identity")

    with pytest.raises(AwsIotError, match="cannot reach cognito-identity"):
        stack.app().messaging.connect(stack.profile, person.identity, fail)  # type: ignore[arg-type]
