"""Exports: the files in which people have their pools already, whoever wrote them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aws_iot.config.profile import Profile, from_exports, parse_json
from aws_iot.errors import ProfileError
from aws_iot.files import read


def read_exports(path: Path, endpoint: str | None = None) -> Profile:
    """The profile in an `aws-exports.json`, an `aws-exports.js` (Amplify Gen 1) or an `amplify_outputs.json` (Gen 2).

    `endpoint` is the IoT endpoint where the file names none, or another than the wanted one. Raises
    `ProfileError` naming the file and what is missing or wrong in it.
    """
    exports = parse_json(_object_in(_data(path)), path)
    if isinstance(exports, Mapping) and isinstance(exports.get("auth"), Mapping):
        exports = _from_amplify_outputs(exports["auth"])
    if isinstance(exports, Mapping) and endpoint:
        exports = {**exports, "aws_pubsub_endpoint": endpoint}
    return from_exports(exports, str(path))


def read_cognitorc(path: Path) -> Iterator[tuple[str, Profile | ProfileError, str | None]]:
    """Each key of the npm tool's `~/.cognitorc`: its profile, or why it has none, and its password if it has one.

    Raises `ProfileError` where the file itself cannot be read.
    """
    stored = parse_json(_data(path), path)
    if not isinstance(stored, Mapping):
        raise ProfileError(f"{path}: expected a JSON object, as the npm tool writes it")
    for key, entry in stored.items():
        fields: Mapping[str, Any] = entry if isinstance(entry, Mapping) else {}
        username, password = fields.get("usr"), fields.get("pwd")
        try:
            profile: Profile | ProfileError = replace(
                from_exports(entry, f"{path}, {key}"),
                username=username if isinstance(username, str) else None,
            )
        except ProfileError as error:
            profile = error
        yield key, profile, password if isinstance(password, str) else None


def _data(path: Path) -> bytes:
    data = read(path)
    if data is None:
        raise ProfileError(f"{path}: there is no such file")
    return data


def _object_in(data: bytes) -> bytes:
    """The JSON object in a JavaScript file such as `const awsmobile = {…}; export default awsmobile;`."""
    found = re.search(rb"^\s*(?:const|let|var|export default)\b[^{]*(\{.*\})", data, re.DOTALL | re.MULTILINE)
    return found[1] if found else data


def _from_amplify_outputs(auth: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of Gen 1 for what Gen 2 calls otherwise: docs.amplify.aws/react/reference/amplify_outputs/."""
    named = {
        "aws_project_region": auth.get("aws_region"),
        "aws_cognito_region": auth.get("aws_region"),
        "aws_user_pools_id": auth.get("user_pool_id"),
        "aws_user_pools_web_client_id": auth.get("user_pool_client_id"),
        "aws_cognito_identity_pool_id": auth.get("identity_pool_id"),
    }
    return {name: value for name, value in named.items() if value is not None}
