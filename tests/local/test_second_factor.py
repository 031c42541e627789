"""Second factors and remembered devices, with a proxy that adds what the local stack's engine lacks of Cognito."""

import base64
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aws_iot.app import App
from tests import terminal
from tests.cognito_proxy import AppRequired, Devices, Handler, Rotation, cognito_proxy
from tests.in_process import run_here
from tests.processes import COMMAND, PASSWORD, Stack, end_soon, environment, totp
from tests.terminal import on_a_terminal, read_rest, read_until, type_in
from tests.waiting import DEADLINE_SECONDS

pytestmark = terminal.NEEDED


@contextmanager
def a_profile_of(stack: Stack, config: Path, handle: Handler) -> Iterator[dict[str, str]]:
    """The environment of a person whose user pool answers through `handle`."""
    with cognito_proxy(str(stack.profile.cognito_idp_url), handle) as url:
        App.in_folder(config).config.profiles.change(
            "default", lambda _: stack.profile._replace(cognito_idp_url=url)
        )
        yield environment(config)


def test_a_user_pool_can_require_an_authenticator_app_at_sign_in(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    with a_profile_of(stack, tmp_path, AppRequired()) as env:
        login = [*COMMAND, "login", "-u", person.username, "-p", PASSWORD]
        assert "Sign in at a terminal" in run_here(" ".join(login[3:]), env, ends=4).stderr
        with on_a_terminal(login, env) as process:
            shown = read_until(process, b"shows now: ").decode()
            type_in(process, b"000000\r")
            assert b"not the code that the app shows" in read_until(process, b"shows now: ")
            secret = re.search(r"this secret into the app: ([A-Z2-7 ]+)", shown)
            assert secret
            type_in(process, totp(secret[1].replace(" ", "")).encode() + b"\r")
            assert "Signed in" in read_rest(process).decode()
            assert process.wait(DEADLINE_SECONDS) == 0
        assert "█▀▀▀▀▀█" in shown or "▄▄▄▄▄" in shown
        run_here("whoami", env)


def test_mfa_is_set_up_shown_and_turned_off(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    env = person.env
    assert "aws-iot mfa setup" in run_here("mfa status", env).stderr
    with on_a_terminal([*COMMAND, "mfa", "setup"], env) as process:
        shown = read_until(process, b"shows now: ").decode()
        secret = re.search(r"this secret into the app: ([A-Z2-7 ]+)", shown)
        assert secret
        type_in(process, totp(secret[1].replace(" ", "")).encode() + b"\r")
        assert "MFA is on" in read_rest(process).decode()
    assert run_here("mfa status", env).stdout == "authenticator app\n"
    assert '"preferred": "SOFTWARE_TOKEN_MFA"' in run_here("mfa status --json", env).stdout
    run_here("mfa off", env)
    assert run_here("mfa status", env).stdout == ""


def test_a_remembered_device_proves_itself(stack: Stack, tmp_path: Path) -> None:
    person, devices = stack.person(), Devices()
    login = f"login -u {person.username} -p {PASSWORD}"
    with a_profile_of(stack, tmp_path, devices) as env:
        run_here(f"{login} --remember-device", env)
        [device] = devices.known
        assert devices.remembered == {device}
        end_soon(App.in_folder(tmp_path))
        run_here("pub -r lobby -m hello", env)  # a renewal names the device

        run_here("logout", env)
        run_here(login, env)
        run_here(f"pub -r lobby -m hello -u {person.username} -p {PASSWORD}", env)
        assert devices.proved == [device, device]
        assert list(devices.known) == [device]


def test_a_forgotten_device_signs_in_as_a_new_one(stack: Stack, tmp_path: Path) -> None:
    person, devices = stack.person(), Devices()
    login = f"login -u {person.username} -p {PASSWORD}"
    with a_profile_of(stack, tmp_path, devices) as env:
        run_here(login, env)
        [first] = devices.known
        devices.known.clear()
        run_here(login, env)
        [second] = devices.known
        assert second != first
        run_here(login, env)
        assert devices.proved == [second]


def test_a_device_whose_proof_fails_after_a_code_signs_in_as_a_new_one(stack: Stack, tmp_path: Path) -> None:
    person, devices = stack.person(), Devices()
    accounts = stack.app().auth.accounts(stack.profile)
    account = accounts.of(stack.sign_in(person.username))
    secret = account.new_authenticator()
    account.confirm_authenticator(totp(secret))
    account.use_second_factor("SOFTWARE_TOKEN_MFA")
    with a_profile_of(stack, tmp_path, devices) as env:
        login = f"login -u {person.username} -p {PASSWORD} --mfa-code"
        run_here(f"{login} {totp(secret)}", env)
        [device] = devices.known
        devices.known[device]["Salt"] = base64.b64encode(b"another").decode()
        # Another sign-in takes another code, which a script cannot be asked for; its next run is well again.
        assert "asks for a code" in run_here(f"{login} {totp(secret)}", env, ends=4).stderr
        run_here(f"{login} {totp(secret)}", env)
        assert len(devices.known) == 2


def test_rotated_refresh_tokens_are_saved_each_time(stack: Stack, tmp_path: Path) -> None:
    person, rotation = stack.person(), Rotation()
    with a_profile_of(stack, tmp_path, rotation) as env:
        run_here(f"login -u {person.username} -p {PASSWORD}", env)
        for _ in range(3):
            end_soon(App.in_folder(tmp_path))
            run_here("pub -r lobby -m hello", env)
        rotation.real.clear()  # as if another machine had used this one's
        end_soon(App.in_folder(tmp_path))
        errors = run_here("pub -r lobby -m hello", env, ends=4).stderr
        assert "the session is no longer valid: Refresh token has been invalidated by rotation." in errors
