"""A kept session, for real: nothing is asked of Cognito, and the libraries for it are not even loaded."""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

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


@contextmanager
def counting(url: str) -> Iterator[tuple[str, list[str]]]:
    """Another address for the services at `url`, and what is asked there."""
    asked: list[str] = []
    there = urlsplit(url).netloc

    class Forward(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            asked.append(self.headers["X-Amz-Target"].partition(".")[2])
            body = self.rfile.read(int(self.headers["Content-Length"]))
            link = HTTPConnection(there, timeout=DEADLINE_SECONDS)
            link.request("POST", self.path, body, dict(self.headers))
            answer = link.getresponse()
            told = answer.read()
            link.close()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["Content-Type"])
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Forward) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_no_more_is_asked_of_cognito_than_is_needed(stack: Stack, tmp_path: Path) -> None:
    person = stack.person()
    env = environment(tmp_path)
    app = App(tmp_path)
    with counting(str(stack.profile.cognito_idp_url)) as (url, asked):
        app.profiles.change(
            "default", lambda _: replace(stack.profile, cognito_idp_url=url, cognito_identity_url=url)
        )
        profile = app.profiles.load("default")

        run(f"login -u {person.username} -p {PASSWORD}", env)
        assert asked == ["InitiateAuth", "RespondToAuthChallenge", "GetId", "GetCredentialsForIdentity"]

        asked.clear()
        run(f"login -u {person.username} -p {PASSWORD}", env)
        assert asked == ["InitiateAuth", "RespondToAuthChallenge", "GetCredentialsForIdentity"]

        asked.clear()
        run("pub -r lobby -m hello", env)
        assert asked == []

        kept = app.sessions.load(profile)
        assert kept
        ending = replace(kept.credentials, expires=datetime.now(UTC) + timedelta(minutes=1))
        app.sessions.save(profile, replace(kept, credentials=ending))
        run("pub -r lobby -m hello", env)
        assert asked == ["GetTokensFromRefreshToken", "GetCredentialsForIdentity"]


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
