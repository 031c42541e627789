"""Profile: which user pool, client, identity pool and endpoints, under a key; plain data, no secrets."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from aws_iot.config.endpoint import Endpoint
from aws_iot.config.partitions import region_of_iot_host
from aws_iot.errors import LocalError, ProfileError, ProfileNotFound
from aws_iot.files import delete, exclusive, names, read, write_private

_KEY = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"


@dataclass(frozen=True, slots=True)
class Profile:
    """Where a person signs in and talks; `key` is what the profile is stored under.

    `username` is who signs in when nobody else is named. `client_has_secret` tells that the app client has
    a secret, which is kept elsewhere. `policy_name` is the IoT policy that an
    admin attaches to accept a person. The URLs replace AWS's own addresses (the local stack sets
    them), and `ca_bundle` is a PEM file of the authorities to trust for them.
    """

    user_pool_id: str
    client_id: str
    identity_pool_id: str
    endpoint: Endpoint
    iot_region: str
    policy_name: str | None = None
    cognito_idp_url: str | None = None
    cognito_identity_url: str | None = None
    iot_url: str | None = None
    iam_url: str | None = None
    ca_bundle: str | None = None
    username: str | None = None
    client_has_secret: bool = False
    key: str = ""

    @property
    def user_pool_region(self) -> str:
        """Where the user pool is: its id says so, and the identity pool may be elsewhere."""
        return self.user_pool_id.partition("_")[0]

    @property
    def identity_pool_region(self) -> str:
        """Where the identity pool is: its id says so."""
        return self.identity_pool_id.partition(":")[0]


class _Key(NamedTuple):
    """One key of `aws-exports.json`: the field that it fills, and what it must look like."""

    name: str
    field: str
    pattern: str
    expected: str
    required: bool = True


# The shapes are those of the service models: cognito-idp 2016-04-18, cognito-identity 2014-06-30.
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
    _Key("ca_bundle", "ca_bundle", r".+", "the path of a PEM file", required=False),
)


def from_exports(exports: object, source: str) -> Profile:
    """Read the object in an `aws-exports.json`; keys that are not ours are left alone.

    `source` names the file in errors. Raises `ProfileError` naming each missing or wrong key.
    """
    if not isinstance(exports, Mapping):
        raise ProfileError(f"{source}: expected a JSON object, as in aws-exports.json")
    fields: dict[str, Any] = {}
    faults = []
    for key in _KEYS:
        value = exports.get(key.name)
        if value is None:
            if key.required:
                faults.append(f"{key.name} is missing: expected {key.expected}")
        elif not isinstance(value, str) or not re.fullmatch(key.pattern, value, re.ASCII):
            faults.append(f"{key.name} is {json.dumps(value)}: expected {key.expected}")
        else:
            fields[key.field] = value
    if "endpoint" in fields:
        try:
            fields["endpoint"] = Endpoint.parse(fields["endpoint"])
        except ValueError as reason:
            faults.append(f"aws_pubsub_endpoint is {json.dumps(fields['endpoint'])}: it {reason}")
        else:
            region = region_of_iot_host(fields["endpoint"].host) or _first_region(exports)
            if region:
                fields.setdefault("iot_region", region)
            elif "iot_region" not in fields and exports.get("aws_pubsub_region") is None:
                faults.append("aws_pubsub_region is missing: expected a region such as us-east-1")
    if faults:
        raise ProfileError(f"{source}: " + "; ".join(faults))
    return Profile(**fields)


def _first_region(exports: Mapping[str, Any]) -> str | None:
    named = (exports.get(key) for key in ("aws_project_region", "aws_cognito_region"))
    return next((r for r in named if isinstance(r, str) and re.fullmatch(_REGION, r)), None)


def to_exports(profile: Profile) -> dict[str, str]:
    """What an `aws-exports.json` of this profile holds: the npm tool can read it, and so can `from_exports`."""
    exports = {
        "aws_project_region": profile.iot_region,
        "aws_cognito_region": profile.user_pool_region,
    }
    for key in _KEYS:
        value = getattr(profile, key.field)
        if value is not None:
            exports[key.name] = str(value)
    return exports


def parse_json(data: bytes, path: Path) -> object:
    """The JSON value in `data`, read from `path`. Raises `ProfileError`."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:
        raise ProfileError(f"{path}: is not JSON: {error}") from error


class ProfileStore:
    """The profiles of a person: one JSON file each, in one folder.

    Every method raises `LocalError` where the system does not let it read or write.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def keys(self) -> list[str]:
        """The keys of the stored profiles, in alphabetical order."""
        stems = [name.removesuffix(".json") for name in names(self.folder) if name.endswith(".json")]
        return [stem for stem in stems if re.fullmatch(_KEY, stem)]

    def load(self, key: str) -> Profile:
        """Raises `ProfileNotFound`, or `ProfileError` if the file is damaged."""
        profile = self._load(key)
        if profile is None:
            known = self.keys()
            make = f"Make it with: aws-iot config -s aws-exports.json -k {key}"
            raise ProfileNotFound(
                f"there is no profile '{key}' in {self.folder}",
                hint=f"There is {', '.join(known)}: name it with -k. {make}" if known else make,
            )
        return profile

    def change(self, key: str, change: Callable[[Profile | None], Profile]) -> Profile:
        """Store what `change` makes of the profile under `key` (None: there is none yet).

        Of two processes that change it at once, the second sees what the first stored.
        """
        path = self._path(key)
        with exclusive(self.folder) as held:
            if not held:
                raise LocalError(f"{self.folder}: another program keeps the profiles locked")
            profile = change(self._load(key))
            stored: dict[str, object] = {"username": profile.username, "aws-exports": to_exports(profile)}
            if profile.client_has_secret:
                stored["client_has_secret"] = True
            write_private(path, json.dumps(stored, indent=2).encode() + b"\n")
        return profile

    def remove(self, key: str) -> None:
        """Raises `ProfileNotFound`."""
        if not delete(self._path(key)):
            raise ProfileNotFound(f"there is no profile '{key}'")

    def _load(self, key: str) -> Profile | None:
        path = self._path(key)
        data = read(path)
        if data is None:
            return None
        try:
            stored = parse_json(data, path)
            if not isinstance(stored, dict):
                raise ProfileError(f"{path}: expected a JSON object")
            profile = from_exports(stored.get("aws-exports"), str(path))
        except ProfileError as error:
            error.hint = (
                f"Write it anew: aws-iot config remove -k {key}, then aws-iot config -s FILE -k {key}"
            )
            raise
        username = stored.get("username")
        return replace(
            profile,
            key=key,
            username=username if isinstance(username, str) else None,
            client_has_secret=stored.get("client_has_secret") is True,
        )

    def _path(self, key: str) -> Path:
        return self.folder / f"{checked_key(key)}.json"


def checked_key(key: str) -> str:
    """`key`, if it can name a profile and so a file; else raises `ProfileError`."""
    if not re.fullmatch(_KEY, key):
        raise ProfileError(
            f"'{key}' cannot name a profile: use up to 64 letters, digits, '_', '-' and '.', a letter or digit first"
        )
    return key
