"""The local stack rejects what AWS rejects: who asks, with which values, and with which signature."""

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPSConnection
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from paho.mqtt.enums import MQTTProtocolVersion

from aws_iot.auth.credentials import Credentials
from aws_iot.messaging.client import Client
from tests.paho_client import PahoClient, signed_target
from tests.processes import PASSWORD, Person, Stack
from tests.waiting import DEADLINE_SECONDS, wait_until


def unsigned(stack: Stack, service: str) -> Any:
    """A client of boto3 without credentials."""
    return boto3.client(
        service, "us-east-1", endpoint_url=stack.profile.iot_url, config=Config(signature_version=UNSIGNED)
    )


def refusal(call: Any, **request: Any) -> str:
    """The error code and the message of a call that is refused."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def logins(stack: Stack, person: Person) -> dict[str, str]:
    pool = stack.profile.user_pool_id
    return {f"cognito-idp.us-east-1.amazonaws.com/{pool}": stack.sign_in(person.username).id_token}


@pytest.mark.parametrize("more", [{}, {"Logins": {}}], ids=["none", "empty"])
@pytest.mark.parametrize("call", ["get_id", "get_credentials_for_identity", "get_open_id_token"])
def test_nobody_gets_an_identity_or_keys_without_a_login(
    stack: Stack, person: Person, call: str, more: dict[str, Any]
) -> None:
    pool = {"IdentityPoolId": stack.profile.identity_pool_id}
    which = pool if call == "get_id" else {"IdentityId": person.identity}
    said = refusal(getattr(unsigned(stack, "cognito-identity"), call), **which, **more)
    assert said == "NotAuthorizedException: Unauthenticated access is not supported for this identity pool."


def test_an_identity_that_does_not_exist_gets_no_keys(stack: Stack, person: Person) -> None:
    unknown = "us-east-1:4f9fa251-0ed5-4578-add0-985024739222"
    said = refusal(
        unsigned(stack, "cognito-identity").get_credentials_for_identity,
        IdentityId=unknown,
        Logins=logins(stack, person),
    )
    assert said == f"ResourceNotFoundException: Identity '{unknown}' not found."


def test_a_pool_that_allows_it_gives_keys_without_a_login_if_it_has_a_role_for_them(stack: Stack) -> None:
    admin, anybody = stack.client("cognito-identity"), unsigned(stack, "cognito-identity")
    pool = admin.create_identity_pool(IdentityPoolName="open", AllowUnauthenticatedIdentities=True)
    identity = anybody.get_id(IdentityPoolId=pool["IdentityPoolId"])["IdentityId"]
    said = refusal(anybody.get_credentials_for_identity, IdentityId=identity)
    assert said.startswith("InvalidIdentityPoolConfigurationException: Invalid identity pool configuration")
    role = "arn:aws:iam::000000000000:role/anybody"
    admin.set_identity_pool_roles(IdentityPoolId=pool["IdentityPoolId"], Roles={"unauthenticated": role})
    assert anybody.get_credentials_for_identity(IdentityId=identity)["Credentials"]["SessionToken"]
    admin.delete_identity_pool(IdentityPoolId=pool["IdentityPoolId"])


@pytest.mark.parametrize(
    ("changed", "field", "rule"),
    [
        ({"Password": f" {PASSWORD}"}, "password", r"satisfy regular expression pattern: [\S]+.*[\S]+"),
        ({"Password": f"{PASSWORD}\t"}, "password", "satisfy regular expression pattern"),
        ({"Password": "Aa1" * 86}, "password", "have length less than or equal to 256"),
        ({"Username": "two words"}, "username", "satisfy regular expression pattern"),
        ({"Username": "x" * 129}, "username", "have length less than or equal to 128"),
        ({"ClientId": "not-an-id"}, "clientId", "satisfy regular expression pattern"),
        (
            {"UserAttributes": [{"Name": "email", "Value": "x" * 2049}]},
            "userAttributes.1.member.value",
            "have length less than or equal to 2048",
        ),
    ],
)
def test_cognito_rejects_values_that_its_api_does_not_allow(
    stack: Stack, changed: dict[str, Any], field: str, rule: str
) -> None:
    request = {"ClientId": stack.profile.client_id, "Username": "strict", "Password": PASSWORD}
    said = refusal(unsigned(stack, "cognito-idp").sign_up, **request | changed)
    assert said.startswith("InvalidParameterException: 1 validation error detected: Value")
    assert f" at '{field}' failed to satisfy constraint: Member must {rule}" in said
    assert PASSWORD not in said


def test_a_password_may_have_blanks_inside(stack: Stack) -> None:
    request = {"ClientId": stack.profile.client_id, "Username": "Zoë-с", "Password": f"{PASSWORD} b"}
    assert unsigned(stack, "cognito-idp").sign_up(**request)["UserSub"]


def test_every_call_that_sets_a_password_checks_it(stack: Stack, person: Person) -> None:
    pool, client = {"UserPoolId": stack.profile.user_pool_id}, {"ClientId": stack.profile.client_id}
    name, bad = {"Username": person.username}, f"{PASSWORD} "
    token = stack.sign_in(person.username).access_token
    anybody = unsigned(stack, "cognito-idp")
    for call, request in [
        (anybody.confirm_forgot_password, {**client, **name, "ConfirmationCode": "654321", "Password": bad}),
        (
            anybody.change_password,
            {"AccessToken": token, "PreviousPassword": PASSWORD, "ProposedPassword": bad},
        ),
        (stack.user_pool.admin_create_user, {**pool, "Username": "new", "TemporaryPassword": bad}),
        (stack.user_pool.admin_set_user_password, {**pool, **name, "Password": bad}),
    ]:
        assert "failed to satisfy constraint" in refusal(call, **request)


@pytest.mark.parametrize(
    ("service", "call", "request_"),
    [
        ("iot", "list_policies", {}),
        ("cloudformation", "describe_stacks", {}),
        ("iam", "list_roles", {}),
        ("sts", "get_caller_identity", {}),
        ("cognito-idp", "list_user_pools", {"MaxResults": 1}),
        ("cognito-identity", "list_identity_pools", {"MaxResults": 1}),
    ],
)
def test_a_signature_for_another_region_is_rejected(
    stack: Stack, service: str, call: str, request_: dict[str, Any]
) -> None:
    said = refusal(getattr(stack.client(service, "eu-west-1"), call), **request_)
    assert said == "SignatureDoesNotMatch: Credential should be scoped to a valid region, not 'eu-west-1'."
    assert getattr(stack.client(service), call)(**request_)


def test_a_signature_for_another_service_is_rejected(stack: Stack) -> None:
    client = stack.client("cognito-idp")
    client.meta.events.register("choose-signer.*", lambda **_: None)
    client._request_signer._signing_name = "iot"
    said = refusal(client.list_user_pools, MaxResults=1)
    assert said == "SignatureDoesNotMatch: Credential should be scoped to correct service: 'cognito-idp'."


@pytest.fixture(scope="module")
def credentials(stack: Stack, person: Person) -> Credentials:
    issuer = stack.app().auth.issuer(stack.profile)
    issued: Credentials = issuer.issue(stack.sign_in(person.username))
    return issued


def upgrade(stack: Stack, target: str, **headers: str) -> int:
    """The status of the answer to a WebSocket upgrade; 101 if it is accepted."""
    endpoint = stack.profile.endpoint
    context = ssl.create_default_context(cafile=stack.profile.ca_bundle)
    link = HTTPSConnection(endpoint.host, endpoint.port, timeout=DEADLINE_SECONDS, context=context)
    always = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "mqtt",
    }
    try:
        link.request("GET", target, headers=always | headers)
        return link.getresponse().status
    finally:
        link.close()


@pytest.mark.parametrize(
    ("age", "changed", "status"),
    [
        (0, {}, 101),
        (0, {"Expires": "86400"}, 101),
        (100, {"Expires": "86400"}, 101),
        (100, {"Expires": "30"}, 403),
        (420, {"Expires": "86400"}, 403),
        (420, {}, 403),
        (-420, {}, 403),
        (0, {"Expires": "0"}, 403),
        (0, {"Expires": "-1"}, 403),
        (0, {"Expires": "604801"}, 403),
        (0, {"Expires": "soon"}, 403),
        (0, {"Date": "20260101"}, 403),
        (0, {"Date": "20261301T000000Z"}, 403),
        (0, {"Token": ""}, 403),
        (0, {"Token": "another"}, 403),
        (0, {"Region": "eu-west-1"}, 403),
        (0, {"Service": "iotdata"}, 403),
        (0, {"X-Amz-Algorithm": "AWS4-HMAC-SHA512"}, 403),
    ],
)
def test_the_broker_accepts_only_fresh_signatures_for_it(
    stack: Stack, credentials: Credentials, age: int, changed: dict[str, str], status: int
) -> None:
    signed_at = f"{datetime.now(UTC) - timedelta(seconds=age):%Y%m%dT%H%M%SZ}"
    host = f"{stack.profile.endpoint.host}:{stack.profile.endpoint.port}"
    target = signed_target(credentials, host, **{"Date": signed_at} | changed)
    assert upgrade(stack, target) == status


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://127.0.0.1:{port}", 101),
        ("https://localhost:{port}", 101),
        ("https://127.0.0.1", 403),
        ("http://localhost:3000", 403),
        ("https://127.0.0.1:{port}.example.com", 403),
        ("https://example.com:{port}", 403),
        ("null", 403),
    ],
)
def test_the_broker_accepts_its_own_origin_and_no_other(
    stack: Stack, credentials: Credentials, origin: str, status: int
) -> None:
    port = stack.profile.endpoint.port
    target = signed_target(credentials, f"127.0.0.1:{port}")
    assert upgrade(stack, target, Origin=origin.format(port=port)) == status


@pytest.fixture
def old_client(stack: Stack, person: Person, credentials: Credentials) -> Iterator[PahoClient]:
    client = PahoClient(
        stack, credentials, MQTTProtocolVersion.MQTTv31, f"{person.identity}-1a2b3c4d"
    )  # 56 characters, as the npm tool's
    client.connect()
    yield client
    client.close()


def test_a_client_of_mqtt_3_1_sends_and_receives(
    stack: Stack, person: Person, old_client: PahoClient, speaker: Client, room: str
) -> None:
    pool = stack.profile.identity_pool_id
    old_client.subscribe(f"{pool}/{room}/#")
    own = f"{pool}/{room}/{person.identity}"
    old_client.mqtt.publish(own, b'{"msg":"mine"}', qos=1)
    wait_until(lambda: old_client.payloads == [b'{"msg":"mine"}'])
    assert old_client.messages[0].topic == own
    assert len(old_client.acknowledged) == 1
    speaker.publish(room, "hello")
    wait_until(lambda: len(old_client.messages) == 2)
    assert old_client.payloads[1] == b'{"msg":"hello"}'


@pytest.mark.parametrize(
    "forbidden",
    [
        lambda client, pool: client.publish(f"{pool}/lobby/us-east-1:somebody-else", b"{}", qos=1),
        lambda client, _: client.subscribe("#"),
    ],
    ids=["publish", "subscribe"],
)
def test_policies_count_for_mqtt_3_1(stack: Stack, old_client: PahoClient, forbidden: Any) -> None:
    forbidden(old_client.mqtt, stack.profile.identity_pool_id)
    wait_until(lambda: old_client.is_lost)
    assert old_client.granted == old_client.acknowledged == []


def test_a_client_of_mqtt_3_1_needs_an_id_of_its_own(stack: Stack, credentials: Credentials) -> None:
    client = PahoClient(stack, credentials, MQTTProtocolVersion.MQTTv31, "us-east-1:somebody-else-1a2b3c4d")
    with pytest.raises(AssertionError):
        client.connect()
    client.close()
