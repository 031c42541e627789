"""`aws-iot login`, `logout`, `whoami`, and how the other commands use the saved session."""

import json
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aws_iot.auth.session import RefreshToken, Session
from aws_iot.errors import Unreachable
from tests.conftest import CommandLine
from tests.fakes import POOL, FakeApp, FakeCloud

PUB = "pub -r lobby -m hello"


@pytest.fixture
def identity(cloud: FakeCloud) -> str:
    """Alice is a member."""
    return cloud.member("alice", "Passw0rd")


def unplug(app: FakeApp) -> None:
    """From now on the user pool cannot be reached."""
    app.controls.fails_with = Unreachable("cannot reach the user pool")


def pass_time(app: FakeApp, **time: int) -> None:
    """Let it be later."""
    app.controls.now = lambda: datetime.now(UTC) + timedelta(**time)


def test_a_signed_in_user_needs_no_password_and_no_user_pool(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    result = aws_iot("login -u alice -p Passw0rd")
    assert identity in result.stderr
    unplug(app)
    aws_iot(PUB)
    aws_iot(f"{PUB} -u alice")
    assert len(cloud.published) == 2


def test_a_preset_password_signs_in_once(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    aws_iot("config -u alice -p Passw0rd")
    aws_iot(PUB)
    unplug(app)
    aws_iot(PUB)
    assert len(cloud.published) == 2


def test_the_session_of_a_typed_password_is_not_saved(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    aws_iot(f"{PUB} -u alice -p Passw0rd")
    aws_iot("whoami", ends=4)
    aws_iot("login -u alice -p Passw0rd")
    aws_iot(f"{PUB} -p wrong", ends=4)
    aws_iot(f"{PUB} --password-stdin", ends=4, stdin="wrong\n")
    assert len(cloud.published) == 1


def test_the_password_s_file_may_be_of_a_windows_editor(aws_iot: CommandLine, identity: str) -> None:
    aws_iot("login -u alice --password-stdin", stdin="Passw0rd\r\n".encode("utf-16"))
    aws_iot("login -u alice -p '\ufeffPassw0rd'")
    aws_iot("login -u alice --password-stdin", stdin="Passw0rd\n".encode("utf-16-le"), ends=2)


def test_a_session_belongs_to_one_user(aws_iot: CommandLine, cloud: FakeCloud, identity: str) -> None:
    cloud.member("bob", "Passw0rd")
    aws_iot("login -u alice -p Passw0rd")
    assert "AWS_IOT_PASSWORD" in aws_iot(f"{PUB} -u bob", ends=4).stderr


@pytest.mark.parametrize("user", ["", "-u bob"])
@pytest.mark.parametrize(
    "line",
    [
        "pub -r lobby -m x",
        "pub -r lobby --lines",
        "pub -r lobby -m x --spool spool",
        "sub",
        "credentials",
        "credentials exec USER -- true",
        "whoami",
        "password change",
        "mfa status",
        "mfa setup",
        "mfa off",
        "account delete",
        "doctor",
    ],
)
def test_without_a_session_and_a_terminal_every_command_exits_with_4(
    aws_iot: CommandLine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, user: str
) -> None:
    monkeypatch.chdir(tmp_path)
    has_user = line.split()[0] in ("pub", "sub", "credentials", "doctor")
    given = line.replace("USER", user) if "USER" in line else f"{line} {user if has_user else ''}"
    assert "aws-iot login" in aws_iot(given, ends=4).output


def test_a_login_without_a_user_is_a_usage_error(aws_iot: CommandLine, identity: str) -> None:
    assert "Which user?" in aws_iot("login", ends=2).stderr
    assert "--password-stdin" in aws_iot("login -u alice", ends=4).stderr


def test_a_session_belongs_to_one_set_of_pools(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    app.config.profiles.change("default", lambda _: cloud.profile._replace(user_pool_id="us-east-1_OTHER"))
    aws_iot("whoami", ends=4)


def test_an_expiring_session_is_refreshed_without_the_password(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    before = json.loads(aws_iot("whoami --json").stdout)
    cloud.accounts["alice"].password = "changed"
    pass_time(app, minutes=56)
    aws_iot(PUB)
    after = json.loads(aws_iot("whoami --json").stdout)
    assert after["tokens_end"] > before["tokens_end"]
    assert after["identity"] == before["identity"] == identity


def test_a_password_replaces_a_session_that_cannot_be_refreshed(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    cloud.tokens.clear()
    pass_time(app, hours=2)
    assert "the session is no longer valid" in aws_iot(PUB, ends=4).stderr
    assert "the session is no longer valid" in aws_iot(PUB, env={"AWS_IOT_PASSWORD": "Passw0rd"}).stderr
    assert len(cloud.published) == 1


def test_a_network_error_during_a_refresh_is_reported(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    pass_time(app, hours=2)
    unplug(app)
    assert "cannot reach the user pool" in aws_iot(PUB, ends=6).stderr


def test_whoami_calls_no_service(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    aws_iot("login -u alice -p Passw0rd")
    unplug(app)
    facts = json.loads(aws_iot("whoami --json").stdout)
    assert list(facts) == ["user", "profile", "identity", "identity_pool", "tokens_end", "credentials_end"]
    assert (facts["user"], facts["profile"]) == ("alice", "default")
    assert (facts["identity"], facts["identity_pool"]) == (identity, POOL)
    lines = aws_iot("whoami").stdout.splitlines()
    assert [line.split("  ")[0] for line in lines][:3] == ["user", "profile", "identity"]


def test_nobody_is_signed_in_at_first(aws_iot: CommandLine) -> None:
    assert "aws-iot login -k default" in aws_iot("whoami", ends=4).stderr
    assert "not signed in" in aws_iot("logout").stderr


def saved(app: FakeApp) -> tuple[Session, RefreshToken]:
    """The saved tokens, and the refresh token."""
    profile = app.config.profiles.load("default")
    found = app.auth.sessions.load(profile)
    assert found
    assert found.session
    token = app.auth.sessions.refresh_token(profile, found.username)
    assert token
    return found.session, token


@pytest.mark.parametrize("line", ["logout", "logout --everywhere"])
def test_logout_deletes_and_revokes_the_session(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str, line: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    session, token = saved(app)
    assert "Signed out" in aws_iot(line).stderr
    assert token.value not in cloud.tokens
    assert (session.id_token in cloud.tokens) is (line == "logout")
    aws_iot("whoami", ends=4)


def test_logout_without_a_network_deletes_the_session(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    unplug(app)
    aws_iot("logout", ends=6)
    aws_iot("whoami", ends=4)


@pytest.mark.parametrize("damage", [b"", b"{", b"null", b"[]", b'{"pools": 1}', b"\xff", b"[" * 50_000])
def test_a_damaged_cache_is_refreshed(
    aws_iot: CommandLine, app: FakeApp, identity: str, damage: bytes
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    [path] = app.auth.sessions.folder.glob("*.json")
    path.write_bytes(damage)
    assert json.loads(aws_iot("whoami --json").stdout)["credentials_end"] is None
    aws_iot("pub -r lobby -m hello")
    assert json.loads(aws_iot("whoami --json").stdout)["credentials_end"]
    path.unlink()
    aws_iot("pub -r lobby -m hello")
    aws_iot("logout")
    assert "not signed in" in aws_iot("logout").stderr


@pytest.mark.parametrize("damage", [b"", b"{", b"null", b"[]", b'{"pools": 1}', b"\xff"])
def test_a_damaged_record_counts_as_signed_out_and_logout_cleans_up(
    aws_iot: CommandLine, app: FakeApp, identity: str, damage: bytes
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    [path] = (app.settings.folders.sessions).glob("*.json")
    path.write_bytes(damage)
    aws_iot("whoami", ends=4)
    aws_iot("logout")
    assert app.config.secrets.get("refresh-token", "default", "alice") is None
    assert list(app.auth.sessions.folder.glob("*.json")) == []


def test_the_last_user_who_signed_in_is_used(aws_iot: CommandLine, cloud: FakeCloud, identity: str) -> None:
    other = cloud.member("bob", "Passw0rd")
    aws_iot("config -u alice")
    aws_iot("login -u bob -p Passw0rd")
    aws_iot("pub -r lobby -m hello")
    assert cloud.published[-1][0].endswith(other)


def test_logout_everywhere_refreshes_an_expired_access_token(
    aws_iot: CommandLine, app: FakeApp, cloud: FakeCloud, identity: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    session, _ = saved(app)
    del cloud.tokens[session.id_token]  # the fake uses it for all short-lived tokens
    aws_iot("logout --everywhere")
    assert cloud.tokens == {}


def test_logout_warns_of_a_preset_password(aws_iot: CommandLine, identity: str) -> None:
    aws_iot("config -u alice -p Passw0rd")
    aws_iot("login")
    assert "aws-iot config --forget -k default" in aws_iot("logout").stderr


def test_account_commands_refresh_tokens_that_expire_before_the_credentials(
    aws_iot: CommandLine, app: FakeApp, identity: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    profile = app.config.profiles.load("default")
    found = app.auth.sessions.load(profile)
    assert found
    assert found.session
    expiring = found.session._replace(expires=datetime.now(UTC) + timedelta(seconds=5))
    app.auth.sessions.update(profile, found._replace(session=expiring))
    aws_iot("pub -r lobby -m hello")
    assert saved(app)[0].expires == expiring.expires
    aws_iot("mfa status")
    assert saved(app)[0].expires > expiring.expires


def test_only_the_owner_can_read_a_session(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    shown = aws_iot("login -u alice -p Passw0rd").output + aws_iot("whoami --json").output
    [path] = app.auth.sessions.folder.glob("*.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    session, token = saved(app)
    secrets = (session.id_token, session.access_token, token.value, "Passw0rd")
    assert not [secret for secret in secrets if secret in shown]


def test_removing_a_profile_removes_its_session(aws_iot: CommandLine, app: FakeApp, identity: str) -> None:
    aws_iot("login -u alice -p Passw0rd")
    aws_iot("config remove -k default")
    assert list(app.auth.sessions.folder.glob("*.json")) == []


def test_an_account_that_was_created_again_gets_its_own_identity(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    aws_iot("login -u alice -p Passw0rd")
    again = cloud.member("alice", "Passw0rd")
    assert again != identity
    aws_iot("login -u alice -p Passw0rd")
    assert json.loads(aws_iot("whoami --json").stdout)["identity"] == again


def test_a_password_without_a_name_belongs_to_the_profile_s_user(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    bob = cloud.member("bob", "Passw0rd-of-bob")
    aws_iot("config -u bob")
    aws_iot("login -u alice -p Passw0rd")
    aws_iot("pub -r lobby -m hello -p Passw0rd-of-bob")
    assert cloud.published[-1][0].endswith(bob)
    aws_iot("login", env={"AWS_IOT_PASSWORD": "Passw0rd-of-bob"})
    assert json.loads(aws_iot("whoami --json").stdout)["user"] == "bob"


def test_a_sign_in_that_replaces_another_session_says_so(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    cloud.member("bob", "Passw0rd")
    words = "This replaces the session of alice, because a profile has one session."
    for _ in range(2):
        assert words not in aws_iot("login -u alice -p Passw0rd").stderr
    assert words in aws_iot("login -u bob -p Passw0rd").stderr


def test_another_preset_user_removes_the_session(aws_iot: CommandLine, identity: str) -> None:
    aws_iot("config -u alice")
    aws_iot("login -p Passw0rd")
    assert "Sign in again" in aws_iot("config -u bob").stderr
    aws_iot("whoami", ends=4)


def test_another_user_s_password_in_the_environment_does_not_replace_the_session(
    aws_iot: CommandLine, cloud: FakeCloud, identity: str
) -> None:
    bob = cloud.member("bob", "Passw0rd")
    aws_iot("login -u alice -p Passw0rd")
    aws_iot("pub -r lobby -m hello", env={"AWS_IOT_USER": "bob", "AWS_IOT_PASSWORD": "Passw0rd"})
    assert cloud.published[-1][0].endswith(bob)
    assert json.loads(aws_iot("whoami --json").stdout)["user"] == "alice"
