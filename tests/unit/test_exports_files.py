"""Files of Amplify in the forms in which people have them."""

import json
from pathlib import Path

import pytest

from aws_iot.config.exports import Expression
from aws_iot.config.exports_files.javascript import LARGEST_NESTING, Script
from aws_iot.config.exports_files.reader import parse_exports, read_cognitorc, read_exports
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


TEMPLATE = f"""const region = 'eu-west-1';
const pools = {{ user: `${{region}}_AbCdEfGhI`, client: '{CLIENT}' }};
export default {{
  aws_project_region: region,
  aws_user_pools_id: pools.user,
  aws_user_pools_web_client_id: pools.client,
  aws_cognito_identity_pool_id: region + ':11111111-2222-3333-4444-555555555555',
}};
"""
TYPESCRIPT = f"""import type {{ ResourcesConfig }} from 'aws-amplify';
interface Environment {{ production: boolean; amplify?: ResourcesConfig }}
enum Stage {{ Dev = 'dev' }}

export const environment: Environment & Record<string, unknown> = {{
  production: false,
  firebase: {{ apiKey: 'abc', projectId: 'x' }},
  amplify: {{
    Auth: {{
      Cognito: {{
        userPoolId: '{USER_POOL}',
        userPoolClientId: '{CLIENT}',
        identityPoolId: '{IDENTITY_POOL}',
        loginWith: {{ email: true }},
      }},
    }},
  }} satisfies ResourcesConfig,
}} as const;
"""
MODULE_EXPORTS = f"""'use strict';
module.exports = Object.freeze({{
  ...require('./base'),
  aws_user_pools_id: "{USER_POOL}",
  aws_user_pools_web_client_id: "{CLIENT}",
  aws_cognito_identity_pool_id: "{IDENTITY_POOL}",
}});
"""
FLUTTER = f"""const amplifyconfig = ''' {{
    "UserAgent": "aws-amplify-cli/2.0",
    "auth": {{
        "plugins": {{
            "awsCognitoAuthPlugin": {{
                "IdentityManager": {{ "Default": {{}} }},
                "CredentialsProvider": {{
                    "CognitoIdentity": {{
                        "Default": {{ "PoolId": "{IDENTITY_POOL}", "Region": "eu-west-1" }}
                    }}
                }},
                "CognitoUserPool": {{
                    "Default": {{ "PoolId": "{USER_POOL}", "AppClientId": "{CLIENT}", "Region": "eu-west-1" }}
                }}
            }}
        }}
    }}
}}''';
"""
FLUTTER_GEN_2 = f"const amplifyConfig = r'''{GEN_2}''';\n"
DART_MAP = f"""const Map<String, dynamic> awsExports = <String, dynamic>{{
  'aws_user_pools_id': '{USER_POOL}', // the users
  'aws_user_pools_web_client_id': '{CLIENT}',
  'aws_cognito_identity_pool_id': '{IDENTITY_POOL}',
}};
"""
MINIFIED = (
    'var a={n:1,"k":{}};!function(e){window.awsmobile=e}({aws_project_region:"eu-west-1",'
    f'aws_user_pools_id:"{USER_POOL}",aws_user_pools_web_client_id:"{CLIENT}",'
    f'aws_cognito_identity_pool_id:"{IDENTITY_POOL}",oauth:{{}}}});'
)
IN_A_STRING = f"window.__ENV__ = JSON.parse('{AUTH_SECTION}');\n"
JSON_5 = "// ours\n" + GEN_2.replace("}}", ",},}\n").replace('"auth"', "auth")
SECTION = f"userPoolId: '{USER_POOL}', userPoolWebClientId: '{CLIENT}', identityPoolId: '{IDENTITY_POOL}'"
EXPORTED_ONE = f"""const old = {{ {SECTION.replace("AbCd", "Old")} }};
const current = {{ {SECTION} }};
export default {{ Auth: current }};
"""
FORMS = {
    "assigned to window": ASSIGNED_TO_WINDOW,
    "comments and code after": COMMENTS_AND_CODE_AFTER,
    "export const": EXPORT_CONST,
    "single quotes": SINGLE_QUOTES,
    "expressions": EXPRESSIONS,
    "Amplify.configure": CONFIGURE,
    "Auth": AUTH_SECTION,
    "Gen 2": GEN_2,
    "byte order mark": "\ufeff" + SINGLE_QUOTES,
    "JSON with byte order mark and CRLF": "\ufeff" + AUTH_SECTION.replace(", ", ",\r\n"),
    "CRLF": ASSIGNED_TO_WINDOW.replace("\n", "\r\n"),
    "templates and constants": TEMPLATE,
    "TypeScript": TYPESCRIPT,
    "module.exports": MODULE_EXPORTS,
    "Flutter": FLUTTER,
    "Flutter Gen 2": FLUTTER_GEN_2,
    "Dart map": DART_MAP,
    "minified": MINIFIED,
    "JSON in a string": IN_A_STRING,
    "JSON5": JSON_5,
    "the exported one of several": EXPORTED_ONE,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "exports"


@pytest.mark.parametrize("content", FORMS.values(), ids=FORMS)
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
    ("content", "reason"),
    [
        ("", "exports is not JSON: the file is empty"),
        ("const a = 1;", "exports: it holds no object with pools"),
        ("function f() {}", "it holds no object with pools"),
        ("\n\nx = ", "exports: line 3 is not valid JSON or JavaScript"),
        ("x = " + "[" * 50_000, "exports: line 1 is not valid"),
        ("x = " + "{a:" * 50_000, "exports: line 1 is not valid"),
        ("[" * 50_000, "nested too deeply"),
        ("[1]", "exports: expected a JSON object"),
        ('{\n"a": 1,\n"b": 2\n', "exports is not JSON: line 3: "),
        ("{\n// a comment\na: 'b' c: 'd'}", "exports: line 3 is not valid JSON or JavaScript"),
        ("{a: 'b', c: 'd'", "exports: line 1 is not valid JSON or JavaScript"),
        (SINGLE_QUOTES.replace("',", "'", 1), "exports: line 2 is not valid JSON or JavaScript"),
    ],
)
def test_a_file_without_a_valid_object_is_refused(file: Path, content: str, reason: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        read_exports(file, ENDPOINT)
    assert reason in str(caught.value)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (
            CONFIGURE.replace(USER_POOL, "here"),
            'line 2: Auth.Cognito.userPoolId is "here": expected a user pool',
        ),
        (AUTH_SECTION.replace("userPoolWebClientId", "x"), "exports: Auth.userPoolWebClientId is missing"),
        (GEN_2.replace("identity_pool_id", "x"), "exports: auth.identity_pool_id is missing"),
        (
            TYPESCRIPT.replace("identityPoolId", "x"),
            "line 10: amplify.Auth.Cognito.identityPoolId is missing",
        ),
        (FLUTTER.replace("AppClientId", "x"), "CognitoUserPool.Default.AppClientId is missing"),
        (
            MODULE_EXPORTS.replace(f'"{CLIENT}"', "process.env.CLIENT"),
            "line 5: aws_user_pools_web_client_id is the expression process.env.CLIENT: expected",
        ),
        (SINGLE_QUOTES.replace(f"'{CLIENT}'", "7"), "line 4: aws_user_pools_web_client_id is 7: expected"),
        (SINGLE_QUOTES.replace("aws_user_pools_id", "x"), "exports: aws_user_pools_id is missing"),
    ],
)
def test_errors_have_the_names_and_lines_of_the_file(file: Path, content: str, reason: str) -> None:
    file.write_text(content, encoding="utf-8")
    with pytest.raises(ProfileError) as caught:
        read_exports(file, ENDPOINT)
    assert reason in str(caught.value)


def test_several_errors_have_a_line_each(file: Path) -> None:
    file.write_text(CONFIGURE.replace(USER_POOL, "here").replace(CLIENT, "no client"), encoding="utf-8")
    with pytest.raises(
        ProfileError, match=r"2 keys are missing or wrong: Auth.Cognito.userPoolId, Auth"
    ) as caught:
        read_exports(file, ENDPOINT)
    assert (caught.value.hint or "").startswith('  line 2: Auth.Cognito.userPoolId is "here": ')


def test_several_backends_in_one_file_are_refused(file: Path) -> None:
    other = ASSIGNED_TO_WINDOW.replace("_AbCdEfGhI", "_Old")
    file.write_text(EXPORT_CONST + other, encoding="utf-8")
    with pytest.raises(ProfileError, match="it holds several backends, in lines 3, 13") as caught:
        read_exports(file, ENDPOINT)
    assert "file of its own" in (caught.value.hint or "")


@pytest.mark.parametrize(
    "content",
    [
        f"x = {{ Auth: {{ {SECTION} }}, PubSub: {{ aws_pubsub_endpoint: '{ENDPOINT}' }} }}",
        f"x = {{ Auth: {{ {SECTION} }}, PubSub: {{ region: 'eu-central-1', endpoint: '{ENDPOINT}' }} }}",
        f"x = {{ Auth: {{ {SECTION} }}, PubSub: {{ AWSIoT: {{ endpoint: '{ENDPOINT}' }} }} }}",
        f"x = {{ Auth: {{ {SECTION} }}, iotHost: 'abc-ats.iot.eu-central-1.amazonaws.com' }}",
        f"Amplify.configure({{ Auth: {{ {SECTION} }} }});\n"
        f"Amplify.addPluggable(new AWSIoTProvider({{ aws_pubsub_endpoint: '{ENDPOINT}' }}));",
        f"Amplify.configure({{ Auth: {{ {SECTION} }} }});\n"
        f"const p = new PubSub({{ region: 'eu-central-1', endpoint: '{ENDPOINT}' }});",
        GEN_2[:-1] + f', "custom": {{"iot": {{"endpoint": "{ENDPOINT}"}}}}}}',
    ],
)
def test_the_endpoint_is_found_in_its_own_section(file: Path, content: str) -> None:
    file.write_text(content, encoding="utf-8")
    profile = read_exports(file)
    assert (str(profile.endpoint), profile.iot_region) == (ENDPOINT, "eu-central-1")


def test_of_several_other_endpoints_none_is_chosen(file: Path) -> None:
    hosts = "a: 'x-ats.iot.eu-west-1.amazonaws.com', b: 'y-ats.iot.eu-west-1.amazonaws.com'"
    file.write_text(f"x = {{ {SECTION}, {hosts} }}", encoding="utf-8")
    with pytest.raises(ProfileError, match="aws_pubsub_endpoint is missing"):
        read_exports(file)


def test_a_given_endpoint_is_told_from_that_of_the_file(file: Path) -> None:
    file.write_text(GEN_2, encoding="utf-8")
    with pytest.raises(ProfileError, match=r'the given endpoint is "http://x": it must begin with wss://'):
        read_exports(file, "http://x")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_encodings_of_windows_editors_are_read(encoding: str) -> None:
    text = "// Schlüssel\r\n" + SINGLE_QUOTES
    assert parse_exports(text.encode(encoding), "stdin", Path(), ENDPOINT).client_id == CLIENT


def test_text_of_another_encoding_is_refused_with_the_line() -> None:
    with pytest.raises(ProfileError, match=r"^x: line 2 is not UTF-8 text$"):
        parse_exports("\n// ü".encode("latin-1"), "x", Path())


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        (
            "x = {a: 'it\\'s', b: \"\\u0041\\x42\\u{43}\", c: 'say \"hi\"'}",
            [{"a": "it's", "b": "ABC", "c": 'say "hi"'}],
        ),
        ("x = {a: 'b\\\nc', d: '\\n\\t\\0'}", [{"a": "bc", "d": "\n\t\0"}]),
        ("x = {a: -1.5, c: true, d: undefined, e: ''}", [{"a": -1.5, "c": True, "d": None, "e": ""}]),
        ("x = {a: [1, [2, {b: 3}], 'c',],}", [{"a": [1, [2, {"b": 3}], "c"]}]),
        ("x = {a: 'b' + 'c', d: 'e'}", [{"a": "bc", "d": "e"}]),
        ("// x = {a: 1}\ny = {b: 'http://c'}", [{"b": "http://c"}]),
        ("const a = {b: 1}; x = {...a, c: a.b}", [{"b": 1}, {"b": 1, "c": 1}]),
        ("{'a': 1, /* c */ b: 2,}\nf();", [{"a": 1, "b": 2}]),
        ("x = {['a']: 1, [b]: 2}", [{"a": 1}]),
        ("x = {a: '\\u{110000}\\u{fffffffffffffffff}'}", [{"a": "\\u{110000}\\u{fffffffffffffffff}"}]),
        (f"{'/' * 99}\n{'/* a */ ' * 99}\nexport default {{b: 1}}", [{"b": 1}]),
        ("if (x) { y(); }", []),
    ],
)
def test_object_literals_are_read_without_running_the_code(
    text: str, objects: list[dict[str, object]]
) -> None:
    assert Script.parse(text).objects == objects


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("x = {a: f(1, {b: 2})}", "f(1, {b: 2})"),
        ("x = {a: process.env.A || 'b'}", "process.env.A || 'b'"),
        ("x = {a: `${y}z`}", "`${y}z`"),
        ("let y = 1; x = {a: 0xff}", "0xff"),
        ("const y = 1; { const y = 2 }; x = {a: y}", "y"),
        ("const y = {z: y.z}; x = {a: y.z}", "y.z"),
    ],
)
def test_what_only_running_the_code_would_tell_is_an_expression(text: str, source: str) -> None:
    assert Script.parse(text).objects[-1]["a"] == Expression(source)


def test_a_hostile_file_takes_no_time_and_no_memory() -> None:
    bomb = "const x0 = 'ha';" + "".join(f"const x{n + 1} = x{n} + x{n};" for n in range(38))
    objects = "const y0 = {};" + "".join(f"const y{n + 1} = {{a: y{n}, b: y{n}}};" for n in range(38))
    nested = "{a:" * 5_000 + "1" + "}" * 5_000
    for content in (
        f"{bomb} x = {{a: x38}}",
        f"{objects} x = y38",
        nested,
        "a = {x: b}; const b = {y: a2}; const a2 = b",
    ):
        with pytest.raises(ProfileError, match="keys are missing"):
            parse_exports(content.encode(), "x", Path(), ENDPOINT)


@pytest.mark.parametrize("part", ['"{', "'''{", '"""{\n', "({});", "`{` "])
def test_only_the_first_of_many_texts_are_read_as_objects(part: str) -> None:
    assert len(Script.parse(part * 2_000).objects) <= 2 * LARGEST_NESTING + 2_000 * part.count("(")


def test_pools_and_endpoint_may_be_constants_of_their_own() -> None:
    text = f"""export const aws_user_pools_id = '{USER_POOL}';
export const aws_user_pools_web_client_id = "{CLIENT}";
export const aws_cognito_identity_pool_id = `{IDENTITY_POOL}`;
export const aws_pubsub_endpoint = '{ENDPOINT}';
"""
    assert parse_exports(text.encode(), "x", Path()).user_pool_id == USER_POOL
    with pytest.raises(ProfileError, match="line 1: aws_user_pools_id is"):
        parse_exports(text.replace(USER_POOL, "?").encode(), "x", Path())


def test_constants_that_are_no_pools_do_not_replace_an_object() -> None:
    text = f"const aws_user_pools_id = 'eu-west-1_Other1234'; {ASSIGNED_TO_WINDOW}"
    assert parse_exports(text.encode(), "x", Path(), ENDPOINT).user_pool_id == USER_POOL
    with pytest.raises(ProfileError, match="no object with pools"):
        parse_exports(b"const a = 'b'; const c = 'd';", "x", Path(), ENDPOINT)


def test_the_password_of_an_imported_profile_is_not_in_its_repr(tmp_path: Path) -> None:
    path = tmp_path / ".cognitorc"
    path.write_text('{"team": {"usr": "alice", "pwd": "hunter2"}}')
    [found] = read_cognitorc(path)
    assert found.password == "hunter2"
    assert "hunter2" not in repr(found)


def test_a_file_of_the_npm_tool_that_is_nested_too_deeply_is_refused_in_plain_words(tmp_path: Path) -> None:
    path = tmp_path / ".cognitorc"
    path.write_text("[" * 200_000)
    with pytest.raises(ProfileError, match="its brackets are nested too deeply"):
        list(read_cognitorc(path))


CASES = Path(__file__).parent / "exports"


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda path: path.name)
def test_real_files_are_read_or_refused_for_what_they_lack(case: Path) -> None:
    if case.name == "no_identity_pool.js":
        with pytest.raises(ProfileError, match=r"\.js: aws_cognito_identity_pool_id is missing"):
            read_exports(case, ENDPOINT)
    else:
        assert read_exports(case, ENDPOINT).iot_region == "eu-central-1"
