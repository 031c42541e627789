"""A saved session, for real: no call to Cognito, and what only others need is not loaded."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from aws_iot.app import App
from tests.cognito_proxy import Forward, Reply, cognito_proxy
from tests.in_process import run_here
from tests.processes import PASSWORD, Stack, end_soon, environment
from tests.waiting import DEADLINE_SECONDS

REPORT_MODULES = """
import atexit, json, sys, types
heavy = ["boto3", "botocore", "pycognito", "requests", "urllib3", "keyring", "sqlite3"]
heavy += ["awscrt.mqtt_request_response", "aws_iot.cli.ui.authenticator", "aws_iot.cli.ui.formatting"]
loaded = lambda name: type(sys.modules.get(name)) is types.ModuleType  # another type has not run yet
atexit.register(lambda: print("loaded:", json.dumps([*filter(loaded, heavy)])))
from aws_iot.cli import main
main()
"""


def loaded_by(env: dict[str, str], *arguments: str) -> list[str]:
    """Which of the heavy modules a command loads."""
    done = subprocess.run(
        [sys.executable, "-c", REPORT_MODULES, *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    loaded: list[str] = json.loads(done.stdout.removeprefix("loaded:"))
    return loaded


def test_pub_with_a_saved_session_loads_nothing_that_it_does_not_need(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    env = environment(tmp_path)
    nowhere = "http://127.0.0.1:9"
    profiles = App.in_folder(tmp_path).config.profiles
    profiles.change("default", lambda _: stack.profile)
    run_here(f"login -u {person.username} --password-stdin", env, stdin=PASSWORD + "\n")
    profiles.change(
        "default", lambda _: stack.profile._replace(cognito_idp_url=nowhere, cognito_identity_url=nowhere)
    )
    assert loaded_by(env, "pub", "-r", "lobby", "-m", "hello") == []


def test_a_refresh_does_not_load_the_library_for_passwords(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    env = environment(tmp_path)
    App.in_folder(tmp_path).config.profiles.change("default", lambda _: stack.profile)
    run_here(f"login -u {person.username} --password-stdin", env, stdin=PASSWORD + "\n")
    end_soon(App.in_folder(tmp_path))
    assert loaded_by(env, "pub", "-r", "lobby", "-m", "hello") == ["botocore", "urllib3"]


def test_commands_make_only_the_necessary_calls_to_cognito(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    env = environment(tmp_path)
    app = App.in_folder(tmp_path)
    asked: list[str] = []

    def count(operation: str, said: dict[str, Any], forward: Forward) -> Reply:
        asked.append(operation)
        return forward(operation, said)

    with cognito_proxy(str(stack.profile.cognito_idp_url), count) as url:
        app.config.profiles.change(
            "default", lambda _: stack.profile._replace(cognito_idp_url=url, cognito_identity_url=url)
        )

        run_here(f"login -u {person.username} -p {PASSWORD}", env)
        assert asked == ["InitiateAuth", "RespondToAuthChallenge", "GetId", "GetCredentialsForIdentity"]

        asked.clear()
        run_here(f"login -u {person.username} -p {PASSWORD}", env)
        assert asked == ["InitiateAuth", "RespondToAuthChallenge", "GetCredentialsForIdentity"]

        asked.clear()
        run_here("pub -r lobby -m hello", env)
        assert asked == []

        end_soon(app)
        run_here("pub -r lobby -m hello", env)
        assert asked == ["GetTokensFromRefreshToken", "GetCredentialsForIdentity"]


def test_login_pub_and_logout(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    env = environment(tmp_path)
    App.in_folder(tmp_path).config.profiles.change("default", lambda _: stack.profile)
    run_here(f"login -u {person.username} -p {PASSWORD}", env)
    assert re.search(f"^identity +{person.identity}$", run_here("whoami", env).stdout, re.MULTILINE)
    run_here("pub -r lobby -m hello", env)
    run_here("logout --everywhere", env)
    run_here("whoami", env, ends=4)
    run_here("pub -r lobby -m hello", env, ends=4)
