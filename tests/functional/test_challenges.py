"""Challenges are answered by options, by variables, or by the person."""

from collections.abc import Callable

import pytest

from aws_iot.auth.accounts import Challenge
from aws_iot.auth.login import SignInRequest
from aws_iot.auth.token_refresher import ActiveSession
from aws_iot.cli.ui.terminal_prompter import TerminalPrompter
from aws_iot.errors import CodeRefused
from tests.conftest import CommandLine
from tests.fakes import FakeApp, FakeCloud

LOGIN = "login -u alice -p Passw0rd"


def asks(kind: str, wants: str, **more: tuple[str, ...]) -> Challenge:
    return Challenge(kind, "alice", "session", wants, **more)  # type: ignore[arg-type]


CODE = asks("SOFTWARE_TOKEN_MFA", "code")
CHOICE = asks("SELECT_MFA_TYPE", "choice", choices=("SMS_MFA", "SOFTWARE_TOKEN_MFA"))
NEW_PASSWORD = asks("NEW_PASSWORD_REQUIRED", "password", attributes=("nickname",))


@pytest.fixture
def posed(cloud: FakeCloud) -> Callable[..., None]:
    """Has the user pool ask Alice these things."""
    cloud.member("alice", "Passw0rd")

    def pose(*challenges: Challenge) -> None:
        cloud.accounts["alice"].challenges = list(challenges)

    return pose


def at_a_terminal(app: FakeApp) -> None:
    app.controls.is_at_terminal = True


def test_an_option_can_give_a_code(aws_iot: CommandLine, posed: Callable[..., None]) -> None:
    posed(CODE)
    aws_iot(f"{LOGIN} --mfa-code 123456")
    aws_iot("whoami")


def test_a_session_under_an_alias_is_found_after_a_challenge(
    aws_iot: CommandLine, cloud: FakeCloud, posed: Callable[..., None]
) -> None:
    posed(CODE)
    cloud.aliases["alice@example.com"] = "alice"
    aws_iot("login -u alice@example.com -p Passw0rd --mfa-code 123456")
    aws_iot("pub -r lobby -m hello -u alice@example.com")
    assert len(cloud.published) == 1


def test_a_variable_can_give_a_code(aws_iot: CommandLine, posed: Callable[..., None]) -> None:
    posed(CODE)
    aws_iot("pub -r lobby -m hello -u alice -p Passw0rd", env={"AWS_IOT_MFA_CODE": "123456"})


def test_without_a_terminal_the_error_names_the_option(
    aws_iot: CommandLine, posed: Callable[..., None]
) -> None:
    for challenge, words in ((CODE, "--mfa-code"), (CHOICE, "--mfa-method"), (NEW_PASSWORD, "terminal")):
        posed(challenge)
        told = aws_iot(LOGIN, ends=4).stderr
        assert words in told
        assert "aws-iot login -u alice -k default" in told


def test_a_wrong_code_from_an_option_is_not_tried_again(
    aws_iot: CommandLine, posed: Callable[..., None]
) -> None:
    posed(CODE)
    assert "not the code" in aws_iot(f"{LOGIN} --mfa-code 000000", ends=4).stderr


@pytest.fixture
def signs_in(app: FakeApp, posed: Callable[..., None]) -> Callable[..., ActiveSession]:
    """Alice signs in at a terminal, where she types these lines."""
    at_a_terminal(app)

    def sign_in(*typed: str, given: dict[str, str] | None = None) -> ActiveSession:
        lines = iter(typed)
        prompter = TerminalPrompter(app, "default", ask_line=lambda _: next(lines))
        request = SignInRequest("alice", "Passw0rd", answers=given or {})
        return app.auth.login(app.config.profiles.load("default")).sign_in_with_password(request, prompter)

    return sign_in


def test_a_person_may_mistype_a_code_twice(
    posed: Callable[..., None], signs_in: Callable[..., ActiveSession]
) -> None:
    posed(CODE)
    assert signs_in("1", "2", "123456")
    with pytest.raises(CodeRefused):
        signs_in("1", "2", "3", "123456")


def test_a_person_chooses_by_number(
    posed: Callable[..., None], signs_in: Callable[..., ActiveSession]
) -> None:
    posed(CHOICE, CODE)
    assert signs_in("0", "x", "²", "3", "1 2", "", "9" * 5000, "2", "123456")


def test_options_can_give_a_choice_and_its_code(aws_iot: CommandLine, posed: Callable[..., None]) -> None:
    posed(CHOICE, CODE)
    aws_iot(f"{LOGIN} --mfa-method SOFTWARE_TOKEN_MFA --mfa-code 123456")


def test_a_new_password_and_a_required_attribute(
    cloud: FakeCloud, posed: Callable[..., None], signs_in: Callable[..., ActiveSession]
) -> None:
    posed(NEW_PASSWORD)
    assert signs_in("Ali", given={"password": "Passw0rd-2"})
    assert cloud.accounts["alice"].password == "Passw0rd-2"
    assert cloud.accounts["alice"].attributes == {"nickname": "Ali"}


def test_an_option_can_give_a_required_attribute(
    aws_iot: CommandLine, cloud: FakeCloud, posed: Callable[..., None]
) -> None:
    posed(NEW_PASSWORD)
    aws_iot(f"{LOGIN} --new-password Passw0rd-2 --attribute nickname=Ali")
    assert cloud.accounts["alice"].attributes == {"nickname": "Ali"}
    assert "NAME=VALUE" in aws_iot(f"{LOGIN} --attribute nickname", ends=2).stderr


def test_a_weak_new_password_is_rejected(aws_iot: CommandLine, posed: Callable[..., None]) -> None:
    posed(asks("NEW_PASSWORD_REQUIRED", "password"))
    assert "too weak" in aws_iot(f"{LOGIN} --new-password short", ends=7).stderr


def test_a_preset_password_is_removed_when_it_is_replaced(
    aws_iot: CommandLine, posed: Callable[..., None]
) -> None:
    posed(asks("NEW_PASSWORD_REQUIRED", "password"))
    aws_iot("config -u alice -p Passw0rd")
    assert "aws-iot config -p PASS" in aws_iot("login --new-password Passw0rd-2").stderr
    aws_iot("logout")
    assert "Signed in" in aws_iot("login -p Passw0rd-2").stderr


def test_credentials_never_prompts(aws_iot: CommandLine, app: FakeApp, posed: Callable[..., None]) -> None:
    posed(CODE)
    at_a_terminal(app)
    assert "aws-iot login" in aws_iot("credentials -u alice -p Passw0rd", ends=4).stderr


def test_no_code_or_password_is_shown(aws_iot: CommandLine, posed: Callable[..., None]) -> None:
    posed(CHOICE, CODE)
    result = aws_iot(f"{LOGIN} --mfa-method SMS_MFA --mfa-code 654321", ends=4)
    assert "654321" not in result.output
    assert "Passw0rd" not in result.output
