"""Real processes of the command, and the local stack as one of them."""

import base64
import hashlib
import hmac
import os
import re
import shlex
import shutil
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from configparser import ConfigParser
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import pytest

from aws_iot.app import App
from aws_iot.auth.accounts import Accounts
from aws_iot.auth.credentials import CredentialIssuer
from aws_iot.auth.session import RefreshToken, Session
from aws_iot.auth.session_store import SessionStore
from aws_iot.config.paths import Folders
from aws_iot.config.profile import Profile
from aws_iot.config.profile_store import ProfileStore
from aws_iot.config.secrets import SecretStore
from tests.waiting import DEADLINE_SECONDS

COMMAND = [sys.executable, "-m", "aws_iot"]
PASSWORD = "Passw0rd-of-a-test"


def environment(config: Path, **more: str) -> dict[str, str]:
    """The environment of a person whose settings are in `config`, without what this machine has of AWS."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "XDG_"))}
    ours = {
        "AWS_IOT_CONFIG_DIR": str(config),
        "AWS_IOT_SECRETS": "file",  # never your own keyring
        "PYTHONUNBUFFERED": "1",
        "HOME": str(config),
    }
    return kept | ours | more


class Running:
    """A command in the background. Its stdout and stderr can be waited for, line by line."""

    def __init__(
        self,
        line: str,
        env: dict[str, str],
        *,
        command: Sequence[str] = COMMAND,
        process_group: int | None = None,
    ) -> None:
        """`command` is what `line` is given to; `process_group` as in `Popen`: 0 makes one of its own."""
        self.line = line
        self.command = command
        self.process = subprocess.Popen(
            [*command, *shlex.split(line)],
            env=env,
            text=True,
            process_group=process_group,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self.stdout: list[str] = []
        self.stderr: list[str] = []
        self._changed = threading.Condition()
        self._readers = [
            threading.Thread(target=self._read, args=(stream, lines), daemon=True)
            for stream, lines in ((self.process.stdout, self.stdout), (self.process.stderr, self.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def _read(self, stream: Iterator[str], lines: list[str]) -> None:
        for line in stream:
            with self._changed:
                lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, pattern: str, seconds: float = DEADLINE_SECONDS) -> str:
        """The first line of either stream in which `pattern` is found."""
        with self._changed:
            self._changed.wait_for(lambda: self._find(pattern) is not None or self._is_over(), seconds)
        found = self._find(pattern)
        assert found is not None, f"no {pattern!r} came from: {self.report()}"
        return found

    def _is_over(self) -> bool:
        return not any(reader.is_alive() for reader in self._readers)

    def _find(self, pattern: str) -> str | None:
        return next((line for line in [*self.stdout, *self.stderr] if re.search(pattern, line)), None)

    def signal(self, number: int) -> int:
        """Send a signal; the exit code that follows."""
        self.process.send_signal(number)
        return self.wait()

    def wait(self, seconds: float = DEADLINE_SECONDS) -> int:
        """The exit code; both streams are read to their end."""
        code = self.process.wait(seconds)
        for reader in self._readers:
            reader.join(seconds)
        return code

    def kill(self) -> None:
        """End it at once, if it still runs."""
        self.process.kill()
        self.wait()
        for stream in (self.process.stdout, self.process.stderr):
            if stream:
                stream.close()

    def report(self) -> str:
        """What was run and what it printed."""
        command = "aws-iot" if self.command is COMMAND else shlex.join(self.command)
        return "\n".join([f"$ {command} {self.line}", *self.stdout, *self.stderr, f"[{self.process.poll()}]"])


@dataclass(frozen=True)
class Done:
    """A command that has ended."""

    line: str
    stdout: str
    stderr: str
    code: int

    def __str__(self) -> str:
        return f"$ aws-iot {self.line}\n{self.stdout}{self.stderr}[{self.code}]"


def redirected(how: str) -> list[str]:
    """The command as a POSIX shell starts it with a redirection, such as `>&-`."""
    return ["sh", "-c", f'exec "$@" {how}', "sh", *COMMAND]


def run(
    line: str,
    env: dict[str, str],
    *,
    ends: int = 0,
    stdin: str | None = None,
    command: Sequence[str] = COMMAND,
) -> Done:
    """Run `aws-iot <line>` to its end, which must be the exit code `ends`; `command` as of `Running`."""
    process = subprocess.run(
        [*command, *shlex.split(line)],
        env=env,
        text=True,
        input=stdin or "",
        capture_output=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    done = Done(line, process.stdout, process.stderr, process.returncode)
    assert done.code == ends, str(done)
    return done


def aws_cli_folder() -> Path:
    """The folder of the AWS CLI. Skips the test if that is not installed."""
    own = Path(sys.executable).parent
    folder = own.parent / "aws-cli" / own.name  # an environment of its own, because it pins another botocore
    if not shutil.which("aws", path=str(folder)):
        pytest.skip("the AWS CLI is not installed: `make test` does that")
    return folder


def aws_cli(*words: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What the AWS CLI does. Skips the test if that is not installed."""
    command = [shutil.which("aws", path=str(aws_cli_folder())) or "", *words]
    return subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )


def session_of(accounts: Accounts, username: str, password: str = PASSWORD) -> Session:
    """A session of an account that nothing else is asked of."""
    session = accounts.sign_in(username, password)
    assert isinstance(session, Session)
    return session


def end_soon(app: App, key: str = "default") -> None:
    """Let the saved credentials expire soon, so that the next command refreshes the session."""
    profile = app.config.profiles.load(key)
    saved = app.auth.sessions.load(profile)
    assert saved
    assert saved.credentials
    expiring = saved.credentials._replace(expires=datetime.now(UTC) + timedelta(minutes=1))
    app.auth.sessions.update(profile, saved._replace(credentials=expiring))


def totp(secret: str) -> str:
    """The code of an authenticator app now: RFC 6238."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1)
    at = digest[-1] & 0xF
    number: int = struct.unpack(">I", digest[at : at + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"


@dataclass(frozen=True)
class Person:
    """A person with an account on a stack."""

    username: str
    identity: str
    env: dict[str, str]


@dataclass(frozen=True)
class Stack:
    """The local stack in a process of its own, and what tests do with it."""

    process: Running
    config: Path
    profile: Profile

    @classmethod
    @contextmanager
    def start(cls, folder: Path, options: str = "", **env: str) -> Iterator["Stack"]:
        """Run `aws-iot local` until the block ends; `env` is added to its environment."""
        config = folder / "config"
        process = Running(f"local {options}", environment(config, **env))
        try:
            process.wait_for("reset code for passwords")
            yield cls(process, config, App.in_folder(config).config.profiles.load("local"))
        finally:
            if process.process.poll() is None:
                process.process.terminate()
                process.wait()
            process.kill()

    @property
    def env(self) -> dict[str, str]:
        """The environment of a person who uses the profile of this stack."""
        return environment(self.config, AWS_IOT_PROFILE="local")

    @property
    def admin_env(self) -> dict[str, str]:
        """The environment of the admin of this stack's AWS account."""
        return self.env | {"AWS_SHARED_CREDENTIALS_FILE": str(self.folder / "admin-credentials")}

    @property
    def account_env(self) -> dict[str, str]:
        """The same with this stack in place of AWS, for what is not in a profile yet."""
        return self.admin_env | {
            "AWS_ENDPOINT_URL": self.profile.iot_url or "",
            "AWS_CA_BUNDLE": str(self.folder / "ca.pem"),
            "AWS_DEFAULT_REGION": self.profile.iot_region,
        }

    @property
    def folder(self) -> Path:
        """What the stack itself keeps: its exports file, its authority's certificate, its admin's credentials."""
        return self.config / "local" / self.profile.key

    def app(self) -> App:
        """The real parts, on this stack."""
        return App.in_folder(self.config)

    def person(self, *, accepted: bool = True, signed_in: bool = True) -> Person:
        """A new person with a confirmed account, an identity and settings of their own.

        Their session is saved if `signed_in`. Otherwise, each command signs in, which takes half a second.
        """
        username = f"user-{uuid.uuid4().hex[:8]}"
        self._accounts.sign_up(username, PASSWORD, f"{username}@example.com")
        self._accounts.confirm(username, "123456")
        session = self.sign_in(username)
        credentials = self._issuer.issue(session)
        if accepted:
            self.accept(credentials.identity)
        folders = Folders(self.config.parent / "people" / username)
        ProfileStore(folders.profiles).change(self.profile.key, lambda _: self.profile)
        if signed_in:
            secrets = SecretStore(folders.secrets, keyring=lambda: None, storage="file")
            SessionStore(folders.sessions, folders.tokens, secrets).save(self.profile, session, credentials)
        env = environment(
            folders.config,
            AWS_IOT_PROFILE=self.profile.key,
            AWS_IOT_USER=username,
            AWS_IOT_PASSWORD=PASSWORD,
        )
        return Person(username, credentials.identity, env)

    def sign_in(self, username: str, password: str = PASSWORD) -> Session:
        """A session of an account that nothing else is asked of.

        The password is sent, as an admin may, because the arithmetic of SRP takes a tenth of a second.
        """
        tokens = self.user_pool.admin_initiate_auth(
            UserPoolId=self.profile.user_pool_id,
            ClientId=self._client_for_admins,
            AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": username, "PASSWORD": password},
        )["AuthenticationResult"]
        refresh_token = RefreshToken(username, tokens["RefreshToken"])
        expires = datetime.now(UTC) + timedelta(seconds=tokens["ExpiresIn"])
        return Session(username, tokens["IdToken"], tokens["AccessToken"], refresh_token, expires)

    def accept(self, identity: str) -> None:
        """What an admin does to accept a person."""
        self._iot.attach_policy(policyName=self.profile.policy_name, target=identity)

    def attach_policy_of_its_own(self, identity: str, document: str) -> None:
        """Accept an identity through a policy of its own."""
        name = f"of-{uuid.uuid4().hex[:8]}"
        self._iot.create_policy(policyName=name, policyDocument=document)
        self._iot.attach_policy(policyName=name, target=identity)

    def app_client(self, **attributes: Any) -> dict[str, Any]:
        """Another app client of the user pool."""
        pool = self.profile.user_pool_id
        made = self.user_pool.create_user_pool_client(UserPoolId=pool, ClientName="another", **attributes)
        client: dict[str, Any] = made["UserPoolClient"]
        return client

    @cached_property
    def _client_for_admins(self) -> str:
        """The app client of the profile, where an admin may now sign a person in by sending the password."""
        which = {"UserPoolId": self.profile.user_pool_id, "ClientId": self.profile.client_id}
        client = self.user_pool.describe_user_pool_client(**which)["UserPoolClient"]
        kept = {name: value for name, value in client.items() if value and not name.endswith("Date")}
        flows = [*client["ExplicitAuthFlows"], "ALLOW_ADMIN_USER_PASSWORD_AUTH"]
        self.user_pool.update_user_pool_client(**kept | {"ExplicitAuthFlows": flows})
        return self.profile.client_id

    @cached_property
    def _accounts(self) -> Accounts:
        return self.app().auth.accounts(self.profile)

    @cached_property
    def _issuer(self) -> CredentialIssuer:
        return self.app().auth.issuer(self.profile)

    @cached_property
    def user_pool(self) -> Any:
        """The user pool's own API, for an admin."""
        return self.client("cognito-idp")

    @cached_property
    def _iot(self) -> Any:
        return self.client("iot")

    def client(self, service: str, region: str | None = None) -> Any:
        """A client of boto3, with the credentials of the account's administrator."""
        keys = ConfigParser()
        keys.read(self.folder / "admin-credentials")
        region = region or self.profile.iot_region
        return boto3.client(service, region_name=region, endpoint_url=self.profile.iot_url, **keys["default"])
