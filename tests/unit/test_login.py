"""Login without a command: which session is used, refreshed, saved and revoked, by one program or by several."""

import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from pathlib import Path

import pytest

from aws_iot.auth.accounts import Challenge
from aws_iot.auth.login import Login, SignInRequest
from aws_iot.auth.prompter import NoPrompter
from aws_iot.auth.session import RefreshToken, Session
from aws_iot.auth.session_store import SessionStore
from aws_iot.auth.token_refresher import ActiveSession, StoredSession, TokenRefresher
from aws_iot.config.profile import Profile
from aws_iot.config.secrets import SecretStore
from aws_iot.errors import (
    AwsIotError,
    CredentialsRefused,
    LocalError,
    SessionEnded,
    SignInRefused,
    Unreachable,
    WrongPassword,
)
from tests.fakes import CODE, FakeAccounts, FakeCloud, FakeIssuer, FakeKeyring, LockedKeyring

PROGRAMS = 8
PASSWORD = "Passw0rd"
ALICE = SignInRequest("alice", PASSWORD)
NOBODY = NoPrompter("team")
CODE_CHALLENGE = Challenge("SOFTWARE_TOKEN_MFA", "alice", "session", "code")


class Accounts(FakeAccounts):
    """Counts refreshes. `meanwhile` happens during each."""

    refreshes = 0

    def __init__(self, cloud: FakeCloud) -> None:
        super().__init__(cloud)
        self.meanwhile: Callable[[], object] = lambda: None

    def refresh(self, token: RefreshToken) -> Session:
        self.refreshes += 1
        refreshed = super().refresh(token)
        self.meanwhile()
        return refreshed


class Issuer(FakeIssuer):
    """Raises what `fails` holds, once each."""

    def __init__(self, cloud: FakeCloud) -> None:
        super().__init__(cloud)
        self.fails: list[AwsIotError] = []

    def identify(self, session: Session) -> str:
        if self.fails:
            raise self.fails.pop()
        return super().identify(session)


@dataclass
class Reports:
    """`SignInReporter` that records the events."""

    events: list[str] = field(default_factory=list)

    def session_expired(self, error: SignInRefused) -> None:
        self.events.append("session expired")

    def keyring_unusable(self, error: AwsIotError) -> None:
        self.events.append("keyring unusable")

    def preset_password_removed(self, key: str) -> None:
        self.events.append(f"preset password of {key} removed")

    def old_password_stays(self, key: str, error: AwsIotError) -> None:
        self.events.append(f"old password of {key} stays: {error}")

    def session_not_saved(self, error: AwsIotError) -> None:
        self.events.append("session not saved")


class Person:
    """`Prompter` with a person who knows a password and types codes."""

    is_interactive = True

    def __init__(self, password: str = PASSWORD, codes: tuple[str, ...] = (), mistyped: int = 0) -> None:
        """`mistyped` is how many times the password is typed wrong at first."""
        self._passwords = chain(["wrong"] * mistyped, repeat(password))
        self._codes = iter(codes)
        self.rejections: list[str] = []

    def username(self) -> str:
        return "alice"

    def password(self, username: str) -> str:
        return next(self._passwords)

    def code(self, challenge: Challenge) -> str:
        return next(self._codes)

    def choice(self, challenge: Challenge) -> str:
        return challenge.choices[0]

    def new_password(self, challenge: Challenge, *, again: bool) -> str:
        return "Passw0rd-2" if again else "short"

    def authenticator_code(self, challenge: Challenge, *, again: bool) -> str:
        return CODE

    def attribute(self, name: str) -> str:
        return f"{name} of alice"

    def show_rejection(self, error: AwsIotError) -> None:
        self.rejections.append(str(error))


class World:
    """Programs of one machine that share a saved session."""

    def __init__(self, folder: Path, cloud: FakeCloud) -> None:
        self.cloud = cloud
        self.keyring: FakeKeyring | None = None
        self.profile = cloud.profile._replace(key="team")
        self.secrets = SecretStore(folder / "secrets", keyring=lambda: self.keyring)
        self.records = folder / "records"
        self.store = SessionStore(self.records, folder / "cache", self.secrets)
        self.accounts, self.issuer, self.reports = Accounts(cloud), Issuer(cloud), Reports()
        self.later = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.later

    def program(self, profile: Profile | None = None) -> Login:
        return Login(
            profile or self.profile,
            self.store,
            self.secrets,
            lambda: self.accounts,
            lambda: self.issuer,
            self.now,
            patience=10,
            reporter=self.reports,
        )

    def refresher(self, username: str = "alice") -> TokenRefresher:
        holder = StoredSession(self.store, self.profile, username, 10, self.reports.session_not_saved)
        return TokenRefresher(holder, lambda: self.accounts, lambda: self.issuer, self.now)

    def sign_in(self, username: str = "alice") -> ActiveSession:
        """Sign in by password, and save the session."""
        return self.program().sign_in_with_password(SignInRequest(username, PASSWORD), NOBODY)

    def make_unwritable(self) -> None:
        """Let nothing be saved any more, also for root; what is saved can be read."""
        for name in ("writing", "renewing"):
            shutil.rmtree(self.records / name, ignore_errors=True)
            self.records.mkdir(exist_ok=True)
            (self.records / name).write_text("")

    def expire_soon(self) -> None:
        """Let the saved credentials expire in a minute."""
        saved = self.store.load(self.profile)
        assert saved
        assert saved.credentials
        expiring = saved.credentials._replace(expires=self.now() + timedelta(minutes=1))
        self.store.update(self.profile, saved._replace(credentials=expiring))


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Alice and Bob are members."""
    cloud = FakeCloud()
    for name in ("alice", "bob"):
        cloud.member(name, PASSWORD)
    return World(tmp_path, cloud)


# -- the saved session


def test_a_saved_session_needs_no_service(world: World) -> None:
    world.sign_in()
    world.cloud.tokens.clear()
    assert world.program().sign_in(SignInRequest(), NOBODY).username == "alice"


@pytest.mark.parametrize("typed", ["alice", "ALICE", "Alice"])
def test_the_name_of_the_signed_in_user_may_be_typed_in_any_case(world: World, typed: str) -> None:
    world.sign_in()
    assert world.program().sign_in(SignInRequest(typed), NOBODY).username == "alice"
    session, is_saved = world.program().sign_in_without_credentials(SignInRequest(typed), NOBODY)
    assert (session.username, is_saved) == ("alice", True)


def test_a_sign_in_with_a_name_in_another_case_continues_the_same_session(world: World) -> None:
    first = world.sign_in()
    again = world.sign_in("ALICE")
    assert (again.username, again.credentials.identity) == (first.username, first.credentials.identity)


def test_the_preset_password_is_used_for_the_name_in_any_case(world: World) -> None:
    world.secrets.set("password", "team", "alice", PASSWORD)
    program = world.program(world.profile._replace(username="alice"))
    assert program.sign_in(SignInRequest("Alice"), NOBODY).username == "alice"


def test_names_that_differ_in_case_are_two_users_where_case_matters(world: World) -> None:
    class CaseSensitive(Accounts):
        def are_same(self, one: str, other: str) -> bool:
            return one == other

    world.sign_in()
    world.accounts = CaseSensitive(world.cloud)
    with pytest.raises(SignInRefused):
        world.program().sign_in(SignInRequest("ALICE"), NOBODY)
    session = world.program().sign_in(SignInRequest("ALICE", PASSWORD), NOBODY)
    assert session.username == "ALICE"
    assert world.program().sign_in(SignInRequest(), NOBODY).username == "alice"


def test_of_several_programs_that_find_a_session_expiring_one_refreshes_it(world: World) -> None:
    world.sign_in()
    world.expire_soon()
    found: list[ActiveSession] = []
    threads = [
        threading.Thread(target=lambda: found.append(world.program().sign_in(SignInRequest(), NOBODY)))
        for _ in range(PROGRAMS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert world.accounts.refreshes == 1
    assert len({one.session.id_token for one in found}) == 1
    assert len(found) == PROGRAMS


def test_a_program_that_refreshes_does_not_undo_a_sign_out(world: World) -> None:
    world.sign_in()
    world.expire_soon()
    world.accounts.meanwhile = lambda: world.program().sign_out(everywhere=False)
    assert world.refresher().signed_in() is None
    assert world.store.load(world.profile) is None
    assert world.store.orphaned_refresh_token("team") is None


def test_a_program_that_refreshes_does_not_undo_a_sign_in(world: World) -> None:
    world.sign_in()
    world.expire_soon()
    bob: list[ActiveSession] = []
    world.accounts.meanwhile = lambda: bob.append(world.sign_in("bob"))
    assert world.refresher().signed_in() is None
    saved = world.store.load(world.profile)
    assert saved
    assert saved.username == "bob"
    assert world.store.refresh_token(world.profile, "bob") == bob[0].session.refresh_token


def test_a_refresh_goes_on_with_the_new_refresh_token_if_there_are_no_credentials_yet(world: World) -> None:
    world.cloud.rotates = True
    world.sign_in()
    world.later = timedelta(hours=2)
    world.issuer.fails = [Unreachable("no network")]
    with pytest.raises(Unreachable):
        world.program().sign_in(SignInRequest(), NOBODY)
    saved = world.store.load(world.profile)
    assert saved
    assert saved.session
    assert saved.session.id_token in world.cloud.tokens
    world.later = timedelta(hours=4)
    assert world.program().sign_in(SignInRequest(), NOBODY).credentials.expires > datetime.now(UTC)


def test_credentials_that_are_good_for_a_while_serve_if_a_refresh_fails(world: World) -> None:
    signed_in = world.sign_in()
    world.cloud.tokens.clear()
    found = world.program().sign_in(SignInRequest(), NOBODY, left=timedelta(days=1))
    assert found.credentials == signed_in.credentials


def test_lost_tokens_are_none_and_a_refresh_gets_new_ones(world: World) -> None:
    world.sign_in()
    (world.store.folder / "team.json").unlink()
    saved = world.store.load(world.profile)
    assert saved
    assert (saved.username, saved.session, saved.credentials) == ("alice", None, None)
    assert world.program().sign_in(SignInRequest(), NOBODY).session.id_token in world.cloud.tokens


def test_a_session_without_a_refresh_token_ends_with_its_credentials(world: World) -> None:
    world.sign_in()
    world.secrets.remove("refresh-token", "team")
    world.later = timedelta(hours=2)
    with pytest.raises(SignInRefused, match="no refresh token"):
        world.refresher().signed_in()


def test_a_program_that_is_refreshing_for_too_long_is_not_waited_for(world: World) -> None:
    world.sign_in()
    world.expire_soon()
    holder = StoredSession(world.store, world.profile, "alice", 0, world.reports.session_not_saved)
    refresher = TokenRefresher(holder, lambda: world.accounts, lambda: world.issuer, world.now)
    with world.store.refreshing("team", 0), pytest.raises(Unreachable, match="another program"):
        refresher.signed_in()


def test_the_credentials_of_a_connection_end_with_a_sign_out(world: World) -> None:
    credentials = world.sign_in().refreshing_credentials()
    world.program().sign_out(everywhere=False)
    world.later = timedelta(hours=2)
    with pytest.raises(SessionEnded, match="signed out"):
        credentials.current()


# -- a folder that cannot be written, or is full


def test_a_session_that_cannot_be_saved_serves_this_process(world: World) -> None:
    world.make_unwritable()
    person = world.program().sign_in(SignInRequest("alice", PASSWORD), NOBODY)
    assert world.reports.events == ["session not saved"]
    assert world.store.load(world.profile) is None
    world.later = timedelta(hours=2)
    assert person.refreshing_credentials().current() != person.credentials


def test_a_login_that_cannot_be_saved_fails(world: World) -> None:
    world.make_unwritable()
    with pytest.raises(LocalError, match="cannot be locked"):
        world.sign_in()


def test_a_refreshed_session_that_cannot_be_saved_serves_this_process(world: World) -> None:
    tokens = [world.sign_in().session.id_token]
    world.make_unwritable()
    refresher = world.refresher()
    for hours in (2, 4):
        world.later = timedelta(hours=hours)
        person = refresher.signed_in()
        assert person
        tokens.append(person.session.id_token)
    assert len({*tokens}) == 3
    assert world.reports.events == ["session not saved"]


def test_a_session_that_was_not_saved_ends_with_the_saved_one(world: World) -> None:
    world.sign_in()
    world.make_unwritable()
    world.later = timedelta(hours=2)
    refresher = world.refresher()
    assert refresher.signed_in()
    for name in ("writing", "renewing"):
        (world.records / name).unlink()
    world.store.remove("team")
    assert refresher.signed_in() is None


# -- the tokens alone


def test_tokens_that_expire_before_the_credentials_are_refreshed(world: World) -> None:
    first = world.sign_in().session
    saved = world.store.load(world.profile)
    assert saved
    assert saved.session
    expiring = saved.session._replace(expires=world.now() + timedelta(seconds=5))
    world.store.update(world.profile, saved._replace(session=expiring))
    assert world.program().sign_in(SignInRequest(), NOBODY).session.id_token == first.id_token
    assert world.program().require_session().id_token != first.id_token


def test_new_tokens_serve_even_if_they_get_no_credentials(world: World) -> None:
    first = world.sign_in().session
    world.later = timedelta(hours=2)
    world.issuer.fails = [CredentialsRefused("no provider")]
    assert world.program().require_session().id_token != first.id_token


def test_nobody_is_signed_in_at_first(world: World) -> None:
    with pytest.raises(SignInRefused, match="not signed in with the profile 'team'"):
        world.program().require_session()
    with pytest.raises(SignInRefused, match="not signed in"):
        world.program().sign_in(SignInRequest(), NOBODY)


# -- the password


def test_an_explicit_password_is_used_and_its_session_is_not_saved(world: World) -> None:
    world.sign_in()
    with pytest.raises(WrongPassword):
        world.program().sign_in(SignInRequest("alice", "wrong", is_explicit=True), NOBODY)
    own = world.program().sign_in(ALICE._replace(is_explicit=True), NOBODY)
    saved = world.store.load(world.profile)
    assert saved
    assert saved.session
    assert saved.session.id_token != own.session.id_token


def test_a_private_session_outlives_the_saved_one_and_is_refreshed(world: World) -> None:
    world.sign_in()
    own = world.program().sign_in(ALICE._replace(is_explicit=True), NOBODY)
    world.program().sign_out(everywhere=False)
    world.later = timedelta(hours=2)
    assert own.refreshing_credentials().current() != own.credentials
    assert world.store.load(world.profile) is None


def test_a_password_takes_the_place_of_a_session_that_cannot_be_refreshed(world: World) -> None:
    world.sign_in()
    world.cloud.tokens.clear()
    world.later = timedelta(hours=2)
    with pytest.raises(SessionEnded):
        world.program().sign_in(SignInRequest(), NOBODY)
    assert world.program().sign_in(ALICE, NOBODY)
    assert world.reports.events == ["session expired"]


def test_a_password_for_another_user_does_not_replace_the_saved_session(world: World) -> None:
    world.sign_in()
    assert world.program().sign_in(SignInRequest("bob", PASSWORD), NOBODY).username == "bob"
    saved = world.store.load(world.profile)
    assert saved
    assert saved.username == "alice"


def test_a_password_without_a_name_is_first_the_profile_s_user_s(world: World) -> None:
    world.sign_in()
    login = world.program(world.profile._replace(username="bob"))
    assert login.expected_username(SignInRequest()) == "alice"
    assert login.expected_username(SignInRequest(password="x")) == "bob"
    assert login.expected_username(SignInRequest("carol", "x")) == "carol"


def test_a_preset_password_needs_nobody_to_be_asked(world: World) -> None:
    world.secrets.set("password", "team", "alice", PASSWORD)
    assert world.program().sign_in(SignInRequest("alice"), NOBODY)
    world.cloud.accounts["alice"].password = "changed"
    world.program().sign_out(everywhere=False)
    with pytest.raises(WrongPassword, match="preset") as caught:
        world.program().sign_in(SignInRequest("alice"), NOBODY)
    assert "aws-iot config -p PASS -k team" in (caught.value.hint or "")


def test_a_keyring_that_is_locked_leaves_the_password_to_the_person(world: World) -> None:
    world.keyring = FakeKeyring()
    world.secrets.set("password", "team", "alice", PASSWORD)
    world.keyring = LockedKeyring(world.keyring)
    with pytest.raises(LocalError, match="locked"):
        world.program().sign_in(SignInRequest("alice"), NOBODY)
    assert world.program().sign_in(SignInRequest("alice"), Person())
    assert world.reports.events == ["keyring unusable"]


def test_a_person_may_mistype_the_password_twice(world: World) -> None:
    person = Person(mistyped=2)
    assert world.program().sign_in(SignInRequest("alice"), person)
    assert person.rejections == ["wrong user name or password"] * 2


@pytest.mark.parametrize("save", [True, False])
def test_the_third_wrong_password_is_the_last_and_points_to_a_reset(world: World, save: bool) -> None:
    person = Person(mistyped=3)
    login, request = world.program(), SignInRequest("alice")
    with pytest.raises(WrongPassword) as caught:
        (login.sign_in if save else login.sign_in_without_credentials)(request, person)
    assert caught.value.hint == "If you have forgotten your password: aws-iot password reset -u alice -k team"
    assert len(person.rejections) == 2


@pytest.mark.parametrize("is_explicit", [True, False])
def test_a_wrong_password_that_was_given_is_not_tried_again(world: World, is_explicit: bool) -> None:
    person = Person()
    with pytest.raises(WrongPassword) as caught:
        world.program().sign_in(SignInRequest("alice", "wrong", is_explicit=is_explicit), person)
    assert "aws-iot password reset -u alice -k team" in (caught.value.hint or "")
    assert person.rejections == []


def test_the_person_is_asked_for_what_is_missing(world: World) -> None:
    assert world.program().sign_in(SignInRequest(), Person()).username == "alice"


# -- challenges


def test_a_code_may_be_typed_three_times(world: World) -> None:
    world.cloud.accounts["alice"].challenges = [CODE_CHALLENGE]
    person = Person(codes=("1", "2", CODE))
    assert world.program().sign_in(SignInRequest(), person)
    assert len(person.rejections) == 2


def test_a_given_code_is_used_once_and_then_nobody_is_asked_for_another(world: World) -> None:
    world.cloud.accounts["alice"].challenges = [CODE_CHALLENGE]
    with pytest.raises(SignInRefused, match="not the code"):
        world.program().sign_in(ALICE._replace(answers={"code": "000000"}), NOBODY)
    with pytest.raises(SignInRefused, match="asks for a code, but prompts are off"):
        world.program().sign_in(ALICE, NOBODY)
    assert world.program().sign_in(ALICE._replace(answers={"code": CODE}), NOBODY)


NEW_PASSWORD = Challenge("NEW_PASSWORD_REQUIRED", "alice", "session", "password", attributes=("nickname",))


def test_a_new_password_replaces_the_preset_one(world: World) -> None:
    world.cloud.accounts["alice"].challenges = [NEW_PASSWORD]
    world.secrets.set("password", "team", "alice", PASSWORD)
    assert world.program().sign_in(SignInRequest("alice"), Person())
    assert world.cloud.accounts["alice"].password == "Passw0rd-2"
    assert world.cloud.accounts["alice"].attributes == {"nickname": "nickname of alice"}
    assert world.secrets.get("password", "team", "alice") is None
    assert world.reports.events == ["preset password of team removed"]


class ReadOnlyKeyring(LockedKeyring):
    """A keyring that gives its secrets, but can neither save nor remove any."""

    def get(self, name: str) -> str | None:
        return self.holds.get(name)


def preset_in_locked_keyring(world: World) -> None:
    """Alice must set a new password; the old one is preset, and cannot be removed."""
    world.cloud.accounts["alice"].challenges = [NEW_PASSWORD]
    world.keyring = FakeKeyring()
    world.secrets.set("password", "team", "alice", PASSWORD)
    world.keyring = ReadOnlyKeyring(world.keyring)


def test_a_session_is_saved_even_if_the_old_password_cannot_be_removed(world: World) -> None:
    preset_in_locked_keyring(world)
    signed_in = world.program().sign_in(SignInRequest("alice"), Person())
    saved = world.store.load(world.profile)
    assert saved
    assert saved.credentials == signed_in.credentials
    assert world.store.refresh_token(world.profile, "alice") == signed_in.session.refresh_token
    assert world.reports.events == ["old password of team stays: the keyring is locked"]


def test_a_session_that_is_not_saved_serves_even_if_the_old_password_cannot_be_removed(world: World) -> None:
    preset_in_locked_keyring(world)
    assert world.program().sign_in(ALICE._replace(is_explicit=True), Person())
    world.cloud.accounts["alice"].challenges = [NEW_PASSWORD]
    again = ALICE._replace(password="Passw0rd-2", is_explicit=True)
    assert world.program().sign_in_without_credentials(again, Person())
    assert world.reports.events == ["old password of team stays: the keyring is locked"] * 2


def test_the_old_password_is_removed_even_if_there_are_no_credentials_yet(world: World) -> None:
    world.cloud.accounts["alice"].challenges = [NEW_PASSWORD]
    world.secrets.set("password", "team", "alice", PASSWORD)
    world.issuer.fails = [Unreachable("no network")]
    with pytest.raises(Unreachable):
        world.program().sign_in(SignInRequest("alice"), Person())
    assert world.reports.events == ["preset password of team removed"]


# -- signing out


@pytest.mark.parametrize("everywhere", [False, True])
def test_signing_out_revokes_the_session(world: World, everywhere: bool) -> None:
    first, second = (
        world.sign_in(),
        world.program().sign_in(ALICE._replace(is_explicit=True), NOBODY),
    )
    assert world.program().sign_out(everywhere=everywhere)
    assert first.session.refresh_token
    assert first.session.refresh_token.value not in world.cloud.tokens
    assert (second.session.id_token in world.cloud.tokens) is not everywhere
    assert not world.program().sign_out(everywhere=everywhere)


@pytest.mark.parametrize("lost", ["expired", "deleted", "revoked"])
def test_signing_out_everywhere_refreshes_tokens_that_no_longer_serve(world: World, lost: str) -> None:
    signed_in = world.sign_in()
    if lost == "expired":
        world.later = timedelta(hours=2)
    elif lost == "deleted":
        (world.store.folder / "team.json").unlink()
    else:
        del world.cloud.tokens[signed_in.session.id_token]
    assert world.program().sign_out(everywhere=True)
    assert world.cloud.tokens == {}
    assert world.accounts.refreshes == 1


def test_a_refresh_token_without_its_record_is_revoked(world: World) -> None:
    token = world.sign_in().session.refresh_token
    assert token
    (world.records / "team.json").write_text("damaged")
    assert world.program().sign_out(everywhere=False)
    assert token.value not in world.cloud.tokens
    assert not world.program().sign_out(everywhere=False)
