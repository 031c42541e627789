"""Files of Amplify in the forms in which people have them."""

import json
from pathlib import Path

import pytest

from aws_iot.config.exports_files import read_cognitorc, read_exports
from aws_iot.config.javascript import objects_in
from aws_iot.errors import ProfileError

USER_POOL = "eu-west-1_AbCdEfGhI"
CLIENT = "1abcdefghijklmnopqrstuvwxy"
IDENTITY_POOL = "eu-west-1:11111111-2222-3333-4444-555555555555"
ENDPOINT = "wss://abc-ats.iot.eu-central-1.amazonaws.com/mqtt"

ASSIGNED_TO_WINDOW = f"""// Browser version for a <script> tag
window.awsmobile = {{
  // Region
  aws_project_region: 'eu-west-1',
  aws_user_pools_id: '{USER_POOL}',
  aws_user_pools_web_client_id: '{CLIENT}',
  aws_cognito_identity_pool_id: '{IDENTITY_POOL}',
}};

console.log('configuration loaded');
"""
COMMENTS_AND_CODE_AFTER = f"""const awsExports = {{
  "aws_cognito_identity_pool_id": "{IDENTITY_POOL}", // identity pool
  "aws_user_pools_id": "{USER_POOL}", /* user
  pool */
  "aws_user_pools_web_client_id": "{CLIENT}",
  "aws_appsync_apiKey": null
}};

Amplify.configure(awsExports);
window.awsExports = awsExports;
"""
EXPORT_CONST = f"""import {{ Amplify }} from 'aws-amplify';

export const awsmobile = {{
  aws_cloud_logic_custom: [{{ name: 'CoreAPI', endpoint: 'https://abc.example/dev' }}],
  aws_cognito_identity_pool_id:
    '{IDENTITY_POOL}',
  aws_user_pools_id: `{USER_POOL}`,
  aws_user_pools_web_client_id: '{CLIENT}',
  oauth: {{}},
  aws_cognito_username_attributes: ['EMAIL', 'PHONE_NUMBER'],
}};
"""
SINGLE_QUOTES = f"""const awsmobile = {{
    'aws_cognito_identity_pool_id': '{IDENTITY_POOL}',
    'aws_user_pools_id': '{USER_POOL}',
    'aws_user_pools_web_client_id': '{CLIENT}'
}};

export default awsmobile;
"""
EXPRESSIONS = f"""const other = {{ a: 1 }};
module.exports = {{
  ...other,
  [key]: 'computed',
  method() {{ return {{}}; }},
  'aws_project_region': process.env.REGION || 'eu-west-1',
  aws_cognito_identity_pool_id: '{IDENTITY_POOL}',
  aws_user_pools_id: '{USER_POOL}',
  aws_user_pools_web_client_id: '{CLIENT}',
}} as const;
"""
CONFIGURE = f"""Amplify.configure({{
  Auth: {{ Cognito: {{ userPoolId: '{USER_POOL}', userPoolClientId: '{CLIENT}',
    identityPoolId: '{IDENTITY_POOL}' }} }},
}});
"""
AUTH_SECTION = json.dumps(
    {
        "Auth": {
            "region": "eu-west-1",
            "identityPoolId": IDENTITY_POOL,
            "userPoolId": USER_POOL,
            "userPoolWebClientId": CLIENT,
        },
        "Storage": {"bucket": "example.com", "region": "us-east-1"},
    }
)
GEN_2 = json.dumps(
    {
        "version": "1.4",
        "auth": {
            "aws_region": "eu-west-1",
            "user_pool_id": USER_POOL,
            "user_pool_client_id": CLIENT,
            "identity_pool_id": IDENTITY_POOL,
        },
    }
)
EXPORTS = {
    "aws_cognito_identity_pool_id": IDENTITY_POOL,
    "aws_user_pools_id": USER_POOL,
    "aws_user_pools_web_client_id": CLIENT,
    "aws_pubsub_endpoint": ENDPOINT,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "exports"


@pytest.mark.parametrize(
    "content",
    [
        ASSIGNED_TO_WINDOW,
        COMMENTS_AND_CODE_AFTER,
        EXPORT_CONST,
        SINGLE_QUOTES,
        EXPRESSIONS,
        CONFIGURE,
        AUTH_SECTION,
        GEN_2,
        "\ufeff" + SINGLE_QUOTES,
    ],
)
def test_the_pools_are_read_whatever_the_form_of_the_file(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    profile = read_exports(file, ENDPOINT)
    assert (profile.user_pool_id, profile.client_id) == (USER_POOL, CLIENT)
    assert profile.identity_pool_id == IDENTITY_POOL
    assert profile.iot_region == "eu-central-1"


def test_a_file_without_an_endpoint_is_refused_with_the_option_that_helps(file: Path) -> None:
    file.write_text(GEN_2, encoding="utf-8")
    with pytest.raises(ProfileError, match="aws_pubsub_endpoint is missing") as caught:
        read_exports(file)
    assert "--endpoint URL" in (caught.value.hint or "")
    assert "aws iot describe-endpoint" in (caught.value.hint or "")


def test_a_file_without_an_identity_pool_is_refused_for_that(file: Path) -> None:
    file.write_text(
        SINGLE_QUOTES.replace(f"'aws_cognito_identity_pool_id': '{IDENTITY_POOL}',", ""), encoding="utf-8"
    )
    with pytest.raises(ProfileError, match=r"exports: aws_cognito_identity_pool_id is missing") as caught:
        read_exports(file, ENDPOINT)
    assert ";" not in str(caught.value)


def test_the_region_of_the_endpoint_counts_and_another_is_reported(file: Path) -> None:
    file.write_text(json.dumps(EXPORTS | {"aws_pubsub_region": "us-east-1"}), encoding="utf-8")
    warnings: list[str] = []
    assert read_exports(file, warn=warnings.append).iot_region == "eu-central-1"
    [warning] = warnings
    assert "aws_pubsub_region is us-east-1, but aws_pubsub_endpoint is in eu-central-1" in warning
    assert read_exports(file, ENDPOINT, warnings.append).iot_region == "eu-central-1"
    assert len(warnings) == 1  # the person has named the endpoint


@pytest.mark.parametrize(
    ("bundle", "path"), [("ca.pem", "ca.pem"), ("tls/ca.pem", "tls/ca.pem"), ("../ca.pem", "../ca.pem")]
)
def test_a_relative_ca_bundle_is_in_the_folder_of_the_file(file: Path, bundle: str, path: str) -> None:
    file.write_text(json.dumps(EXPORTS | {"ca_bundle": bundle}), encoding="utf-8")
    assert read_exports(file).ca_bundle == str(file.parent / path)


def test_an_absolute_ca_bundle_is_not_changed(file: Path, tmp_path: Path) -> None:
    bundle = str(tmp_path / "elsewhere" / "ca.pem")
    file.write_text(json.dumps(EXPORTS | {"ca_bundle": bundle}), encoding="utf-8")
    assert read_exports(file).ca_bundle == bundle


@pytest.mark.parametrize(
    "content", ["", "const a = 1;", "function f() {}", "x = ", "x = " + "[" * 50_000, "x = " + "{a:" * 50_000]
)
def test_a_file_without_an_object_is_refused(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ProfileError, match="is not JSON"):
        read_exports(file, ENDPOINT)


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        ("x = {a: 'it\\'s', b: \"\\u0041\", c: 'say \"hi\"'}", [{"a": "it's", "b": "A", "c": 'say "hi"'}]),
        ("x = {a: -1.5, b: 0xff, c: true, d: undefined}", [{"a": -1.5, "b": None, "c": True, "d": None}]),
        ("x = {a: [1, [2, {b: 3}], 'c',],}", [{"a": [1.0, [2.0, {"b": 3.0}], "c"]}]),
        ("x = {a: f(1, {b: 2}), c: 'd'}", [{"a": None, "c": "d"}]),
        ("x = {a: 'b' + 'c', d: 'e'}", [{"a": None, "d": "e"}]),
        ("// x = {a: 1}\ny = {b: 'http://c'}", [{"b": "http://c"}]),
        ("x = {a: 'b'", [{"a": "b"}]),
        ("x = {a 'b' c}", [{}]),
        ("if (x) { y: 1 }", []),
    ],
)
def test_object_literals_are_read_without_running_the_code(
    text: str, objects: list[dict[str, object]]
) -> None:
    assert [*objects_in(text)] == objects


def test_the_password_of_an_imported_profile_is_not_in_its_repr(tmp_path: Path) -> None:
    path = tmp_path / ".cognitorc"
    path.write_text('{"team": {"usr": "alice", "pwd": "hunter2"}}')
    [found] = read_cognitorc(path)
    assert found.password == "hunter2"
    assert "hunter2" not in repr(found)
