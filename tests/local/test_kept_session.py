"""A kept session, for real: nothing is asked of Cognito, and the libraries for it are not even loaded."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from aws_iot.app import App
from tests.processes import DEADLINE_SECONDS, PASSWORD, Stack, environment, run

AND_THEN_TELL = """
import atexit, json, sys
heavy = ["boto3", "botocore", "pycognito", "requests", "urllib3"]
atexit.register(lambda: print("loaded:", json.dumps([name for name in heavy if name in sys.modules])))
from aws_iot.cli import main
main()
"""


def test_a_live_session_says_something_without_cognito(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    env = environment(tmp_path)
    nowhere = "http://127.0.0.1:9"
    profiles = App(tmp_path).profiles
    profiles.change("default", lambda _: stack.profile)
    run(f"login -u {person.username} --password-stdin", env, stdin=PASSWORD + "\n")
    profiles.change(
        "default", lambda _: replace(stack.profile, cognito_idp_url=nowhere, cognito_identity_url=nowhere)
    )
    done = subprocess.run(
        [sys.executable, "-c", AND_THEN_TELL, "pub", "-r", "lobby", "-m", "hello"],
        env=env,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=True,
    )
    assert json.loads(done.stdout.removeprefix("loaded:")) == []


def test_signed_in_signed_out(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    env = environment(tmp_path)
    App(tmp_path).profiles.change("default", lambda _: stack.profile)
    run(f"login -u {person.username} -p {PASSWORD}", env)
    assert re.search(f"^identity +{person.identity}$", run("whoami", env).stdout, re.MULTILINE)
    run("pub -r lobby -m hello", env)
    run("logout --everywhere", env)
    run("whoami", env, ends=4)
    run("pub -r lobby -m hello", env, ends=2)
