"""Files that people already have with their pools: of Amplify, and of the npm tool."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_iot.config.exports import from_exports, parse_json
from aws_iot.config.profile import Profile
from aws_iot.errors import ProfileError
from aws_iot.files import read


@dataclass(frozen=True, slots=True)
class ImportedProfile:
    """One entry of the npm tool's file: a profile, or why there is none, and a password if it has one."""

    key: str
    profile: Profile | ProfileError
    password: str | None = field(repr=False)


def read_exports(
    path: Path, endpoint: str | None = None, warn: Callable[[str], None] = lambda _: None
) -> Profile:
    """The profile in an `aws-exports.json`, an `aws-exports.js` (Amplify Gen 1) or an `amplify_outputs.json` (Gen 2).

    `endpoint` replaces the IoT endpoint of the file, which need not have one. `warn` gets a line if the file
    contradicts itself. Raises `ProfileError` that names the file, and what is missing or wrong in it.
    """
    exports = _normalized(_parse(_read(path), path))
    if isinstance(exports, Mapping):
        exports = _with_absolute_paths(exports, path)
        if endpoint:
            exports = {**exports, "aws_pubsub_endpoint": endpoint}
    try:
        profile = from_exports(exports, str(path))
    except ProfileError as error:
        if isinstance(exports, Mapping) and exports.get("aws_pubsub_endpoint") is None:
            endpoint_hint = (
                "If the file has no IoT endpoint, give --endpoint URL. An admin finds it with:"
                " aws iot describe-endpoint --endpoint-type iot:Data-ATS"
            )
            error.hint = "\n".join(filter(None, (error.hint, endpoint_hint)))
        raise
    region = exports.get("aws_pubsub_region") if isinstance(exports, Mapping) and not endpoint else None
    if region and region != profile.iot_region:
        warn(
            f"{path}: aws_pubsub_region is {region}, but aws_pubsub_endpoint is in {profile.iot_region}:"
            f" the profile uses {profile.iot_region}."
        )
    return profile


def read_cognitorc(path: Path) -> Iterator[ImportedProfile]:
    """The profiles in the npm tool's `~/.cognitorc`. Raises `ProfileError` if the file itself cannot be read."""
    stored = parse_json(_read(path), path, show_line=False)  # it holds passwords
    if not isinstance(stored, Mapping):
        raise ProfileError(f"{path}: expected a JSON object, as the npm tool writes it")
    for key, entry in stored.items():
        fields: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
        username, password = fields.get("usr"), fields.get("pwd")
        try:
            profile: Profile | ProfileError = from_exports(entry, f"{path}, {key}")._replace(
                username=username if isinstance(username, str) else None,
            )
        except ProfileError as error:
            profile = error
        yield ImportedProfile(key, profile, password if isinstance(password, str) else None)


def _read(path: Path) -> bytes:
    data = read(path)
    if data is None:
        raise ProfileError(f"{path}: there is no such file")
    return data


def _parse(data: bytes, path: Path) -> object:
    """The JSON value in a file, or the object with pools in a JavaScript file."""
    try:
        return parse_json(data, path)
    except ProfileError as not_json:
        from aws_iot.config.javascript import objects_in  # here: it compiles a long pattern

        try:
            objects = [*objects_in(data.decode("utf-8-sig", errors="replace"))]
        except RecursionError:
            raise not_json from None
        if not objects:
            raise
        return next((one for one in objects if _names_pools(one)), objects[0])


def _names_pools(exports: Mapping[str, Any]) -> bool:
    return not exports.keys().isdisjoint(("aws_user_pools_id", "Auth", "auth"))


def _normalized(exports: object) -> object:
    """The exports with the keys of Amplify Gen 1."""
    if not isinstance(exports, Mapping) or "aws_user_pools_id" in exports:
        return exports
    for section, keys in _SECTIONS:
        found: object = exports
        for name in section:
            found = found.get(name) if isinstance(found, Mapping) else None
        if isinstance(found, Mapping):
            return {name: found[key] for name, key in keys.items() if found.get(key) is not None}
    return exports


# For each section where Amplify writes the pools: its key for each key of Gen 1.
_SECTIONS = (
    # Gen 2: docs.amplify.aws/react/reference/amplify_outputs/
    (
        ("auth",),
        {
            "aws_project_region": "aws_region",
            "aws_cognito_region": "aws_region",
            "aws_user_pools_id": "user_pool_id",
            "aws_user_pools_web_client_id": "user_pool_client_id",
            "aws_cognito_identity_pool_id": "identity_pool_id",
        },
    ),
    # The argument of Amplify.configure, version 6
    (
        ("Auth", "Cognito"),
        {
            "aws_user_pools_id": "userPoolId",
            "aws_user_pools_web_client_id": "userPoolClientId",
            "aws_cognito_identity_pool_id": "identityPoolId",
        },
    ),
    # The argument of Amplify.configure, before version 6
    (
        ("Auth",),
        {
            "aws_project_region": "region",
            "aws_cognito_region": "region",
            "aws_user_pools_id": "userPoolId",
            "aws_user_pools_web_client_id": "userPoolWebClientId",
            "aws_cognito_identity_pool_id": "identityPoolId",
        },
    ),
)


def _with_absolute_paths(exports: Mapping[str, Any], path: Path) -> Mapping[str, Any]:
    """A relative path is in the folder of the file: the profile is used in any folder."""
    named = {key: exports[key] for key in _PATHS if isinstance(exports.get(key), str) and exports[key]}
    found = {key: str((path.parent / Path(one).expanduser()).absolute()) for key, one in named.items()}
    return {**exports, **found}


_PATHS = ("ca_bundle", "admin_credentials_file")
