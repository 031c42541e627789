"""Reading the policies of an identity, from a server that plays what the local stack cannot."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from aws_iot.app import App
from aws_iot.aws.admin.policy_reader import ROLE_MAPPINGS
from aws_iot.errors import NotAuthorized
from aws_iot.policy.access import Principal, Question, decide_access
from aws_iot.policy.evaluate import Verdict
from aws_iot.policy.reader import AwsVerdict, PolicyReader
from tests.fakes import POOL, FakeCloud
from tests.serving import serving

ME = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
PRINCIPAL = Principal(ME, POOL, f"{ME}-1a2b3c4d", "us-east-1", "111122223333")
ROLE = "arn:aws:iam::111122223333:role/team/MemberRole"
POLICY = json.dumps({"Version": "2012-10-17", "Statement": []})


class Plane(BaseHTTPRequestHandler):
    """IAM, an identity pool and the control plane of AWS IoT Core, with lists of several pages."""

    server: "Server"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 its name there
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        url = urlsplit(self.path)
        service = self.headers["Authorization"].split("/")[3]
        if service == "iam":
            form = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            operation, answer = form["Action"], _iam(form)
        elif service == "cognito-identity":
            operation, answer = "GetIdentityPoolRoles", json.dumps(self.server.roles).encode()
        else:
            operation = url.path.split("/")[1]
            self.server.asked = json.loads(body or b"{}") | {"query": url.query}
            answer = json.dumps(_iot(url.path, "marker" in url.query, self.server.asked)).encode()
        status, code, said = self.server.refusals.get(operation, (200, "", ""))
        if status != 200:
            answer = json.dumps({"__type": code, "message": said}).encode()
            if service == "iam":
                error = f"<Error><Code>{code}</Code><Message>{said}</Message></Error>"
                answer = f"<ErrorResponse>{error}</ErrorResponse>".encode()
        self.send_response(status)
        if status != 200:
            self.send_header("x-amzn-errortype", code)
        self.send_header("x-amzn-requestid", "1")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)


def _iam(form: dict[str, str]) -> bytes:
    more = "Marker" in form
    page = (
        "<IsTruncated>false</IsTruncated>" if more else "<IsTruncated>true</IsTruncated><Marker>more</Marker>"
    )
    name = "second" if more else "first"
    boundary = (
        "<PermissionsBoundary><PermissionsBoundaryArn>arn:aws:iam::1:policy/Narrow</PermissionsBoundaryArn>"
    )
    answer = {
        "ListRolePolicies": f"<PolicyNames><member>{name}</member></PolicyNames>{page}",
        "ListAttachedRolePolicies": f"<AttachedPolicies><member><PolicyName>{name}</PolicyName>"
        f"<PolicyArn>arn:aws:iam::1:policy/managed-{name}</PolicyArn></member></AttachedPolicies>{page}",
        "GetRolePolicy": f"<PolicyName>{form.get('PolicyName')}</PolicyName><PolicyDocument>{POLICY}</PolicyDocument>",
        "GetPolicy": "<Policy><DefaultVersionId>v2</DefaultVersionId></Policy>",
        "GetPolicyVersion": f"<PolicyVersion><Document>{POLICY}</Document></PolicyVersion>",
        "GetRole": f"<Role>{boundary}</PermissionsBoundary></Role>",
    }[form["Action"]]
    wrapped = f"<{form['Action']}Result>{answer}</{form['Action']}Result>"
    return f"<{form['Action']}Response>{wrapped}</{form['Action']}Response>".encode()


def _iot(path: str, more: bool, asked: dict[str, Any]) -> dict[str, Any]:
    if path == "/test-authorization":
        team = [{"policyName": "team", "policyArn": "arn"}]
        denial = {"explicitDeny": {"policies": team}, "implicitDeny": {"policies": []}}
        allowed, denied = (
            {"allowed": {"policies": team}, "authDecision": "ALLOWED"},
            {"denied": denial, "authDecision": "EXPLICIT_DENY", "missingContextValues": ["aws:SourceIp"]},
        )
        infos = reversed(asked["authInfos"])  # in its own order
        return {
            "authResults": [
                {"authInfo": info} | (allowed if info["actionType"] == "CONNECT" else denied)
                for info in infos
                if info["actionType"] != "SUBSCRIBE"
            ]
        }
    if path.startswith("/attached-policies/"):
        name = "later" if more else "team"
        one = {"policyName": name, "policyArn": f"arn:aws:iot:us-east-1:444455556666:policy/{name}"}
        return {"policies": [one]} | ({} if more else {"nextMarker": "bW9yZQ=="})
    return {"policyName": path.split("/")[-1], "policyDocument": POLICY}


class Server(ThreadingHTTPServer):
    """What it answers, and the last request."""

    daemon_threads = True
    roles: dict[str, Any]
    refusals: dict[str, tuple[int, str, str]]
    asked: dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """The services."""
    with serving(Server(("127.0.0.1", 0), Plane)) as server:
        yield server


@pytest.fixture(autouse=True)
def server(running: Server) -> Server:
    """The services, with a role for signed-in identities, before the first request."""
    running.roles, running.refusals, running.asked = {"Roles": {"authenticated": ROLE}}, {}, {}
    return running


@pytest.fixture(scope="module")
def reader(running: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PolicyReader]:
    """The real reader, connected to these services; made once, because making its clients takes long."""
    here = f"http://127.0.0.1:{running.server_port}"
    profile = FakeCloud().profile._replace(iot_url=here, iam_url=here, cognito_identity_url=here)
    with pytest.MonkeyPatch.context() as env:
        env.setenv("AWS_ACCESS_KEY_ID", "AKIAOWNKEY")
        env.setenv("AWS_SECRET_ACCESS_KEY", "own")
        yield App.in_folder(tmp_path_factory.mktemp("config")).admin.policy_reader(profile, None)


def test_all_pages_of_all_policies_are_read(reader: PolicyReader) -> None:
    layers, account = reader.read(ME)
    assert [(one.name, one.of, [d.name for d in one.documents], one.doubt) for one in layers] == [
        ("role", "MemberRole", ["first", "second", "managed-first", "managed-second"], None),
        ("boundary", "Narrow", ["Narrow"], None),
        ("IoT", "team, later", ["team", "later"], None),
    ]
    assert account == "111122223333"


def test_role_mappings_make_the_role_doubtful(server: Server, reader: PolicyReader) -> None:
    server.roles = {"Roles": {"authenticated": ROLE}, "RoleMappings": {"idp": {"Type": "Token"}}}
    layers, account = reader.read(ME)
    assert layers[0].doubt == ROLE_MAPPINGS
    assert account == "111122223333"
    server.roles = {"RoleMappings": {"idp": {"Type": "Token"}}}
    assert reader.read(ME)[0][0].doubt == ROLE_MAPPINGS


@pytest.mark.parametrize(
    ("operation", "code", "closed"),
    [
        ("", "", "the identity pool has no role for signed-in identities"),
        ("GetRole", "NoSuchEntity", "the identity pool names this role, but it does not exist"),
        ("GetIdentityPoolRoles", "ResourceNotFoundException", "the identity pool does not exist"),
    ],
)
def test_a_missing_role_refuses_everything(
    server: Server, reader: PolicyReader, operation: str, code: str, closed: str
) -> None:
    server.roles = {"Roles": {"authenticated": ROLE} if operation else {}}
    server.refusals = {operation: (404, code, "not there")}
    layers, account = reader.read(ME)
    assert [(one.name, one.doubt, one.closed) for one in layers] == [
        ("role", None, closed),
        ("IoT", None, None),
    ]
    assert (
        decide_access(Question("iot:Connect", "client/x"), PRINCIPAL, layers[:1]).verdict is Verdict.REFUSED
    )
    assert account == ("111122223333" if operation == "GetRole" else "444455556666")


@pytest.mark.parametrize(
    ("operation", "names"),
    [
        ("GetIdentityPoolRoles", ["role"]),
        ("ListRolePolicies", ["role"]),
        ("GetRolePolicy", ["role"]),
        ("GetRole", ["boundary"]),
        ("GetPolicyVersion", ["role", "boundary"]),
        ("attached-policies", ["IoT"]),
        ("policies", ["IoT"]),
    ],
)
def test_policies_that_may_not_be_read_make_their_layer_doubtful(
    server: Server, reader: PolicyReader, operation: str, names: list[str]
) -> None:
    said = "User: arn:aws:iam::1:user/me is not authorized to perform: x:Read on resource: *"
    code = "UnauthorizedException" if operation.islower() else "AccessDeniedException"
    server.refusals = {operation: (403, code, said)}
    layers, _ = reader.read(ME)
    doubtful = [one for one in layers if one.doubt]
    assert [one.name for one in doubtful] == names
    assert {one.doubt for one in doubtful} == {"your AWS credentials do not allow x:Read"}
    assert [one.documents for one in doubtful] == [()] * len(names)


def test_aws_verdicts_come_from_one_call(server: Server, reader: PolicyReader) -> None:
    wanted = [Question("iot:Connect", "client/x"), Question("iot:RetainPublish", "topic/x")]
    wanted += [Question("iot:Publish", "topic/x"), Question("iot:Subscribe", "topicfilter/x")]
    assert reader.aws_verdicts(PRINCIPAL, wanted) == {
        wanted[0]: AwsVerdict("ALLOWED", ("team",)),
        wanted[2]: AwsVerdict("EXPLICIT_DENY", ("team",), ("aws:SourceIp",)),
    }
    assert server.asked == {
        "principal": ME,
        "cognitoIdentityPoolId": POOL,
        "authInfos": [
            {"actionType": "CONNECT", "resources": ["arn:aws:iot:us-east-1:111122223333:client/x"]},
            {"actionType": "PUBLISH", "resources": ["arn:aws:iot:us-east-1:111122223333:topic/x"]},
            {"actionType": "SUBSCRIBE", "resources": ["arn:aws:iot:us-east-1:111122223333:topicfilter/x"]},
        ],
        "query": f"clientId={PRINCIPAL.client.replace(':', '%3A')}",
    }


def test_actions_that_aws_cannot_test_are_left_out(server: Server, reader: PolicyReader) -> None:
    assert reader.aws_verdicts(PRINCIPAL, [Question("iot:RetainPublish", "topic/x")]) == {}
    assert server.asked == {}


def test_a_refused_call_is_an_error_of_ours(server: Server, reader: PolicyReader) -> None:
    server.refusals = {"test-authorization": (403, "UnauthorizedException", "no")}
    with pytest.raises(NotAuthorized, match="do not allow this: no"):
        reader.aws_verdicts(PRINCIPAL, [Question("iot:Publish", "topic/x")])
