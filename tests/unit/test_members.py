"""Clients, and lists of several pages: a server plays what the local stack does not have."""

import json
import re
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import trustme

from aws_iot.app import App
from aws_iot.aws.admin.member_records import decoded, encoded
from aws_iot.backend.members import MemberRecord, Members
from aws_iot.config.endpoint import Endpoint
from aws_iot.errors import NotAuthorized, NotFound, ServiceRefused
from tests.fakes import POOL, FakeCloud
from tests.serving import serving

CLIENT = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222-1a2b3c4d"
CERTIFICATE = "arn:aws:iot:us-east-1:111122223333:cert/abc"


class Plane(BaseHTTPRequestHandler):
    """The control and data plane of AWS IoT Core, and an identity pool, with one connected client."""

    server: "Server"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def do_PUT(self) -> None:
        self._answer()

    def do_DELETE(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name there
        pass

    def _answer(self) -> None:
        url = urlsplit(self.path)
        asked = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        token = parse_qs(url.query).get("nextToken") or parse_qs(url.query).get("marker")
        service = self.headers["Authorization"].split("/")[3]
        status = 200
        answer: dict[str, Any] = {}
        match self.command, unquote(url.path), service:
            case "GET" | "DELETE", path, "iotdata" if path.startswith("/connections/forbidden"):
                status, answer = 403, {"message": "no", "error": "ForbiddenException"}
            case "GET", path, "iotdata" if path.startswith("/connections/elsewhere"):
                status, answer = 405, {"message": "no such call", "error": "MethodNotAllowedException"}
            case _, path, "iotdata" if (
                not path.startswith(f"/connections/{CLIENT}") or not self.server.connected
            ):
                status, answer = 404, {"message": "no such client", "error": "ResourceNotFoundException"}
            case "GET", path, "iotdata" if path.endswith("/subscriptions"):
                one = {"topicFilter": f"{POOL}/{'ops' if token else 'lobby'}/+", "qos": 1}
                answer = {"subscriptions": [one]} | ({} if token else {"nextToken": "more"})
            case "GET", _, "iotdata":
                answer = {"connected": True, "connectedSince": 1_700_000_000_000, "clientId": CLIENT}
            case "DELETE", _, "iotdata":
                self.server.connected = False
            case "POST", path, "iot" if path in (
                "/attached-policies/us-east-1:hidden",
                "/policy-targets/hidden",
            ):
                status, answer = 403, {"message": "no", "error": "UnauthorizedException"}
            case "POST", "/policy-targets/gone", "iot":
                status, answer = 404, {"message": "no such policy", "error": "ResourceNotFoundException"}
            case "POST", path, "iot" if path.startswith("/attached-policies/"):
                attached = [] if self.server.detached else [{"policyName": "fake-member"}]
                answer = {"policies": [{"policyName": "things"}, *attached]}
            case "DELETE" | "POST", path, "iot" if path.startswith("/target-policies/"):
                self.server.detached = True
            case "POST", "/policy-targets/fake-member", "iot":
                found = ["us-east-1:2"] if token else ["us-east-1:1", CERTIFICATE]
                answer = {"targets": found} | ({} if token else {"nextMarker": "more"})
            case "POST", "/things/us-east-1:full", "iot":
                status, answer = 400, {"message": "full", "error": "LimitExceededException"}
            case "GET", "/things", "iot":
                found_thing = {
                    "thingName": f"us-east-1:{2 if token else 1}",
                    "attributes": {"userName": "b=C3=B6b" if token else "al", "acceptedAt": "no date"},
                }
                answer = {"things": [found_thing]} | ({} if token else {"nextToken": "more"})
            case "DELETE", path, "iot" if path.startswith("/things/"):
                pass
            case "POST", "/", "cognito-identity" if self.headers["X-Amz-Target"].endswith("DescribeIdentity"):
                status, answer = self.server.identity
            case "POST", "/", "cognito-identity":
                later = "NextToken" in json.loads(asked)
                found_one = {"IdentityId": f"us-east-1:{2 if later else 1}", "CreationDate": 1_700_000_000}
                answer = {"Identities": [found_one]} | ({} if later else {"NextToken": "more"})
        body = json.dumps(answer | {"__type": answer.get("error")}).encode()
        self.send_response(status)
        if error := answer.get("error"):
            self.send_header("x-amzn-errortype", str(error))
        self.send_header("x-amzn-requestid", "1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """A server with TLS, as the broker's endpoint has."""

    daemon_threads = True
    connected = True
    detached = False
    identity: tuple[int, dict[str, Any]] = (200, {})


@pytest.fixture
def members(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Members]:
    """The real `Members`, connected to the server; a parameter is the answer to DescribeIdentity."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server = Server(("127.0.0.1", 0), Plane)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.identity = getattr(request, "param", server.identity)
    here = f"https://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAOWNKEY")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "own")
    profile = FakeCloud().profile._replace(
        endpoint=Endpoint.parse(here.replace("https", "wss")),
        iot_url=here,
        cognito_identity_url=here,
        ca_bundle=str(tmp_path / "ca.pem"),
    )
    with serving(server):
        yield App.in_folder(tmp_path).admin.members(profile, None)


def test_the_status_of_a_client_has_all_its_filters(members: Members) -> None:
    found = members.client_status(CLIENT)
    assert found.connected
    assert found.since
    assert found.since.isoformat() == "2023-11-14T22:13:20+00:00"
    assert found.filters == [f"{POOL}/lobby/+", f"{POOL}/ops/+"]


def test_a_closed_connection_is_gone(members: Members) -> None:
    members.disconnect(CLIENT)
    with pytest.raises(ServiceRefused, match="has no such client"):
        members.client_status(CLIENT)


def test_a_refusal_names_the_needed_permissions(members: Members) -> None:
    with pytest.raises(NotAuthorized) as raised:
        members.disconnect("forbidden")
    assert "iot:DeleteConnection" in (raised.value.hint or "")


def test_all_pages_are_read_and_only_identities_are_listed(members: Members) -> None:
    assert members.accepted("fake-member") == ["us-east-1:1", "us-east-1:2"]
    assert [one.id for one in members.identities()] == ["us-east-1:1", "us-east-1:2"]


def logins(*pools: str) -> tuple[int, dict[str, Any]]:
    return 200, {"Logins": [f"cognito-idp.us-east-1.amazonaws.com/{pool}" for pool in pools]}


OURS = logins("us-east-1_OTHER", FakeCloud().profile.user_pool_id)
MAY_NOT = (400, {"message": "no", "error": "NotAuthorizedException"})
MISSING = (400, {"message": "gone", "error": "ResourceNotFoundException"})
FAILS = (400, {"message": "a limit", "error": "LimitExceededException"})


@pytest.mark.parametrize("members", [OURS, logins(), MAY_NOT], indirect=True)
def test_an_identity_passes_unless_it_certainly_belongs_to_another_team(members: Members) -> None:
    assert members.check("us-east-1:1") is None  # type: ignore[func-returns-value]


@pytest.mark.parametrize(
    "members",
    [logins("us-east-1_OTHER"), MISSING],
    indirect=True,
)
def test_an_identity_that_is_missing_or_of_another_team_is_not_found(members: Members) -> None:
    with pytest.raises(NotFound, match=r"to another team|the identity us-east-1:1 does not exist"):
        members.check("us-east-1:1")


@pytest.mark.parametrize("members", [FAILS], indirect=True)
def test_an_identity_does_not_pass_if_the_check_fails(members: Members) -> None:
    with pytest.raises(ServiceRefused, match="an AWS limit is reached"):
        members.check("us-east-1:1")


def test_a_record_that_cannot_be_stored_does_not_undo_the_acceptance(members: Members) -> None:
    assert members.accept("us-east-1:full", "fake-member", "bob") == "an AWS limit is reached: full"


def test_a_broker_that_cannot_manage_connections_is_reported(members: Members) -> None:
    with pytest.raises(ServiceRefused, match="cannot manage connections") as raised:
        members.client_status("elsewhere")
    assert "the local stack cannot" in (raised.value.hint or "")


def test_the_records_of_all_pages_are_read(members: Members) -> None:
    assert members.records() == {
        "us-east-1:1": MemberRecord("al", None),
        "us-east-1:2": MemberRecord("böb", None),
    }


@pytest.mark.parametrize("name", ["bob", "bob@example.com", "bob+1~x", "a=b%20c", "Zoë 🎉", "~", "=3D"])
def test_every_user_name_fits_in_the_characters_of_an_attribute(name: str) -> None:
    assert re.fullmatch(r"[a-zA-Z0-9_.,@/:#=\[\]-]*", encoded(name))
    assert decoded(encoded(name)) == name


def test_a_user_name_that_is_too_long_is_refused_before_the_policy_is_attached(members: Members) -> None:
    with pytest.raises(ServiceRefused, match="too long"):
        members.accept("us-east-1:1", "gone", "é" * 134)


def test_revoke_first_looks_at_what_is_attached(members: Members) -> None:
    assert members.revoke("us-east-1:1", "fake-member") is None
    with pytest.raises(NotFound, match=r"us-east-1:1 is not a member .*: its policies are: things"):
        members.revoke("us-east-1:1", "fake-member")
    with pytest.raises(NotFound, match="no such policy"):
        members.revoke("us-east-1:1", "gone")


def test_who_may_not_look_at_an_identity_still_cannot_revoke_a_mistyped_one(members: Members) -> None:
    with pytest.raises(
        NotFound, match=r"us-east-1:hidden is not a member .*: it is not among those who have"
    ):
        members.revoke("us-east-1:hidden", "fake-member")


@pytest.mark.parametrize("members", [MISSING], indirect=True)
def test_who_may_not_look_at_the_policy_either_learns_if_there_is_no_such_identity(members: Members) -> None:
    with pytest.raises(NotFound, match="does not exist in this AWS account"):
        members.revoke("us-east-1:hidden", "hidden")


def test_who_may_look_at_nothing_can_revoke(members: Members) -> None:
    assert members.revoke("us-east-1:hidden", "hidden") is None


def test_a_name_in_place_of_a_client_id_is_explained(members: Members) -> None:
    for call in (members.client_status, members.disconnect):
        with pytest.raises(NotFound) as caught:
            call("bob")
        assert "Client IDs of members begin with an identity" in (caught.value.hint or "")
