"""An admin's own AWS credentials: found once, on the caller's thread; why there are none is reported."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from aws_iot.aws.base.admin_credentials import INSTANCE_ROLE, AdminCredentials
from aws_iot.aws.base.calls import Service
from aws_iot.aws.base.clients import Address
from aws_iot.errors import AwsIotError, CredentialsRefused, LocalError, Unreachable
from tests import terminal
from tests.serving import serving
from tests.terminal import on_a_terminal, read_rest, read_until, type_in
from tests.waiting import BRIEF_SECONDS, DEADLINE_SECONDS

CODE = "246810"
ROLE = "arn:aws:iam::111122223333:role/admin"
DEVICE = "arn:aws:iam::111122223333:mfa/al"
CONFIG = f"""
[default]
region = us-east-1

[profile mfa]
region = us-east-1
role_arn = {ROLE}
source_profile = source
mfa_serial = {DEVICE}

[profile source]
region = us-east-1
aws_access_key_id = AKIASOURCE
aws_secret_access_key = source

[profile half]
aws_access_key_id = AKIAHALF

[profile sso]
region = us-east-1
sso_start_url = https://team.awsapps.com/start
sso_region = us-east-1
sso_account_id = 111122223333
sso_role_name = admin

[profile program]
credential_process = {sys.executable} -c "import sys; sys.exit('secret-of-a-program')"

[profile babble]
credential_process = {sys.executable} -c "print('secret-of-a-program')"

[profile gone]
credential_process = /nowhere/program

[profile wrong]
role_arn = {ROLE}
source_profile = nobody
"""


class Sts(BaseHTTPRequestHandler):
    """Gives a role's credentials for a code, counts how often, and answers GetCallerIdentity."""

    server: "Server"

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.asked.append(asked)
        if self.server.is_portal:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            return
        status, body = 200, WHO
        if "Action=AssumeRole" in asked:
            ends = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%SZ}"
            status, body = (200, KEYS.format(ends)) if f"TokenCode={CODE}" in asked else (403, REFUSED)
        self.send_response(status)
        self.send_header("x-amzn-requestid", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name there
        pass


WHO = """<GetCallerIdentityResponse><GetCallerIdentityResult><Account>111122223333</Account>
</GetCallerIdentityResult></GetCallerIdentityResponse>"""
KEYS = """<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>ASIAROLE</AccessKeyId>
<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{}</Expiration></Credentials>
</AssumeRoleResult></AssumeRoleResponse>"""
REFUSED = """<ErrorResponse><Error><Code>AccessDenied</Code><Message>MultiFactorAuthentication failed
with invalid MFA one time pass code.</Message></Error></ErrorResponse>"""


class Server(ThreadingHTTPServer):
    """Records the requests."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Sts)
        self.asked: list[str] = []
        self.is_portal = False


@pytest.fixture
def sts() -> Iterator[Server]:
    """AWS STS, on this machine."""
    with serving(Server()) as server:
        yield server


@pytest.fixture
def settings(tmp_path: Path, sts: Server) -> dict[str, str]:
    """The environment of a person with these AWS settings and no others."""
    (tmp_path / "config").write_text(CONFIG, encoding="utf-8")
    kept = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    return kept | {
        "HOME": str(tmp_path),
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "credentials"),
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{sts.server_port}",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.fixture
def here(settings: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """These settings for the process of the test itself."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def found(profile: str | None) -> AdminCredentials:
    own = AdminCredentials.of(profile, lambda: datetime.now(UTC), 5)
    own.keys()
    return own


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("profile", "kind", "words", "hint"),
    [
        (None, CredentialsRefused, "found none", "--aws-profile"),
        ("half", CredentialsRefused, "aws_secret_access_key is missing", "Add it"),
        ("sso", CredentialsRefused, "has expired, or you are not signed in", "aws sso login --profile sso"),
        (
            "program",
            CredentialsRefused,
            "the credential_process of your AWS profile gave no",
            "Run the command",
        ),
        (
            "babble",
            CredentialsRefused,
            "the credential_process of your AWS profile gave no",
            "Run the command",
        ),
        ("gone", CredentialsRefused, "the credential_process of your AWS profile gave no", "Run the command"),
        ("wrong", CredentialsRefused, '"nobody"', "~/.aws/config"),
        ("stranger", LocalError, "stranger", "~/.aws/config"),
    ],
)
def test_the_error_explains_why_there_are_none_without_the_output_of_a_program(
    profile: str | None, kind: type[AwsIotError], words: str, hint: str
) -> None:
    with pytest.raises(kind) as told:
        found(profile)
    assert words in str(told.value)
    assert hint in (told.value.hint or "")
    assert "secret-of-a-program" not in f"{told.value} {told.value.hint}"
    assert "\n" not in str(told.value)


class Instance(BaseHTTPRequestHandler):
    """The metadata service of an EC2 instance with a role."""

    def do_PUT(self) -> None:
        self._answer("token")

    def do_GET(self) -> None:
        soon = f"{datetime.now(UTC) + timedelta(hours=6):%Y-%m-%dT%H:%M:%SZ}"
        keys = {
            "AccessKeyId": "ASIAROLE",
            "SecretAccessKey": "s",
            "Token": "t",
            "Expiration": soon,
            "Code": "Success",
        }
        self._answer("role" if self.path.endswith("/") else json.dumps(keys))

    def _answer(self, body: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name there
        pass


@pytest.fixture
def instance(here: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of the metadata service."""
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Instance)) as server:
        yield f"http://127.0.0.1:{server.server_port}"


def machine(tmp_path: Path, name: str = "", text: str = "") -> Path:
    """How Linux describes a machine."""
    path = tmp_path / "sys" / (name or "nothing")
    path.parent.mkdir(parents=True)
    path.write_text(text, encoding="utf-8")
    return tmp_path / "sys"


def credentials_on(sys: Path, profile: str | None = None) -> AdminCredentials:
    return AdminCredentials(profile, lambda: datetime.now(UTC), 5, sys)


def asks_the_instance(credentials: AdminCredentials) -> bool:
    providers = credentials.session.get_component("credential_provider").providers
    return any(provider.METHOD == INSTANCE_ROLE for provider in providers)


@pytest.mark.usefixtures("here")
def test_only_an_ec2_instance_is_asked_for_its_role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    laptop = machine(tmp_path / "1", "devices/virtual/dmi/id/sys_vendor", "LENOVO\n")
    nitro = machine(tmp_path / "2", "devices/virtual/dmi/id/sys_vendor", "Amazon EC2\n")
    xen = machine(tmp_path / "3", "hypervisor/uuid", "ec2e1916-9099-7caf-fd21-012345abcdef\n")
    unknown = machine(tmp_path / "4")
    assert [asks_the_instance(credentials_on(sys)) for sys in (laptop, nitro, xen, unknown)] == [
        False, True, True, False
    ]  # fmt: skip
    with pytest.raises(CredentialsRefused, match=r"own AWS credentials, and found none$"):
        credentials_on(laptop).keys()
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert not asks_the_instance(credentials_on(nitro))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "false")
    assert asks_the_instance(credentials_on(laptop))


def test_the_role_of_an_instance_is_used(
    instance: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", instance)
    assert credentials_on(machine(tmp_path)).keys().access_key_id == "ASIAROLE"


def test_a_profile_may_name_the_role_of_the_instance_as_its_source(
    instance: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (tmp_path / "config").open("a", encoding="utf-8") as config:
        config.write("[profile on-instance]\nrole_arn = arn:aws:iam::111122223333:role/a\n")
        config.write(
            f"credential_source = Ec2InstanceMetadata\nregion = us-east-1\nec2_metadata_service_endpoint = {instance}\n"
        )
    with pytest.raises(
        CredentialsRefused, match="MultiFactorAuthentication"
    ):  # STS wants a code from everybody
        credentials_on(machine(tmp_path), "on-instance").keys()


@pytest.mark.usefixtures("here")
def test_a_profile_without_credentials_is_named(tmp_path: Path) -> None:
    with (tmp_path / "config").open("a", encoding="utf-8") as config:
        config.write("[profile region-only]\nregion = eu-west-1\n")
    with pytest.raises(
        CredentialsRefused, match="your AWS profile 'region-only' has no credentials"
    ) as caught:
        found("region-only")
    assert "--aws-profile" in (caught.value.hint or "")


@pytest.mark.usefixtures("here")
def test_the_error_names_a_missing_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOWNKEY")
    with pytest.raises(CredentialsRefused, match="AWS_SECRET_ACCESS_KEY is not set"):
        found(None)


@pytest.mark.usefixtures("here")
def test_the_error_names_a_file_that_is_not_of_aws_settings(tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile", encoding="utf-8")
    with pytest.raises(LocalError, match=r"config$") as told:
        found(None)
    assert "Fix that file" in (told.value.hint or "")


@pytest.mark.usefixtures("here")
def test_an_unreachable_service_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    (tmp_path / "config").write_text(CONFIG.replace(f"mfa_serial = {DEVICE}", ""), encoding="utf-8")
    with pytest.raises(Unreachable, match="cannot get your AWS credentials: the connection was refused"):
        found("mfa")


@pytest.mark.usefixtures("here")
def test_the_answer_of_a_captive_portal_is_reported(tmp_path: Path, sts: Server) -> None:
    sts.is_portal = True
    (tmp_path / "config").write_text(CONFIG.replace(f"mfa_serial = {DEVICE}", ""), encoding="utf-8")
    with pytest.raises(
        Unreachable, match="cannot get your AWS credentials: the answer is not from AWS"
    ) as told:
        found("mfa")
    assert "web page" in (told.value.hint or "")


@pytest.mark.usefixtures("here")
def test_a_loopback_endpoint_is_called_without_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    service = Service.signed(Address("sts", None), lambda: datetime.now(UTC), 5, "source")
    assert service.call("get_caller_identity", {})["Account"] == "111122223333"


# Two services are asked with a short deadline, as a person with a profile that wants a code.
ASKS_TWO_SERVICES = """
import sys
from datetime import UTC, datetime
from aws_iot.aws.base.clients import Address
from aws_iot.aws.base.calls import Service
from aws_iot.errors import AwsIotError
try:
    for region in ("us-east-1", "eu-west-1"):
        service = Service.signed(Address("sts", region), lambda: datetime.now(UTC), float(sys.argv[1]), "mfa")
        for _ in range(2):
            service.call("get_caller_identity", {})
except AwsIotError as error:
    sys.exit(f"{type(error).__name__}: {error}")
print("answered", flush=True)
"""
ASKS = [sys.executable, "-c", ASKS_TWO_SERVICES, str(BRIEF_SECONDS)]


@terminal.NEEDED
def test_a_person_types_a_code_once_and_without_a_deadline(settings: dict[str, str], sts: Server) -> None:
    with on_a_terminal(ASKS, settings) as process:
        read_until(process, f"Enter MFA code for {DEVICE}: ".encode())
        time.sleep(BRIEF_SECONDS + 0.2)  # longer than the deadline of a call
        type_in(process, f"{CODE}\r".encode())
        assert b"answered" in read_rest(process)
    assert sum("AssumeRole" in asked for asked in sts.asked) == 1
    assert sum("GetCallerIdentity" in asked for asked in sts.asked) == 4


@terminal.NEEDED
def test_a_wrong_code_is_reported(settings: dict[str, str]) -> None:
    with on_a_terminal(ASKS, settings) as process:
        read_until(process, f"Enter MFA code for {DEVICE}: ".encode())
        type_in(process, b"000000\r")
        shown = read_rest(process).decode()
    assert "CredentialsRefused: AWS rejected the request for your profile's credentials" in shown
    assert "invalid MFA one time pass code" in shown


@terminal.NEEDED
def test_without_a_terminal_no_code_is_read_from_stdin(settings: dict[str, str]) -> None:
    done = subprocess.run(
        ASKS,
        env=settings,
        input=f"{CODE}\n",
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
        start_new_session=True,
    )
    assert (
        "CredentialsRefused: your AWS profile asks for an MFA code, and there is no terminal" in done.stderr
    )
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("here")
def test_expiring_keys_are_refreshed_before_the_next_call(tmp_path: Path) -> None:
    program = tmp_path / "keys.py"

    def gives(key: str) -> None:
        soon = f"{datetime.now(UTC) + timedelta(seconds=30):%Y-%m-%dT%H:%M:%SZ}"
        keys = {"AccessKeyId": key, "SecretAccessKey": "s", "SessionToken": "t", "Expiration": soon}
        program.write_text(f"print({json.dumps(keys | {'Version': 1})!r})", encoding="utf-8")

    with (tmp_path / "config").open("a", encoding="utf-8") as config:
        config.write(f"[profile short]\ncredential_process = {sys.executable} {program}\n")
    gives("ASIAONE")
    own = found("short")
    gives("ASIATWO")
    assert own.keys().access_key_id == "ASIATWO"
