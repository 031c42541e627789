"""The private names of ministack that `aws_iot.local` uses still exist, in the same shape."""

import json
import os
import subprocess
import sys
from importlib.metadata import version

import pytest

from tests.conftest import REPOSITORY
from tests.waiting import DEADLINE_SECONDS

LOCAL = REPOSITORY / "src" / "aws_iot" / "local"
PATCHES = sorted(
    str(path.relative_to(LOCAL).with_suffix(""))
    for path in (LOCAL / "patches").rglob("*.py")
    if path.stem != "__init__"
)
WHAT_TO_DO = (
    "ministack has changed something that the local stack depends on. Before you change the pin in pyproject.toml:"
    " read the notes at the top of faults.py, engine_state.py, gateway.py and the modules of patches in"
    " src/aws_iot/local, compare them with the new ministack, adapt these modules, and then what this test expects."
)

SESSION = ["_identity_id", "_identity_pool_id", "_cognito_auth_type", "Arn", "Expiration"]
ACCOUNT = ["_clients", "_users", "AliasAttributes", "Attributes"]
POOL_CALLS = ["_create_user_pool", "_update_user_pool"]
CLIENT_CALLS = ["_create_user_pool_client", "_update_user_pool_client"]
POLICY = ["versions", "defaultVersionId", "document", "targets"]
ROLE = ["InlinePolicies"]

EXPECTED = {
    "iot._mqtt_iam_allows": "account_id region credential action resource",
    "iot._mqtt_iam_allows is looked up at each call": True,
    "iot.handle_websocket": "scope receive send account_id region",
    "cognito._confirm_sign_up": "data",
    "cognito._confirm_sign_up is looked up at each call": True,
    "cognito._get_credentials_for_identity": "data",
    "cognito._get_credentials_for_identity is looked up at each call": True,
    "checks of an identity pool are looked up at each call": True,
    "an identity pool": ["_identities", "_roles", "AllowUnauthenticatedIdentities"],
    "models of services": ["cognito-idp", "cognito-identity"],
    "dispatching to Cognito": ["action data", "action data"],
    "what saves itself": ["cloudformation", "cognito", "iam", "iot"],
    "persistence": ["service data", "service"],
    "iot._describe_endpoint is looked up at each call": True,
    "iot.broker_subscribe": "account_id region topic_filter callback granted_qos client_id retain_as_published"
    " retain_handling",
    "iot.broker_subscribe is looked up at each call": True,
    "packets": ["self pkt_type flags body", True, 1],
    "delivering": [
        "self topic payload qos",
        "self b",
        "self session_present assigned_client_id",
        "self assigned_client_id",
        "self",
        "self",
    ],
    "sending again is looked up at each call": True,
    "a message on the way": "packet_id topic payload properties retain",
    "stored messages": ["queued_messages", "subscriptions created_at expiry_interval session_identifier"],
    "keeping a session": ["self", True, ["sent_at"]],
    "announcing the size of packets": ["self assigned_client_id", 0x27],
    "tables of subscriptions": ["dict", "account/region/a/#"],
    "keys of a subscription": ["subscription_id", "client_id"],
    "user pools of CloudFormation are made and changed by": POOL_CALLS,
    "their clients by": CLIENT_CALLS,
    "describing stacks": [True, ["_template_body", "Description"], "template_body"],
    "tables that list": ["AccountRegionScopedDict", "AccountRegionScopedDict"],
    "tables that look up": ["dict", "AccountScopedDict"],
    "secrets of SRP": ["secrets", "randbelow", "_SRP_N"],
    "keys of a session": SESSION,
    "keys of a user pool and an account": ACCOUNT,
    "keys of a policy": POLICY,
    "keys of a role": ROLE,
}

# In a process of its own, since importing the engine configures logging.
LOOK = f"""
import inspect, json
from ministack.core.persistence import load_state, save_state
from ministack.core.responses import _service_model
from ministack.services import cloudformation, cognito, iam, iot, sts
from ministack.services.cloudformation import engine, handlers, provisioners
def parameters(function):
    return " ".join(inspect.signature(function).parameters)
def called(name, *by):
    return any(name in getattr(provisioners, one).__code__.co_names for one in by)
def mentioned(module, keys):
    return [key for key in keys if f'"{{key}}"' in inspect.getsource(module)]
session = iot._WSSession
print(json.dumps(dict(zip({list(EXPECTED)}, [
    parameters(iot._mqtt_iam_allows),
    "_mqtt_iam_allows" in iot._WSSession._policy_allows.__code__.co_names,
    parameters(iot.handle_websocket),
    parameters(cognito._confirm_sign_up),
    "_confirm_sign_up" in cognito._dispatch_idp.__code__.co_names,
    parameters(cognito._get_credentials_for_identity),
    "_get_credentials_for_identity" in cognito._dispatch_identity.__code__.co_names,
    all(name in cognito._dispatch_identity.__code__.co_names
        for name in ("_get_id", "_get_credentials_for_identity", "_get_open_id_token")),
    mentioned(cognito, ["_identities", "_roles", "AllowUnauthenticatedIdentities"]),
    [_service_model(name).service_name for name in ("cognito-idp", "cognito-identity")],
    [parameters(one) for one in (cognito._dispatch_idp, cognito._dispatch_identity)
     if one.__name__ in cognito.handle_request.__code__.co_names],
    [service.__name__.rpartition(".")[2] for service in (cloudformation, cognito, iam, iot)
     if callable(service.get_state) and callable(service.load_persisted_state)],
    [parameters(save_state), parameters(load_state)],
    "_describe_endpoint" in iot._route_request.__code__.co_names,
    parameters(iot.broker_subscribe),
    "broker_subscribe" in iot._WSSession._dispatch_packet.__code__.co_names,
    [parameters(iot._WSSession._dispatch_packet),
     "_dispatch_packet" in iot._WSSession.handle_packet.__code__.co_names, iot.PKT_CONNECT],
    [parameters(one) for one in (session.deliver_to_client, session.send_bytes, session._send_connack,
     session._connack_properties, session._retransmit_due, session.cleanup)],
    "_retransmit_due" in session._dispatch_packet.__code__.co_names,
    parameters(iot._InFlightMessage.__init__).removeprefix("self "),
    [iot._PersistentSessionState.__slots__[1],
     parameters(iot._PersistentSessionState.__init__).removeprefix("self ")],
    [parameters(iot._WSSession._preserve_session), "_preserve_session" in iot._WSSession.cleanup.__code__.co_names,
     [name for name in iot._InFlightMessage.__slots__ if name == "sent_at"]],
    [parameters(iot._WSSession._connack_properties), iot.PROP_MAXIMUM_PACKET_SIZE],
    [type(iot._subscriptions).__name__, iot._scoped_topic("account", "region", "a/#")],
    [name for name in ("subscription_id", "client_id") if name in iot._Subscription.__slots__],
    [name for name in {POOL_CALLS} if called(name, "_cognito_user_pool_create", "_cognito_user_pool_update")],
    [name for name in {CLIENT_CALLS}
     if called(name, "_cognito_user_pool_client_create", "_cognito_user_pool_client_update")],
    ["DescribeStacks" in handlers._ACTION_HANDLERS, mentioned(handlers, ["_template_body", "Description"]),
     parameters(engine._parse_template)],
    [type(table).__name__ for table in (cognito._user_pools, iot._policies) if callable(table.values)],
    [type(table).__name__ for table in (sts._sessions, iam._roles) if callable(table.get)],
    [name for name in ("secrets", "randbelow", "_SRP_N") if name in cognito._srp_challenge.__code__.co_names],
    mentioned(cognito, {SESSION}),
    mentioned(cognito, {ACCOUNT}),
    mentioned(iot, {POLICY}),
    mentioned(iam, {ROLE}),
], strict=True))))
"""


@pytest.fixture(scope="module")
def found() -> dict[str, object]:
    """What ministack has now."""
    env = os.environ | {"LOG_LEVEL": "CRITICAL"}
    command = [sys.executable, "-c", LOOK]
    done = subprocess.run(
        command, env=env, capture_output=True, text=True, timeout=DEADLINE_SECONDS, check=False
    )
    assert done.returncode == 0, f"{WHAT_TO_DO}\n\n{done.stderr}"
    shapes: dict[str, object] = json.loads(done.stdout)
    return shapes


@pytest.mark.parametrize("name", EXPECTED)
def test_what_the_local_stack_depends_on_exists(found: dict[str, object], name: str) -> None:
    assert found[name] == EXPECTED[name], WHAT_TO_DO


@pytest.mark.parametrize("module", [*PATCHES, "faults", "engine_state"])
def test_the_notes_are_about_the_pinned_version(module: str) -> None:
    notes = (LOCAL / f"{module}.py").read_text(encoding="utf-8")
    assert f"ministack {version('ministack')} " in notes, WHAT_TO_DO
