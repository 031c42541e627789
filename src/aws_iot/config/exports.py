"""Exports: the keys of an `aws-exports.json`, as the npm tool and Amplify write them, from and to a profile."""

import json
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from aws_iot.config.endpoint import Endpoint
from aws_iot.config.partitions import region_of_iot_host
from aws_iot.config.profile import Profile
from aws_iot.errors import ProfileError
from aws_iot.streams import decoded


class _Key(NamedTuple):
    """One key: the field of the profile that it fills, and its format."""

    name: str
    field: str
    pattern: str
    expected: str
    required: bool = True


class Expression(NamedTuple):
    """A value of an exports file that only running its code would tell."""

    source: str


# The formats are those of the service models: cognito-idp 2016-04-18, cognito-identity 2014-06-30.
_REGION = r"[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}"
_URL = r"https?://([A-Za-z0-9][A-Za-z0-9.-]*|\[[0-9a-f:.]+\])(:[0-9]{1,5})?(/\S*)?"
_KEYS = (
    _Key(
        "aws_user_pools_id",
        "user_pool_id",
        _REGION + r"_[0-9A-Za-z]+",
        "a user pool id such as us-east-1_AbCdEf123",
    ),
    _Key(
        "aws_user_pools_web_client_id",
        "client_id",
        r"[\w+]{1,128}",
        "the id of an app client of the user pool",
    ),
    _Key(
        "aws_cognito_identity_pool_id",
        "identity_pool_id",
        _REGION + r":[0-9a-f-]+",
        "an identity pool id such as us-east-1:00000000-0000-0000-0000-000000000000",
    ),
    _Key(
        "aws_pubsub_endpoint",
        "endpoint",
        r".+",
        "the IoT endpoint, such as wss://…-ats.iot.us-east-1.amazonaws.com/mqtt",
    ),
    _Key("aws_pubsub_region", "iot_region", _REGION, "a region such as us-east-1", required=False),
    _Key(
        "aws_iot_policy_name",
        "policy_name",
        r"[\w+=,.@-]{1,128}",
        "the name of an IoT policy",
        required=False,
    ),
    _Key("endpoint_url_cognito_identity_provider", "cognito_idp_url", _URL, "an http(s) URL", required=False),
    _Key("endpoint_url_cognito_identity", "cognito_identity_url", _URL, "an http(s) URL", required=False),
    _Key("endpoint_url_iot", "iot_url", _URL, "an http(s) URL", required=False),
    _Key("endpoint_url_iam", "iam_url", _URL, "an http(s) URL", required=False),
    _Key("endpoint_url_cloudformation", "cloudformation_url", _URL, "an http(s) URL", required=False),
    _Key("ca_bundle", "ca_bundle", r".+", "the path of a PEM file", required=False),
    _Key(
        "admin_credentials_file",
        "admin_credentials_file",
        r".+",
        "the path of a file such as ~/.aws/credentials",
        required=False,
    ),
    _Key("local_stack", "local_stack", r".+", "the folder of a local stack", required=False),
)


class FileKey(NamedTuple):
    """What a file calls a key, and the line that has it, if that is known."""

    name: str
    line: int | None = None

    def where(self, source: str) -> str:
        return f"{source}: line {self.line}" if self.line else source


class Fault(NamedTuple):
    """What is wrong with a key, as the rest of a sentence that begins with its name."""

    key: str
    text: str


def from_exports(exports: object, source: str, keys: Mapping[str, FileKey] | None = None) -> Profile:
    """The profile in the object of an `aws-exports.json`. Other keys are ignored.

    `source` names the file in errors, and `keys` what it calls them, if not as here. Raises `ProfileError` that names
    each missing or wrong key. If there are several, its hint has a line for each.
    """
    if not isinstance(exports, Mapping):
        raise ProfileError(f"{source}: expected a JSON object, as in aws-exports.json")
    fields, faults = _read_keys(exports)
    if "endpoint" in fields:
        faults += _read_endpoint(fields, exports)
    if not faults:
        return Profile(**fields)
    named = [((keys or {}).get(fault.key, FileKey(fault.key)), fault.text) for fault in faults]
    if len(named) == 1:
        raise ProfileError("".join(f"{key.where(source)}: {key.name} {text}" for key, text in named))
    raise ProfileError(
        f"{source}: {len(faults)} keys are missing or wrong: {', '.join(key.name for key, _ in named)}",
        hint="\n".join(
            f"  {key.where('').removeprefix(': ')}{': ' if key.line else ''}{key.name} {text}"
            for key, text in named
        ),
    )


def _read_keys(exports: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The fields of the profile as text, and what is wrong with the others."""
    fields: dict[str, Any] = {}
    faults = []
    for key in _KEYS:
        value = exports.get(key.name)
        if value is None:
            if key.required:
                faults.append(Fault(key.name, f"is missing: expected {key.expected}"))
        elif not isinstance(value, str) or not re.fullmatch(key.pattern, value, re.ASCII):
            faults.append(Fault(key.name, f"is {_shown(value)}: expected {key.expected}"))
        else:
            fields[key.field] = value
    return fields, faults


def _shown(value: object) -> str:
    return f"the expression {value.source}" if isinstance(value, Expression) else json.dumps(value)


def _read_endpoint(fields: dict[str, Any], exports: Mapping[str, Any]) -> list[Fault]:
    """Parse the endpoint in `fields`, and find its region. The result is what is wrong with them."""
    try:
        fields["endpoint"] = Endpoint.parse(fields["endpoint"])
    except ValueError as reason:
        return [Fault("aws_pubsub_endpoint", f"is {json.dumps(fields['endpoint'])}: it {reason}")]
    # The endpoint's own region comes first: AWS rejects a signature for another.
    region = region_of_iot_host(fields["endpoint"].host) or fields.get("iot_region") or _first_region(exports)
    if region:
        fields["iot_region"] = region
    elif exports.get("aws_pubsub_region") is None:
        return [Fault("aws_pubsub_region", "is missing: expected a region such as us-east-1")]
    return []


def _first_region(exports: Mapping[str, Any]) -> str | None:
    named = (exports.get(key) for key in ("aws_project_region", "aws_cognito_region"))
    return next((r for r in named if isinstance(r, str) and re.fullmatch(_REGION, r)), None)


def to_exports(profile: Profile) -> dict[str, str]:
    """The `aws-exports.json` of a profile, for the npm tool and `from_exports`."""
    exports = {
        "aws_project_region": profile.iot_region,
        "aws_cognito_region": profile.user_pool_region,
    }
    for key in _KEYS:
        value = getattr(profile, key.field)
        if value is not None:
            exports[key.name] = str(value)
    return exports


POOLS = ("aws_user_pools_id", "aws_user_pools_web_client_id", "aws_cognito_identity_pool_id")
"""The keys without which nobody can sign in."""

KEYS = tuple(key.name for key in _KEYS)
"""All keys from which a profile is made."""


def parse_json(data: bytes, source: object, *, show_line: bool = True) -> object:
    """The JSON value in `data`, which was read from `source`, mostly a path. A byte order mark is dropped.

    Raises `ProfileError` that names the line. It also shows the line, unless that may hold a secret.
    """
    try:
        return json.loads(text_of(data, source))
    except json.JSONDecodeError as error:
        raise not_json(error, source, show_line=show_line) from error
    except RecursionError as error:
        raise ProfileError(f"{source} is not JSON: its brackets are nested too deeply") from error
    except ValueError as error:  # a number of thousands of digits
        raise ProfileError(f"{source} is not JSON: {error}") from error


def text_of(data: bytes, source: object) -> str:
    """The text of a file, without a byte order mark. Raises `ProfileError` that names the line of what is no text."""
    try:
        return decoded(data)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ProfileError(f"{source}: line {line} is not UTF-8 text") from error


def not_json(error: json.JSONDecodeError, source: object, *, show_line: bool = True) -> ProfileError:
    """What is wrong with a text that is not JSON."""
    if not error.doc.strip():
        return ProfileError(f"{source} is not JSON: the file is empty")
    reason = error.msg[0].lower() + error.msg[1:].removesuffix(" at").removesuffix(" starting")
    shown = _excerpt(error) if show_line else ""
    # At the end of the file, the error is behind the last line.
    is_at_end = not error.doc[error.pos :].strip()
    line = error.doc[: error.pos].rstrip().count("\n") + 1 if is_at_end else error.lineno
    return ProfileError(f"{source} is not JSON: line {line}: {reason}{shown}")


_PRIVATE = r"(?i)pwd|pass|secret|token|credential|private|api_?key"
_EXCERPT_CHARACTERS = 60


def _excerpt(error: json.JSONDecodeError) -> str:
    """The line of the error, for its message; of a long one what surrounds the error. Empty if it may hold a secret."""
    line = error.doc.splitlines()[error.lineno - 1] if error.lineno <= len(error.doc.splitlines()) else ""
    if not line.strip() or re.search(_PRIVATE, line):
        return ""
    start = max(0, error.colno - 1 - _EXCERPT_CHARACTERS // 2) if len(line) > _EXCERPT_CHARACTERS else 0
    shown = line[start : start + _EXCERPT_CHARACTERS].strip()
    return f", in: {'…' if start else ''}{shown}{'…' if start + _EXCERPT_CHARACTERS < len(line) else ''}"
