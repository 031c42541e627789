"""Trouble with the real services: each kind is reported as what it is, and survived if possible."""

import base64
import json
import os
import shutil
import time
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

from aws_iot.app import App
from aws_iot.auth.login import SignInRequest
from aws_iot.auth.prompter import NoPrompter
from aws_iot.auth.token_refresher import ActiveSession
from aws_iot.config.profile import Profile
from aws_iot.errors import SessionEnded
from tests.cognito_proxy import CUT, Forward, Handler, Reply, Rotation, cognito_proxy, refused
from tests.conftest import CommandLine
from tests.in_process import run_here
from tests.processes import PASSWORD, Person, Stack, environment, run
from tests.serving import serving
from tests.waiting import BRIEF_SECONDS

PUB = "pub -r lobby -m hello"
HOUR = timedelta(hours=1)
RENEWAL = "GetTokensFromRefreshToken"
KEYS = "GetCredentialsForIdentity"
IDENTITY = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
THROTTLED = refused("TooManyRequestsException", "Rate exceeded")


def fair(operation: str, said: dict[str, Any], forward: Forward) -> Reply:
    return forward(operation, said)


@dataclass
class Weather:
    """A proxy before the stack's Cognito that a test controls. Its clock can be ahead of ours."""

    url: str = ""
    handle: Handler = fair
    ahead: timedelta = timedelta()
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __call__(self, operation: str, said: dict[str, Any], forward: Forward) -> Reply | None:
        self.asked.append((operation, said))
        return self.handle(operation, said, forward)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    @property
    def operations(self) -> list[str]:
        """The operations that were called so far."""
        return [operation for operation, _ in self.asked]

    def said(self, operation: str, name: str) -> list[Any]:
        """A parameter of each call of an operation so far."""
        return [said[name] for each, said in self.asked if each == operation]

    def refuse(self, operation: str, code: str, message: str) -> None:
        """Reject this operation from now on."""
        then = self.handle
        self.handle = lambda each, said, forward: (
            refused(code, message) if each == operation else then(each, said, forward)
        )

    def once(self, answer: Reply | None, *operations: str) -> None:
        """Answer the next call of each of these operations like this."""
        then, left = self.handle, set(operations)

        def handle(operation: str, said: dict[str, Any], forward: Forward) -> Reply | None:
            if operation not in left:
                return then(operation, said, forward)
            left.remove(operation)
            return answer

        self.handle = handle

    def grant(self, id_token: str) -> None:
        """Accept every sign-in without a proof, which saves some arithmetic."""
        tokens = {"IdToken": id_token, "AccessToken": "a", "RefreshToken": "r", "ExpiresIn": 3600}
        keys = {
            "AccessKeyId": "ASIA",
            "SecretKey": "s",
            "SessionToken": "t",
            "Expiration": time.time() + 3600,
        }
        answers: dict[str, dict[str, Any]] = {
            "InitiateAuth": {"AuthenticationResult": tokens},
            "GetId": {"IdentityId": IDENTITY},
            KEYS: {"IdentityId": IDENTITY, "Credentials": keys},
        }
        self.handle = lambda operation, *_: (200, answers[operation])

    def profile(self, profile: Profile) -> Profile:
        """The profile, with this Cognito in it."""
        return profile._replace(cognito_idp_url=self.url, cognito_identity_url=self.url)


class Hasty(Rotation):
    """Refresh tokens that can be used once, and AWS credentials that expire soon unless a test changes that."""

    def __init__(self) -> None:
        super().__init__()
        self.keys_live = timedelta(minutes=1)

    def __call__(self, operation: str, said: dict[str, Any], forward: Forward) -> Reply:
        status, told = super().__call__(operation, said, forward)
        if "Credentials" in told:
            told["Credentials"]["Expiration"] = time.time() + self.keys_live.total_seconds()
        return status, told


@contextmanager
def weather_over(stack: Stack) -> Iterator[Weather]:
    weather = Weather()
    with cognito_proxy(str(stack.profile.cognito_idp_url), weather, weather.now) as weather.url:
        yield weather


@pytest.fixture
def weather(stack: Stack) -> Iterator[Weather]:
    with weather_over(stack) as weather:
        yield weather


@pytest.fixture
def aws_iot(stack: Stack, weather: Weather, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command in this process with the real parts, through that proxy, without AWS settings."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_IOT_SECRETS", "file")
    monkeypatch.setenv("HOME", str(tmp_path))
    app = App.in_folder(tmp_path, has_terminal=lambda: False)
    app.config.profiles.change("default", lambda _: weather.profile(stack.profile))
    return CommandLine(app)


@dataclass(frozen=True)
class Home:
    """The folder of a signed-in person, and the refresh tokens that the user pool accepts."""

    folder: Path
    tokens: dict[str, str]


@pytest.fixture(scope="module")
def home(stack: Stack, person: Person, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """That person's folder."""
    folder, hasty = tmp_path_factory.mktemp("home"), Hasty()
    with weather_over(stack) as weather:
        weather.handle = hasty
        App.in_folder(folder).config.profiles.change("default", lambda _: weather.profile(stack.profile))
        run_here(f"login -u {person.username} -p {PASSWORD}", environment(folder))
    return Home(folder, hasty.real)


@pytest.fixture
def signed_in(
    aws_iot: CommandLine, weather: Weather, stack: Stack, home: Home, tmp_path: Path
) -> CommandLine:
    """That person's command. It must refresh the session before it uses credentials."""
    shutil.copytree(home.folder, tmp_path, dirs_exist_ok=True)
    aws_iot.app.config.profiles.change("default", lambda _: weather.profile(stack.profile))
    hasty = Hasty()
    hasty.real |= home.tokens
    weather.handle = hasty
    return aws_iot


@pytest.fixture(scope="module")
def admin(stack: Stack) -> Iterator[Any]:
    """The user pool, as its admin uses it."""
    keys = ConfigParser()
    keys.read(stack.folder / "admin-credentials")
    client = boto3.client(
        "cognito-idp", region_name="us-east-1", endpoint_url=stack.profile.cognito_idp_url, **keys["default"]
    )
    yield client
    client.close()


# -- the session ends


def test_a_session_that_an_admin_ends_is_reported_when_its_credentials_expire(
    aws_iot: CommandLine, weather: Weather, stack: Stack, admin: Any
) -> None:
    person = stack.person()
    who = {"UserPoolId": stack.profile.user_pool_id, "Username": person.username}
    aws_iot(f"login -u {person.username} -p {PASSWORD}")
    aws_iot = CommandLine(aws_iot.app.replace(now=weather.now))
    login = aws_iot.app.auth.login(aws_iot.app.config.profiles.load("default"))
    signed_in = login.sign_in(SignInRequest(), NoPrompter("default"))
    admin.admin_user_global_sign_out(**who)
    aws_iot(PUB)  # as on AWS, which takes no keys back

    weather.ahead = HOUR
    for line in (PUB, "sub", "credentials", "password change -p x --new-password y"):
        errors = aws_iot(line, ends=4).stderr
        assert "the session is no longer valid: Refresh Token has been revoked" in errors
        assert f"aws-iot login -u {person.username} -k default" in errors
    with pytest.raises(SessionEnded, match="has been revoked"):  # this ends a program that is connected
        signed_in.refresher.refresh()

    admin.admin_disable_user(**who)
    assert "the session is no longer valid: User is disabled" in aws_iot(PUB, ends=4).stderr
    assert "User is disabled" in aws_iot(f"login -p {PASSWORD}", ends=4).stderr

    admin.admin_delete_user(**who)
    assert "the session is no longer valid: The user has been deleted" in aws_iot(PUB, ends=4).stderr
    assert "there is no such user" in aws_iot(f"login -p {PASSWORD}", ends=4).stderr

    assert person.identity in aws_iot("whoami").stdout  # from the saved session
    assert "Signed out" in aws_iot("logout").stderr


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("NotAuthorizedException", "Refresh Token has expired"),
        ("RefreshTokenReuseException", "Refresh token has been invalidated by rotation."),
    ],
)
def test_an_invalid_refresh_token_is_reported(
    signed_in: CommandLine, weather: Weather, code: str, message: str
) -> None:
    weather.refuse(RENEWAL, code, message)
    assert f"the session is no longer valid: {message}" in signed_in("credentials", ends=4).stderr


def test_a_password_replaces_a_session_that_is_no_longer_valid(
    signed_in: CommandLine, weather: Weather
) -> None:
    weather.refuse(RENEWAL, "NotAuthorizedException", "Refresh Token has expired")
    errors = signed_in("credentials", env={"AWS_IOT_PASSWORD": PASSWORD}).stderr
    assert "Signing in again: the session is no longer valid: Refresh Token has expired" in errors


def test_a_rotated_refresh_token_is_saved_even_if_it_gets_no_credentials_yet(
    signed_in: CommandLine, weather: Weather
) -> None:
    weather.once(refused("LimitExceededException", "why"), KEYS)
    signed_in("credentials", ends=7)
    signed_in("credentials")
    assert len(set(weather.said(RENEWAL, "RefreshToken"))) == 2


def private_session(aws_iot: CommandLine, person: Person) -> ActiveSession:
    """A session that only this program has."""
    request = SignInRequest(person.username, PASSWORD, is_explicit=True)
    return aws_iot.app.auth.login(aws_iot.app.config.profiles.load("default")).sign_in(
        request, NoPrompter("default")
    )


def test_a_private_session_keeps_a_rotated_refresh_token(
    aws_iot: CommandLine, weather: Weather, person: Person
) -> None:
    weather.handle = Hasty()
    credentials = private_session(aws_iot, person).refreshing_credentials()
    weather.once(refused("LimitExceededException", "why"), KEYS)
    first = credentials.current()
    assert credentials.current() != first
    assert len(set(weather.said(RENEWAL, "RefreshToken"))) == 2


def test_a_private_session_outlives_the_saved_one(
    signed_in: CommandLine, weather: Weather, person: Person
) -> None:
    weather.handle = Hasty()  # which knows nothing of the kept one
    signed_in("credentials", ends=4)
    own = private_session(signed_in, person)
    assert own.refreshing_credentials().current() != own.credentials


# -- the password


def test_a_wrong_preset_password_is_distinguished_from_a_wrong_given_one(
    aws_iot: CommandLine, person: Person
) -> None:
    aws_iot(f"config -u {person.username} -p the-0ne-Before")
    for line in (PUB, "login"):
        errors = aws_iot(line, ends=4).stderr
        assert "wrong user name or password" in errors
        assert "the preset password was used, and may have been changed elsewhere" in errors
        assert "aws-iot config -p PASS -k default" in errors
    given = aws_iot("login -p nonsense", ends=4).stderr
    assert "wrong user name or password" in given
    assert "preset" not in given
    aws_iot(f"config -p {PASSWORD}")
    aws_iot("login")


def test_too_many_wrong_passwords_are_distinguished_from_one(
    aws_iot: CommandLine, weather: Weather, person: Person
) -> None:
    aws_iot(f"config -u {person.username} -p {PASSWORD}")
    weather.refuse("RespondToAuthChallenge", "NotAuthorizedException", "Password attempts exceeded")
    errors = aws_iot(PUB, ends=4).stderr
    assert "too many wrong passwords" in errors
    assert "Wait before you try again" in errors
    assert "wrong user name" not in errors
    assert "preset" not in errors


# -- the clock


def wrong_by(hours: int) -> str:
    return f"this machine's clock is 60 minutes {'fast' if hours > 0 else 'slow'}"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_proof_made_at_the_wrong_time_is_not_a_wrong_password(
    aws_iot: CommandLine, weather: Weather, person: Person, hours: int
) -> None:
    weather.refuse("RespondToAuthChallenge", "NotAuthorizedException", "Incorrect username or password.")
    weather.ahead = -hours * HOUR
    assert wrong_by(hours) in aws_iot(f"login -u {person.username} -p {PASSWORD}", ends=6).stderr


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_is_reported_even_if_cognito_accepts_the_sign_in(
    aws_iot: CommandLine, weather: Weather, hours: int
) -> None:
    weather.grant("i")
    weather.ahead = -hours * HOUR
    assert wrong_by(hours) in aws_iot("login -u alice -p x", ends=6).stderr


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_is_reported_at_a_refresh_and_the_session_survives(
    signed_in: CommandLine, weather: Weather, hours: int
) -> None:
    weather.ahead = -hours * HOUR
    assert wrong_by(hours) in signed_in("credentials", ends=6).stderr
    weather.ahead = timedelta()
    signed_in("credentials")


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_refresh_that_is_rejected_at_the_wrong_time_is_blamed_on_the_clock(
    signed_in: CommandLine, weather: Weather, hours: int
) -> None:
    weather.refuse(RENEWAL, "NotAuthorizedException", "Invalid Refresh Token")
    weather.ahead = -hours * HOUR
    assert wrong_by(hours) in signed_in("credentials", ends=6).stderr


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wrong_clock_is_reported_when_a_saved_session_connects(
    signed_in: CommandLine, weather: Weather, hours: int
) -> None:
    assert isinstance(weather.handle, Hasty)
    weather.handle.keys_live = 3 * HOUR  # those of an hour would have ended by a fast clock, and be renewed
    signed_in("credentials")
    weather.asked.clear()
    signed_in = CommandLine(signed_in.app.replace(now=lambda: datetime.now(UTC) + hours * HOUR))
    assert wrong_by(hours) in signed_in(PUB, ends=6).stderr
    assert weather.asked == []


# -- too many requests


def test_a_throttled_call_is_retried(signed_in: CommandLine, weather: Weather, person: Person) -> None:
    weather.once(THROTTLED, "SignUp", RENEWAL, KEYS)
    signed_in(f"signup -u {person.username}-2 -p {PASSWORD} -e a@example.com")
    signed_in("credentials")
    assert weather.operations == [each for each in ("SignUp", RENEWAL, KEYS) for _ in range(2)]


def test_a_service_that_stays_busy_is_reported_before_the_deadline(
    aws_iot: CommandLine, weather: Weather
) -> None:
    weather.refuse("SignUp", "ThrottlingException", "Rate exceeded")
    line = f"signup -u late -p {PASSWORD} -e a@example.com --timeout {BRIEF_SECONDS:g}"
    assert "AWS is throttling requests" in aws_iot(line, ends=7).stderr
    assert len(weather.asked) <= 4


@pytest.mark.parametrize(
    ("operation", "line"),
    [("ForgotPassword", "password reset"), ("InitiateAuth", "login -p x"), (RENEWAL, "credentials")],
)
def test_a_limit_on_attempts_is_reported_and_not_retried(
    signed_in: CommandLine, weather: Weather, operation: str, line: str
) -> None:
    reached = "Attempt limit exceeded, please try after some time."
    weather.refuse(operation, "LimitExceededException", reached)
    assert reached in signed_in(line, ends=7).stderr
    assert weather.operations == [operation]


# -- answers that are lost


@pytest.mark.parametrize(
    ("operation", "line"),
    [("SignUp", f"signup -u lost -p {PASSWORD} -e a@example.com"), (RENEWAL, "credentials")],
)
def test_a_call_that_may_have_been_carried_out_is_not_repeated(
    signed_in: CommandLine, weather: Weather, operation: str, line: str
) -> None:
    weather.once(CUT, operation)
    assert "the connection was cut" in signed_in(line, ends=6).stderr
    assert weather.operations == [operation]


def test_a_call_whose_answer_was_lost_is_retried(aws_iot: CommandLine, weather: Weather) -> None:
    weather.grant("i")
    weather.once(CUT, "InitiateAuth", KEYS)
    aws_iot("login -u alice -p x")
    assert weather.operations == ["InitiateAuth", "InitiateAuth", "GetId", KEYS, KEYS]


# -- whose token it is


@pytest.mark.parametrize("host", ["cognito-idp", "issuer-cognito-idp"])
def test_a_token_of_either_issuer_of_a_user_pool_is_passed_on_unchanged(
    aws_iot: CommandLine, weather: Weather, stack: Stack, host: str
) -> None:
    pool = stack.profile.user_pool_id
    parts = [{"alg": "RS256"}, {"iss": f"https://{host}.us-east-1.amazonaws.com/{pool}", "token_use": "id"}]
    token = ".".join([*(base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts), "s"])
    weather.grant(token)
    assert IDENTITY in aws_iot("login -u alice -p x").stderr
    shown = weather.said("GetId", "Logins") + weather.said(KEYS, "Logins")
    assert shown == [{f"cognito-idp.us-east-1.amazonaws.com/{pool}": token}] * 2


# -- what this machine has, or has not, of AWS


def test_a_broken_file_of_aws_settings_stops_only_admins(
    aws_iot: CommandLine, person: Person, tmp_path: Path
) -> None:
    broken = tmp_path / "broken"
    broken.write_text("[profile a]\nregion = us-east-1\nregion = us-east-1\n")
    env = environment(tmp_path, AWS_CONFIG_FILE=str(broken))
    run_here(f"login -u {person.username} -p {PASSWORD}", env)
    line = f"admin accept {person.identity} --aws-profile a"
    assert str(broken) in run(line, env, ends=3).stderr


@contextmanager
def metadata_service() -> Iterator[tuple[str, list[str]]]:
    """What would be at 169.254.169.254, and what it was asked."""
    asked: list[str] = []

    class Nothing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def do_PUT(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            pass

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Nothing)) as server:
        yield f"http://127.0.0.1:{server.server_port}", asked


def test_only_an_admin_needs_an_aws_profile_or_waits_for_instance_metadata(
    aws_iot: CommandLine, person: Person, tmp_path: Path
) -> None:
    aws_iot(f"config -u {person.username} -p {PASSWORD}")
    with metadata_service() as (url, asked):
        nothing = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": url}
        nonsense = nothing | {"AWS_PROFILE": "nonsense", "AWS_DEFAULT_PROFILE": "nonsense"}
        for line in ("login", "whoami", "credentials", "password reset"):
            aws_iot(line, env=nonsense)
        for env in (nothing, nonsense):
            run(f"{PUB} -p {PASSWORD}", environment(tmp_path, **env))
        aws_iot("logout", env=nonsense)
        assert asked == []
        profiles = aws_iot.app.config.profiles
        profiles.replace("default", profiles.load("default")._replace(admin_credentials_file=None))
        aws_iot(f"admin accept {person.identity}", ends=3, env=nonsense)
        aws_iot(f"admin accept {person.identity}", ends=4, env=nothing)
        assert asked != []


def test_an_identity_that_an_admin_has_deleted_is_replaced(signed_in: CommandLine, weather: Weather) -> None:
    weather.once(refused("ResourceNotFoundException", "Identity 'us-east-1:x' not found."), KEYS)
    signed_in(f"login -p {PASSWORD}")
    assert "GetId" in weather.operations
