"""Profiles: endpoints, the keys of an aws-exports.json, and how profiles are saved."""

import json
import re
import stat
import sys
from pathlib import Path

import pytest

from aws_iot.config.endpoint import Endpoint
from aws_iot.config.exports import from_exports, parse_json, to_exports
from aws_iot.config.profile import Profile, checked_key
from aws_iot.config.profile_store import ProfileStore
from aws_iot.errors import LocalError, ProfileError, ProfileNotFound

HOST = "abc123-ats.iot.us-east-1.amazonaws.com"
EXPORTS = {
    "aws_user_pools_id": "eu-west-1_AbCdEf123",
    "aws_user_pools_web_client_id": "1example23456789",
    "aws_cognito_identity_pool_id": "eu-central-1:00000000-0000-0000-0000-000000000000",
    "aws_pubsub_endpoint": f"wss://{HOST}/mqtt",
}
PROFILE = Profile(
    user_pool_id="eu-west-1_AbCdEf123",
    client_id="1example23456789",
    identity_pool_id="eu-central-1:00000000-0000-0000-0000-000000000000",
    endpoint=Endpoint(HOST, 443),
    iot_region="us-east-1",
)
LOCAL = PROFILE._replace(
    endpoint=Endpoint("127.0.0.1", 9001, "/mqtt", tls=False),
    policy_name="aws-iot-cli-members",
    cognito_idp_url="http://127.0.0.1:4566",
    cognito_identity_url="http://127.0.0.1:4566",
    iot_url="https://127.0.0.1:4566",
    iam_url="https://127.0.0.1:4566",
    cloudformation_url="http://127.0.0.1:4566",
    ca_bundle="/home/alice/ca.pem",
    admin_credentials_file="/home/alice/admin-credentials",
)
BAD_KEYS = [
    "",
    ".",
    "..",
    "../x",
    "a/b",
    "/etc/x",
    ".hidden",
    "-k",
    "C:\\x",
    "C:x",
    "a\\b",
    "a b",
    "a\n",
    "a\0",
    "é",
]
TOO_LONG = "a" * 65


@pytest.fixture
def store(tmp_path: Path) -> ProfileStore:
    return ProfileStore(tmp_path / "profiles")


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        (f"wss://{HOST}/mqtt", Endpoint(HOST, 443, "/mqtt")),
        (f"wss://{HOST}", Endpoint(HOST, 443, "/mqtt")),
        (f"wss://{HOST}/", Endpoint(HOST, 443, "/mqtt")),
        ("wss://broker.example:8443/a/b", Endpoint("broker.example", 8443, "/a/b")),
        ("WSS://Broker.Example/MQTT", Endpoint("broker.example", 443, "/MQTT")),
        (HOST, Endpoint(HOST, 443, "/mqtt")),
        ("broker.example:8443", Endpoint("broker.example", 8443, "/mqtt")),
        ("wss://broker.example:", Endpoint("broker.example", 443, "/mqtt")),
        ("wss://[2001:db8::1]:8443", Endpoint("2001:db8::1", 8443, "/mqtt")),
        ("localhost", Endpoint("localhost", 443, "/mqtt", tls=True)),
        ("ws://localhost", Endpoint("localhost", 80, "/mqtt", tls=False)),
        ("ws://LOCALHOST:9001", Endpoint("localhost", 9001, "/mqtt", tls=False)),
        ("ws://127.0.0.1:9001/x", Endpoint("127.0.0.1", 9001, "/x", tls=False)),
        ("ws://127.8.9.10", Endpoint("127.8.9.10", 80, "/mqtt", tls=False)),
        ("ws://[::1]:9001", Endpoint("::1", 9001, "/mqtt", tls=False)),
    ],
)
def test_an_endpoint_is_a_wss_url_or_a_bare_host_or_ws_on_loopback(text: str, endpoint: Endpoint) -> None:
    assert Endpoint.parse(text) == endpoint
    assert Endpoint.parse(str(endpoint)) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        f"ws://{HOST}/mqtt",
        "ws://0.0.0.0",
        "ws://10.0.0.1:9001",
        "ws://[fe80::1]",
        "ws://128.0.0.1",
        "ws://localhost.example.com",
        "ws://127.0.0.1.example.com",
        "ws://127.1",
    ],
)
def test_ws_is_only_for_this_machine(text: str) -> None:
    with pytest.raises(ValueError, match=r"^must begin with wss://: ws:// has no TLS"):
        Endpoint.parse(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("https://host/mqtt", "must begin with wss://, or be a bare host name"),
        ("mqtts://host", "must begin with wss://, or be a bare host name"),
        ("://host", "must begin with wss://, or be a bare host name"),
        ("", "must be a host name"),
        ("wss://", "must be a host name"),
        ("wss:///mqtt", "must be a host name"),
        ("//host", "must be a host name"),
        ("::1", "must be a host name"),
        ("wss://alice@host", "must be a host name"),
        ("wss://alice:secret@host", "must be a host name"),
        ("ws://localhost@example.com", "must be a host name"),
        ("wss://host/mqtt?x=1", "must be a host name"),
        ("wss://host/mqtt#x", "must be a host name"),
        ("wss://ho st", "must be a host name"),
        ("wss://host\n", "must be a host name"),
        ("wss://host:mqtt", "has a port"),
        ("wss://host:65536", "has a port"),
        ("wss://host:-1", "has a port"),
        ("host:port", "has a port"),
    ],
)
def test_the_error_explains_why_an_endpoint_is_invalid(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=f"^{reason}"):
        Endpoint.parse(text)


def test_port_zero_is_invalid() -> None:
    with pytest.raises(ValueError, match="has a port"):
        Endpoint.parse("wss://host:0")


@pytest.mark.parametrize("text", ["wss://:secret@host", "wss://@host"])
def test_an_endpoint_with_a_password_is_invalid(text: str) -> None:
    with pytest.raises(ValueError, match="must be a host name"):
        Endpoint.parse(text)


@pytest.mark.parametrize("text", ["wss://[::1", "wss://[host]", "wss://\u2100.com"])
def test_the_error_explains_why_a_host_is_invalid(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(must|has) "):
        Endpoint.parse(text)


@pytest.mark.parametrize("text", ["wss://ho\x1bst", "wss://ho\0st", "wss://ho\\st"])
def test_a_host_with_control_characters_is_invalid(text: str) -> None:
    with pytest.raises(ValueError, match="must be a host name"):
        Endpoint.parse(text)


def test_a_profile_is_read_from_exports() -> None:
    assert from_exports(EXPORTS, "aws-exports.json") == PROFILE


@pytest.mark.parametrize("profile", [PROFILE, LOCAL], ids=["AWS", "local stack"])
def test_a_profile_survives_the_way_to_exports_and_back(profile: Profile) -> None:
    assert from_exports(to_exports(profile), "aws-exports.json") == profile


def test_exports_have_the_keys_of_the_npm_tool() -> None:
    assert to_exports(PROFILE) == {
        "aws_project_region": "us-east-1",
        "aws_cognito_region": "eu-west-1",
        "aws_user_pools_id": "eu-west-1_AbCdEf123",
        "aws_user_pools_web_client_id": "1example23456789",
        "aws_cognito_identity_pool_id": "eu-central-1:00000000-0000-0000-0000-000000000000",
        "aws_pubsub_region": "us-east-1",
        "aws_pubsub_endpoint": f"wss://{HOST}/mqtt",
    }


def test_the_ids_of_the_pools_tell_their_regions() -> None:
    assert (PROFILE.user_pool_region, PROFILE.identity_pool_region) == ("eu-west-1", "eu-central-1")


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("aws_user_pools_id", "a user pool id such as us-east-1_AbCdEf123"),
        ("aws_user_pools_web_client_id", "the id of an app client"),
        ("aws_cognito_identity_pool_id", "an identity pool id such as us-east-1:0000"),
        ("aws_pubsub_endpoint", "the IoT endpoint, such as wss://"),
    ],
)
@pytest.mark.parametrize("null", [False, True], ids=["missing", "null"])
def test_the_error_names_a_missing_key_its_source_and_what_was_expected(
    key: str, expected: str, null: bool
) -> None:
    exports: dict[str, str | None] = {**EXPORTS, key: None}
    if not null:
        del exports[key]
    with pytest.raises(ProfileError, match=re.escape(f"team.json: {key} is missing: expected {expected}")):
        from_exports(exports, "team.json")


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("aws_user_pools_id", "AbCdEf123", "a user pool id"),
        ("aws_user_pools_id", "us-east-1_Ab/../Cd", "a user pool id"),
        ("aws_user_pools_id", "us-east-1_AbCdEf123\n", "a user pool id"),
        ("aws_user_pools_web_client_id", "", "the id of an app client"),
        ("aws_user_pools_web_client_id", 42, "the id of an app client"),
        ("aws_user_pools_web_client_id", "a" * 129, "the id of an app client"),
        ("aws_cognito_identity_pool_id", "us-east-1_AbCdEf123", "an identity pool id"),
        ("aws_cognito_identity_pool_id", ["us-east-1:0"], "an identity pool id"),
        ("aws_pubsub_endpoint", "", "the IoT endpoint"),
        ("aws_pubsub_endpoint", {"host": "x"}, "the IoT endpoint"),
        ("aws_pubsub_region", "US East", "a region"),
        ("aws_iot_policy_name", "a policy", "the name of an IoT policy"),
        ("endpoint_url_cognito_identity_provider", "file:///etc/passwd", "an http(s) URL"),
        ("endpoint_url_cognito_identity", "localhost:4566", "an http(s) URL"),
        ("endpoint_url_iot", True, "an http(s) URL"),
        ("endpoint_url_iam", "iam", "an http(s) URL"),
        ("ca_bundle", "", "the path of a PEM file"),
    ],
)
def test_the_error_names_a_wrong_key_its_value_and_what_was_expected(
    key: str, value: object, expected: str
) -> None:
    told = re.escape(f"team.json: {key} is {json.dumps(value)}: expected {expected}")
    with pytest.raises(ProfileError, match=told):
        from_exports({**EXPORTS, key: value}, "team.json")


def test_the_error_explains_a_wrong_endpoint() -> None:
    told = r'team.json: aws_pubsub_endpoint is "ws://example.com": it must begin with wss://'
    with pytest.raises(ProfileError, match=told):
        from_exports({**EXPORTS, "aws_pubsub_endpoint": "ws://example.com"}, "team.json")


def test_one_error_names_everything_that_is_missing_or_wrong() -> None:
    with pytest.raises(ProfileError) as told:
        from_exports({"aws_user_pools_id": 1, "aws_pubsub_endpoint": "http://x"}, "team.json")
    assert str(told.value) == f"team.json: {len(EXPORTS)} keys are missing or wrong: {', '.join(EXPORTS)}"
    lines = (told.value.hint or "").splitlines()
    assert [line.split()[0] for line in lines] == [*EXPORTS]
    assert lines[0].startswith("  aws_user_pools_id is 1: expected a user pool id")


def test_the_error_names_a_missing_region_with_the_rest() -> None:
    with pytest.raises(ProfileError, match=r"aws_pubsub_region$") as told:
        from_exports({"aws_pubsub_endpoint": "wss://broker.example"}, "team.json")
    assert "\n  aws_pubsub_region is missing" in (told.value.hint or "")


@pytest.mark.parametrize("exports", [None, [], "text", 1], ids=repr)
def test_exports_must_be_an_object(exports: object) -> None:
    with pytest.raises(ProfileError, match=r"team\.json: expected a JSON object"):
        from_exports(exports, "team.json")


def test_unknown_keys_are_ignored() -> None:
    others = {"key": "../../x", "usr": "mallory", "pwd": "hunter2", "username": "mallory", "policy_name": "x"}
    assert from_exports({**EXPORTS, **others}, "aws-exports.json") == PROFILE


@pytest.mark.parametrize(
    ("more", "region"),
    [
        ({}, "us-east-1"),
        ({"aws_pubsub_region": "eu-north-1"}, "us-east-1"),
        ({"aws_project_region": "eu-north-1"}, "us-east-1"),
        ({"aws_pubsub_endpoint": "abc123.iot.cn-north-1.amazonaws.com.cn"}, "cn-north-1"),
        ({"aws_pubsub_endpoint": "iot.example.com", "aws_pubsub_region": "eu-north-1"}, "eu-north-1"),
        ({"aws_pubsub_endpoint": "iot.example.com", "aws_project_region": "eu-north-1"}, "eu-north-1"),
        ({"aws_pubsub_endpoint": "iot.example.com", "aws_cognito_region": "eu-north-1"}, "eu-north-1"),
        (
            {
                "aws_pubsub_endpoint": "iot.example.com",
                "aws_project_region": "eu-north-1",
                "aws_cognito_region": "eu-west-1",
            },
            "eu-north-1",
        ),
    ],
)
def test_the_region_is_the_endpoint_s_or_given_or_the_project_s(more: dict[str, str], region: str) -> None:
    assert from_exports({**EXPORTS, **more}, "aws-exports.json").iot_region == region


def test_an_unknown_region_is_an_error() -> None:
    with pytest.raises(ProfileError, match=r"team\.json: aws_pubsub_region is missing: expected a region"):
        from_exports({**EXPORTS, "aws_pubsub_endpoint": "iot.example.com"}, "team.json")


def test_a_region_of_the_project_must_be_valid() -> None:
    exports = {**EXPORTS, "aws_pubsub_endpoint": "iot.example.com", "aws_project_region": "Frankfurt am Main"}
    with pytest.raises(ProfileError, match="region"):
        from_exports(exports, "team.json")


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000])
def test_the_error_names_a_file_that_is_not_json(content: bytes) -> None:
    with pytest.raises(ProfileError, match=r"^aws-exports\.json is not JSON: "):
        parse_json(content, Path("aws-exports.json"))


@pytest.mark.parametrize("key", ["default", "a", "7", "team.a-b_c", "a" * 64])
def test_a_profile_is_loaded_under_the_key_that_it_was_saved_under(store: ProfileStore, key: str) -> None:
    store.change(key, lambda _: LOCAL._replace(username="alice"))
    assert store.load(key) == LOCAL._replace(username="alice", key=key)


@pytest.mark.parametrize("key", ["conx", "con-1", "com", "com10", "nul1", "a.con", "auxiliary", "com1x.txt"])
def test_a_key_may_resemble_a_device(store: ProfileStore, key: str) -> None:
    store.change(key, lambda _: PROFILE)
    assert store.keys() == [key]


RESERVED = [
    "con",
    "CON",
    "Prn",
    "aux.txt",
    "NUL",
    "nul.a.b",
    "COM1",
    "com0",
    "lpt9.json",
    "COM¹",
    "LPT³",
    "con .x",
    "CON ",
]


def test_a_file_that_cannot_be_a_profile_is_not_listed(store: ProfileStore) -> None:
    store.change("team", lambda _: PROFILE)
    for name in ("con", "a.", "aux.txt"):
        (store.folder / f"{name}.json").write_text("{}")
    assert store.keys() == ["team"]


@pytest.mark.parametrize("key", [*BAD_KEYS, TOO_LONG, *RESERVED, "team.", "team..", "team "])
def test_a_key_cannot_leave_the_folder(store: ProfileStore, tmp_path: Path, key: str) -> None:
    for use in (checked_key, store.load, store.remove, lambda key: store.change(key, lambda _: PROFILE)):
        with pytest.raises(ProfileError, match="cannot name a profile"):
            use(key)
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and path.name != ".lock"]


def test_the_hint_for_a_missing_profile_lists_the_others(store: ProfileStore) -> None:
    store.change("team", lambda _: PROFILE)
    store.change("home", lambda _: PROFILE)
    with pytest.raises(ProfileNotFound, match=r"no profile 'x' in .*profiles$") as told:
        store.load("x")
    assert told.value.hint
    assert "Choose another with -k: home, team\n" in told.value.hint
    assert "To create it: aws-iot init -k x" in told.value.hint


def test_the_hint_for_a_missing_profile_names_it_unless_commands_use_it_anyway(
    store: ProfileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_IOT_PROFILE", "team")
    for key, command in (("team", "aws-iot init"), ("default", "aws-iot init -k default")):
        with pytest.raises(ProfileNotFound) as told:
            store.load(key)
        assert told.value.hint == f"To create it: {command}"


def test_the_hint_for_the_first_profile_tells_how_to_create_it(store: ProfileStore) -> None:
    with pytest.raises(ProfileNotFound, match=r"^there is no profile 'x'") as told:
        store.load("x")
    assert told.value.hint == "To create it: aws-iot init -k x"
    assert not store.folder.exists()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is not JSON"),
        ('{"username": "ali', "is not JSON"),
        ("[]", "expected a JSON object"),
        ("null", "expected a JSON object"),
        ("{}", "aws-exports is missing"),
        ('{"aws-exports": []}', "expected a JSON object, as in aws-exports.json"),
        ('{"aws-exports": {}}', "4 keys are missing or wrong: aws_user_pools_id, "),
    ],
)
def test_the_error_names_the_file_of_a_damaged_profile(store: ProfileStore, content: str, told: str) -> None:
    store.folder.mkdir()
    path = store.folder / "team.json"
    path.write_text(content)
    with pytest.raises(ProfileError, match=rf"^{re.escape(str(path))}:? {told}"):
        store.load("team")


@pytest.mark.parametrize("username", [None, 1, ["alice"], {}], ids=repr)
def test_a_user_name_that_is_not_text_is_ignored(store: ProfileStore, username: object) -> None:
    store.folder.mkdir()
    (store.folder / "team.json").write_text(json.dumps({"username": username, "aws-exports": EXPORTS}))
    assert store.load("team").username is None


def test_keys_are_in_alphabetical_order(store: ProfileStore) -> None:
    assert store.keys() == []
    for key in ("team", "home", "a.b"):
        store.change(key, lambda _: PROFILE)
    for name in (".hidden.json", "notes.txt", "two words.json", "-k.json"):
        (store.folder / name).touch()
    assert store.keys() == ["a.b", "home", "team"]


def test_a_change_gets_the_saved_profile_and_keeps_other_fields(store: ProfileStore) -> None:
    given: list[Profile | None] = []

    def rename(old: Profile | None) -> Profile:
        given.append(old)
        return (old or LOCAL)._replace(username="bob")

    store.change("team", rename)
    store.change("team", rename)
    assert given == [None, LOCAL._replace(username="bob", key="team")]
    assert store.load("team") == LOCAL._replace(username="bob", key="team")


@pytest.mark.parametrize("history", [True, False])
def test_a_profile_remembers_whether_to_save_messages(store: ProfileStore, history: bool) -> None:
    store.change("home", lambda _: LOCAL._replace(history=history))
    assert store.load("home").history == history


def test_a_change_of_one_profile_leaves_the_others(store: ProfileStore) -> None:
    store.change("home", lambda _: PROFILE)
    store.change("team", lambda _: LOCAL)
    assert store.load("home") == PROFILE._replace(key="home")


def test_a_change_that_fails_leaves_the_profile_unchanged(store: ProfileStore) -> None:
    def fail(_: Profile | None) -> Profile:
        raise ProfileNotFound("no")

    store.change("team", lambda _: PROFILE)
    with pytest.raises(ProfileNotFound, match="no"):
        store.change("team", fail)
    assert store.load("team") == PROFILE._replace(key="team")
    assert store.keys() == ["team"]


def test_a_folder_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LocalError):
        ProfileStore(tmp_path / "file").change("team", lambda _: PROFILE)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no POSIX modes")
def test_only_the_owner_can_read_a_profile_and_its_folder(store: ProfileStore) -> None:
    store.change("team", lambda _: PROFILE)
    assert stat.S_IMODE((store.folder / "team.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_no_secret_is_in_the_file(store: ProfileStore) -> None:
    secrets = {"pwd": "secret-1", "aws_secret_access_key": "secret-2", "id_token": "secret-3"}
    store.change("team", lambda _: from_exports({**EXPORTS, **secrets}, "aws-exports.json"))
    stored = (store.folder / "team.json").read_text()
    assert "secret" not in stored
    assert set(json.loads(stored)) == {"username", "aws-exports"}
    assert set(json.loads(stored)["aws-exports"]) == set(to_exports(PROFILE))


def test_a_removed_profile_does_not_exist(store: ProfileStore) -> None:
    store.change("team", lambda _: PROFILE)
    store.change("home", lambda _: PROFILE)
    store.remove("team")
    assert store.keys() == ["home"]
    with pytest.raises(ProfileNotFound, match="no profile 'team'"):
        store.remove("team")


def test_the_hint_for_a_damaged_profile_has_a_command_on_each_line(store: ProfileStore) -> None:
    store.change("bad", lambda _: PROFILE)
    store.path("bad").write_text("{", encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        store.load("bad")
    assert caught.value.hint == (
        "Remove it: aws-iot config remove -k bad\nThen create it again: aws-iot config -s FILE -k bad"
    )
