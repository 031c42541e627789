"""Files that people already have with their pools: of Amplify, and of the npm tool."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_iot.config.exports import FileKey, from_exports, parse_json, text_of
from aws_iot.config.paths import expanded
from aws_iot.config.profile import Profile
from aws_iot.errors import EndpointMissing, ProfileError
from aws_iot.files import read

ENDPOINT_HINT = (
    "If the file has no IoT endpoint, give --endpoint URL. An admin finds it with:\n"
    "  aws iot describe-endpoint --endpoint-type iot:Data-ATS"
)


@dataclass(frozen=True, slots=True)
class ImportedProfile:
    """One entry of the npm tool's file: a profile, or why there is none, and a password if it has one.

    `conflict` is a sentence about a region that is not the endpoint's.
    """

    key: str
    profile: Profile | ProfileError
    password: str | None = field(repr=False)
    conflict: str | None = None


def read_exports(
    path: Path, endpoint: str | None = None, warn: Callable[[str], None] = lambda _: None
) -> Profile:
    """The profile in an `aws-exports.json`, or in another file that Amplify writes, or that people make from one.

    See `parse_exports`. Raises `ProfileError` also if there is no such file.
    """
    return parse_exports(_read(path), str(path), path.parent, endpoint, warn)


def parse_exports(
    data: bytes,
    source: str,
    folder: Path,
    endpoint: str | None = None,
    warn: Callable[[str], None] = lambda _: None,
) -> Profile:
    """The profile in the content of an exports file. `source` names it in errors; relative paths are in `folder`.

    `endpoint` replaces the IoT endpoint of the file, which need not have one. `warn` gets a line if the file
    contradicts itself. Raises `ProfileError` that names what is missing or wrong, with the file's own keys and lines.
    """
    from aws_iot.config.exports_files.amplify import find_exports  # here: it needs a parser

    found = find_exports(text_of(data, source), source)
    exports = _with_absolute_paths(found.values, folder)
    if endpoint:
        exports = {**exports, "aws_pubsub_endpoint": endpoint}
    keys = {**found.keys, **({"aws_pubsub_endpoint": FileKey("the given endpoint")} if endpoint else {})}
    try:
        profile = from_exports(exports, source, keys)
    except ProfileError as error:
        if exports.get("aws_pubsub_endpoint") is not None:
            raise
        is_only_fault = error.hint is None
        error.hint = "\n".join(filter(None, (error.hint, ENDPOINT_HINT)))
        if is_only_fault:
            raise EndpointMissing(str(error), hint=error.hint) from error
        raise
    if not endpoint and (conflict := region_conflict(exports, profile, keys)):
        warn(f"{source}: {conflict}")
    return profile


def region_conflict(exports: Mapping[str, Any], profile: Profile, keys: Mapping[str, FileKey]) -> str | None:
    """A sentence about an `aws_pubsub_region` that is not the endpoint's; None if they agree."""
    region = exports.get("aws_pubsub_region")
    if not region or region == profile.iot_region:
        return None
    ours, theirs = (keys.get(key, FileKey(key)).name for key in ("aws_pubsub_region", "aws_pubsub_endpoint"))
    return (
        f"{ours} is {region}, but {theirs} is in {profile.iot_region}: the profile uses {profile.iot_region}."
    )


def read_cognitorc(path: Path) -> Iterator[ImportedProfile]:
    """The profiles in the npm tool's `~/.cognitorc`. Raises `ProfileError` if the file itself cannot be read."""
    stored = parse_json(_read(path), path, show_line=False)  # it holds passwords
    if not isinstance(stored, Mapping):
        raise ProfileError(f"{path}: expected a JSON object, as the npm tool writes it")
    for key, entry in stored.items():
        fields: Mapping[str, Any] = (
            _with_absolute_paths(entry, path.parent) if isinstance(entry, Mapping) else {}
        )
        conflict = None
        username, password = fields.get("usr"), fields.get("pwd")
        try:
            found = from_exports(fields if isinstance(entry, Mapping) else entry, f"{path}, {key}")
            conflict = region_conflict(fields, found, {})
            profile: Profile | ProfileError = found._replace(
                username=username if isinstance(username, str) else None,
            )
        except ProfileError as error:
            profile = error
        yield ImportedProfile(key, profile, password if isinstance(password, str) else None, conflict)


def _read(path: Path) -> bytes:
    data = read(path)
    if data is None:
        raise ProfileError(f"{path}: there is no such file")
    return data


def _with_absolute_paths(exports: Mapping[str, Any], folder: Path) -> Mapping[str, Any]:
    """A relative path is in the folder of the file: the profile is used in any folder."""
    named = {key: exports[key] for key in _PATHS if isinstance(exports.get(key), str) and exports[key]}
    found = {key: str((folder / expanded(Path(one))).absolute()) for key, one in named.items()}
    return {**exports, **found}


_PATHS = ("ca_bundle", "admin_credentials_file")
